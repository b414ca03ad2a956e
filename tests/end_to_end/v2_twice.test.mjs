// The reference corpus twice: the FHIR server ends as after once, whether the messages come again as
// the same bytes or as new messages that say the same.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { assigners, messages, renewed, without } from "./lib/corpus.mjs";
import { startFhirServer } from "./lib/parts.mjs";
import { startSite } from "./lib/site.mjs";
import { collect, connect } from "./lib/v2.mjs";

const skip = without("v2_messages");
const PART = 4; // of all messages Medplum's server, whose search reads all it has, gets one in so many

/** What a FHIR server's history says of each resource: [version's number, content without meta]. */
async function plainState(store) {
  const kept = (await store.dump()).map(({ type, id, version, body }) => {
    const { meta, ...content } = JSON.parse(body);
    return [`${type}/${id}`, { version, content, labels: meta?.security }];
  });
  return new Map(kept);
}

const TYPES =
  "Patient Encounter Account Observation DiagnosticReport ServiceRequest Specimen Condition Procedure " +
  "Practitioner PractitionerRole Organization Location RelatedPerson Immunization MedicationRequest " +
  "AllergyIntolerance Coverage Appointment DocumentReference Provenance Device";

async function medplumState(server) {
  const kept = new Map();
  const ask = async (what) => (await fetch(`${server.base}/${what}`)).json();
  for (const type of TYPES.split(" ")) {
    for (let offset = 0, n = -1; n !== 0; offset += n) {
      const { entry = [] } = await ask(`${type}?_count=500&_offset=${offset}&_sort=_id`);
      for (const { resource } of entry) {
        const { meta, ...content } = resource;
        const { entry: versions } = await ask(`${type}/${resource.id}/_history`);
        const version = versions.length;
        kept.set(`${type}/${resource.id}`, { version, content, labels: meta?.security });
      }
      n = entry.length;
    }
  }
  return kept;
}

/** MSA-1 of an answer in whatever delimiters. */
const codeOf = (answer) => answer.split("\r")[1].slice(4, 6);

/** One message after the other, each delivered before the next is sent; how many were taken. */
async function inOrder(site, list) {
  const connection = connect(site.port);
  const session = site.postgres.session();
  let taken = 0;
  for (const { name, bytes } of list) {
    const code = codeOf(await connection.ask(bytes));
    assert.ok(["AA", "AE"].includes(code), `${name}: ${code}`);
    taken += code === "AA";
    while ((await session.ask("SELECT count(*) FROM outbox WHERE state IN (0, 1)"))[0][0] !== "0");
  }
  connection.end();
  session.end();
  return taken;
}

const sayingTheSame = (list) =>
  list.map(({ name, bytes }, i) => ({ name, bytes: renewed(bytes, "20261101081500", `NEW${i}`) }));

/** Of @later what isn't in @earlier or differs from it. */
function differences(earlier, later, what) {
  return [...later.keys()].filter(
    (key) => !earlier.has(key) || JSON.stringify(what(earlier.get(key))) !== JSON.stringify(what(later.get(key))),
  );
}

// R4 asks these for a time that only the message itself, by MSH-7, may have.
const OF_THE_MESSAGE = { NutritionOrder: "dateTime", ClaimResponse: "created" };

const content = ({ content, labels }) => {
  const name = OF_THE_MESSAGE[content.resourceType];
  const { [name]: time, [`_${name}`]: original, ...rest } = content;
  return [rest, labels];
};
const resources = (state) => new Map([...state].filter(([key]) => !key.startsWith("Provenance/")));

for (const [name, fhir, stateOf, part] of [
  ["a plain store", undefined, plainState, 1],
  ["Medplum's server", startFhirServer, medplumState, PART],
]) {
  describe(`the corpus twice to ${name}`, { skip }, () => {
    let site, list, once, taken;

    before(async () => {
      const all = [...messages("v2_messages"), ...messages("v2_quirky")];
      list = all.filter((_, i) => i % part === 0);
      site = await startSite({
        routes: [{ to: ["ehr"], on_park: "skip" }],
        sender: { assigners: assigners(all) },
        config: { workers: 1 },
        ...(fhir && { fhir }),
      });
      taken = await inOrder(site, list);
      once = await stateOf(site.store);
    });

    after(() => site?.stop());

    test("the same bytes again: the same answers, and nothing else", async (t) => {
      const before = { rows: site.outbox().length, records: site.records().length };
      const answers = await collect(site.port, list.map(({ bytes }) => bytes), {
        quiet: 3000,
        encoding: "latin1",
      });
      assert.equal(answers.length, list.length);
      const codes = answers.map(codeOf);
      assert.equal(codes.filter((code) => code === "AA").length, taken);
      await site.quiet();
      assert.equal(site.outbox().length, before.rows);
      const made = site.records().slice(before.records);
      assert.equal(made.length, list.length - taken, "a record of each refusal");
      assert.ok(made.every(({ outcome }) => outcome === "refused"));
      assert.deepEqual([...(await stateOf(site.store))], [...once], "versions included");
      t.diagnostic(`${taken} of ${list.length} messages taken, ${once.size} resources`);
    });

    test("as new messages: the same resources, the same content", async (t) => {
      const rows = site.outbox().length;
      assert.equal(await inOrder(site, sayingTheSame(list)), taken);
      const added = site.outbox().slice(rows);
      assert.equal(added.length, rows, "each was taken as a new message");
      const now = await stateOf(site.store);
      assert.deepEqual(differences(resources(once), resources(now), content), []);
      assert.deepEqual([...resources(once).keys()].filter((key) => !now.has(key)), []);
      const provenances = (state) => [...state.keys()].filter((key) => key.startsWith("Provenance/"));
      const delivered = added.filter(({ state }) => state === "delivered").length;
      assert.equal(
        provenances(now).length - provenances(once).length,
        delivered,
        "each message that came has its own Provenance",
      );
      t.diagnostic(`${delivered} delivered, ${now.size} resources`);
    });
  });
}
