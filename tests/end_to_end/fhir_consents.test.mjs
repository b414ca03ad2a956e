// Consents through the FHIR port: filed, signed and relayed, taken back; and disclosures made elsewhere.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { controller, toSign } from "./lib/controller.mjs";
import { consent, grantOnChain, startFhirGateway } from "./lib/fhir.mjs";
import { startPlainStore } from "./lib/parts.mjs";

let store, gw;

async function put(id) {
  const resource = { resourceType: "Patient", id, identifier: [{ system: "urn:mrn", value: id }] };
  const answer = await fetch(`${store.base}/Patient/${id}`, {
    method: "PUT",
    headers: { "content-type": "application/fhir+json" },
    body: JSON.stringify(resource),
  });
  assert.ok(answer.ok);
}

/** The very next requests for Patient/@id are refused, whichever worker answers. */
async function refusedFromNowOn(id) {
  const answers = await Promise.all(Array.from({ length: 12 }, () => gw.ask(`Patient/${id}`)));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [404]);
}

before(async () => {
  store = await startPlainStore();
  gw = await startFhirGateway(store.base);
  for (const id of ["anna", "carl"]) {
    await put(id);
  }
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(gw?.gateway.output());
  }
  await gw?.stop();
  await store?.stop();
});

test("what can't be enforced is refused with its place", async () => {
  const bad = consent({ reference: "Patient/carl" }, { modifierExtension: [{ url: "urn:x" }] });
  const answer = await gw.ask("Consent", { method: "POST", body: bad });
  assert.equal(answer.status, 422);
  assert.match(answer.text, /modifierExtension/);
  const nobody = consent({ reference: "Patient/nobody" });
  assert.equal((await gw.ask("Consent", { method: "POST", body: nobody })).status, 422);
});

test("a signature is checked, then relayed", async () => {
  const filed = await gw.ask("Consent", {
    method: "POST",
    body: consent({ reference: "Patient/carl" }),
  });
  const registry = { getAddress: async () => toSign(filed.json()).verifyingContract };
  const { grant, signature, statementSignature } = await controller(registry).grant(filed.json());
  const ask = (parameters) =>
    gw.ask(`Consent/${filed.json().id}/$grant`, {
      method: "POST",
      body: {
        resourceType: "Parameters",
        parameter: Object.entries(parameters).map(([name, value]) => ({
          name,
          valueString: String(value),
        })),
      },
    });
  const given = { ...grant, signature, statementSignature };
  assert.equal((await ask({ ...given, validFrom: 86400 })).status, 422);
  assert.equal((await ask({ ...given, statementSignature: signature })).status, 422);
  assert.equal((await ask({ ...given, statementSignature: "" })).status, 422);
  const { statement } = toSign(filed.json());
  assert.match(statement, new RegExp(`^Consent ${grant.consentId}, version 1, of a patient at `));
  assert.match(statement, /^Refused; but:\n1 Permitted; by urn:oid:\S+; for TREAT\.$/m);
  assert.equal((await ask(given)).status, 202);
  const [[kind, call]] = gw.postgres.sql("SELECT kind, encode(call, 'hex') FROM relay");
  assert.equal(kind, "1");
  assert.ok(call.includes(grant.commitment.slice(2)));
  const granted = gw.records().at(-1);
  assert.equal(granted.interaction, "consent.file");
  assert.ok(granted.commitments.payload, "what was signed is kept");
  const status = await gw.ask(`Consent/${filed.json().id}/$status`);
  assert.match(status.text, /"name":"grant","valueCode":"planned"/);
  assert.equal((await gw.ask("Patient/carl")).status, 404, "not before the chain has it");
});

test("a consent is filed with the document that says so", async () => {
  const filled = { resourceType: "QuestionnaireResponse", status: "completed" };
  const given = (...resources) => ({
    resourceType: "Parameters",
    parameter: resources.map((resource) => ({
      name: resource.resourceType === "Consent" ? "consent" : "document",
      resource,
    })),
  });
  const file = (body, name = "file-consent") =>
    gw.ask(`Consent/$${name}`, { method: "POST", body });
  const said = consent({ reference: "Patient/carl" });
  for (const bad of [given(said), given(filled), given(said, { resourceType: "Binary" }), said]) {
    const refused = await file(bad);
    assert.equal(refused.status, 422, refused.text);
    assert.match(refused.text, /Parameters.parameter/);
  }
  const loose = await file(given({ ...said, modifierExtension: [{ url: "urn:x" }] }, filled));
  assert.match(loose.text, /"Consent\.modifierExtension/);
  for (const name of ["file-consent", "fileConsent"]) {
    const filed = await file(given(said, filled), name);
    assert.equal(filed.status, 201, filed.text);
    const { resourceType, issue } = filed.json();
    assert.deepEqual([resourceType, issue[0].severity], ["OperationOutcome", "information"]);
    const { consentId, statement } = toSign(filed.json());
    assert.equal(
      filed.headers.get("location"),
      `${gw.base}/Consent/${consentId.slice(2)}/_history/1`,
    );
    assert.ok(statement.includes(consentId));
    const kept = gw.records().at(-1);
    assert.ok(kept.commitments.payload && kept.commitments.subject, "the document is kept");
  }
});

test("a disclosure made elsewhere becomes a record of the patient", async () => {
  const { consentId } = await gw.permit("carl");
  const code = (value) => ({ coding: [{ system: "urn:codes", code: value }] });
  const event = (more = {}) => ({
    resourceType: "AuditEvent",
    type: { system: "http://dicom.nema.org/resources/ontology/DCM", code: "110106" },
    recorded: "2026-11-01T08:00:00Z",
    source: { observer: { display: "archive" } },
    agent: [
      { requestor: true, type: code("110153"), who: { display: "archive" } },
      {
        requestor: false,
        type: code("110152"),
        who: { identifier: { system: "urn:ietf:rfc:3986", value: "urn:oid:7.7" } },
      },
    ],
    entity: [
      { what: { reference: "Patient/carl" } },
      { what: { reference: "Observation/o-carl" } },
    ],
    ...more,
  });
  const given = (disclosure, reference = `Consent/${consentId.slice(2)}`) => ({
    resourceType: "Parameters",
    parameter: [
      { name: "disclosure", resource: disclosure },
      { name: "consent", valueReference: { reference } },
    ],
  });
  const tell = (body, name = "record-disclosure") =>
    gw.ask(`AuditEvent/$${name}`, { method: "POST", body });
  for (const name of ["record-disclosure", "recordDisclosure"]) {
    const told = await tell(given(event()), name);
    assert.equal(told.status, 201, told.text);
    const kept = gw.records().at(-1);
    assert.deepEqual([kept.interaction, kept.outcome], ["disclosure", "delivered"]);
    assert.ok(kept.commitments.subject && kept.commitments.payload);
  }
  const [[released]] = gw.postgres.sql(
    "SELECT released FROM access ORDER BY record DESC LIMIT 1",
  );
  assert.equal(released, "t");

  const [carl] = event().entity;
  const { consentId: other } = await gw.permit("anna");
  const payloads = () => gw.postgres.sql("SELECT count(*) FROM payload")[0][0];
  const before = payloads();
  for (const [bad, why] of [
    [given({ ...event(), resourceType: "Basic" }), /is an AuditEvent/],
    [given(event(), "Consent/nothing"), /refers to a Consent/],
    [given(event(), `Consent/${"ab".repeat(32)}`), /no such consent/],
    [given(event(), `Consent/${other.slice(2)}`), /no such consent/],
    [given(event({ entity: [] })), /one Patient/],
    [given(event({ entity: [carl, carl] })), /one Patient/],
    [given(event({ entity: [{ what: { reference: "Patient/nobody" } }] })), /isn't known/],
    [given(event({ agent: event().agent.slice(0, 1) })), /who got it/],
  ]) {
    const refused = await tell(bad);
    assert.equal(refused.status, 422, refused.text);
    assert.match(refused.text, why);
  }
  assert.equal(payloads(), before, "of what is refused nothing is kept, under no key");
  const scope = "user/AuditEvent.rs user/Patient.cruds";
  const forbidden = await gw.ask("AuditEvent/$record-disclosure", {
    method: "POST",
    body: given(event()),
    claims: { scope },
  });
  assert.equal(forbidden.status, 403);
});

test("a revocation on chain refuses the next request", async () => {
  await put("dora");
  const grant = await gw.permit("dora");
  grantOnChain(gw.postgres, grant, { revoked: true });
  await refusedFromNowOn("dora");
});

test("a policy changed in PostgreSQL refuses the next request", async () => {
  await put("emil");
  const grant = await gw.permit("emil");
  gw.postgres.sql(
    `UPDATE consent SET sealed = set_byte(sealed, 70, get_byte(sealed, 70) # 1)
     WHERE consent = decode('${grant.consentId.slice(2)}', 'hex')`,
  );
  await refusedFromNowOn("emil");
});
