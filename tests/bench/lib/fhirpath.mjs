// FHIRPath: CPU time for a run of expressions that are compiled already, beside npm's fhirpath.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

import { top } from "../../end_to_end/lib/process.mjs";
import { observation, searchset } from "./data.mjs";
import { MINE, ask, seconds, short, times } from "./measure.mjs";

const runFile = promisify(execFile);
const turn = Math.min(seconds, 1) / 4;
const GOAL = 20; // times npm's fhirpath

/** What is asked of an Observation: paths, searches, invariants, computing. */
const OF_ONE = [
  "Observation.code.coding.code",
  "Observation.value.value",
  "(Observation.value as Quantity).unit",
  "code.coding.where(system = 'http://loinc.org').exists()",
  "dataAbsentReason.empty() or value.empty()",
  "value.empty() or component.code.where(coding.intersect(%resource.code.coding).exists()).empty()",
  "contained.contained.empty()",
  "referenceRange.all(low.exists() or high.exists() or text.exists())",
  "effective > @2020-01-01 and effective.toString().startsWith('2026')",
  "value.value * 10 + 0.5",
  "value > 10 'g/L'",
  "subject.reference.matches('^Patient/[a-z0-9]+$')",
  "category.coding.code | code.coding.display | status",
  "iif(status = 'final', code.text, 'none')",
];

/** What is asked of a searchset of 30 KB. */
const OF_MANY = [
  "Bundle.entry.resource.ofType(Observation).id",
  "entry.resource.where(value.value > 15).count()",
  "entry.select(fullUrl & resource.meta.versionId).isDistinct()",
  "descendants().where($this is Coding).code.distinct()",
  "entry.resource.value.value.aggregate($this + $total, 0)",
];

async function peer(file, list) {
  const script = path.join(top, "tests/bench/peers/fhirpath_run.mjs");
  const command = [path.join(top, "docker/node"), script, file, list, String(turn)];
  const { stdout } = await runFile("taskset", ["-c", MINE, ...command]);
  return JSON.parse(stdout);
}

async function race(tell, where, what, resource, expressions) {
  const file = path.join(where, `${what.split(" ")[0]}.json`);
  const list = path.join(where, `${what.split(" ")[0]}.txt`);
  writeFileSync(file, resource);
  writeFileSync(list, expressions.join("\n") + "\n");
  const ours = await ask(MINE, "path_bench", file, list, turn);
  const theirs = await peer(file, list);
  const ratios = expressions.map((expression, i) => {
    assert.deepEqual(ours[i].result, theirs[i].result, expression);
    return theirs[i].us / ours[i].us;
  });
  const mean = (values) => Math.exp(values.reduce((sum, x) => sum + Math.log(x), 0) / values.length);
  const least = Math.min(...ratios);
  tell({
    row: "",
    what: `FHIRPath, ${expressions.length} expressions on ${what}`,
    ours: `${short(mean(ours.map((row) => row.us)))} µs each`,
    yardstick: `npm fhirpath ${short(mean(theirs.map((row) => row.us)))} µs; least ${times(least)}`,
    ratio: times(mean(ratios)),
    goal: `≥ ${GOAL}`,
    reached: mean(ratios) >= GOAL,
    measured: expressions.map((expression, i) => ({
      expression,
      ours: ours[i].us,
      theirs: theirs[i].us,
    })),
  });
}

export async function fhirpath(tell, where) {
  await race(tell, where, "Observation of 1 KB", JSON.stringify(observation(0)), OF_ONE);
  await race(tell, where, "searchset of 30 KB", searchset(30 << 10), OF_MANY);
}
