// HL7 v2: who hears what. Original and enhanced mode, batches, what is refused and why, and
// messages in other character sets.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startSite } from "./lib/site.mjs";
import { freePort } from "./lib/process.mjs";
import { acked, collect, oru, send } from "./lib/v2.mjs";

const sender = {
  address: "127.0.0.1",
  organization: "urn:oid:1.2.3",
  assigners: { LAB: "urn:oid:1.2.3.4" },
};

let site;
let modern; // a listener whose sender is in enhanced mode
let fhirOnly; // one whose messages all go to the FHIR server

before(async () => {
  modern = await freePort();
  fhirOnly = await freePort();
  const mllp = (port, more) => ({
    protocol: "mllp",
    address: `127.0.0.1:${port}`,
    senders: [{ ...sender, ...more }],
  });
  site = await startSite({
    listeners: {
      modern: mllp(modern, { ack: "enhanced" }),
      mapped: mllp(fhirOnly, { ack: "enhanced" }),
    },
    routes: [
      { to: ["ward"] },
      { from: "modern", to: ["ward"] },
      { from: "mapped", to: ["ehr"] },
    ],
  });
});

after(() => site?.stop());

/** A result with MSH-15 and MSH-16 as asked. */
const asking = (id, commit, application) =>
  oru(id).replace("|P|2.5.1||||||", `|P|2.5.1|||${commit}|${application}||`);
const codes = (frames) => frames.map((frame) => acked(frame).code);

test("in original mode there is one answer, whatever MSH-15 and MSH-16 ask for", async () => {
  const wishes = ["AL AL", "NE NE", "AL NE", "NE AL", "ER ER", "SU SU"].map((w) => w.split(" "));
  const messages = wishes.map(([commit, application], i) => asking(`O${i}`, commit, application));
  const frames = await collect(site.port, messages);
  assert.deepEqual(codes(frames), Array(6).fill("AA"));
  assert.deepEqual(frames.map((frame) => acked(frame).id), ["O0", "O1", "O2", "O3", "O4", "O5"]);
  assert.equal(await site.gateway.metric("chartseal_hl7_ack_wishes_unheeded_total"), 6);
});

test("in enhanced mode each answer that is asked for, in a frame of its own", async () => {
  const cases = [
    ["AL", "AL", ["CA", "AA"]],
    ["AL", "NE", ["CA"]],
    ["NE", "AL", ["AA"]],
    ["NE", "NE", []],
    ["ER", "SU", ["AA"]],
    ["SU", "ER", ["CA"]],
    ["", "", ["AA"]],
  ];
  for (const [i, [commit, application, want]] of cases.entries()) {
    const id = `E${i}`;
    const frames = await collect(modern, [asking(id, commit, application)], {
      least: want.length,
    });
    assert.deepEqual(codes(frames), want, `${commit} ${application}`);
    assert.ok(frames.every((frame) => acked(frame).id === id));
    assert.equal(new Set(frames.map((frame) => frame.split("|")[9])).size, want.length);
  }
  await site.quiet();
  const ids = site.receiver.received().map(({ id }) => id);
  assert.ok(cases.every((_, i) => ids.includes(`E${i}`)), "all were taken, heard of or not");
});

test("what is refused in enhanced mode is told once, by either answer", async () => {
  const refused = (id, commit, application) =>
    asking(id, commit, application).replace("ORU^R01^ORU_R01", "");
  const cases = [
    ["AL", "AL", ["CE"]],
    ["ER", "NE", ["CE"]],
    ["NE", "AL", ["AE"]],
    ["NE", "ER", ["AE"]],
    ["SU", "SU", []],
  ];
  for (const [i, [commit, application, want]] of cases.entries()) {
    const frames = await collect(modern, [refused(`R${i}`, commit, application)], {
      least: want.length,
    });
    assert.deepEqual(codes(frames), want, `${commit} ${application}`);
    for (const frame of frames) {
      assert.match(frame, /\rERR\|\|MSH\^1\^9\^1\|101\^/);
    }
  }
});

test("a refusal names place and reason", async () => {
  const msh = "MSH|^~\\&|LAB|HOSP|GW|GW|20260301||ORU^R01|M1|P|2.5.1\r";
  const cases = [
    [fhirOnly, "MSH|^~\\&|LAB|||||||M1|P|2.5\rPID|1\r", /ERR\|\|MSH\^1\^9\^1\|101\^.*doesn't say its type/],
    [fhirOnly, "PID|1\r", /ERR\|\|MSH\^1\|102\^.*doesn't begin with MSH/],
    [fhirOnly, "MSH|^^\\&|LAB\r", /ERR\|\|MSH\^1\^2\^1\|102\^.*the same character/],
    [fhirOnly, "MSH|^~\\&#!|LAB\r", /ERR\|\|MSH\^1\^2\^1\|102\^.*more than five/],
    [fhirOnly, msh.replace("ORU^R01", "QQQ^Q99"), /ERR\|\|MSH\^1\^9\^1\|201\^.*no map/],
    [fhirOnly, msh.replace("2.5.1", "2.3").replace("ORU^R01", "QQQ^Q99"), /ERR\|MSH\^1\^9\^201&/],
  ];
  for (const [port, message, want] of cases) {
    const answer = await send(port, message);
    assert.equal(acked(answer).code, "AE");
    assert.match(answer, want);
  }
});

test("of which nothing would come is refused, but where it passes as it is", async () => {
  const bare = oru("N1").replace(/PID.*/s, "PID|1\rPV1|1\r");
  const [answer] = await collect(fhirOnly, [bare]);
  assert.match(answer, /\rMSA\|AE\|N1\rERR\|\|OBR\^1\|100\^.*required and missing: OBR, PID-3/);
  const told = asking("N2", "AL", "AL").replace(/PID.*/s, "PID|1\r");
  assert.deepEqual(codes(await collect(fhirOnly, [told])), ["CE"]);
  assert.equal(acked(await send(site.port, bare)).code, "AA");
  const [batch] = await collect(fhirOnly, [`BHS|^~\\&|LAB\r${oru("N3")}${bare}BTS|2\r`]);
  assert.deepEqual(batch.match(/MSA\|\w+/g), ["MSA|AA", "MSA|AE"]);
});

test("a batch is answered by a batch, each message taken by itself", async () => {
  const batch = [
    "FHS|^~\\&|LAB|HOSP|GW|GW|20260301||||F9\r",
    "BHS|^~\\&|LAB|HOSP|GW|GW|20260301||||B7\r",
    oru("B1"),
    oru("B2").replace("ORU^R01^ORU_R01", ""),
    oru("B3"),
    "BTS|3\r",
    "FTS|1\r",
  ].join("");
  const frames = await collect(site.port, [batch, oru("AFTER")]);
  assert.equal(frames.length, 2, "one answer to the batch");
  const lines = frames[0].split("\r");
  assert.match(lines[0], /^FHS\|\^~\\&\|GW\|GW\|LAB\|HOSP\|\d{14}\+0000\|\|\|\|[^|]{20}\|F9$/);
  assert.match(lines[1], /^BHS\|\^~\\&\|GW\|GW\|LAB\|HOSP\|\d{14}\+0000\|\|\|\|[^|]{20}\|B7$/);
  assert.deepEqual(
    lines.filter((line) => line.startsWith("MSA")),
    ["MSA|AA|B1", "MSA|AE|B2", "MSA|AA|B3"],
  );
  assert.deepEqual(lines.slice(-3), ["BTS|3", "FTS|1", ""]);
  await site.quiet();
  const ids = site.receiver.received().map(({ id }) => id);
  assert.deepEqual(ids.filter((id) => /^(B|AFTER)/.test(id)).sort(), ["AFTER", "B1", "B3"]);
});

test("a batch of many keeps their order, and sent again does nothing new", async () => {
  const messages = Array.from({ length: 200 }, (_, i) => oru(`N${i}`, { filler: "FN" }));
  const batch = ["BHS|^~\\&|LAB\r", ...messages, "BTS|200\r"].join("");
  const first = await collect(site.port, [batch]);
  const heard = [...first[0].matchAll(/MSA\|AA\|(N\d+)\r/g)].map(([, id]) => id);
  assert.deepEqual(heard, messages.map((_, i) => `N${i}`));
  await site.quiet();
  const rows = site.outbox().length;
  await collect(site.port, [batch]);
  await site.quiet();
  assert.equal(site.outbox().length, rows);
  const ids = site.receiver.received().map(({ id }) => id);
  assert.deepEqual(ids.filter((id) => /^N\d/.test(id)), heard);
});

test("a batch that was cut is refused as a whole", async () => {
  const rows = site.outbox().length;
  const cases = [
    [`BHS|^~\\&|LAB|||||||a comment|B8\r${oru("C1")}BTS|2\r`, /ERR\|\|BTS\^1\^1\^1\|102\^.*says 2/],
    [`BHS|^~\\&|LAB|||||||a comment|B8\r${oru("C1")}`, /ERR\|\|BTS\^1\|101\^.*no trailer/],
  ];
  for (const [batch, want] of cases) {
    const frames = await collect(site.port, [batch]);
    assert.deepEqual(codes(frames), ["AE"]);
    assert.equal(acked(frames[0]).id, "B8");
    assert.match(frames[0], want);
  }
  assert.equal(site.outbox().length, rows);
});

test("other character sets: delivered as the same bytes, answered in them", async () => {
  const head = (id, set, facility) =>
    Buffer.concat([
      Buffer.from(`MSH|^~\\&|LAB|`),
      facility,
      Buffer.from(`|GW|GW|20260301||ORU^R01|${id}|P|2.5.1||||||${set}\r`),
      Buffer.from("PID|1||4711^^^LAB^MR||"),
      facility,
      Buffer.from("\r"),
    ]);
  const cases = [
    // a name in each; that of the last ends in what looks like an escape character
    ["L1", "8859/1", Buffer.from("M\xfcnchen", "latin1")],
    ["J1", "~ISO IR87", Buffer.from("\x1b$B;3ED\x1b(B", "latin1")],
    ["K1", "KS X 1001", Buffer.from("\xc8\xab", "latin1")],
    ["Z1", "BIG-5", Buffer.from("\xb3\\\xa5\\\xbb\\", "latin1")],
  ];
  for (const [id, set, facility] of cases) {
    const [answer] = await collect(site.port, [head(id, set, facility)], { encoding: "latin1" });
    assert.equal(acked(answer).code, "AA", set);
    assert.ok(answer.includes(`|LAB|${facility.toString("latin1")}|`), set);
    assert.ok(answer.includes(`MSA|AA|${id}`), set);
  }
  await site.quiet();
  const received = site.receiver.received();
  for (const [id, set, facility] of cases) {
    const one = received.find(({ bytes }) => bytes.includes(`|${id}|P|`));
    assert.ok(one?.bytes.equals(head(id, set, facility)), `${set}: the same bytes`);
  }
  // Delivered unchanged as well, but no receiver here reads that.
  const wide = Buffer.from(`\ufeff${oru("W1").replace("UNICODE UTF-8", "UNICODE UTF-16")}`, "utf16le");
  const [answer] = await collect(site.port, [wide]);
  assert.match(answer, /\|UNICODE UTF-8\rMSA\|AA\|W1\r/);
});
