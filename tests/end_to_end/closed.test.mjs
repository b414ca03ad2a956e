// Every error of ledger, database and policy ends in a refusal with a basis, of whatever is asked,
// and breaking the glass is excepted for the ledger's silence alone. Each error is made here.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import { toSign } from "./lib/controller.mjs";
import { CLINIC, consent, grantOnChain, startFhirGateway } from "./lib/fhir.mjs";
import { program, serve } from "./lib/gateway.mjs";
import { folder, startPlainStore } from "./lib/parts.mjs";
import { freePort, until } from "./lib/process.mjs";
import { issuer } from "./lib/token.mjs";
import { acked, oru, send } from "./lib/v2.mjs";

const EHR = "urn:oid:1.2.9"; // the organisation of the FHIR server
const REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const BTG = { system: REASON, code: "BTG" };
const REFUSED = ["deny", "held", "refused", "unavailable", "withheld"];
const where = folder("policy");
const policy = path.join(where, "policy.json");
const keys = generateKeyPairSync("ed25519");
const stranger = generateKeyPairSync("ed25519");

let store, strict, gw, lab;
let messages = 0;

const put = (resource) =>
  fetch(`${store.base}/${resource.resourceType}/${resource.id}`, {
    method: "PUT",
    headers: { "content-type": "application/fhir+json" },
    body: JSON.stringify(resource),
  });

/** The tenant's policy is @text, signed by @by. */
function write(text, by = keys) {
  writeFileSync(policy, text);
  writeFileSync(`${policy}.sig`, sign(null, Buffer.from(text), by.privateKey));
}

const emergency = (sub = "dr-grey") =>
  strict.token({
    aud: gw.base,
    sub,
    client_id: "ward-app",
    scope: "user/*.cruds",
    auth_time: Math.floor(Date.now() / 1000) - 1,
    extensions: {
      "hl7-b2b": {
        version: "1",
        organization_id: CLINIC,
        subject_role: ["physician"],
        purpose_of_use: ["urn:oid:2.16.840.1.113883.5.8#BTG"],
      },
    },
  });

/** Patient @id with data and a consent in force for @organization and @purpose. */
async function patient(id, organization, purpose) {
  await put({
    resourceType: "Patient",
    id,
    identifier: [{ system: "urn:lab", value: `lab-${id}` }],
    address: [{ text: "Glockengasse" }],
  });
  await put({
    resourceType: "Observation",
    id: `obs-${id}`,
    status: "final",
    code: { text: "Glockengasse" },
    subject: { reference: `Patient/${id}` },
  });
  const body = consent({ reference: `Patient/${id}` }, { organization, ...(purpose && { purpose }) });
  const filed = await gw.ask("Consent", { method: "POST", body });
  assert.equal(filed.status, 201, filed.text);
  grantOnChain(gw.postgres, toSign(filed.json()));
}

const read = () => gw.ask("Patient/anna");
const search = () => gw.ask("Observation?patient=anna");
const create = () =>
  gw.ask("Observation", {
    method: "POST",
    body: {
      resourceType: "Observation",
      status: "final",
      code: { text: "Glockengasse" },
      subject: { reference: "Patient/anna" },
    },
  });
const message = async () =>
  acked(await send(lab, oru(`M${++messages}`, { patient: "lab-anna" })).catch(() => ""));

/** Whether all that is asked is answered, and delivered, as consents permit. */
async function open() {
  const found = await search();
  return (
    (await read()).status === 200 &&
    found.text.includes("obs-anna") &&
    (await create()).status === 201 &&
    (await gw.ask("Patient/greta", { as: await emergency() })).status === 200
  );
}

before(async () => {
  store = await startPlainStore();
  strict = await issuer({ iss: "https://strict.example" });
  lab = await freePort();
  write('{"schema":1}');
  const pem = path.join(where, "policy.pem");
  writeFileSync(pem, keys.publicKey.export({ type: "spki", format: "pem" }));
  gw = await startFhirGateway(store.base, {
    staleness: "5s",
    others: [[strict, { roles: { break_glass: ["physician"] } }]],
    listeners: {
      lab: {
        protocol: "mllp",
        address: `127.0.0.1:${lab}`,
        senders: [
          { address: "127.0.0.1", organization: "urn:oid:1.2.7", assigners: { LAB: "urn:lab" } },
        ],
      },
    },
    routes: [{ from: "lab", to: ["ehr"], purpose: "TREAT" }],
    config: {
      workers: 1,
      break_glass: { reasons: ["unconscious"], notify: "ehr" },
      consent: { policy, policy_key: pem },
    },
  });
  await patient("anna", [CLINIC, EHR]);
  await patient("greta", [CLINIC], BTG);
  await until("consents in force", async () => (await read()).status === 200);
  const parameter = [
    { name: "reason", valueCode: "unconscious" },
    { name: "justification", valueString: "found unconscious in the street" },
    { name: "acknowledged", valueBoolean: true },
  ];
  const smashed = await gw.ask("Patient/greta/$break-glass", {
    method: "POST",
    body: { resourceType: "Parameters", parameter },
    as: await emergency(),
  });
  assert.equal(smashed.status, 201, smashed.text);
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(gw?.gateway.output());
  }
  await gw?.stop();
  await store?.stop();
});

/** Nothing of a patient is in @answer, whose status is one of @statuses. */
function shut(name, answer, statuses) {
  assert.ok(statuses.includes(answer.status), `${name}: ${answer.status} ${answer.text}`);
  assert.doesNotMatch(answer.text, /Glockengasse|obs-anna|lab-/, name);
  const said = answer.json();
  const outcome = said.resourceType === "Bundle" ? said.entry[0].resource : said;
  assert.equal(outcome.resourceType, "OperationOutcome", name);
  assert.ok(outcome.issue[0].code, name);
}

/** Change all consents on chain so, and back. */
const chain = (change, back = change) => ({
  make: () => gw.postgres.sql(`UPDATE consent_chain SET ${change}`),
  mend: () => gw.postgres.sql(`UPDATE consent_chain SET ${back}`),
});
const flip = (column, at = 0) =>
  `${column} = set_byte(${column}, ${at}, get_byte(${column}, ${at}) # 1)`;
const filed = (change) => ({
  make: () => gw.postgres.sql(`UPDATE consent SET ${change}`),
  mend: () => gw.postgres.sql(`UPDATE consent SET ${change}`),
});
/** Rows of @table can't be written. */
const unwritable = (table) => ({
  make: () => gw.postgres.sql(`ALTER TABLE ${table} ADD CONSTRAINT shut CHECK (false) NOT VALID`),
  mend: () => gw.postgres.sql(`ALTER TABLE ${table} DROP CONSTRAINT shut`),
});
/** Anew, with caches empty. */
const reload = () => gw.gateway.hup();

let held; // a transaction that doesn't end

// name, how it is made and mended, the basis that records then have (none: nothing can be
// recorded, so nothing is done), what a message hears, whether the glass still breaks
const cases = [
  ["ledger: nobody follows it", { make: () => gw.ledger.stop(), mend: () => gw.ledger.start() }, "ledger-stale", "AA", true],
  ["ledger: another commitment", chain(flip("commitment")), "ledger-mismatch", "AA"],
  ["ledger: a version that isn't filed", chain("version = version + 1, granted = granted + 1", "version = version - 1, granted = granted - 1"), "ledger-mismatch", "AA"],
  ["ledger: the grant isn't safe", chain("safe = false", "safe = true"), "not-yet-safe", "AA"],
  ["ledger: revoked", chain("revoked = true", "revoked = false"), "revoked", "AA"],
  ["ledger: before its window", chain("valid_from = valid_from + 4000000000", "valid_from = valid_from - 4000000000"), "not-yet-valid", "AA"],
  ["ledger: after its window", chain("valid_until = valid_until - 1099511600000", "valid_until = valid_until + 1099511600000"), "expired", "AA"],
  [
    "ledger: the grant is gone",
    {
      make: () => gw.postgres.sql("CREATE TABLE kept AS SELECT * FROM consent_chain; DELETE FROM consent_chain"),
      mend: () => gw.postgres.sql("INSERT INTO consent_chain SELECT * FROM kept; DROP TABLE kept"),
    },
    "not-yet-safe",
    "AA",
  ],
  ["policy: one bit of what is filed", filed(flip("sealed", 70)), "ledger-mismatch", "AA"],
  ["policy: another commitment is filed", filed(flip("commitment")), "ledger-mismatch", "AA"],
  [
    "policy: the tenant's legal rule",
    {
      make: () => {
        write('{"legal":{"base":"silent","rules":[{"effect":"deny"}],"schema":1},"schema":1}');
        reload();
      },
      mend: () => {
        write('{"schema":1}');
        reload();
      },
    },
    "legal",
    "AA",
  ],
  ["database: it is stopped", { make: () => gw.postgres.stop(), mend: () => gw.postgres.start() }, null, "AR"],
  ["database: no record can be written", unwritable("record"), null, "AR"],
  ["database: no opening can be written", unwritable("opening"), null, "AR"],
  ["database: no access row can be written", unwritable("access"), null, "AR"],
  [
    "database: a change of consents isn't committed",
    {
      make: async () => {
        held = await gw.postgres.uncommitted("UPDATE consent_chain SET safe = safe");
      },
      mend: () => held.commit(),
    },
    null,
    "AR",
  ],
  [
    "database: the epoch can't be read",
    {
      make: () => gw.postgres.sql("ALTER TABLE epoch RENAME TO epoch_away"),
      mend: () => gw.postgres.sql("ALTER TABLE epoch_away RENAME TO epoch"),
    },
    null,
    "AR",
  ],
];

for (const [name, { make, mend }, basis, heard, glass = false] of cases) {
  test(`${name}: ${basis ?? "nothing is recorded"}`, async () => {
    await until("open", open, 120);
    await make();
    try {
      await until(
        "closed",
        async () => {
          const { status } = await read();
          return status !== 200 && (!basis || gw.records().at(-1).basis === basis);
        },
        120,
      );
      const from = basis ? gw.records().length : 0;
      const { writes } = await store.stats();
      const [one, many, made, broken] = await Promise.all([
        read(),
        search(),
        create(),
        gw.ask("Patient/greta", { as: await emergency() }),
      ]);
      shut("read", one, basis ? [404, 503] : [503]);
      shut("search", many, basis ? [200, 503] : [503]);
      shut("create", made, basis ? [403, 503] : [503]);
      if (glass) {
        assert.equal(broken.status, 200, broken.text);
      } else {
        shut("glass", broken, basis ? [404, 503] : [503]);
      }
      const { code } = await message();
      assert.ok(code === heard || (heard === "AR" && code === "none"), `a message hears ${code}`);
      assert.equal((await store.stats()).writes, writes, "nothing is written");
      if (basis) {
        const recorded = gw.records().slice(from).filter(({ basis: said }) => said !== "break-glass");
        assert.ok(recorded.length >= 4, `${recorded.length} records`);
        for (const { interaction, outcome, basis: said } of recorded) {
          assert.ok(REFUSED.includes(outcome), `${interaction} ${outcome}`);
          assert.equal(said, basis, interaction);
        }
      }
    } finally {
      await mend();
    }
    await until("open again", open, 120);
  });
}

test("a node that can't open a patient's key takes no traffic until it can", async () => {
  const damage = `UPDATE patient_key SET ${flip("wrapped", 30)}
    WHERE patient <> '00000000-0000-0000-0000-000000000000'`;
  const free = async () => `127.0.0.1:${await freePort()}`;
  const { listeners, ...config } = gw.files.config;
  const admin = await free();
  const own = Object.entries(listeners).map(async ([name, one]) => [
    name,
    { ...one, address: await free() },
  ]);
  const other = { ...config, listeners: Object.fromEntries(await Promise.all(own)) };
  const file = path.join(gw.files.where, "other.yaml");
  writeFileSync(file, JSON.stringify({ ...other, admin: { address: admin } }));
  await until("open", open, 120);
  gw.postgres.sql(damage);
  let node;
  try {
    node = await serve({ file, config: other, admin: `http://${admin}` }, { ready: false });
    const refused = () => /a stored key does not open/.test(node.output());
    await until("the key is refused", refused, 60);
    const { status, checks } = await node.health();
    assert.deepEqual([status, checks.consents.reason], ["fail", "consent-loading"]);
    const metadata = `http://${other.listeners.fhir.address}/fhir/metadata`;
    await assert.rejects(fetch(metadata, { signal: AbortSignal.timeout(2000) })); // nobody accepts it
  } finally {
    gw.postgres.sql(damage);
  }
  await until("it takes traffic", async () => (await node.metric("chartseal_ready")) >= 1, 60);
  await node.stop();
});

test("a policy that somebody else signed isn't taken: not by a reload, not by a start", async () => {
  await until("open", open, 120);
  const check = () => spawnSync(program, ["check-config", gw.files.file], { encoding: "utf8" });
  assert.equal(check().status, 0);
  write('{"combining":"most-recent","schema":1}', stranger);
  const { status, stderr } = check();
  assert.equal(status, 78);
  assert.match(stderr, /not this key's signature/);
  reload();
  await until("the log says so", () => /not this key's signature/.test(gw.gateway.output()), 60);
  assert.equal((await read()).status, 200, "what was in force stays");
  write('{"schema":1}');
});
