// Issuers whose keys are read from a URL, by http and https: keys that change, a server that is
// down, at start and later. Without keys nobody is let in; with them service goes on by itself.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import { after, before, test } from "node:test";

import { certificate } from "./lib/certificate.mjs";
import { startFhirGateway } from "./lib/fhir.mjs";
import { freePort, until } from "./lib/process.mjs";
import { issuer } from "./lib/token.mjs";
import { startUpstream } from "./lib/upstream.mjs";

const WORKERS = 3;
const PAUSE = 5000; // ms between two readings after a failure or an unknown key

/** A server of key sets on a port that stays the same; says() is asked for each answer. */
async function keyServer(tls) {
  const port = await freePort();
  const self = { url: `${tls ? "https" : "http"}://127.0.0.1:${port}/keys`, reads: 0 };
  let server;
  const answer = (request, response) => {
    self.reads++;
    const { status = 200, body } = self.says();
    response.writeHead(status, { "content-type": "application/jwk-set+json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
  return Object.assign(self, {
    async start() {
      server = tls ? https.createServer(tls, answer) : http.createServer(answer);
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    },
    stop() {
      server?.close();
      server?.closeAllConnections();
    },
  });
}

let upstream, gw;
let plain, secure, doubtful; // key servers: http; https; https of somebody else
let first, next; // issuers of the same name: before and after its keys change
let safe, other;

before(async () => {
  upstream = await startUpstream((request, response) =>
    response.end('{"resourceType":"Organization","id":"o1"}'),
  );
  const known = certificate();
  plain = await keyServer();
  secure = await keyServer(known);
  doubtful = await keyServer(certificate());
  first = await issuer({ iss: "https://plain.example", kid: "k1" });
  next = await issuer({ iss: "https://plain.example", kid: "k2" });
  safe = await issuer({ iss: "https://safe.example", alg: "RS256" });
  other = await issuer({ iss: "https://other.example" });
  plain.says = () => ({ body: first.jwks() });
  secure.says = () => ({ body: safe.jwks() });
  doubtful.says = () => ({ body: other.jwks() });
  await secure.start();
  await doubtful.start();
  gw = await startFhirGateway(upstream.base, {
    others: [
      [first, { jwks_url: plain.url }],
      [safe, { jwks_url: secure.url, tls: { clients: known.file } }],
      [other, { jwks_url: doubtful.url, tls: { clients: known.file } }],
    ],
  });
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(gw?.gateway.output());
  }
  await gw?.stop();
  [plain, secure, doubtful].forEach((server) => server?.stop());
  upstream?.stop();
});

/** Answers to a token of @by, from as many connections as it takes to meet each worker. */
async function answers(by) {
  const as = await gw.token({}, by);
  const ask = () => gw.ask("Organization/o1", { as, headers: { connection: "close" } });
  return Promise.all(Array.from({ length: 6 * WORKERS }, ask));
}

const statuses = async (by) => [...new Set((await answers(by)).map(({ status }) => status))];

/** Ask with tokens of @by until each worker has read keys from @server; then all take them. */
async function taken(by, server, since = 0) {
  const read = async () => (await answers(by)) && server.reads - since >= WORKERS;
  await until(`the keys of ${by.iss}`, read, 60);
  const good = async () => (await statuses(by)).every((status) => status === 200);
  await until(`200 for ${by.iss}`, good);
}

/** How often workers may have read the keys of an issuer in @ms. */
const mostReads = (ms) => WORKERS * (1 + Math.ceil(ms / PAUSE));

test("the server of keys is down at start: 503, until it is there", async () => {
  for (const answer of await answers(first)) {
    assert.equal(answer.status, 503, answer.text);
    assert.equal(answer.headers.get("www-authenticate"), null, "the token may be good");
    assert.ok(answer.headers.get("retry-after"));
    assert.equal(answer.json().issue[0].code, "transient");
  }
  assert.deepEqual(await statuses(gw.issuer), [200], "other issuers are not affected");
  await plain.start();
  await taken(first, plain);
});

test("keys are read once, not for each request", async () => {
  const { reads } = plain;
  assert.equal(reads, WORKERS);
  for (let i = 0; i < 5; i++) {
    assert.deepEqual(await statuses(first), [200]);
  }
  assert.equal(plain.reads, reads);
});

test("https: the server must be who the configuration trusts", async () => {
  await taken(safe, secure);
  assert.deepEqual(await statuses(other), [503]);
  assert.equal(doubtful.reads, 0, "it was never asked");
  assert.match(gw.gateway.output(), /key set can't be fetched.*other\.example.*tls/);
});

test("changed keys: a token with an unknown key lets them be read again", async () => {
  const { reads } = plain;
  plain.says = () => ({ body: next.jwks() });
  await taken(next, plain, reads);
  assert.deepEqual(await statuses(first), [401], "the old key is gone");
  const [answer] = await answers(first);
  assert.match(answer.headers.get("www-authenticate"), /signing key unknown/);
});

test("strangers' keys don't make it hammer the issuer", async () => {
  const stranger = await issuer({ iss: first.iss, kid: "never" });
  const before = plain.reads;
  const began = Date.now();
  for (let i = 0; i < 30; i++) {
    assert.deepEqual(await statuses(stranger), [401]);
  }
  const most = mostReads(Date.now() - began);
  assert.ok(plain.reads - before <= most, `${plain.reads - before} reads of at most ${most}`);
  assert.deepEqual(await statuses(next), [200]);
});

test("the server of keys fails or lies: the keys that were read stay", async () => {
  const last = await issuer({ iss: first.iss, kid: "k3" });
  const bad = [
    { status: 500, body: last.jwks() },
    { status: 302, body: last.jwks() },
    { body: JSON.stringify(last.jwks()).slice(0, -3) },
  ];
  let said = 0;
  plain.says = () => bad[said++ % bad.length];
  await until("readings", async () => {
    assert.deepEqual(await statuses(last), [401]);
    return said >= bad.length;
  });
  assert.deepEqual(await statuses(next), [200]);

  plain.stop();
  assert.deepEqual(await statuses(next), [200], "known keys are enough");
  assert.deepEqual(await statuses(last), [401]);
  plain.says = () => ({ body: last.jwks() });
  const { reads } = plain;
  await plain.start();
  await taken(last, plain, reads);
  assert.deepEqual(await statuses(next), [401]);
});
