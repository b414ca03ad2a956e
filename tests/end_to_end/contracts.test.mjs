// ConsentRegistry and AuditAnchor on a real chain: every rule they state, every role, every
// refusal, and what each transaction costs.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, test } from "node:test";

import { p256 } from "@noble/curves/p256";
import {
  AbiCoder,
  Interface,
  Wallet,
  ZeroHash,
  hexlify,
  id,
  keccak256,
  randomBytes,
} from "ethers";

import { compile } from "../../anchor/contracts/compile.mjs";
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
import { contractWallet } from "./lib/contract_wallet.mjs";
import { gasOf } from "./lib/gas.mjs";
import { top } from "./lib/process.mjs";
import * as tree from "./lib/tree.mjs";

const REVOKED = 0x8000;
const DAY = 86400;
const coder = AbiCoder.defaultAbiCoder();
const gas = gasOf("contracts");

let chain;
let admin, relayer, attestor, pauser, operator, stranger;

before(async () => {
  chain = await startChain();
  [admin, relayer, attestor, pauser, operator, stranger] = [0, 1, 2, 3, 4, 5].map((i) =>
    account(i, chain.provider),
  );
});

after(() => chain.stop());

/** Wait for transaction @sent; its receipt. With @what its gas is compared at the end. */
async function mined(sent, what) {
  const receipt = await minedOnce(sent);
  if (what) {
    gas.used(what, Number(receipt.gasUsed));
  }
  return receipt;
}

const now = async () => (await chain.provider.getBlock("latest")).timestamp;
const random32 = () => hexlify(randomBytes(32));

describe("generated files", () => {
  test("are what the sources compile to", () => {
    execFileSync(`${top}/docker/node`, [`${top}/anchor/contracts/compile.mjs`, "--check"]);
  });
  test("the vectors are what ethers makes", () => {
    execFileSync(`${top}/docker/node`, [`${top}/tests/vectors/ethereum/make.mjs`, "--check"]);
  });
  test("no contract has a proxy, delegates or can destroy itself", () => {
    for (const name of ["ConsentRegistry", "ConsentBatchRegistry", "AuditAnchor"]) {
      const code = contract(name).evm.bytecode.object;
      for (const [op, text] of opcodes(code)) {
        assert.ok(![0xf2, 0xf4, 0xff].includes(op), `${name} has ${text}`);
      }
    }
  });
});

/** What reads as an opcode in @code, constants between the code included, PUSHed data not. */
function* opcodes(code) {
  const bytes = Buffer.from(code, "hex");
  for (let i = 0; i < bytes.length; i++) {
    const op = bytes[i];
    yield [op, `opcode 0x${op.toString(16)} at ${i}`];
    if (op >= 0x60 && op <= 0x7f) {
      i += op - 0x5f;
    }
  }
}

describe("ConsentRegistry", () => {
  let registry, controller;

  before(async () => {
    registry = await deploy(admin, "ConsentRegistry", 0, admin.address, relayer.address);
    await mined(registry.grantRole(await registry.ATTESTOR_ROLE(), attestor.address));
    await mined(registry.grantRole(await registry.PAUSER_ROLE(), pauser.address));
    registry = registry.connect(relayer);
    controller = Wallet.createRandom();
  });

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

  const grantSig = (g, wallet = controller) => sign(wallet, registry, "grant", g);
  const revokeSig = (consentId, version, wallet = controller) =>
    sign(wallet, registry, "revoke", { consentId, version });
  const rotateSig = (fields, wallet = controller) => sign(wallet, registry, "rotate", fields);

  async function granted(fields, what) {
    const g = await grantOf(fields);
    await mined(registry.grant(g, await grantSig(g)), what);
    return g;
  }

  test("a grant is recorded as signed, and told by an event", async () => {
    const g = await grantOf();
    const receipt = await mined(registry.grant(g, await grantSig(g)), "grant, first");
    const record = await registry.statusOf(g.consentId);
    assert.deepEqual(
      [...record],
      [g.controller, BigInt(g.validFrom), BigInt(g.validUntil), 1n, g.commitment],
    );
    assert.deepEqual(
      [...registry.interface.parseLog(receipt.logs[0]).args],
      [g.consentId, 1n, g.commitment, g.controller, BigInt(g.validFrom), BigInt(g.validUntil)],
    );
    assert.equal(await registry.isActive(g.consentId, g.commitment), true);
    assert.equal(await registry.isActive(g.consentId, random32()), false);
    assert.equal(await registry.isActive(random32(), ZeroHash), false);
  });

  test("a grant again raises the version; the old signature is worth nothing then", async () => {
    const g = await granted();
    const sig = await grantSig(g);
    await refused(registry.grant, [g, sig], "WrongVersion", [g.consentId, 2n, 1n]);

    const again = { ...g, version: 2, commitment: random32() };
    await mined(registry.grant(again, await grantSig(again)), "grant, again");
    await refused(registry.grant, [g, sig], "WrongVersion", [g.consentId, 3n, 1n]);
    assert.equal(await registry.isActive(g.consentId, again.commitment), true);
    assert.equal(await registry.isActive(g.consentId, g.commitment), false);
  });

  test("what is missing or wrong in a grant refuses it", async () => {
    const at = await now();
    const cases = [
      [{ version: 0 }, "WrongVersion"],
      [{ version: 2 }, "WrongVersion"],
      [{ version: REVOKED }, "WrongVersion"],
      [{ version: REVOKED | 1 }, "WrongVersion"],
      [{ deadline: at - 1 }, "DeadlinePassed"],
      [{ deadline: 0 }, "DeadlinePassed"],
      [{ commitment: ZeroHash }, "BadCommitment"],
      [{ validFrom: at, validUntil: at }, "BadPeriod"],
      [{ validFrom: at + 1, validUntil: at }, "BadPeriod"],
    ];
    for (const [fields, error] of cases) {
      const g = await grantOf(fields);
      await refused(registry.grant, [g, await grantSig(g)], error);
    }
    const nobody = await grantOf({
      controller: "0x0000000000000000000000000000000000000000",
    });
    await refused(registry.grant, [nobody, await grantSig(nobody)], "BadController");
  });

  test("each signed field counts, and whose signature, contract and chain it is", async () => {
    const g = await grantOf();
    const sig = await grantSig(g);
    const other = await grantOf();
    for (const field of ["consentId", "commitment", "validFrom", "validUntil", "deadline"]) {
      const changed = typeof g[field] === "number" ? g[field] - 1 : other[field];
      await refused(registry.grant, [{ ...g, [field]: changed }, sig], "BadSignature");
    }
    const stolen = { ...g, controller: stranger.address };
    await refused(registry.grant, [stolen, sig], "BadSignature");
    const foreign = await grantSig(g, Wallet.createRandom());
    await refused(registry.grant, [g, foreign], "BadSignature");

    const elsewhere = { getAddress: async () => stranger.address };
    const wrongContract = await sign(controller, elsewhere, "grant", g);
    await refused(registry.grant, [g, wrongContract], "BadSignature");
  });

  test("signatures of odd shape are refused", async () => {
    const g = await grantOf();
    const sig = (await grantSig(g)).slice(4); // without 0x and kind
    const s = BigInt(`0x${sig.slice(64, 128)}`);
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const highS = (order - s).toString(16).padStart(64, "0");
    const flipped = sig.slice(128) === "1b" ? "1c" : "1b";
    for (const odd of [
      "0x",
      "0x00",
      `0x${sig}`, // no kind
      `0x02${sig}`,
      `0xff${sig}`,
      `0x00${sig.slice(0, 128)}`, // no v
      `0x00${sig}00`,
      `0x00${sig.slice(0, 128)}00`, // v of 0
      `0x00${sig.slice(0, 64)}${highS}${flipped}`,
      `0x00${"00".repeat(65)}`,
    ]) {
      await refused(registry.grant, [g, odd], "BadSignature");
    }
    await assert.rejects(() => registry.grant.staticCall(g, `0x01${sig}`));
    await mined(registry.grant(g, `0x00${sig}`));
  });

  test("anyone may relay a revocation; it is final for that version", async () => {
    const g = await granted();
    const sig = await revokeSig(g.consentId, 1);
    const receipt = await mined(
      registry.connect(stranger).revoke(g.consentId, 1, sig),
      "revoke by the controller, relayed",
    );
    assert.deepEqual(
      [...registry.interface.parseLog(receipt.logs[0]).args],
      [g.consentId, 1n, 0n],
    );
    assert.equal((await registry.statusOf(g.consentId)).meta, BigInt(REVOKED | 1));
    assert.equal(await registry.isActive(g.consentId, g.commitment), false);
    await refused(registry.revoke, [g.consentId, 1, sig], "AlreadyRevoked", [g.consentId, 1n]);
  });

  test("only the controller's own, later grant opens it again", async () => {
    const g = await granted();
    const old = await revokeSig(g.consentId, 1);
    await mined(registry.revoke(g.consentId, 1, old));
    await refused(registry.grant, [g, await grantSig(g)], "WrongVersion");
    const again = { ...g, version: 2 };
    const foreign = await grantSig(again, Wallet.createRandom());
    await refused(registry.grant, [again, foreign], "BadSignature");
    await mined(registry.grant(again, await grantSig(again)), "grant after revocation");
    assert.equal(await registry.isActive(g.consentId, g.commitment), true);
    // The old revocation can't hit the later grant.
    await refused(registry.revoke, [g.consentId, 1, old], "WrongVersion", [
      g.consentId,
      2n,
      1n,
    ]);
  });

  test("a revocation needs the controller's signature of that very version", async () => {
    const g = await granted();
    const wrong = [
      [1, await revokeSig(g.consentId, 1, stranger), "BadSignature"],
      [1, await revokeSig(g.consentId, 2), "BadSignature"],
      [1, await revokeSig(random32(), 1), "BadSignature"],
      [1, await grantSig(g), "BadSignature"],
      [2, await revokeSig(g.consentId, 2), "WrongVersion"],
      [0, await revokeSig(g.consentId, 0), "WrongVersion"],
      [REVOKED | 1, await revokeSig(g.consentId, REVOKED | 1), "WrongVersion"],
    ];
    for (const [version, sig, error] of wrong) {
      await refused(registry.revoke, [g.consentId, version, sig], error);
    }
    const unknown = random32();
    const sig = await revokeSig(unknown, 0);
    await refused(registry.revoke, [unknown, 0, sig], "UnknownConsent");
  });

  test("paused: no grant, but every way to revoke and rotate", async () => {
    const [a, b, c, d] = [await granted(), await granted(), await granted(), await granted()];
    const g = await grantOf();
    await mined(registry.connect(pauser).pause());
    await refused(registry.grant, [g, await grantSig(g)], "EnforcedPause");
    await refused(registry.grantBatch, [[g], [await grantSig(g)]], "EnforcedPause");
    await mined(registry.revoke(a.consentId, 1, await revokeSig(a.consentId, 1)));
    await mined(registry.revokeBatch([b.consentId], [1], [await revokeSig(b.consentId, 1)]));
    await mined(
      registry.connect(attestor).revokeByAttestor(c.consentId, 1),
      "revoke by an attestor",
    );
    const to = Wallet.createRandom().address;
    const fields = { consentId: d.consentId, version: 2, to, deadline: g.deadline };
    await mined(
      registry.rotateController(d.consentId, 2, to, g.deadline, await rotateSig(fields)),
    );
    for (const { consentId } of [a, b, c]) {
      assert.equal((await registry.statusOf(consentId)).meta, BigInt(REVOKED | 1));
    }
    await mined(registry.connect(pauser).unpause());
    await mined(registry.grant(g, await grantSig(g)));
  });

  test("an attestor may revoke, and nothing else", async () => {
    const g = await granted();
    const as = registry.connect(attestor);
    const next = { ...g, version: 2 };
    await refused(as.grant, [next, await grantSig(next)], "AccessControlUnauthorizedAccount");
    await refused(as.pause, [], "AccessControlUnauthorizedAccount");
    await refused(as.revokeByAttestor, [g.consentId, 2], "WrongVersion");
    await refused(as.revokeByAttestor, [random32(), 1], "UnknownConsent");
    const receipt = await mined(as.revokeByAttestor(g.consentId, 1));
    assert.deepEqual(
      [...registry.interface.parseLog(receipt.logs[0]).args],
      [g.consentId, 1n, 1n],
    );
    await refused(as.revokeByAttestor, [g.consentId, 1], "AlreadyRevoked");
  });

  test("rotation hands on the consent, keeps the rest and spends a version", async () => {
    const g = await granted();
    const next = Wallet.createRandom();
    const fields = {
      consentId: g.consentId,
      version: 2,
      to: next.address,
      deadline: g.deadline,
    };
    const args = (sig, f = fields) => [f.consentId, f.version, f.to, f.deadline, sig];
    const good = await rotateSig(fields);

    const foreign = await rotateSig(fields, next);
    await refused(registry.rotateController, args(foreign), "BadSignature");
    const changes = { to: stranger.address, deadline: g.deadline + 1 };
    for (const [field, value] of Object.entries(changes)) {
      const changed = args(good, { ...fields, [field]: value });
      await refused(registry.rotateController, changed, "BadSignature");
    }
    for (const version of [1, 3, REVOKED | 2]) {
      const other = { ...fields, version };
      await refused(
        registry.rotateController,
        args(await rotateSig(other), other),
        "WrongVersion",
      );
    }
    const late = { ...fields, deadline: 1 };
    await refused(
      registry.rotateController,
      args(await rotateSig(late), late),
      "DeadlinePassed",
    );
    const same = { ...fields, to: controller.address };
    await refused(
      registry.rotateController,
      args(await rotateSig(same), same),
      "BadController",
    );
    const unknown = { ...fields, consentId: random32(), version: 1 };
    await refused(
      registry.rotateController,
      args(await rotateSig(unknown), unknown),
      "UnknownConsent",
    );

    await mined(
      registry.connect(stranger).rotateController(...args(good)),
      "rotate controller",
    );
    const record = await registry.statusOf(g.consentId);
    assert.deepEqual(
      [...record],
      [next.address, BigInt(g.validFrom), BigInt(g.validUntil), 2n, g.commitment],
    );
    await refused(registry.rotateController, args(good), "WrongVersion");

    // The old key is out, the new one in.
    const oldRevoke = await revokeSig(g.consentId, 2);
    await refused(registry.revoke, [g.consentId, 2, oldRevoke], "BadSignature");
    const regrant = { ...g, version: 3 };
    await refused(registry.grant, [regrant, await grantSig(regrant)], "WrongController");
    await mined(registry.revoke(g.consentId, 2, await revokeSig(g.consentId, 2, next)));
    const again = {
      consentId: g.consentId,
      version: 3,
      to: controller.address,
      deadline: g.deadline,
    };
    await refused(
      registry.rotateController,
      args(await rotateSig(again, next), again),
      "AlreadyRevoked",
    );
  });

  test("a batch of grants is all or nothing", async () => {
    const batch = [await grantOf(), await grantOf(), await grantOf()];
    const sigs = await Promise.all(batch.map((g) => grantSig(g)));
    await refused(registry.grantBatch, [batch, sigs.slice(1)], "LengthMismatch");
    await refused(registry.grantBatch, [batch, [sigs[0], sigs[2], sigs[1]]], "BadSignature");
    await refused(
      registry.grantBatch,
      [
        [batch[0], batch[0]],
        [sigs[0], sigs[0]],
      ],
      "WrongVersion",
    );
    await mined(registry.grantBatch(batch, sigs));
    for (const g of batch) {
      assert.equal(await registry.isActive(g.consentId, g.commitment), true);
    }
  });

  test("batch gas is linear", async () => {
    const used = [];
    for (const size of [10, 20, 30]) {
      const batch = await Promise.all(Array.from({ length: size }, () => grantOf()));
      const sigs = await Promise.all(batch.map((g) => grantSig(g)));
      const receipt = await mined(registry.grantBatch(batch, sigs));
      used.push(Number(receipt.gasUsed));
    }
    gas.used("grant, each of 10", Math.round(used[0] / 10));
    gas.used("grant, each of 30", Math.round(used[2] / 30));
    const bend = Math.abs(used[2] - used[1] - (used[1] - used[0]));
    assert.ok(bend < 0.01 * used[0], `${used}`);
  });

  test("nobody stops a batch of revocations by sending one of them first", async () => {
    const all = [await granted(), await granted(), await granted()];
    const ids = all.map((g) => g.consentId);
    const sigs = await Promise.all(ids.map((consentId) => revokeSig(consentId, 1)));
    await refused(registry.revokeBatch, [ids, [1, 1], sigs], "LengthMismatch");
    await refused(registry.revokeBatch, [ids, [1, 1, 1], sigs.slice(1)], "LengthMismatch");
    await refused(registry.revokeBatch, [ids, [1, 1, 1], [...sigs].reverse()], "BadSignature");
    await mined(registry.connect(stranger).revoke(ids[1], 1, sigs[1]));
    const receipt = await mined(registry.revokeBatch(ids, [1, 1, 1], sigs), "revoke, 2 of 3");
    assert.equal(receipt.logs.length, 2);
    for (const consentId of ids) {
      assert.equal((await registry.statusOf(consentId)).meta, BigInt(REVOKED | 1));
    }
  });

  test("validity begins and ends by the block's time", async () => {
    const at = await now();
    const early = await granted({ validFrom: at + 1000, validUntil: at + 2000 });
    const active = () => registry.isActive(early.consentId, early.commitment);
    assert.equal(await active(), false);
    const snapshot = await chain.rpc("evm_snapshot");
    for (const [time, want] of [
      [999, false],
      [1000, true],
      [1999, true],
      [2000, false],
    ]) {
      await chain.rpc("evm_setNextBlockTimestamp", at + time);
      await chain.mine();
      assert.equal(await active(), want, `second ${time}`);
    }
    await chain.rpc("evm_revert", snapshot);
  });

  test("a contract signs by ERC-1271", async () => {
    const wallet = await contractWallet(admin, controller.address);
    const g = await grantOf({ controller: wallet });
    await refused(registry.grant, [g, await grantSig(g, stranger)], "BadSignature");
    await mined(registry.grant(g, await grantSig(g)), "grant, ERC-1271");
    const sig = await revokeSig(g.consentId, 1);
    await mined(registry.revoke(g.consentId, 1, sig));
    assert.equal(await registry.isActive(g.consentId, g.commitment), false);
  });

  test("a P-256 key signs by ERC-7913", async () => {
    const { key, signer, wrap, g, sig, point } = await passkey(registry, admin);
    await mined(registry.grant(g, wrap(signer, sig)), "grant, P-256 by EIP-7951");

    const message = { consentId: g.consentId, version: 1 };
    const good = await p256Sign(key, registry, "revoke", message);
    const mallory = `${stranger.address.toLowerCase()}${point}`;
    const args = (s) => [g.consentId, 1, s];
    await refused(registry.revoke, args(wrap(mallory, good)), "BadSignature");
    await refused(registry.revoke, args(wrap(signer, sig)), "BadSignature");
    await refused(registry.revoke, args(`0x00${good.slice(2)}`), "BadSignature");
    await mined(registry.revoke(...args(wrap(signer, good))));
  });

  test("it does so where the chain has no EIP-7951, for its price", async () => {
    const old = await startChain({ options: ["--hardfork", "prague"] });
    try {
      const owner = account(0, old.provider);
      const there = await deploy(owner, "ConsentRegistry", 0, owner.address, owner.address);
      const { signer, wrap, g, sig } = await passkey(there, owner);
      await mined(there.grant(g, wrap(signer, sig)), "grant, P-256 by Solidity, by key and digest");
      await refused(there.grant, [{ ...g, version: 2 }, wrap(signer, sig)], "BadSignature");
    } finally {
      await old.stop();
    }
  });

  /** A P-256 key, its ERC-7913 signer on the chain of @target, and a grant that it signed. */
  async function passkey(target, owner) {
    const source = `// SPDX-License-Identifier: MIT
            pragma solidity ^0.8.26;
            import {ERC7913P256Verifier} from
                "@openzeppelin/contracts/utils/cryptography/verifiers/ERC7913P256Verifier.sol";
            contract Verifier is ERC7913P256Verifier {}`;
    const verifier = await deploy(owner, compile([["V.sol", source]])["V.sol"].Verifier);
    const key = p256.utils.randomPrivateKey();
    const point = hexlify(p256.getPublicKey(key, false)).slice(4);
    const signer = `${(await verifier.getAddress()).toLowerCase()}${point}`;
    const g = await grantOf({ controller: `0x${keccak256(signer).slice(26)}` });
    const sig = await p256Sign(key, target, "grant", g);
    const wrap = (who, what) => `0x01${coder.encode(["bytes", "bytes"], [who, what]).slice(2)}`;
    return { key, signer, wrap, g, sig, point };
  }

  test("role matrix: each setter is for its role, no role gives another's rights", async () => {
    const g = await granted();
    const next = { ...g, version: 2 };
    const sig = await grantSig(next);
    const who = { admin, relayer, attestor, pauser, stranger };
    const role = await registry.PAUSER_ROLE();
    const matrix = [
      ["grant", [next, sig], ["relayer"]],
      ["grantBatch", [[next], [sig]], ["relayer"]],
      ["revokeByAttestor", [g.consentId, 1], ["attestor"]],
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
        const call = registry.connect(signer)[method];
        if (allowed.includes(name)) {
          await call.staticCall(...args);
        } else {
          await refused(call, args, "AccessControlUnauthorizedAccount");
        }
      }
    }
    await refused(registry.connect(pauser).unpause, [], "ExpectedPause");
    await refused(registry.connect(stranger).unpause, [], "AccessControlUnauthorizedAccount");
    // Nothing else changes state: a new function has to be entered here.
    const open = ["acceptDefaultAdminTransfer", "renounceRole", "unpause"]; // own checks
    const signed = ["revoke", "revokeBatch", "rotateController"]; // by signature, tested above
    const setters = registry.interface.fragments
      .filter((f) => f.type === "function" && !["view", "pure"].includes(f.stateMutability))
      .map((f) => f.name);
    assert.deepEqual(setters.sort(), [...matrix.map((m) => m[0]), ...open, ...signed].sort());
  });

  test("the highest version leaves only revocation", async () => {
    const g = await granted();
    // Write the meta of the first slot: 0x7fff above the other fields.
    const slot = contract("ConsentRegistry").storageLayout.storage.find(
      (s) => s.label === "_records",
    ).slot;
    const at = keccak256(coder.encode(["bytes32", "uint256"], [g.consentId, slot]));
    const address = await registry.getAddress();
    const word = await chain.provider.getStorage(address, at);
    assert.equal(word.slice(2, 6), "0001", "meta is at the top of the first slot");
    await chain.rpc("anvil_setStorageAt", address, at, `0x7fff${word.slice(6)}`);
    for (const version of [REVOKED, 0, 1]) {
      const next = { ...g, version };
      await refused(registry.grant, [next, await grantSig(next)], "WrongVersion");
    }
    await mined(registry.revoke(g.consentId, 0x7fff, await revokeSig(g.consentId, 0x7fff)));
    assert.equal((await registry.statusOf(g.consentId)).meta, 0xffffn);
  });

  test("random walks: state is what a model says and what the events alone rebuild", async () => {
    const random = generator(20260101);
    const pick = (list) => list[random(list.length)];
    const keys = Array.from({ length: 4 }, () => Wallet.createRandom());
    const ids = Array.from({ length: 4 }, random32);
    const model = new Map();
    const first = await chain.provider.getBlockNumber();
    let done = 0;

    for (let step = 0; step < 250; step++) {
      const consentId = pick(ids);
      const state = model.get(consentId);
      const version = (state?.version ?? 0) + random(3) - 1;
      const by = random(4) > 0 && state ? state.key : pick(keys);
      if (version < 0) {
        continue;
      }
      switch (pick(["grant", "grant", "revoke", "attest", "rotate"])) {
        case "grant": {
          const g = await grantOf({ consentId, version, controller: by.address });
          const works = version === (state?.version ?? 0) + 1 && (!state || state.key === by);
          const sig = await grantSig(g, by);
          await attempt(registry.grant, [g, sig], works);
          if (works) {
            model.set(consentId, {
              version,
              key: by,
              revoked: false,
              commitment: g.commitment,
            });
          }
          break;
        }
        case "revoke": {
          const works =
            state && version === state.version && !state.revoked && by === state.key;
          const sig = await revokeSig(consentId, version, by);
          await attempt(registry.connect(stranger).revoke, [consentId, version, sig], works);
          if (works) {
            state.revoked = true;
          }
          break;
        }
        case "attest": {
          const works = state && version === state.version && !state.revoked;
          await attempt(
            registry.connect(attestor).revokeByAttestor,
            [consentId, version],
            works,
          );
          if (works) {
            state.revoked = true;
          }
          break;
        }
        case "rotate": {
          const to = pick(keys);
          const deadline = (await now()) + 100;
          const fields = { consentId, version, to: to.address, deadline };
          const works =
            state &&
            version === state.version + 1 &&
            !state.revoked &&
            by === state.key &&
            to !== by;
          const args = [consentId, version, to.address, deadline, await rotateSig(fields, by)];
          await attempt(registry.connect(stranger).rotateController, args, works);
          if (works) {
            Object.assign(state, { version, key: to });
          }
          break;
        }
      }
    }

    async function attempt(method, args, works) {
      if (works) {
        await mined(method(...args));
        done++;
      } else {
        await assert.rejects(() => method.staticCall(...args));
      }
    }

    const rebuilt = await replay(registry, first + 1);
    assert.ok(done > 40, `${done} changes`);
    for (const [consentId, state] of model) {
      const record = await registry.statusOf(consentId);
      const want = [
        state.key.address,
        BigInt(state.version | (state.revoked ? REVOKED : 0)),
        state.commitment,
      ];
      assert.deepEqual([record.controller, record.meta, record.commitment], want);
      const seen = rebuilt.get(consentId);
      assert.deepEqual([seen.controller, BigInt(seen.meta), seen.commitment], want);
    }
  });
});

/** State of all consents, from the events alone, as a follower rebuilds it. */
async function replay(registry, fromBlock) {
  const logs = await chain.provider.getLogs({
    address: await registry.getAddress(),
    fromBlock,
  });
  const state = new Map();
  for (const log of logs) {
    const event = registry.interface.parseLog(log);
    const { consentId, version, controller, commitment } = event.args;
    const record = state.get(consentId);
    switch (event.name) {
      case "ConsentGranted":
        state.set(consentId, { controller, commitment, meta: Number(version) });
        break;
      case "ControllerRotated":
        Object.assign(record, { controller, meta: Number(version) });
        break;
      case "ConsentRevoked":
        assert.equal(record.meta, Number(version));
        record.meta |= REVOKED;
        break;
    }
  }
  return state;
}

/** Small repeatable generator: numbers below n (mulberry32). */
function generator(seed) {
  return (n) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

async function p256Sign(key, registry, type, message) {
  const digest = await typedDigest(registry, type, message);
  return `0x${p256.sign(digest.slice(2), key, { lowS: true }).toCompactHex()}`;
}

describe("AuditAnchor", () => {
  const leaves = Array.from({ length: 1200 }, (_, i) => tree.leaf(Buffer.from(`leaf ${i}`)));
  const rootOf = (n) => hexlify(tree.root(leaves.slice(0, n)));
  const proofOf = (m, n) => tree.consistency(m, leaves.slice(0, n)).map((h) => hexlify(h));
  const inclusionOf = (m, n) => tree.inclusion(m, leaves.slice(0, n)).map((h) => hexlify(h));
  const note = id("note");
  const forked = [...leaves];
  forked[3] = tree.leaf(Buffer.from("another"));
  const forkedRoot = (n) => hexlify(tree.root(forked.slice(0, n)));
  const forkedProof = (m, n) => tree.consistency(m, forked.slice(0, n)).map((h) => hexlify(h));

  let anchor;

  before(async () => {
    anchor = await deploy(admin, "AuditAnchor", 0, admin.address);
  });

  async function registered(origin, strict) {
    await mined(
      anchor.register(origin, operator.address, strict),
      strict ? undefined : "register a log",
    );
    return id(origin);
  }

  const as = (signer) => anchor.connect(signer);

  test("a log is opened empty, once, by the admin", async () => {
    const origin = "log.example/one";
    const receipt = await mined(anchor.register(origin, operator.address, true));
    const logId = id(origin);
    assert.deepEqual(
      [...anchor.interface.parseLog(receipt.logs[0]).args],
      [logId, operator.address, origin, true],
    );
    const head = await anchor.head(logId);
    assert.deepEqual([head.root, head.size, head.seq, head.mode], [rootOf(0), 0n, 0n, 3n]);
    assert.equal(await anchor.operatorOf(logId), operator.address);
    await refused(anchor.register, [origin, stranger.address, false], "AlreadyRegistered");
    await refused(anchor.register, ["", operator.address, true], "BadOrigin");
    await refused(anchor.register, ["x".repeat(256), operator.address, true], "BadOrigin");
    await anchor.register.staticCall("x".repeat(255), operator.address, true);
    const nobody = "0x0000000000000000000000000000000000000000";
    await refused(anchor.register, ["log.example/nobody", nobody, true], "BadOperator");
    const unknown = await anchor.head(random32());
    assert.deepEqual([...unknown], [ZeroHash, 0n, 0n, 0n, 0n]);
  });

  test("a strict log grows by proof only", async () => {
    const logId = await registered("log.example/strict", true);
    const log = as(operator);
    await refused(log.anchor, [logId, 7, rootOf(7), note], "ProofRequired");
    await refused(
      log.anchorConsistent,
      [logId, 7, rootOf(7), note, [rootOf(1)]],
      "NotConsistent",
    );
    await mined(log.anchorConsistent(logId, 7, rootOf(7), note, []), "strict anchor, first");
    let seq = 1n;
    let size = 7;
    for (const next of [8, 9, 16, 21, 64, 100, 1000, 1001, 1200]) {
      const args = [logId, next, rootOf(next), note, proofOf(size, next)];
      const what = `strict anchor, ${size} to ${next} leaves (${args[4].length} hashes)`;
      const receipt = await mined(log.anchorConsistent(...args), what);
      assert.deepEqual(
        [...anchor.interface.parseLog(receipt.logs[0]).args],
        [logId, ++seq, BigInt(next), rootOf(next), note],
      );
      size = next;
    }
    const head = await anchor.head(logId);
    assert.deepEqual(
      [head.root, head.size, head.seq, head.mode],
      [rootOf(1200), 1200n, 10n, 3n],
    );
    assert.equal(head.time, BigInt(await now()));
  });

  test("forked, rolled back and unmoved heads are refused", async () => {
    const logId = await registered("log.example/forks", true);
    const log = as(operator);
    await mined(log.anchorConsistent(logId, 100, rootOf(100), note, []));
    const cases = [
      ["fork, honest proof", 150, forkedRoot(150), proofOf(100, 150), "NotConsistent"],
      ["fork, own proof", 150, forkedRoot(150), forkedProof(100, 150), "NotConsistent"],
      ["fork, no proof", 150, forkedRoot(150), [], "NotConsistent"],
      ["true head, fork's proof", 150, rootOf(150), forkedProof(100, 150), "NotConsistent"],
      ["true head, no proof", 150, rootOf(150), [], "NotConsistent"],
      ["proof of another pair", 150, rootOf(150), proofOf(99, 150), "NotConsistent"],
      // (A size with a tree of the same shape would pass: the checkpoint's signature binds it.)
      ["size that isn't the root's", 300, rootOf(150), proofOf(100, 150), "NotConsistent"],
      ["rolled back", 99, rootOf(99), [], "NotGrowing"],
      ["rolled back, with proof", 99, rootOf(99), proofOf(99, 100), "NotGrowing"],
      ["unmoved", 100, rootOf(100), [], "NotGrowing"],
      ["other root at the same size", 100, forkedRoot(100), [], "NotGrowing"],
      ["empty", 0, rootOf(0), [], "NotGrowing"],
    ];
    for (const [name, size, root, proof, error] of cases) {
      const args = [logId, size, root, note, proof];
      await refused(log.anchorConsistent, args, error).catch((problem) => {
        problem.message = `${name}: ${problem.message}`;
        throw problem;
      });
    }
    await mined(log.anchorConsistent(logId, 150, rootOf(150), note, proofOf(100, 150)));
  });

  test("a plain log needs no proof, but grows and takes none that is wrong", async () => {
    const logId = await registered("log.example/plain", false);
    const log = as(operator);
    await mined(log.anchor(logId, 5, rootOf(5), note), "plain anchor, first");
    await mined(log.anchor(logId, 6, rootOf(6), note), "plain anchor");
    await refused(log.anchor, [logId, 6, rootOf(6), note], "NotGrowing");
    await refused(log.anchor, [logId, 5, rootOf(5), note], "NotGrowing");
    await refused(log.anchorConsistent, [logId, 9, rootOf(9), note, []], "NotConsistent");
    await mined(log.anchorConsistent(logId, 9, rootOf(9), note, proofOf(6, 9)));
    assert.equal((await anchor.head(logId)).mode, 1n);
  });

  test("only its operator moves a log; operator and admin hand it on or close it", async () => {
    const logId = await registered("log.example/roles", true);
    const other = await registered("log.example/roles/2", true);
    await mined(anchor.rotateOperator(other, stranger.address), "rotate operator");
    const first = [logId, 1, rootOf(1), note, []];
    for (const [signer, error] of [
      [admin, "NotOperator"],
      [stranger, "NotOperator"],
      [operator, null],
    ]) {
      const call = as(signer).anchorConsistent;
      await (error ? refused(call, first, error) : call.staticCall(...first));
    }
    await refused(as(operator).anchorConsistent, [other, ...first.slice(1)], "NotOperator");
    const unknown = random32();
    await refused(as(operator).anchorConsistent, [unknown, ...first.slice(1)], "UnknownLog");
    await refused(as(operator).anchor, [unknown, 1, rootOf(1), note], "UnknownLog");
    await refused(as(stranger).anchor, [logId, 1, rootOf(1), note], "NotOperator");
    await refused(as(admin).rotateOperator, [unknown, stranger.address], "UnknownLog");
    await refused(as(admin).freeze, [unknown], "UnknownLog");

    await refused(as(stranger).rotateOperator, [logId, stranger.address], "NotOperator");
    await refused(as(stranger).freeze, [logId], "NotOperator");
    const nobody = "0x0000000000000000000000000000000000000000";
    await refused(as(admin).rotateOperator, [logId, nobody], "BadOperator");
    await refused(as(admin).rotateOperator, [logId, operator.address], "BadOperator");
    await mined(as(operator).rotateOperator(logId, stranger.address));
    await refused(as(operator).anchorConsistent, first, "NotOperator");
    await mined(as(stranger).anchorConsistent(...first));
    await mined(as(admin).rotateOperator(logId, operator.address));

    // No AccessControl role makes a second operator.
    await mined(anchor.grantRole(logId, stranger.address));
    const second = [logId, 2, rootOf(2), note, proofOf(1, 2)];
    await refused(as(stranger).anchorConsistent, second, "NotOperator");

    const receipt = await mined(as(operator).freeze(logId), "freeze");
    assert.deepEqual(
      [...anchor.interface.parseLog(receipt.logs[0]).args],
      [logId, 1n, rootOf(1)],
    );
    assert.equal((await anchor.head(logId)).mode, 7n);
    await refused(as(operator).anchorConsistent, second, "Frozen");
    await refused(as(operator).anchor, [logId, 2, rootOf(2), note], "Frozen");
    await refused(as(admin).freeze, [logId], "Frozen");
  });

  test("registering is the admin's; setters are all known here", async () => {
    for (const signer of [operator, stranger]) {
      const args = ["log.example/mine", signer.address, false];
      await refused(as(signer).register, args, "AccessControlUnauthorizedAccount");
    }
    const own = Interface.from(contract("AuditAnchor").abi)
      .fragments.filter(
        (f) => f.type === "function" && !["view", "pure"].includes(f.stateMutability),
      )
      .map((f) => f.name)
      .filter((name) => !/Role$|DefaultAdmin/.test(name));
    const known = ["anchor", "anchorConsistent", "freeze", "register", "rotateOperator"];
    assert.deepEqual(own.sort(), known);
  });

  test("consistency: all pairs to 33 leaves, and large ones", async () => {
    const pairs = [];
    for (let n = 0; n <= 33; n++) {
      for (let m = 0; m <= n; m++) {
        pairs.push([m, n]);
      }
    }
    for (const n of [511, 512, 513, 1023, 1024, 1025, 1200]) {
      for (const m of [1, 2, 3, 255, 256, 257, 510, n - 1, n]) {
        pairs.push([Math.min(m, n), n]);
      }
    }
    let asked = 0;
    await inParallel(pairs, async ([m, n]) => {
      const [r1, r2, proof] = [rootOf(m), rootOf(n), proofOf(m, n)];
      const ask = (...args) => (asked++, anchor.verifyConsistency(...args));
      assert.equal(await ask(m, n, r1, r2, proof), true, `${m} ${n}`);
      for (const [what, args] of some(n, corruptions(m, n, r1, r2, proof))) {
        assert.equal(await ask(...args), false, `${m} ${n} ${what}`);
      }
    });
    console.log(`consistency: ${pairs.length} pairs, ${asked} calls`);
  });

  test("inclusion: all leaves of trees to 33, and of large ones", async () => {
    const pairs = [];
    for (let n = 1; n <= 33; n++) {
      for (let m = 0; m < n; m++) {
        pairs.push([m, n]);
      }
    }
    for (const n of [512, 513, 1200]) {
      pairs.push([0, n], [1, n], [256, n], [n - 2, n], [n - 1, n]);
    }
    let asked = 0;
    await inParallel(pairs, async ([m, n]) => {
      const [leaf, root, proof] = [hexlify(leaves[m]), rootOf(n), inclusionOf(m, n)];
      const ask = (...args) => (asked++, anchor.verifyInclusion(...args));
      assert.equal(await ask(leaf, m, n, root, proof), true, `${m} ${n}`);
      const wrong = [
        ["leaf", [flip(leaf), m, n, root, proof]],
        ["root", [leaf, m, n, flip(root), proof]],
        ["index", [leaf, m ^ 1, n, root, proof]],
        ["size too small", [leaf, m, m, root, proof]],
        ["longer", [leaf, m, n, root, [...proof, root]]],
      ];
      proof.forEach((hash, i) => {
        const changed = proof.with(i, flip(hash));
        wrong.push([`hash ${i}`, [leaf, m, n, root, changed]]);
        wrong.push([`without ${i}`, [leaf, m, n, root, proof.toSpliced(i, 1)]]);
      });
      for (const [what, args] of some(n, wrong)) {
        if (n === 1 && what === "index") {
          continue; // outside the tree: below
        }
        assert.equal(await ask(...args), false, `${m} ${n} ${what}`);
      }
    });
    assert.equal(await anchor.verifyInclusion(rootOf(1), 1, 1, rootOf(1), []), false);
    assert.equal(await anchor.verifyInclusion(rootOf(0), 0, 0, rootOf(0), []), false);
    const most = 2n ** 64n - 1n;
    assert.equal(await anchor.verifyInclusion(rootOf(1), 0, most, rootOf(1), []), false);
    console.log(`inclusion: ${pairs.length} pairs, ${asked} calls`);
  });

  function corruptions(m, n, r1, r2, proof) {
    const wrong = [["larger than n", [n + 1, n, r1, r2, proof]]];
    wrong.push(["longer", [m, n, r1, r2, [...proof, r2]]]);
    wrong.push(["old root", [m, n, flip(r1), r2, proof]]);
    if (m > 0) {
      wrong.push(["new root", [m, n, r1, flip(r2), proof]]);
    }
    proof.forEach((hash, i) => {
      wrong.push([`hash ${i}`, [m, n, r1, r2, proof.with(i, flip(hash))]]);
      wrong.push([`without ${i}`, [m, n, r1, r2, proof.toSpliced(i, 1)]]);
    });
    return wrong;
  }
});

/** All of @list for small trees, every fifth for larger ones. */
const some = (n, list) => list.filter((_, i) => n <= 16 || (i + n) % 5 === 0);

/** Flip one bit somewhere in @hex, another one each time. */
let flips = 0;
function flip(hex) {
  const bytes = Buffer.from(hex.slice(2), "hex");
  bytes[flips % bytes.length] ^= 1 << flips % 8;
  flips++;
  return `0x${bytes.toString("hex")}`;
}

/** Run @work for each of @list, 20 at a time. */
async function inParallel(list, work) {
  const rest = [...list];
  const worker = async () => {
    for (let item = rest.pop(); item; item = rest.pop()) {
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: 20 }, worker));
}

// Last, when all the others have told what they used.
gas.tests();
