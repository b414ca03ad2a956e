// Breaking the glass: who may, for whom, for how long, who is told, who reviews it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";

import { toSign } from "./lib/controller.mjs";
import { CLINIC, consent, grantOnChain, startFhirGateway } from "./lib/fhir.mjs";
import { program } from "./lib/gateway.mjs";
import { startPlainStore } from "./lib/parts.mjs";
import { until } from "./lib/process.mjs";
import { issuer } from "./lib/token.mjs";

const BTG = { system: "http://terminology.hl7.org/CodeSystem/v3-ActReason", code: "BTG" };
const WHY = "Unconscious, found in the street, allergies unknown";

let store, strict, gw;

const put = (resource) =>
  fetch(`${store.base}/${resource.resourceType}/${resource.id}`, {
    method: "PUT",
    headers: { "content-type": "application/fhir+json" },
    body: JSON.stringify(resource),
  });

/** A token of physician @sub for @purposes; @more: other claims, @roles of its bearer. */
function token(sub, purposes = ["BTG"], { roles = ["urn:roles|physician"], ...more } = {}) {
  return strict.token({
    aud: gw.base,
    sub,
    client_id: "ward-app",
    scope: "user/*.cruds",
    auth_time: Math.floor(Date.now() / 1000) - 10,
    extensions: {
      "hl7-b2b": {
        version: "1",
        organization_id: CLINIC,
        subject_role: roles,
        purpose_of_use: purposes.map((code) => `urn:oid:2.16.840.1.113883.5.8#${code}`),
      },
    },
    ...more,
  });
}

const asking = ({ reason = "unconscious", justification = WHY, acknowledged = true } = {}) => ({
  resourceType: "Parameters",
  parameter: [
    { name: "reason", valueCode: reason },
    { name: "justification", valueString: justification },
    { name: "acknowledged", valueBoolean: acknowledged },
  ],
});

const smash = (id, as, body = asking()) =>
  gw.ask(`Patient/${id}/$break-glass`, { method: "POST", body, as });

/** What an answer to $break-glass says, by name. */
const said = (answer) =>
  Object.fromEntries(
    answer
      .json()
      .parameter.map(({ name, valueString, valueInstant }) => [name, valueString ?? valueInstant]),
  );

const last = () => gw.records().at(-1);
const ids = (answer) =>
  (answer.json().entry ?? [])
    .map(({ resource }) => resource)
    .filter((one) => one.resourceType !== "OperationOutcome")
    .map((one) => `${one.resourceType}/${one.id}`);

function run(...words) {
  const [first, second, ...rest] = words;
  const args = [first, second, ...rest, "--config", gw.files.file];
  return spawnSync(program, args, { encoding: "utf8" });
}
const lines = ({ status, stdout, stderr }) => {
  assert.equal(status, 0, stderr);
  return stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
};

/** Patient @id with an Observation; she lets the glass be broken by the clinic, or treats only. */
async function patient(id, purpose) {
  await put({ resourceType: "Patient", id, identifier: [{ system: "urn:mrn", value: id }] });
  await put({
    resourceType: "Observation",
    id: `obs-${id}`,
    status: "final",
    code: { text: "glucose" },
    subject: { reference: `Patient/${id}` },
  });
  const body = consent({ reference: `Patient/${id}` }, purpose ? { purpose } : {});
  const filed = await gw.ask("Consent", { method: "POST", body });
  assert.equal(filed.status, 201, filed.text);
  grantOnChain(gw.postgres, toSign(filed.json()));
}

before(async () => {
  store = await startPlainStore();
  strict = await issuer({ iss: "https://strict.example" });
  gw = await startFhirGateway(store.base, {
    staleness: "5s",
    others: [[strict, { roles: { break_glass: ["urn:roles#physician"] } }]],
    config: {
      break_glass: { reasons: ["unconscious", "life-threat"], notify: "ehr", patient_after: "3s" },
    },
  });
  for (const id of ["anna", "berta"]) {
    await patient(id, BTG);
  }
  await patient("carla"); // treatment alone
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(gw?.gateway.output());
  }
  await gw?.stop();
  await store?.stop();
});

describe("what it takes", () => {
  test("each that is missing is refused, with its basis", async () => {
    const old = { auth_time: Math.floor(Date.now() / 1000) - 600 };
    const cases = [
      ["no role", "anna", await token("x", ["BTG"], { roles: ["urn:roles|nurse"] }), {}, 403, "role"],
      ["another purpose", "anna", await token("x", ["TREAT"]), {}, 403, "break-glass-purpose"],
      ["logged in long ago", "anna", await token("x", ["BTG"], old), {}, 401, "break-glass-login"],
      ["login unknown", "anna", await token("x", ["BTG"], { auth_time: undefined }), {}, 401, "break-glass-login"],
      ["no scope", "anna", await token("x", ["BTG"], { scope: "user/Observation.rs" }), {}, 403, "scope"],
      ["token for another", "anna", await token("x", ["BTG"], { scope: "patient/*.rs", patient: "berta" }), {}, 403, "scope"],
      ["no reason", "anna", await token("x"), { reason: "" }, 422, "break-glass-refused"],
      ["unknown reason", "anna", await token("x"), { reason: "curious" }, 422, "break-glass-refused"],
      ["no words", "anna", await token("x"), { justification: "because" }, 422, "break-glass-refused"],
      ["too many words", "anna", await token("x"), { justification: "x".repeat(2001) }, 422, "break-glass-refused"],
      ["not acknowledged", "anna", await token("x"), { acknowledged: false }, 422, "break-glass-refused"],
      ["nobody", "zoe", await token("x"), {}, 404, "not-found"],
      ["a patient who lets nobody", "carla", await token("x"), {}, 403, "consent-deny"],
    ];
    for (const [name, id, as, how, status, basis] of cases) {
      const answer = await smash(id, as, asking(how));
      assert.equal(answer.status, status, `${name}: ${answer.text}`);
      assert.equal(last().basis, basis, name);
      assert.equal(last().interaction, "break-glass", name);
      if (status === 401) {
        assert.match(
          answer.headers.get("www-authenticate"),
          /error="insufficient_user_authentication", max_age="300"/,
        );
      }
    }
    assert.deepEqual(lines(run("break-glass", "list", "--all", "--json")), []);
  });

  test("reading without having broken it is refused, whatever consents permit", async () => {
    const answer = await gw.ask("Patient/anna", { as: await token("dr-early") });
    assert.equal(answer.status, 403);
    assert.equal(last().basis, "break-glass-closed");
    const nurse = await token("dr-early", ["BTG"], { roles: [] });
    assert.equal((await gw.ask("Patient/anna", { as: nurse })).status, 403);
    assert.equal(last().basis, "role");
  });
});

describe("broken", () => {
  let opened, as;

  test("it is recorded first, and answered with its end", async () => {
    as = await token("dr-grey");
    const answer = await smash("anna", as);
    assert.equal(answer.status, 201, answer.text);
    opened = said(answer);
    const hours = (Date.parse(opened.until) - Date.now()) / 3600000;
    assert.ok(hours > 3.5 && hours <= 4, `${hours} h`);
    const record = last();
    assert.deepEqual(
      [record.interaction, record.outcome, record.basis],
      ["break-glass", "done", "break-glass"],
    );
    assert.equal(record.exchange, opened.id);
    assert.ok(record.commitments.subject && record.commitments.actor);
    assert.equal(record.consents.length, 1);
    assert.ok(!JSON.stringify(gw.records()).includes("Unconscious"));
  });

  test("that patient is shown, with a banner, and the record says why", async () => {
    const read = await gw.ask("Patient/anna", { as });
    assert.equal(read.status, 200, read.text);
    assert.match(read.headers.get("chartseal-break-glass"), new RegExp(`^${opened.id}; until="`));
    assert.equal(last().basis, "break-glass");
    assert.deepEqual(ids(await gw.ask("Observation?patient=anna", { as })), ["Observation/obs-anna"]);
    assert.equal((await gw.ask("Observation/obs-anna", { as })).status, 200);
    const plain = await gw.ask("Patient/anna", { as: await token("dr-grey", ["TREAT"]) });
    assert.equal(plain.headers.get("chartseal-break-glass"), null);
  });

  test("for no other patient, no other user, and no search of everybody", async () => {
    assert.equal((await gw.ask("Patient/berta", { as })).status, 404);
    assert.equal(last().basis, "break-glass-closed");
    assert.equal((await gw.ask("Observation/obs-berta", { as })).status, 404);
    assert.equal((await gw.ask("Observation", { as })).status, 403);
    assert.equal(last().basis, "break-glass-patient");
    assert.deepEqual(ids(await gw.ask("Observation?patient=anna,berta", { as })), []);
    assert.equal((await gw.ask("Patient/anna", { as: await token("dr-other") })).status, 403);
  });

  test("never on a permit for treatment, though the token names that too", async () => {
    const both = await token("dr-grey", ["TREAT", "BTG"]);
    assert.equal((await gw.ask("Patient/carla", { as: await token("dr-grey", ["TREAT"]) })).status, 200);
    assert.equal((await gw.ask("Patient/carla", { as: both })).status, 404);
    assert.equal((await gw.ask("Observation/obs-carla", { as: both })).status, 404);
    assert.equal((await gw.ask("Patient/anna", { as: both })).status, 200);
  });

  test("a change is decided like a reading", async () => {
    const body = {
      resourceType: "Observation",
      status: "final",
      code: { text: "pulse" },
      subject: { reference: "Patient/anna" },
    };
    const made = await gw.ask("Observation", { method: "POST", body, as });
    assert.equal(made.status, 201, made.text);
    assert.equal(last().basis, "break-glass");
    const other = { ...body, subject: { reference: "Patient/berta" } };
    assert.equal((await gw.ask("Observation", { method: "POST", body: other, as })).status, 403);
  });

  test("officer and patient are told, without a word about anybody", async () => {
    const told = async (whom) => {
      const answer = await fetch(`${store.base}/Communication/${opened.id}-${whom}`);
      return answer.status === 200 ? answer.text() : undefined;
    };
    await until("the officer is told", async () => (await told("officer")) !== undefined, 60);
    await until("the patient is told", async () => (await told("patient")) !== undefined, 60);
    const text = (await told("officer")) + (await told("patient"));
    assert.match(text, /unconscious/);
    assert.doesNotMatch(text, /anna|grey|Unconscious/);
    const row = () => lines(run("break-glass", "list", "--json")).find(({ id }) => id === opened.id);
    await until("both are noted", () => row().officerTold && row().patientTold, 60);
    assert.equal(row().patientDue, undefined);
  });

  test("the register says who, why and what was seen, and that it was read is recorded", async () => {
    const [{ breakGlass, who, request, accesses }] = lines(
      run("break-glass", "show", opened.id, "--json"),
    );
    assert.deepEqual([breakGlass.open, breakGlass.review], [true, "outstanding"]);
    assert.equal(who.subject, "dr-grey");
    assert.match(request, /^POST \/fhir\/Patient\/anna\/\$break-glass \{"justification":"Unconscious/);
    assert.ok(accesses.some(({ released, types }) => released && types.includes("Observation")));
    assert.deepEqual([last().interaction, last().exchange], ["audit.read", opened.id]);
    const text = run("break-glass", "show", opened.id);
    assert.match(text.stdout, /^record +[0-9a-f-]{36}\nwho +\{.*dr-grey/);
  });

  test("a review that is overdue is said, and done by somebody else once", async () => {
    const overdue = () => lines(run("break-glass", "list", "--overdue", "--json")).length;
    assert.equal(overdue(), 0);
    gw.postgres.sql("UPDATE break_glass SET review_by = now() - interval '1 s'");
    assert.equal(overdue(), 1);
    const metric = () => gw.gateway.metric("chartseal_break_glass_reviews_overdue");
    await until("the metric", async () => (await metric()) === 1, 90);
    assert.equal(run("break-glass", "review", opened.id, "--outcome", "fine").status, 64);
    const review = ["break-glass", "review", opened.id, "--outcome", "justified", "--note", "seen"];
    const done = run(...review);
    assert.equal(done.status, 0, done.stderr);
    assert.deepEqual([last().interaction, last().exchange], ["break-glass.review", opened.id]);
    assert.equal(run(...review).status, 65, "once");
    assert.equal(overdue(), 0);
    const [row] = lines(run("break-glass", "list", "--all", "--json"));
    assert.deepEqual([row.review, row.open], ["justified", false]);
    assert.equal((await gw.ask("Patient/anna", { as })).status, 403, "reviewed is over");
  });

  test("nobody reviews what he did himself", async () => {
    const me = spawnSync("id", ["-un"], { encoding: "utf8" }).stdout.trim();
    const { id } = said(await smash("anna", await token(me)));
    const refused = run("break-glass", "review", id, "--outcome", "justified");
    assert.equal(refused.status, 77, refused.stderr);
    assert.equal(run("break-glass", "show", "00".repeat(16)).status, 66);
  });
});

describe("its end", () => {
  test("after its time", async () => {
    const as = await token("dr-time");
    await smash("anna", as);
    assert.equal((await gw.ask("Patient/anna", { as })).status, 200);
    gw.postgres.sql("UPDATE break_glass SET until = now()");
    assert.equal((await gw.ask("Patient/anna", { as })).status, 403);
  });

  test("when the patient is erased: the register names nobody any more", async () => {
    await patient("dora", BTG);
    const as = await token("dr-time");
    let answer;
    await until("in force", async () => (answer = await smash("dora", as)).status === 201);
    const { id } = said(answer);
    const [[number]] = gw.postgres.sql(`SELECT patient FROM break_glass WHERE id = '${id}'`);
    gw.postgres.sql(`SELECT patient_shred('${number}')`);
    assert.deepEqual(
      gw.postgres.sql(`SELECT patient IS NULL, until <= now() FROM break_glass WHERE id = '${id}'`),
      [["t", "t"]],
    );
    assert.notEqual((await gw.ask("Patient/dora", { as })).status, 200);
    const [{ request }] = lines(run("break-glass", "show", id, "--json"));
    assert.equal(request, "");
  });
});

describe("when something is down", () => {
  test("with a view of the ledger that is too old it works, and nothing else does", async () => {
    gw.ledger.stop();
    const treat = await token("dr-grey", ["TREAT"]);
    const closed = async () =>
      (await gw.ask("Patient/carla", { as: treat })).status === 503 &&
      last().basis === "ledger-stale";
    await until("closed", closed, 90);
    const as = await token("dr-stale");
    await until("broken", async () => (await smash("berta", as)).status === 201);
    await until("shown", async () => (await gw.ask("Patient/berta", { as })).status === 200);
    assert.equal((await gw.ask("Patient/berta", { as: await token("dr-stale", ["TREAT"]) })).status, 503);
    await until("she lets nobody", async () => (await smash("carla", as)).status === 403);
    gw.ledger.start();
    await until("open", async () => (await gw.ask("Patient/carla", { as: treat })).status === 200, 60);
  });

  test("without the database nothing is broken and nothing shown", async () => {
    const as = await token("dr-stale");
    gw.postgres.stop();
    assert.equal((await gw.ask("Patient/berta", { as })).status, 503);
    assert.equal((await smash("anna", as)).status, 503);
    gw.postgres.start();
    await until("open", async () => (await gw.ask("Patient/berta", { as })).status === 200, 60);
  });

  test("a notice that isn't taken is tried again", async () => {
    await store.fail({ status: 500, times: 1, match: "Communication" });
    const answer = await smash("anna", await token("dr-notice"));
    assert.equal(answer.status, 201, answer.text);
    const { id } = said(answer);
    const failed = () => gw.gateway.metric("chartseal_break_glass_notices_failed_total");
    await until("one failed", async () => (await failed()) >= 1, 90);
    const told = async () => (await fetch(`${store.base}/Communication/${id}-officer`)).status === 200;
    await until("told after all", told, 90);
  });
});
