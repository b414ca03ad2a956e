// A package of the field parses a message again and again: CPU microseconds for one.
//
//   v2_parse.mjs @medplum/core|node-hl7-client FILE SECONDS
import { readFileSync } from "node:fs";

const [name, file, seconds] = process.argv.slice(2);
const text = readFileSync(file, "utf8");
const library = await import(name);

const parsers = {
  "@medplum/core": () => library.Hl7Message.parse(text).getSegment("OBX").getField(5).toString(),
  "node-hl7-client": () => new library.Message({ text }).get("OBX").toString(),
};
const parse = parsers[name];

const used = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

if (!parse()) {
  throw new Error("it reads nothing");
}
for (let i = 0; i < 2000; i++) {
  parse(); // until it is compiled
}
const began = used();
let n = 0;
do {
  for (let i = 0; i < 100; i++) {
    parse();
  }
  n += 100;
} while (used() - began < Number(seconds) * 1e6);
console.log(JSON.stringify({ us: (used() - began) / n }));
