// What was refused and on what grounds: the register, the counts, and what shadow mode would do.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";

import { CLINIC, startFhirGateway } from "./lib/fhir.mjs";
import { program } from "./lib/gateway.mjs";
import { startPlainStore } from "./lib/parts.mjs";
import { until } from "./lib/process.mjs";

const OTHER = "urn:oid:1.2.276.0.76.2";
const REFUSED = ["deny", "held", "parked", "partial", "refused", "unavailable", "withheld"];

let store;

const claims = (organization, purpose = "TREAT", more = {}) => ({
  extensions: {
    "hl7-b2b": {
      version: "1",
      organization_id: organization,
      ...(purpose ? { purpose_of_use: [`urn:oid:2.16.840.1.113883.5.8#${purpose}`] } : {}),
    },
  },
  ...more,
});

async function fill() {
  for (const id of ["anna", "bert"]) {
    for (const resource of [
      { resourceType: "Patient", id },
      {
        resourceType: "Observation",
        id: `obs-${id}`,
        status: "final",
        code: { text: "glucose" },
        subject: { reference: `Patient/${id}` },
      },
    ]) {
      await fetch(`${store.base}/${resource.resourceType}/${resource.id}`, {
        method: "PUT",
        headers: { "content-type": "application/fhir+json" },
        body: JSON.stringify(resource),
      });
    }
  }
}

function run(gw, ...words) {
  const args = ["audit", ...words, "--config", gw.files.file];
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout;
}

before(async () => {
  store = await startPlainStore();
  await fill();
});

after(() => store?.stop());

describe("a route that enforces", () => {
  let gw;

  before(async () => {
    gw = await startFhirGateway(store.base, { config: { workers: 1 } });
    await gw.permit("anna");
    const asked = [
      ["Patient/bert"],
      ["Patient/anna", { claims: claims(OTHER) }],
      ["Patient"], // one of two
      ["Patient/anna", { claims: claims(CLINIC, null) }],
      ["Patient/anna", { claims: claims(CLINIC, "TREAT", { scope: "user/Observation.rs" }) }],
      ["Patient/anna", { claims: claims(CLINIC, "BTG") }],
      ["Patient/nobody"],
      ["Patient/anna/$everything"],
      ["Observation?nonsense=1"],
      ["OperationOutcome", { method: "POST", body: { resourceType: "OperationOutcome", issue: [] } }],
      ["Observation", { method: "POST", body: { resourceType: "Observation", status: "final" } }],
      ["Patient/anna"], // shown
    ];
    for (const [where, how] of asked) {
      await gw.ask(where, how);
    }
  });

  after(() => gw?.stop());

  test("each refusal has a basis, and each basis a ground", () => {
    const refused = gw.records().filter(({ outcome }) => REFUSED.includes(outcome));
    assert.ok(refused.length >= 11, `${refused.length}`);
    const { denials } = JSON.parse(run(gw, "denials", "--json"));
    const known = new Map(denials.map(({ basis, ground }) => [basis, ground]));
    for (const { basis, interaction, outcome } of refused) {
      assert.notEqual(basis, "none", `${interaction} ${outcome}`);
      assert.ok(known.has(basis), basis);
      assert.notEqual(known.get(basis), "other", basis);
    }
  });

  test("the counts are those of the records, each exchange once", () => {
    const ended = new Map();
    for (const record of gw.records()) {
      ended.set(record.exchange, record);
    }
    const want = {};
    for (const { outcome, basis, refused } of ended.values()) {
      if (REFUSED.includes(outcome)) {
        const name = `${outcome} ${basis}`;
        want[name] = (want[name] ?? 0) + (refused ?? 1);
      }
    }
    const got = JSON.parse(run(gw, "denials", "--json"));
    const counts = Object.fromEntries(
      got.denials.map(({ outcome, basis, exchanges }) => [`${outcome} ${basis}`, exchanges]),
    );
    assert.deepEqual(counts, want);
    assert.equal(got.total, Object.values(want).reduce((a, b) => a + b));
    const partial = got.denials.find(({ outcome }) => outcome === "partial");
    assert.deepEqual([partial.basis, partial.withheld, partial.ground], ["no-consent", 1, "consent"]);
    const grounds = Object.fromEntries(got.denials.map(({ basis, ground }) => [basis, ground]));
    assert.deepEqual(
      ["consent-deny", "purpose-missing", "scope", "role", "not-found", "operation", "type"].map(
        (basis) => grounds[basis],
      ),
      ["consent", "authority", "authority", "authority", "patient", "request", "request"],
    );
  });

  test("the register names each, newest first, and nobody", () => {
    const text = run(gw, "denials", "--each", "--json", "--limit", "100");
    const rows = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    const want = gw.records().filter(({ outcome }) => REFUSED.includes(outcome));
    assert.deepEqual(rows.map(({ record }) => record.id), want.map(({ id }) => id).reverse());
    assert.doesNotMatch(text, /anna|bert|dr-who/);
    assert.equal(run(gw, "denials", "--each", "--json", "--limit", "1").trim().split("\n").length, 1);
  });

  test("what was before or after the time asked for doesn't count", () => {
    assert.equal(JSON.parse(run(gw, "denials", "--from", "2100", "--json")).total, 0);
    assert.equal(JSON.parse(run(gw, "denials", "--to", "2020", "--json")).total, 0);
    assert.match(run(gw, "denials"), /^BASIS +GROUND +EXCEPTION[^]*\ntotal +\d+\n$/);
    assert.equal(JSON.parse(run(gw, "shadow", "--json")).exchanges, 0);
  });
});

describe("a route in mode shadow", () => {
  let gw;

  before(async () => {
    gw = await startFhirGateway(store.base, { config: { workers: 1 }, route: { mode: "shadow" } });
  });

  after(() => gw?.stop());

  test("holds nothing back, and the report says what enforcing would have", async () => {
    await gw.permit("anna");
    await until("in force", async () => {
      await gw.ask("Patient/anna");
      return gw.records().at(-1).basis === "permit";
    });
    const shadow = () => JSON.parse(run(gw, "shadow", "--json"));
    const count = ({ causes }, basis) =>
      causes.find((cause) => cause.basis === basis)?.exchanges ?? 0;
    const earlier = shadow();
    const from = gw.records().length;
    const observation = (about) => ({
      resourceType: "Observation",
      status: "final",
      code: { text: "pulse" },
      subject: { reference: `Patient/${about}` },
    });
    const asked = [
      ["Patient/anna", {}, "permit"],
      ["Patient/bert", {}, "no-consent"],
      ["Patient/anna", { claims: claims(OTHER) }, "consent-deny"],
      ["Observation?patient=bert", {}, "no-consent"],
      ["Observation?patient=anna", {}, "permit"],
      ["Observation", { method: "POST", body: observation("bert") }, "no-consent"],
      ["Observation", { method: "POST", body: observation("anna") }, "permit"],
    ];
    for (const [where, how, basis] of asked) {
      const answer = await gw.ask(where, how);
      assert.ok(answer.status === 200 || answer.status === 201, `${where}: ${answer.text}`);
      const { outcome, basis: said, mode } = gw.records().at(-1);
      assert.deepEqual([mode, outcome, said], ["shadow", "permit", basis], where);
    }
    const all = new Set(
      gw.records().slice(from).map(({ exchange }) => exchange),
    ).size;
    assert.equal(all, asked.length);
    const report = shadow();
    assert.equal(report.exchanges, earlier.exchanges + asked.length);
    assert.equal(report.wouldDeny, earlier.wouldDeny + 4);
    assert.equal(count(report, "no-consent"), count(earlier, "no-consent") + 3);
    assert.equal(count(report, "consent-deny"), 1);
    assert.ok(report.causes.every(({ ground }) => ground === "consent"));
    const said = new RegExp(
      `^enforcing would deny \\d+\\.\\d %: ${report.wouldDeny} of ${report.exchanges} exchanges\n`,
    );
    assert.match(run(gw, "shadow"), said);
    assert.equal(JSON.parse(run(gw, "denials", "--json")).total, 0);
  });
});
