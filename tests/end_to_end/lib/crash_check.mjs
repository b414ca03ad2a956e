// What must hold after a crash trial; each returns a line that says what was found.
import assert from "node:assert/strict";
import path from "node:path";

import { checkLog } from "./log_check.mjs";

const by = (list, key) => {
  const groups = new Map();
  list.forEach((one) => groups.get(key(one))?.push(one) ?? groups.set(key(one), [one]));
  return groups;
};

/** At the v2 receiver: each at least once, always the same bytes, in order within a patient. */
export function checkReceiver({ receiver }, messages) {
  const received = receiver.received();
  const byId = by(received, ({ id }) => id);
  const place = new Map(messages.map((message, i) => [message.id, { ...message, i }]));
  for (const { id, text, heard } of messages) {
    assert.ok(byId.has(id), `${id} did not arrive at the v2 receiver; its sender heard ${heard}`);
    for (const { bytes } of byId.get(id)) {
      assert.equal(bytes.toString("utf8"), text, `${id} arrived with other bytes`);
    }
  }
  assert.equal(byId.size, messages.length, "something arrived that nobody sent");
  const last = new Map(); // patient: place of its latest message
  for (const { id } of received) {
    const { patient, i } = place.get(id);
    assert.ok(i >= (last.get(patient) ?? -1), `${id} arrived after a later one of its patient`);
    last.set(patient, i);
  }
  const repeats = received.length - messages.length;
  return `v2 receiver: ${messages.length} messages, ${repeats} repeats, all byte-identical, in order`;
}

/** All resources of the types that messages make, as objects. */
async function resources(store) {
  if (store.dump) {
    return (await store.dump()).map(({ body }) => JSON.parse(body));
  }
  const found = [];
  for (const type of ["Patient", "DiagnosticReport", "Observation"]) {
    for (let offset = 0, n = -1; n !== 0; offset += n) {
      const url = `${store.base}/${type}?_count=500&_offset=${offset}&_sort=_id`;
      const entries = (await (await fetch(url)).json()).entry ?? [];
      found.push(...entries.map(({ resource }) => resource));
      n = entries.length;
    }
  }
  return found;
}

/** In the FHIR store: one report and one result of each message, one Patient of each. */
export async function checkFhir({ store }, messages) {
  const types = by(await resources(store), ({ resourceType }) => resourceType);
  const reports = by(types.get("DiagnosticReport") ?? [], ({ identifier }) =>
    identifier.map(({ value }) => value).find((value) => value.startsWith("F")),
  );
  const results = new Map(types.get("Observation")?.map((one) => [one.id, one]));
  const patients = new Map(types.get("Patient")?.map((one) => [one.id, one]));
  for (const { id, filler, value, patient } of messages) {
    assert.equal(reports.get(filler)?.length, 1, `reports of ${id}`);
    const [report] = reports.get(filler);
    assert.equal(report.result.length, 1, `results of ${id}`);
    const result = results.get(report.result[0].reference.split("/")[1]);
    assert.equal(result?.valueQuantity.value, Number(value), `value of ${id}`);
    const about = patients.get(report.subject.reference.split("/")[1]);
    assert.equal(about?.identifier[0].value, patient, `patient of ${id}`);
  }
  const known = new Set(messages.map(({ patient }) => patient)).size;
  assert.equal(reports.size, messages.length, "reports that nobody sent");
  assert.equal(results.size, messages.length, "results that nobody sent");
  assert.equal(patients.size, known, "patients");
  return `FHIR store: ${reports.size} reports, ${results.size} results, ${patients.size} patients, each once`;
}

/**
 * In the log: one accepted receipt of each message and one delivery to each destination, the
 * order without gaps, every checkpoint the root of what was in order then.
 */
export function checkLogged({ postgres, files }, messages) {
  const key = path.join(files.where, "checkpoint.key");
  const { records, checkpoints } = checkLog(postgres, key);
  const of = (interaction, outcome) =>
    records.filter((one) => one.interaction === interaction && one.outcome === outcome);
  const receipts = by(of("v2.receive", "accepted"), ({ exchange }) => exchange);
  const deliveries = by(of("v2.deliver", "delivered"), ({ exchange }) => exchange);
  assert.equal(receipts.size, messages.length, "accepted receipts");
  for (const [exchange, list] of receipts) {
    assert.equal(list.length, 1, `receipts of ${exchange}`);
    assert.equal(deliveries.get(exchange)?.length, 2, `deliveries of ${exchange}`);
  }
  assert.equal(deliveries.size, messages.length, "deliveries of nothing");
  const [[parked]] = postgres.sql("SELECT count(*) FROM outbox WHERE state <> 3");
  assert.equal(parked, "0", "rows of the outbox that were not delivered");
  return `log: ${records.length} records, ${receipts.size} receipts, ${checkpoints} checkpoints, all roots computed again`;
}
