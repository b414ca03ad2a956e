// npm's fhir converts a resource again and again: CPU microseconds for one.
//
//   fhir_convert.mjs xml|json FILE SECONDS      what FILE is: it becomes the other
import { readFileSync } from "node:fs";
import fhir from "fhir";

const [from, file, seconds] = process.argv.slice(2);
const text = readFileSync(file, "utf8");
const library = new fhir.Fhir();
const convert =
  from === "xml" ? () => library.xmlToJson(text) : () => library.objToXml(JSON.parse(text));

const used = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

if (!convert()) {
  throw new Error("it converts nothing");
}
convert(); // until it is compiled
const began = used();
let n = 0;
do {
  convert();
  n++;
} while (used() - began < Number(seconds) * 1e6);
console.log(JSON.stringify({ us: (used() - began) / n }));
