// Two nodes with three workers each on one database. The one whose notary leads is killed as a
// whole in the middle of HL7 v2 traffic: the other takes over, and nothing is lost or doubled.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";

import { checkFhir, checkLogged, checkReceiver } from "./lib/crash_check.mjs";
import { children, killNode } from "./lib/killer.mjs";
import { load } from "./lib/load.mjs";
import { sleep, until } from "./lib/process.mjs";
import { startSite } from "./lib/site.mjs";
import { oru } from "./lib/v2.mjs";

const MESSAGES = 240;
const RATE = 60;
const LANES = 8;
const LEADER = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 7237005 AND granted";

let site, second;

before(async () => {
  site = await startSite();
  await until("the first node to lead", () => site.postgres.sql(LEADER).length === 1);
  second = await site.secondNode();
});

after(async () => {
  await second?.gateway.stop();
  await site?.stop();
});

const epoch = () => Number(site.postgres.sql("SELECT value FROM notary_epoch")[0][0]);

/** Every checkpoint that anybody could see during test @t: by size, as it was first seen. */
function watchHeads(t) {
  const seen = new Map();
  const changed = [];
  const look = () => {
    for (const [size, note] of site.postgres.sql("SELECT size, md5(note) FROM checkpoint")) {
      const before = seen.get(size);
      if (before === undefined) {
        seen.set(size, note);
      } else if (before !== note) {
        changed.push(size);
      }
    }
    return { count: seen.size, changed };
  };
  const timer = setInterval(look, 100);
  t.after(() => clearInterval(timer));
  return look;
}

test("a node killed under load: the other one takes over, all is there once", async (t) => {
  const messages = Array.from({ length: MESSAGES }, (_, i) => {
    const patient = `N${i % LANES}-${i % 24}`; // of one lane, so that its messages have an order
    return {
      id: `N${i}`,
      lane: i % LANES,
      patient,
      value: "5.10",
      filler: `FN${i}`,
      text: oru(`N${i}`, { patient }),
    };
  });
  assert.equal(children(site.gateway.pid).length, 4, "three workers and a notary");
  assert.equal(children(second.gateway.pid).length, 4);
  const [[leader]] = site.postgres.sql(LEADER);
  const before = epoch();
  const heads = watchHeads(t);

  let alive = [site.port, second.port];
  let turn = 0;
  const port = () => alive[turn++ % alive.length];
  const running = load(port, messages, { rate: RATE, lanes: LANES });
  const received = () => site.records().filter((one) => one.interaction === "v2.receive");
  await until("traffic through both", () => {
    const gateways = received().map(({ gateway }) => gateway);
    return ["gateway", "second"].every((name) => gateways.includes(name));
  });
  // What has been sent waits for its record now, so that every connection has one in flight.
  const lock = await site.postgres.uncommitted("SELECT pg_advisory_xact_lock(7237001)");
  await lock.waits();
  await sleep(500);
  const killed = killNode(site.gateway.pid);
  alive = [second.port];
  await site.gateway.exited;
  await until("the whole node to be gone", () => !killed.some((pid) => existsSync(`/proc/${pid}`)));
  const atKill = received().length;
  assert.ok(atKill > 0 && atKill < MESSAGES - LANES, `${atKill} received, in the middle`);
  await lock.commit(); // what the killed node had sent to the database may be recorded now

  const told = await running;
  assert.equal(told.AA, MESSAGES);
  assert.equal(told.AE + told.AR + told.other, 0);
  assert.ok(told.lost > 0, "messages were in flight at the killed node");
  await until("another leader", () => {
    const now = site.postgres.sql(LEADER);
    return now.length === 1 && now[0][0] !== leader && epoch() === before + 1;
  });
  await site.quiet(90);
  await until("the tree to hold all", () => {
    const [[a, b, c]] = site.postgres.sql(
      "SELECT (SELECT count(*) FROM record), (SELECT size FROM tree_head), (SELECT max(size) FROM checkpoint)",
    );
    return a === b && b === c;
  });
  for (const check of [checkReceiver, checkFhir, checkLogged]) {
    console.log(await check(site, messages));
  }
  const { count, changed } = heads();
  assert.ok(count > 2, `${count} heads seen`);
  assert.deepEqual(changed, [], "two heads of one size");
});
