// Patients log in with passkeys: an authenticator written here, and a real browser with a virtual
// one. What another page, another site or another key made, without its user, or by a copy, is
// nobody's.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { after, before, describe, test } from "node:test";

import { decodeJwt } from "jose";

import { passkey } from "./lib/authenticator.mjs";
import { hasBrowser, startBrowser } from "./lib/browser.mjs";
import { allBut, startFhirGateway } from "./lib/fhir.mjs";
import { program } from "./lib/gateway.mjs";
import { didKey, loginAt } from "./lib/login.mjs";
import { freePort } from "./lib/process.mjs";
import { startUpstream } from "./lib/upstream.mjs";

const RP = "localhost";
const MRN = "urn:mrn";

let upstream, gw, login, origin, pages;

const codeFor = (number) =>
  JSON.parse(
    execFileSync(
      program,
      ["patient", "enrol", "--patient", `${MRN}|${number}`, "--json", "--config", gw.files.file],
      { encoding: "utf8" },
    ),
  ).code;

before(async () => {
  upstream = await startUpstream((request, response) => response.end("{}"));
  const port = await freePort();
  origin = `http://localhost:${port}`;
  pages = http.createServer((request, response) => {
    response.setHeader("content-type", "text/html");
    response.end("<title>Log in</title>");
  });
  pages.listen(port, "localhost");
  await once(pages, "listening");
  gw = await startFhirGateway(upstream.base, {
    listener: { login: { origins: [origin], rp_id: RP } },
  });
  login = loginAt(gw, origin);
  for (const id of ["anna", "carl"]) {
    await gw.permit(id, allBut("urn:example:nobody"));
  }
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(gw?.gateway.output());
  }
  pages?.close();
  pages?.closeAllConnections();
  await gw?.stop();
  upstream?.stop();
});

async function good(proof, code) {
  const answer = await login.token(proof, code);
  assert.equal(answer.status, 200, answer.text);
  return answer.json().access_token;
}

async function refused(proof, why, code) {
  const answer = await login.token(proof, code);
  assert.equal(answer.status, 400, answer.text);
  assert.equal(answer.json().error, "invalid_grant");
  assert.match(answer.json().error_description, why);
}

const made = (alg) => passkey({ rpId: RP, origin, alg });

/** A passkey linked to the patient of @number. */
async function linked(number, alg) {
  const key = made(alg);
  await good(key.create(await login.challenge()), codeFor(number));
  return key;
}

test("the challenge says for which domain keys are made", async () => {
  assert.equal((await login.challenge()).rp_id, RP);
});

for (const alg of ["ES256", "EdDSA"]) {
  test(`a passkey, ${alg}: made once, with a code; then it is enough`, async () => {
    const key = made(alg);
    await refused(key.create(await login.challenge()), /isn't linked/);
    const first = await good(key.create(await login.challenge()), codeFor("anna"));
    for (let i = 0; i < 3; i++) {
      const as = await good(key.get(await login.challenge()));
      assert.equal(decodeJwt(as).sub, decodeJwt(first).sub);
      assert.match(decodeJwt(as).sub, /^did:key:z/);
      assert.equal((await gw.ask("Patient/anna", { as })).status, 200);
      assert.equal((await gw.ask("Patient/carl", { as })).status, 403);
    }
  });
}

describe("what is no proof", () => {
  let key;

  before(async () => {
    key = await linked("anna");
  });

  const cases = {
    "of another page": [{ says: { origin: "https://evil.example" } }, /another site/],
    "of our page inside another": [{ says: { crossOrigin: true } }, /another site/],
    "for another domain": [{ rpId: "evil.example" }, /another site/],
    "without its user": [{ flags: 0x04 }, /verify its user/],
    "without having verified its user": [{ flags: 0x01 }, /verify its user/],
    "made in the other ceremony": [{ type: "webauthn.create" }, /can't be used/],
    "with a challenge that isn't ours": [
      { says: { challenge: Buffer.from("f".repeat(80)).toString("base64url") } },
      /challenge isn't ours/,
    ],
  };
  for (const [what, [more, why]] of Object.entries(cases)) {
    test(`an assertion ${what}`, async () =>
      refused(key.get(await login.challenge(), more), why));
    if (!more.type) {
      test(`a new key ${what}`, async () =>
        refused(made().create(await login.challenge(), more), why, codeFor("anna")));
    }
  }

  test("the same assertion twice", async () => {
    const proof = key.get(await login.challenge());
    await good(proof);
    await refused(proof, /used before/);
  });

  test("another key's signature, and a key that nobody knows", async () => {
    const other = made();
    const proof = other.get(await login.challenge());
    await refused({ ...proof, id: key.id.toString("base64url") }, /signature/);
    await refused(other.get(await login.challenge()), /signature/);
  });

  test("a key that is cut, or of another kind", async () => {
    const rsa = Buffer.from("a401030339010020430100012143010001", "hex");
    for (const other of [rsa, Buffer.alloc(0), Buffer.from("a5", "hex")]) {
      const proof = made().create(await login.challenge(), { key: other });
      await refused(proof, /can't be used/, codeFor("anna"));
    }
    const proof = made().create(await login.challenge());
    for (const part of ["clientDataJSON", "attestationObject"]) {
      const cut = { ...proof, [part]: proof[part].slice(0, -4) };
      await refused(cut, /can't be used|another site/, codeFor("anna"));
    }
  });

  test("a counter that went back: somebody may have a copy", async () => {
    const own = await linked("anna");
    await good(own.get(await login.challenge(), { count: 10 }));
    await refused(own.get(await login.challenge(), { count: 10 }), /copied/);
    await refused(own.get(await login.challenge(), { count: 9 }), /copied/);
    await refused(own.get(await login.challenge(), { count: 0 }), /copied/);
    await good(own.get(await login.challenge(), { count: 11 }));
  });

  test("an id that another key has taken", async () => {
    const other = passkey({ rpId: RP, origin });
    other.id.set(key.id);
    await refused(other.create(await login.challenge()), /copied/, codeFor("carl"));
    const as = await good(key.get(await login.challenge()));
    assert.equal((await gw.ask("Patient/anna", { as })).status, 200);
  });
});

test("authenticators that don't count are taken", async () => {
  const key = made();
  await good(key.create(await login.challenge(), { count: 0 }), codeFor("anna"));
  await good(key.get(await login.challenge(), { count: 0 }));
  await good(key.get(await login.challenge(), { count: 0 }));
});

test("unlinked, it is a key that nobody knows", async () => {
  const key = await linked("carl", "EdDSA");
  const args = ["patient", "unlink", "--patient", `${MRN}|carl`, "--config", gw.files.file];
  execFileSync(program, args);
  await refused(key.get(await login.challenge()), /signature/);
});

test("other proofs are as good beside it", async () => {
  const key = didKey("ed25519");
  await good(await login.did(key), codeFor("anna"));
});

/** In the page: make a passkey, or use it, for @challenge. */
const inPage = (what, challenge) => `(async () => {
  const bytes = (text) => new TextEncoder().encode(text);
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const { nonce, rp_id: id } = ${JSON.stringify(challenge)};
  if (${what === "create"}) {
    const { response } = await navigator.credentials.create({
      publicKey: {
        challenge: bytes(nonce),
        rp: { id, name: "Portal" },
        user: { id: crypto.getRandomValues(new Uint8Array(16)), name: "anna", displayName: "Anna" },
        pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -8 }],
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
        attestation: "none",
      },
    });
    return {
      clientDataJSON: text(response.clientDataJSON),
      attestationObject: text(response.attestationObject),
    };
  }
  const { rawId, response } = await navigator.credentials.get({
    publicKey: { challenge: bytes(nonce), rpId: id, userVerification: "required" },
  });
  return {
    id: text(rawId),
    clientDataJSON: text(response.clientDataJSON),
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
  };
})()`;

test(
  "a browser with a virtual authenticator",
  { skip: hasBrowser ? false : "no chromium, an optional package" },
  async () => {
    const browser = await startBrowser();
    try {
      const page = await browser.open(`${origin}/`);
      const use = async (what) => page.run(inPage(what, await login.challenge()));
      await good(await use("create"), codeFor("anna"));
      for (let i = 0; i < 2; i++) {
        const proof = await use("get");
        const as = await good(proof);
        assert.equal((await gw.ask("Patient/anna", { as })).status, 200);
        await refused(proof, /used before/);
      }
    } finally {
      await browser.stop();
    }
  },
);
