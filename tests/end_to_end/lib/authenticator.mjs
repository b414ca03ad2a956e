// An authenticator as a phone or a security key is one: makes passkeys, and signs with them. It
// stands for the device and the browser in front of it, written from the specification alone;
// lib/browser.mjs is a real browser.
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

const UP = 0x01; // the user was there
const UV = 0x04; // and was verified
const AT = 0x40; // a key follows

const sha256 = (data) => createHash("sha256").update(data).digest();

/** CBOR of an integer, text, Buffer, or a Map: what is needed here, canonical. */
function cbor(value) {
  const head = (kind, n) =>
    n < 24 ? Buffer.from([(kind << 5) | n])
    : n < 256 ? Buffer.from([(kind << 5) | 24, n])
    : Buffer.from([(kind << 5) | 25, n >> 8, n & 255]);
  if (typeof value === "number") {
    return value < 0 ? head(1, -1 - value) : head(0, value);
  }
  if (typeof value === "string") {
    return Buffer.concat([head(3, value.length), Buffer.from(value)]);
  }
  if (value instanceof Map) {
    const parts = [...value].flatMap(([name, one]) => [cbor(name), cbor(one)]);
    return Buffer.concat([head(5, value.size), ...parts]);
  }
  return Buffer.concat([head(2, value.length), value]);
}

/** The COSE key of the JWK @jwk. */
function coseKey({ x, y }) {
  const bytes = (text) => Buffer.from(text, "base64url");
  return y
    ? cbor(new Map([[1, 2], [3, -7], [-1, 1], [-2, bytes(x)], [-3, bytes(y)]]))
    : cbor(new Map([[1, 1], [3, -8], [-1, 6], [-2, bytes(x)]]));
}

/**
 * A passkey for @rpId, of @alg ES256 or EdDSA. create() and get() give what a page sends for a
 * challenge (of login/challenge); what they are told replaces what a good one would say.
 */
export function passkey({ rpId, origin, alg = "ES256" }) {
  const { publicKey, privateKey } =
    alg === "EdDSA" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const id = randomBytes(32);
  const key = coseKey(publicKey.export({ format: "jwk" }));
  let counter = 0;
  const client = (type, nonce, more) =>
    Buffer.from(
      JSON.stringify({
        type,
        challenge: Buffer.from(nonce).toString("base64url"),
        origin,
        crossOrigin: false,
        ...more,
      }),
    );
  const data = (flags, { rpId: other = rpId, count = ++counter } = {}) => {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(count);
    return Buffer.concat([sha256(other), Buffer.from([flags]), number]);
  };
  const texts = (parts) =>
    Object.fromEntries(Object.entries(parts).map(([name, one]) => [name, one.toString("base64url")]));
  return {
    id,
    create({ nonce }, { says, type = "webauthn.create", flags = UP | UV, key: other = key, ...more } = {}) {
      const size = Buffer.from([0, id.length]);
      const whole = [data(flags | AT, more), Buffer.alloc(16), size, id, other];
      const authData = Buffer.concat(whole);
      return texts({
        clientDataJSON: client(type, nonce, says),
        attestationObject: cbor(
          new Map([["fmt", "none"], ["attStmt", new Map()], ["authData", authData]]),
        ),
      });
    },
    get({ nonce }, { says, type = "webauthn.get", flags = UP | UV, ...more } = {}) {
      const clientDataJSON = client(type, nonce, says);
      const authenticatorData = data(flags, more);
      const signed = Buffer.concat([authenticatorData, sha256(clientDataJSON)]);
      const signature = sign(alg === "EdDSA" ? null : "sha256", signed, privateKey);
      return texts({ id, clientDataJSON, authenticatorData, signature });
    },
  };
}
