// Nothing of a message may be found outside where it belongs: not in the database's dump, not
// in its files, packed or not, not in logs or metrics, and not on the chain, in any of the ways a
// value is commonly written down. Each search is shown to find what is planted there in plain.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { deflateSync, gunzipSync, gzipSync } from "node:zlib";

import { account } from "./lib/chain.mjs";
import { startConsentSite } from "./lib/consent_site.mjs";
import { until } from "./lib/process.mjs";
import { finder } from "./lib/search.mjs";
import { unpacked, walRecords } from "./lib/unpack.mjs";
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
const search = finder(SECRETS);

let site;

before(async () => {
  site = await startConsentSite({ sends: true });
});

after(() => site?.stop());

// ---- Places: each a name and bytes ----

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

/** PostgreSQL's files after a checkpoint: heap, out-of-line parts, indexes, WAL; and unpacked. */
function* data() {
  site.postgres.sql("CHECKPOINT");
  for (const file of files(path.join(site.postgres.where, "data"))) {
    const name = path.relative(site.postgres.where, file);
    const bytes = readFileSync(file);
    yield [name, bytes];
    const whole = name.startsWith("data/pg_wal/") ? walRecords(bytes) : bytes;
    for (const piece of unpacked(whole)) {
      yield [`${name}, unpacked`, piece];
    }
  }
}

/** The database: every value as it reads it, its files, its log. */
function* database() {
  const dump = ["--inserts", "-d", site.postgres.url];
  yield ["the dump", execFileSync("pg_dump", dump, { maxBuffer: 1 << 28 })];
  yield* data();
  yield ["PostgreSQL's log", readFileSync(path.join(site.postgres.where, "postgres.log"))];
}

/** What the gateway says of itself, and its files. */
async function* gateway() {
  yield ["the gateway's log", Buffer.from(site.gateway.output())];
  const metrics = await (await fetch(`${site.files.admin}/metrics`)).text();
  yield ["metrics", Buffer.from(metrics)];
  yield ["health", Buffer.from(JSON.stringify(await site.gateway.health()))];
  for (const file of files(site.files.where)) {
    yield [file, readFileSync(file)];
  }
}

/** Every string of hex in @json, as one piece of bytes each. */
function* hex(json) {
  for (const [, digits] of json.matchAll(/"0x((?:[0-9a-f]{2})+)"/gi)) {
    yield Buffer.from(digits, "hex");
  }
}

/** Each account's storage in the order of its slots, so that longer texts are whole. */
function* storage(state) {
  for (const { storage: slots = {} } of Object.values(state.accounts)) {
    const word = (digits) => digits.slice(2).padStart(64, "0");
    const sorted = Object.entries(slots).sort(([a], [b]) => (word(a) < word(b) ? -1 : 1));
    yield Buffer.from(sorted.map(([, held]) => word(held)).join(""), "hex");
  }
}

/** The chain: blocks with their transactions, receipts with their logs, what waits, the state. */
async function* chain() {
  const { rpc } = site.chain;
  const newest = Number(await rpc("eth_blockNumber"));
  for (let i = 0; i <= newest; i++) {
    const number = `0x${i.toString(16)}`;
    const block = JSON.stringify(await rpc("eth_getBlockByNumber", number, true));
    const receipts = JSON.stringify(await rpc("eth_getBlockReceipts", number));
    for (const [name, json] of Object.entries({ "a block": block, "a receipt": receipts })) {
      yield [name, Buffer.from(json)];
      yield [name, Buffer.concat([...hex(json)])];
    }
  }
  yield ["the pool", Buffer.from(JSON.stringify(await rpc("txpool_content")))];
  const dumped = gunzipSync(Buffer.from((await rpc("anvil_dumpState")).slice(2), "hex"));
  yield ["the chain's state", dumped];
  yield ["the chain's state", Buffer.concat([...hex(dumped.toString())])];
  for (const slots of storage(JSON.parse(dumped))) {
    yield ["storage", slots];
  }
}

/** Which secrets are found where, each once: "SECRET in PLACE". */
async function found(...places) {
  const all = new Set();
  for (const place of places) {
    for await (const [where, bytes] of place()) {
      search(bytes).forEach((text) => all.add(`${text} in ${where}`));
    }
  }
  return [...all];
}

// ---- The tests ----

test("the search knows a value in each of its forms", () => {
  for (const coding of ["utf8", "utf16le"]) {
    for (const before of ["", "x", "xy", "xyz"]) {
      const bytes = Buffer.concat([
        Buffer.from(before),
        Buffer.from(mrn, coding),
        Buffer.from("after"),
      ]);
      for (const form of ["latin1", "hex", "base64", "base64url"]) {
        const written = bytes.toString(form);
        for (const text of [written, written.toUpperCase()]) {
          assert.deepEqual(search(Buffer.from(text, "latin1")), [mrn]);
        }
      }
    }
  }
});

test("traffic with everything that must stay secret", async () => {
  const patient = site.patient(mrn);
  await patient.permit();
  const pid = `PID|1||${mrn}^^^LAB^MR||${family}^${given}||${born}|F|||${street}^^${city}^^10115^DE||${phone}`;
  const messages = [
    adt("A01", control, pid, `PV1|1|I|W1^101^1^HOSP||||||||||||||||${visit}`),
    oru(`${control}-3`, { patient: mrn, filler, value })
      .replace(`P${filler}`, placer)
      .replace("Müller^Erika||19700101", `${family}^${given}||${born}`),
  ];
  for (const message of messages) {
    assert.equal(acked(await send(site.port, message)).code, "AA");
  }
  await site.quiet();
  const stored = await site.store.dump();
  const arrived = search(Buffer.from(JSON.stringify(stored)));
  [family, mrn, visit, filler, value].forEach((text) =>
    assert.ok(arrived.includes(text), `${text} is where it belongs: the search finds it`),
  );

  // FHIR requests that say it, and answers that show it.
  const { id } = stored.find(({ type }) => type === "Patient");
  assert.ok((await site.ask(`Patient/${id}`)).text.includes(family));
  assert.ok((await site.ask(`Observation?patient=${id}`)).text.includes(value));
  for (const where of [
    `Patient?identifier=urn:oid:1.2.3.4|${mrn}`,
    `Patient?family=${family}&birthdate=1955-07-06`,
    `Patient/${mrn}`,
    `${family}/${mrn}`,
  ]) {
    await site.ask(encodeURI(where));
  }
  // What goes wrong on the way in, and on the way out; what is withheld; what is joined.
  await send(site.port, `MSH|^~\\&|${family}`);
  assert.equal(acked(await send(site.port, `${family} is no message`)).code, "AE");
  site.receiver.behave("AE 1");
  const last = oru(`${control}-4`, { patient: mrn, filler: `${filler}-4`, value });
  assert.equal(acked(await send(site.port, last)).code, "AA");
  await site.quiet();
  await patient.revoke();
  const merge = adt("A40", `${control}-2`, pid, `MRG|OLD${mrn}^^^LAB^MR||||||${family}^${given}`);
  assert.equal(acked(await send(site.port, merge)).code, "AA");
  await site.quiet();
  // All that is on the way to the chain is there.
  await until("anchors", () => {
    const [[anchored]] = site.postgres.sql("SELECT count(*) FROM anchor WHERE state IN (3, 4, 5)");
    return Number(anchored) > 0;
  });
});

test("nothing of it is in database, files, logs or metrics", async () => {
  assert.deepEqual(site.postgres.sql("SHOW wal_compression"), [["off"]]);
  assert.deepEqual(await found(database, gateway), []);
});

test("nothing of it is on the chain", async () => {
  assert.deepEqual(await found(chain), []);
});

// After the searches, since they are kept for good: planted values, found by the same code.

test("the search finds a value planted in plain in the database", async () => {
  const [secret, long] = [family, "q".repeat(300)];
  const [front, back] = [secret.slice(0, 7), secret.slice(4)];
  // Put together from what was there before, so that it stands nowhere as it is once packed.
  const packed = `${long}${front} ${back} ${long}${secret}${long}`;
  const noise = () => randomBytes(1500).toString("hex").replace(/\d/g, "q");
  const large = Array.from({ length: 12 }, noise).join(long) + packed + noise();
  const packs = { gzip: gzipSync(packed), zlib: deflateSync(packed) };
  site.postgres.sql(
    `CREATE TABLE plain (held text); INSERT INTO plain VALUES ('${given}');
     CREATE TABLE bytes (held bytea); INSERT INTO bytes VALUES ('\\x${Buffer.from(city).toString("hex")}');
     CREATE TABLE pglz_inline (held text COMPRESSION pglz);
     INSERT INTO pglz_inline VALUES ('${long.repeat(8)}${packed}');
     CREATE TABLE lz4_inline (held text COMPRESSION lz4);
     INSERT INTO lz4_inline VALUES ('${long.repeat(8)}${packed}');
     CREATE TABLE pglz_aside (held text COMPRESSION pglz);
     INSERT INTO pglz_aside VALUES ('${large}');
     CREATE TABLE lz4_aside (held text COMPRESSION lz4);
     INSERT INTO lz4_aside VALUES ('${large}');
     CREATE TABLE cut (held text);
     ALTER TABLE cut ALTER held SET STORAGE EXTERNAL;
     INSERT INTO cut VALUES ('${"q".repeat(1996 - 7)}${secret}${long}');
     CREATE TABLE gzip (held bytea);
     INSERT INTO gzip VALUES ('\\x${packs.gzip.toString("hex")}');
     CREATE TABLE zlib (held bytea);
     INSERT INTO zlib VALUES ('\\x${packs.zlib.toString("hex")}')`,
  );
  const where = new Map(
    site.postgres.sql(
      `SELECT relname, pg_relation_filepath(oid),
              coalesce(pg_relation_filepath(nullif(reltoastrelid, 0)), '')
       FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
    ).map(([name, heap, aside]) => [name, { heap: `data/${heap}`, aside: `data/${aside}` }]),
  );
  const all = await found(database);
  const expected = [
    `${given} in the dump`,
    `${given} in ${where.get("plain").heap}`,
    `${city} in the dump`,
    `${city} in ${where.get("bytes").heap}`,
    ...["pglz_inline", "lz4_inline", "gzip", "zlib"].map(
      (name) => `${secret} in ${where.get(name).heap}, unpacked`,
    ),
    ...["pglz_aside", "lz4_aside", "cut"].map(
      (name) => `${secret} in ${where.get(name).aside}, unpacked`,
    ),
  ];
  for (const one of expected) {
    assert.ok(all.includes(one), `${one}, not only\n${all.join("\n")}`);
  }
  for (const [text, how] of [[given, ""], [city, ""], [secret, ", unpacked"]]) {
    const log = new RegExp(`^${text} in data/pg_wal/\\w+${how}$`);
    assert.ok(all.some((one) => log.test(one)), `${text} in the WAL${how}`);
  }
});

/** Code that leaves @words in storage and the first in a log, written so that they aren't in it. */
function planting(words) {
  const byte = (n) => n.toString(16).padStart(2, "0");
  const lines = words.map((word, slot) => {
    const mask = randomBytes(32);
    const hidden = Buffer.from(word.map((one, i) => one ^ mask[i]));
    const put = `7f${hidden.toString("hex")}7f${mask.toString("hex")}18`; // PUSH, PUSH, XOR
    return `${put}80600052${slot === 0 ? "60206000a0" : ""}60${byte(slot)}55`; // MSTORE, LOG, SSTORE
  });
  return `0x${lines.join("")}00`;
}

test("the search finds a value planted in plain on the chain", async () => {
  const wallet = account(5, site.chain.provider);
  const text = Buffer.alloc(64);
  text.write(`${family}......${street}`, 4); // the street begins in one slot and ends in the next
  const words = [text.subarray(0, 32), text.subarray(32)].map((half) => [...half]);
  await (await wallet.sendTransaction({ data: planting(words), gasLimit: 500000 })).wait();
  const data = `0x${Buffer.from(given, "utf16le").toString("hex")}`;
  await (await wallet.sendTransaction({ to: wallet.address, data })).wait();
  const all = await found(chain);
  for (const one of [
    `${given} in a block`,
    `${family} in a receipt`,
    `${family} in the chain's state`,
    `${family} in storage`,
    `${street} in storage`,
  ]) {
    assert.ok(all.includes(one), `${one}, not only\n${all.join("\n")}`);
  }
  assert.ok(!all.includes(`${family} in a block`), "it isn't in the transaction");
});
