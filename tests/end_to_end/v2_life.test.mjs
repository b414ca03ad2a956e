// A gateway's life under HL7 v2 traffic: reload, drain, a killed worker, two nodes, and what
// check-config refuses.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import path from "node:path";
import { after, before, test } from "node:test";

import { checkLogged, checkReceiver } from "./lib/crash_check.mjs";
import { secret, serve } from "./lib/gateway.mjs";
import { children, killHard, reloaded } from "./lib/killer.mjs";
import { load } from "./lib/load.mjs";
import { sleep, top, until } from "./lib/process.mjs";
import { startSite } from "./lib/site.mjs";
import { acked, connect, oru, send } from "./lib/v2.mjs";

const program = process.env.CHARTSEAL ?? path.join(top, "build/chartseal");
const sent = [];
let site;

before(async () => {
  site = await startSite();
});

after(() => site?.stop());

/** @n messages over four lanes, remembered for the last test. */
function messages(n) {
  const made = Array.from({ length: n }, () => {
    const i = sent.length;
    const id = `L${i}`;
    const patient = `LP${i % 12}`;
    const message = { id, patient, lane: i % 4, text: oru(id, { patient }) };
    sent.push(message);
    return message;
  });
  return made;
}

const traffic = (n, rate, port = () => site.port) => load(port, messages(n), { rate, lanes: 4 });

test("a good configuration is taken over on SIGHUP without losing a message", async () => {
  const running = traffic(60, 20);
  await sleep(500);
  site.files.write({ ...site.files.config, gateway: "renamed" });
  const change = reloaded(site.gateway);
  const told = await running;
  await change;
  assert.equal(told.AE + told.AR + told.other, 0);
  await traffic(4, 20);
  assert.equal(site.records().findLast((one) => one.interaction === "v2.receive").gateway, "renamed");
});

test("a bad configuration is refused on SIGHUP, the old one stays", async () => {
  const before = children(site.gateway.pid);
  site.files.write({ ...site.files.config, workers: "many" });
  site.gateway.hup();
  await until("the refusal", () => site.gateway.output().includes("reload refused"));
  assert.match(site.gateway.output(), /chartseal\.yaml:\d+: workers: /);
  assert.deepEqual(children(site.gateway.pid), before);
  assert.equal((await traffic(4, 20)).AA, 4);
  site.files.write(site.files.config);
});

test("a killed worker is started again", async () => {
  const [, victim] = children(site.gateway.pid);
  assert.ok(killHard(victim));
  await until("four children", () => {
    const now = children(site.gateway.pid);
    return now.length === 4 && !now.includes(victim);
  });
  await until("readiness", async () => (await site.gateway.metric("chartseal_ready")) === 4);
  assert.equal((await traffic(8, 40)).AA, 8);
});

test("SIGTERM under load drains: what was acknowledged is delivered after the next start", async () => {
  const running = traffic(80, 40);
  await sleep(700);
  const status = await site.gateway.stop();
  assert.equal(status, 0, "it ends by itself");
  site.gateway = await serve(site.files);
  const told = await running;
  assert.equal(told.AA, 80);
});

test("two nodes on one database share the work", async () => {
  const { port, gateway: second } = await site.secondNode();
  try {
    let turn = 0;
    await traffic(60, 30, () => (turn++ % 2 ? port : site.port));
    await site.quiet();
    const [[leaders]] = site.postgres.sql(
      "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7237005",
    );
    assert.equal(leaders, "1", "one notary leads");
    const gateways = new Set(site.records().map(({ gateway }) => gateway));
    assert.ok(gateways.has("second") && gateways.has("gateway"));
    await second.stop();
    await traffic(8, 40);
  } finally {
    await second.stop();
  }
});

test("after all that every message is there once, and the log is whole", async () => {
  await site.quiet();
  await until("the tree to hold all", () => {
    const [[a, b, c]] = site.postgres.sql(
      "SELECT (SELECT count(*) FROM record), (SELECT size FROM tree_head), (SELECT max(size) FROM checkpoint)",
    );
    return a === b && b === c;
  });
  console.log(checkReceiver(site, sent));
  console.log(checkLogged(site, sent));
});

test("the database stopped: nothing is acknowledged, nothing lost, it resumes by itself", async () => {
  const connection = connect(site.port, { seconds: 30 });
  site.postgres.stop();
  try {
    const code = await connection.ask(oru("DB1")).then(
      (answer) => acked(answer).code,
      () => "closed",
    );
    assert.ok(["AR", "closed"].includes(code), code);
    assert.equal((await site.gateway.health()).status, "fail");
  } finally {
    connection.end();
    site.postgres.start();
  }
  await until(
    "an AA",
    async () => acked(await send(site.port, oru("DB1"))).code === "AA",
    30,
  );
  await until("its delivery", () => site.receiver.received().some(({ id }) => id === "DB1"));
});

test("as process 1, which it is in a container, it serves", async (t) => {
  const container = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"];
  if (spawnSync(container[0], [...container.slice(1), "true"]).status !== 0) {
    t.skip("this machine gives no namespaces");
    return;
  }
  await site.gateway.stop();
  site.gateway = await serve(site.files, { under: container });
  assert.equal(acked(await send(site.port, oru("PID1"))).code, "AA");
  site.gateway.kill();
  await site.gateway.exited;
  site.gateway = await serve(site.files);
});

test("check-config refuses with file, line and what to do", () => {
  const good = site.files.config;
  const placeholder = secret(path.join(site.files.where, "changed.key"), "changeme\n");
  const cases = [
    [{ ...good, tenent: "x" }, /:\d+: unknown key "tenent"; did you mean "tenant"\?/],
    [{ ...good, workers: "many" }, /:\d+: workers: /],
    [{ ...good, keys: { ...good.keys, root: placeholder } }, /:\d+: keys\.root: .*placeholder/],
    [{ ...good, database: { url_file: "/nowhere/url" } }, /:\d+: database\.url_file: /],
    [{ ...good, keys: { root: good.keys.root } }, /:\d+: keys\.checkpoint: is missing/],
    [{ ...good, routes: [{ ...good.routes[0], to: ["nobody"] }] }, /:\d+: .*nobody/],
    [{ ...good, routes: [{ ...good.routes[0], purpose: "FUN" }] }, /:\d+: .*purpose/],
  ];
  for (const [config, expected] of cases) {
    site.files.write(config);
    const { status, stderr } = spawnSync(program, ["check-config", site.files.file], {
      encoding: "utf8",
    });
    assert.notEqual(status, 0);
    assert.match(stderr, expected);
  }
  site.files.write(good);
  execFileSync(program, ["check-config", site.files.file]);
});
