// $consent-explain: staff ask why a request ended as it did, by its id; and that they asked is recorded.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { CLINIC, startFhirGateway } from "./lib/fhir.mjs";
import { startPlainStore } from "./lib/parts.mjs";
import { until } from "./lib/process.mjs";
import { issuer } from "./lib/token.mjs";

const OTHER = "urn:oid:1.2.276.0.76.2";

let store, strict, gw;

const put = (id) =>
  fetch(`${store.base}/Patient/${id}`, {
    method: "PUT",
    headers: { "content-type": "application/fhir+json" },
    body: JSON.stringify({ resourceType: "Patient", id }),
  });

/** A token of the staff's; @more replaces claims. */
const staff = ({ roles = ["urn:roles|privacy"], ...more } = {}) =>
  strict.token({
    aud: gw.base,
    sub: "officer",
    scope: "user/AuditEvent.rs",
    extensions: { "hl7-b2b": { version: "1", organization_id: CLINIC, subject_role: roles } },
    ...more,
  });

const why = async (id, as) => gw.ask(`$consent-explain?request=${id}`, { as: as ?? (await staff()) });

/** Parameters by name; consents as a list of such. */
function told(answer) {
  assert.equal(answer.status, 200, answer.text);
  const value = ({ valueString, valueCode, valueInteger, valueInstant }) =>
    valueString ?? valueCode ?? valueInteger ?? valueInstant;
  const named = (list) => Object.fromEntries(list.map((one) => [one.name, value(one)]));
  const all = answer.json().parameter;
  const consents = all.filter(({ name }) => name === "consent").map(({ part }) => named(part));
  return { ...named(all), consents };
}

const claims = (organization, roles = []) => ({
  extensions: {
    "hl7-b2b": {
      version: "1",
      organization_id: organization,
      subject_role: roles,
      purpose_of_use: ["urn:oid:2.16.840.1.113883.5.8#TREAT"],
    },
  },
});

before(async () => {
  store = await startPlainStore();
  strict = await issuer({ iss: "https://strict.example" });
  gw = await startFhirGateway(store.base, {
    others: [[strict, { roles: { explain: ["urn:roles#privacy"] } }]],
  });
  for (const id of ["anna", "bert"]) {
    await put(id);
  }
});

after(async () => {
  await gw?.stop();
  await store?.stop();
});

test("a refusal is explained by the id that it told, with what could be done", async () => {
  const refused = await gw.ask("Patient/anna");
  assert.equal(refused.status, 404);
  const id = refused.headers.get("x-request-id");
  const answer = told(await why(id));
  assert.deepEqual(
    [answer.interaction, answer.outcome, answer.basis, answer.ground, answer.now, answer.nowBasis],
    ["read", "deny", "no-consent", "consent", "deny", "no-consent"],
  );
  assert.equal(answer.asked, "GET /fhir/Patient/anna");
  assert.match(answer.advice, /ask the patient/);
  assert.deepEqual(answer.consents, []);
  assert.deepEqual(JSON.parse(answer.decision), {
    engine: 1, grounds: [{ basis: "no-consent" }],
  });
  assert.equal(answer.record, gw.records().find(({ exchange }) => exchange === id).id);
});

test("the rule that decides is named, for who asked and not for who asks why", async () => {
  const { consentId } = await gw.permit("anna");
  const other = await gw.ask("Patient/anna", { claims: claims(OTHER, ["urn:r|nurse"]) });
  assert.equal(other.status, 404);
  const refused = told(await why(other.headers.get("x-request-id")));
  assert.deepEqual(
    [refused.basis, refused.now, refused.by, refused.byVersion, refused.byRule],
    ["consent-deny", "deny", consentId, 1, "base"],
  );
  assert.equal(refused.consents.length, 1);
  assert.equal(refused.consents[0].finding, "denies by base");
  const { engine, grounds: [ground, ...more] } = JSON.parse(refused.decision);
  assert.deepEqual([engine, more.length], [1, 0]);
  assert.match(ground.policy, /^[0-9a-f]{64}$/);
  assert.deepEqual(
    [ground.basis, ground.consent, ground.reading, ground.rule, ground.safe, ground.version],
    ["consent-deny", consentId, "r4", "base", true, 1],
  );
  assert.deepEqual(JSON.parse(refused.consents[0].policy).rules[0].actors, [CLINIC]);
  const shown = await gw.ask("Patient/anna");
  const permitted = told(await why(shown.headers.get("x-request-id")));
  assert.deepEqual(
    [permitted.outcome, permitted.basis, permitted.now, permitted.byRule],
    ["permit", "permit", "permit", "rules[0]"],
  );
  assert.equal(permitted.consents[0].standing, "in force");
});

test("what no consent decided is explained by its basis", async () => {
  const narrow = await gw.ask("Patient/anna", { claims: { scope: "user/Observation.rs" } });
  assert.equal(narrow.status, 403);
  const answer = told(await why(narrow.headers.get("x-request-id")));
  assert.deepEqual([answer.basis, answer.ground, answer.now], ["scope", "authority", undefined]);
  assert.match(answer.advice, /tokens/);
});

test("only staff may ask", async () => {
  const refused = await gw.ask("Patient/bert");
  const id = refused.headers.get("x-request-id");
  const cases = [
    [id, await staff({ roles: [] }), 403, "role"],
    [id, await gw.token({ scope: "user/*.rs" }), 403, "role"],
    [id, await staff({ scope: "user/Patient.rs" }), 403, "scope"],
    [id, await staff({ scope: "patient/AuditEvent.rs", patient: "bert" }), 403, "scope"],
    ["00".repeat(16), undefined, 404, "not-found"],
    ["nonsense", undefined, 400, "path"],
    [`${id}0`, undefined, 400, "path"],
    [id, undefined, 200, "explained"],
  ];
  for (const [which, as, status, basis] of cases) {
    const answer = await why(which, as);
    assert.equal(answer.status, status, answer.text);
    assert.equal(gw.records().at(-1).basis, basis);
    assert.equal(gw.records().at(-1).interaction, "audit.read");
  }
});

test("that it was asked is recorded under the patient's key, and isn't what is explained", async () => {
  const { headers } = await gw.ask("Patient/anna", { claims: claims(OTHER) });
  const id = headers.get("x-request-id");
  const first = told(await why(id));
  const record = gw.records().at(-1);
  assert.deepEqual([record.interaction, record.outcome], ["audit.read", "done"]);
  assert.ok(record.commitments.subject);
  assert.equal(told(await why(id)).record, first.record);
});

test("after the patient's keys are gone the record alone is told", async () => {
  const { headers } = await gw.ask("Patient/anna", { claims: claims(OTHER) });
  const id = headers.get("x-request-id");
  const [[number]] = gw.postgres.sql(`SELECT patient FROM access WHERE exchange = '${id}'`);
  gw.postgres.sql(`SELECT patient_shred('${number}')`);
  let answer;
  await until("shredded", async () => (answer = told(await why(id))).asked === undefined);
  assert.deepEqual([answer.basis, answer.now, answer.consents], ["consent-deny", undefined, []]);
});
