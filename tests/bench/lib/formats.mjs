// FHIR between XML and JSON, and JSON read and written: CPU time beside npm's fhir and yajl.
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

import { top } from "../../end_to_end/lib/process.mjs";
import { searchset } from "./data.mjs";
import { MINE, ask, race, seconds, short, times, whole } from "./measure.mjs";

const runFile = promisify(execFile);
const turn = Math.min(seconds, 1) / 2;
const GOAL = 60; // MB/s each way

async function peer(from, file) {
  const script = path.join(top, "tests/bench/peers/fhir_convert.mjs");
  const command = [path.join(top, "docker/node"), script, from, file, String(turn * 2)];
  const { stdout } = await runFile("taskset", ["-c", MINE, ...command]);
  return JSON.parse(stdout);
}

/** Each way of a searchset of @bytes. */
async function ways(tell, where, name, bytes) {
  const json = path.join(where, `formats-${bytes}.json`);
  const xml = path.join(where, `formats-${bytes}.xml`);
  writeFileSync(json, searchset(bytes));
  await ask(MINE, "fhir_bench", json, 0, xml);
  const got = await race({
    ours: () => ask(MINE, "fhir_bench", json, turn),
    fromXml: () => peer("xml", xml),
    fromJson: () => peer("json", json),
  });
  for (const [what, size, mine, theirs] of [
    ["XML to JSON", got.ours.xml, got.ours.xml_to_json_us, got.fromXml.us],
    ["JSON to XML", got.ours.json, got.ours.json_to_xml_us, got.fromJson.us],
  ]) {
    tell({
      row: "",
      what: `${name}, ${what}`,
      ours: `${whole(mine)} µs, ${whole(size / mine)} MB/s`,
      yardstick: `npm fhir ${short(size / theirs)} MB/s`,
      ratio: times(theirs / mine),
      goal: `≥ ${GOAL} MB/s`,
      reached: size / mine >= GOAL,
      measured: got,
    });
  }
  const ratio = got.ours.yajl_us / got.ours.json_us;
  tell({
    row: "",
    what: `${name}, JSON read and written`,
    ours: `${whole(got.ours.json_us)} µs, ${whole(got.ours.json / got.ours.json_us)} MB/s`,
    yardstick: `yajl and yajl_gen ${whole(got.ours.json / got.ours.yajl_us)} MB/s`,
    ratio: times(ratio),
    goal: "≥ 0.7",
    reached: ratio >= 0.7,
  });
}

export async function formats(tell, where) {
  await ways(tell, where, "30 KB", 30 << 10);
  await ways(tell, where, "1 MB", 1 << 20);
}
