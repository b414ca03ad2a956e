// Patients log in with keys of their own: did:key, and wallets by Sign-In with Ethereum. A code
// from the hospital links a key to the record, once; the token shows that record alone, as the
// patient's consents say, until its session ends. What was signed by another key, for another
// site, chain or time, or twice, is nobody's.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, test } from "node:test";

import { Wallet } from "ethers";
import { decodeJwt } from "jose";

import { controller, toSign } from "./lib/controller.mjs";
import { allBut, consent, grantOnChain, startFhirGateway } from "./lib/fhir.mjs";
import { configure, program, serve } from "./lib/gateway.mjs";
import { didKey, loginAt, otherSignature } from "./lib/login.mjs";
import { freePort, until } from "./lib/process.mjs";
import { startPlainStore } from "./lib/parts.mjs";

const ORIGIN = "https://portal.example";
const MRN = "urn:mrn";
const EVERYBODY = allBut("urn:example:nobody"); // what a consent says that permits all

let store, gw, login;

const cli = (...args) =>
  execFileSync(program, [...args, "--config", gw.files.file], { encoding: "utf8" });

/** A code for the patient of @number. */
const codeFor = (number, ...more) =>
  JSON.parse(cli("patient", "enrol", "--patient", `${MRN}|${number}`, "--json", ...more)).code;

const put = (type, id, more) =>
  fetch(`${store.base}/${type}/${id}`, {
    method: "PUT",
    headers: { "content-type": "application/fhir+json" },
    body: JSON.stringify({ resourceType: type, id, ...more }),
  });

/** A patient with an observation, whose consent permits everybody everything. */
async function person(id) {
  await put("Patient", id, { identifier: [{ system: MRN, value: id }] });
  await put("Observation", `o-${id}`, {
    status: "final",
    code: { text: "glucose" },
    subject: { reference: `Patient/${id}` },
  });
  await gw.permit(id, EVERYBODY);
}

/** Log in with @proof; the token's answer. */
async function good(proof, code) {
  const answer = await login.token(proof, code);
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
}

async function refused(proof, why, code) {
  const answer = await login.token(proof, code);
  assert.equal(answer.status, 400, answer.text);
  assert.equal(answer.json().error, "invalid_grant");
  assert.match(answer.json().error_description, why);
}

const linked = async (key, number) => {
  const { access_token: as } = await good(await login.did(key), codeFor(number));
  return as;
};

before(async () => {
  store = await startPlainStore();
  await put("Organization", "ward", { name: "Ward" });
  gw = await startFhirGateway(store.base, {
    listener: { login: { origins: ["https://other.example:8443", ORIGIN] } },
  });
  login = loginAt(gw, ORIGIN);
  await person("anna");
  await person("carl");
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(gw?.gateway.output());
  }
  await gw?.stop();
  await store?.stop();
});

describe("a key and a code", () => {
  for (const kind of ["ed25519", "p256", "secp256k1"]) {
    test(`did:key, ${kind}: the code links it, then the key is enough`, async () => {
      const key = didKey(kind);
      await refused(await login.did(key), /isn't linked/);
      const first = await good(await login.did(key), codeFor("anna"));
      const again = await good(await login.did(key));
      for (const { access_token: as, token_type: type, expires_in: seconds } of [first, again]) {
        assert.equal(type, "Bearer");
        assert.equal(seconds, 600);
        const said = decodeJwt(as);
        assert.equal(said.iss, gw.base);
        assert.equal(said.aud, gw.base);
        assert.equal(said.sub, key.did);
        assert.equal(said.exp - said.iat, seconds);
        assert.equal((await gw.ask("Patient/anna", { as })).status, 200);
      }
    });
  }

  test("a wallet, by Sign-In with Ethereum", async () => {
    const wallet = Wallet.createRandom();
    await refused(await login.siwe(wallet), /isn't linked/);
    await good(await login.siwe(wallet), codeFor("anna"));
    const { access_token: as } = await good(
      await login.siwe(wallet, {
        scheme: "https",
        statement: null,
        requestId: "1",
        expirationTime: new Date(Date.now() + 600_000).toISOString(),
        notBefore: new Date(Date.now() - 600_000).toISOString(),
      }),
    );
    assert.equal(decodeJwt(as).sub, `did:pkh:eip155:31337:${wallet.address}`);
    assert.equal((await gw.ask("Patient/anna", { as })).status, 200);
  });

  test("a code is good once, for one key, as it was typed", async () => {
    const code = codeFor("anna");
    await good(await login.did(didKey("ed25519")), ` ${code.toLowerCase().replaceAll("-", " ")}`);
    await refused(await login.did(didKey("ed25519")), /code isn't good/, code);
  });

  test("a code that was tried wrongly five times is dead", async () => {
    const code = codeFor("anna");
    const wrong = code.slice(0, -1) + (code.endsWith("0") ? "1" : "0");
    for (let i = 0; i < 5; i++) {
      await refused(await login.did(didKey("ed25519")), /code isn't good/, wrong);
    }
    await refused(await login.did(didKey("ed25519")), /code isn't good/, code);
  });

  test("four wrong tries leave it good", async () => {
    const code = codeFor("anna");
    const wrong = code.slice(0, -1) + (code.endsWith("0") ? "1" : "0");
    for (let i = 0; i < 4; i++) {
      await refused(await login.did(didKey("ed25519")), /code isn't good/, wrong);
    }
    await good(await login.did(didKey("ed25519")), code);
  });

  test("a code that has expired, and what is no code", async () => {
    const key = didKey("ed25519");
    const code = codeFor("anna");
    gw.postgres.sql(
      `UPDATE login_code SET expires = now() - interval '1 second'
       WHERE name = '${code.slice(0, 5)}'`,
    );
    await refused(await login.did(key), /code isn't good/, code);
    for (const nonsense of ["x", "00000-00000-00000-00000", "U".repeat(20)]) {
      await refused(await login.did(key), /code isn't good/, nonsense);
    }
  });

  test("a key is one patient's: another's code doesn't move it", async () => {
    const key = didKey("ed25519");
    const as = await linked(key, "anna");
    await refused(await login.did(key), /another patient's/, codeFor("carl"));
    assert.equal((await gw.ask("Patient/anna", { as })).status, 200);
    assert.equal((await gw.ask("Patient/carl", { as })).status, 403);
  });

  test("nothing at rest says who it is or opens anything", () => {
    const dump = gw.postgres.sql("SELECT * FROM login_code, login_credential").flat().join(" ");
    assert.ok(!/did:|0x|anna/.test(dump));
    const code = codeFor("anna");
    const rest = gw.postgres.sql("SELECT * FROM login_code").flat().join(" ");
    assert.ok(rest.includes(code.slice(0, 5)));
    assert.ok(!rest.includes(code.slice(6, 11)));
  });
});

describe("what is no proof", () => {
  const later = () => new Date(Date.now() + 3_600_000).toISOString();
  const past = () => new Date(Date.now() - 1000).toISOString();
  let wallet, key;

  before(async () => {
    wallet = Wallet.createRandom();
    key = didKey("secp256k1");
    await good(await login.siwe(wallet), codeFor("anna"));
    await good(await login.did(key), codeFor("anna"));
  });

  test("the same proof twice", async () => {
    for (const proof of [await login.siwe(wallet), await login.did(key)]) {
      await good(proof);
      await refused(proof, /used before/);
    }
  });

  test("a proof sent many times at once is good once, on whatever worker", async () => {
    const proof = await login.siwe(wallet);
    const answers = await Promise.all(Array.from({ length: 12 }, () => login.token(proof)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  });

  const messages = {
    "for another domain": [{ domain: "evil.example" }, /another site/],
    "for another domain, with our name in front": [{ domain: "portal.example@evil.example" }, /another site/],
    "with a URI elsewhere": [{ uri: "https://evil.example/login" }, /another site/],
    "by another scheme": [{ scheme: "http" }, /another site/],
    "of our other page, with this one's URI": [{ domain: "other.example:8443" }, /another site/],
    "for another chain": [{ chainId: 1 }, /another chain/],
    "that has expired": [{ expirationTime: past() }, /has expired/],
    "not valid yet": [{ notBefore: later() }, /isn't valid yet/],
    "issued in the future": [{ issuedAt: later() }, /isn't valid yet/],
    "with a challenge that isn't ours": [{ nonce: "f".repeat(80) }, /challenge isn't ours/],
    "with a short nonce": [{ nonce: "f" }, /EIP-4361/],
    "of version 2": [{ version: "2" }, /EIP-4361/],
    "without the check in the address": [{ address: `0x${"ab".repeat(20)}` }, /EIP-4361/],
    "with a time that is no time": [{ issuedAt: "yesterday" }, /EIP-4361/],
  };
  for (const [what, [more, why]] of Object.entries(messages)) {
    test(`a message ${what}`, async () => refused(await login.siwe(wallet, more), why));
  }

  test("a message with another's address", async () => {
    const { address } = Wallet.createRandom();
    await refused(await login.siwe(wallet, { address }), /signature/);
  });

  test("a message changed after it was signed", async () => {
    const proof = await login.siwe(wallet);
    await refused({ ...proof, message: proof.message.replace("see", "change") }, /signature/);
  });

  test("a signature with high s, which is as good to mathematics", async () => {
    const proof = await login.siwe(wallet);
    await refused({ ...proof, signature: otherSignature(proof.signature) }, /signature/);
    const bytes = async () => {
      const made = await login.did(key);
      const signature = `0x${Buffer.from(made.signature, "base64url").toString("hex")}1b`;
      const other = Buffer.from(otherSignature(signature).slice(2, 130), "hex");
      return { ...made, signature: other.toString("base64url") };
    };
    await refused(await bytes(), /signature/);
  });

  test("a DID with another's signature, of another site, or of another challenge", async () => {
    const other = didKey("secp256k1");
    const made = await login.did(key);
    await refused({ ...made, did: other.did }, /signature/);
    await refused(await login.did(key, { base: "https://evil.example/fhir" }), /signature/);
    const { nonce } = await login.challenge();
    await refused({ ...made, nonce }, /signature/);
    await refused(await login.did(key, { sent: { did: "did:web:evil.example" } }), /DID/);
  });

  test("no JSON, or neither of the two", async () => {
    const both = { ...(await login.did(key)), ...(await login.siwe(wallet)) };
    for (const body of ["", "{", "[]", "{}", '{"did":1}', both, "x".repeat(20_000)]) {
      const answer = await login.token(body);
      assert.ok([400, 413, 503].includes(answer.status), answer.text);
      assert.notEqual(answer.json().error, undefined);
    }
  });
});

describe("a patient's token", () => {
  let as;

  before(async () => {
    as = await linked(didKey("ed25519"), "anna");
  });

  const status = async (where, more) => (await gw.ask(where, { as, ...more })).status;

  test("shows what is about the patient", async () => {
    assert.equal(await status("Patient/anna"), 200);
    assert.equal(await status("Observation/o-anna"), 200);
    const mine = (await gw.ask("Observation?patient=Patient/anna", { as })).json();
    assert.deepEqual(mine.entry.filter(({ resource }) => resource.id === "o-anna").length, 1);
    const me = await gw.ask(`Patient?identifier=${MRN}|anna`, { as });
    assert.equal(me.status, 200);
    assert.match(me.text, /"id":\s*"anna"/);
  });

  test("and nothing about anybody else, and nobody", async () => {
    assert.equal(await status("Patient/carl"), 403);
    assert.equal(await status("Observation?patient=Patient/carl"), 403);
    assert.equal(await status(`Patient?identifier=${MRN}|carl`), 403);
    assert.equal(await status("Observation/o-carl"), 404);
    assert.equal(await status("Organization/ward"), 404);
    const all = await gw.ask("Observation", { as });
    assert.ok(!all.text.includes("o-carl"), all.text);
    assert.equal((await gw.ask("Organization/ward")).status, 200, "others see it");
  });

  test("changes nothing at the FHIR server", async () => {
    const body = { resourceType: "Observation", id: "o-anna", status: "final", code: {} };
    for (const [where, method] of [
      ["Observation", "POST"],
      ["Observation/o-anna", "PUT"],
      ["Observation/o-anna", "DELETE"],
      ["Consent/c1", "PUT"],
    ]) {
      const resource = { ...body, resourceType: where.split("/")[0], id: where.split("/")[1] };
      const sent = method === "DELETE" ? undefined : resource;
      assert.equal(await status(where, { method, body: sent }), 403, `${method} ${where}`);
    }
  });

  test("files consents of the patient's own, and takes their grants", async () => {
    await person("emil");
    const his = await linked(didKey("ed25519"), "emil");
    const about = (number) => ({ identifier: { system: MRN, value: number } });
    const file = (number, as) => gw.ask("Consent", { as, method: "POST", body: consent(about(number)) });
    for (const number of ["carl", "somebody-new"]) {
      assert.ok((await file(number, his)).status >= 400, number);
    }
    const filed = await file("emil", his);
    assert.equal(filed.status, 201, filed.text);
    const { id } = filed.json();
    const granted = async (by) => {
      const key = controller({ getAddress: async () => gw.files.config.ledger.consent });
      const { grant, ...signatures } = await key.grant(filed.json());
      const parameter = Object.entries({ ...grant, ...signatures }).map(([name, value]) => ({
        name,
        valueString: `${value}`,
      }));
      const body = { resourceType: "Parameters", parameter };
      return status(`Consent/${id}/$grant`, { as: by, method: "POST", body });
    };
    assert.equal(await status(`Consent/${id}/$status`, { as: his }), 200);
    assert.equal(await status(`Consent/${id}/$status`), 404, "it isn't hers");
    assert.equal(await granted(as), 404);
    assert.equal(await granted(his), 202);
  });

  test("is what the patient's consents permit, no more", async () => {
    await person("frida");
    const hers = await linked(didKey("ed25519"), "frida");
    const asked = () => status("Patient/frida", { as: hers });
    assert.equal(await asked(), 200);
    const purpose = { system: "http://terminology.hl7.org/CodeSystem/v3-ActReason", code: "PATRQT" };
    const body = consent(
      { reference: "Patient/frida" },
      { ...EVERYBODY, provision: { provision: [{ type: "deny", purpose: [purpose] }] } },
    );
    const filed = await gw.ask("Consent", { method: "POST", body });
    assert.equal(filed.status, 201, filed.text);
    const grant = toSign(filed.json());
    grantOnChain(gw.postgres, grant);
    await until("the refusal", async () => (await asked()) === 404);
    assert.equal((await gw.ask("Patient/frida")).status, 200, "treatment isn't that");
    grantOnChain(gw.postgres, grant, { revoked: true });
    await until("the permit", async () => (await asked()) === 200);
  });

  test("is recorded as the patient's", async () => {
    const from = gw.records().length;
    await good(await login.did(didKey("ed25519")), codeFor("anna"));
    const bases = gw.records().slice(from).map(({ basis, outcome }) => `${basis} ${outcome}`);
    assert.deepEqual(bases, ["operator done", "enrolment done"]);
  });
});

describe("the end of a session", () => {
  test("logging out ends this one alone, at once", async () => {
    const key = didKey("ed25519");
    const as = await linked(key, "anna");
    const { access_token: other } = await good(await login.did(key));
    assert.equal((await login.end(as)).status, 200);
    const answers = Array.from({ length: 9 }, () =>
      gw.ask("Patient/anna", { as, headers: { connection: "close" } }),
    );
    assert.deepEqual([...new Set((await Promise.all(answers)).map((a) => a.status))], [401]);
    assert.equal((await gw.ask("Patient/anna", { as: other })).status, 200);
    assert.equal((await login.end(as)).status, 401);
  });

  test("its time", async () => {
    const as = await linked(didKey("ed25519"), "anna");
    const id = decodeJwt(as).jti;
    gw.postgres.sql(`UPDATE login_session SET expires = now() WHERE id = '${id}'`);
    assert.equal((await gw.ask("Patient/anna", { as })).status, 401);
  });

  test("unlink: all keys of the patient, and codes not used yet", async () => {
    const key = didKey("ed25519");
    const as = await linked(key, "carl");
    const code = codeFor("carl");
    assert.match(cli("patient", "unlink", "--patient", `${MRN}|carl`), /^\d+ unlinked\n$/);
    assert.equal((await gw.ask("Patient/carl", { as })).status, 401);
    await refused(await login.did(key), /isn't linked/);
    await refused(await login.did(key), /code isn't good/, code);
  });

  test("the patient's keys are destroyed", async () => {
    await person("dora");
    const key = didKey("ed25519");
    const as = await linked(key, "dora");
    assert.equal((await gw.ask("Patient/dora", { as })).status, 200);
    gw.postgres.sql(
      `SELECT patient_shred(c.patient) FROM login_credential c
       JOIN login_session s ON s.credential = c.hash WHERE s.id = '${decodeJwt(as).jti}'`,
    );
    assert.equal((await gw.ask("Patient/dora", { as })).status, 401);
    await refused(await login.did(key), /isn't linked/);
  });
});

test("a challenge, a key and a token are good at every node of the tenant", async () => {
  const port = await freePort();
  const { listeners, keys, ...rest } = gw.files.config;
  const admin = `127.0.0.1:${await freePort()}`;
  const its = await configure(gw.postgres, {
    ...rest,
    keys,
    listeners: { fhir: { ...listeners.fhir, address: `127.0.0.1:${port}` } },
    gateway: "second",
    admin: { address: admin },
  });
  const second = await serve({ ...its, admin: `http://${admin}` });
  try {
    const there = loginAt({ base: `http://127.0.0.1:${port}/fhir` }, ORIGIN);
    const key = didKey("p256");
    const proof = await login.did(key);
    const answer = await there.token(proof, codeFor("anna"));
    assert.equal(answer.status, 200, answer.text);
    await refused(proof, /used before/);
    const { access_token: as } = answer.json();
    assert.equal((await gw.ask("Patient/anna", { as })).status, 200);
    assert.equal((await login.end(as)).status, 200);
    const headers = { authorization: `Bearer ${as}` };
    const after = await fetch(`http://127.0.0.1:${port}/fhir/Patient/anna`, { headers });
    assert.equal(after.status, 401);
  } finally {
    await second.stop();
  }
});

test("a listener without login has none of it, and takes no token of the gateway's", async () => {
  const as = await linked(didKey("ed25519"), "anna");
  gw.files.write({
    ...gw.files.config,
    listeners: { fhir: { ...gw.files.config.listeners.fhir, login: undefined } },
  });
  gw.gateway.hup();
  await until("the reload", async () => (await login.post("challenge")).status !== 200, 60);
  await until("401", async () => (await gw.ask("Patient/anna", { as })).status === 401, 60);
  assert.equal((await login.token(await loginless())).status, 401);
});

const loginless = async () => ({ did: didKey("ed25519").did, nonce: "", signature: "" });
