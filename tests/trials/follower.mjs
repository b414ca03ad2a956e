#!/usr/bin/env node
// The follower trial. A chain with random grants, revocations, rotations and reorganisations is
// read through three nodes of which one, sometimes two, lie, stall or go back. After each round,
// with one node still at fault, what the gateway keeps is what a second reader makes of the
// chain; a revocation that was seen stays in force, and nothing rests on a block that is gone.
// Then a gateway reads 1,000,000 events from scratch, from a server of this file: anvil can't
// make so many in reasonable time.
//
//   docker/node tests/trials/follower.mjs              300 rounds; 1,000,000 events
//   docker/node tests/trials/follower.mjs --short      12 rounds; 20,000 events
//   … --rounds N --events N --seed N
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { parseArgs } from "node:util";

import { ChainReader } from "../end_to_end/lib/chain_reader.mjs";
import { account, deployAll, startChain } from "../end_to_end/lib/chain.mjs";
import { chainWalk } from "../end_to_end/lib/chain_walk.mjs";
import { faultNames, startFaultyNode } from "../end_to_end/lib/faulty_node.mjs";
import { randomFrom } from "../end_to_end/lib/killer.mjs";
import { sleep, until } from "../end_to_end/lib/process.mjs";
import { startSite } from "../end_to_end/lib/site.mjs";
import { startManyLogs } from "../end_to_end/lib/many_logs.mjs";

const NODES = 3;
const CONFIRMATIONS = 2;

const { values: given } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    rounds: { type: "string" },
    events: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 1e6) },
  },
});
const fraction = randomFrom(Number(given.seed));
const random = (n) => Math.floor(fraction() * n);

/** A gateway that follows @consent at @endpoints. */
const follow = (endpoints, { consent, anchor, deployed = 0 }) =>
  startSite({
    fresh: false,
    config: {
      workers: 1,
      ledger: {
        endpoints,
        chain_id: 31337,
        consent,
        anchor,
        deployed_block: deployed,
        confirmations: CONFIRMATIONS,
        poll: "50ms",
        max_staleness: "10m",
      },
    },
  });

/** Faults for this round: mostly one node's, sometimes two different ones. */
function faultyNodes(nodes) {
  const kinds = [...faultNames];
  const take = (list) => list.splice(random(list.length), 1)[0];
  const left = [...nodes];
  const count = [0, 1, 1, 1, 1, 2, 2][random(7)];
  for (let i = 0; i < count; i++) {
    take(left).become(take(kinds));
  }
  return nodes.filter((node) => node.fault !== "none");
}

async function faults() {
  const rounds = Number(given.rounds ?? (given.short ? 12 : 300));
  console.log(`follower trial: ${rounds} rounds, seed ${given.seed}`);
  const chain = await startChain();
  const deployed = await chain.provider.getBlockNumber();
  const { registry, anchor } = await deployAll(account(0, chain.provider));
  const nodes = [];
  for (let i = 0; i < NODES; i++) {
    nodes.push(await startFaultyNode(chain.url, random));
  }
  const site = await follow(
    nodes.map((node) => node.url),
    { consent: await registry.getAddress(), anchor: await anchor.getAddress(), deployed },
  );
  const reader = new ChainReader(chain, registry, { from: deployed, confirmations: CONFIRMATIONS });
  const walk = await chainWalk(chain, registry, random);
  await chain.mine(10); // no reorganisation takes the contracts
  const told = {};
  let longest = 0;
  try {
    for (let round = 1; round <= rounds; round++) {
      const faulty = faultyNodes(nodes);
      faulty.forEach(({ fault }) => (told[fault] = (told[fault] ?? 0) + 1));
      for (let i = random(4); i >= 0; i--) {
        await walk.step();
        await reader.see();
        reader.sample(site.postgres);
        await sleep(random(200));
      }
      faulty.slice(1).forEach((node) => node.become("none"));
      const names = faulty.map(({ fault }) => fault);
      const since = Date.now();
      await until(`round ${round} (${names}) to be followed`, () => arrived(site, chain), 120);
      longest = Math.max(longest, Date.now() - since);
      await reader.compare(site.postgres, round);
      nodes.forEach((node) => node.become("none"));
    }
    const { done, reorgs, deepest } = walk;
    console.log(`  events sent ${JSON.stringify(done)}, ${reorgs} reorganisations, up to ${deepest} blocks`);
    console.log(`  nodes at fault ${JSON.stringify(told)}`);
    console.log(`  ${reader.told()}`);
    console.log(`  at the head at most ${(longest / 1000).toFixed(1)} s after the last change`);
    assert.ok(reorgs > 0 && reader.compared > 0);
  } catch (error) {
    console.log(site.gateway.output().slice(-4000));
    throw error;
  } finally {
    await site.stop();
    await Promise.all(nodes.map((node) => node.stop()));
    await chain.stop();
  }
}

/** Has the gateway come to the chain's head? */
async function arrived(site, chain) {
  const { number, hash } = await chain.provider.getBlock("latest");
  const [[at, its] = []] = site.postgres.sql(
    "SELECT number, '0x' || encode(hash, 'hex') FROM chain_cursor",
  );
  return Number(at) === number && its === hash;
}

/** The most memory that a child of process @parent ever had. */
function largestMiB(parent) {
  const status = (pid) => {
    try {
      return readFileSync(`/proc/${pid}/status`, "utf8");
    } catch {
      return ""; // it has ended
    }
  };
  const most = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(status)
    .filter((text) => text.includes(`\nPPid:\t${parent}\n`))
    .map((text) => Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0));
  return (Math.max(...most) / 1024).toFixed(0);
}

async function bootstrap() {
  const events = Number(given.events ?? (given.short ? 20000 : 1000000));
  const logs = await startManyLogs(events);
  const site = await follow([logs.url], logs);
  try {
    const kept = () => Number(site.postgres.sql("SELECT number FROM chain_cursor")[0]?.[0] ?? 0);
    await until("the head", () => kept() === logs.head, 3600);
    const seconds = (Date.now() - logs.began()) / 1000;
    const [[rows, revoked, safe]] = site.postgres.sql(
      `SELECT count(*), count(*) FILTER (WHERE revoked), count(*) FILTER (WHERE safe)
       FROM consent_chain`,
    );
    console.log(
      `  ${events} events read from scratch in ${seconds.toFixed(1)} s, from a server of this trial:`,
      `${(events / seconds).toFixed(0)}/s; ${rows} consents, ${revoked} revoked;`,
      `largest process ${largestMiB(site.gateway.pid)} MiB`,
    );
    assert.deepEqual(
      [rows, revoked, safe].map(Number),
      [logs.consents, logs.revoked, logs.consents],
    );
    logs.check(site.postgres);
  } finally {
    await site.stop();
    await logs.stop();
  }
}

if (Number(given.rounds ?? 1) > 0) {
  await faults();
}
await bootstrap();
