// Patients whose accounts are contracts log in where the configuration lets them: most nodes of
// the ledger say whether the contract takes the signature for its own. If they can't, nobody does.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";

import { Wallet } from "ethers";
import { decodeJwt } from "jose";

import { account, startChain } from "./lib/chain.mjs";
import { contractWallet } from "./lib/contract_wallet.mjs";
import { consent, startFhirGateway } from "./lib/fhir.mjs";
import { program } from "./lib/gateway.mjs";
import { loginAt, siweProof } from "./lib/login.mjs";
import { until } from "./lib/process.mjs";
import { startUpstream } from "./lib/upstream.mjs";

const ORIGIN = "https://portal.example";
const PATIENT = "urn:mrn|anna";

let chain, upstream, gw, login, owner, address, filed;

/** What the contract at @at sends, which @by signed. */
async function proof(by = owner, at = address, more = {}) {
  const signer = { address: at, signMessage: (text) => by.signMessage(text) };
  return siweProof(signer, await login.challenge(), ORIGIN, more);
}

const code = () => {
  const args = ["patient", "enrol", "--patient", PATIENT, "--json", "--config", gw.files.file];
  return JSON.parse(execFileSync(program, args, { encoding: "utf8" })).code;
};

async function refused(sent, why) {
  const answer = await login.token(sent);
  assert.equal(answer.status, 400, answer.text);
  assert.match(answer.json().error_description, why);
}

before(async () => {
  chain = await startChain();
  owner = Wallet.createRandom();
  address = await contractWallet(account(0, chain.provider), owner.address);
  upstream = await startUpstream((request, response) => response.end("{}"));
  gw = await startFhirGateway(upstream.base, {
    listener: { login: { origins: [ORIGIN], contract_accounts: true } },
    config: {
      ledger: {
        endpoints: [chain.url],
        chain_id: 31337,
        consent: "0x" + "11".repeat(20),
        anchor: "0x" + "22".repeat(20),
      },
    },
  });
  login = loginAt(gw, ORIGIN);
  const about = { identifier: { system: "urn:mrn", value: "anna" } };
  filed = (await gw.ask("Consent", { method: "POST", body: consent(about) })).json();
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(gw?.gateway.output());
  }
  await gw?.stop();
  upstream?.stop();
  await chain?.stop();
});

test("the contract takes it for its own signature", async () => {
  const first = await login.token(await proof(), code());
  assert.equal(first.status, 200, first.text);
  const sent = await proof();
  const answer = await login.token(sent);
  assert.equal(answer.status, 200, answer.text);
  const { access_token: as } = answer.json();
  assert.equal(decodeJwt(as).sub, `did:pkh:eip155:31337:${address}`);
  assert.equal((await gw.ask(`Consent/${filed.id}/$status`, { as })).status, 200);
  await refused(sent, /used before/);
});

test("it doesn't: another's signature, another text, none that it can read", async () => {
  const sent = await proof();
  await refused(await proof(Wallet.createRandom()), /signature/);
  await refused({ ...sent, message: sent.message.replace("see", "change") }, /signature/);
  for (const signature of ["0x", "0x00", "0xzz", `0x${"00".repeat(65)}`, `0x${"11".repeat(4097)}`]) {
    await refused({ ...sent, signature }, /signature/);
  }
});

test("an account without code says nothing", async () => {
  await refused(await proof(owner, Wallet.createRandom().address), /signature/);
});

test("a contract that isn't an account", async () => {
  const other = await contractWallet(account(0, chain.provider), Wallet.createRandom().address);
  await refused(await proof(owner, other), /signature/);
});

test("site, chain and time are checked as of any account", async () => {
  await refused(await proof(owner, address, { domain: "evil.example" }), /another site/);
  await refused(await proof(owner, address, { chainId: 1 }), /another chain/);
  await refused(await proof(owner, address, { nonce: "f".repeat(80) }), /challenge isn't ours/);
});

test("keys without a contract log in as before", async () => {
  const wallet = Wallet.createRandom();
  const sent = await siweProof(wallet, await login.challenge(), ORIGIN);
  assert.equal((await login.token(sent, code())).status, 200);
});

test("the nodes can't be asked: not now, and the challenge is still good", async () => {
  const sent = await proof();
  await chain.stop();
  const answer = await login.token(sent);
  assert.equal(answer.status, 503, answer.text);
  assert.equal(answer.json().error, "temporarily_unavailable");
});

test("where contracts may not, nobody is asked", async () => {
  const { login: config, ...rest } = gw.files.config.listeners.fhir;
  const may = { ...config, contract_accounts: false };
  gw.files.write({ ...gw.files.config, listeners: { fhir: { ...rest, login: may } } });
  gw.gateway.hup();
  const status = async () => (await login.token(await proof())).status;
  await until("the reload", async () => (await status()) === 400, 60);
  await refused(await proof(), /signature/);
});
