// What transactions cost, against what tests/contracts/gas.json says that they do.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { top } from "./process.mjs";

const file = `${top}/tests/contracts/gas.json`;

/**
 * Gas of one section of the file: used(what, amount) tells what a transaction took, tests(), to
 * be called last, declares the tests that compare.
 */
export function gasOf(section) {
  const told = [];
  const { limits, used } = JSON.parse(readFileSync(file, "utf8"))[section];
  const check = (what, least) => {
    const most = Math.max(...told.filter(([name]) => name === what).map(([, n]) => n));
    assert.ok(most < least * 1.02, `${most}: make it cheaper, or write it down in ${file}`);
    assert.ok(most <= (limits[what] ?? Infinity), `${most}: the limit is ${limits[what]}`);
  };
  return {
    used: (what, amount) => told.push([what, amount]),
    tests() {
      describe("gas", () => {
        test("all that is written down was measured, and the other way round", () => {
          const names = [...new Set(told.map(([what]) => what))];
          assert.deepEqual(names.sort(), Object.keys(used).sort());
        });
        for (const [what, least] of Object.entries(used)) {
          test(`${what}: ${least}, and no 2 % more`, () => check(what, least));
        }
      });
    },
  };
}
