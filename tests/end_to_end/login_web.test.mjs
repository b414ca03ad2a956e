// Patients log in by did:web: the keys in a document that a host, which the configuration names,
// gives by HTTPS. No other host is asked, whatever a DID says.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import https from "node:https";
import { after, before, test } from "node:test";

import { certificate } from "./lib/certificate.mjs";
import { allBut, startFhirGateway } from "./lib/fhir.mjs";
import { program } from "./lib/gateway.mjs";
import { didKey, loginAt } from "./lib/login.mjs";
import { startUpstream } from "./lib/upstream.mjs";

let upstream, gw, login, host, doubtful;

/** A host of documents: says(url) gives { status, headers, body } of each; asked are its URLs. */
async function startHost(tls) {
  const self = { asked: [] };
  const server = https.createServer(tls, (request, response) => {
    self.asked.push(request.url);
    const { status = 200, headers = {}, body } = self.says(request.url);
    response.writeHead(status, { "content-type": "application/did+json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  server.listen(0, "localhost");
  await once(server, "listening");
  const { port } = server.address();
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return Object.assign(self, { name: `localhost:${port}`, did: `did:web:localhost%3A${port}`, stop });
}

/** A document of @did with the did:keys of @keys. */
const document = (did, ...keys) => ({
  id: did,
  verificationMethod: keys.map((key, i) => ({
    id: `${did}#${i}`,
    type: "Multikey",
    controller: did,
    publicKeyMultibase: key.did.slice("did:key:".length),
  })),
  authentication: keys.map((key, i) => `#${i}`),
});

/** @key as the subject of @did. */
const as = (did, key) => ({ did, sign: key.sign });

const code = (number = "anna") => {
  const patient = `urn:mrn|${number}`;
  const args = ["patient", "enrol", "--patient", patient, "--json", "--config", gw.files.file];
  return JSON.parse(execFileSync(program, args, { encoding: "utf8" })).code;
};

async function good(proof, with_) {
  const answer = await login.token(proof, with_);
  assert.equal(answer.status, 200, answer.text);
  return answer.json().access_token;
}

async function refused(proof, why) {
  const answer = await login.token(proof);
  assert.equal(answer.status, 400, answer.text);
  assert.match(answer.json().error_description, why);
}

before(async () => {
  upstream = await startUpstream((request, response) => response.end("{}"));
  const known = certificate();
  host = await startHost(known);
  doubtful = await startHost(certificate());
  gw = await startFhirGateway(upstream.base, {
    listener: {
      login: {
        origins: ["https://portal.example"],
        did_web: [host, doubtful].map(({ name }) => ({ host: name, tls: { clients: known.file } })),
      },
    },
  });
  login = loginAt(gw, "https://portal.example");
  await gw.permit("anna", allBut("urn:example:nobody"));
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(gw?.gateway.output());
  }
  await gw?.stop();
  [host, doubtful].forEach((one) => one?.stop());
  upstream?.stop();
});

for (const kind of ["ed25519", "p256", "secp256k1"]) {
  test(`a key of its document, ${kind}`, async () => {
    const did = `${host.did}:users:${kind}`;
    const [key, other] = [didKey(kind), didKey("ed25519")];
    host.says = () => ({ body: document(did, other, key) });
    await refused(await login.did(as(did, key)), /isn't linked/);
    const token = await good(await login.did(as(did, key)), code());
    assert.equal(host.asked.at(-1), `/users/${kind}/did.json`);
    assert.equal((await gw.ask("Patient/anna", { as: token })).status, 200);
    await refused(await login.did(as(did, didKey(kind))), /signature/);
  });
}

test("a host itself; its keys change, its name stays", async () => {
  const [first, next] = [didKey("ed25519"), didKey("p256")];
  host.says = () => ({ body: document(host.did, first) });
  await good(await login.did(as(host.did, first)), code());
  assert.equal(host.asked.at(-1), "/.well-known/did.json");
  host.says = () => ({ body: document(host.did, next) });
  await refused(await login.did(as(host.did, first)), /signature/);
  await good(await login.did(as(host.did, next)));
});

test("documents that are none", async () => {
  const did = `${host.did}:users:anna`;
  const key = didKey("ed25519");
  const body = document(did, key);
  host.says = () => ({ body });
  await good(await login.did(as(did, key)), code());
  const bad = [
    { body: document(`${host.did}:users:carl`, key) },
    { body: JSON.stringify(body).slice(0, -2) },
    { body: { ...body, filler: "x".repeat(70_000) } },
    { status: 404, body },
    { status: 302, headers: { location: "/elsewhere/did.json" }, body },
  ];
  for (const one of bad) {
    host.says = () => one;
    const { status } = await login.token(await login.did(as(did, key)));
    assert.ok([400, 503].includes(status), `${status}`);
  }
  assert.ok(!host.asked.includes("/elsewhere/did.json"));
  host.says = () => ({ body: { ...body, authentication: [] } });
  await refused(await login.did(as(did, key)), /signature/);
});

test("hosts that aren't named are never asked; nor one without a challenge of ours", async () => {
  const key = didKey("ed25519");
  const from = host.asked.length;
  for (const name of ["localhost", "127.0.0.1%3A22", "evil.example", `${host.name.replace(":", "%3A")}0`]) {
    await refused(await login.did(as(`did:web:${name}`, key)), /DID/);
  }
  const proof = await login.did(as(host.did, key));
  await refused({ ...proof, nonce: "f".repeat(80) }, /challenge isn't ours/);
  assert.equal(host.asked.length, from);
});

test("a host that isn't who the configuration trusts", async () => {
  const key = didKey("ed25519");
  doubtful.says = () => ({ body: document(doubtful.did, key) });
  const answer = await login.token(await login.did(as(doubtful.did, key)), code());
  assert.equal(answer.status, 503, answer.text);
  assert.deepEqual(doubtful.asked, []);
});
