// A consent taken back on paper or in person: staff attest it, and the chain says so.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startConsentSite } from "./lib/consent_site.mjs";
import { until } from "./lib/process.mjs";
import { issuer } from "./lib/token.mjs";

const WHY = "Signed form 12/2026, handed in at the front desk";
let site, strict, base, id;

const staff = (roles, more = {}) =>
  strict.token({
    aud: base,
    sub: "clerk",
    scope: "user/Consent.cruds",
    extensions: { "hl7-b2b": { version: "1", organization_id: "urn:x", subject_role: roles } },
    ...more,
  });

const takeBack = (as, reason = WHY) =>
  site.ask(`Consent/${id}/$revoke-consent`, {
    method: "POST",
    as,
    body: { resourceType: "Parameters", parameter: [{ name: "reason", valueString: reason }] },
  });

const chainSays = async () => {
  const { parameter } = (await site.ask(`Consent/${id}/$status`)).json();
  return parameter.find(({ name }) => name === "chain").valueCode;
};

before(async () => {
  strict = await issuer({ iss: "https://strict.example" });
  site = await startConsentSite({
    sends: true,
    others: [[strict, { roles: { attest: ["urn:roles#clerk"] } }]],
  });
  base = site.base;
  const filed = site.patient("4711");
  await filed.permit();
  id = filed.id();
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(site?.gateway.output());
  }
  await site?.stop();
});

test("nobody without the role, without words, or for a consent that isn't there", async () => {
  const clerk = await staff(["urn:roles|clerk"]);
  const cases = [
    [await staff([]), WHY, 403, "role"],
    [undefined, WHY, 403, "role"],
    [await staff(["urn:roles|clerk"], { scope: "user/Consent.rs" }), WHY, 403, "scope"],
    [clerk, "so", 422, "consent-refused"],
    [clerk, "x".repeat(2001), 422, "consent-refused"],
  ];
  for (const [as, reason, status, basis] of cases) {
    const answer = await takeBack(as, reason);
    assert.equal(answer.status, status, answer.text);
    const last = site.records().filter(({ interaction }) => interaction === "consent.revoke").at(-1);
    assert.deepEqual([last.basis, last.log], [basis, "consent"]);
  }
  const gone = await site.ask(`Consent/${"00".repeat(32)}/$revoke-consent`, {
    method: "POST",
    as: clerk,
    body: { resourceType: "Parameters" },
  });
  assert.equal(gone.status, 404);
  assert.equal(await chainSays(), "safe");
});

test("what the patient takes back is off at once, and on chain by the attestor", async () => {
  const clerk = await staff(["urn:roles|clerk"]);
  const answer = await takeBack(clerk);
  assert.equal(answer.status, 202, answer.text);
  const record = site.records().filter(({ interaction }) => interaction === "consent.revoke").at(-1);
  assert.deepEqual([record.outcome, record.basis], ["done", "planned"]);
  assert.ok(record.commitments.subject && record.commitments.payload, "why is kept");
  assert.ok(!JSON.stringify(site.records()).includes("front desk"));
  await until("revoked here", async () => (await chainSays()) === "revoked");
  const revoked = async () => {
    const events = await site.registry.queryFilter("ConsentRevoked");
    return events.find(({ args }) => args.consentId === `0x${id}`);
  };
  await until("revoked on chain", async () => (await revoked()) !== undefined, 120);
  assert.equal((await revoked()).args.source, 1n, "by an attestor");
  const again = await takeBack(clerk);
  assert.equal(again.status, 422, "once");
});
