// FHIR clients before the gateway, a FHIR server behind it: what may be shown is, nothing else.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, test } from "node:test";

import { MedplumClient } from "@medplum/core";
import { Client as FhirKit } from "fhir-kit-client";

import { CLINIC, consent, startFhirGateway } from "./lib/fhir.mjs";
import { startPlainStore } from "./lib/parts.mjs";
import { sleep, until } from "./lib/process.mjs";
import { issuer } from "./lib/token.mjs";
import { startUpstream } from "./lib/upstream.mjs";

const OTHER = "urn:oid:1.2.276.0.76.2";
const claimsOf = (organization, purpose, more = {}) => ({
  extensions: {
    "hl7-b2b": {
      version: "1",
      organization_id: organization,
      ...(purpose ? { purpose_of_use: [`urn:oid:2.16.840.1.113883.5.8#${purpose}`] } : {}),
    },
  },
  ...more,
});
const ids = (answer) =>
  (answer.json().entry ?? [])
    .map((entry) => entry.resource)
    .filter((one) => one.resourceType !== "OperationOutcome")
    .map((one) => `${one.resourceType}/${one.id}`)
    .sort();

let store, gw;

const put = (resource, text = JSON.stringify(resource)) =>
  fetch(`${store.base}/${resource.resourceType}/${resource.id}`, {
    method: "PUT",
    headers: { "content-type": "application/fhir+json" },
    body: text,
  });
const patient = (id) => ({
  resourceType: "Patient",
  id,
  identifier: [{ system: "urn:mrn", value: `mrn-${id}` }],
});
const observation = (id, about, more = {}) => ({
  resourceType: "Observation",
  id,
  status: "final",
  code: { text: "glucose" },
  subject: { reference: `Patient/${about}` },
  ...more,
});

/** A consent of Patient/@id in force, of somebody who asks for @purpose. */
const permit = (id, more, purpose = "TREAT") => gw.permit(id, more, claimsOf(CLINIC, purpose));

/** Records of the log since @from, oldest first. */
const records = (from = 0) => gw.records().slice(from);

let granted, strict;

/** What the second issuer's tokens must say of their bearer. */
const roles = {
  read: ["urn:roles#nurse", "urn:roles#doctor"],
  search: ["urn:roles#doctor"],
  write: ["urn:roles#doctor"],
  consent: ["registrar"],
};

before(async () => {
  store = await startPlainStore();
  strict = await issuer({ iss: "https://strict.example" });
  gw = await startFhirGateway(store.base, { staleness: "5s", others: [[strict, { roles }]] });
  for (const id of ["anna", "bert", "carl"]) {
    await put(patient(id));
    await put(observation(`obs-${id}`, id));
  }
  await put({ resourceType: "Organization", id: "clinic", name: "Clinic" });
  granted = await permit("anna");
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(gw?.gateway.output());
  }
  await gw?.stop();
  await store?.stop();
});

describe("what is shown", () => {
  test("a permitted patient is read, byte for byte", async () => {
    const odd =
      '{"resourceType" : "Observation", "id":"odd","status":"final","code":{"text":"x"},' +
      '\n "subject":{"reference":"Patient/anna"}, "valueQuantity":{"value":1.00,"unit":"g"}}';
    await put(observation("odd", "anna"), odd);
    const answer = await gw.ask("Observation/odd");
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.text, odd);
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.equal(answer.headers.get("server"), null);
    const found = await gw.ask("Observation?_id=odd");
    assert.ok(found.text.includes(odd), "untouched in a searchset too");
  });

  test("a refused patient and one who isn't there get the same answer", async () => {
    const bare = (answer) => {
      const headers = Object.fromEntries(answer.headers);
      delete headers["x-request-id"];
      delete headers.date;
      return [answer.status, headers, { ...answer.json(), id: "" }];
    };
    const refused = await gw.ask("Patient/bert");
    assert.equal(refused.status, 404);
    assert.deepEqual(bare(refused), bare(await gw.ask("Patient/nobody")));
    const hidden = await gw.ask("Observation/obs-bert");
    assert.deepEqual(bare(hidden), bare(await gw.ask("Observation/nothing")));
  });

  test("of three patients only the consenting one is found, with one record", async () => {
    const from = records().length;
    const answer = await gw.ask("Patient");
    assert.equal(answer.status, 200);
    assert.deepEqual(ids(answer), ["Patient/anna"]);
    assert.equal(answer.json().total, undefined);
    assert.doesNotMatch(answer.text, /bert|carl/);
    const [one, ...more] = records(from);
    assert.deepEqual(more, []);
    assert.equal(one.outcome, "partial");
    assert.deepEqual([one.released, one.withheld], [1, 2]);
    assert.equal(one.consents[0].id, granted.consentId);
    assert.ok(one.commitments.subject);
  });

  test("a search of a refused patient looks like one that finds nothing", async () => {
    const refused = await gw.ask("Observation?patient=bert");
    const none = await gw.ask("Observation?patient=nobody");
    assert.equal(refused.status, 200);
    assert.deepEqual(ids(refused), []);
    assert.deepEqual(ids(none), []);
  });

  test("types without patients are shown to whom the scopes allow it", async () => {
    assert.equal((await gw.ask("Organization/clinic")).status, 200);
    const narrow = claimsOf(CLINIC, "TREAT", { scope: "user/Patient.rs" });
    assert.equal((await gw.ask("Organization/clinic", { claims: narrow })).status, 403);
  });

  test("a token for one patient shows no other", async () => {
    const one = (id) =>
      claimsOf(CLINIC, "TREAT", { scope: "patient/*.rs", patient: id });
    assert.equal((await gw.ask("Patient/anna", { claims: one("anna") })).status, 200);
    assert.equal((await gw.ask("Patient/anna", { claims: one("bert") })).status, 403);
    const other = await gw.ask("Observation", { claims: one("carl") });
    assert.deepEqual(ids(other), []);
    const own = await gw.ask("Observation", { claims: one("anna") });
    assert.ok(ids(own).includes("Observation/obs-anna"));
  });
});

describe("who asks, and why", () => {
  test("no token, a wrong one, one too old: 401, counted and not recorded", async () => {
    const from = records().length;
    const stranger = await issuer();
    const wrong = [
      null,
      "nonsense",
      await gw.token({ aud: "https://elsewhere.example" }),
      await gw.issuer.token({ aud: gw.base, sub: "x", scope: "user/*.rs", from: -900 }),
      await stranger.token({ aud: gw.base, sub: "x", scope: "user/*.rs" }),
    ];
    for (const as of wrong) {
      const answer = await gw.ask("Patient/anna", { as });
      assert.equal(answer.status, 401);
      assert.match(answer.headers.get("www-authenticate"), /^Bearer/);
      assert.equal(answer.json().issue[0].code, "login");
    }
    assert.equal(records().length, from);
    assert.ok((await gw.gateway.metric("chartseal_http_refused_early_total")) !== 0);
  });

  test("another organisation sees nothing, with a reason for its administrator", async () => {
    const from = records().length;
    const claims = claimsOf(OTHER, "TREAT");
    assert.equal((await gw.ask("Patient/anna", { claims })).status, 404);
    assert.deepEqual(ids(await gw.ask("Observation", { claims })), []);
    const [read, search] = records(from);
    assert.deepEqual([read.outcome, read.basis], ["deny", "consent-deny"]);
    assert.deepEqual([search.outcome, search.released ?? 0], ["deny", 0]);
  });

  test("access rows number who asked, the same for each of their tokens", async () => {
    const asked = async (claims) => {
      await gw.ask("Patient/anna", { claims });
      const [[recipient, released, types]] = gw.postgres.sql(
        "SELECT recipient, released, encode(types, 'hex') FROM access ORDER BY record DESC LIMIT 1",
      );
      assert.equal(types, released === "t" ? "0067" : "", "103, Patient");
      return { recipient: Number(recipient), released: released === "t" };
    };
    const who = await asked({ jti: "1" });
    assert.ok(who.recipient > 0 && who.released);
    assert.deepEqual(await asked({ jti: "2" }), who);
    const colleague = await asked({ sub: "dr-other" });
    assert.ok(colleague.recipient !== who.recipient && colleague.released);
    const stranger = await asked(claimsOf(OTHER, "TREAT"));
    assert.ok(![who.recipient, colleague.recipient].includes(stranger.recipient));
    assert.equal(stranger.released, false, "it only asked");
  });

  test("a purpose is never assumed, and treatment doesn't cover breaking the glass", async () => {
    const none = await gw.ask("Patient/anna", { claims: claimsOf(CLINIC) });
    assert.equal(none.status, 403);
    for (const [purpose, status] of [["BTG", 403], ["HPAYMT", 404], ["HMARKT", 404]]) {
      const claims = claimsOf(CLINIC, purpose);
      assert.equal((await gw.ask("Patient/anna", { claims })).status, status, purpose);
    }
    const smash = { method: "POST", body: {}, claims: claimsOf(CLINIC, "BTG") };
    const off = await gw.ask("Patient/anna/$break-glass", smash);
    assert.equal(off.status, 403, "nobody breaks the glass where the configuration doesn't say so");
    assert.equal(records().at(-1).basis, "break-glass-off");
    assert.equal((await gw.ask("Patient/anna", { claims: claimsOf(CLINIC, "COC") })).status, 200);
  });

  test("an issuer whose tokens must name a role: 403 without, each class for itself", async () => {
    const as = (...subject_role) => {
      const claims = claimsOf(CLINIC, "TREAT", { sub: "x", scope: "user/*.cruds" });
      claims.extensions["hl7-b2b"].subject_role = subject_role;
      return strict.token({ aud: gw.base, ...claims });
    };
    const nurse = await as("urn:roles|nurse");
    const doctor = await as("urn:roles|doctor");
    const post = { method: "POST", body: { ...observation("x", "anna"), id: undefined } };
    const file = { method: "POST", body: consent({ reference: "Patient/carl" }) };
    const update = {
      method: "PUT",
      body: observation("obs-anna", "anna"),
    };
    const cases = [
      ["Patient/anna", {}, await as(), 403],
      ["Patient/anna", {}, await as("nurse", "urn:others|doctor"), 403],
      ["Patient/anna", {}, nurse, 200],
      ["Patient?_id=anna", {}, nurse, 403],
      ["Observation", post, nurse, 403],
      ["Observation/obs-anna", { method: "DELETE" }, nurse, 403],
      ["Patient?_id=anna", {}, doctor, 200],
      ["Observation/obs-anna", update, doctor, 200],
      ["Consent", file, doctor, 403],
      ["Consent", file, await as("registrar"), 201],
      ["Patient/anna", {}, await as("registrar"), 403],
    ];
    for (const [where, how, token, want] of cases) {
      const from = records().length;
      const answer = await gw.ask(where, { ...how, as: token });
      assert.equal(answer.status, want, `${how.method ?? "GET"} ${where}: ${answer.text}`);
      const said = records(from).map((one) => `${one.outcome} ${one.basis}`);
      assert.equal(said.includes("deny role"), want === 403, said.join());
      if (want === 403) {
        assert.equal(answer.json().issue[0].code, "forbidden");
      }
    }
  });

  test("what can't be decided is refused by name", async () => {
    assert.equal((await gw.ask("Observation?_include=Observation:subject")).status >= 400, true);
    assert.equal((await gw.ask("Observation?nonsense=1")).status, 400);
    assert.equal((await gw.ask("Nothing/1")).status, 404);
    assert.equal((await gw.ask("Patient/anna/$everything")).status, 501);
    const xml = await gw.ask("Patient/anna", { headers: { accept: "application/fhir+xml" } });
    assert.equal(xml.status, 406);
  });

  test("metadata is for everybody, and the request id comes back", async () => {
    const answer = await gw.ask("metadata", { as: null });
    const operations = (type) =>
      answer
        .json()
        .rest[0].resource.find((one) => one.type === type)
        .operation.map(({ name }) => name);
    assert.deepEqual(operations("Consent"), ["file-consent", "revoke-consent", "validate"]);
    assert.deepEqual(operations("AuditEvent"), ["record-disclosure"]);
    assert.equal(answer.json().resourceType, "CapabilityStatement");
    const named = await gw.ask("Patient/anna", { headers: { "x-request-id": "abc-1" } });
    assert.equal(named.headers.get("x-request-id"), "abc-1");
  });
});

describe("changes", () => {
  test("a create, its update and its deletion have an intent and an outcome each", async () => {
    const from = records().length;
    const made = await gw.ask("Observation", {
      method: "POST",
      body: { ...observation("x", "anna"), id: undefined },
    });
    assert.equal(made.status, 201, made.text);
    const { id } = made.json();
    assert.match(made.headers.get("location"), new RegExp(`^${gw.base}/Observation/${id}`));
    const text = JSON.stringify(observation(id, "anna")).replace("}}", '},"valueInteger":1.0}');
    const changed = await gw.ask(`Observation/${id}`, {
      method: "PUT",
      body: text,
      headers: { "if-match": made.headers.get("etag") },
    });
    assert.equal(changed.status, 200, changed.text);
    const late = await gw.ask(`Observation/${id}`, {
      method: "PUT",
      body: observation(id, "anna"),
      headers: { "if-match": made.headers.get("etag") },
    });
    assert.equal(late.status, 412);
    assert.equal((await gw.ask(`Observation/${id}`, { method: "DELETE" })).status, 204);
    const said = records(from).map((one) => `${one.interaction} ${one.outcome}`);
    assert.deepEqual(said, [
      "create intent",
      "create permit",
      "update intent",
      "update permit",
      "update refused",
      "delete intent",
      "delete permit",
    ]);
  });

  test("nothing is written about a patient who doesn't permit, nor given to another", async () => {
    const { writes } = await store.stats();
    const post = { method: "POST", body: { ...observation("x", "bert"), id: undefined } };
    assert.equal((await gw.ask("Observation", post)).status, 403);
    const give = { method: "PUT", body: observation("obs-anna", "bert") };
    assert.equal((await gw.ask("Observation/obs-anna", give)).status, 403);
    const take = { method: "PUT", body: observation("obs-bert", "anna") };
    assert.equal((await gw.ask("Observation/obs-bert", take)).status, 404);
    assert.equal((await gw.ask("Observation/obs-bert", { method: "DELETE" })).status, 404);
    assert.equal((await store.stats()).writes, writes);
  });

  test("an answer lost after sending is recorded as unknown, and not sent again", async () => {
    const from = records().length;
    await store.fail({ status: 0, times: 1, match: "Observation" });
    const answer = await gw.ask("Observation", {
      method: "POST",
      body: { ...observation("x", "anna"), id: undefined },
    });
    assert.equal(answer.status, 504, answer.text);
    assert.deepEqual(
      records(from).map((one) => one.outcome),
      ["intent", "unknown"],
    );
  });
});

describe("revoked between the decision and its record", () => {
  /** What @ask is answered if Patient/@id's consent goes while its record waits. */
  async function meanwhile(id, ask) {
    await put(patient(id));
    await put(observation(`obs-${id}`, id));
    const { consentId } = await permit(id);
    const change = await gw.postgres.uncommitted(
      `UPDATE consent_chain SET revoked = true
       WHERE consent = decode('${consentId.slice(2)}', 'hex')`,
    );
    const from = records().length;
    const { writes } = await store.stats();
    const asked = ask();
    await change.waits();
    await change.commit();
    const answer = await asked;
    assert.equal((await store.stats()).writes, writes);
    const [one, ...more] = records(from);
    assert.deepEqual([one.outcome, one.basis, more.length], ["deny", "revoked", 0]);
    assert.equal(one.released ?? 0, 0);
    return answer;
  }

  test("a read shows nothing", async () => {
    const answer = await meanwhile("gerd", () => gw.ask("Patient/gerd"));
    assert.equal(answer.status, 404);
    assert.doesNotMatch(answer.text, /gerd/);
  });

  test("a search shows nothing", async () => {
    const answer = await meanwhile("hans", () => gw.ask("Observation?patient=hans"));
    assert.equal(answer.status, 200);
    assert.deepEqual(ids(answer), []);
    assert.doesNotMatch(answer.text, /hans/);
  });

  test("a change isn't made", async () => {
    const body = { ...observation("x", "inge"), id: undefined };
    const post = () => gw.ask("Observation", { method: "POST", body });
    assert.equal((await meanwhile("inge", post)).status, 403);
  });
});

describe("revoked while a change waits for a connection", () => {
  test("it is decided again, and isn't sent", async () => {
    const posted = [];
    let answer;
    const upstream = await startUpstream((request, response) => {
      posted.push(request.url);
      answer = () => response.writeHead(201).end();
    });
    const narrow = await startFhirGateway(upstream.base, {
      destination: { connections: 1 },
      config: { workers: 1 },
    });
    try {
      const grants = [await narrow.permit("one"), await narrow.permit("two")];
      const post = (about) =>
        narrow.ask("Observation", { method: "POST", body: { ...observation("x", about), id: undefined } });
      const from = narrow.records().length;
      const first = post("one");
      await until("the first change", () => posted.length === 1);
      const second = post("two");
      await until("its intent", () => narrow.records().length === from + 2);
      narrow.postgres.sql(
        `UPDATE consent_chain SET revoked = true
         WHERE consent = decode('${grants[1].consentId.slice(2)}', 'hex')`,
      );
      await sleep(300);
      answer();
      assert.equal((await first).status, 201);
      assert.equal((await second).status, 403);
      assert.equal(posted.length, 1, "the second was never sent");
      const said = narrow.records().slice(from).map((one) => `${one.outcome} ${one.basis}`);
      assert.deepEqual(said.sort(), ["deny revoked", "intent permit", "intent permit", "permit permit"]);
    } finally {
      await narrow.stop();
      upstream.stop();
    }
  });
});

describe("real clients", () => {
  test("fhir-kit-client", async () => {
    const client = new FhirKit({
      baseUrl: gw.base,
      customHeaders: { authorization: `Bearer ${await gw.token()}` },
    });
    const read = await client.read({ resourceType: "Patient", id: "anna" });
    assert.equal(read.id, "anna");
    const found = await client.search({
      resourceType: "Observation",
      searchParams: { patient: "anna" },
    });
    assert.ok(found.entry.some((entry) => entry.resource.id === "obs-anna"));
    const made = await client.create({
      resourceType: "Observation",
      body: { ...observation("x", "anna"), id: undefined },
    });
    assert.equal(made.resourceType, "Observation");
    await assert.rejects(client.read({ resourceType: "Patient", id: "bert" }));
  });

  test("MedplumClient", async () => {
    const url = new URL(gw.base);
    const client = new MedplumClient({ baseUrl: `${url.origin}/`, fhirUrlPath: "fhir" });
    client.setAccessToken(await gw.token());
    const read = await client.readResource("Patient", "anna");
    assert.equal(read.id, "anna");
    const found = await client.searchResources("Observation", { patient: "Patient/anna" });
    assert.ok(found.some((one) => one.id === "obs-anna"));
    await assert.rejects(client.readResource("Patient", "bert"));
  });
});

describe("when something is down", () => {
  test("an answer that breaks off shows nothing", async () => {
    await store.fail({ status: 0, times: 1, match: "obs-anna" });
    const answer = await gw.ask("Observation/obs-anna");
    assert.equal(answer.status, 502);
    assert.doesNotMatch(answer.text, /glucose/);
    await store.fail({ status: 500, times: 1, match: "obs-anna" });
    assert.equal((await gw.ask("Observation/obs-anna")).status, 502);
    assert.equal((await gw.ask("Observation/obs-anna")).status, 200);
  });

  test("a view of the ledger that grew old closes everything, until it is fresh", async () => {
    gw.ledger.stop();
    await until("closed", async () => (await gw.ask("Patient/anna")).status === 503);
    const answer = await gw.ask("Patient/anna");
    assert.equal(answer.json().issue[0].code, "transient");
    assert.equal(records().at(-1).basis, "ledger-stale");
    gw.ledger.start();
    await until("open", async () => (await gw.ask("Patient/anna")).status === 200);
  });

  test("without the database nothing is shown, and service resumes by itself", async () => {
    gw.postgres.stop();
    const answer = await gw.ask("Patient/anna");
    assert.equal(answer.status, 503, answer.text);
    assert.equal((await gw.ask("Organization/clinic")).status, 503);
    gw.postgres.start();
    await until("open", async () => (await gw.ask("Patient/anna")).status === 200);
  });
});
