// A package of the field parses messages again and again: CPU microseconds for one.
//
//   v2_parse.mjs @medplum/core|node-hl7-client FILE|FOLDER SECONDS
//
// FOLDER: all *.hl7 in it and below, in turn; those that the package refuses are left out and
// counted. A field of each message is read.
import { readFileSync, readdirSync, statSync } from "node:fs";
import path from "node:path";

const [name, where, seconds] = process.argv.slice(2);
const library = await import(name);

const parsers = {
  "@medplum/core": (text) => library.Hl7Message.parse(text).getSegment("MSH").getField(10).toString(),
  "node-hl7-client": (text) => new library.Message({ text }).get("MSH.10").toString(),
};
const parse = parsers[name];

const used = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

function files() {
  if (!statSync(where).isDirectory()) {
    return [where];
  }
  const names = readdirSync(where, { recursive: true }).filter((file) => file.endsWith(".hl7"));
  return names.map((file) => path.join(where, file));
}

function reads(text) {
  try {
    return parse(text) !== undefined;
  } catch {
    return false;
  }
}

const all = files().map((file) => readFileSync(file, "utf8"));
const texts = all.filter(reads);
if (!texts.length) {
  throw new Error("it reads nothing");
}
for (let i = 0; i < 2000; i++) {
  parse(texts[i % texts.length]); // until it is compiled
}
const began = used();
let n = 0;
do {
  texts.forEach(parse);
  n += texts.length;
} while (used() - began < Number(seconds) * 1e6);
const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
const result = { us: (used() - began) / n, bytes: bytes / texts.length, refused: all.length - texts.length };
console.log(JSON.stringify(result));
