// The reference corpus of HL7 v2 messages, as any receiver would find it: bytes, and what a look
// into header and PID tells. Nothing here is shared with the program under test.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";

export const data = process.env.CHARTSEAL_DATA ?? "";
const ASSIGNERS = 64; // of one sender

/** Why tests that need reference data @name are skipped, or false. */
export const without = (name) =>
  existsSync(path.join(data, name)) ? false : `no reference data, wanted ${name}`;

/** The messages of @folder in the order of their names: { name, bytes }. */
export function messages(folder) {
  const names = readdirSync(path.join(data, folder), { recursive: true });
  return names
    .filter((name) => name.endsWith(".hl7"))
    .sort()
    .map((name) => ({
      name: `${folder}/${name}`,
      bytes: readFileSync(path.join(data, folder, name)),
    }));
}

/** Field @number of the header of @text. */
export function field(text, number) {
  const header = text.replace(/^[\r\n ]+/, "").split(/[\r\n]/)[0];
  return header.split(header[3])[number - 1] ?? "";
}

/** The digest of the message that a Provenance names as the source; undefined if it names none. */
export const digestIn = ({ entity = [] }) =>
  entity
    .map(({ what }) => what.identifier ?? {})
    .find(({ system = "" }) => system.startsWith("urn:ietf:rfc:6234"))?.value;

/** The same message as another one: @time in MSH-7, @id in MSH-10. */
export function renewed(bytes, time, id) {
  const text = bytes.toString("latin1");
  const start = /^[\r\n ]*/.exec(text)[0].length;
  const end = start + text.slice(start).search(/[\r\n]|$/);
  const fields = text.slice(start, end).split(text[start + 3]);
  while (fields.length < 10) {
    fields.push("");
  }
  fields[6] = time;
  fields[9] = id;
  const header = fields.join(text[start + 3]);
  return Buffer.from(text.slice(0, start) + header + text.slice(end), "latin1");
}

/** A system for each assigning authority of their patients' identifiers, the most used first. */
export function assigners(corpus) {
  const count = {};
  for (const { bytes } of corpus) {
    const text = bytes.toString("latin1");
    const [, repetition] = field(text, 2);
    const pid = text.split(/[\r\n]/).find((line) => line.startsWith("PID"));
    for (const id of (pid?.split(text[3])[3] ?? "").split(repetition ?? "~")) {
      const name = (id.split(text[4])[3] ?? "").split("&")[0];
      count[name] = (count[name] ?? 0) + 1;
    }
  }
  const names = Object.keys(count).sort((a, b) => count[b] - count[a]);
  return Object.fromEntries(names.slice(0, ASSIGNERS).map((name, i) => [name, `urn:x:${i}`]));
}
