// Nothing of a message may be found outside where it belongs: not in the database's dump, not
// in its files, not in logs or metrics, in any of the ways a value is commonly written down.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import { startSite } from "./lib/site.mjs";
import { acked, adt, oru, send } from "./lib/v2.mjs";

// Words that nothing else uses, and long enough not to turn up by chance in ciphertext.
const SECRETS = [
  "Quastenflosser", // names
  "Wendelgard",
  "Zwiebelturmweg 77", // address
  "Bad Knurrhahn",
  "98765-4321-ABCDEF", // identifiers
  "VISIT-5566778899",
  "FILLER-1122334455",
  "PLACER-9988776655",
  "+49-30-5550199887", // telephone
  "19550706", // date of birth, and as FHIR writes it
  "1955-07-06",
  "7351.2468", // value of a result
  "CONTROL-445566-ID",
];
const [family, given, street, city, mrn, visit, filler, placer, phone, born, , value, control] =
  SECRETS;

let site;

before(async () => {
  site = await startSite();
});

after(() => site?.stop());

/** The bytes that @text may appear as: itself, UTF-16, hex of either, base64 at each alignment. */
function forms(text) {
  const raw = [Buffer.from(text, "utf8"), Buffer.from(text, "utf16le")];
  raw.push(Buffer.from(raw[1]).swap16());
  const found = [];
  for (const bytes of raw) {
    found.push(bytes, Buffer.from(bytes.toString("hex")));
    found.push(Buffer.from(bytes.toString("hex").toUpperCase()));
    for (let before = 0; before < 3; before++) {
      // What stands before or after may change the first and last digits: leave those away.
      const padded = Buffer.concat([Buffer.alloc(before), bytes]);
      const digits = padded.toString("base64").replace(/=+$/, "");
      const from = [0, 2, 3][before];
      const whole = Math.floor((padded.length * 8) / 6);
      found.push(Buffer.from(digits.slice(from, whole)));
      found.push(Buffer.from(digits.slice(from, whole).replaceAll("+", "-").replaceAll("/", "_")));
    }
  }
  return found;
}

const sought = SECRETS.flatMap((text) => forms(text).map((bytes) => ({ text, bytes })));

/** Which of the secrets are in @bytes, by any form. */
function search(bytes) {
  const lower = Buffer.from(bytes.toString("latin1").toLowerCase(), "latin1");
  return [
    ...new Set(
      sought
        .filter(
          (one) =>
            bytes.includes(one.bytes) ||
            lower.includes(Buffer.from(one.bytes.toString("latin1").toLowerCase(), "latin1")),
        )
        .map(({ text }) => text),
    ),
  ];
}

function* files(folder) {
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    if (statSync(file).isDirectory()) {
      yield* files(file);
    } else {
      yield file;
    }
  }
}

/**
 * Every value of every table as PostgreSQL reads it: what was compressed or moved out of line
 * comes back whole.
 */
const dump = () =>
  execFileSync("pg_dump", ["--inserts", "-d", site.postgres.url], { maxBuffer: 1 << 28 });

/** The cluster's files after a checkpoint: heap, out-of-line parts, indexes and WAL. */
function* data() {
  site.postgres.sql("CHECKPOINT");
  for (const file of files(path.join(site.postgres.where, "data"))) {
    yield [path.relative(site.postgres.where, file), readFileSync(file)];
  }
}

async function searchAll() {
  const found = [];
  const look = (where, bytes) =>
    search(bytes).forEach((text) => found.push(`${text} in ${where}`));
  look("the dump", dump());
  for (const [file, bytes] of data()) {
    look(file, bytes);
  }
  look("PostgreSQL's log", readFileSync(path.join(site.postgres.where, "postgres.log")));
  look("the gateway's log", Buffer.from(site.gateway.output()));
  look("metrics", Buffer.from(await (await fetch(`${site.files.admin}/metrics`)).text()));
  look("health", Buffer.from(JSON.stringify(await site.gateway.health())));
  for (const file of files(site.files.where)) {
    look(file, readFileSync(file));
  }
  return found;
}

test("traffic with everything that must stay secret", async () => {
  const pid = `PID|1||${mrn}^^^LAB^MR||${family}^${given}||${born}|F|||${street}^^${city}^^10115^DE||${phone}`;
  const messages = [
    adt("A01", control, pid, `PV1|1|I|W1^101^1^HOSP||||||||||||||||${visit}`),
    adt("A40", `${control}-2`, pid, `MRG|OLD${mrn}^^^LAB^MR||||||${family}^${given}`),
    oru(`${control}-3`, { patient: mrn, filler, value })
      .replace(`P${filler}`, placer)
      .replace("Müller^Erika||19700101", `${family}^${given}||${born}`),
  ];
  for (const message of messages) {
    assert.equal(acked(await send(site.port, message)).code, "AA");
  }
  // Ones that go wrong on the way in, and one on the way out.
  await send(site.port, `MSH|^~\\&|${family}`);
  assert.equal(acked(await send(site.port, `${family} is no message`)).code, "AE");
  await site.quiet(); // the refusal is meant for the next one
  site.receiver.behave("AE 1");
  const last = oru(`${control}-4`, { patient: mrn, filler: `${filler}-4`, value });
  assert.equal(acked(await send(site.port, last)).code, "AA");
  await site.quiet();
  const stored = Buffer.from(JSON.stringify(await site.store.dump()));
  const arrived = search(stored);
  [family, mrn, visit, filler, value].forEach((text) =>
    assert.ok(arrived.includes(text), `${text} is where it belongs: the search finds it`),
  );
});

test("the search knows a value in each of its forms", () => {
  for (const coding of ["utf8", "utf16le"]) {
    for (const before of ["", "x", "xy", "xyz"]) {
      const bytes = Buffer.concat([
        Buffer.from(before),
        Buffer.from(mrn, coding),
        Buffer.from("after"),
      ]);
      for (const form of ["latin1", "hex", "base64", "base64url"]) {
        assert.deepEqual(search(Buffer.from(bytes.toString(form), "latin1")), [mrn]);
      }
    }
  }
});

test("nothing of it is in database, files, logs or metrics", async () => {
  assert.deepEqual(await searchAll(), []);
});

// After the search, since the WAL keeps it; the same places are searched by the same code.
test("the search finds a value planted in plain in the same places", async () => {
  const long = "x".repeat(20000); // long enough to be compressed and moved out of line
  site.postgres.sql(
    `CREATE TABLE planted (plain text, raw bytea, long text);
     INSERT INTO planted VALUES ('${family}', '\\x${Buffer.from(given).toString("hex")}',
                                 '${long}${city}${long}')`,
  );
  const found = await searchAll();
  for (const text of [family, given, city]) {
    assert.ok(found.some((one) => one === `${text} in the dump`), `${text} in the dump`);
  }
  assert.ok(found.some((one) => one.startsWith(`${family} in data/base`)), "in the heap");
  assert.ok(found.some((one) => one.startsWith(`${family} in data/pg_wal`)), "in the WAL");
  site.postgres.sql("DROP TABLE planted");
});
