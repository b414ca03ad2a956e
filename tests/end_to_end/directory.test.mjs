// A directory tells whom an actor belongs to: organizations above, care teams, groups, roles.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { toSign } from "./lib/controller.mjs";
import { allBut, CLINIC, consent, fhirPort, grantOnChain, startFhirGateway } from "./lib/fhir.mjs";
import { startFhirServer, startPlainStore } from "./lib/parts.mjs";
import { freePort, until } from "./lib/process.mjs";
import { startSite } from "./lib/site.mjs";
import { acked, oru, send } from "./lib/v2.mjs";

const TRUST = "urn:oid:1.2.276.0.76.9";
const OTHER = "urn:oid:1.2.276.0.76.2";
const WARD = "urn:oid:1.2.10";

let server, store, near, far;
const made = {};

async function write(base, resource) {
  const { resourceType, id } = resource;
  const answer = await fetch(`${base}/${resourceType}${id ? `/${id}` : ""}`, {
    method: id ? "PUT" : "POST",
    headers: { "content-type": "application/fhir+json" },
    body: JSON.stringify(resource),
  });
  assert.ok(answer.ok, await answer.clone().text());
  return answer.json();
}

const direct = (resourceType, more) => write(server.base, { resourceType, ...more });
const called = (value) => [{ system: "urn:ietf:rfc:3986", value }];
const to = (one) => ({ reference: `${one.resourceType}/${one.id}` });

/** Claims of somebody at @organization. */
const at = (organization) => ({
  extensions: {
    "hl7-b2b": {
      version: "1",
      organization_id: organization,
      purpose_of_use: ["urn:oid:2.16.840.1.113883.5.8#TREAT"],
    },
  },
});

/** Claims of clinician @who, a Practitioner. */
const as = (who) => ({ fhirUser: `${server.base}/Practitioner/${who.id}` });

/** What a read of a new patient's data of @gw comes to for @claims, whose consent says @more. */
async function patient(gw, more, claims) {
  const { id } = gw === near ? await direct("Patient", {}) : await put(store.base);
  await gw.permit(id, more, claims);
  return async (other) => (await gw.ask(`Patient/${id}`, { claims: other })).status;
}

let count = 0;
const put = (base) => write(base, { resourceType: "Patient", id: `p${count++}` });

before(async () => {
  [server, store] = await Promise.all([startFhirServer(), startPlainStore()]);
  made.trust = await direct("Organization", { identifier: called(TRUST), name: "trust" });
  made.hospital = await direct("Organization", { name: "hospital", partOf: to(made.trust) });
  made.clinic = await direct("Organization", {
    identifier: called(CLINIC),
    name: "clinic",
    partOf: to(made.hospital),
  });
  await direct("Organization", { identifier: called(OTHER), name: "another" });
  made.grey = await direct("Practitioner", {});
  made.who = await direct("Practitioner", {});
  const believed = { directory_age: "1s" };
  near = await startFhirGateway(server.base, {
    config: { consent: { directory: "ehr", ...believed } },
  });
  const directory = { protocol: "fhir", url: server.base, organization: TRUST };
  const ehr = { protocol: "fhir", url: store.base, organization: "urn:oid:1.2.9" };
  far = await startFhirGateway(store.base, {
    config: {
      destinations: { ehr, directory },
      consent: { directory: "directory", ...believed },
    },
  });
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(near?.gateway.output(), far?.gateway.output());
  }
  await near?.stop();
  await far?.stop();
  await server?.stop();
  await store?.stop();
});

test("an organization above may see what its own may", async () => {
  for (const gw of [near, far]) {
    const read = await patient(gw, { organization: TRUST });
    assert.equal(await read(), 200);
  }
  const byId = await patient(near, { organization: to(made.hospital) });
  assert.equal(await byId(), 200);
});

test("a member of a care team may, as long as he is in it", async () => {
  const participant = [{ member: to(made.grey) }];
  const team = await direct("CareTeam", { status: "active", participant });
  const read = await patient(near, { organization: to(team) }, as(made.grey));
  assert.equal(await read(as(made.who)), 404);
  assert.equal(await read(), 404);
  await write(server.base, { ...team, participant: [{ member: to(made.who) }] });
  await until("out of the team", async () => (await read(as(made.grey))) === 404);
  await until("in the team", async () => (await read(as(made.who))) === 200);
});

test("so may one of a group, and one by his role in a team", async () => {
  const member = [{ entity: to(made.grey) }];
  const group = await direct("Group", { type: "practitioner", actual: true, member });
  const inGroup = await patient(near, { organization: to(group) }, as(made.grey));
  assert.equal(await inGroup(as(made.who)), 404);

  const role = await direct("PractitionerRole", { practitioner: to(made.who) });
  const team = await direct("CareTeam", {
    status: "active",
    participant: [{ member: to(role) }],
  });
  const url = { reference: `${server.base}/CareTeam/${team.id}` };
  const byRole = await patient(far, { organization: url }, as(made.who));
  assert.equal(await byRole(as(made.grey)), 404);
});

test("who belongs to whom a rule denies is denied", async () => {
  const read = await patient(near, allBut(TRUST), at(OTHER));
  assert.equal(await read(), 404, "the clinic is part of it");
  const stranger = { ...at("urn:oid:1.2.276.0.76.3") };
  assert.equal(await read(stranger), 404, "of whom the directory knows nothing");
  assert.equal(near.records().at(-1).basis, "directory");
});

test("without an answer of the directory no deny is passed over, and own names still count", async () => {
  const named = await patient(far);
  const denying = await patient(far, allBut("urn:oid:9.9"));
  assert.equal(await denying(), 200);
  await server.stop();
  await until("nothing believed any more", async () => (await denying()) === 404);
  assert.equal(await named(), 200, "the consent names the clinic itself");
  assert.ok(far.records().some(({ basis }) => basis === "directory"));
  assert.ok((await far.gateway.metric("chartseal_directory_failed_total")) > 0);
});

test("messages go to whom an organization above permits, and wait while that can't be known", async (t) => {
  const port = await freePort();
  const known = async () => {
    const started = await startFhirServer({ port });
    const put = (more) => write(started.base, { resourceType: "Organization", ...more });
    const trust = await put({ identifier: called(TRUST), name: "trust" });
    for (const organization of [WARD, CLINIC]) {
      await put({ identifier: called(organization), name: "part", partOf: to(trust) });
    }
    return started;
  };
  const office = await fhirPort();
  const orders = await fhirPort();
  const site = await startSite({
    fhir: known,
    listeners: { office: office.listener, orders: orders.listener },
    routes: [
      { to: ["ward"], mode: "enforce" },
      { from: "office", to: ["ehr"], mode: "enforce" },
      { from: "orders", to: ["ward"], mode: "enforce" },
    ],
    config: { consent: { directory: "ehr", directory_age: "1s" } },
  });
  t.after(() => site.stop());
  const last = () => site.outbox().at(-1);
  const message = async (id) => {
    assert.equal(acked(await send(site.port, oru(id, { patient: "4713" }))).code, "AA");
    return last();
  };
  const identifier = { system: "urn:oid:1.2.3.4", value: "4713" };
  const order = async () => {
    const body = { resourceType: "Patient", identifier: [identifier], name: [{ family: "Y" }] };
    return (await orders.ask("Patient", { method: "POST", body })).status;
  };
  const filed = await office.ask("Consent", {
    method: "POST",
    body: consent({ identifier }, { organization: [CLINIC, TRUST] }),
  });
  assert.equal(filed.status, 201, filed.text);
  grantOnChain(site.postgres, toSign(filed.json()));
  await until("the order is taken", async () => (await order()) === 202);
  await message("D1");
  await site.quiet();
  assert.deepEqual(new Set(site.outbox().map(({ state }) => state)), new Set(["delivered"]));

  const failed = () => site.gateway.metric("chartseal_directory_failed_total");
  const before = (await failed()) ?? 0;
  await site.store.stop();
  await until("nothing is believed any more", async () => (await failed()) > before + 6);
  await message("D2");
  await until("it is decided", () => last().reason === "directory");
  assert.equal(last().state, "held");
  assert.equal(await order(), 202, "the clinic is named itself");
  assert.deepEqual([last().state, last().reason], ["held", "directory"]);

  site.store = await known();
  await site.quiet();
  assert.deepEqual(new Set(site.outbox().map(({ state }) => state)), new Set(["delivered"]));
});
