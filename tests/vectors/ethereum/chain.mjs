// Write chain.json: blocks, receipts and state proofs as a real chain gives them, with our
// contracts on it. Not repeatable byte for byte (a block's mixHash is random), so it is written
// once:
//
//   docker/node tests/vectors/ethereum/chain.mjs
//
// Each entry has what JSON-RPC answered ("block", "receipts", "proof"), the same as RLP
// ("header", "receipt_rlp") after a check that the hash fits, and what to find there.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";

import {
  NonceManager,
  Wallet,
  encodeRlp,
  hexlify,
  id,
  keccak256,
  toBeHex,
  zeroPadValue,
} from "ethers";

import {
  OPEN_END,
  account,
  contract,
  deployAll,
  sign,
  startChain,
} from "../../end_to_end/lib/chain.mjs";
import * as tree from "../../end_to_end/lib/tree.mjs";

const FIELDS = [
  "parentHash sha3Uncles miner stateRoot transactionsRoot receiptsRoot logsBloom *difficulty",
  "*number *gasLimit *gasUsed *timestamp extraData mixHash nonce *baseFeePerGas withdrawalsRoot",
  "*blobGasUsed *excessBlobGas parentBeaconBlockRoot requestsHash",
];

const quantity = (hex) => (BigInt(hex) === 0n ? "0x" : toBeHex(BigInt(hex)));
const plain = (hex) => hex.replace(/^0x/, "").toLowerCase();

/** RLP of a block's header from JSON-RPC's @block. */
function headerRlp(block) {
  const names = FIELDS.join(" ").split(" ");
  const fields = names.map((n) => (n[0] === "*" ? quantity(block[n.slice(1)]) : block[n]));
  const rlp = encodeRlp(fields);
  assert.equal(keccak256(rlp), block.hash);
  return plain(rlp);
}

/** A receipt as the receipts trie holds it. */
function receiptRlp({ type, status, cumulativeGasUsed, logsBloom, logs }) {
  const list = logs.map(({ address, topics, data }) => [address, topics, data]);
  const rlp = encodeRlp([quantity(status), quantity(cumulativeGasUsed), logsBloom, list]);
  return plain(type === "0x0" ? rlp : toBeHex(BigInt(type)) + rlp.slice(2));
}

const chain = await startChain({ options: ["--timestamp", "1767225600"] });
const wallet = account(0, chain.provider);
const { registry, anchor } = await deployAll(wallet, "log.example/vectors");
const logId = id("log.example/vectors");

async function entry(name, more, { address, keys = [] } = {}) {
  const block = await chain.rpc("eth_getBlockByNumber", "latest", false);
  const receipts = await chain.rpc("eth_getBlockReceipts", block.number);
  const made = { name, ...more, block, header: headerRlp(block), receipts };
  made.receipt_rlp = receipts.map(receiptRlp);
  if (address) {
    made.proof = await chain.rpc("eth_getProof", address, keys, block.number);
  }
  return made;
}

/** Put the transactions that @send sends into one block. */
async function inOneBlock(send) {
  await chain.rpc("evm_setAutomine", false);
  await send();
  await chain.mine();
  await chain.rpc("evm_setAutomine", true);
}

function slotOf(name, label, key) {
  const { slot } = contract(name).storageLayout.storage.find((s) => s.label === label);
  return keccak256(key + zeroPadValue(toBeHex(BigInt(slot)), 32).slice(2));
}
const plus = (slot, n) => toBeHex(BigInt(slot) + BigInt(n), 32);

const entries = [];
const leaves = Array.from({ length: 20 }, (_, i) => tree.leaf(Buffer.from(`leaf ${i}`)));
const root = (n) => hexlify(tree.root(leaves.slice(0, n)));
const note = id("note");
const owner = new NonceManager(wallet);

// One transaction in its block: the first head of a strict log.
await (await anchor.connect(owner).anchorConsistent(logId, 3, root(3), note, [])).wait();
const anchored = (seq, size) => ({
  contract: plain(anchor.target),
  log_id: plain(logId),
  seq,
  size,
  root: plain(root(size)),
  note_hash: plain(note),
});
const headSlot = slotOf("AuditAnchor", "_logs", logId);
entries.push(
  await entry(
    "first head, alone in its block",
    { index: 0, anchored: anchored(1, 3) },
    { address: anchor.target, keys: [headSlot, plus(headSlot, 1), plus(headSlot, 2)] },
  ),
);

// Between others: the second of 20, of which one fails.
const controller = Wallet.createRandom();
const consentId = id("a consent");
await inOneBlock(async () => {
  const proof = tree.consistency(3, leaves).map((h) => hexlify(h));
  const fees = {
    gasLimit: 200000,
    maxFeePerGas: 10n ** 10n,
    maxPriorityFeePerGas: 10n ** 9n,
  };
  await owner.sendTransaction({ to: controller.address, value: 1, ...fees });
  await anchor.connect(owner).anchorConsistent(logId, 20, root(20), note, proof, fees);
  await anchor.connect(owner).anchorConsistent(logId, 4, root(4), note, [], fees); // reverts
  for (let i = 3; i < 20; i++) {
    await owner.sendTransaction({ to: controller.address, value: i, ...fees });
  }
});
entries.push(await entry("second of 20", { index: 1, anchored: anchored(2, 20) }));

// A consent's record in the state: granted, then revoked.
const grant = {
  consentId,
  commitment: id("a commitment"),
  controller: controller.address,
  version: 1,
  validFrom: 1767225600,
  validUntil: OPEN_END,
  deadline: OPEN_END,
};
const consent = (meta) => ({
  contract: plain(registry.target),
  consent_id: plain(consentId),
  slot: Number(
    contract("ConsentRegistry").storageLayout.storage.find((s) => s.label === "_records").slot,
  ),
  record: {
    controller: plain(grant.controller),
    commitment: plain(grant.commitment),
    validFrom: grant.validFrom,
    validUntil: grant.validUntil,
    meta,
  },
});
const recordSlot = slotOf("ConsentRegistry", "_records", consentId);
const state = { address: registry.target, keys: [recordSlot, plus(recordSlot, 1)] };
const granter = registry.connect(owner);
await (await granter.grant(grant, await sign(controller, registry, "grant", grant))).wait();
entries.push(await entry("consent granted", { consent: consent(1) }, state));
const revocation = { consentId, version: 1 };
await (
  await granter.revoke(consentId, 1, await sign(controller, registry, "revoke", revocation))
).wait();
entries.push(await entry("consent revoked", { consent: consent(0x8001) }, state));
const unknown = slotOf("ConsentRegistry", "_records", id("another consent"));
entries.push(
  await entry(
    "no such consent",
    { slot: plain(unknown) },
    { address: registry.target, keys: [unknown] },
  ),
);

// Keys of two bytes in the receipts trie: 140 plain transfers, receipts without logs.
await inOneBlock(async () => {
  const fees = { gasLimit: 21000, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n };
  for (let i = 0; i < 140; i++) {
    await owner.sendTransaction({ to: controller.address, value: 1, ...fees });
  }
});
const many = await entry("140 transfers", { each: 21000 });
assert.equal(many.receipts.length, 140);
const { name, block, header } = many;
entries.push({
  name,
  count: 140,
  gas_each: 21000,
  type: 2,
  block: { ...block, transactions: [] },
  header,
});

await chain.stop();
writeFileSync(new URL("chain.json", import.meta.url), `${JSON.stringify(entries, null, 2)}\n`);
