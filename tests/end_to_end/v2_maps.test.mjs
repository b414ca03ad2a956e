// A site's own map, written by what schemas/map/README.md says and nothing else, at run time: a
// laboratory's Z segments and codes, mistakes told by file and line, and reloads under load.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { digestIn } from "./lib/corpus.mjs";
import { program } from "./lib/gateway.mjs";
import { children } from "./lib/killer.mjs";
import { load } from "./lib/load.mjs";
import { folder } from "./lib/parts.mjs";
import { until } from "./lib/process.mjs";
import { startSite } from "./lib/site.mjs";
import { acked, send } from "./lib/v2.mjs";

const good = readFileSync(fileURLToPath(new URL("lib/fjordlab.map", import.meta.url)), "utf8");
const map = path.join(folder("maps"), "fjordlab.map");
const RELOADED = "reload: the new configuration is in force";
const RATE = 60; // messages a second, while maps change
const LANES = 6;
const SECONDS = 12;

let site;

before(async () => {
  writeFileSync(map, good);
  // What is known of the sender stands in its map alone.
  const sender = { zone: undefined, assigners: undefined, maps: [map] };
  site = await startSite({ sender, routes: [{ to: ["ehr"] }], config: { workers: 2 } });
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(site?.gateway.output());
  }
  await site?.stop();
});

const culture = (id, patient = "90210") =>
  [
    `MSH|^~\\&|LIMS|FJORD|||20260105081500||ORU^R01^ORU_R01|${id}|P|2.5.1`,
    `PID|1||${patient}^^^FJ^MR||Hansen^Ida||19830214|F`,
    `OBR|1|P${id}|F${id}|UCULT^Urine culture^FJL|||20260105080000|||||||||||||||20260105081000||MB|F`,
    "ZSI|COOL|4.50|B7",
    "OBX|1|CWE|ORG^Organism^FJL||ECOL^E. coli^FJL||||||E",
    "ZMB|1|DIL|AMX^8^M~CIP^0.250^F",
    "OBX|2|NM|CFU^Colonies^FJL||100|K/ml|||||E",
    "",
  ].join("\r");

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** Resources by type, of what the FHIR server has. */
async function dumped() {
  const types = new Map();
  for (const { body, version } of await site.store.dump()) {
    const one = { ...JSON.parse(body), body, version };
    types.set(one.resourceType, [...(types.get(one.resourceType) ?? []), one]);
  }
  return types;
}

test("the laboratory's segments, codes and times become FHIR", async () => {
  assert.equal(acked(await send(site.port, culture("C1"))).code, "AA");
  await site.quiet();
  const types = await dumped();
  const [patient] = types.get("Patient");
  assert.equal(patient.identifier[0].system, "urn:oid:2.16.578.1.12.4");
  const [order] = types.get("ServiceRequest");
  assert.deepEqual(order.code.coding[0], {
    system: "http://loinc.org",
    code: "630-4",
    display: "Bacteria identified in Urine by Culture",
  });
  assert.deepEqual(order.note, [{ text: "cooled" }]);
  assert.deepEqual(order.extension, [
    {
      url: "https://fjordlab.example/temperature",
      valueQuantity: { value: 4.5, unit: "degrees C" },
    },
  ]);
  assert.match(order.body, /"value":4\.50,/);
  const [report] = types.get("DiagnosticReport");
  assert.equal(report.effectiveDateTime, "2026-01-05T08:00:00+01:00");
  assert.equal(report.result.length, 2);
  const observations = types.get("Observation");
  const organism = observations.find(({ code }) => code.coding[0].code === "634-6");
  assert.equal(organism.status, "final");
  assert.deepEqual(
    organism.valueCodeableConcept.coding.map(({ code }) => code),
    ["112283007", "ECOL"],
  );
  assert.equal(organism.method.coding[0].code, "dilution");
  assert.deepEqual(
    organism.component.map(({ code, valueQuantity, interpretation }) => [
      code.coding[0].display,
      valueQuantity,
      interpretation[0].coding[0].code,
    ]),
    [
      ["Amoxicillin", { value: 8, unit: "mg/L" }, "R"],
      ["Ciprofloxacin", { value: 0.25, unit: "mg/L" }, "S"],
    ],
  );
  const colonies = observations.find(({ code }) => code.coding[0].code === "19090-0");
  assert.deepEqual(colonies.valueQuantity, {
    value: 100,
    unit: "K/ml",
    system: "http://unitsofmeasure.org",
    code: "10*3/mL",
  });
  assert.equal(await site.gateway.metric("chartseal_hl7_unread_fields_total"), 0);
});

/** The name of the map's state, as its author is told it. */
function state() {
  const { stdout, stderr } = spawnSync(program, ["hl7", "check-map", map], { encoding: "utf8" });
  const [, name] = /^map (\S+): good/.exec(stdout) ?? [];
  assert.ok(name, stderr);
  return name;
}

test("the record names the map's state", () => {
  const delivered = site.records().filter((one) => one.interaction === "v2.deliver");
  assert.deepEqual([...new Set(delivered.map((one) => one.map))], [state()]);
});

/** A map with @wrong in place of @right, and the line where that is. */
function mistake(right, wrong) {
  assert.ok(good.includes(right));
  const line = good.slice(0, good.indexOf(right)).split("\n").length;
  return { text: good.replace(right, wrong), line };
}

const MISTAKES = [
  ["segment ZMB Observation", "segment ZMB Observatoin", /Observatoin/],
  ["ZSI-1 -> note[].text : string Transport", "ZSI-1 -> note[].text : string Transprt", /Transprt/],
  ["    ignore ZSI-3", "    ignore ZSI", /ZSI/],
  [".2 -> value : decimal", ".2 -> value : decimals", /decimals/],
  ["zone Europe/Oslo", "zone Europe/Olso", /Europe\/Olso/],
  ["include CWE", "include CEW", /CEW/],
  ['J01CA04 "Amoxicillin"', "J01CA04 Amoxicillin", /Amoxicillin is no system/],
];

test("a mistake is told by file and line: to its author, before start, at start", async () => {
  for (const [right, wrong, what] of MISTAKES) {
    const { text, line } = mistake(right, wrong);
    writeFileSync(map, text);
    for (const words of [
      ["hl7", "check-map", map],
      ["check-config", site.files.file],
      ["serve", "--config", site.files.file],
    ]) {
      const { status, stderr } = spawnSync(program, words, { encoding: "utf8", timeout: 20000 });
      assert.equal(status, 78, `${words.slice(0, 2).join(" ")}: ${wrong}: ${stderr}`);
      const said = stderr.split("\n").find((one) => one.includes(`fjordlab.map:${line}:`));
      assert.match(said ?? `not by line ${line}: ${stderr}`, what);
    }
  }
  writeFileSync(map, good);
});

/** What the gateway's log says from now on. */
function log() {
  const from = site.gateway.output().length;
  return () => site.gateway.output().slice(from);
}

/** Bring @text into force, until those who worked by what was before are gone. */
async function reload(text) {
  const [said, old] = [log(), children(site.gateway.pid)];
  writeFileSync(map, text);
  site.gateway.hup();
  await until("the new map", () => said().includes(RELOADED));
  const left = () => children(site.gateway.pid).filter((pid) => old.includes(pid));
  await until("the old workers to end", () => left().length === 0);
}

/** Ask for @text, which is refused; what the log says. */
async function refused(text) {
  const said = log();
  writeFileSync(map, text);
  site.gateway.hup();
  await until("the refusal", () => said().includes("reload refused"));
  return said();
}

test("a mistake is told at a reload, and the old maps stay", async () => {
  const before = state();
  const { text, line } = mistake("COOL -> cooled", "COOL => cooled");
  const said = await refused(text);
  assert.match(said, new RegExp(`fjordlab\\.map:${line}: `));
  assert.match(said, /the old configuration stays in force/);
  assert.equal(acked(await send(site.port, culture("C2"))).code, "AA");
  await site.quiet();
  assert.equal(site.records().at(-1).map, before);
  const notes = (await dumped()).get("ServiceRequest").flatMap(({ note }) => note);
  assert.deepEqual(notes, [{ text: "cooled" }, { text: "cooled" }]);
  writeFileSync(map, good);
});

/** The map that signs what it makes, in three places of a Bundle. */
const signed = (letter) =>
  good
    .replace("COOL -> cooled", `COOL -> "cooled ${letter}"`)
    .replace('dilution "Broth dilution"', `dilution "Broth dilution ${letter}"`)
    .replace('Urine by Culture"', `Urine by Culture ${letter}"`);

/** By which map @message was translated, by what stands at the FHIR server; all of it by one. */
function madeBy(message, found, provenance) {
  const targets = provenance.target.map(({ reference }) => found.get(reference));
  const made = targets.filter(({ resourceType }) => !/Patient|Organization/.test(resourceType));
  assert.deepEqual(
    made.map(({ resourceType, version }) => `${resourceType} ${version}`).sort(),
    ["DiagnosticReport 1", "Observation 1", "Observation 1", "ServiceRequest 1"],
    `${message.id} was written once`,
  );
  const letters = made.flatMap(({ body }) =>
    [...body.matchAll(/(?:cooled|Broth dilution|Urine by Culture) ([AB])/g)].map((one) => one[1]),
  );
  assert.equal(letters.length, 4, message.id);
  assert.equal(new Set(letters).size, 1, `${message.id} is a mixture`);
  return letters[0];
}

test("reloads under load: none lost, none twice, each by one map, which its record names", async () => {
  const maps = ["A", "B"].map(signed);
  const names = {}; // of the maps' states: the letter
  const bring = async (turn) => {
    await reload(maps[turn % 2]);
    names[state()] = "AB"[turn % 2];
  };
  await bring(0);
  const messages = Array.from({ length: RATE * SECONDS }, (_, i) => {
    const [id, patient] = [`L${i}`, `P${i % (4 * LANES)}`];
    return { id, patient, lane: i % LANES, text: culture(id, patient) };
  });
  let over = false;
  const running = load(() => site.port, messages, { rate: RATE, lanes: LANES });
  running.finally(() => (over = true));
  let turns = 0;
  while (!over) {
    await refused(`${maps[0]}\nnonsense\n`);
    await bring(++turns);
  }
  const told = await running;
  await site.quiet();
  assert.equal(told.AA, messages.length);
  assert.equal(told.AE + told.AR + told.other, 0);
  assert.ok(turns >= 3, `${turns} reloads`);

  const types = await dumped();
  const found = new Map([...types.values()].flat().map((one) => [`${one.resourceType}/${one.id}`, one]));
  const provenances = new Map(
    types.get("Provenance").map((one) => [digestIn(one), one]),
  );
  const records = site.records().filter((one) => one.outcome === "delivered");
  const count = { A: 0, B: 0 };
  for (const message of messages) {
    const letter = madeBy(message, found, provenances.get(sha256(message.text)));
    const end = message.heard.at(-1).split("…")[1];
    const its = records.filter(({ exchange }) => exchange.endsWith(end));
    assert.deepEqual(its.map((record) => names[record.map]), [letter], `the record of ${message.id}`);
    count[letter]++;
  }
  assert.ok(count.A > 0 && count.B > 0, JSON.stringify(count));
  console.log(`${turns} reloads, ${count.A} messages by one map, ${count.B} by the other`);
});
