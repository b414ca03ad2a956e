// Documents and appointments at the FHIR server: later messages about the same one change it,
// and what they don't say stays.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startSite } from "./lib/site.mjs";
import { acked, send } from "./lib/v2.mjs";

let site;

before(async () => {
  site = await startSite({
    routes: [
      { when: { message: "MDM^*" }, to: ["ehr"], options: ["MessageHeader"] },
      { when: { message: "SIU^*" }, to: ["ehr"] },
    ],
  });
});

after(() => site?.stop());

const message = (type, id, ...lines) =>
  [`MSH|^~\\&|LAB|HOSP|GW|GW|20260301||${type}|${id}|P|2.5.1`, ...lines, ""].join("\r");
const PID = "PID|1||4711^^^LAB^MR||Müller^Erika";

async function deliver(...what) {
  assert.equal(acked(await send(site.port, message(...what))).code, "AA");
  await site.quiet();
}

const all = async (type) =>
  (await site.store.dump()).filter((one) => one.type === type).map(({ body }) => JSON.parse(body));

const documents = async () =>
  Object.fromEntries(
    (await all("DocumentReference")).map((one) => [one.masterIdentifier.value, one]),
  );

test("a document keeps its content through messages that have none", async () => {
  const text = "OBX|1|TX|OP^Report||as found||||||F";
  await deliver("MDM^T02", "D1", PID, "TXA|1|OP|||||||||^Wri|DOC1|||||DI||AV", text);
  const { DOC1: first } = await documents();
  assert.equal(first.docStatus, "preliminary");
  await deliver("MDM^T03", "D2", PID, "TXA|1|OP||||||||||DOC1|||||AU||AV");
  const { DOC1: signed } = await documents();
  assert.equal(signed.id, first.id);
  assert.equal(signed.docStatus, "final");
  assert.deepEqual(signed.content, first.content);
  assert.equal(Buffer.from(signed.content[0].attachment.data, "base64").toString(), "as found");
});

test("a replaced document is superseded, and both stay", async () => {
  const text = "OBX|1|TX|OP^Report||better||||||F";
  const before = (await documents()).DOC1;
  await deliver("MDM^T10", "D3", PID, "TXA|1|OP||||||||||DOC2|DOC1||||AU||AV", text);
  const { DOC1: old, DOC2: now } = await documents();
  assert.equal(old.status, "superseded");
  assert.deepEqual(old.content, before.content);
  assert.deepEqual(old.type, before.type);
  assert.equal(now.relatesTo[0].code, "replaces");
  assert.equal(now.relatesTo[0].target.reference, `DocumentReference/${old.id}`);
});

test("a cancelled document is entered in error", async () => {
  await deliver("MDM^T11", "D4", PID, "TXA|1|OP||||||||||DOC2|||||AU||CA");
  const { DOC2: gone } = await documents();
  assert.equal(gone.status, "entered-in-error");
  assert.equal(gone.content[0].attachment.contentType, "text/plain");
});

test("a route's option makes a header of each message", async () => {
  const headers = await all("MessageHeader");
  assert.deepEqual(headers.map(({ eventCoding }) => eventCoding.code).sort(), [
    "T02",
    "T03",
    "T10",
    "T11",
  ]);
});

test("an appointment is booked, moved and cancelled as one", async () => {
  const sch = (time, status = "") =>
    `SCH|P1|F1|||||||30|min|^^^${time}|||||^Fill||||^Ent|||||${status}`;
  await deliver("SIU^S12", "S1", sch("20260310100000+0100"), PID, "RGS|1", "AIP|1||^Doc");
  await deliver("SIU^S13", "S2", sch("20260311100000+0100"), PID, "RGS|1", "AIP|1||^Doc");
  const [moved, ...others] = await all("Appointment");
  assert.deepEqual(others, []);
  assert.equal(moved.status, "booked");
  assert.equal(moved.start, "2026-03-11T10:00:00+01:00");
  assert.equal(moved.end, "2026-03-11T10:30:00+01:00");
  await deliver("SIU^S14", "S3", "SCH||F1|||||||40|min", PID);
  const [changed] = await all("Appointment");
  assert.equal(changed.minutesDuration, 40);
  assert.equal(changed.status, "booked");
  await deliver("SIU^S15", "S4", sch("20260311100000+0100", "Cancelled"), PID);
  const [cancelled] = await all("Appointment");
  assert.equal(cancelled.id, moved.id);
  assert.equal(cancelled.status, "cancelled");
  assert.deepEqual(await all("MessageHeader").then(({ length }) => length), 4);
});
