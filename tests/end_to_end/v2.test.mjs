// HL7 v2 from a sender to a v2 receiver and a FHIR server: what the sender hears, and what
// arrives.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { sender } from "../../docker/demo/parts/v2_sender.mjs";
import { startSite } from "./lib/site.mjs";
import { acked, adt, oru, orm, send } from "./lib/v2.mjs";

let site;

before(async () => {
  // Messages other than these have no route.
  const types = ["ORU^R01", "ADT^*", "ORM^O01"];
  site = await startSite({ routes: types.map((message) => ({ when: { message } })) });
});

after(() => site?.stop());

const code = async (message) => acked(await send(site.port, message)).code;
const resources = async (type) =>
  (await site.store.dump()).filter((one) => one.type === type).map(({ body }) => JSON.parse(body));

test("a message is acknowledged, and arrives as the same bytes and as resources", async () => {
  const message = oru("M1");
  assert.deepEqual(
    (({ code, id }) => ({ code, id }))(acked(await send(site.port, message))),
    { code: "AA", id: "M1" },
  );
  await site.quiet();
  assert.equal(site.receiver.received().length, 1);
  assert.equal(site.receiver.received()[0].bytes.toString("utf8"), message);
  assert.match(JSON.stringify(await site.store.dump()), /5\.10/, "decimals keep their digits");
});

test("access rows number who got it: each destination; what only came, nobody", () => {
  const [[received, delivered, numbers]] = site.postgres.sql(
    `SELECT count(*) FILTER (WHERE recipient = 0), count(*) FILTER (WHERE recipient > 0),
            count(DISTINCT recipient) FROM access`,
  );
  assert.deepEqual([received, delivered, numbers], ["1", "2", "3"]);
  assert.equal(site.postgres.sql("SELECT count(*) FROM recipient")[0][0], "2");
});

test("the same message again hears the same and does nothing else", async () => {
  const before = { rows: site.outbox().length, records: site.records().length };
  assert.equal(await code(oru("M1")), "AA");
  assert.equal(await code(oru("M1")), "AA");
  await site.quiet();
  assert.equal(site.outbox().length, before.rows);
  assert.equal(site.records().length, before.records);
  assert.equal(await site.gateway.metric("chartseal_hl7_control_id_repeated_total"), 2);
  assert.equal(site.receiver.received().length, 1);
});

test("another message under a used control id is taken and counted", async () => {
  const rows = site.outbox().length;
  assert.equal(await code(oru("M1", { value: "6.20" })), "AA");
  await site.quiet();
  assert.equal(site.outbox().length, rows + 2);
  assert.equal(await site.gateway.metric("chartseal_hl7_control_id_reused_total"), 1);
});

test("what can't be read or has no route is answered AE, recorded, and not stored", async () => {
  const rows = site.outbox().length;
  const cases = [
    { message: "not HL7 at all", condition: /102\^/, outcome: "refused", basis: "unreadable" },
    {
      message: "MSH|^~\\&|LAB|HOSP|GW|GW|20260301||SIU^S12|S1|P|2.5.1\r",
      condition: /MSA\|AE\|S1[\s\S]*200\^/,
      outcome: "refused",
      basis: "no-route",
    },
  ];
  for (const { message, condition, outcome, basis } of cases) {
    const answer = await send(site.port, message);
    assert.equal(acked(answer).code, "AE");
    assert.match(answer, condition);
    const record = site.records().at(-1);
    assert.equal(record.outcome, outcome);
    assert.equal(record.basis, basis);
    assert.ok(record.commitments.payload, "its digest is committed to");
  }
  assert.equal(site.outbox().length, rows);
  assert.equal(site.postgres.sql("SELECT count(*) FROM payload")[0][0], String(rows / 2));
});

test("replaying a message under a new control id changes nothing", async () => {
  const pid = "PID|1||R1^^^LAB^MR||Meyer^Anna||19800203|F|||Am Markt 2^^Köln^^50667^DE";
  const admit = (id) => adt("A01", id, pid, "PV1|1|I|W1^101^1^HOSP||||||||||||||||V77");
  const facts = async () =>
    (await site.store.dump())
      .filter(({ type }) => type !== "Provenance") // each message has its own
      .map(({ type, id, body }) => `${type}/${id} ${body}`)
      .sort();
  assert.equal(await code(admit("R1")), "AA");
  await site.quiet();
  const first = await facts();
  assert.equal(await code(admit("R2")), "AA");
  await site.quiet();
  assert.deepEqual(await facts(), first);
});

test("an A08 with PID-3 and PID-13 alone leaves address and name as they were", async () => {
  const one = async () =>
    (await resources("Patient")).find(({ identifier }) => identifier[0].value === "R1");
  const before = await one();
  const phone = `PID|||R1^^^LAB^MR${"|".repeat(10)}^PRN^PH^^49^221^5550100`;
  assert.equal(await code(adt("A08", "U1", phone)), "AA");
  await site.quiet();
  const now = await one();
  assert.equal(now.id, before.id);
  assert.deepEqual(now.name, before.name);
  assert.deepEqual(now.address, before.address);
  assert.equal(now.birthDate, before.birthDate);
  assert.ok(now.telecom?.length > 0, "what PID-13 says is there");
});

test("a cancel with the order's number alone leaves what was ordered as it was", async () => {
  const orders = async () => (await resources("ServiceRequest")).filter(({ intent, identifier }) =>
    intent === "order" && identifier.some(({ value }) => value === "ORD1"));
  const obr = "OBR|1|ORD1||24331-1^Lipids^LN";
  assert.equal(await code(orm("O1", "ORC|NW|ORD1|||||||20260301", obr)), "AA");
  await site.quiet();
  const [before] = await orders();
  assert.equal(before.status, "active");
  assert.equal(await code(orm("O2", "ORC|CA|ORD1|||||||20260302")), "AA");
  await site.quiet();
  const [now, ...others] = await orders();
  assert.equal(others.length, 0);
  assert.equal(now.id, before.id);
  assert.equal(now.status, "revoked");
  assert.deepEqual(now.code, before.code);
  assert.equal(now.authoredOn, before.authoredOn);
});

test("an A40 joins two patients: one number, and a link at the FHIR server", async () => {
  const pid = (id) => `PID|1||${id}^^^LAB^MR||Doppelt^Dora||19900909|F`;
  for (const id of ["D1", "D2"]) {
    assert.equal(await code(adt("A04", `A-${id}`, pid(id), "PV1|1|O")), "AA");
  }
  await site.quiet();
  assert.equal(await code(adt("A40", "A-MERGE", pid("D1"), "MRG|D2^^^LAB^MR")), "AA");
  await site.quiet();
  assert.equal(site.postgres.sql("SELECT count(*) FROM patient_link")[0][0], "1");
  const gone = (await resources("Patient")).find(({ identifier }) =>
    identifier.some(({ value }) => value === "D2"),
  );
  assert.equal(gone.link?.[0].type, "replaced-by");
  assert.equal(gone.active, false);
});

for (const client of ["simple-hl7", "node-hl7-client", "medplum"]) {
  test(`${client} sends unmodified`, async () => {
    const its = await sender(client, "127.0.0.1", site.port);
    try {
      for (const n of [1, 2]) {
        const { code, id } = await its.send(oru(`${client}-${n}`));
        assert.deepEqual({ code, id }, { code: "AA", id: `${client}-${n}` });
      }
    } finally {
      await its.close();
    }
    await site.quiet();
    const ids = site.receiver.received().map(({ id }) => id);
    assert.ok(ids.includes(`${client}-1`) && ids.includes(`${client}-2`));
  });
}
