// consent explain: what it says is what the gateway does, and it says why.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import { CLINIC, consent, grantOnChain, startFhirGateway } from "./lib/fhir.mjs";
import { toSign } from "./lib/controller.mjs";
import { folder, startPlainStore } from "./lib/parts.mjs";
import { top } from "./lib/process.mjs";

const program = process.env.CHARTSEAL ?? path.join(top, "build/chartseal");
const OTHER = "urn:oid:1.2.276.0.76.2";
const SYSTEM = "urn:mrn";

let store, gw;
const where = folder("explain");

/** Ask about the patient of @number; @more are further words of the command. */
function run(number, ...more) {
  const args = ["consent", "explain", "--config", gw.files.file, "--patient"];
  return spawnSync(program, [...args, `${SYSTEM}|${number}`, ...more], { encoding: "utf8" });
}

function explain(number, ...more) {
  const { status, stdout, stderr } = run(number, "--json", ...more);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

const clinic = ["--actor", CLINIC, "--purpose", "TREAT"];
const decided = (answer) => `${answer.decision} ${answer.basis} ${answer.path ?? ""}`.trim();

/** File a consent of the patient of @number; on chain as @state says. */
async function file(number, more = {}, state = {}) {
  const body = consent({ identifier: { system: SYSTEM, value: number } }, more);
  const filed = await gw.ask("Consent", { method: "POST", body });
  assert.equal(filed.status, 201, filed.text);
  const grant = toSign(filed.json());
  if (state) {
    grantOnChain(gw.postgres, grant, state);
  }
  return grant;
}

/** A value set of the operator's: a system of codes, each of which is about genes. */
function genes() {
  const name = path.join(where, "genes.json");
  const label = { system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: "GDIS" };
  const set = {
    resourceType: "ValueSet",
    url: "urn:example:genes",
    useContext: [
      { code: { code: "focus" }, valueCodeableConcept: { coding: [label] } },
    ],
    compose: { include: [{ system: "urn:example:genes" }] },
  };
  writeFileSync(name, JSON.stringify(set));
  return name;
}

before(async () => {
  store = await startPlainStore();
  gw = await startFhirGateway(store.base, { config: { labeller: { value_sets: [genes()] } } });
});

after(async () => {
  await gw?.stop();
  await store?.stop();
});

test("a permit: who decides, by which rule, and how it stands", async () => {
  const { consentId } = await file("permitted");
  const answer = explain("permitted", ...clinic);
  assert.equal(decided(answer), "permit consent-permit rules[0]");
  assert.equal(answer.consent, consentId);
  assert.equal(answer.consents.length, 1);
  const [only] = answer.consents;
  assert.equal(only.standing, "in force");
  assert.equal(only.finding, "permits by rules[0]");
  assert.deepEqual(only.policy.rules[0].actors, [CLINIC]);
});

test("a Consent of the same identifier is the next version of the earlier one", async () => {
  const identifier = [{ system: "urn:consents", value: "7" }];
  const first = await file("identified", { identifier });
  const second = await file("identified", { identifier });
  const another = await file("identified", { identifier: [{ ...identifier[0], value: "8" }] });
  const elsewhere = await file("not-identified", { identifier });
  assert.equal(second.consentId, first.consentId);
  assert.equal(`${first.version} ${second.version}`, "1 2");
  assert.equal(new Set([first, another, elsewhere].map((grant) => grant.consentId)).size, 3);
  const { consents } = explain("identified", ...clinic);
  const versions = consents.filter((one) => one.id === first.consentId).map((one) => one.version);
  assert.deepEqual(versions, [2]);
});

test("somebody else, another purpose, none, and breaking the glass", () => {
  const of = (...more) => decided(explain("permitted", ...more));
  assert.equal(of("--actor", OTHER, "--purpose", "TREAT"), "deny consent-deny base");
  assert.equal(of("--actor", CLINIC, "--purpose", "HRESCH"), "deny consent-deny base");
  assert.equal(of("--actor", CLINIC), "deny consent-deny base");
  assert.equal(of("--actor", CLINIC, "--purpose", "BTG"), "deny consent-deny base");
});

test("each way in which a consent isn't in force", async () => {
  const grant = await file("standing", {}, null);
  const stands = () => explain("standing", ...clinic).consents[0].standing;
  const says = () => decided(explain("standing", ...clinic));
  assert.equal(stands(), "not on chain");
  assert.equal(says(), "deny not-yet-safe");
  grantOnChain(gw.postgres, grant, { safe: false });
  assert.equal(stands(), "granted, not safe yet");
  assert.equal(says(), "deny not-yet-safe");
  grantOnChain(gw.postgres, grant);
  assert.equal(says(), "permit consent-permit rules[0]");
  grantOnChain(gw.postgres, { ...grant, commitment: `0x${"77".repeat(32)}` });
  assert.equal(stands(), "not what the chain holds");
  assert.equal(says(), "deny ledger-mismatch");
  grantOnChain(gw.postgres, grant, { revoked: true });
  assert.equal(stands(), "revoked");
  assert.equal(says(), "deny revoked");
  assert.equal(decided(explain("permitted", ...clinic, "--at", "1960")), "deny not-yet-valid");
});

test("of several, a denial decides; those that say otherwise are told too", async () => {
  await file("both");
  const no = await file("both", { provision: { type: "deny" }, policyRule: undefined });
  const answer = explain("both", ...clinic);
  assert.equal(answer.decision, "deny");
  assert.equal(answer.consent, no.consentId);
  const findings = answer.consents.map(({ finding }) => finding).sort();
  assert.deepEqual(findings, ["denies by base", "permits by rules[0]"]);
});

test("what depends on the data does until the data is there", async () => {
  const glucose = { system: "http://loinc.org", code: "2339-0" };
  const rule = {
    type: "deny",
    code: [{ coding: [glucose] }],
  };
  await file("data");
  await file("data", {
    policyRule: undefined,
    provision: { type: "permit", provision: [rule] },
  });
  assert.equal(explain("data", ...clinic).decision, "depends on the data");
  const resource = path.join(where, "observation.json");
  const observation = (coding) =>
    writeFileSync(
      resource,
      JSON.stringify({ resourceType: "Observation", status: "final", code: { coding } }),
    );
  observation([glucose]);
  assert.equal(explain("data", ...clinic, "--resource", resource).decision, "deny");
  observation([{ ...glucose, code: "718-7" }]);
  assert.equal(explain("data", ...clinic, "--resource", resource).decision, "permit");
});

test("what a code says is a label: the command, reading and searching agree", async () => {
  const number = "labelled";
  const cases = [
    ["plain", { system: "http://loinc.org", code: "718-7" }, "none", "permit"],
    ["hiv", { system: "http://hl7.org/fhir/sid/icd-10-cm", code: "B20" }, "R HIV", "deny"],
    ["oid", { system: "urn:oid:2.16.840.1.113883.6.90", code: "Z21" }, "R HIV", "deny"],
    ["gene", { system: "urn:example:genes", code: "BRCA1" }, "GDIS", "deny"],
    ["drink", { system: "http://hl7.org/fhir/sid/icd-10", code: "F10.2" }, "R SUD", "permit"],
  ];
  const about = (name, coding) => ({
    resourceType: "Observation",
    id: `l-${name}`,
    status: "final",
    code: { coding: [coding] },
    subject: { reference: `Patient/${number}` },
  });
  const put = (resource) =>
    fetch(`${store.base}/${resource.resourceType}/${resource.id}`, {
      method: "PUT",
      headers: { "content-type": "application/fhir+json" },
      body: JSON.stringify(resource),
    });
  const identifier = [{ system: SYSTEM, value: number }];
  await put({ resourceType: "Patient", id: number, identifier });
  const actCode = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
  await file(number);
  await file(number, {
    policyRule: undefined,
    provision: {
      type: "permit",
      provision: [
        { type: "deny", securityLabel: ["HIV", "GDIS"].map((code) => ({ system: actCode, code })) },
      ],
    },
  });
  for (const [name, coding, labels, decision] of cases) {
    const resource = about(name, coding);
    const file = path.join(where, `${name}.json`);
    writeFileSync(file, JSON.stringify(resource));
    const answer = explain(number, ...clinic, "--resource", file);
    assert.equal(answer.labels, labels, name);
    assert.equal(answer.decision, decision, name);
    await put(resource);
    const { status } = await gw.ask(`Observation/${resource.id}`);
    assert.equal(status, decision === "permit" ? 200 : 404, name);
  }
  const found = await gw.ask(`Observation?patient=${number}`);
  const seen = (found.json().entry ?? []).map(({ resource }) => resource.id).filter(Boolean);
  assert.deepEqual(seen.sort(), ["l-drink", "l-plain"]);
});

test("a value set that can't be followed keeps the gateway from starting", () => {
  const bad = path.join(where, "bad.json");
  writeFileSync(bad, JSON.stringify({ resourceType: "ValueSet", url: "urn:x", compose: {} }));
  const other = path.join(where, "chartseal.json");
  const config = { ...gw.files.config, labeller: { value_sets: [bad] } };
  writeFileSync(other, JSON.stringify(config));
  const { status, stderr } = spawnSync(program, ["check-config", other], { encoding: "utf8" });
  assert.equal(status, 78);
  assert.match(stderr, /bad\.json: ValueSet\.useContext: names no label as its focus/);
});

test("people read it as text", () => {
  const { status, stdout } = run("permitted", ...clinic);
  assert.equal(status, 0);
  assert.match(
    stdout,
    /^decision +permit\nbasis +consent-permit\nby +0x[0-9a-f]{64} version 1 rules\[0\] r4\nengine +1\n/,
  );
  assert.match(stdout, /: in force, from \d{4}-\d\d-\d\d/);
});

test("who isn't known, and what can't be meant", () => {
  assert.equal(run("nobody", ...clinic).status, 66);
  assert.equal(run("permitted", "--purpose", "CURIOSITY").status, 64);
  assert.equal(run("permitted", "--action", "sell").status, 64);
  assert.equal(run("permitted", "--at", "soon").status, 64);
  assert.equal(run("permitted", "--resource", "/nowhere").status, 66);
});

test("that it was asked is in the log, under the patient's key", () => {
  const read = gw.records().filter((one) => one.interaction === "audit.read");
  assert.ok(read.length >= 10, `${read.length} readings`);
});
