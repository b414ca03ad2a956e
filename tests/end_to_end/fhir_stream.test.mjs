// Long answers: they stream through the decisions in bounded memory, and are cut when their
// grounds go.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { after, before, test } from "node:test";

import { toSign } from "./lib/controller.mjs";
import { consent, grantOnChain, startFhirGateway } from "./lib/fhir.mjs";
import { freePort, until } from "./lib/process.mjs";

const MEMORY_MAX = 64 << 10; // kB that a worker may have taken at its peak
const TEXT = "x".repeat(2000);

/** A FHIR server that makes up its answers as they leave: entries of @plan's patients. */
async function startMaker() {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}/fhir`;
  const plan = { entries: 0, patients: [], cut: 0, wait: null };
  const entry = (i) => {
    const who = plan.patients[i % plan.patients.length];
    return (
      `{"fullUrl":"${base}/Observation/o${i}","resource":{"resourceType":"Observation",` +
      `"id":"o${i}","status":"final","code":{"text":"${TEXT}"},"valueQuantity":{"value":1.00},` +
      `"subject":{"reference":"Patient/${who}"}},"search":{"mode":"match"}}`
    );
  };
  const server = http.createServer(async (request, response) => {
    const found = /\/Patient\/(\w+)/.exec(request.url);
    response.setHeader("content-type", "application/fhir+json");
    if (found) {
      const identifier = [{ system: "urn:mrn", value: found[1] }];
      response.end(JSON.stringify({ resourceType: "Patient", id: found[1], identifier }));
      return;
    }
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
      if (!response.write((i ? "," : "") + entry(i))) {
        await once(response, "drain");
      }
    }
    response.end("]}");
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return { base, plan, stop: () => server.closeAllConnections?.() ?? server.close(), server };
}

let maker, gw;

before(async () => {
  maker = await startMaker();
  gw = await startFhirGateway(maker.base, { staleness: "5s" });
  for (const id of ["anna", "bert"]) {
    const body = consent({ reference: `Patient/${id}` });
    const answer = await gw.ask("Consent", { method: "POST", body });
    assert.equal(answer.status, 201, answer.text);
    grantOnChain(gw.postgres, toSign(answer.json()));
    await until("consent", async () => (await gw.ask(`Patient/${id}`)).status === 200);
  }
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(gw?.gateway.output());
  }
  await gw?.stop();
  maker?.server.close();
  maker?.server.closeAllConnections();
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
  Object.assign(maker.plan, { entries: 900, patients: ["anna", "carl", "bert"] });
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

test("100 MB stream in bounded memory", async () => {
  Object.assign(maker.plan, { entries: 45000, patients: ["anna"] });
  const answer = await streamed();
  assert.equal(answer.cut, false);
  assert.ok(answer.bytes > 95e6, `${answer.bytes} bytes`);
  const kB = peak();
  console.log(`100 MB streamed, peak of a worker ${(kB / 1024).toFixed(0)} MB`);
  assert.ok(kB < MEMORY_MAX, `${kB} kB`);
});

test("an upstream that breaks off cuts the answer, and the record says so", async () => {
  Object.assign(maker.plan, { entries: 2000, patients: ["anna"], cut: 1000 });
  const answer = await streamed();
  assert.equal(answer.cut, true);
  await until("record", () => gw.records().at(-1).basis === "upstream-cut");
  assert.equal(gw.records().at(-1).outcome, "error");
  maker.plan.cut = 0;
});

test("a revocation in the middle ends what is shown of that patient", async () => {
  const wait = async () => {
    gw.postgres.sql("UPDATE consent_chain SET revoked = true");
    await until("refusal", async () => (await gw.ask("Patient/anna")).status === 404);
  };
  Object.assign(maker.plan, { entries: 2000, patients: ["anna"], pause: 1000, wait });
  const answer = await streamed();
  assert.equal(answer.cut, false);
  const shown = JSON.parse(answer.text).entry.length - 1;
  assert.ok(shown > 100 && shown <= 1000, `${shown} entries`);
  maker.plan.pause = 0;
  gw.postgres.sql("UPDATE consent_chain SET revoked = false");
});

test("the database stopped in the middle cuts the answer", async () => {
  await until("permit", async () => (await gw.ask("Patient/anna")).status === 200);
  const wait = async () => {
    gw.postgres.stop();
    await new Promise((resolve) => setTimeout(resolve, 1500));
  };
  Object.assign(maker.plan, { entries: 4000, patients: ["anna"], pause: 1000, wait });
  const answer = await streamed();
  assert.equal(answer.cut, true);
  maker.plan.pause = 0;
  gw.postgres.start();
  await until("open", async () => (await gw.ask("Patient/anna")).status === 200, 30);
});
