// Hostile input to the commands and to the ports: each is read right or refused with a reason,
// within bounded memory (a limit of the address space) and time (a limit that only a hang reaches).
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";

import { data, without } from "./lib/corpus.mjs";
import { fhirPort } from "./lib/fhir.mjs";
import { program } from "./lib/gateway.mjs";
import { children } from "./lib/killer.mjs";
import { folder } from "./lib/parts.mjs";
import { startSite } from "./lib/site.mjs";
import { acked, oru, send } from "./lib/v2.mjs";

const MB = 1 << 20;
const MEMORY = 1024 * MB; // of address space, for a command
const WORKER = 250 * MB; // resident, of a worker at its largest
const CPU = 30; // seconds
const [OK, REFUSED] = [0, 65]; // EX_OK, EX_DATAERR

const where = folder("attack");

/** Run chartseal with @words within the limits: status, out, err. */
function run(words) {
  const limits = [`--as=${MEMORY}`, `--cpu=${CPU}`, "--core=0"];
  const child = spawn("prlimit", [...limits, program, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  const pieces = { out: [], err: [] };
  child.stdout.on("data", (piece) => pieces.out.push(piece));
  child.stderr.on("data", (piece) => pieces.err.push(piece));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) =>
      resolve({
        status: signal ?? status,
        out: Buffer.concat(pieces.out),
        err: Buffer.concat(pieces.err).toString("utf8"),
      }),
    );
  });
}

/** The same with @text as its last word's file. */
function runOn(words, text) {
  const file = path.join(where, "input");
  writeFileSync(file, text);
  return run([...words, file]);
}

const json = (file) => run(["fhir", "convert", "--to", "json", file]);

/** A value without its members' order; numbers as they are. */
const same = (a, b) => assert.deepEqual(JSON.parse(a), JSON.parse(b));

test("JSONTestSuite: what is JSON is read right, what isn't is refused", { skip: without("attack/json") }, async () => {
  // RFC 7493 lets a reader refuse these, and this one does.
  const refused = /duplicated_key|null_escape|escaped_null/;
  const wrong = [];
  for (const set of ["test_parsing", "test_transform"]) {
    const from = path.join(data, "attack/json", set);
    for (const name of readdirSync(from)) {
      const { status, out, err } = await json(path.join(from, name));
      const text = readFileSync(path.join(from, name), "utf8");
      const may = { y_: refused.test(name) ? [REFUSED] : [OK], n_: [REFUSED] }[name.slice(0, 2)] ?? [OK, REFUSED];
      if (!may.includes(status) || (status === REFUSED) !== /^(error|fatal): /m.test(err)) {
        wrong.push(`${set}/${name}: ${status}: ${err}`);
      } else if (status === OK && name.startsWith("y_")) {
        same(out.toString("utf8"), text);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

test("hostile XML is refused with its reason", { skip: without("attack/xml") }, async () => {
  const from = path.join(data, "attack/xml");
  // Harmless as they stand; what a narrative may have is told by validation.
  const read = ["cdata_split", "comment_split_id", "narrative_script", "pi", "prefix_ns"];
  for (const name of readdirSync(from)) {
    const { status, err } = await run(["fhir", "convert", "--to", "json", path.join(from, name)]);
    const want = read.includes(name.replace(".xml", "")) ? OK : REFUSED;
    assert.equal(status, want, `${name}: ${err}`);
    assert.equal(want === OK || /^(error|fatal): /m.test(err), true, name);
  }
  const { status, out, err } = await run(["fhir", "validate", path.join(from, "narrative_script.xml")]);
  assert.equal(status, REFUSED, err);
  assert.match(`${out}`, /div/);
});

const times = (n, text) => Buffer.alloc(n * text.length, text);
const around = (head, n, part, tail) => Buffer.concat([Buffer.from(head), times(n, part), Buffer.from(tail)]);
const numbered = (n, of) => Array.from({ length: n }, (_, i) => of(i)).join("");
const NS = 'xmlns="http://hl7.org/fhir"';

/** Nested entities: @levels of them, each ten times the one below. */
const bomb = (levels) =>
  `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "lol">${numbered(levels, (i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`)}]>` +
  `<Patient ${NS}><id value="&e${levels};"/></Patient>`;

const LARGE_JSON = {
  "a string of 8 MB": [OK, () => around('{"resourceType":"Binary","data":"', 8 * MB, "A", '"}')],
  "a string of 8 MB in escapes": [OK, () => around('{"resourceType":"Basic","id":"', MB, "\\u00e4\\n", '"}')],
  "a string of 100 MB": [REFUSED, () => around('{"data":"', 100 * MB, "A", '"}')],
  "a number of 1 MB": [REFUSED, () => around("[", MB, "1", "]")],
  "a number with an exponent of 1 MB": [REFUSED, () => around("[1e", MB, "9", "]")],
  "an exponent beyond all doubles": [OK, () => Buffer.from('{"resourceType":"Basic","x":1e999999999}')],
  "100,000 keys": [OK, () => Buffer.from(`{"resourceType":"Basic"${numbered(100000, (i) => `,"k${i}":${i}`)}}`)],
  "100,000 keys, the last one twice": [REFUSED, () => Buffer.from(`{"z":1${numbered(100000, (i) => `,"k${i}":0`)},"k99999":1}`)],
  "a key of 1 MB": [REFUSED, () => around('{"', MB, "k", '":1}')],
  "objects nested 100,000 deep": [REFUSED, () => around("", 100000, '{"a":', "")],
  "arrays nested 10,000,000 deep": [REFUSED, () => times(10000000, "[")],
  "a million numbers": [OK, () => around('{"resourceType":"Basic","x":[0', 1000000, ",1", "]}")],
  "ten million numbers": [REFUSED, () => around("[0", 10000000, ",1", "]")],
  "a million empty objects": [OK, () => around('{"resourceType":"Basic","x":[{}', 1000000, ",{}", "]}")],
  "white space of 60 MB": [OK, () => around('{"resourceType":"Basic"', 60 * MB, " ", "}")],
  "white space of 100 MB": [REFUSED, () => around('{"resourceType":"Basic"', 100 * MB, " ", "}")],
};

const LARGE_XML = {
  "a text of 11 MB": [REFUSED, () => around(`<Binary ${NS}><data value="`, 11 * MB, "A", '"/></Binary>')],
  "a text of 8 MB": [OK, () => around(`<Binary ${NS}><contentType value="a/b"/><data value="`, 8 * MB, "A", '"/></Binary>')],
  "a text of 100 MB": [REFUSED, () => around(`<Binary ${NS}><data value="`, 100 * MB, "A", '"/></Binary>')],
  "50,000 attributes": [REFUSED, () => Buffer.from(`<Patient ${NS}${numbered(50000, (i) => ` a${i}=""`)}/>`)],
  "20,000 namespaces": [REFUSED, () => Buffer.from(`<Patient ${NS}${numbered(20000, (i) => ` xmlns:a${i}="u:${i}"`)}/>`)],
  "a name of 300 KB": [REFUSED, () => around("<", 300 << 10, "a", "/>")],
  "elements nested 100,000 deep": [REFUSED, () => around("", 100000, "<a>", "")],
  "contained in each other 100,000 deep": [REFUSED, () => around("", 100000, `<Patient ${NS}><contained>`, "")],
  "a narrative 100,000 deep": [REFUSED, () => around(`<Patient ${NS}><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">`, 100000, "<p>", "")],
  "three million elements": [REFUSED, () => around(`<Bundle ${NS}>`, 1000000, '<link><url value="u"/></link>', "</Bundle>")],
  "a comment of 60 MB": [REFUSED, () => around(`<Patient ${NS}><!--`, 60 * MB, " ", "--></Patient>")],
  "entities of 3 * 10^9 bytes": [REFUSED, () => Buffer.from(bomb(9))],
  "an entity as long as it is often used": [
    REFUSED,
    () => Buffer.from(`<!DOCTYPE x [<!ENTITY e "${"a".repeat(100000)}">]><Patient ${NS}><id value="${"&e;".repeat(30000)}"/></Patient>`),
  ],
  "a million character references": [OK, () => around(`<Basic ${NS}><id value="`, 1000000, "&#65;", '"/></Basic>')],
};

for (const [kind, cases] of Object.entries({ JSON: LARGE_JSON, XML: LARGE_XML })) {
  test(`large ${kind}`, async (t) => {
    for (const [name, [want, make]] of Object.entries(cases)) {
      const text = make();
      for (const to of ["json", "xml"]) {
        const began = Date.now();
        const { status, out, err } = await runOn(["fhir", "convert", "--to", to], text);
        const told = `${name} to ${to}: ${status} ${err.slice(0, 200)}`;
        assert.ok([want, REFUSED].includes(status) && (to === "xml" || status === want), told);
        assert.equal(status === REFUSED, /^(error|fatal): |longer than it may be/m.test(err), told);
        if (status === OK && to === "json" && kind === "JSON" && text.length < 10 * MB) {
          same(out.toString("utf8"), text.toString("utf8"));
        }
        if (Date.now() - began > 2000) {
          t.diagnostic(`${name} to ${to}: ${Date.now() - began} ms`);
        }
      }
    }
  });
}

const MSH = "MSH|^~\\&|LAB|HOSP|||20260101||ORU^R01^ORU_R01|1|P|2.5.1\r";
const PID = "PID|1||4711^^^LAB^MR||A^B\r";
const OBR = "OBR|1|P|F|C^T^L\r";
const LARGE_V2 = {
  "100,000 results": [REFUSED, () => Buffer.from(MSH + PID + OBR + numbered(100000, (i) => `OBX|${i}|NM|C${i}^T^L||1|u|||||F\r`))],
  "90,000 results": [OK, () => Buffer.from(MSH + PID + OBR + numbered(90000, (i) => `OBX|${i}|NM|C${i}^T^L||1|u|||||F\r`))],
  "90,000 results of one key": [OK, () => around(MSH + PID + OBR, 90000, "OBX|1|NM|C^T^L||1|u|||||F\r", "")],
  "90,000 notes": [OK, () => around(MSH + PID + OBR + "OBX|1|NM|C^T^L||1|u|||||F\r", 90000, "NTE|1||n\r", "")],
  "90,000 orders": [OK, () => Buffer.from(MSH + PID + numbered(45000, (i) => `ORC|RE|P${i}\rOBR|1|P${i}|F${i}|C^T^L\r`))],
  "a field of 20 MB": [OK, () => around(`${MSH}${PID}${OBR}OBX|1|TX|C^T^L||`, 20 * MB, "A", "\r")],
  "a field of 60 MB": [OK, () => around(`${MSH}${PID}${OBR}OBX|1|TX|C^T^L||`, 60 * MB, "A", "\r")],
  "a message of 70 MB": [REFUSED, () => around(`${MSH}${PID}${OBR}OBX|1|TX|C^T^L||`, 70 * MB, "A", "\r")],
  "a million repetitions": [OK, () => around(`${MSH}PID|1||`, 1000000, "1^^^LAB~", "\r")],
  "a million repetitions of a value": [OK, () => around(`${MSH}${PID}${OBR}OBX|1|TX|C^T^L||`, 1000000, "a~", "\r")],
  "a million components": [OK, () => around(`${MSH}PID|1||1||`, 1000000, "a^", "\r")],
  "a million subcomponents": [OK, () => around(`${MSH}PID|1||1||`, 1000000, "a&", "\r")],
  "a million fields": [OK, () => around(`${MSH}PID|1||1||a`, 1000000, "|a", "\r")],
  "a million escapes": [OK, () => around(`${MSH}${PID}${OBR}OBX|1|TX|C^T^L||`, 1000000, "\\T\\", "\r")],
  "a million open escapes": [OK, () => around(`${MSH}${PID}${OBR}OBX|1|TX|C^T^L||`, 1000000, "\\", "\r")],
  "an escape of 10 MB": [OK, () => around(`${MSH}${PID}${OBR}OBX|1|TX|C^T^L||\\X`, 10 * MB, "41", "\\\r")],
  "a million empty segments": [OK, () => around(MSH + PID, 1000000, "\r", "")],
  "a header of 10 MB": [OK, () => around("MSH|^~\\&|", 10 * MB, "A", "||||20260101||ADT^A01|1|P|2.5\r" + PID)],
  "a million segments of no kind": [REFUSED, () => around(MSH + PID, 1000000, "??\r", "")],
};

test("large HL7 v2", async (t) => {
  for (const [name, [want, make]] of Object.entries(LARGE_V2)) {
    const text = make();
    const began = Date.now();
    const { status, out, err } = await runOn(["hl7", "translate"], text);
    const told = `${name}: ${status} ${err.slice(0, 300)}`;
    assert.ok(want === OK ? out.length > 0 && [OK, REFUSED].includes(status) : status === REFUSED, told);
    assert.ok(status === OK || /^(error|fatal): |longer than it may be|too large/m.test(err), told);
    if (Date.now() - began > 2000) {
      t.diagnostic(`${name}: ${Date.now() - began} ms, ${out.length} bytes`);
    }
  }
});

test("costly FHIRPath ends with a reason", async () => {
  const patient = JSON.stringify({
    resourceType: "Patient",
    name: Array.from({ length: 200 }, (_, i) => ({ family: `${"a".repeat(60)}${i}`, given: ["b", "c"] })),
  });
  const every = "Patient.name.given";
  const costly = {
    "deep parentheses": `${"(".repeat(10000)}1${")".repeat(10000)}`,
    "deep arguments": `${"where(".repeat(5000)}true${")".repeat(5000)}`,
    "a long chain": `Patient${".name".repeat(8000)}`,
    "nested loops": `${every}.select(${every}.select(${every}.select(${every}.select(${every}))))`,
    "text that doubles": "'aaaaaaaaaa'.select($this & $this)".padEnd(3000, ".select($this & $this)"),
    "endless repetition": "Patient.repeat(Patient)",
    "growing repetition": "(1).repeat($this + 1)",
    "a costly pattern": `Patient.name.family.where(matches('(a+)+(a+)+(a+)+b'))`,
    "powers": "10.power(1000000)",
    "replace that grows": `'${"a".repeat(1000)}'.replace('', '${"b".repeat(1000)}').replace('', '${"c".repeat(1000)}')`,
  };
  for (const [name, expression] of Object.entries(costly)) {
    const { status, err } = await runOn(["fhir", "path", expression.slice(0, 32000)], patient);
    assert.ok([0, 64, REFUSED].includes(status), `${name}: ${status} ${err.slice(0, 200)}`);
  }
});

// ---- the same at the ports ----

let site, fhir;

before(async () => {
  fhir = await fhirPort();
  site = await startSite({
    listeners: { fhir: fhir.listener },
    routes: [{}, { from: "fhir", to: ["ehr"] }],
    config: { workers: 2 },
  });
});

after(() => site?.stop());

/** Write @pieces to @port, then wait until the other side closes or @seconds pass; what it said. */
function pour(port, pieces, seconds = 10) {
  const socket = net.connect(port, "127.0.0.1");
  let said = "";
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.destroy(), seconds * 1000);
    socket.on("data", (data) => (said += data));
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(said);
    });
    Readable.from(pieces).pipe(socket, { end: false });
  });
}

/** The most that a worker ever held, in bytes. */
const peak = () =>
  Math.max(
    ...children(site.gateway.pid).map(
      (pid) => 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]),
    ),
  );

test("at the MLLP port: what is too long or no frame is cut off, and others are served", async (t) => {
  const before = children(site.gateway.pid);
  const megabyte = times(MB, "A");
  const poured = await Promise.all([
    pour(site.port, [Buffer.from(`\x0b${MSH}`), ...Array(100).fill(megabyte)]),
    pour(site.port, Array(100).fill(megabyte)),
    pour(site.port, [Buffer.from("\x0b\x0b\x0b\x1c\r\x1c\r")], 2),
    pour(site.port, Array.from({ length: 100 }, () => Buffer.from("\x0b\x1c\r")), 2),
    acked(await send(site.port, oru("AMONG"))).code,
  ]);
  assert.equal(poured.at(-1), "AA");
  const large = MSH + PID + OBR + numbered(5000, (i) => `OBX|${i}|NM|C${i}^T^L||1|u|||||F\r`);
  assert.equal(acked(await send(site.port, large)).code, "AA");
  await site.quiet();
  assert.deepEqual(children(site.gateway.pid), before, "nobody died");
  assert.ok(peak() < WORKER, `${peak() >> 20} MB`);
  t.diagnostic(`${peak() >> 20} MB at most`);
});

test("at the FHIR port: hostile bodies are refused, and others are served", async (t) => {
  const before = children(site.gateway.pid);
  const all = Object.entries({ ...LARGE_JSON, ...LARGE_XML }).map(([name, [, make]]) => [name, make()]);
  const ofEach = (text) => text.length < 12 * MB || text === all.find(([, body]) => body.length > 64 * MB)[1];
  for (const [name, body] of all.filter(([, body]) => ofEach(body))) {
    const xml = body[0] === 0x3c;
    const type = xml ? "application/fhir+xml" : "application/fhir+json";
    const answer = await fhir
      .ask("Patient", { method: "POST", body: body.toString("latin1"), headers: { "content-type": type } })
      .catch((error) => ({ status: error.cause?.code ?? error.message }));
    // A body that is too long may be cut off in the middle of its sending.
    const may = [400, 403, 413, 415, 422, "EPIPE", "ECONNRESET", "UND_ERR_SOCKET"];
    assert.ok(may.includes(answer.status), `${name}: ${answer.status} ${answer.text?.slice(0, 200)}`);
  }
  assert.equal((await fhir.ask("Patient/nobody")).status, 404);
  assert.deepEqual(children(site.gateway.pid), before, "nobody died");
  assert.ok(peak() < WORKER, `${peak() >> 20} MB`);
  t.diagnostic(`${peak() >> 20} MB at most`);
});
