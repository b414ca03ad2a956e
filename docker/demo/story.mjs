// The story of one day at St. Elsewhere, step by step: each step does something, looks at what
// came of it, and ends the story if that isn't what it says.
//
//   lib/world.mjs    what runs, its keys and configuration
//   lib/patient.mjs  a patient who files, signs and revokes a consent
//   lib/looks.mjs    where it looks whether what it says is so
//   lib/show.mjs     how it is told
//   lib/invite.mjs   what there is to try by hand afterwards
//   lib/tour.mjs     what README says to try by hand, typed where nobody stays to do it
import { readFileSync, writeFileSync } from "node:fs";

import { toSign } from "../../tests/end_to_end/lib/controller.mjs";
import { sleep, until } from "../../tests/end_to_end/lib/process.mjs";
import { invite } from "./lib/invite.mjs";
import {
  audited,
  behind,
  blocksOf,
  finalized,
  message,
  onChain,
  resources,
} from "./lib/looks.mjs";
import { patient } from "./lib/patient.mjs";
import * as show from "./lib/show.mjs";
import { claim, during, look, quote, saw, say, step } from "./lib/show.mjs";
import { leaveToken, tour } from "./lib/tour.mjs";
import * as site from "./lib/world.mjs";
import { HOSPITAL, INSURER, NUMBERS, ask, must, run, where } from "./lib/world.mjs";
import { use } from "./parts/packages.mjs";
import { sender, wire } from "./parts/v2_sender.mjs";

const { Hl7Message } = use("@medplum/core");

const short = (hex) => `${hex.slice(0, 10)}..${hex.slice(-4)}`;
/** As @ask, but not more often than each @ms: what is asked of the gateway is recorded. */
const every = (ms, ask) => () => sleep(ms).then(ask);
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

const world = {};
const people = {}; // erika, jonas: those who consent
const staff = {}; // tokens

async function raise() {
  step(
    "Everything is started",
    `Systems that nobody here wrote: a database, a chain, a FHIR server and an HL7 v2 receiver.
    All of them private to this demo, on 127.0.0.1, with their files in .demo/.`,
  );
  const started = (name, url, ms) => saw(`${name} in ${seconds(ms)}`, url);
  Object.assign(world, await during("starting", site.startParts(started)));
}

async function deployContracts() {
  step(
    "The contracts are deployed, the gateway starts",
    `ConsentRegistry will keep what patients permit, as salted commitments that name nobody.
    AuditAnchor will keep the heads of the log, and takes a new one only with a proof that it
    continues the one before.`,
  );
  await during("deploying", site.deploy(world));
  const { consent, anchor, chain_id: id } = world.contracts;
  for (const [name, address] of Object.entries({
    ConsentRegistry: consent,
    AuditAnchor: anchor,
  })) {
    const code = await world.chain.rpc("eth_getCode", address, "latest");
    claim(
      code.length > 1000,
      `${name} is at ${address}`,
      `${code.length / 2 - 1} bytes of code`,
    );
  }
  await during("starting the gateway", site.startGateway(world));
  saw(
    `the gateway follows chain ${id} and serves with ${world.config.workers} workers`,
    world.base,
  );
  look(`its configuration: ${world.file}`);
  staff.clinician = await world.token(HOSPITAL, "dr-sommer");
  staff.insurer = await world.token(INSURER, "claims-desk");
}

async function consent(name, person) {
  const filed = await person.file();
  claim(
    filed.status === 201,
    `${name}'s Consent is filed through the FHIR port`,
    `HTTP 201 Consent/${short(person.consentId())}`,
  );
  quote(toSign(filed.json).statement);
  const granted = await person.grant(filed.json);
  claim(
    granted.status === 202,
    `${name}'s signatures are taken`,
    `HTTP ${granted.status} key ${short(person.address)}`,
  );
  const { block } = await during("waiting for a safe block", person.until("safe"));
  const { controller, version, revoked } = await onChain(world, person);
  claim(
    controller === person.address && version === 1 && !revoked,
    "the chain holds it, and its block is safe",
    `block ${block}, controller ${short(controller)}`,
  );
}

async function consents() {
  step(
    "Two patients say what they permit",
    `Each files a FHIR Consent (treatment, by this hospital and its ward, nobody else) and signs
    what it says in words, and a commitment to it, with a key of their own (EIP-712). The
    gateway keeps the words, sends the commitment to the chain and pays for it; it counts once
    its block is safe.`,
  );
  people.erika = await patient(world, "4711");
  people.jonas = await patient(world, "4712");
  await consent("Erika", people.erika);
  await consent("Jonas", people.jonas);
  const ether = await world.chain.provider.getBalance(people.erika.address);
  claim(ether === 0n, "neither needed an account with money", `Erika's key holds ${ether} wei`);
}

/** Send a message by a client of the field; the bytes that it put on the wire. */
async function send(name) {
  const text = wire(message(name));
  const parsed = Hl7Message.parse(text);
  const client = await sender("medplum", "127.0.0.1", world.at.mllp);
  try {
    const ack = await client.send(text);
    const header = parsed.getSegment("MSH");
    const type = `${header.getComponent(9, 1)}^${header.getComponent(9, 2)}`;
    claim(ack.code === "AA" && ack.id, `${type} is acknowledged`, `MSA|${ack.code}|${ack.id}`);
  } finally {
    client.close();
  }
  return Buffer.from(parsed.toString());
}

const arrived = (bytes) => world.ward.received().some((got) => got.bytes.equals(bytes));

async function messages() {
  step(
    "HL7 v2 messages arrive",
    `Of each patient an admission (ADT^A01) and laboratory results (ORU^R01), sent by
    @medplum/hl7's client. The gateway commits each, sealed under its patient's key, before it
    says AA; then the consents let them pass.`,
  );
  quote(message("erika_oru_r01"));
  const sent = [];
  for (const name of ["erika_adt_a01", "erika_oru_r01", "jonas_adt_a01", "jonas_oru_r01"]) {
    sent.push(await send(name));
  }
  await during(
    "delivery",
    until("all messages at the v2 receiver", () => sent.every(arrived), 30),
  );
  saw(
    `the v2 receiver has the same bytes, ${sent.length} of ${sent.length}`,
    where("run/received.ndjson"),
  );
  const complete = async () => (await behind(world, "Observation")).length === 3;
  await during("delivery", until("3 Observations in the FHIR server", complete, 30));
  const patients = await behind(world, "Patient");
  const of = (family) => patients.find((one) => one.name?.[0].family === family);
  people.erika.id = of("Mustermann")?.id;
  people.jonas.id = of("Weber")?.id;
  claim(
    patients.length === 2 && people.erika.id && people.jonas.id,
    "the FHIR server has two patients",
    patients.map(({ id }) => `Patient/${id}`).join(" "),
  );
  for (const one of await behind(world, "Observation")) {
    const { value, unit } = one.valueQuantity;
    saw(
      `and an Observation: ${one.code.text ?? one.code.coding[0].display} ${value} ${unit ?? ""}`,
      `Observation/${one.id}`,
    );
  }
}

const results = (person) => `Observation?patient=Patient/${person.id}`;

async function clinician() {
  step(
    "A permitted clinician searches and sees",
    `Dr. Sommer's token (JWT, ES256) names the hospital and the purpose TREAT. Each entry of the
    answer is decided as it passes; the record of it is committed before the first byte leaves.`,
  );
  const answer = await ask(world, staff.clinician, results(people.erika));
  const seen = resources(answer.json, "Observation");
  say(`     GET ${results(people.erika)}`);
  claim(
    answer.status === 200 && seen.length === 2,
    "she sees Erika's 2 results",
    `HTTP ${answer.status} in ${answer.ms} ms`,
  );
  quote(
    seen
      .map(
        (one) =>
          `${one.code.coding[0].display}: ${one.valueQuantity.value} ${one.valueQuantity.unit}`,
      )
      .join("\n"),
  );
  const read = await ask(world, staff.clinician, `Patient/${people.erika.id}`);
  claim(
    read.status === 200 && read.json.name[0].family === "Mustermann",
    "and reads who she is",
    `HTTP ${read.status} Patient/${people.erika.id}`,
  );
}

async function stranger() {
  step(
    "Another organisation sees nothing",
    `The same search with a valid token of an insurer, to whom nobody consented. The answer is
    that of a patient without results; the administrator sees why.`,
  );
  const answer = await ask(world, staff.insurer, results(people.erika));
  claim(
    answer.status === 200 && resources(answer.json, "Observation").length === 0,
    "the insurer's search finds nothing",
    `HTTP ${answer.status}`,
  );
  claim(
    !/Cholesterol|Mustermann/.test(answer.text),
    "no byte of hers is in the answer",
    `${answer.text.length} bytes`,
  );
  quote(resources(answer.json, "OperationOutcome")[0]?.issue[0].diagnostics ?? "");
  const read = await ask(world, staff.insurer, `Patient/${people.erika.id}`);
  claim(
    read.status === 404,
    "to it there is no such patient",
    `HTTP ${read.status} ${read.json.issue[0].diagnostics}`,
  );
  const denied = audited(world, people.erika).filter(({ record }) => record.outcome === "deny");
  claim(denied.length === 2, "the administrator sees both refusals, why, and who asked");
  for (const { record, opening } of denied) {
    const { organization, subject } = JSON.parse(opening.actor.value);
    claim(
      organization === INSURER && record.basis === "no-consent",
      `${record.interaction} refused, ${record.basis}`,
      `${subject} of ${organization}, record ${record.id}`,
    );
  }
  look(`build/chartseal audit list --config ${world.file} --patient '${NUMBERS}|4711'`);
}

async function revoke() {
  step(
    "The patient revokes",
    `Erika signs again, this time to take it back. The revocation acts on first sight, before
    its block is mined, on all workers.`,
  );
  const from = performance.now();
  const answer = await people.erika.revoke();
  const accepted = performance.now();
  claim(
    answer.status === 202,
    "her revocation is taken",
    `HTTP ${answer.status} in ${Math.round(accepted - from)} ms`,
  );
  const gone = async () => {
    const { status, json } = await ask(world, staff.clinician, results(people.erika));
    return status === 200 && resources(json, "Observation").length === 0;
  };
  await until("a refusal", gone, 10);
  const took = performance.now() - accepted;
  claim(took < 1000, `Dr. Sommer's search shows nothing of her ${Math.round(took)} ms later`);
  const more = await Promise.all(Array.from({ length: 12 }, gone));
  claim(more.every(Boolean), "nor do 12 searches at once, whichever worker answers");
  const others = await ask(world, staff.clinician, results(people.jonas));
  claim(
    resources(others.json, "Observation").length === 1,
    "Jonas's results she still sees",
    `HTTP ${others.status}`,
  );
  const mined = until(
    "the chain",
    async () => (await onChain(world, people.erika)).revoked,
    30,
  );
  await during("waiting for the chain", mined);
  saw("and soon the chain says so too", `${seconds(performance.now() - accepted)} later`);
}

async function ledger() {
  step(
    "The ledger stops, the gate closes",
    `The chain's only node is frozen. What can't be known can't be permitted: once the gateway's
    view is older than ledger.max_staleness (10 s), nothing passes, Jonas's data neither.`,
  );
  const status = async () => (await ask(world, staff.clinician, results(people.jonas))).status;
  claim((await status()) === 200, "before: Dr. Sommer's search is answered", "HTTP 200");
  const from = performance.now();
  world.chain.kill("SIGSTOP");
  const closed = until(
    "the gate to close",
    every(200, async () => (await status()) === 503),
    30,
  );
  await during("the node is frozen; searches go on", closed);
  const after = performance.now() - from;
  claim(
    after > 5000 && after < 20000,
    `the gate is closed ${seconds(after)} after the node stopped`,
    "HTTP 503",
  );
  const { json } = await ask(world, staff.clinician, results(people.jonas));
  quote(json.issue[0].diagnostics);
  const late = await send("jonas_oru_late");
  await sleep(1000);
  claim(!arrived(late), "a message that comes now is kept, but not delivered");

  const again = performance.now();
  world.chain.kill("SIGCONT");
  const open = until(
    "the gate to open",
    every(50, async () => (await status()) === 200),
    30,
  );
  await during("the node runs again", open);
  saw(
    `the gate opened by itself ${seconds(performance.now() - again)} after the node was back`,
    "HTTP 200",
  );
  await during(
    "delivery",
    until("the message that was kept", () => arrived(late), 60),
  );
  saw("and the message that was kept is delivered, the same bytes");
}

async function anchored() {
  step(
    "The log is anchored",
    `Each exchange left a record in a Merkle tree. Its signed head goes to AuditAnchor every few
    seconds, with a proof that nothing before it was changed or left out.`,
  );
  const permitted = audited(world, people.erika).filter(
    ({ record }) => record.outcome === "permit" && record.interaction === "search",
  );
  claim(
    permitted.length > 0,
    "the log has the record of Dr. Sommer's search",
    permitted.at(-1)?.record.id,
  );
  world.record = permitted.at(-1).record.id;
  const state = await during("waiting for a final block", finalized(world, world.record, 60));
  const [, block, hash] = state.anchor.match(/block (\d+), transaction (0x[0-9a-f]{64})/) ?? [];
  claim(hash, "its anchor is final", `block ${block}`);
  const receipt = await world.chain.rpc("eth_getTransactionReceipt", hash);
  const right = receipt?.status === "0x1" && Number(receipt.blockNumber) === Number(block);
  claim(
    right && receipt.to === world.contracts.anchor.toLowerCase(),
    "the chain says the same",
    `transaction ${short(hash)}, ${Number(receipt.gasUsed)} gas`,
  );
  quote(must(site.program, "anchor", "status", "--config", world.file), 8);
}

async function proven() {
  step(
    "A record is proven to a stranger",
    `The evidence is one file. chartseal-verify checks it without network and without trust in
    the gateway; from elsewhere it takes the log's public key, the contracts' addresses and the
    hashes of two blocks, as any node of the chain tells them.`,
  );
  const config = ["--config", world.file];
  world.evidence = where("evidence.json");
  must(site.program, "audit", "prove", world.record, ...config, "--out", world.evidence);
  writeFileSync(where("log.key"), must(site.program, "audit", "key", ...config));
  writeFileSync(where("blocks.txt"), `${(await blocksOf(world, world.evidence)).join("\n")}\n`);
  const { consent: registry, anchor } = world.contracts;
  world.check = [
    "--key",
    where("log.key"),
    "--headers",
    where("blocks.txt"),
    "--contract",
    anchor,
    "--contract",
    registry,
  ];
  const { status, out } = run(site.verifier, world.evidence, ...world.check);
  quote(out, 12);
  claim(
    status === 0,
    "proven",
    `exit status ${status}; ${readFileSync(world.evidence).length} bytes of evidence`,
  );
  look(`build/chartseal-verify ${[world.evidence, ...world.check].join(" ")}`);
}

/** What the verifier says of the evidence with the byte at @at changed by @change. */
function tampered(at, change) {
  const bytes = readFileSync(world.evidence);
  bytes[at] = change(bytes[at]);
  const file = where("tampered.json");
  writeFileSync(file, bytes);
  const { status, out } = run(site.verifier, file, ...world.check);
  const [, part, why] = out.match(/^FAILED +(\w+) +(.*)$/m) ?? [];
  return { status, part, why };
}

const otherDigit = (byte) => (byte === 0x30 ? 0x31 : 0x30); // still a digit
const otherBit = (byte) => byte ^ 1;

async function refused() {
  step(
    "One byte is changed, and it is refused",
    `The time in the record, who asked, a hash on the way to the tree's root, a block's header,
    the state of the consent: the verifier names what failed.`,
  );
  const text = readFileSync(world.evidence, "latin1");
  const after = (...marks) =>
    marks.reduce((at, mark) => text.indexOf(mark, at) + mark.length, 0);
  const places = [
    ["the record's time", "inclusion", after('"record":', '"time":') + 12],
    ["who asked", "opening", after('"opening":', "urn:oid:")],
    ["a hash of the proof", "inclusion", after("tlog-proof@v1", "index ", "\\n") + 5],
    ["the header of the anchor's block", "anchor", after('"header":"0x') + 100],
    ["the state of the consent", "consent", after('"slot0":', '"0x') + 100],
  ];
  for (const [what, want, at] of places) {
    const { status, part, why } = tampered(at, otherDigit);
    claim(status === 2 && part === want, `refused: ${what}, byte ${at}`, `status ${status}`);
    quote(`FAILED ${part}: ${why}`);
  }
  const few = 50;
  const spread = Array.from({ length: few }, (_, i) => Math.floor((i * text.length) / few));
  const passed = spread.filter((at) => tampered(at, otherBit).status !== 2);
  claim(passed.length === 0, `refused: ${few} more, each with one bit changed elsewhere`);
}

async function byHand() {
  step(
    "README's five minutes by hand",
    `Each command of README is typed as it stands there, but for the ports of this run: what a
    stranger would do first must work.`,
  );
  leaveToken(staff);
  const { status, out, err } = await during("typing, and waiting for an anchor", tour(world));
  if (status !== 0) {
    quote(`${out}\n${err}`.split("\n").slice(-12).join("\n"), 12);
  }
  claim(status === 0, "each command did what README says", `exit status ${status}`);
  claim(/^HTTP\/1.1 401 /m.test(out), "without a token: 401");
  claim(out.includes("message 1: AA"), "the message is acknowledged");
  claim(out.includes("taken; it leaves as a message"), "a Bundle is taken for the v2 receiver");
  claim(/^NOT PROVEN/m.test(out) && /^PROVEN$/m.test(out), "proven once its block is confirmed");
}

const story = [
  raise,
  deployContracts,
  consents,
  messages,
  clinician,
  stranger,
  revoke,
  ledger,
  anchored,
  proven,
  refused,
];

let ending = false;
async function end(status) {
  if (!ending) {
    ending = true;
    await site.stop(world);
    process.exit(status);
  }
}

async function main() {
  const stay = !process.env.DEMO_EXIT;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => end(stay && told ? 0 : 1));
  }
  let told = false;
  try {
    await site.prepare();
    for (const part of stay ? story : [...story, byHand]) {
      await part();
    }
    told = true;
  } catch (error) {
    if (ending) {
      return;
    }
    show.failed(error);
    say(error instanceof show.Unlike ? "" : error.stack);
    say(`What the parts said: ${where("run")}/*.log`);
    return end(1);
  }
  say();
  show.title(`Each of the ${show.count()} steps did what it says (${show.elapsed()}).`);
  if (!stay) {
    return end(0);
  }
  say();
  invite(world, people, staff);
  setInterval(() => {}, 60000);
}

await main();
