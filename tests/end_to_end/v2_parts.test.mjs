// HL7 v2 messages that come in parts (DSC): each is acknowledged once it is stored, and the whole is
// taken, decided and delivered as one message.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";

import { program } from "./lib/gateway.mjs";
import { children, killHard } from "./lib/killer.mjs";
import { until } from "./lib/process.mjs";
import { startSite } from "./lib/site.mjs";
import { acked, oru, send } from "./lib/v2.mjs";

let site;

before(async () => {
  site = await startSite();
});

after(() => site?.stop());

const since = (from) => site.records().slice(from);
const ids = () => site.receiver.received().map(({ id }) => id);
const code = async (message) => acked(await send(site.port, message));

/**
 * @id's result with @observations, cut before segment @cuts…, each part ending in a DSC that the
 * next one names in MSH-14. Pointers are @pointer-1, -2…
 */
function cut(id, patient, cuts, pointer = id) {
  const [msh, pid, obr, obx] = oru(id, { patient }).split("\r");
  const obxs = [1, 2, 3, 4].map((n) => obx.replace("OBX|1|", `OBX|${n}|`).replace("5.10", `${n}.10`));
  const body = [pid, obr, ...obxs];
  const bounds = [0, ...cuts, body.length];
  const whole = [msh, ...body, ""].join("\r");
  const parts = bounds.slice(1).map((end, i) => {
    const fields = msh.split("|");
    fields[9] = i ? `${id}-${i + 1}` : id;
    fields[13] = i ? `${pointer}-${i}` : ""; // MSH-14; MSH-1 is the separator
    const dsc = i < cuts.length ? [`DSC|${pointer}-${i + 1}|F`] : [];
    return [fields.join("|"), ...body.slice(bounds[i], end), ...dsc, ""].join("\r");
  });
  return { whole, parts };
}

test("three parts, three answers, one message", async () => {
  const { whole, parts } = cut("P1", "5101", [3, 5]);
  const from = site.records().length;
  for (const [i, part] of parts.entries()) {
    const answer = await code(part);
    assert.deepEqual([answer.code, answer.id], ["AA", i ? `P1-${i + 1}` : "P1"]);
    if (i < 2) {
      assert.equal(site.outbox().length, 0, "nothing to deliver before it is whole");
    }
  }
  await site.quiet();
  assert.deepEqual(site.outbox().map(({ state }) => state), ["delivered", "delivered"]);
  assert.equal(site.receiver.received().at(-1).bytes.toString("utf8"), whole);
  const took = since(from).filter((one) => one.interaction === "v2.receive");
  assert.deepEqual(
    took.map(({ outcome, basis }) => `${outcome} ${basis === "fragment" ? basis : ""}`),
    ["held fragment", "held fragment", "accepted "],
  );
  assert.ok(took.every((one) => one.commitments.subject), "all about the first part's patient");
  const observations = (await site.store.dump()).filter(({ type }) => type === "Observation");
  assert.equal(observations.length, 4);
});

test("parts and the last one sent again: heard the same, nothing twice", async () => {
  const { parts } = cut("P2", "5102", [3, 5]);
  for (const part of [parts[0], parts[0], parts[1], parts[1], parts[2]]) {
    assert.equal((await code(part)).code, "AA");
  }
  await site.quiet();
  const before = { rows: site.outbox().length, got: ids().length };
  assert.equal((await code(parts[2])).code, "AA");
  await site.quiet();
  assert.deepEqual({ rows: site.outbox().length, got: ids().length }, before);
  assert.equal(ids().filter((id) => id === "P2").length, 1);
});

test("a part that continues nothing is refused, with its place", async () => {
  const { parts } = cut("P3", "5103", [3]);
  const [head] = parts[1].split("\r", 1);
  const answer = await send(site.port, parts[1].replace(head, `${head}\rADD|`));
  assert.equal(acked(answer).code, "AE");
  assert.match(answer, /\rERR\|\|MSH\^1\^14\^1\|100\^.*there is no part that this one continues/);
  const same = parts[1].replace("UNICODE UTF-8\r", "UNICODE UTF-8\rDSC|P3-1|F\r").split("\r");
  const [msh, dsc, ...rest] = same;
  const circle = await send(site.port, [msh, ...rest.filter(Boolean), dsc, ""].join("\r"));
  assert.match(circle, /\rERR\|\|DSC\^1\^1\^1\|102\^/);
});

test("MSH-14 alone makes no part: the message is whole, and delivered", async () => {
  const [msh, ...rest] = oru("P30", { patient: "5130" }).split("\r");
  const fields = msh.split("|");
  fields[13] = "P30-0";
  const text = [fields.join("|"), ...rest].join("\r");
  assert.equal((await code(text)).code, "AA");
  await site.quiet();
  assert.equal(ids().filter((id) => id === "P30").length, 1);
});

test("a pointer in use by another message isn't given up; two patients never mix", async () => {
  const one = cut("P4", "5104", [3], "same");
  const two = cut("P5", "5105", [3], "same");
  assert.equal((await code(one.parts[0])).code, "AA");
  const answer = await send(site.port, two.parts[0]);
  assert.equal(acked(answer).code, "AE");
  assert.match(answer, /\rERR\|\|DSC\^1\^1\^1\|100\^.*another message waits/);
  assert.equal((await code(one.parts[1])).code, "AA");
  assert.equal((await code(two.parts[0])).code, "AA", "the pointer is free once it is whole");
  assert.equal((await code(two.parts[1])).code, "AA");
  await site.quiet();
  for (const [id, { whole }] of [["P4", one], ["P5", two]]) {
    const got = site.receiver.received().filter((each) => each.id === id);
    assert.deepEqual(got.map(({ bytes }) => bytes.toString("utf8")), [whole]);
  }
  const rows = site.outbox().length;
  assert.equal((await code(one.parts[1])).code, "AA", "heard before; not joined with the other's");
  await site.quiet();
  assert.equal(site.outbox().length, rows);
});

/** Kill all workers, and wait for new ones. */
async function killed() {
  const old = children(site.gateway.pid);
  old.forEach((pid) => killHard(pid));
  const fresh = () => {
    const now = children(site.gateway.pid);
    return now.length === old.length && now.every((pid) => !old.includes(pid));
  };
  const ready = async () => fresh() && (await site.gateway.metric("chartseal_ready")) === 4;
  await until("new workers", ready);
}

test("a part is safe once it is acknowledged: workers killed in between", async () => {
  const { whole, parts } = cut("P6", "5106", [3]);
  assert.equal((await code(parts[0])).code, "AA");
  await killed();
  const part = since(0).findLast((one) => one.basis === "fragment").exchange;
  const { stdout } = spawnSync(program, ["hl7", "show", part, "--config", site.files.file], { encoding: "utf8" });
  assert.match(stdout, /\n {2}PID\|1\|\|5106[^]*\n {2}DSC\|P6-1\|F\n/, "what waits can be looked at");
  assert.match(stdout, /becomes no FHIR: it has no way to a destination/);
  assert.equal((await code(parts[1])).code, "AA");
  await site.quiet();
  assert.equal(site.receiver.received().at(-1).bytes.toString("utf8"), whole);
});

test("a part about two patients is refused; a destroyed key leaves nothing to join", async () => {
  const { parts } = cut("P7", "5107", [3]);
  const two = parts[0].replace("\rOBR", "\rPID|2||5108^^^LAB^MR||Meier^Otto\rOBR");
  assert.match(await send(site.port, two), /several patients are not taken/);
  assert.equal((await code(parts[0])).code, "AA");
  site.postgres.sql(`DELETE FROM patient_key WHERE patient = (SELECT k.patient FROM payload p
    JOIN patient_key k ON k.id = p.key ORDER BY p.id DESC LIMIT 1)`);
  await killed(); // who had it in memory
  assert.equal((await code(parts[1])).code, "AE");
  const { exchange } = since(0).findLast((one) => one.outcome === "held");
  const shown = spawnSync(program, ["hl7", "show", exchange, "--config", site.files.file], { encoding: "utf8" });
  assert.match(shown.stdout, /v2\.receive +held +fragment[^]*message: closed, key destroyed/);
  const seen = spawnSync(program, ["hl7", "outbox", "--config", site.files.file], { encoding: "utf8" });
  assert.match(seen.stdout, /^parts of messages that wait for the next one: 1, the oldest since 2\d{3}-/m);
});
