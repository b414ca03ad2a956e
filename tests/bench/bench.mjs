// All benchmarks, one table.
//
//   tests/bench/run [--json] [GROUP…]
//
// GROUP: proxy, memory, mllp, full, mapped; all if none is given. BENCH_SECONDS: length of one turn (2);
// BENCH_REPEATS: turns of each contestant (5), interleaved. Exits 0 unless something broke:
// what was reached is to be read, on a machine that others use too.
import os from "node:os";

import { full } from "./lib/full.mjs";
import { mapped } from "./lib/mapped.mjs";
import { memory } from "./lib/memory.mjs";
import { mllp } from "./lib/mllp.mjs";
import { proxy } from "./lib/proxy.mjs";
import { repeats, seconds } from "./lib/measure.mjs";

const groups = { memory, proxy, mllp, full, mapped };
const asked = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const json = process.argv.includes("--json");
const unknown = asked.filter((word) => !groups[word]);
if (unknown.length) {
  console.error(`no group ${unknown.join(", ")}: ${Object.keys(groups).join(", ")}`);
  process.exit(64);
}

const columns = ["row", "what", "ours", "yardstick", "ratio", "goal", "reached"];
const widths = [4, 40, 32, 44, 7, 9, 7];
const line = (cells) => cells.map((cell, i) => String(cell ?? "").padEnd(widths[i])).join(" ");

const rows = [];

/** Print a row as soon as it is known: progress and result are the same lines. */
function tell(row) {
  rows.push(row);
  const reached = row.reached === undefined ? "" : row.reached ? "yes" : "no";
  if (!json) {
    console.log(line(columns.map((name) => (name === "reached" ? reached : row[name]))).trimEnd());
  }
}

const load = os.loadavg()[0].toFixed(1);
if (!json) {
  console.log(
    `${os.cpus().length} × ${os.cpus()[0].model.trim()}, load ${load} at the start; ` +
      `${repeats} turns of ${seconds} s each, medians\n`,
  );
  console.log(line(columns));
}
let failed = 0;
for (const [name, run] of Object.entries(groups)) {
  if (asked.length && !asked.includes(name)) {
    continue;
  }
  try {
    await run(tell);
  } catch (error) {
    failed++;
    console.error(`${name}: ${error.stack}`);
  }
}
if (json) {
  console.log(JSON.stringify({ seconds, repeats, load: Number(load), rows }, null, 1));
}
process.exit(failed ? 1 : 0);
