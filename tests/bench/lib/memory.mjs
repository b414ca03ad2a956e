// P4, P5, P12, P13, XML and JSON, consent decisions, the tree: nothing but CPU and memory.
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

import { folder } from "../../end_to_end/lib/parts.mjs";
import { longString, searchset } from "./data.mjs";
import { fhirpath } from "./fhirpath.mjs";
import { formats } from "./formats.mjs";
import { MINE, ask, program, race, repeats, seconds, times, whole } from "./measure.mjs";
import { messages } from "./messages.mjs";
import { validation } from "./validation.mjs";

const runFile = promisify(execFile);
const turn = Math.min(seconds, 1) / 2;

async function bundles(tell, where) {
  for (const [name, bytes] of [["30 KB", 30 << 10], ["1 MB", 1 << 20]]) {
    for (const indent of [2, 0]) {
      const file = path.join(where, `searchset-${bytes}-${indent}.json`);
      writeFileSync(file, searchset(bytes, indent));
      const { one } = await race({ one: () => ask(MINE, "json_bench", file, turn) });
      const shape = indent ? "pretty" : "minified";
      const yajl = `yajl ${whole(one.yajl_us)} µs`;
      for (const [row, key, what, goal] of [
        ["P4", "inspected_us", "inspected, nothing changed", 1.35],
        ["P5", "spliced_us", "every second entry removed", 1.6],
      ]) {
        const ratio = one[key] / one.yajl_us;
        tell({
          row,
          what: `${name} ${shape}, ${what}`,
          ours: `${whole(one[key])} µs, ${whole(one.bytes / one[key])} MB/s`,
          yardstick: `${yajl}, ${whole(one.bytes / one.yajl_us)} MB/s`,
          ratio: times(ratio),
          goal: `≤ ${goal}`,
          reached: ratio <= goal,
          measured: one,
        });
      }
    }
  }
}

async function longStrings(tell, where) {
  const file = path.join(where, "long.json");
  writeFileSync(file, longString(8 << 20));
  const got = await race({
    pieces: () => ask(MINE, "json_bench", file, turn, 1460),
    one: () => ask(MINE, "json_bench", file, turn, 0),
  });
  const ratio = got.pieces.inspected_us / got.one.inspected_us;
  tell({
    row: "P13",
    what: "8 MB base64 in 1,460-byte pieces",
    ours: `${whole(got.pieces.inspected_us)} µs`,
    yardstick: `in one piece ${whole(got.one.inspected_us)} µs; yajl in pieces ${whole(got.pieces.yajl_us)}`,
    ratio: times(ratio),
    goal: "≤ 2",
    reached: ratio <= 2,
    measured: got,
  });
}

async function consents(tell) {
  const { stdout } = await runFile("taskset", ["-c", MINE, program("consent_bench")]);
  const number = (pattern) => Number(pattern.exec(stdout)[1]);
  const warm = number(/warm +(\d+) ns/);
  const scattered = number(/scattered +(\d+) ns/);
  const bytes = number(/([\d.]+) bytes per consent/);
  const load = number(/load +([\d.]+) s/);
  tell({
    row: "",
    what: "consent decision, 1,000,000 consents",
    ours: `${warm} ns warm, ${scattered} ns scattered`,
    goal: "≤ 2 µs",
    reached: warm <= 2000,
  });
  tell({
    row: "",
    what: "    memory and load of the index",
    ours: `${bytes} bytes each, ${load} s`,
    goal: "≤ 200, 15 s",
    reached: bytes <= 200 && load <= 15,
  });
}

async function tree(tell) {
  const { one } = await race({ one: () => ask(MINE, "log_bench", turn) }, Math.min(repeats, 3));
  tell({
    row: "",
    what: "leaves appended, tiles handed out",
    ours: `${whole(one.leaves_per_s)}/s`,
    goal: "≥ 4,000,000",
    reached: one.leaves_per_s >= 4e6,
    measured: one,
  });
}

export async function memory(tell) {
  const where = folder("bench-memory");
  await bundles(tell, where);
  await longStrings(tell, where);
  await formats(tell, where);
  await fhirpath(tell, where);
  await messages(tell, where);
  await validation(tell, where);
  await consents(tell);
  await tree(tell);
}
