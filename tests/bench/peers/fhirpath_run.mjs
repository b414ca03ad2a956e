// npm's fhirpath runs expressions again and again: CPU microseconds for one run of each.
//
//   fhirpath_run.mjs FILE.json EXPRESSIONS SECONDS
//
// As path_bench: compiled once, the resource read once, the least of turns.
import { readFileSync } from "node:fs";
import fhirpath from "fhirpath";
import r4 from "fhirpath/fhir-context/r4";

const [file, list, seconds] = process.argv.slice(2);
const resource = JSON.parse(readFileSync(file, "utf8"));
const TURN_US = 10000;

const used = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

function turn(run) {
  const began = used();
  let n = 0;
  let took = 0;
  do {
    run(resource);
    n++;
    took = n % 64 ? 0 : used() - began;
  } while (took < TURN_US);
  return took / n;
}

const rows = [];
for (const expression of readFileSync(list, "utf8").trim().split("\n")) {
  const run = fhirpath.compile(expression, r4);
  const result = run(resource);
  for (let end = used() + 3e5; used() < end; ) {
    turn(run); // until it is compiled
  }
  let us = turn(run);
  for (let end = used() + Number(seconds) * 1e6; used() < end; ) {
    us = Math.min(us, turn(run));
  }
  rows.push({ us, result });
}
console.log(JSON.stringify(rows));
