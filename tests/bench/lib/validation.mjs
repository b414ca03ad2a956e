// Validation: CPU time for a resource beside the validator of Medplum's server.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

import { top } from "../../end_to_end/lib/process.mjs";
import { observation, patient } from "./data.mjs";
import { MINE, ask, race, seconds, short, times } from "./measure.mjs";

const runFile = promisify(execFile);
const turn = Math.min(seconds, 1) / 2;
const GOAL = 20; // times Medplum's

/** Resources, and the same with a mistake each: in structure, type, cardinality, an invariant. */
function resources() {
  const good = [JSON.parse(patient("p1", 400)), ...[0, 1, 2, 3].map(observation)];
  const bad = [
    { ...observation(4), valueQuantity: undefined, valueString: 5 },
    { ...observation(5), status: undefined },
    { ...observation(6), performers: [] },
    { ...observation(7), referenceRange: [{ appliesTo: [{ text: "all" }] }] }, // obs-3
    { ...JSON.parse(patient("p2", 400)), contact: [{ gender: "male" }] }, // pat-1
  ];
  return [...good, ...bad];
}

async function peer(file) {
  const script = path.join(top, "tests/bench/peers/validate.mjs");
  const command = [path.join(top, "docker/node"), script, file, String(turn)];
  const { stdout } = await runFile("taskset", ["-c", MINE, ...command], { maxBuffer: 1 << 24 });
  return JSON.parse(stdout);
}

/** A turn's time; verdicts must be @want in each. */
async function judged(work, want) {
  const { us, valid } = await work();
  assert.equal(valid, want);
  return { us };
}

export async function validation(tell, where) {
  const file = path.join(where, "resources.ndjson");
  const list = resources();
  writeFileSync(file, list.map((resource) => JSON.stringify(resource)).join("\n") + "\n");
  const want = "1".repeat(5) + "0".repeat(5);
  const got = await race({
    ours: () => judged(() => ask(MINE, "validate_bench", file, turn), want),
    medplum: () => judged(() => peer(file), want),
  });
  const ratio = got.medplum.us / got.ours.us;
  tell({
    row: "",
    what: `validation, ${list.length} resources, half of them wrong`,
    ours: `${short(got.ours.us)} µs each`,
    yardstick: `@medplum/core ${short(got.medplum.us)} µs, the same verdicts`,
    ratio: times(ratio),
    goal: `≥ ${GOAL}`,
    reached: ratio >= GOAL,
    measured: got,
  });
}
