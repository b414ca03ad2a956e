// chartseal anchor deploy: the dry run tells what is then sent, and what it costs at most; nothing
// is sent to another chain, nor by an account that can't pay all of it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";

import { id } from "ethers";

import { account, at, keystore, startChain } from "./lib/chain.mjs";
import { program } from "./lib/gateway.mjs";
import { folder } from "./lib/parts.mjs";

const ORIGIN = "log.example/deploy";
const [OWNER, RELAYER, OPERATOR, POOR] = [0, 1, 2, 3];

let chain, where;

before(async () => {
  where = folder("deploy");
  chain = await startChain();
});

after(() => chain?.stop());

function deploy(who, ...more) {
  const { keystore: file, password } = keystore(who, where);
  const args = ["anchor", "deploy", "--endpoint", chain.url, "--keystore", file];
  args.push("--password", password, "--origin", ORIGIN, "--json");
  args.push("--relayer", account(RELAYER).address, "--operator", account(OPERATOR).address);
  const done = spawnSync(program, [...args, ...more], { encoding: "utf8" });
  return { ...done, told: done.stdout && JSON.parse(done.stdout) };
}

const sent = (who) => chain.provider.getTransactionCount(account(who).address);

test("the dry run sends nothing; what it told is what is sent, for no more than it said", async () => {
  const dry = deploy(OWNER, "--dry-run");
  assert.equal(dry.status, 0, dry.stderr);
  assert.match(dry.stderr, /nothing was sent/);
  assert.match(dry.stderr, /^5\. register the log, calling 0x/m);
  assert.equal(await sent(OWNER), 0);

  const first = (await chain.provider.getBlockNumber()) + 1;
  const real = deploy(OWNER);
  assert.equal(real.status, 0, real.stderr);
  const { transactions: plan, ...addresses } = dry.told;
  assert.equal(await sent(OWNER), plan.length);
  assert.deepEqual(
    [real.told.consent, real.told.anchor],
    [addresses.consent, addresses.anchor],
  );
  let cost = 0n;
  for (const [i, step] of plan.entries()) {
    const { transactions } = await chain.provider.getBlock(first + i);
    const sentOne = await chain.provider.getTransaction(transactions[0]);
    const receipt = await chain.provider.getTransactionReceipt(transactions[0]);
    assert.equal(receipt.contractAddress ?? sentOne.to, step.creates ?? step.calls);
    assert.equal(sentOne.data.length, 2 + 2 * step.bytes);
    assert.ok(receipt.gasUsed <= BigInt(step.gas), `${step.what}: ${receipt.gasUsed}`);
    assert.ok(receipt.fee <= BigInt(step.cost_wei), `${step.what}: ${receipt.fee} wei`);
    cost += BigInt(step.cost_wei);
  }
  assert.equal(BigInt(addresses.cost_wei), cost);
});

test("roles and log are as named", async () => {
  const { told } = deploy(OWNER);
  const registry = at(told.consent, "ConsentRegistry", chain.provider);
  const anchor = at(told.anchor, "AuditAnchor", chain.provider);
  const [owner, relayer, operator] = [OWNER, RELAYER, OPERATOR].map((i) => account(i).address);
  assert.ok(await registry.hasRole(await registry.GRANT_RELAYER_ROLE(), relayer));
  assert.ok(await registry.hasRole(await registry.ATTESTOR_ROLE(), relayer));
  assert.ok(await registry.hasRole(await registry.PAUSER_ROLE(), owner));
  assert.equal(await registry.defaultAdmin(), owner);
  assert.equal(await anchor.operatorOf(id(ORIGIN)), operator);
});

test("a signer elsewhere signs, if it has the account", async () => {
  const args = (who) => [
    ...["anchor", "deploy", "--endpoint", chain.url, "--origin", ORIGIN, "--json"],
    ...["--signer", chain.url, "--address", who],
  ];
  const before = await sent(OPERATOR);
  const done = spawnSync(program, args(account(OPERATOR).address), { encoding: "utf8" });
  assert.equal(done.status, 0, done.stderr);
  assert.equal(await sent(OPERATOR), before + 5);
  const registry = at(JSON.parse(done.stdout).consent, "ConsentRegistry", chain.provider);
  assert.equal(await registry.defaultAdmin(), account(OPERATOR).address);

  const stranger = `0x${"aa".repeat(20)}`;
  await chain.rpc("anvil_setBalance", stranger, "0xde0b6b3a7640000");
  const refused = spawnSync(program, args(stranger), { encoding: "utf8" });
  assert.equal(refused.status, 69);
  assert.match(refused.stderr, /signer/);
});

test("a chain that isn't the one named is refused", async () => {
  const before = await sent(OWNER);
  for (const name of ["sepolia", "hoodi", "mainnet", "5"]) {
    const { status, stderr } = deploy(OWNER, "--chain", name);
    assert.equal(status, 69);
    assert.match(stderr, /the endpoint is of chain: 31337, not/);
  }
  assert.equal(deploy(OWNER, "--chain", "elsewhere").status, 64);
  assert.equal(deploy(OWNER, "--chain", "31337", "--dry-run").status, 0);
  assert.equal(await sent(OWNER), before);
});

test("an account that can't pay all of it begins nothing", async () => {
  await chain.rpc("anvil_setBalance", account(POOR).address, "0x38d7ea4c68000"); // 0.001 ether
  const dry = deploy(POOR, "--dry-run");
  assert.equal(dry.status, 0);
  assert.match(dry.stderr, /too little/);
  const { status, stderr } = deploy(POOR);
  assert.equal(status, 69);
  assert.match(stderr, /can't pay all of it/);
  assert.equal(await sent(POOR), 0);
});
