#!/usr/bin/env node
// The crash trial: ORU messages over 16 connections at a steady rate, while a random worker,
// notary or supervisor is killed each second and a PostgreSQL backend every 15 s. Afterwards
// every acknowledged message is exactly once in the FHIR store and in the log, and at the v2
// receiver at least once, as the same bytes and in order within its patient.
//
//   docker/node tests/trials/crash.mjs                 10,000 messages at 200/s, then 300
//                                                      with the Medplum server
//   docker/node tests/trials/crash.mjs --short         600 messages at 60/s
//   … --messages N --rate N --every MS --seed N --medplum
import { writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

import { checkFhir, checkLogged, checkReceiver } from "../end_to_end/lib/crash_check.mjs";
import { randomFrom, startKiller } from "../end_to_end/lib/killer.mjs";
import { load } from "../end_to_end/lib/load.mjs";
import { startFhirServer, startPlainStore } from "../end_to_end/lib/parts.mjs";
import { until } from "../end_to_end/lib/process.mjs";
import { startSite } from "../end_to_end/lib/site.mjs";
import { oru } from "../end_to_end/lib/v2.mjs";

const LANES = 16;
const PATIENTS_PER_LANE = 25;

const { values: given } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    medplum: { type: "boolean", default: false },
    messages: { type: "string" },
    rate: { type: "string" },
    every: { type: "string", default: "1000" },
    seed: { type: "string", default: String(Date.now() % 1e6) },
  },
});

/** Message @i: its patient belongs to one lane, so that its messages have an order. */
function message(i) {
  const lane = i % LANES;
  const nth = Math.floor(i / LANES);
  const patient = `P${lane}-${nth % PATIENTS_PER_LANE}`;
  const id = `C${i}`;
  const value = `${1 + (i % 90)}.${String(i % 100).padStart(2, "0")}`;
  return { id, lane, patient, value, filler: `F${i}`, text: oru(id, { patient, value, filler: `F${i}` }) };
}

async function trial({ name, count, rate, every, backendEvery, least, fhir }) {
  const seed = Number(given.seed);
  console.log(`${name}: ${count} messages at ${rate}/s, seed ${seed}`);
  const site = await startSite({ fhir });
  try {
    const messages = Array.from({ length: count }, (_, i) => message(i));
    const killer = startKiller(site, {
      every,
      backendEvery,
      random: randomFrom(seed),
      say: console.log,
    });
    const told = await load(() => site.port, messages, { rate, lanes: LANES }).finally(() =>
      killer.stop(),
    );
    const { kills } = killer;
    const killed = kills.worker + kills.notary + kills.supervisor;
    console.log(
      `  killed: ${killed} (${kills.worker} workers, ${kills.notary} notaries,`,
      `${kills.supervisor} supervisors), ${kills.backend} PostgreSQL backends`,
    );
    console.log(
      `  sent in ${told.seconds.toFixed(1)} s: ${told.AA} AA, ${told.AR} AR, ${told.AE} AE,`,
      `${told.lost} connections lost, ${told.repeated} messages sent more than once,`,
      `longest wait for an ACK ${(told.longest / 1000).toFixed(1)} s`,
    );
    if (told.AE > 0 || told.other > 0 || killed < least) {
      throw new Error(`AE ${told.AE}, other answers ${told.other}, ${killed} kills of ${least}`);
    }
    const since = Date.now();
    await site.quiet(300);
    await until("the tree to hold all", () => whole(site.postgres), 60);
    console.log(`  quiet ${((Date.now() - since) / 1000).toFixed(1)} s after the last ACK`);
    for (const check of [checkReceiver, checkFhir, checkLogged]) {
      console.log(`  ${await check(site, messages)}`);
    }
  } catch (error) {
    const where = path.join(os.tmpdir(), "chartseal-crash.log");
    writeFileSync(where, (site.before ?? "") + site.gateway.output());
    console.log(`  the gateway's log is in ${where}`);
    throw error;
  } finally {
    await site.stop();
  }
}

function whole(postgres) {
  const [[records, size, signed]] = postgres.sql(
    `SELECT (SELECT count(*) FROM record), (SELECT size FROM tree_head),
            (SELECT max(size) FROM checkpoint)`,
  );
  return records === size && size === signed;
}

const plain = {
  name: "crash trial",
  count: Number(given.messages ?? (given.short ? 600 : 10000)),
  rate: Number(given.rate ?? (given.short ? 60 : 200)),
  every: Number(given.every),
  backendEvery: given.short ? 5000 : 15000,
  least: given.messages ? 1 : given.short ? 6 : 45,
  fhir: startPlainStore,
};
const medplum = {
  ...plain,
  name: "crash trial with the Medplum server",
  count: Number(given.messages ?? 300),
  rate: Number(given.rate ?? 20),
  least: given.messages ? 1 : 10,
  fhir: startFhirServer,
};

if (!given.medplum) {
  await trial(plain);
}
if (given.medplum || !given.short) {
  await trial(medplum);
}
console.log("held");
process.exit(0);
