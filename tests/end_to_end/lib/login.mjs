// Patients' keys as their wallets and programs hold them, and the proofs that they make.
import { generateKeyPairSync, sign } from "node:crypto";

import { SigningKey, Wallet, encodeBase58, sha256 } from "ethers";

const KINDS = { ed25519: [0xed, 0x01], p256: [0x80, 0x24], secp256k1: [0xe7, 0x01] };

const didOf = (kind, key) => `did:key:z${encodeBase58(Buffer.from([...KINDS[kind], ...key]))}`;

/** Bytes of a compressed point of the JWK @jwk. */
function compressed({ x, y }) {
  const odd = Buffer.from(y, "base64url").at(-1) & 1;
  return Buffer.concat([Buffer.from([2 + odd]), Buffer.from(x, "base64url")]);
}

/** A new did:key: did, and sign(text) in base64url. */
export function didKey(kind) {
  if (kind === "secp256k1") {
    const key = new SigningKey(Wallet.createRandom().privateKey);
    const rs = (text) => {
      const { r, s } = key.sign(sha256(Buffer.from(text)));
      return Buffer.from(r.slice(2) + s.slice(2), "hex");
    };
    const did = didOf(kind, Buffer.from(key.compressedPublicKey.slice(2), "hex"));
    return { did, sign: (text) => rs(text).toString("base64url") };
  }
  const { publicKey, privateKey } =
    kind === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = publicKey.export({ format: "jwk" });
  const bytes = kind === "ed25519" ? Buffer.from(jwk.x, "base64url") : compressed(jwk);
  const how = { key: privateKey, dsaEncoding: "ieee-p1363" };
  return {
    did: didOf(kind, bytes),
    sign: (text) =>
      sign(kind === "ed25519" ? null : "sha256", Buffer.from(text), how).toString("base64url"),
  };
}

/** What @key (of didKey()) sends for @challenge; @more replaces what is signed or sent. */
export function didProof(key, { nonce, base }, more = {}) {
  const text = ["chartseal login 1", more.base ?? base, key.did, nonce].join("\n");
  return { did: key.did, nonce, signature: key.sign(text), ...more.sent };
}

/** The message of EIP-4361 of these fields; a field that is null is left out. */
export function siweText(fields) {
  const lines = [
    `${fields.scheme ? `${fields.scheme}://` : ""}${fields.domain} wants you to sign in with your Ethereum account:`,
    fields.address,
    "",
    ...(fields.statement ? [fields.statement] : []),
    "",
    `URI: ${fields.uri}`,
    `Version: ${fields.version ?? "1"}`,
    `Chain ID: ${fields.chainId}`,
    `Nonce: ${fields.nonce}`,
    `Issued At: ${fields.issuedAt}`,
  ];
  const optional = {
    "Expiration Time": fields.expirationTime,
    "Not Before": fields.notBefore,
    "Request ID": fields.requestId,
  };
  for (const [name, value] of Object.entries(optional)) {
    if (value != null) {
      lines.push(`${name}: ${value}`);
    }
  }
  return lines.join("\n");
}

/** What the ethers wallet @wallet sends for @challenge, for a page at @origin. */
export async function siweProof(wallet, { nonce, chain_id: chainId }, origin, more = {}) {
  const message = siweText({
    domain: new URL(origin).host,
    address: wallet.address,
    statement: "Log in to see your record.",
    uri: `${origin}/login`,
    chainId,
    nonce,
    issuedAt: new Date().toISOString(),
    ...more,
  });
  return { message, signature: await wallet.signMessage(message) };
}

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** The other signature of the same message by the same key: s negated, v changed. */
export function otherSignature(signature) {
  const s = ORDER - BigInt(`0x${signature.slice(66, 130)}`);
  const v = signature.slice(130) === "1b" ? "1c" : "1b";
  return signature.slice(0, 66) + s.toString(16).padStart(64, "0") + v;
}

/** Logging in at @gw (of startFhirGateway()), whose listener has login.origins [@origin]. */
export function loginAt(gw, origin) {
  const post = async (where, body, headers = {}) => {
    const answer = await fetch(`${gw.base}/login/${where}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, text, json: () => JSON.parse(text) };
  };
  const challenge = async () => (await post("challenge")).json();
  return {
    post,
    challenge,
    token: (proof, code) => post("token", code ? { ...proof, code } : proof),
    did: async (key, more) => didProof(key, await challenge(), more),
    siwe: async (wallet, more) => siweProof(wallet, await challenge(), origin, more),
    end: (token) => post("end", undefined, { authorization: `Bearer ${token}` }),
  };
}

