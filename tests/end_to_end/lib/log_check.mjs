// Whether the log in a database is what it says: read by SQL, computed again from the records.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

import { leaf } from "./tree.mjs";

const BATCH = 5000;

/** Records in the order of the tree: { record, leaf, index }. Fails at a gap. */
export function ordered(postgres) {
  const ranges = postgres
    .sql("SELECT first_index, instance, first_seq, count FROM leaf_range ORDER BY first_index")
    .map(([index, instance, seq, count]) => ({
      index: Number(index),
      instance,
      seq: Number(seq),
      count: Number(count),
    }));
  const records = new Map(); // "instance/seq": record
  for (const { text, stored } of all(postgres)) {
    const record = JSON.parse(text);
    const hash = leaf(Buffer.from(text));
    if (hash.toString("hex") !== stored) {
      throw new Error(`record ${record.id} does not hash to its leaf`);
    }
    records.set(`${record.instance}/${record.seq}`, { record, hash });
  }
  const list = [];
  for (const { index, instance, seq, count } of ranges) {
    if (index !== list.length) {
      throw new Error(`the order has a gap before index ${index}, there are ${list.length}`);
    }
    for (let i = 0; i < count; i++) {
      const found = records.get(`${instance}/${seq + i}`);
      if (!found) {
        throw new Error(`leaf ${index + i} has no record`);
      }
      list.push(found);
    }
  }
  if (list.length !== records.size) {
    throw new Error(`${records.size - list.length} records are not in the tree`);
  }
  return list;
}

function* all(postgres) {
  let after = "00000000-0000-0000-0000-000000000000";
  for (;;) {
    const rows = postgres.sql(
      `SELECT id, encode(bytes, 'escape'), encode(leaf, 'hex') FROM record
       WHERE id > '${after}' ORDER BY id LIMIT ${BATCH}`,
    );
    for (const [id, text, stored] of rows) {
      after = id;
      yield { text, stored };
    }
    if (rows.length < BATCH) {
      return;
    }
  }
}

const sha256 = (...pieces) => {
  const hash = createHash("sha256");
  pieces.forEach((piece) => hash.update(piece));
  return hash.digest();
};

/** Roots of the first @sizes leaves (ascending) of @leaves, without computing any hash twice. */
function* rootsAt(leaves, sizes) {
  const peaks = []; // of full subtrees, largest first: { size, hash }
  let n = 0;
  for (const size of sizes) {
    for (; n < size; n++) {
      let one = { size: 1, hash: leaves[n] };
      while (peaks.at(-1)?.size === one.size) {
        const left = peaks.pop();
        one = { size: 2 * one.size, hash: sha256(Buffer.from([1]), left.hash, one.hash) };
      }
      peaks.push(one);
    }
    yield peaks
      .map(({ hash }) => hash)
      .reduceRight((right, left) => sha256(Buffer.from([1]), left, right));
  }
}

/** The Ed25519 key that belongs to the seed in @file. */
function publicKey(file) {
  const seed = Buffer.from(readFileSync(file, "utf8").trim(), "hex");
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  return createPublicKey({ key: pkcs8, format: "der", type: "pkcs8" });
}

/**
 * Check order, every checkpoint's root and signature. @keyFile has the seed that signs. Returns
 * the records and how many checkpoints there were.
 */
export function checkLog(postgres, keyFile) {
  const list = ordered(postgres);
  const heads = postgres
    .sql(
      `SELECT size, encode(root, 'hex'), encode(convert_to(note, 'UTF8'), 'base64')
       FROM checkpoint WHERE size > 0 ORDER BY size`.replaceAll("\n", " "),
    )
    .reduce(joinWrapped, [])
    .map(([size, root, note]) => ({
      size: Number(size),
      root,
      note: Buffer.from(note, "base64").toString("utf8"),
    }));
  const leaves = list.map(({ hash }) => hash);
  const roots = rootsAt(
    leaves,
    heads.map(({ size }) => size),
  );
  const key = publicKey(keyFile);
  for (const { size, root, note } of heads) {
    const computed = roots.next().value;
    if (computed.toString("hex") !== root) {
      throw new Error(`the root of the first ${size} leaves is another`);
    }
    checkNote(note, { size, root: computed, key });
  }
  if (heads.at(-1)?.size !== list.length) {
    throw new Error(`the newest checkpoint has ${heads.at(-1)?.size} of ${list.length} leaves`);
  }
  return { records: list.map(({ record }) => record), checkpoints: heads.length };
}

/** PostgreSQL breaks base64 into lines of 76. */
function joinWrapped(rows, row) {
  if (row.length === 3) {
    rows.push(row);
  } else {
    rows.at(-1)[2] += row[0];
  }
  return rows;
}

function checkNote(note, { size, root, key }) {
  const end = note.indexOf("\n\n") + 1;
  const [, leaves, hash] = note.slice(0, end).split("\n");
  const signature = Buffer.from(note.slice(end + 1).trim().split(" ").at(-1), "base64");
  const good =
    Number(leaves) === size &&
    hash === root.toString("base64") &&
    verify(null, Buffer.from(note.slice(0, end)), key, signature.subarray(4));
  if (!good) {
    throw new Error(`the checkpoint of ${size} leaves is not signed as it should be`);
  }
}
