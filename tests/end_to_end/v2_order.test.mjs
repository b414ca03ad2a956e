// Delivery in order: a patient's messages wait for each other, nobody waits for another
// patient, and a receiver that misbehaves costs nothing but time.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startSite } from "./lib/site.mjs";
import { sleep, until } from "./lib/process.mjs";
import { acked, adt, oru, send } from "./lib/v2.mjs";

let site;

before(async () => {
  site = await startSite({
    ward: { timeout: "500ms" },
    routes: [
      { when: { message: "ORU^R01" }, to: ["ward"], on_park: "wait" },
      { when: { message: "ORU^R30" }, to: ["ward"], on_park: "skip" },
      { when: { message: "ADT^A04" }, to: ["ehr"], on_park: "wait" },
    ],
  });
});

after(() => site?.stop());

const take = async (id, patient, event = "R01") => {
  const pid = `PID|1||${patient}^^^LAB^MR||Frei^Frida||19811111|F`;
  const text =
    event === "A04"
      ? adt(event, id, pid, "PV1|1|O")
      : oru(id, { patient }).replace("ORU^R01^", `ORU^${event}^`);
  assert.equal(acked(await send(site.port, text)).code, "AA");
  return text;
};
const accepted = (patient) =>
  site.receiver
    .received()
    .filter(({ answer, bytes }) => answer === "AA" && bytes.includes(`||${patient}^^^LAB`))
    .map(({ id }) => id);

for (const [word, least] of [
  ["AR 2", 3],
  ["close 2", 3],
  ["hang 1", 2],
  ["stranger 1", 2],
  ["garbage 1", 2],
  ["twice 1", 1],
]) {
  test(`a receiver that says "${word}" gets each message in order, as the same bytes`, async () => {
    const patient = `P-${word.replace(" ", "")}`;
    const seen = site.receiver.received().length;
    site.receiver.behave(word);
    const texts = {};
    for (const n of [1, 2, 3]) {
      texts[`${patient}-${n}`] = await take(`${patient}-${n}`, patient);
    }
    await site.quiet();
    site.receiver.behave("AA");
    const got = site.receiver.received().slice(seen);
    const order = got.map(({ id }) => Number(id.at(-1)));
    assert.deepEqual(order, [...order].sort(), "order within the patient");
    assert.deepEqual([...new Set(order)], [1, 2, 3]);
    assert.ok(order.filter((n) => n === 1).length >= least, "the first one was tried again");
    for (const { id, bytes } of got) {
      assert.equal(bytes.toString("utf8"), texts[id]);
    }
  });
}

test("a refused message is parked; with on_park: wait its patient's wait, others don't", async () => {
  site.receiver.behave("AE 1");
  await take("W1", "WAITS");
  await until("parked", () => site.outbox().some(({ state }) => state === "parked"));
  await take("W2", "WAITS");
  await take("O1", "OTHER");
  await until("the other patient's", () => accepted("OTHER").length === 1);
  await sleep(500);
  assert.deepEqual(accepted("WAITS"), []);
  assert.equal(await site.gateway.metric('chartseal_deliveries_total{outcome="parked"}'), 1);
  const states = site.outbox().map(({ state }) => state);
  assert.equal(states.filter((state) => state === "open").length, 1, "the second one waits");
  site.postgres.sql("UPDATE outbox SET state = 3, blocks = false WHERE state IN (0, 4)");
});

test("with on_park: skip later messages of the patient go on", async () => {
  site.receiver.behave("AE 1 ");
  await sleep(50);
  site.receiver.behave("AE");
  await take("K1", "SKIPS", "R30");
  await until("parked", () => site.outbox().some(({ state }) => state === "parked"));
  site.receiver.behave("AA");
  await take("K2", "SKIPS", "R30");
  await until("the second", () => accepted("SKIPS").includes("K2"));
  assert.deepEqual(accepted("SKIPS"), ["K2"]);
  site.postgres.sql("UPDATE outbox SET state = 3, blocks = false WHERE state = 4");
});

test("a FHIR server's 4xx parks, its 5xx is tried again", async () => {
  await site.store.fail({ status: 503, times: 2, match: "" });
  await take("H1", "FHIR", "A04");
  await site.quiet();
  const [tried] = site.outbox().slice(-1);
  assert.equal(tried.state, "delivered");
  assert.equal(tried.attempts, 3);
  await site.store.fail({ status: 422, times: 1000, match: "" });
  await take("H2", "FHIR", "A04");
  const parked = await until("parked", () =>
    site.outbox().find(({ state }) => state === "parked"),
  );
  await site.store.fail({ status: 422, times: 0, match: "" });
  assert.equal(parked.reason, "http-422");
});

test("an answer cut in the middle is no answer: the delivery is made again", async () => {
  await site.store.fail({ status: 0, times: 1, match: "" });
  await take("H3", "CUT", "A04");
  await until("delivery", () => site.outbox().at(-1).state === "delivered");
  assert.ok(site.outbox().at(-1).attempts >= 2);
});
