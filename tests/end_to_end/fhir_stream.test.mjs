// Long answers: they stream through the decisions in bounded memory, and are cut when their
// grounds go.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { startFhirGateway } from "./lib/fhir.mjs";
import { until } from "./lib/process.mjs";
import { entryOf, startUpstream } from "./lib/upstream.mjs";

const MEMORY_MAX = 64 << 10; // kB that a worker may have taken at its peak
const TEXT = "x".repeat(2000);

const plan = { entries: 0, patients: [], cut: 0, pause: 0, wait: null, late: 0 };
let upstream, gw;

/** Entries of @plan's patients, made up as they leave. */
async function answer(request, response) {
  response.write('{"resourceType":"Bundle","type":"searchset","total":9,"entry":[');
  for (let i = 0; i < plan.entries; i++) {
    if (plan.cut && i === plan.cut) {
      await plan.wait?.();
      response.destroy();
      return;
    }
    if (plan.pause && i === plan.pause) {
      await plan.wait();
    }
    const who = plan.patients[i % plan.patients.length];
    const type = plan.late && i >= plan.late ? "Condition" : "Observation";
    const entry = entryOf(upstream.base, `o${i}`, who, { text: TEXT, type });
    if (!response.write((i ? "," : "") + entry)) {
      await once(response, "drain");
    }
  }
  response.end("]}");
}

before(async () => {
  upstream = await startUpstream(answer);
  gw = await startFhirGateway(upstream.base, { staleness: "5s" });
  for (const id of ["anna", "bert"]) {
    await gw.permit(id);
  }
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(gw?.gateway.output());
  }
  await gw?.stop();
  upstream?.stop();
});

/** Peak memory of the workers, in kB. */
function peak() {
  const kids = execFileSync("pgrep", ["-P", String(gw.gateway.pid)]).toString().split("\n");
  const of = (pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
  return Math.max(...kids.filter(Boolean).map(of));
}

async function streamed() {
  const answer = await fetch(`${gw.base}/Observation`, {
    headers: { authorization: `Bearer ${await gw.token()}` },
  });
  let text = "";
  let bytes = 0;
  let cut = false;
  try {
    for await (const piece of answer.body) {
      bytes += piece.length;
      if (bytes < 20e6) {
        text += Buffer.from(piece).toString("latin1");
      }
    }
  } catch {
    cut = true;
  }
  return { status: answer.status, text, bytes, cut };
}

test("a long answer of three patients shows those who permit, each in one record", async () => {
  Object.assign(plan, { entries: 900, patients: ["anna", "carl", "bert"] });
  const from = gw.records().length;
  const answer = await streamed();
  assert.equal(answer.cut, false);
  const entries = JSON.parse(answer.text).entry.map((one) => one.resource);
  const shown = entries.filter((one) => one.resourceType === "Observation");
  assert.equal(shown.length, 600);
  assert.doesNotMatch(answer.text, /carl/);
  assert.match(answer.text, /"value":1\.00}/);
  assert.equal(JSON.parse(answer.text).total, undefined);
  const made = gw.records().slice(from);
  assert.equal(made.filter((one) => one.commitments.subject).length, 2);
  const last = made.at(-1);
  assert.deepEqual([last.outcome, last.released, last.withheld], ["partial", 600, 300]);
  assert.ok(last.commitments.payload);
});

test("access rows tell the types shown, those that come late too", async () => {
  Object.assign(plan, { entries: 900, patients: ["anna", "carl", "bert"], late: 600 });
  const from = gw.records().length;
  await streamed();
  plan.late = 0;
  const made = gw.records().slice(from);
  const rows = gw.postgres.sql(
    `SELECT record, encode(types, 'hex'), recipient > 0 FROM access
     WHERE exchange = '${made.at(-1).exchange}' ORDER BY record, types`,
  );
  const [observation, condition] = ["0060", "001c"]; // 96 and 28
  assert.equal(rows.length, 4);
  assert.deepEqual(
    rows.map(([record, types, known]) => [record === made.at(-1).id, types, known]),
    [
      [false, observation, "t"],
      [false, observation, "t"],
      [true, condition, "t"],
      [true, condition, "t"],
    ],
  );
});

test("100 MB stream in bounded memory", async () => {
  Object.assign(plan, { entries: 45000, patients: ["anna"] });
  const answer = await streamed();
  assert.equal(answer.cut, false);
  assert.ok(answer.bytes > 95e6, `${answer.bytes} bytes`);
  const kB = peak();
  console.log(`100 MB streamed, peak of a worker ${(kB / 1024).toFixed(0)} MB`);
  assert.ok(kB < MEMORY_MAX, `${kB} kB`);
});

test("an upstream that breaks off cuts the answer, and the record says so", async () => {
  Object.assign(plan, { entries: 2000, patients: ["anna"], cut: 1000 });
  const answer = await streamed();
  assert.equal(answer.cut, true);
  await until("record", () => gw.records().at(-1).basis === "upstream-cut");
  assert.equal(gw.records().at(-1).outcome, "error");
  plan.cut = 0;
});

test("a revocation in the middle ends what is shown of that patient", async () => {
  const wait = async () => {
    gw.postgres.sql("UPDATE consent_chain SET revoked = true");
    await until("refusal", async () => (await gw.ask("Patient/anna")).status === 404);
  };
  Object.assign(plan, { entries: 2000, patients: ["anna"], pause: 1000, wait });
  const answer = await streamed();
  assert.equal(answer.cut, false);
  const shown = JSON.parse(answer.text).entry.length - 1;
  assert.ok(shown > 100 && shown <= 1000, `${shown} entries`);
  plan.pause = 0;
  gw.postgres.sql("UPDATE consent_chain SET revoked = false");
});

test("the database stopped in the middle cuts the answer", async () => {
  await until("permit", async () => (await gw.ask("Patient/anna")).status === 200);
  const wait = async () => {
    gw.postgres.stop();
    await new Promise((resolve) => setTimeout(resolve, 1500));
  };
  Object.assign(plan, { entries: 4000, patients: ["anna"], pause: 1000, wait });
  const answer = await streamed();
  assert.equal(answer.cut, true);
  plan.pause = 0;
  gw.postgres.start();
  await until("open", async () => (await gw.ask("Patient/anna")).status === 200);
});
