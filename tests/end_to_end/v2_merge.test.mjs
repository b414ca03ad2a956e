// Patients that are merged, linked and parted by HL7 v2, on a real chain: what becomes of their
// links at the FHIR server, of their consents and of their keys.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";

import { EHR, WARD, startConsentSite } from "./lib/consent_site.mjs";
import { allBut } from "./lib/fhir.mjs";
import { program } from "./lib/gateway.mjs";
import { until } from "./lib/process.mjs";
import { adt, oru } from "./lib/v2.mjs";

const BOTH = { ward: "delivered", ehr: "delivered" };
const NOT_WARD = { ward: "withheld", ehr: "delivered" };
const NONE = { ward: "withheld", ehr: "withheld" };
const MERGES = ["A18", "A30", "A34", "A36", "A39", "A40", "A46", "A47"];
const MOVES = ["A43", "A44", "A45", "A50"];

// Of each pair the first permits all, the second all but the ward.
const PAIRS = [...MERGES, ...MOVES, "LINK", "KEYS", "SAME", "AGAIN"];
let site;

before(async () => {
  site = await startConsentSite({ routes: [{ on_park: "skip" }] });
  await Promise.all([
    ...PAIRS.map((name) => site.patient(`${name}-1`).permit()),
    ...PAIRS.map((name) => site.patient(`${name}-2`).permit([], allBut(WARD))),
    site.patient("HALF-2").permit([EHR]),
  ]);
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(site?.gateway.output());
  }
  await site?.stop();
});

let sent = 0;
const cx = (number) => `${number}^^^LAB^MR`;
const pid = (...numbers) => `PID|1||${numbers.map(cx).join("~")}||Doppelt^Dora||19900909|F`;

/** What becomes of message @event with @segments, by destination. */
const ends = async (event, ...segments) =>
  (await site.take(adt(event, `M${sent++}`, ...segments))).end();
const result = async (number) => (await site.take(oru(`M${sent++}`, { patient: number }))).end();

/** Both are at the FHIR server, told apart by their consents. */
async function arrive(one, other) {
  assert.deepEqual(await ends("A04", pid(one), "PV1|1|O"), BOTH);
  assert.deepEqual(await ends("A04", pid(other), "PV1|1|O"), NOT_WARD);
}

const all = async (type) =>
  (await site.store.dump()).filter((one) => one.type === type).map(({ body }) => JSON.parse(body));

/** The Patient of @number at the FHIR server. */
async function patient(number) {
  const found = (await all("Patient")).filter(({ identifier }) =>
    identifier.some(({ value }) => value === number),
  );
  assert.equal(found.length, 1, `Patients of ${number}`);
  return found[0];
}

const link = ({ id }, type) => ({ other: { reference: `Patient/${id}` }, type });
const links = () => Number(site.postgres.sql("SELECT count(*) FROM patient_link")[0][0]);

for (const event of MERGES) {
  test(`${event} makes two one: replaced, and what either forbids stays forbidden`, async () => {
    const [stays, goes] = [`${event}-1`, `${event}-2`];
    await arrive(stays, goes);
    const before = links();
    const segments = [pid(stays), `MRG|${cx(goes)}`];
    assert.deepEqual(await ends(event, ...segments), NOT_WARD, "the message is about both");
    assert.equal(links(), before + 1, "one person from now on");
    const [survivor, gone] = [await patient(stays), await patient(goes)];
    assert.deepEqual(gone.link, [link(survivor, "replaced-by")]);
    assert.equal(gone.active, false);
    assert.deepEqual(survivor.link, [link(gone, "replaces")]);
    assert.notEqual(survivor.active, false);
    assert.deepEqual(await result(stays), NOT_WARD, "the consent of the number that went protects");
    assert.deepEqual(await result(goes), NOT_WARD);
    assert.deepEqual(await ends(event, ...segments), NOT_WARD, "said again");
    assert.equal(links(), before + 1);
    assert.deepEqual((await patient(goes)).link, [link(survivor, "replaced-by")]);
  });
}

test("consents count for both numbers, and no silence for consent", async () => {
  const [stays, goes] = ["HALF-1", "HALF-2"]; // the first one never consented
  const early = await site.take(oru(`M${sent++}`, { patient: stays }));
  assert.deepEqual(await early.end(), NONE);
  assert.deepEqual(await result(goes), NOT_WARD);
  assert.deepEqual(await ends("A40", pid(stays), `MRG|${cx(goes)}`), NOT_WARD);
  assert.deepEqual(await result(stays), NOT_WARD);
  assert.deepEqual(await early.end(), NONE, "what was withheld stays so");
});

test("merged the other way round, and over a third, they stay one", async () => {
  const [one, two, three] = ["AGAIN-1", "AGAIN-2", "AGAIN-3"];
  await arrive(one, two);
  assert.deepEqual(await result(three), NONE);
  await ends("A40", pid(one), `MRG|${cx(three)}`);
  await ends("A40", pid(two), `MRG|${cx(one)}`);
  for (const number of [one, two, three]) {
    assert.deepEqual(await result(number), NOT_WARD, number);
  }
  const before = links();
  await ends("A40", pid(three), `MRG|${cx(two)}`);
  assert.equal(links(), before, "no circle");
});

test("A24 links, A37 parts: both stay whom they are", async () => {
  const [one, other] = ["LINK-1", "LINK-2"];
  await arrive(one, other);
  const before = links();
  const linked = async () => [(await patient(one)).link, (await patient(other)).link];
  assert.deepEqual(await ends("A24", pid(one), pid(other)), NOT_WARD, "it is about both");
  const [a, b] = [await patient(one), await patient(other)];
  assert.deepEqual(await linked(), [[link(b, "seealso")], [link(a, "seealso")]]);
  assert.equal(links(), before, "two persons");
  assert.deepEqual(await result(one), BOTH);
  assert.deepEqual(await result(other), NOT_WARD);
  assert.deepEqual(await ends("A37", pid(one), pid(other)), NOT_WARD);
  assert.deepEqual(await linked(), [undefined, undefined]);
  assert.deepEqual(await result(one), BOTH);
});

for (const event of MOVES) {
  test(`${event} moves between two, who stay two`, async () => {
    const [to, from] = [`${event}-1`, `${event}-2`];
    await arrive(to, from);
    const visit = `PV1|1|I${"|".repeat(17)}V-${event}`;
    const account = `${pid(from)}${"|".repeat(10)}ACC-${event}`;
    await ends("A01", account, visit);
    const before = links();
    const target = `${pid(to)}${"|".repeat(10)}ACC-${event}`;
    const mrg = `MRG|${cx(from)}||ACC-${event}||V-${event}`;
    assert.deepEqual(await ends(event, target, mrg, visit), NOT_WARD, "it is about both");
    assert.equal(links(), before);
    const { id } = await patient(to);
    assert.equal((await patient(from)).active ?? true, true);
    assert.equal((await patient(from)).link, undefined);
    assert.deepEqual(await result(to), BOTH);
    assert.deepEqual(await result(from), NOT_WARD);
    const numbered = (value) => (one) => one.identifier?.some((i) => i.value === value);
    if (event === "A45") {
      const [encounter] = (await all("Encounter")).filter(numbered(`V-${event}`));
      assert.equal(encounter.subject.reference, `Patient/${id}`);
    }
    if (event === "A44") {
      const [moved] = (await all("Account")).filter(numbered(`ACC-${event}`));
      assert.deepEqual(moved.subject, [{ reference: `Patient/${id}` }]);
    }
  });
}

test("a survivor whose PID has both numbers is merged, not a riddle", async () => {
  const [stays, goes] = ["SAME-1", "SAME-2"];
  await arrive(stays, goes);
  const before = links();
  assert.deepEqual(await ends("A40", pid(stays, goes), `MRG|${cx(goes)}`), NOT_WARD);
  assert.equal(links(), before + 1);
  assert.deepEqual(await result(stays), NOT_WARD);
  assert.deepEqual(await result(goes), NOT_WARD);
});

test("a number that the survivor bears already replaces nobody", async () => {
  const [stays, goes] = ["BEARS-1", "BEARS-2"];
  await site.patient(stays).permit();
  assert.deepEqual(await ends("A31", pid(stays, goes)), BOTH);
  for (const time of ["once", "twice"]) {
    assert.deepEqual(await ends("A40", pid(stays), `MRG|${cx(goes)}`), BOTH, time);
    const survivor = await patient(stays);
    assert.notEqual(survivor.active, false);
    assert.equal(survivor.link, undefined);
  }
  assert.deepEqual(await result(goes), BOTH);
});

test("after a merge one erasure makes all of the person unreadable, and of nobody else", async () => {
  const [stays, goes] = ["KEYS-1", "KEYS-2"];
  const take = async (patient) => site.take(oru(`M${sent++}`, { patient }));
  const early = await take(goes);
  await early.end();
  await arrive(stays, goes);
  await ends("A40", pid(stays), `MRG|${cx(goes)}`);
  const messages = [early, await take(stays), await take(goes)];
  const other = await take("A40-1");
  const replay = async (message) => {
    await message.end();
    const its = () => message.rows().find(({ destination }) => destination === "ward");
    const looks = () => message.records().filter((one) => one.interaction === "v2.deliver").length;
    const before = looks();
    const done = command(its().number);
    assert.equal(done.status, 0, done.stderr);
    await until("another look", () => looks() > before);
    return its();
  };
  const command = (number) =>
    spawnSync(program, ["hl7", "replay", number, "--config", site.files.file], {
      encoding: "utf8",
    });
  for (const message of [...messages, other]) {
    assert.equal((await replay(message)).state, "withheld", "it can be read, and decided");
  }
  const [[person, keys]] = site.postgres.sql(
    `SELECT target, (SELECT count(*) FROM patient_key WHERE patient IN (source, target))
     FROM patient_link ORDER BY at DESC LIMIT 1`,
  );
  assert.equal(site.postgres.sql(`SELECT patient_shred('${person}')`).length, Number(keys));
  for (const message of messages) {
    const its = () => message.rows().find(({ destination }) => destination === "ward");
    const { status, stdout } = command(its().number);
    assert.equal(status, 77);
    assert.match(stdout, /: key destroyed\n/);
    // One that was on its way when its key went: the worker can't open it either.
    site.postgres.sql(`UPDATE outbox SET state = 1, blocks = true, next_at = now()
                       WHERE number = ${its().number}`);
    await until("parked", () => its().state === "parked");
    assert.equal(its().reason, "key-destroyed");
  }
  assert.equal((await replay(other)).state, "withheld");
});
