// HL7 v2 end to end: 16 connections by MLLP, durable before the ACK, translated and delivered to a
// FHIR server meanwhile; a worker for each core, and everything else on the same cores.
import { writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

import * as gateways from "../../end_to_end/lib/gateway.mjs";
import { accepts, freePort, start, until } from "../../end_to_end/lib/process.mjs";
import { folder } from "../../end_to_end/lib/parts.mjs";
import { oru } from "./data.mjs";
import { ask, program, race, seconds, short, times, whole } from "./measure.mjs";

const CONNECTIONS = 16;
const GOAL = { rate: 3000, p99: 10 };
const PATIENTS = 1000;
const WARM = 6000; // messages before anything is measured

/** A FHIR server that knows nobody and takes everything. */
async function startReceiver(where) {
  const body = path.join(where, "nobody.json");
  writeFileSync(body, JSON.stringify({ resourceType: "Bundle", type: "searchset", total: 0 }));
  const port = await freePort();
  const started = await start(program("bench_upstream"), [`127.0.0.1:${port}`, body, "empty"], {
    ready: () => accepts(port),
  });
  return { ...started, port };
}

async function startGateway(postgres, receiver) {
  const port = await freePort();
  const sender = {
    address: "127.0.0.1",
    organization: "urn:oid:1.2.3",
    zone: "Europe/Berlin",
    assigners: { LAB: "urn:oid:1.2.3.4" },
  };
  const files = await gateways.configure(postgres, {
    workers: os.cpus().length,
    listeners: { lab: { protocol: "mllp", address: `127.0.0.1:${port}`, senders: [sender] } },
    destinations: {
      ehr: {
        protocol: "fhir",
        url: `http://127.0.0.1:${receiver.port}/fhir`,
        organization: "urn:oid:1.2.9",
      },
    },
    routes: [{ from: "lab", to: ["ehr"], purpose: "TREAT", mode: "shadow" }],
  });
  gateways.migrate(files);
  const ledger = gateways.freshLedger(postgres);
  const gateway = await gateways.serve(files);
  const stop = async () => {
    ledger.stop();
    await gateway.stop();
  };
  return { port, stop };
}

const delivered = (postgres) =>
  Number(postgres.sql("SELECT count(*) FROM outbox WHERE state = 3")[0][0]);
const waiting = (postgres) =>
  Number(postgres.sql("SELECT count(*) FROM outbox WHERE state <> 3")[0][0]);

/** All that was taken is delivered, and PostgreSQL has nothing of it left to write. */
async function settle(postgres) {
  await until("all deliveries", () => waiting(postgres) === 0, 120000);
  postgres.sql("CHECKPOINT");
}

async function send(set, ...options) {
  const before = delivered(set.postgres);
  const first = Date.now() * 1000;
  const at = `127.0.0.1:${set.gateway.port}`;
  const got = await ask(null, "bench_mllp_load", at, set.message, "-c", CONNECTIONS, "-i", first, ...options);
  if (got.errors) {
    throw new Error(`${got.errors} errors in ${got.count} messages`);
  }
  const meanwhile = (delivered(set.postgres) - before) / seconds;
  return { rate: got.per_second, p50: got.p50_us / 1000, p99: got.p99_us / 1000, meanwhile };
}

async function bare() {
  const got = await ask(null, "store_bench", "bare", seconds, CONNECTIONS);
  return { rate: got.exchanges_per_s, p50: got.p50_us / 1000, p99: got.p99_us / 1000 };
}

const text = (x) => `${whole(x.rate)}/s, p50 ${short(x.p50)} ms, p99 ${short(x.p99)} ms`;

async function measure(tell, set) {
  await send(set, "-n", WARM, "-d", 60, "-p", PATIENTS);
  const fresh = (turn) => async () => {
    await settle(set.postgres);
    return turn();
  };
  const got = await race({
    most: fresh(() => send(set, "-d", seconds, "-p", PATIENTS)),
    paced: fresh(() => send(set, "-d", seconds, "-p", PATIENTS, "-r", GOAL.rate)),
    bare: fresh(bare),
  });
  const { most, paced } = got;
  tell({
    row: "",
    what: `mapped, durable ACK, ${CONNECTIONS} conn., ${os.cpus().length} workers`,
    ours: text(most),
    yardstick: `bare libpq ${text(got.bare)}`,
    ratio: times(most.rate / got.bare.rate),
    goal: `≥ ${whole(GOAL.rate)}/s`,
    reached: most.rate >= GOAL.rate,
    measured: got,
  });
  tell({
    row: "",
    what: `    at ${whole(paced.rate)}/s, p99 of the ACK`,
    ours: `${short(paced.p99)} ms`,
    yardstick: `p50 ${short(paced.p50)} ms; delivered meanwhile ${whole(paced.meanwhile)}/s`,
    goal: `≤ ${GOAL.p99} ms`,
    reached: paced.p99 <= GOAL.p99 && paced.rate >= 0.99 * GOAL.rate,
  });
}

export async function mapped(tell) {
  const where = folder("bench-mapped");
  const postgres = await gateways.startPostgres();
  postgres.sql("CREATE DATABASE y3");
  process.env.PGURL = postgres.url.replace(/[^/]*$/, "y3");
  const message = path.join(where, "oru.hl7");
  writeFileSync(message, oru());
  const receiver = await startReceiver(where);
  const gateway = await startGateway(postgres, receiver);
  try {
    await measure(tell, { postgres, gateway, message });
  } finally {
    await gateway.stop();
    await receiver.stop();
    postgres.stop();
  }
}
