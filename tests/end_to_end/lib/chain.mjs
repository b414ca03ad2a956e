// A chain of its own for a test, and what a test does with the contracts there.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

import {
  Contract,
  ContractFactory,
  HDNodeWallet,
  JsonRpcProvider,
  NonceManager,
  TypedDataEncoder,
  encryptKeystoreJsonSync,
} from "ethers";

import { compile } from "../../../anchor/contracts/compile.mjs";
import { types } from "../../vectors/ethereum/make.mjs";
import { secret } from "./gateway.mjs";
import { freePort, parts, start, top } from "./process.mjs";

const MNEMONIC = "test test test test test test test test test test test junk"; // anvil's own
export const OPEN_END = 2 ** 40 - 1;

/** Account @i of anvil's, which has ether. */
export function account(i, provider) {
  const wallet = HDNodeWallet.fromPhrase(MNEMONIC, undefined, `m/44'/60'/0'/0/${i}`);
  return provider ? wallet.connect(provider) : wallet;
}

/** Account @i as a configuration has it: a keystore below @where, and its password. */
export function keystore(i, where) {
  const { address, privateKey } = account(i);
  const password = randomBytes(12).toString("hex");
  const scrypt = { N: 4096 }; // quick: it guards nothing here
  const text = encryptKeystoreJsonSync({ address, privateKey }, password, { scrypt });
  return {
    keystore: secret(path.join(where, `account-${i}.json`), text),
    password: secret(path.join(where, `account-${i}.password`), password),
  };
}

/**
 * Start anvil. @blockTime in seconds; without it each transaction is a block at once.
 * The returned has url, provider, rpc(method, params…), mine(n), stop(), and the process's
 * rest.
 */
export async function startChain({ blockTime = "", port, options = [], env = {} } = {}) {
  port ??= await freePort();
  const url = `http://127.0.0.1:${port}`;
  const ready = async () => (await rpcAt(url, "eth_chainId")) === "0x7a69";
  const chain = await start(`${parts}/anvil.sh`, [port, ...options], {
    env: { BLOCK_TIME: String(blockTime), ...env },
    ready,
  });
  const provider = new JsonRpcProvider(url, 31337, { staticNetwork: true, cacheTimeout: -1 });
  provider.pollingInterval = 10;
  const rpc = (method, ...params) => rpcAt(url, method, ...params);
  return {
    ...chain,
    port,
    url,
    provider,
    rpc,
    mine: (n = 1) => rpc("anvil_mine", `0x${n.toString(16)}`),
    async stop() {
      provider.destroy();
      return chain.stop();
    },
  };
}

async function rpcAt(url, method, ...params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const headers = { "content-type": "application/json" };
  const answer = await (await fetch(url, { method: "POST", headers, body })).json();
  if (answer.error) {
    throw new Error(`${method}: ${answer.error.message}`);
  }
  return answer.result;
}

/** Our contracts, compiled from source; kept in build/ until something they depend on changes. */
function compileOnce() {
  const sources = path.join(top, "anchor/contracts");
  const hash = createHash("sha256");
  for (const name of [...readdirSync(sources).sort(), "../../tests/package-lock.json"]) {
    hash.update(readFileSync(path.join(sources, name)));
  }
  const kept = path.join(top, `build/contracts-${hash.digest("hex").slice(0, 16)}.json`);
  if (!existsSync(kept)) {
    const text = JSON.stringify(compile(["ConsentRegistry", "ConsentBatchRegistry", "AuditAnchor"]));
    mkdirSync(path.dirname(kept), { recursive: true });
    writeFileSync(`${kept}.${process.pid}`, text);
    renameSync(`${kept}.${process.pid}`, kept);
  }
  return JSON.parse(readFileSync(kept, "utf8"));
}

let compiled;

/** ABI and code of one of our contracts. */
export function contract(name) {
  compiled ??= compileOnce();
  return compiled[`${name}.sol`][name];
}

/** Deploy one of ours, or what solc gave as @made; resolves to an ethers contract of @signer. */
export async function deploy(signer, made, ...args) {
  const { abi, evm } = typeof made === "string" ? contract(made) : made;
  const deployed = await new ContractFactory(abi, evm.bytecode.object, signer).deploy(...args);
  await deployed.waitForDeployment();
  return deployed;
}

/** Wait for transaction @sent, which works; its receipt. */
export async function mined(sent) {
  const receipt = await (await sent).wait();
  assert.equal(receipt.status, 1);
  return receipt;
}

/** The call must revert with custom error @name; @want are its arguments, if given. */
export async function refused(method, args, name, want) {
  await assert.rejects(
    () => method.staticCall(...args),
    (error) => {
      assert.equal(error.revert?.name ?? error.message, name);
      if (want) {
        assert.deepEqual([...error.revert.args], want);
      }
      return true;
    },
  );
}

/** Contract of ours at @address. */
export function at(address, name, signer) {
  return new Contract(address, contract(name).abi, signer);
}

/**
 * Registry and anchor as one account has them: admin, relayer, attestor and, unless it is
 * another, @operator of the log.
 */
export async function deployAll(signer, origin = "log.example/test", operator = signer.address) {
  const owner = new NonceManager(signer);
  const registry = await deploy(owner, "ConsentRegistry", 0, signer.address, signer.address);
  const anchor = await deploy(owner, "AuditAnchor", 0, signer.address);
  await (await registry.grantRole(await registry.ATTESTOR_ROLE(), signer.address)).wait();
  await (await registry.grantRole(await registry.PAUSER_ROLE(), signer.address)).wait();
  await (await anchor.register(origin, operator, true)).wait();
  return { registry, anchor };
}

async function domain(registry) {
  return {
    name: "ConsentRegistry",
    version: "1",
    chainId: 31337,
    verifyingContract: await registry.getAddress(),
  };
}

/** What a controller signs: digest of @message (type grant, revoke or rotate) for @registry. */
export async function typedDigest(registry, type, message) {
  return TypedDataEncoder.hash(await domain(registry), types[type], message);
}

/**
 * Signature of @wallet for @registry: r, s, v. @type is grant, revoke or rotate; @message has
 * its fields.
 */
export async function signTyped(wallet, registry, type, message) {
  return wallet.signTypedData(await domain(registry), types[type], message);
}

/** A signature as the registry's functions take it: of kind 0, a key's own. */
export const ofKey = (signature) => `0x00${signature.slice(2)}`;

/** Both of them. */
export async function sign(wallet, registry, type, message) {
  return ofKey(await signTyped(wallet, registry, type, message));
}
