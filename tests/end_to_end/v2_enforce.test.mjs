// HL7 v2 where consent is enforced, on a real chain: what is permitted is delivered, all else
// stays, whatever is revoked, stopped or slow on the way.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import { EHR, EVERYBODY, startConsentSite } from "./lib/consent_site.mjs";
import { load } from "./lib/load.mjs";
import { folder } from "./lib/parts.mjs";
import { sleep, top, until } from "./lib/process.mjs";
import { oru } from "./lib/v2.mjs";

const program = process.env.CHARTSEAL ?? path.join(top, "build/chartseal");
const state = path.join(folder("chain"), "state.json");
const LEASE_MS = 1000; // consent.lease
/* One bit of each policy; done twice it is as it was. */
const SPOILT = "UPDATE consent SET sealed = set_byte(sealed, 70, get_byte(sealed, 70) # 1)";
let site;

const people = {}; // by number: those who consent, and for whom
const PERMITTED = {
  4711: EVERYBODY,
  4713: EHR,
  4714: EVERYBODY,
  4715: EHR,
  4716: EVERYBODY,
  4717: EVERYBODY,
  4718: EVERYBODY,
};
let granted; // when all of them were in force

before(async () => {
  site = await startConsentSite({ state, staleness: "5s" });
  const grants = Object.entries(PERMITTED).map(async ([number, organization]) => {
    people[number] = site.patient(number);
    await people[number].permit(organization);
  });
  await Promise.all(grants);
  granted = Date.now();
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(site?.gateway.output());
  }
  await site?.stop();
});

const bytes = (id) => site.receiver.received().filter((one) => one.id === id);
const reports = async (id) =>
  (await site.store.dump()).filter(
    ({ type, body }) => type === "DiagnosticReport" && body.includes(`"F${id}"`),
  );

/** Send message @id, a result of @patient. */
const take = async (id, patient) => ({ id, ...(await site.take(oru(id, { patient }))) });

/** It is at both destinations, the v2 receiver has its very bytes. */
async function arrived({ id, text }) {
  assert.deepEqual(
    bytes(id).map((one) => one.bytes.toString("utf8")),
    [text],
  );
  assert.equal((await reports(id)).length, 1);
}

/** Neither destination has anything of it. */
async function nowhere({ id }) {
  assert.deepEqual(bytes(id), []);
  assert.deepEqual(await reports(id), []);
}

const outcomes = (message, interaction) =>
  message
    .records()
    .filter((one) => one.interaction === interaction)
    .map(({ outcome, basis }) => `${outcome} ${basis}`);

/** The FHIR server's id of the patient of number @number. */
async function fhirId(number) {
  const all = (await site.store.dump()).filter(({ type }) => type === "Patient");
  return all.find(({ body }) => body.includes(`"${number}"`))?.id;
}

let withheld;

test("what the patient permits is delivered, and its record names the consent", async () => {
  const message = await take("E1", "4711");
  await message.becomes("delivered");
  await arrived(message);
  assert.deepEqual(outcomes(message, "v2.receive"), ["accepted consent-permit"]);
  assert.deepEqual(outcomes(message, "v2.deliver"), Array(2).fill("delivered consent-permit"));
  for (const record of message.records()) {
    assert.equal(record.mode, "enforce");
    assert.equal(record.consents.length, 1);
  }
});

test("without consent a message is acknowledged and withheld", async () => {
  withheld = await take("E2", "4712");
  await withheld.becomes("withheld");
  await nowhere(withheld);
  assert.deepEqual(outcomes(withheld, "v2.receive"), ["withheld no-consent"]);
});

test("what is about nobody passes; what names no patient but is about one doesn't", async () => {
  const header = (type, id) => `MSH|^~\\&|LAB|HOSP|GW|GW|20260301||${type}|${id}|P|2.5.1\r`;
  const bed = `${header("ADT^A20", "BED1")}EVN|A20|20260301\rNPU|W^101^1^HOSP|C\r`;
  const free = { id: "BED1", ...(await site.take(bed)) };
  assert.deepEqual(await free.end(), { ward: "delivered", ehr: "delivered" });
  assert.deepEqual(bytes("BED1").map((one) => one.bytes.toString("utf8")), [bed]);
  assert.ok((await site.store.dump()).some(({ type }) => type === "Location"));
  assert.deepEqual(outcomes(free, "v2.deliver"), Array(2).fill("delivered no-patient"));
  const whose = oru("WHOSE").replace(/PID.*\r/, "");
  const message = { id: "WHOSE", ...(await site.take(whose)) };
  assert.deepEqual(await message.end(), { ward: "withheld", ehr: "withheld" });
  assert.deepEqual(outcomes(message, "v2.deliver"), Array(2).fill("withheld no-identifier"));
  await nowhere(message);
});

test("a consent for one destination lets it pass to that one only", async () => {
  const message = await take("E3", "4713");
  await until("both decided", () =>
    message.rows().every(({ state }) => state === "delivered" || state === "withheld"),
  );
  const states = message.rows().map(({ destination, state }) => `${destination} ${state}`);
  assert.deepEqual(states.sort(), ["ehr delivered", "ward withheld"]);
  assert.deepEqual(bytes("E3"), []);
  assert.equal((await reports("E3")).length, 1);
});

test("a withheld message leaves by replay, and only if it is permitted then", async () => {
  const replay = () =>
    withheld
      .rows()
      .forEach(({ number }) =>
        execFileSync(program, ["hl7", "replay", number, "--config", site.files.file]),
      );
  replay();
  await until("decisions", () => outcomes(withheld, "v2.deliver").length === 2);
  await withheld.becomes("withheld");
  await nowhere(withheld);
  await site.patient("4712").permit();
  await nowhere(withheld); // a consent alone moves nothing
  replay();
  await withheld.becomes("delivered");
  await arrived(withheld);
});

test("revoked on chain by another tool: the next message and request are refused", async () => {
  const id = await fhirId("4711");
  assert.equal((await site.ask(`Patient/${id}`)).status, 200);
  await people[4711].revoke();
  const asked = await Promise.all(Array.from({ length: 12 }, () => site.ask(`Patient/${id}`)));
  assert.deepEqual([...new Set(asked.map(({ status }) => status))], [404]);
  const message = await take("E4", "4711");
  await message.becomes("withheld");
  await nowhere(message);
  assert.deepEqual(outcomes(message, "v2.deliver"), []);
});

test("a consent handed to another key stays in force, and that key changes it", async () => {
  const before = await take("E20", "4718");
  await before.becomes("delivered");
  await people[4718].rotate();
  await sleep(LEASE_MS); // so that every worker knows of it
  const message = await take("E21", "4718");
  await message.becomes("delivered");
  await arrived(message);
  await people[4718].permit(EHR); // a later version, which leaves the ward out
  await sleep(LEASE_MS);
  const narrower = await take("E22", "4718");
  await until("both decided", () =>
    narrower.rows().every(({ state }) => state === "delivered" || state === "withheld"),
  );
  const states = narrower.rows().map(({ destination, state }) => `${destination} ${state}`);
  assert.deepEqual(states.sort(), ["ehr delivered", "ward withheld"]);
  await people[4718].revoke();
  const last = await take("E23", "4718");
  await last.becomes("withheld");
});

test("a policy row changed in PostgreSQL: the next message is withheld", async () => {
  const before = await take("E5", "4714");
  await before.becomes("delivered");
  site.postgres.sql(SPOILT);
  const message = await take("E6", "4714");
  await message.becomes("withheld");
  await nowhere(message);
  site.postgres.sql(SPOILT);
  const again = await take("E7", "4714");
  await again.becomes("delivered");
});

test("changed between the decision and its record: the message is decided anew", async () => {
  const change = await site.postgres.uncommitted(SPOILT);
  const taken = take("E9", "4714");
  await change.waits();
  await change.commit();
  const message = await taken;
  await message.becomes("withheld");
  await nowhere(message);
  assert.deepEqual(outcomes(message, "v2.receive"), ["withheld ledger-mismatch"]);
  site.postgres.sql(SPOILT);
});

test("revoked while the FHIR server dawdles over look-ups: nothing is delivered", async () => {
  await site.store.hold("Patient?identifier");
  const { writes } = await site.store.stats();
  const message = await take("E8", "4715");
  await until("a look-up", async () => (await site.store.stats()).held === 1);
  await people[4715].revoke();
  await sleep(LEASE_MS); // no worker may go by what it knew before that
  await site.store.go();
  await message.becomes("withheld");
  assert.equal((await site.store.stats()).writes, writes);
  await nowhere(message);
  assert.ok(outcomes(message, "v2.deliver").includes("withheld revoked"));
});

test("the chain killed under traffic: all is taken, then held, and goes on by itself", async () => {
  await until("the chain's file to have the consents", () => statSync(state).mtimeMs > granted);
  const messages = Array.from({ length: 72 }, (_, i) => {
    const patient = ["4716", "4717", "4718"][i % 3]; // the last one never consented
    return { id: `H${i}`, patient, lane: i % 3, text: oru(`H${i}`, { patient }) };
  });
  const sending = load(() => site.port, messages, { rate: 9, lanes: 3 });
  await until("a delivery", () => bytes("H0").length === 1);
  site.chain.kill();
  await site.chain.exited;
  const stale = async () => (await site.gateway.health()).checks.ledger.status === "fail";
  await until("a view too old", stale, 60);
  assert.equal((await sending).AA, messages.length);

  const rows = () => site.outbox().slice(-2 * messages.length);
  const held = () =>
    rows()
      .filter(({ state }) => state === "held")
      .map(({ exchange }) => exchange);
  const before = held();
  assert.ok(before.length > 0);
  await sleep(1500); // longer than the pause between two looks at what is held
  assert.deepEqual(held(), before);

  const again = new Date().toISOString();
  await site.startChain();
  await site.quiet(90);
  for (const { id, patient, text, heard } of messages) {
    const permitted = patient !== "4718";
    const got = bytes(id);
    assert.deepEqual(
      got.map((one) => one.bytes.toString("utf8")),
      permitted ? [text] : [],
    );
    const end = heard.at(-1).split("…")[1]; // of its exchange
    const late = before.some((exchange) => exchange.endsWith(end));
    assert.ok(!late || got.every(({ time }) => time > again), `${id} came without the chain`);
    assert.equal((await reports(id)).length, permitted ? 1 : 0);
  }
  const states = rows().map(({ state }) => state);
  assert.equal(states.filter((one) => one === "withheld").length, (2 * messages.length) / 3);
  const order = site.receiver.received().map(({ id }) => id).filter((id) => id.startsWith("H"));
  for (const lane of [0, 1]) {
    const own = order.map((id) => Number(id.slice(1))).filter((i) => i % 3 === lane);
    assert.deepEqual(own, [...own].sort((a, b) => a - b), "in order within the patient");
  }
});
