// ConsentBatchRegistry on a real chain, with trees, leaves and signatures made without any code
// of ours: what it says of every grant of a batch, who may do what, and what it costs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Wallet, ZeroHash, getBytes, hexlify, randomBytes } from "ethers";

import {
  OPEN_END,
  account,
  contract,
  deploy,
  mined as minedOnce,
  refused,
  sign,
  startChain,
  typedDigest,
} from "./lib/chain.mjs";
import { gasOf } from "./lib/gas.mjs";
import * as tree from "./lib/tree.mjs";

const DAY = 86400;
const BATCH = 256;
const gas = gasOf("batches");

let chain;
let admin, relayer, attestor, pauser, stranger;
let batches, controller;

const now = async () => (await chain.provider.getBlock("latest")).timestamp;
const random32 = () => hexlify(randomBytes(32));

async function mined(sent, what) {
  const receipt = await minedOnce(sent);
  if (what) {
    gas.used(what, Number(receipt.gasUsed));
  }
  return receipt;
}

before(async () => {
  chain = await startChain();
  [admin, relayer, attestor, pauser, stranger] = [0, 1, 2, 3, 4].map((i) =>
    account(i, chain.provider),
  );
  batches = await deploy(admin, "ConsentBatchRegistry", 0, admin.address, relayer.address);
  await mined(batches.grantRole(await batches.ATTESTOR_ROLE(), attestor.address));
  await mined(batches.grantRole(await batches.PAUSER_ROLE(), pauser.address));
  batches = batches.connect(relayer);
  controller = Wallet.createRandom();
});

after(() => chain.stop());

async function grantOf(fields = {}) {
  const at = await now();
  return {
    consentId: random32(),
    commitment: random32(),
    controller: controller.address,
    version: 1,
    validFrom: at - (at % DAY),
    validUntil: OPEN_END,
    deadline: at + 3600,
    ...fields,
  };
}

const grantSig = (g, wallet = controller) => sign(wallet, batches, "grant", g);
const revokeSig = (consentId, version, wallet = controller) =>
  sign(wallet, batches, "revoke", { consentId, version });
const leafOf = async (g) => tree.leaf(getBytes(await typedDigest(batches, "grant", g)));

/** Record @grants in a batch filled up to @size with leaves of nobody; the place of each. */
async function batched(grants, { size = grants.length, what } = {}) {
  const leaves = [];
  for (const g of grants) {
    leaves.push(await leafOf(g));
  }
  while (leaves.length < size) {
    leaves.push(randomBytes(32));
  }
  const root = hexlify(tree.root(leaves.map((leaf) => Buffer.from(leaf))));
  const receipt = await mined(batches.grantBatch(root, size), what);
  const places = grants.map((_, index) => ({
    root,
    index,
    path: tree.inclusion(index, leaves).map((hash) => hexlify(hash)),
  }));
  return { root, receipt, places };
}

const active = async (g, place, wallet) =>
  batches.isActive(g, await grantSig(g, wallet), place);

describe("a batch", () => {
  test("of 256: each of its grants is in force, by its own path alone", async () => {
    const grants = await Promise.all(Array.from({ length: BATCH }, () => grantOf()));
    const { root, receipt, places } = await batched(grants);
    gas.used("grant, each of 256", Math.ceil(Number(receipt.gasUsed) / BATCH));
    assert.deepEqual(
      [...batches.interface.parseLog(receipt.logs[0]).args],
      [root, BigInt(BATCH)],
    );
    const { time, size } = await batches.batchOf(root);
    assert.deepEqual([time, size], [BigInt(await now()), BigInt(BATCH)]);
    for (const i of [0, 1, 2, 127, 128, 200, 254, 255]) {
      assert.equal(await batches.leafOf(grants[i]), hexlify(await leafOf(grants[i])));
      assert.equal(await active(grants[i], places[i]), true, `grant ${i}`);
      assert.equal(await active(grants[i], places[i ^ 1]), false, `grant ${i}, another's path`);
      assert.equal(await active(grants[i], places[i], stranger), false, "another's signature");
    }
  });

  test("of any size, padded or not", async () => {
    for (const [n, size] of [
      [1, 1],
      [1, 2],
      [3, 3],
      [5, 7],
      [2, 256],
    ]) {
      const grants = await Promise.all(Array.from({ length: n }, () => grantOf()));
      const { places } = await batched(grants, { size });
      for (let i = 0; i < n; i++) {
        assert.equal(await active(grants[i], places[i]), true, `${i} of ${size}`);
      }
    }
  });

  test("costs the same however many it holds", async () => {
    await batched([await grantOf()], { what: "batch of 1" });
    await batched([await grantOf()], { size: BATCH, what: "batch of 256" });
  });

  test("is recorded once, and has leaves and a root", async () => {
    const { root } = await batched([await grantOf()]);
    await refused(batches.grantBatch, [root, 1], "AlreadyBatched", [root]);
    await refused(batches.grantBatch, [root, 2], "AlreadyBatched", [root]);
    await refused(batches.grantBatch, [random32(), 0], "BadBatch");
    await refused(batches.grantBatch, [ZeroHash, 1], "BadBatch");
  });
});

describe("what has ended", () => {
  test("a revocation needs neither batch nor relayer, and no later batch undoes it", async () => {
    const g = await grantOf();
    const sig = await revokeSig(g.consentId, 1);
    const receipt = await mined(
      batches.connect(stranger).revoke(g.consentId, g.controller, 1, sig),
      "revoke by the controller, relayed",
    );
    assert.deepEqual(
      [...batches.interface.parseLog(receipt.logs[0]).args],
      [g.consentId, g.controller, 1n, 0n],
    );
    const { places } = await batched([g]);
    assert.equal(await active(g, places[0]), false);
    await refused(batches.revoke, [g.consentId, g.controller, 1, sig], "AlreadyRevoked");
  });

  test("the controller's own, later grant opens it again", async () => {
    const g = await grantOf();
    const again = { ...g, version: 2, commitment: random32() };
    const { places } = await batched([g, again]);
    const sig = await revokeSig(g.consentId, 1);
    await mined(batches.revoke(g.consentId, g.controller, 1, sig));
    assert.equal(await active(g, places[0]), false);
    assert.equal(await active(again, places[1]), true);
    const second = await revokeSig(g.consentId, 2);
    await mined(batches.revoke(g.consentId, g.controller, 2, second), "revoke again");
    assert.equal(await active(again, places[1]), false);
  });

  test("a later grant ends the one before", async () => {
    const g = await grantOf();
    const next = { ...g, version: 2, commitment: random32() };
    const { places } = await batched([g, next]);
    const receipt = await mined(
      batches.connect(stranger).supersede(next, await grantSig(next)),
      "supersede, first",
    );
    assert.deepEqual(
      [...batches.interface.parseLog(receipt.logs[0]).args],
      [g.consentId, g.controller, 2n],
    );
    assert.equal(await active(g, places[0]), false);
    assert.equal(await active(next, places[1]), true);
    await refused(batches.supersede, [next, await grantSig(next)], "WrongVersion", [
      g.consentId,
      3n,
      2n,
    ]);
    await refused(batches.supersede, [g, await grantSig(g)], "WrongVersion");
    const third = { ...g, version: 3 };
    await refused(batches.supersede, [third, await grantSig(third, stranger)], "BadSignature");
    await mined(batches.supersede(third, await grantSig(third)), "supersede, again");
    const late = { ...g, version: 4, deadline: 1 };
    await refused(batches.supersede, [late, await grantSig(late)], "DeadlinePassed");
  });

  test("another key's revocation of the same id ends nothing", async () => {
    const g = await grantOf();
    const { places } = await batched([g]);
    const sig = await revokeSig(g.consentId, 1, stranger);
    await refused(batches.revoke, [g.consentId, g.controller, 1, sig], "BadSignature");
    await mined(batches.revoke(g.consentId, stranger.address, 1, sig));
    assert.equal(await active(g, places[0]), true);
  });

  test("paused: no batch, but every way to end one", async () => {
    const [a, b, c, d] = await Promise.all(Array.from({ length: 4 }, () => grantOf()));
    const { places } = await batched([a, b, c, d]);
    const next = { ...d, version: 2 };
    await mined(batches.connect(pauser).pause());
    await refused(batches.grantBatch, [random32(), 1], "EnforcedPause");
    await mined(batches.revoke(a.consentId, a.controller, 1, await revokeSig(a.consentId, 1)));
    const list = [[b.consentId], [b.controller], [1], [await revokeSig(b.consentId, 1)]];
    await mined(batches.revokeBatch(...list));
    await mined(
      batches.connect(attestor).revokeByAttestor(c.consentId, c.controller, 1),
      "revoke by an attestor",
    );
    await mined(batches.supersede(next, await grantSig(next)));
    await mined(batches.connect(pauser).unpause());
    for (const [i, g] of [a, b, c, d].entries()) {
      assert.equal(await active(g, places[i]), false);
    }
  });
});

describe("who may do what", () => {
  test("role matrix: each setter is for its role, no role gives another's rights", async () => {
    const who = { admin, relayer, attestor, pauser, stranger };
    const role = await batches.PAUSER_ROLE();
    const matrix = [
      ["grantBatch", [random32(), 1], ["relayer"]],
      ["revokeByAttestor", [random32(), stranger.address, 1], ["attestor"]],
      ["pause", [], ["pauser"]],
      ["grantRole", [role, stranger.address], ["admin"]],
      ["revokeRole", [role, pauser.address], ["admin"]],
      ["beginDefaultAdminTransfer", [stranger.address], ["admin"]],
      ["cancelDefaultAdminTransfer", [], ["admin"]],
      ["changeDefaultAdminDelay", [5], ["admin"]],
      ["rollbackDefaultAdminDelay", [], ["admin"]],
    ];
    for (const [method, args, allowed] of matrix) {
      for (const [name, signer] of Object.entries(who)) {
        const call = batches.connect(signer)[method];
        if (allowed.includes(name)) {
          await call.staticCall(...args);
        } else {
          await refused(call, args, "AccessControlUnauthorizedAccount");
        }
      }
    }
    await refused(batches.connect(pauser).unpause, [], "ExpectedPause");
    await refused(batches.connect(stranger).unpause, [], "AccessControlUnauthorizedAccount");
    // Nothing else changes state: a new function has to be entered here.
    const open = ["acceptDefaultAdminTransfer", "renounceRole", "unpause"]; // own checks
    const signed = ["revoke", "revokeBatch", "supersede"]; // by signature, tested above
    const setters = batches.interface.fragments
      .filter((f) => f.type === "function" && !["view", "pure"].includes(f.stateMutability))
      .map((f) => f.name);
    assert.deepEqual(setters.sort(), [...matrix.map((m) => m[0]), ...open, ...signed].sort());
  });

  test("its mappings stand where ConsentRegistry has none, and the other way round", () => {
    const slotsOf = (name) =>
      contract(name)
        .storageLayout.storage.filter((s) => s.type.startsWith("t_mapping"))
        .map((s) => s.slot);
    const [roles, ...own] = slotsOf("ConsentBatchRegistry");
    const [sameRoles, ...others] = slotsOf("ConsentRegistry");
    assert.equal(roles, sameRoles);
    assert.deepEqual(own.filter((slot) => others.includes(slot)), []);
  });
});

// Last, when all the others have told what they used.
gas.tests();
