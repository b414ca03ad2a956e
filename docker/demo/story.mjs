// The story of one day at St. Elsewhere, step by step: each step does something, looks at what
// came of it, and ends the story if that isn't what it says.
//
//   lib/world.mjs   what runs, its keys and configuration
//   lib/patient.mjs a patient who files, signs and revokes consents
//   lib/show.mjs    how it is told
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { until } from "../../tests/end_to_end/lib/process.mjs";
import { sender, wire } from "./parts/v2_sender.mjs";
import { use } from "./parts/packages.mjs";
import * as show from "./lib/show.mjs";
import { claim, during, look, quote, saw, say, step } from "./lib/show.mjs";
import {
  HOSPITAL, INSURER, WARD, ask, deploy, must, prepare, program, run, startGateway, startParts, stop,
  verifier, where,
} from "./lib/world.mjs";

const { Hl7Message } = use("@medplum/core");

const message = (name) =>
  readFileSync(fileURLToPath(new URL(`messages/${name}.hl7`, import.meta.url)), "utf8");

const count = (bundle, type) =>
  (bundle.entry ?? []).filter(({ resource }) => resource?.resourceType === type).length;

const world = {};

async function raise() {
  step("Everything is started", `Systems that nobody here wrote: a database, a chain, a FHIR
    server, an HL7 v2 receiver. All private to this demo, on 127.0.0.1, files in .demo/.`);
  const started = (name, url, ms) => saw(name, `${url} (${(ms / 1000).toFixed(1)} s)`);
  Object.assign(world, await during("starting", startParts(started)));
}

async function contracts() {
  step("The contracts are deployed", `ConsentRegistry keeps what patients permit, as salted
    commitments that name nobody. AuditAnchor keeps the heads of the log, and takes a new one
    only with a proof that it continues the last.`);
  await during("deploying", deploy(world));
  const { consent, anchor, chain_id: id } = world.contracts;
  for (const [name, address] of [["ConsentRegistry", consent], ["AuditAnchor", anchor]]) {
    const code = await world.chain.rpc("eth_getCode", address, "latest");
    claim(code.length > 1000, `${name} at ${address}`, `${code.length / 2 - 1} bytes of code`);
  }
  await during("starting the gateway", startGateway(world));
  saw(`the gateway follows chain ${id} and serves with 3 workers`, world.base);
}

/** Send @name by a real v2 client; the bytes that it sent. */
async function send(name) {
  const text = wire(message(name));
  const client = await sender("medplum", "127.0.0.1", world.at.mllp);
  try {
    const ack = await client.send(text);
    const header = Hl7Message.parse(text);
    claim(ack.code === "AA", `${header.getSegment("MSH").getField(9)} is acknowledged`,
      `MSA|${ack.code}|${ack.id}`);
    return Buffer.from(header.toString());
  } finally {
    client.close();
  }
}

async function messages() {
  step("Two HL7 v2 messages of each patient arrive", `An admission (ADT^A01) and laboratory
    results (ORU^R01), sent by @medplum/hl7's client. The gateway commits each, sealed under its
    patient's key, before it says AA; then it decides by consent, and delivers.`);
  const sent = [];
  for (const name of ["erika_adt_a01", "erika_oru_r01", "jonas_adt_a01", "jonas_oru_r01"]) {
    sent.push(await send(name));
  }
  const received = () => world.ward.received();
  await during("delivery", until("delivery to the v2 receiver", () => received().length >= sent.length));
  const same = sent.filter((bytes) => received().some((got) => got.bytes.equals(bytes)));
  claim(same.length === sent.length, "the v2 receiver has the same bytes", `${same.length} of ${sent.length} messages`);
  look(where("run/received.ndjson"));
  const observations = async () => (await fetch(`${world.ehr.base}/Observation?_count=50`)).json();
  await during("delivery", until("resources in the FHIR server", async () => count(await observations(), "Observation") === 3));
  const { entry } = await observations();
  claim(entry.length === 3, "the FHIR server has their resources", entry.map(({ resource }) => `Observation/${resource.id.slice(0, 8)}`).join(" "));
  const patients = await (await fetch(`${world.ehr.base}/Patient?_count=50`)).json();
  world.erika = patients.entry.find(({ resource }) => resource.name[0].family === "Mustermann").resource;
  world.jonas = patients.entry.find(({ resource }) => resource.name[0].family === "Weber").resource;
  saw("among them two patients", `Patient/${world.erika.id} Patient/${world.jonas.id}`);
}

const story = [raise, contracts, messages];

async function tell() {
  await prepare();
  for (const part of story) {
    await part();
  }
}

let ending = false;
async function end(status) {
  if (ending) {
    return;
  }
  ending = true;
  await stop(world);
  process.exit(status);
}
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => end(process.env.DEMO_EXIT ? 1 : 0));
}

try {
  await tell();
} catch (error) {
  show.failed(error);
  say(`What the parts said: ${where("run")}/*.log`);
  if (!(error instanceof show.Unlike)) {
    say(error.stack);
  }
  await end(1);
}
say();
show.title(`Every step did what it says (${show.elapsed()}).`);
if (process.env.DEMO_EXIT) {
  await end(0);
}
setInterval(() => {}, 60000);
