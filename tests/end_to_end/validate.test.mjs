// Validation: what a v2 message becomes and what a FHIR client writes, on routes that warn and on
// routes that reject; and $validate.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { MedplumClient } from "@medplum/core";

import { CLINIC, startFhirGateway } from "./lib/fhir.mjs";
import { reloaded } from "./lib/killer.mjs";
import { folder, startPlainStore } from "./lib/parts.mjs";
import { freePort } from "./lib/process.mjs";
import { startSite } from "./lib/site.mjs";
import { acked, collect, oru, send } from "./lib/v2.mjs";

const NAMED = "http://lab.example/StructureDefinition/named";

/** A package with one profile: a patient has a phone. */
function packageFolder() {
  const where = folder("package");
  const profile = {
    resourceType: "StructureDefinition",
    url: NAMED,
    type: "Patient",
    snapshot: {
      element: [{ path: "Patient" }, { path: "Patient.telecom", min: 1, max: "*" }],
    },
  };
  writeFileSync(path.join(where, "named.json"), JSON.stringify(profile));
  return where;
}

/** A map by which a woman's gender becomes a code that FHIR doesn't know. */
function wrongMap() {
  const file = path.join(folder("maps"), "wrong.map");
  writeFileSync(file, "table AdministrativeGender\n    F -> lady\n");
  return file;
}

describe("HL7 v2", () => {
  let site, strict, mild;
  const mllp = (port, more) => ({
    protocol: "mllp",
    address: `127.0.0.1:${port}`,
    senders: [{ address: "127.0.0.1", organization: "urn:oid:1.2.3",
                assigners: { LAB: "urn:oid:1.2.3.4" }, ...more }],
  });

  before(async () => {
    strict = await freePort();
    mild = await freePort();
    const wrong = { maps: [wrongMap()] };
    site = await startSite({
      listeners: { strict: mllp(strict, { ack: "enhanced" }), mild: mllp(mild) },
      routes: [
        { to: ["ehr"], validate: "reject", profiles: [NAMED] },
        { from: "strict", to: ["ward", "ehr"], validate: "reject", ...wrong },
        { from: "mild", to: ["ehr"], validate: "warn", ...wrong },
      ],
      config: { packages: [packageFolder()] },
    });
  });

  after(() => site?.stop());

  const refused = () =>
    site.records().filter((one) => one.outcome === "refused" && one.basis === "invalid");

  test("what breaks FHIR is refused with its place in the message, and goes nowhere", async () => {
    const before = refused().length;
    const answer = await send(strict, oru("V1"));
    assert.equal(acked(answer).code, "AE");
    assert.match(answer, /\rERR\|\|PID\^1\^8\^1[^|]*\|103\^/, answer);
    assert.match(answer, /Patient\.gender/);
    assert.doesNotMatch(answer.split("\rERR")[1], /lady|Müller/, "no content");
    await site.quiet();
    assert.deepEqual(site.receiver.received().filter(({ id }) => id === "V1"), []);
    assert.deepEqual(site.outbox(), [], "neither destination");
    const records = refused();
    assert.equal(records.length, before + 1);
    assert.ok(records.at(-1).map, "the record names the maps");
    assert.equal(await site.gateway.metric('chartseal_validations_total{result="invalid"}') >= 1, true);
  });

  test("in enhanced mode CE says it", async () => {
    const asking = oru("V2").replace("|P|2.5.1||||||", "|P|2.5.1|||AL|NE||");
    const frames = await collect(strict, [asking]);
    assert.deepEqual(frames.map((one) => acked(one).code), ["CE"]);
    assert.match(frames[0], /\rERR\|\|PID\^1\^8\^1/);
  });

  test("what breaks a profile of the route is refused; what keeps it is delivered", async () => {
    const answer = await send(site.port, oru("V3", { patient: "4801" }));
    assert.equal(acked(answer).code, "AE");
    assert.match(answer, /\rERR\|\|PID\^1\|101\^.*Patient\.telecom/, answer);
    const phone = oru("V4", { patient: "4802" }).replace("10115^DE", "10115^DE||^PRN^PH^^^30^12345");
    assert.equal(acked(await send(site.port, phone)).code, "AA");
    await site.quiet();
    assert.deepEqual(site.outbox().map(({ state }) => state), ["delivered"]);
    assert.ok((await site.gateway.metric('chartseal_validations_total{result="valid"}')) >= 1);
  });

  test("a route that warns delivers, records and counts", async () => {
    const counted = () => site.gateway.metric('chartseal_validations_total{result="invalid"}');
    const before = await counted();
    assert.equal(acked(await send(mild, oru("V5", { patient: "4803" }))).code, "AA");
    await site.quiet();
    assert.equal(site.outbox().at(-1).state, "delivered");
    assert.equal(await counted(), before + 1);
    const took = site.records().filter((one) => one.interaction === "v2.receive").at(-1);
    assert.deepEqual([took.outcome, took.basis], ["accepted", "invalid"]);
  });

  test("what was accepted is looked at again by the maps of today", async () => {
    const phone = (id) =>
      oru(id, { patient: "4804" }).replace("10115^DE", "10115^DE||^PRN^PH^^^30^12345");
    await site.store.fail({ status: 503, times: 1000, match: "" });
    assert.equal(acked(await send(site.port, phone("V6"))).code, "AA");
    const config = structuredClone(site.files.config);
    config.routes[0].maps = [wrongMap()];
    site.files.write(config);
    await reloaded(site.gateway);
    await site.store.fail({ status: 503, times: 0, match: "" });
    await site.quiet();
    const row = site.outbox().at(-1);
    assert.ok(row.state === "parked" && row.reason === "invalid", JSON.stringify(row));
  });
});

describe("FHIR", () => {
  let store, gw, mild;
  const patient = (more = {}) => ({ resourceType: "Patient", id: "anna", ...more });
  const validate = (where, body, how = {}) =>
    gw.ask(`${where}/$validate${how.query ?? ""}`, { method: "POST", body, ...how });
  const said = (answer) =>
    answer
      .json()
      .issue.filter(({ severity }) => severity !== "warning") // a resource should have a narrative
      .map((one) => [one.severity, one.expression?.[0]]);
  const param = (name, value) => ({ name, [name === "resource" ? name : "valueCode"]: value });
  const parameters = (...parameter) => ({ resourceType: "Parameters", parameter });

  before(async () => {
    store = await startPlainStore();
    const packages = { packages: [packageFolder()] };
    gw = await startFhirGateway(store.base, { route: { validate: "reject" }, config: packages });
    mild = await startFhirGateway(store.base, { route: { validate: "warn", profiles: [NAMED] }, config: packages });
    await fetch(`${store.base}/Patient/anna`, {
      method: "PUT",
      headers: { "content-type": "application/fhir+json" },
      body: JSON.stringify(patient()),
    });
    await gw.permit("anna");
    await mild.permit("anna");
  });

  after(async () => {
    await gw?.stop();
    await mild?.stop();
    await store?.stop();
  });

  test("a write that isn't valid is refused with the places, and never sent", async () => {
    const from = gw.records().length;
    const { writes } = await store.stats();
    const body = { resourceType: "Observation", status: "finished", subject: { reference: "Patient/anna" } };
    const answer = await gw.ask("Observation", { method: "POST", body });
    assert.equal(answer.status, 422, answer.text);
    const outcome = answer.json();
    assert.equal(outcome.resourceType, "OperationOutcome");
    assert.ok(outcome.issue.every((one) => one.expression?.length === 1), answer.text);
    const places = outcome.issue.map((one) => one.expression[0]);
    assert.ok(places.includes("Observation.status") && places.includes("Observation.code"), answer.text);
    assert.doesNotMatch(answer.text, /finished/);
    assert.equal((await store.stats()).writes, writes);
    const [one, ...more] = gw.records().slice(from);
    assert.deepEqual([one.interaction, one.outcome, one.basis, more.length], ["create", "refused", "invalid", 0]);
    assert.equal((await gw.ask("Patient/anna", { method: "PUT", body: patient({ active: true }) })).status, 200);
  });

  test("on a route that warns it is written, recorded and counted", async () => {
    const from = mild.records().length;
    const counted = () => mild.gateway.metric('chartseal_validations_total{result="invalid"}');
    const before = await counted();
    assert.equal((await mild.ask("Patient/anna", { method: "PUT", body: patient({ active: false }) })).status, 200);
    assert.equal(await counted(), before + 1);
    assert.deepEqual(
      mild.records().slice(from).map(({ outcome, basis }) => `${outcome} ${basis}`),
      ["intent invalid", "permit invalid"],
    );
  });

  test("$validate of a type and of an instance: a resource, or Parameters with it", async () => {
    const good = [["information", "Patient"]];
    const bad = { resourceType: "Patient", gender: "lady" };
    const cases = [
      ["Patient", { resourceType: "Patient", active: true }, good],
      ["Patient", bad, [["error", "Patient"], ["error", "Patient.gender"]]],
      ["Patient", parameters(param("resource", bad)), [["error", "Patient"], ["error", "Patient.gender"]]],
      ["Patient", parameters(param("resource", patient({ active: true })), param("mode", "update")), good],
      ["Patient/anna", patient({ active: true }), good],
      ["Patient/bert", patient({ active: true }), [["error", "Patient"], ["error", "Patient"]]],
      ["Observation", patient({ active: true }), [["error", "Observation"], ["error", "Observation"]]],
      ["Parameters", parameters({ name: "a", valueString: "b" }), [["information", "Parameters"]]],
    ];
    for (const [where, body, want] of cases) {
      const from = gw.records().length;
      const answer = await validate(where, body);
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(said(answer), want, `${where} ${JSON.stringify(body)} ${answer.text}`);
      assert.doesNotMatch(answer.text, /lady/);
      const [one, ...more] = gw.records().slice(from);
      const basis = want[0][0] === "error" ? "invalid" : "valid";
      assert.deepEqual([one.interaction, one.outcome, one.basis, more.length], ["operation", "done", basis, 0]);
      assert.ok(one.commitments.payload, "a digest of what was asked about");
    }
  });

  test("$validate by a profile, named in Parameters or in the query", async () => {
    const body = { resourceType: "Patient", active: true };
    const named = [["error", "Patient"], ["error", "Patient.telecom"]];
    assert.deepEqual(said(await validate("Patient", body, { query: `?profile=${NAMED}` })), named);
    const profile = { name: "profile", valueUri: NAMED };
    assert.deepEqual(said(await validate("Patient", parameters(param("resource", body), profile))), named);
    const unknown = await validate("Patient", body, { query: "?profile=urn:unknown" });
    assert.ok(unknown.json().issue.some(({ code }) => code === "not-found"), unknown.text);
    const basic = await validate("Basic", { resourceType: "Basic", code: { text: "a" } }, { query: `?profile=${NAMED}` });
    assert.equal(said(basic)[0][0], "error");
  });

  test("$validate tells nothing of what is stored, and asks for authority", async () => {
    const bare = { resourceType: "Patient", active: true };
    const answers = await Promise.all(["anna", "nobody"].map((id) => validate(`Patient/${id}`, bare)));
    const [one, two] = answers.map((answer) => ({ ...answer.json(), id: "" }));
    assert.deepEqual(one, two, "whether it is there doesn't show");
    assert.equal((await validate("Patient/anna", undefined)).status, 501);
    assert.equal((await validate("Patient", undefined)).status, 400);
    assert.equal((await validate("Patient", parameters(param("resource", bare), param("mode", "delete")))).status, 501);
    assert.equal((await validate("Patient", bare, { query: "?mode=nonsense" })).status, 400);
    assert.equal((await validate("Patient", bare, { query: "?nonsense=1" })).status, 400);
    assert.equal((await validate("Patient", "{")).status, 400);
    assert.equal((await validate("Patient", "a", { headers: { "content-type": "text/plain" } })).status, 415);
    assert.equal((await gw.ask("Patient/$validate")).status, 405);
    assert.equal((await validate("Nothing", bare)).status, 404);
    assert.equal((await validate("Patient", bare, { as: null })).status, 401);
    const scoped = (scope) => validate("Patient", bare, { claims: { scope } });
    assert.equal((await scoped("user/Observation.cruds")).status, 403);
    for (const scope of ["user/Patient.r", "user/Patient.c", "system/Patient.u"]) {
      assert.equal((await scoped(scope)).status, 200, scope);
    }
  });

  test("what is too long isn't looked at: 413", async () => {
    const long = { resourceType: "Patient", name: [{ text: "a".repeat(1 << 20) }] };
    assert.equal((await validate("Patient", long)).status, 413);
    const write = await gw.ask("Patient/anna", { method: "PUT", body: patient(long) });
    assert.equal(write.status, 413);
    const { status } = await mild.ask("Patient/anna", { method: "PUT", body: patient({ ...long, telecom: [{ value: "1" }] }) });
    assert.equal(status, 200, "a route that warns takes it");
    assert.equal(await mild.gateway.metric('chartseal_validations_total{result="too-long"}'), 1);
    assert.equal(mild.records().at(-1).basis, "invalid");
  });

  test("the capability statement says so, and a real client uses it", async () => {
    const { rest } = (await gw.ask("metadata", { as: null })).json();
    const { operation } = rest[0].resource.find(({ type }) => type === "Patient");
    assert.deepEqual(operation.map(({ name }) => name), ["validate"]);
    const url = new URL(gw.base);
    const client = new MedplumClient({ baseUrl: `${url.origin}/`, fhirUrlPath: "fhir" });
    client.setAccessToken(await gw.token());
    const outcome = await client.validateResource({ resourceType: "Patient", active: true });
    assert.equal(outcome.issue[0].severity, "information");
  });
});
