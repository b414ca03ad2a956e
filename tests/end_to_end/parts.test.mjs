// The parts that stand for the world outside do what their comments say, before tests rely on
// them.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { createLocalJWKSet, jwtVerify } from "jose";

import { sender, wire } from "../../docker/demo/parts/v2_sender.mjs";
import { account, deployAll, startChain } from "./lib/chain.mjs";
import { startFhirServer, startPlainStore, startReceiver, folder } from "./lib/parts.mjs";
import { sleep, until } from "./lib/process.mjs";
import { issuer } from "./lib/token.mjs";

const FHIR = { "content-type": "application/fhir+json" };

async function ask(url, method = "GET", body = undefined, headers = {}) {
  const text = typeof body === "object" ? JSON.stringify(body) : body;
  const answer = await fetch(url, { method, body: text, headers: { ...FHIR, ...headers } });
  const said = await answer.text();
  return { status: answer.status, etag: answer.headers.get("etag"), text: said };
}

const json = (answer) => JSON.parse(answer.text);
const patient = (value, more = {}) => ({
  resourceType: "Patient",
  identifier: [{ system: "urn:s", value }],
  ...more,
});
const transaction = (...entry) => ({ resourceType: "Bundle", type: "transaction", entry });
const UUID = "urn:uuid:11111111-1111-4111-8111-111111111111";

function puts(count) {
  return transaction(
    ...Array.from({ length: count }, (_, i) => ({
      resource: patient(`bulk-${i}`),
      request: { method: "PUT", url: `Patient?identifier=urn:s|bulk-${i}` },
    })),
  );
}

const linked = transaction(
  {
    fullUrl: UUID,
    resource: patient("linked"),
    request: { method: "PUT", url: "Patient?identifier=urn:s|linked" },
  },
  {
    resource: {
      resourceType: "Observation",
      status: "final",
      code: {},
      subject: { reference: UUID },
    },
    request: { method: "POST", url: "Observation" },
  },
);

// What both servers answer alike: name, method, path, body, headers, status.
const common = [
  ["read of an unknown id", "GET", "Patient/nobody", undefined, {}, 404],
  ["PUT with a body of another id", "PUT", "Patient/a", patient("1", { id: "b" }), {}, 400],
  [
    "If-Match of another version",
    "PUT",
    "Patient/a",
    patient("1", { id: "a" }),
    { "if-match": 'W/"x"' },
    412,
  ],
  ["conditional update of none", "PUT", "Patient?identifier=urn:s|2", patient("2"), {}, 201],
  ["conditional update of one", "PUT", "Patient?identifier=urn:s|2", patient("2"), {}, 200],
  [
    "conditional create of one",
    "POST",
    "Patient",
    patient("2"),
    { "if-none-exist": "identifier=urn:s|2" },
    200,
  ],
  [
    "conditional create of none",
    "POST",
    "Patient",
    patient("3"),
    { "if-none-exist": "identifier=urn:s|3" },
    201,
  ],
  ["delete of an unknown id", "DELETE", "Patient/nobody", undefined, {}, 404],
  ["transaction of 12 conditional updates", "POST", "", puts(12), {}, 200],
  ["the same again", "POST", "", puts(12), {}, 200],
  ["transaction with urn:uuid", "POST", "", linked, {}, 200],
  ["not JSON", "POST", "Patient", "{", {}, 400],
];

for (const [name, startServer] of [
  ["Medplum's server", startFhirServer],
  ["the plain store", startPlainStore],
]) {
  describe(name, () => {
    let server;
    before(async () => {
      server = await startServer();
      await ask(`${server.base}/Patient/a`, "PUT", patient("1", { id: "a" }));
    });
    after(() => server.stop());

    for (const [what, method, path, body, headers, status] of common) {
      test(what, async () => {
        const url = path ? `${server.base}/${path}` : server.base;
        const answer = await ask(url, method, body, headers);
        assert.equal(answer.status, status, answer.text);
      });
    }

    test("searches find by identifier and by subject", async () => {
      const all = json(await ask(`${server.base}/Patient?identifier=urn:s|bulk-3`));
      assert.equal(all.total, 1, "a repeated transaction creates nothing");
      const one = json(await ask(`${server.base}/Patient?identifier=urn:s|linked`));
      const id = one.entry[0].resource.id;
      const found = json(await ask(`${server.base}/Observation?subject=Patient/${id}`));
      assert.equal(found.total, 1);
      assert.equal(found.entry[0].resource.subject.reference, `Patient/${id}`);
      const limited = json(await ask(`${server.base}/Patient?_count=2`));
      assert.equal(limited.entry.length, 2);
    });

    test("If-Match of the present version updates", async () => {
      const { etag } = await ask(`${server.base}/Patient/a`);
      const headers = { "if-match": etag };
      const again = patient("1", { id: "a", gender: "male" });
      const answer = await ask(`${server.base}/Patient/a`, "PUT", again, headers);
      assert.equal(answer.status, 200);
      const late = await ask(`${server.base}/Patient/a`, "PUT", again, headers);
      assert.equal(late.status, 412);
    });

    test("more than one match is refused", async () => {
      await ask(`${server.base}/Patient`, "POST", patient("twin"));
      await ask(`${server.base}/Patient`, "POST", patient("twin"));
      const url = `${server.base}/Patient?identifier=urn:s|twin`;
      assert.equal((await ask(url, "PUT", patient("twin"))).status, 412);
    });
  });
}

describe("Medplum's server alone", () => {
  let server;
  before(async () => {
    server = await startFhirServer({ token: "secret" });
  });
  after(() => server.stop());

  test("asks for its token and logs requests", async () => {
    assert.equal((await ask(`${server.base}/Patient`)).status, 401);
    const headers = { authorization: "Bearer secret" };
    assert.equal((await ask(`${server.base}/Patient`, "GET", undefined, headers)).status, 200);
    // A request is logged once it is answered.
    await until("both requests in the log", () => server.requests().length >= 2);
    const logged = server.requests().map(({ url, status }) => [url, status]);
    assert.deepEqual(logged, [
      ["/fhir/R4/Patient", 401],
      ["/fhir/R4/Patient", 200],
    ]);
  });

  test("history keeps its order however often it is read", async () => {
    const headers = { authorization: "Bearer secret" };
    for (const gender of ["male", "female", "other"]) {
      const body = { resourceType: "Patient", id: "h", gender };
      await ask(`${server.base}/Patient/h`, "PUT", body, headers);
    }
    for (let i = 0; i < 2; i++) {
      const url = `${server.base}/Patient/h/_history`;
      const { entry } = json(await ask(url, "GET", undefined, headers));
      const genders = entry.map((e) => e.resource.gender);
      assert.deepEqual(genders, ["other", "female", "male"]);
    }
  });
});

describe("the plain store alone", () => {
  const odd =
    '{ "resourceType":"Observation", "id":"o1",\n "valueQuantity":{"value":1.00}, "status":"final" }';

  test("gives back the bytes it was given", async () => {
    const server = await startPlainStore();
    await ask(`${server.base}/Observation/o1`, "PUT", odd);
    assert.equal((await ask(`${server.base}/Observation/o1`)).text, odd);
    const found = await ask(`${server.base}/Observation?_id=o1`);
    assert.ok(found.text.includes(odd));
    const entry = odd.replace('"o1"', '"o2"');
    const text = `{"resourceType":"Bundle","type":"transaction","entry":[{"resource":${entry},
            "request":{"method":"PUT","url":"Observation/o2"}}]}`;
    assert.equal((await ask(server.base, "POST", text)).status, 200);
    assert.equal((await ask(`${server.base}/Observation/o2`)).text, entry);
    const bodies = (await server.dump()).map((line) => line.body);
    assert.deepEqual(bodies, [odd, entry]);
    await server.stop();
  });

  test("rolls a failed transaction back", async () => {
    const server = await startPlainStore();
    const bad = transaction(
      {
        resource: patient("1", { id: "a" }),
        request: { method: "PUT", url: "Patient/a" },
      },
      {
        resource: patient("2", { id: "b" }),
        request: { method: "PUT", url: "Patient/c" },
      },
    );
    assert.equal((await ask(server.base, "POST", bad)).status, 400);
    const missing = transaction({
      resource: {
        resourceType: "Observation",
        subject: { reference: "Patient?identifier=urn:s|9" },
      },
      request: { method: "POST", url: "Observation" },
    });
    assert.equal((await ask(server.base, "POST", missing)).status, 412);
    assert.deepEqual(await server.stats(), { resources: 0, writes: 0, held: 0, batches: 0, all: [] });
    await server.stop();
  });

  test("keeps over kill -9 what it answered", async () => {
    const state = `${folder()}/state`;
    const first = await startPlainStore({ state });
    await ask(`${first.base}/Observation/o1`, "PUT", odd);
    await ask(first.base, "POST", linked);
    const { all } = await first.stats();
    first.kill();
    await first.exited;
    const second = await startPlainStore({ state });
    assert.deepEqual((await second.stats()).all, all);
    assert.equal((await ask(`${second.base}/Observation/o1`)).text, odd);
    await second.stop();
  });

  test("fails on demand, in mid-answer too", async () => {
    const server = await startPlainStore();
    await ask(`${server.base}/Observation/o1`, "PUT", odd);
    await server.fail({ status: 503, times: 2, match: "Observation" });
    const statuses = [];
    for (let i = 0; i < 3; i++) {
      statuses.push((await ask(`${server.base}/Observation/o1`)).status);
    }
    assert.deepEqual(statuses, [503, 503, 200]);
    await server.fail({ status: 0 });
    await assert.rejects(() => ask(`${server.base}/Observation/o1`));
    await server.stop();
  });

  test("stays fast with many resources", async () => {
    const server = await startPlainStore();
    const from = performance.now();
    for (let i = 0; i < 1000; i++) {
      const body = patient(`${i}`, { id: `p${i}` });
      await ask(`${server.base}/Patient?identifier=urn:s|${i}`, "PUT", body);
    }
    const rate = Math.round(1000 / ((performance.now() - from) / 1000));
    console.log(`plain store: ${rate} conditional updates/s on one connection`);
    assert.equal((await server.stats()).resources, 1000);
    await server.stop();
  });
});

const ADT = wire(`MSH|^~\\&|LAB|HOSP|GW|HOSP|20260101120000||ADT^A01^ADT_A01|M1|P|2.5.1
PID|1||123^^^LAB^MR||Müller^Jö\\T\\rg|||||`);

describe("v2 sender and receiver", () => {
  for (const client of ["simple-hl7", "node-hl7-client", "medplum", "raw"]) {
    test(`${client} is answered`, async () => {
      const receiver = await startReceiver();
      const s = await sender(client, "127.0.0.1", receiver.port);
      for (let i = 0; i < 3; i++) {
        const ack = await s.send(ADT.replace("|M1|", `|M${i}|`));
        assert.deepEqual([ack.code, ack.id], ["AA", `M${i}`]);
      }
      s.close();
      assert.deepEqual(
        receiver.received().map(({ id }) => id),
        ["M0", "M1", "M2"],
      );
      await receiver.stop();
    });
  }

  test("the receiver keeps the exact bytes and behaves as told", async () => {
    const receiver = await startReceiver();
    const s = await sender("raw", "127.0.0.1", receiver.port);
    const odd = Buffer.from([...Buffer.from(ADT), 0xe9, 0xff, 0x0d]); // not UTF-8
    for (const [word, want] of [
      ["AE", ["AE", "M1"]],
      ["AR", ["AR", "M1"]],
      ["stranger", ["AA", "another-id"]],
      ["garbage", ["", ""]],
      ["AR 1", ["AR", "M1"]],
      ["AR 1", ["AA", "M1"]],
    ]) {
      receiver.behave(word);
      const { code, id } = await s.send(odd);
      assert.deepEqual([code, id], want, word);
    }
    receiver.behave("close");
    await assert.rejects(() => s.send(odd));
    for (const { bytes } of receiver.received()) {
      assert.deepEqual(bytes, odd);
    }
    receiver.behave("hang");
    const t = await sender("raw", "127.0.0.1", receiver.port);
    const silent = t.send(odd).then(
      () => "answer",
      () => "closed",
    );
    await until("arrival", () => receiver.received().length === 8);
    assert.equal(await Promise.race([silent, sleep(100, "silence")]), "silence");
    t.close();
    await receiver.stop();
  });
});

describe("the chain", () => {
  const tagged = async (chain, tag) =>
    Number((await chain.rpc("eth_getBlockByNumber", tag, false)).number);

  test("a block is safe after one and final after two", async () => {
    const chain = await startChain();
    await chain.mine(10);
    assert.deepEqual(
      [
        await tagged(chain, "latest"),
        await tagged(chain, "safe"),
        await tagged(chain, "finalized"),
      ],
      [10, 9, 8],
    );
    await chain.stop();
  });

  test("a reorg takes transactions away and keeps the height", async () => {
    const chain = await startChain();
    const wallet = account(0, chain.provider);
    await chain.mine(3);
    const sent = await wallet.sendTransaction({ to: wallet.address });
    const { blockHash, blockNumber } = await sent.wait();
    await chain.rpc("anvil_reorg", 1, []);
    assert.equal(await chain.provider.getBlockNumber(), blockNumber);
    assert.notEqual((await chain.provider.getBlock(blockNumber)).hash, blockHash);
    assert.equal(await chain.rpc("eth_getTransactionReceipt", sent.hash), null);
    assert.equal(await chain.rpc("eth_getTransactionByHash", sent.hash), null);
    await assert.rejects(() => chain.rpc("eth_getLogs", { blockHash }), /unknown block/);
    await chain.stop();
  });

  test("with STATE it goes on where it was, hashes, logs and old states too", async () => {
    const env = { STATE: `${folder()}/state.json` };
    const first = await startChain({ env });
    const { anchor } = await deployAll(account(0, first.provider));
    const before = await first.rpc("eth_getBlockByNumber", "0x3", false);
    const height = await first.provider.getBlockNumber();
    await first.stop();

    const second = await startChain({ env });
    assert.equal(await second.provider.getBlockNumber(), height);
    const after = await second.rpc("eth_getBlockByNumber", "0x3", false);
    assert.equal(after.hash, before.hash);
    const asked = { fromBlock: "0x0", toBlock: "latest", address: anchor.target };
    assert.ok((await second.rpc("eth_getLogs", asked)).length > 0);
    const slot = `0x${"00".repeat(32)}`;
    const proof = await second.rpc("eth_getProof", anchor.target, [slot], "0x3");
    assert.ok(proof.accountProof.length > 0);
    await second.stop();
  });
});

test("tokens are signed by the issuer's key", async () => {
  for (const alg of ["ES256", "ES384", "RS256", "PS256", "EdDSA"]) {
    const who = await issuer({ alg });
    const token = await who.token({
      aud: "https://gw.example/fhir",
      sub: "dr",
      scope: "user/*.rs",
    });
    const { payload } = await jwtVerify(token, createLocalJWKSet(who.jwks()), {
      issuer: who.iss,
      audience: "https://gw.example/fhir",
    });
    assert.equal(payload.scope, "user/*.rs");
  }
});
