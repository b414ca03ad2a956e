// What operators do with messages: look at one, and send stopped ones again by today's maps, with
// the records of it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import { program } from "./lib/gateway.mjs";
import { reloaded } from "./lib/killer.mjs";
import { folder } from "./lib/parts.mjs";
import { until } from "./lib/process.mjs";
import { startSite } from "./lib/site.mjs";
import { acked, oru, send } from "./lib/v2.mjs";

const map = path.join(folder("maps"), "site.map");
const mapped = (gender) =>
  writeFileSync(map, `table AdministrativeGender\n    F -> ${gender}\n`);

let site;

before(async () => {
  mapped("female");
  site = await startSite({
    routes: [{ to: ["ehr"], on_park: "skip", maps: [map] }],
    config: { message_memory: 4 },
  });
});

after(() => site?.stop());

const run = (...words) =>
  spawnSync(program, ["hl7", ...words, "--config", site.files.file], { encoding: "utf8" });
const good = (...words) => {
  const done = run(...words);
  assert.equal(done.status, 0, `${words.join(" ")}: ${done.stderr}`);
  return done.stdout;
};
const lines = (text) => text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
const show = (what, ...more) => JSON.parse(good("show", String(what), "--json", ...more));
const gender = async (patient) => {
  const dump = await site.store.dump();
  return dump
    .map(({ body }) => JSON.parse(body))
    .find((one) => one.resourceType === "Patient" && JSON.stringify(one).includes(`"${patient}"`))
    ?.gender;
};
const since = (from) => site.records().slice(from);

/** Take a message that the FHIR server refuses with @status; its row. */
async function stopped(id, patient, status = 422) {
  await site.store.fail({ status, times: 1, match: "" });
  assert.equal(acked(await send(site.port, oru(id, { patient }))).code, "AA");
  await site.quiet();
  const row = site.outbox().at(-1);
  assert.deepEqual([row.state, row.reason], ["parked", `http-${status}`]);
  return row;
}

let row;

test("a message is shown: what came, what it becomes, where it is; and that is recorded", async () => {
  row = await stopped("R1", "4901");
  const from = site.records().length;
  const seen = show(row.number);
  assert.equal(seen.exchange, row.exchange);
  assert.deepEqual(seen.rows.map(({ destination, state }) => [destination, state]), [["ehr", "parked"]]);
  assert.deepEqual(seen.records.map((one) => one.interaction), ["v2.receive", "v2.deliver"]);
  assert.equal(seen.message, oru("R1", { patient: "4901" }));
  assert.equal(seen.today.bundle.type, "transaction");
  assert.deepEqual(seen.before, { maps: seen.today.maps, digest: seen.today.digest });
  assert.match(seen.today.digest, /^[0-9a-f]{64}$/);
  const [reading, ...more] = since(from);
  assert.deepEqual([reading.interaction, reading.exchange, more.length], ["audit.read", row.exchange, 0]);
  assert.ok(reading.commitments.subject, "it names whom it is about");

  const text = good("show", row.exchange);
  assert.match(text, /^exchange +[0-9a-f-]{36}\n/);
  assert.match(text, /ehr +parked/);
  assert.match(text, /\n {2}PID\|1\|\|4901/);
  assert.match(text, /today: maps \S+, FHIR [0-9a-f]{64}\n\{/);
});

test("closed, nothing of it is shown, and nothing recorded", () => {
  const from = site.records().length;
  const seen = show(row.number, "--closed");
  assert.ok(!("message" in seen) && !("today" in seen) && seen.closed);
  assert.doesNotMatch(good("show", String(row.number), "--closed"), /4901|Müller/);
  assert.equal(since(from).length, 0);
  assert.equal(run("show", "999999").status, 66);
  assert.equal(run("show", "nonsense").status, 64);
});

test("a dry run says what would change, and changes nothing", () => {
  mapped("other");
  const from = site.records().length;
  const [said] = lines(good("replay", row.number, "--dry-run", "--json"));
  assert.deepEqual([said.opened, said.changed], [false, true]);
  assert.notEqual(said.before.maps, said.today.maps);
  assert.notEqual(said.before.digest, said.today.digest);
  assert.equal(site.outbox().at(-1).state, "parked");
  assert.deepEqual(since(from).map((one) => one.interaction), ["audit.read"]);
});

test("a replay translates by today's maps; who, why and what changed are recorded", async () => {
  await reloaded(site.gateway);
  const from = site.records().length;
  const { today } = show(row.number);
  const out = good("replay", row.number, "--why", "gender mended");
  assert.match(out, /open again, decided anew.*before maps .*today maps .*, changed\n/);
  await until("delivered", () => site.outbox().at(-1).state === "delivered");
  assert.equal(await gender("4901"), "other");
  const record = since(from).find((one) => one.interaction === "v2.replay");
  assert.equal(record.exchange, row.exchange);
  const opened = spawnSync(
    program,
    ["audit", "show", record.id, "--json", "--config", site.files.file],
    { encoding: "utf8" },
  );
  const { actor, request } = JSON.parse(opened.stdout).opening;
  assert.match(actor.value, /"command":"hl7 replay".*"user":/);
  assert.match(request.value, /^hl7 replay \d+; before maps \S+ fhir [0-9a-f]{64}; today maps/);
  assert.match(request.value, /why: gender mended$/);
  assert.ok(request.value.includes(today.digest));
  const seen = show(row.number);
  assert.deepEqual(seen.before, { maps: today.maps, digest: today.digest }, "what was said was sent");
});

test("what was delivered is refused unless asked; on its way already, it is left", async () => {
  const from = site.records().length;
  const refused = run("replay", row.number);
  assert.equal(refused.status, 77);
  assert.match(refused.stdout, /was delivered; --delivered sends it again/);
  assert.deepEqual(since(from).filter((one) => one.interaction === "v2.replay"), []);
  const before = await site.store.stats();
  good("replay", row.number, "--delivered");
  await until("delivered again", () =>
    since(from).some((one) => one.interaction === "v2.deliver" && one.outcome === "delivered"));
  const after = await site.store.stats();
  assert.equal(after.resources, before.resources, "safe to repeat");

  await site.store.fail({ status: 503, times: 1000, match: "" });
  const waits = oru("R2", { patient: "4902" });
  assert.equal(acked(await send(site.port, waits)).code, "AA");
  const open = site.outbox().at(-1);
  assert.match(good("replay", open.number), /is on its way already/);
  await site.store.fail({ status: 503, times: 0, match: "" });
  await site.quiet();
});

test("many by destination, state, reason and time; a repetition does nothing more", async () => {
  const numbers = [];
  for (const [i, status] of [400, 422, 422].entries()) {
    numbers.push((await stopped(`R3${i}`, `491${i}`, status)).number);
  }
  const many = (...more) =>
    lines(good("replay", "--destination", "ehr", "--json", ...more)).map((one) => one.number.toString());
  assert.deepEqual(many("--dry-run"), numbers);
  assert.deepEqual(many("--dry-run", "--reason", "http-422"), numbers.slice(1));
  assert.deepEqual(many("--dry-run", "--limit", "1"), numbers.slice(0, 1));
  assert.deepEqual(many("--dry-run", "--state", "withheld"), []);
  assert.deepEqual(many("--dry-run", "--to", "2025"), []);
  assert.deepEqual(many("--dry-run", "--from", "2025"), numbers);
  const from = site.records().length;
  assert.deepEqual(many("--reason", "http-422", "--why", "server mended"), numbers.slice(1));
  assert.equal(since(from).filter((one) => one.interaction === "v2.replay").length, 2);
  await site.quiet();
  assert.deepEqual(site.outbox().slice(-3).map(({ state }) => state), ["parked", "delivered", "delivered"]);
  assert.deepEqual(many("--reason", "http-422"), [], "they are gone from the list");
  for (const words of [
    ["1", "--destination", "ehr"],
    ["--destination", "ehr", "--delivered"],
    ["--destination", "ehr", "--state", "open"],
    ["--destination", "ehr", "--limit", "0"],
    ["--destination", "ehr", "--from", "yesterday"],
    ["1", "--why", "x".repeat(201)],
    [],
  ]) {
    assert.equal(run("replay", ...words).status, 64, words.join(" "));
  }
});

test("whose key was destroyed: nothing is shown, and it isn't replayed", async () => {
  const gone = await stopped("R4", "4920");
  site.postgres.sql(`DELETE FROM patient_key WHERE patient =
    (SELECT patient FROM outbox WHERE number = ${gone.number})`);
  const seen = show(gone.number);
  assert.equal(seen.closed, "key destroyed");
  assert.ok(!("message" in seen));
  const refused = run("replay", gone.number);
  assert.equal(refused.status, 77);
  assert.match(refused.stdout, /key destroyed/);
  assert.equal(site.outbox().at(-1).state, "parked");
});

for (const [taken, patient] of [["yes", "4930"], ["no", "4931"]]) {
  test(`what has a number of no system is joined with what is stored; batches: ${taken}`, async () => {
    await site.store.batches(taken);
    const number = `0815${patient}`;
    const ordered = (id, doctor) =>
      oru(id, { patient }).replace("|||20260301110000+0100|||||||||", `|||20260301110000+0100|||||||||${doctor}`);
    const before = await site.store.stats();
    assert.equal(acked(await send(site.port, ordered(`J1${taken}`, `${number}^Meier^Hans`))).code, "AA");
    await site.quiet();
    const doctor = async () => {
      const dump = await site.store.dump();
      return dump
        .map(({ body }) => JSON.parse(body))
        .find((one) => one.resourceType === "Practitioner" && one.identifier[0].value === number);
    };
    const stored = await doctor();
    assert.ok(stored && !stored.identifier[0].system, JSON.stringify(stored));
    stored.telecom = [{ system: "phone", value: "1234" }];
    await fetch(`${site.store.base}/Practitioner/${stored.id}`, {
      method: "PUT",
      headers: { "content-type": "application/fhir+json" },
      body: JSON.stringify(stored),
    });
    assert.equal(acked(await send(site.port, ordered(`J2${taken}`, `${number}^Meier^Hans-Peter`))).code, "AA");
    await site.quiet();
    assert.equal(site.outbox().at(-1).state, "delivered");
    const now = await doctor();
    assert.equal(now.id, stored.id);
    assert.deepEqual(now.telecom, stored.telecom, "what nobody spoke of stays");
    assert.equal(now.name[0].given[0], "Hans-Peter", "what the message says is there");
    const asked = (await site.store.stats()).batches - before.batches;
    assert.ok(taken === "yes" ? asked >= 2 : asked === 0, `${asked} batches`);
  });
}

test("what needs more memory than a message may take is parked; with more it is sent", async () => {
  const results = (id, n) => {
    const message = oru(id, { patient: "4940" });
    const obx = message.split("\r").find((line) => line.startsWith("OBX"));
    const more = Array.from({ length: n - 1 }, (_, i) => obx.replace("OBX|1|", `OBX|${i + 2}|`));
    return [message.trimEnd(), ...more, ""].join("\r");
  };
  const state = () => [site.outbox().at(-1).state, site.outbox().at(-1).reason];
  assert.equal(acked(await send(site.port, results("M1", 100))).code, "AA");
  await site.quiet();
  assert.equal(state()[0], "delivered");
  assert.equal(acked(await send(site.port, results("M2", 2000))).code, "AA");
  await site.quiet();
  assert.deepEqual(state(), ["parked", "too-large"]);
  const { number } = site.outbox().at(-1);
  const before = await site.store.stats();
  assert.equal(acked(await send(site.port, oru("M3", { patient: "4940" }))).code, "AA");
  await site.quiet();
  assert.equal(state()[0], "delivered", "others go on");

  site.files.write({ ...site.files.config, message_memory: 256 });
  await reloaded(site.gateway);
  good("replay", number);
  const row = () => site.outbox().find((one) => one.number === number);
  await until("delivered", () => row().state === "delivered");
  const after = await site.store.stats();
  assert.ok(after.resources >= before.resources + 2000, `${after.resources} of ${before.resources}`);
});
