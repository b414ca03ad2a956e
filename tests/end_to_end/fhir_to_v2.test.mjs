// What FHIR clients write for an HL7 v2 receiver: taken, decided, stored and delivered as messages,
// in the order of each patient, whatever is down, refused or killed on the way.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import { Client as FhirKit } from "fhir-kit-client";
import { Message } from "node-hl7-client";

import { toSign } from "./lib/controller.mjs";
import { CLINIC, consent, fhirPort, grantOnChain } from "./lib/fhir.mjs";
import { program, serve } from "./lib/gateway.mjs";
import { killNode } from "./lib/killer.mjs";
import { folder, startReceiver } from "./lib/parts.mjs";
import { until } from "./lib/process.mjs";
import { startSite } from "./lib/site.mjs";
import { oru } from "./lib/v2.mjs";

const SYSTEM = "urn:oid:1.2.3.4";
const WARD = "urn:oid:1.2.10";
const map = path.join(folder("maps"), "site.map");
const named = (name) =>
  writeFileSync(map, `segment MSH from Bundle\n    MSH-5 <- "${name}" : string\n`);

let site;
let receiver; // the second one
let office; // where consents are filed
let orders; // what is written here goes to the ward
let kit;
let revocable; // what 4714 permits

/** Patient @number and whom it permits, on chain. */
async function permit(number, organization) {
  const body = consent({ identifier: { system: SYSTEM, value: number } }, { organization });
  const filed = await office.ask("Consent", { method: "POST", body });
  assert.equal(filed.status, 201, filed.text);
  const grant = toSign(filed.json());
  grantOnChain(site.postgres, grant);
  return grant;
}

before(async () => {
  named("EAST");
  office = await fhirPort();
  orders = await fhirPort();
  site = await startSite({
    listeners: { office: office.listener, orders: orders.listener },
    ward: { receiver: { version: "2.5.1", assigners: { LAB: SYSTEM } } },
    routes: [
      { to: ["ward"] },
      { from: "office", to: ["ehr"], mode: "enforce" },
      { from: "orders", to: ["ward"], mode: "enforce", maps: [map], validate: "reject" },
    ],
  });
  kit = new FhirKit({
    baseUrl: orders.base,
    customHeaders: { authorization: `Bearer ${await orders.token()}` },
  });
  await permit("4711", [CLINIC, WARD]);
  revocable = await permit("4714", [CLINIC, WARD]);
  await permit("4713", CLINIC);
  await until("consents in force", async () => (await write(patient("4711"))).status === 202);
  await until("the other's too", async () => (await write(patient("4714"))).status === 202);
  await site.quiet();
});

after(async () => {
  await site?.stop();
  await receiver?.stop();
});

const patient = (number, more = {}) => ({
  resourceType: "Patient",
  id: `p${number}`,
  identifier: [
    {
      type: { coding: [{ system: "http://terminology.hl7.org/CodeSystem/v2-0203", code: "MR" }] },
      system: SYSTEM,
      value: number,
    },
  ],
  name: [{ family: "Müller", given: ["Erika"] }],
  gender: "female",
  ...more,
});

/** A result of patient @number as a laboratory's Bundle of @type has it. */
function report(number, { value = 5.1, type = "transaction" } = {}) {
  const code = (code, display) => ({ coding: [{ system: "http://loinc.org", code, display }] });
  const subject = { reference: "urn:uuid:00000000-0000-4000-8000-000000000001" };
  const resources = [
    patient(number, { id: undefined }),
    {
      resourceType: "Observation",
      status: "final",
      code: code("2093-3", "Cholesterol"),
      subject,
      effectiveDateTime: "2026-03-01T11:00:00+01:00",
      valueQuantity: { value, unit: "mmol/L", system: "http://unitsofmeasure.org", code: "mmol/L" },
    },
    {
      resourceType: "DiagnosticReport",
      status: "final",
      code: code("24331-1", "Lipids"),
      subject,
      result: [{ reference: "urn:uuid:00000000-0000-4000-8000-000000000002" }],
    },
  ];
  const entry = resources.map((resource, i) => ({
    fullUrl: `urn:uuid:00000000-0000-4000-8000-00000000000${i + 1}`,
    resource,
    ...(type === "transaction"
      ? { request: { method: "POST", url: resource.resourceType } }
      : {}),
  }));
  return { resourceType: "Bundle", type, entry };
}

const write = (body) =>
  body.resourceType === "Bundle"
    ? orders.ask("", { method: "POST", body })
    : orders.ask(`${body.resourceType}/${body.id}`, { method: "PUT", body });
const received = () => site.receiver.received();
const text = (one) => one.bytes.toString("utf8");
const field = (one, segment, n) =>
  text(one)
    .split("\r")
    .find((line) => line.startsWith(segment))
    .split("|")[n];
const last = () => site.outbox().at(-1);
const hl7 = (...words) => {
  const done = spawnSync(program, ["hl7", ...words, "--config", site.files.file], {
    encoding: "utf8",
  });
  assert.equal(done.status, 0, `${words.join(" ")}: ${done.stderr}`);
  return done.stdout;
};
const show = () => JSON.parse(hl7("show", last().number, "--json"));

test("a transaction of results arrives as ORU^R01, which others can read", async () => {
  const from = site.records().length;
  const said = await kit.transaction({ body: report("4711") });
  assert.equal(said.resourceType, "OperationOutcome");
  assert.equal(said.issue[0].severity, "information");
  await site.quiet();
  const one = received().at(-1);
  assert.equal(one.type, "ORU^R01");
  assert.match(one.id, /^[0-9a-f]{20}$/);
  const read = new Message({ text: text(one) });
  assert.equal(read.get("MSH.12").toString(), "2.5.1");
  assert.equal(read.get("PID.3.1").toString(), "4711");
  assert.equal(field(one, "PID", 3), "4711^^^LAB^MR");
  assert.equal(field(one, "PID", 5), "Müller^Erika");
  assert.equal(field(one, "OBX", 3), "2093-3^Cholesterol^LN");
  assert.equal(field(one, "OBX", 5), "5.1");
  assert.equal(field(one, "MSH", 4), "EAST", "a row of the site's map");
  const [taken, delivered] = site.records().slice(from);
  assert.deepEqual([taken.interaction, taken.outcome], ["transaction", "accepted"]);
  assert.deepEqual([delivered.interaction, delivered.outcome], ["v2.deliver", "delivered"]);
  assert.equal(delivered.exchange, taken.exchange);
  assert.equal(delivered.map, taken.map);
  assert.ok(taken.commitments.subject && delivered.commitments.payload);
});

test("what a message became arrives as that message", async () => {
  const message = oru("T1", { patient: "4711" });
  const assigner = ["--assigner", `LAB=${SYSTEM}`];
  const made = spawnSync(program, ["hl7", "translate", ...assigner], { input: message, encoding: "utf8" });
  const answer = await orders.ask("", { method: "POST", body: made.stdout });
  assert.equal(answer.status, 202, answer.text);
  await site.quiet();
  const one = received().at(-1);
  for (const [segment, n] of [["PID", 3], ["PID", 5], ["PID", 7], ["OBR", 3], ["OBR", 4], ["OBX", 3], ["OBX", 5], ["OBX", 6]]) {
    const was = message.split("\r").find((line) => line.startsWith(segment)).split("|")[n];
    assert.equal(field(one, segment, n), was, `${segment}-${n}`);
  }
});

test("an update of a patient arrives as ADT^A08, a message as what it holds", async () => {
  const updated = await kit.update({
    resourceType: "Patient",
    id: "p4711",
    body: patient("4711", { birthDate: "1970-01-01" }),
  });
  assert.equal(updated.resourceType, "OperationOutcome");
  await site.quiet();
  assert.equal(received().at(-1).type, "ADT^A08");
  assert.equal(field(received().at(-1), "PID", 7), "19700101");

  const message = report("4711", { type: "message" });
  message.entry.unshift({
    fullUrl: "urn:uuid:00000000-0000-4000-8000-000000000009",
    resource: {
      resourceType: "MessageHeader",
      eventUri: "urn:example:results",
      source: { name: "LabSystem", endpoint: "urn:example:lab" },
      focus: [{ reference: "urn:uuid:00000000-0000-4000-8000-000000000003" }],
    },
  });
  const answer = await orders.ask("$process-message", { method: "POST", body: message });
  assert.equal(answer.status, 202, answer.text);
  await site.quiet();
  assert.equal(received().at(-1).type, "ORU^R01");
  assert.equal(field(received().at(-1), "MSH", 2), "LabSystem");
});

test("what no message comes of is refused with the reason; only writes are taken", async () => {
  const rows = site.outbox().length;
  const [, result, whole] = report("4711").entry.map((one) => one.resource);
  const alone = { ...whole, result: undefined, subject: { reference: "Patient/p4711" } };
  const post = (where, body) => orders.ask(where, { method: "POST", body });
  const cases = [
    [await post("Practitioner", { resourceType: "Practitioner", name: [{ family: "X" }] }), 422, /no map makes such/],
    [await post("DiagnosticReport", alone), 422, /needs a Patient: there is none/],
    [await post("Observation", { ...result, resourceType: "Patient" }), 400, /another type/],
    [await write(patient("4711", { gender: "perhaps" })), 422, /Patient.gender/],
    [await post("", { ...report("4711"), type: "batch" }), 501, /only transactions/],
    [await post("", { resourceType: "Bundle", type: "transaction", entry: [] }), 400, /empty/],
    [await post("$process-message", report("4711")), 400, /no message/],
    [await orders.ask("Patient/p4711"), 501, /only writes/],
    [await orders.ask("Patient?name=x"), 501, /only writes/],
    [await orders.ask("Patient/p4711", { method: "DELETE" }), 501, /only writes/],
  ];
  for (const [answer, status, why] of cases) {
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.json().resourceType, "OperationOutcome");
    assert.match(answer.text, why);
  }
  assert.equal(cases[0][0].json().issue[0].code, "not-supported");
  assert.equal((await orders.ask("Patient/p4711", { as: null })).status, 401);
  const narrow = { scope: "user/Patient.cu" };
  const scoped = await orders.ask("", { method: "POST", body: report("4711"), claims: narrow });
  assert.equal(scoped.status, 403);
  assert.equal(site.records().at(-1).basis, "scope");
  const { rest } = (await orders.ask("metadata", { as: null })).json();
  assert.deepEqual(rest[0].interaction, [{ code: "transaction" }]);
  assert.equal(site.outbox().length, rows, "nothing of it is on its way");
});

test("without consent nothing is sent: not of who says no, not of who permits others", async () => {
  const rows = site.outbox().length;
  const count = received().length;
  for (const [number, basis] of [["4712", "no-consent"], ["4713", "consent-deny"]]) {
    const answer = await write(report(number));
    assert.equal(answer.status, 403, answer.text);
    const record = site.records().at(-1);
    assert.deepEqual([record.interaction, record.outcome], ["transaction", "deny"]);
    assert.ok([basis, "no-consent"].includes(record.basis), record.basis);
    assert.ok(record.commitments.subject, "the patient can see that it was tried");
  }
  const both = report("4711");
  both.entry.push({
    fullUrl: "urn:uuid:00000000-0000-4000-8000-000000000008",
    resource: patient("4712", { id: undefined }),
    request: { method: "POST", url: "Patient" },
  });
  assert.equal((await write(both)).status, 403, "all in it have to permit");
  assert.equal(site.outbox().length, rows);
  assert.equal(received().length, count);
});

let refused; // by the receiver, and which row that is
let parked;

test("AE parks it, for a person to see: what was written, what was sent; the next one waits", async () => {
  site.receiver.behave("AE 1");
  assert.equal((await write(report("4711", { value: 7 }))).status, 202);
  await until("parked", () => last().state === "parked");
  assert.equal(last().reason, "ack-error");
  parked = last().number;
  refused = received().at(-1);
  const seen = show();
  assert.equal(JSON.parse(seen.message).type, "transaction");
  assert.equal(seen.today.message, text(refused));
  assert.deepEqual(seen.before, { maps: seen.today.maps, digest: seen.today.digest });
  assert.match(hl7("show", parked), /today: maps \S+, v2 [0-9a-f]{64}\nMSH\|/);
  assert.equal((await write(report("4711", { value: 8 }))).status, 202);
});

test("receiver down, node killed, map changed: all arrives in order, what is replayed too", async () => {
  const { port } = site.receiver;
  const before = received();
  await site.receiver.stop();
  for (const value of [1, 2, 3]) {
    assert.equal((await write(report("4714", { value }))).status, 202);
  }
  await until("a try", () => site.outbox().some((row) => row.state === "open" && row.attempts > 0));
  const killed = killNode(site.gateway.pid);
  await site.gateway.exited;
  await until("it to be gone", () => !killed.some((pid) => existsSync(`/proc/${pid}`)));
  site.postgres.sql("UPDATE shard_lease SET expiry = now()"); // its ten seconds needn't be waited for
  named("WEST");
  site.gateway = await serve(site.files);
  receiver = await startReceiver({ port });
  site.receiver = receiver;
  const said = hl7("replay", parked, "--why", "map mended");
  assert.match(said, /before maps .*today maps .*v2 .*changed/);
  await site.quiet(60);
  const of = (number) => received().filter((one) => field(one, "PID", 3).startsWith(number));
  const values = (number) => of(number).map((one) => field(one, "OBX", 5));
  assert.deepEqual(values("4714"), ["1", "2", "3"]);
  assert.deepEqual(values("4711"), ["7", "8"], "what waited follows");
  assert.ok(received().every((one) => field(one, "MSH", 4) === "WEST"), "by the map of today");
  const ids = [...before, ...received()].map((one) => one.id);
  assert.equal(new Set(ids).size, ids.length, "other bytes, another MSH-10");
  assert.ok(ids.includes(refused.id));
  const record = site.records().findLast((one) => one.interaction === "v2.replay");
  assert.ok(record.commitments.subject);
});

test("AR is tried again with the same bytes", async () => {
  const count = received().length;
  site.receiver.behave("AR 2");
  assert.equal((await write(report("4714", { value: 9 }))).status, 202);
  await site.quiet();
  const tries = received().slice(count);
  assert.deepEqual(tries.map((one) => one.answer), ["AR", "AR", "AA"]);
  assert.equal(new Set(tries.map(text)).size, 1);
});

test("what is revoked before it is delivered is withheld", async () => {
  site.receiver.behave("AR");
  assert.equal((await write(report("4714", { value: 10 }))).status, 202);
  await until("a try", () => last().attempts > 0);
  grantOnChain(site.postgres, revocable, { revoked: true });
  await until("withheld", () => last().state === "withheld");
  assert.equal(last().reason, "revoked");
  const count = received().length;
  site.receiver.behave("AA");
  assert.equal((await write(report("4714", { value: 11 }))).status, 403);
  await site.quiet();
  assert.equal(received().length, count);
});
