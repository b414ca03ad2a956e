// P12 and what else is done with HL7 v2 in memory: one ORU, and the reference corpus.
import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

import { top } from "../../end_to_end/lib/process.mjs";
import { oru, siteMap } from "./data.mjs";
import { MINE, ask, race, seconds, short, times, whole } from "./measure.mjs";

const runFile = promisify(execFile);
const turn = Math.min(seconds, 1) / 2;
const SITE_ROWS = 10000;
const MOST_MEMORY = 100; // MB

/** Each package of the field parses the same messages: µs of CPU for one. */
async function peer(name, where) {
  const script = path.join(top, "tests/bench/peers/v2_parse.mjs");
  const command = [path.join(top, "docker/node"), script, name, where, String(turn * 2)];
  const { stdout } = await runFile("taskset", ["-c", MINE, ...command]);
  return JSON.parse(stdout);
}

const rate = (us) => `${whole(1e6 / us)}/s`;
const speed = (x) => x.bytes / x.us;

async function oneMessage(tell, where) {
  const file = path.join(where, "oru.hl7");
  writeFileSync(file, oru().replaceAll("@ID@", "M1").replaceAll("@PT@", "4711"));
  const got = await race({
    ours: () => ask(MINE, "v2_bench", file, turn),
    medplum: () => peer("@medplum/core", file),
    client: () => peer("node-hl7-client", file),
  });
  const { ours, medplum, client } = got;
  tell({
    row: "P12",
    what: `ORU of ${whole(ours.bytes)} bytes, 13 OBX, to a Bundle`,
    ours: `${short(ours.translate_us)} µs, ${rate(ours.translate_us)}`,
    yardstick: `@medplum/core ${short(medplum.us)} µs for parsing alone`,
    ratio: times(medplum.us / ours.translate_us),
    goal: "≤ 50 µs",
    reached: ours.translate_us <= 50,
    measured: got,
  });
  tell({
    row: "",
    what: "v2 parsing, the same message",
    ours: `${short(ours.parse_us)} µs, ${whole(ours.parse_mb_s)} MB/s`,
    yardstick: `@medplum/core ${short(speed(medplum))}, node-hl7-client ${short(speed(client))} MB/s`,
    ratio: times(ours.parse_mb_s / Math.max(speed(medplum), speed(client))),
    goal: "≥ 500 MB/s",
    reached: ours.parse_mb_s >= 500,
  });
}

/** The messages of the reference data, with 10,000 rows of a site over the shipped maps. */
async function corpus(tell, where) {
  const folder = path.join(process.env.CHARTSEAL_DATA ?? "", "v2_messages");
  if (!process.env.CHARTSEAL_DATA || !existsSync(folder)) {
    tell({ row: "", what: "the corpus of messages", ours: "skipped: no reference data, wanted v2_messages" });
    return;
  }
  const map = path.join(where, "site.map");
  writeFileSync(map, siteMap(SITE_ROWS));
  const got = await race({
    ours: () => ask(MINE, "v2_bench", folder, turn),
    site: () => ask(MINE, "v2_bench", folder, turn, map),
    medplum: () => peer("@medplum/core", folder),
    client: () => peer("node-hl7-client", folder),
  });
  const { ours, site, medplum, client } = got;
  const least = Math.min(medplum.us, client.us);
  const mb = `${whole(ours.parse_mb_s)} MB/s`;
  tell({
    row: "",
    what: `v2 parsing, ${whole(ours.messages)} messages of the corpus`,
    ours: `${rate(ours.parse_us)}, ${mb}`,
    yardstick: `@medplum/core ${rate(medplum.us)}, node-hl7-client ${rate(client.us)}`,
    ratio: times(least / ours.parse_us),
    goal: "≥ 150,000/s, 500 MB/s",
    reached: ours.parse_us <= 1e6 / 150000 && ours.parse_mb_s >= 500,
    measured: got,
  });
  tell({
    row: "",
    what: `    ${whole(ours.translated)} of them to validated FHIR JSON`,
    ours: `${rate(ours.valid_us)}, ${short(ours.valid_us)} µs`,
    yardstick: `without validation ${short(ours.translate_us)} µs`,
    goal: "≥ 10,000/s",
    reached: ours.valid_us <= 100,
  });
  tell({
    row: "",
    what: `    maps with ${whole(SITE_ROWS)} rows of a site compiled`,
    ours: `${short(site.compile_ms)} ms`,
    yardstick: `the shipped ones alone ${short(ours.compile_ms)} ms`,
    goal: "≤ 20 ms",
    reached: site.compile_ms <= 20,
  });
  const resident = site.resident_kb / 1024;
  tell({
    row: "",
    what: "    memory of all that",
    ours: `${short(resident)} MB`,
    goal: `< ${MOST_MEMORY} MB`,
    reached: resident < MOST_MEMORY,
  });
}

export async function messages(tell, where) {
  await oneMessage(tell, where);
  await corpus(tell, where);
}
