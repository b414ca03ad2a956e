// The tenant's signed policy: what holds without consent, what overrides it, and obligations.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import { CLINIC, startFhirGateway } from "./lib/fhir.mjs";
import { folder, startPlainStore } from "./lib/parts.mjs";
import { top } from "./lib/process.mjs";

const program = process.env.CHARTSEAL ?? path.join(top, "build/chartseal");
const where = folder("tenant");
const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const NOTICE = "Not to be passed on.";

/** A policy as its canonical text has it: members in order, as they are written here. */
const rules = (...rules) => ({ base: "silent", rules, schema: 1 });

const policy = {
  combining: "deny-overrides",
  implicit: [{ policy: "https://profiles.ihe.net/ITI/PCF/Policy-basic-normal" }],
  legal: rules({ classes: ["Observation"], codes: ["urn:codes|secret"], effect: "deny" }),
  obligations: [
    {
      when: { base: "deny", schema: 1, scope: { classes: ["Patient"] } },
      redact: ["Patient.telecom"],
      mask: ["Patient.birthDate"],
      notice: NOTICE,
    },
  ],
  schema: 1,
};

const named = (name) => path.join(where, name);
let store, gw;

/** Have @resource at the FHIR server. */
async function put(resource) {
  const answer = await fetch(`${store.base}/${resource.resourceType}/${resource.id}`, {
    method: "PUT",
    headers: { "content-type": "application/fhir+json" },
    body: JSON.stringify(resource),
  });
  assert.ok(answer.ok, `${answer.status}`);
}

const researcher = {
  extensions: {
    "hl7-b2b": {
      version: "1",
      organization_id: CLINIC,
      purpose_of_use: ["urn:oid:2.16.840.1.113883.5.8#HRESCH"],
    },
  },
};

before(async () => {
  writeFileSync(named("policy.json"), JSON.stringify(policy));
  writeFileSync(named("policy.json.sig"), sign(null, readFileSync(named("policy.json")), privateKey));
  writeFileSync(named("public.pem"), publicKey.export({ type: "spki", format: "pem" }));
  store = await startPlainStore();
  await put({
    resourceType: "Patient",
    id: "p1",
    text: { status: "generated", div: "<div xmlns=\"http://www.w3.org/1999/xhtml\">555</div>" },
    identifier: [{ system: "urn:mrn", value: "1" }],
    telecom: [{ system: "phone", value: "555" }],
    birthDate: "1970-01-01",
    managingOrganization: { reference: `${store.base}/Organization/o1` },
  });
  const observation = (id, code) => ({
    resourceType: "Observation",
    id,
    status: "final",
    code: { coding: [{ system: "urn:codes", code }] },
    subject: { reference: "Patient/p1" },
  });
  await put(observation("plain", "usual"));
  await put(observation("secret", "secret"));
  const consent = { policy: named("policy.json"), policy_key: named("public.pem") };
  gw = await startFhirGateway(store.base, { config: { consent } });
});

after(async () => {
  await gw?.stop();
  await store?.stop();
});

test("who has no consent is shown for treatment, as the implicit policy says", async () => {
  assert.equal((await gw.ask("Observation/plain")).status, 200);
  assert.equal((await gw.ask("Observation/plain", { claims: researcher })).status, 404);
});

test("a legal rule overrides", async () => {
  assert.equal((await gw.ask("Observation/secret")).status, 404);
  const found = (await gw.ask("Observation?patient=p1")).json();
  const ids = found.entry.map((entry) => entry.resource.id).filter(Boolean);
  assert.deepEqual(ids, ["plain"]);
  assert.ok((await gw.records()).some((record) => record.basis === "legal"));
});

/** What the obligations leave of the Patient. */
function checkObliged(patient) {
  assert.equal(patient.telecom, undefined);
  assert.equal(patient.birthDate, undefined);
  assert.equal(patient._birthDate.extension[0].valueCode, "masked");
  assert.equal(patient.text, undefined);
  assert.equal(patient.identifier[0].value, "1");
  assert.ok(patient.meta.security.some((coding) => coding.code === "REDACTED"));
  assert.ok(patient.meta.tag.some((tag) => tag.display === NOTICE));
  assert.equal(patient.managingOrganization.reference, `${gw.base}/Organization/o1`);
}

test("obligations are carried out on what is read and on what is found", async () => {
  const read = await gw.ask("Patient/p1");
  assert.equal(read.status, 200, read.text);
  assert.equal(read.headers.get("etag"), null); // it would be that of other bytes
  checkObliged(read.json());
  const found = (await gw.ask("Patient?_id=p1")).json();
  checkObliged(found.entry.find((entry) => entry.resource.resourceType === "Patient").resource);
  assert.doesNotMatch(JSON.stringify(found), /555/);
});

test("who isn't shown all of it doesn't write it", async () => {
  const patient = (await gw.ask("Patient/p1")).json();
  const answer = await gw.ask("Patient/p1", { method: "PUT", body: patient });
  assert.ok(answer.status === 403 || answer.status === 404, `${answer.status}`);
  const kept = await (await fetch(`${store.base}/Patient/p1`)).json();
  assert.equal(kept.birthDate, "1970-01-01");
  assert.ok((await gw.records()).some((record) => record.basis === "minimum-necessary"));
});

test("consent explain names policy and obligations", () => {
  const args = ["consent", "explain", "--config", gw.files.file, "--patient", "urn:mrn|1", "--actor"];
  const resource = named("patient.json");
  writeFileSync(resource, JSON.stringify({ resourceType: "Patient", id: "p1" }));
  const more = [CLINIC, "--purpose", "TREAT", "--resource", resource, "--json"];
  const { status, stdout, stderr } = spawnSync(program, [...args, ...more], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const says = JSON.parse(stdout);
  const digest = createHash("sha256").update(readFileSync(named("policy.json"))).digest("hex");
  assert.equal(`${says.decision} ${says.basis}`, "permit implicit-policy");
  assert.equal(says.policy, `0x${digest}`);
  assert.deepEqual(says.obligations, [0]);
});

/** What consent simulate says of a policy without signature. */
function simulate(draft, ...more) {
  writeFileSync(named("draft.json"), typeof draft === "string" ? draft : JSON.stringify(draft));
  const args = ["consent", "simulate", "--config", gw.files.file, "--policy", named("draft.json")];
  return spawnSync(program, [...args, ...more], { encoding: "utf8" });
}

test("consent simulate tells what another policy would change", () => {
  const same = simulate(policy, "--json");
  assert.equal(same.status, 0, same.stderr);
  const kept = JSON.parse(same.stdout);
  assert.ok(kept.asked > 4 && kept.unasked > 0, same.stdout);
  assert.deepEqual([kept.changed, kept.changes, kept.closed], [0, [], 0]);

  const { implicit: _, ...stricter } = policy;
  const { stdout } = simulate(stricter, "--json");
  const told = JSON.parse(stdout);
  const of = (decision, basis) =>
    told.changes.filter(({ now }) => now.decision === decision && now.basis === basis);
  const reads = told.changes.filter(({ interaction }) => interaction === "read");
  assert.ok(reads.length > 0, stdout);
  for (const { route, now, then, records, newest } of reads) {
    assert.deepEqual([route, then.decision], ["fhir:0", "deny"]);
    assert.match(then.basis, /^(legal|no-consent)$/);
    assert.notEqual(now.decision, "deny", "whoever was refused already stays so");
    assert.ok(records > 0);
    assert.ok(gw.records().some(({ id }) => id === newest));
  }
  assert.equal(of("deny", "no-consent").length, 0);
  assert.equal(told.changed, told.changes.reduce((sum, { records }) => sum + records, 0));
  const text = simulate(stricter).stdout;
  assert.match(text, /^would change +\d+ \(\d+\.\d %\)$/m);
  assert.match(text, /read +(permit|depends on the data): .*deny: (legal|no-consent)/);
  assert.equal(gw.records().at(-1).interaction, "audit.read", "that it was looked is recorded");
});

test("a draft that is no policy is refused with its place", () => {
  const { status, stderr, stdout } = simulate({ ...policy, combining: "as you like" });
  assert.equal(status, 65);
  assert.match(stderr, /draft\.json: .*combining/);
  assert.equal(stdout, "");
  assert.equal(simulate(policy, "--limit", "0").status, 64);
});

test("a policy that somebody else signed is refused", () => {
  const other = generateKeyPairSync("ed25519").privateKey;
  writeFileSync(named("other.json"), JSON.stringify(policy));
  writeFileSync(named("other.json.sig"), sign(null, readFileSync(named("other.json")), other));
  const consent = { policy: named("other.json"), policy_key: named("public.pem") };
  writeFileSync(named("config.json"), JSON.stringify({ ...gw.files.config, consent }));
  const { status, stderr } = spawnSync(program, ["check-config", named("config.json")], {
    encoding: "utf8",
  });
  assert.equal(status, 78);
  assert.match(stderr, /other\.json\.sig: not this key's signature of the policy/);
});
