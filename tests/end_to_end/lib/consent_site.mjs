// A site whose consents are real: a chain with the contracts, a FHIR port where they are filed,
// patients with keys of their own. Grants and revocations are sent to the chain by another tool
// (ethers), so that the gateway hears of them from the chain alone, or by the gateway itself.
import assert from "node:assert/strict";

import { NonceManager } from "ethers";

import { account, at, deployAll, keystore, ofKey, startChain } from "./chain.mjs";
import { controller } from "./controller.mjs";
import { CLINIC, consent, fhirPort } from "./fhir.mjs";
import { folder } from "./parts.mjs";
import { freePort, until } from "./process.mjs";
import { startSite } from "./site.mjs";
import { acked, send } from "./v2.mjs";

const SYSTEM = "urn:oid:1.2.3.4"; // of the numbers that senders write as LAB
export const WARD = "urn:oid:1.2.10"; // the organisation of the v2 receiver
export const EHR = "urn:oid:1.2.9"; // that of the FHIR server
export const EVERYBODY = [WARD, EHR, CLINIC];

/** The registry at @address as two others use it: who relays grants, and anybody. */
function tools(chain, address) {
  const of = (i) => at(address, "ConsentRegistry", new NonceManager(account(i, chain.provider)));
  return { relayer: of(0), anybody: of(2) };
}

/** Sends what patients sign as another tool does. */
const byTool = (site) => ({
  grant: async ({ grant, signature }) =>
    (await site.tools.relayer.grant(grant, ofKey(signature))).wait(),
  revoke: async (id, version, signature) =>
    (await site.tools.anybody.revoke(`0x${id}`, version, ofKey(signature))).wait(),
  rotate: async ({ rotate: { consentId, version, to, deadline }, signature }) =>
    (
      await site.tools.anybody.rotateController(
        consentId,
        version,
        to,
        deadline,
        ofKey(signature),
      )
    ).wait(),
});

/** Hands it in at the gateway, which sends it. */
function byGateway(site) {
  const operate = async (id, name, values) => {
    const parameter = Object.entries(values).map(([key, value]) => ({
      name: key,
      valueString: `${value}`,
    }));
    const body = { resourceType: "Parameters", parameter };
    const answer = await site.ask(`Consent/${id}/$${name}`, { method: "POST", body });
    assert.equal(answer.status, 202, answer.text);
  };
  return {
    grant: ({ grant, ...signatures }) => {
      const { consentId, controller, validFrom, validUntil, deadline } = grant;
      const given = { controller, validFrom, validUntil, deadline, ...signatures };
      return operate(consentId.slice(2), "grant", given);
    },
    revoke: (id, version, signature) => operate(id, "revoke", { signature }),
  };
}

/** A patient of @site with the number @number and a key. */
function patient(site, number) {
  const key = controller(site.registry);
  let id;
  let version;
  const known = (state) =>
    until(
      `consent of ${number} ${state}`,
      async () => {
        const { parameter } = (await site.ask(`Consent/${id}/$status`)).json();
        return parameter.some((one) => one.name === "chain" && one.valueCode === state);
      },
      60,
    );
  return {
    /** Of the consent filed last, as the chain has it, without 0x. */
    id: () => id,
    /** File a consent for @organization, or of what @said says, and have it on chain; resolves
     *  when it is in force. */
    async permit(organization = EVERYBODY, said = {}) {
      const about = { identifier: { system: SYSTEM, value: number } };
      const extension = id && [{ url: "urn:chartseal:consent-id", valueString: id }];
      const body = consent(about, { organization, ...(extension && { extension }), ...said });
      const filed = await site.ask("Consent", { method: "POST", body });
      assert.equal(filed.status, 201, filed.text);
      const signed = await key.grant(filed.json());
      ({ id } = filed.json());
      ({ version } = signed.grant);
      await site.sends.grant(signed);
      await known("safe");
    },
    /** Hand it to a new key; resolves when the chain's version of it is known to be another. */
    async rotate() {
      version++;
      await site.sends.rotate(await key.rotate(`0x${id}`, version));
      await until(`consent of ${number} rotated`, async () => {
        const { parameter } = (await site.ask(`Consent/${id}/$status`)).json();
        return parameter.some((one) => one.name === "chainVersion" && one.valueInteger === version);
      });
    },
    /** Take it back on chain; resolves when the gateway has heard of it. */
    async revoke() {
      await site.sends.revoke(id, version, await key.revoke(`0x${id}`, version));
      await known("revoked");
    },
  };
}

/** Send v2 message @text to @site. It is acknowledged, whatever becomes of it. */
async function take(site, text) {
  const { code, exchange } = acked(await send(site.port, text));
  assert.equal(code, "AA");
  const rows = () => {
    const its = site.outbox().filter((row) => row.exchange.endsWith(exchange));
    assert.ok(its.length > 0, "taken, so there are rows");
    return its;
  };
  return {
    text,
    rows,
    /** Until all of its rows are in @state. */
    becomes: (state) =>
      until(`${exchange} ${state}`, () => rows().every((row) => row.state === state), 60),
    /** What became of it for good: "delivered", "withheld" or "parked", by destination. */
    async end() {
      const open = ["open", "held"];
      await until(`the end of ${exchange}`, () => !rows().some((row) => open.includes(row.state)));
      return Object.fromEntries(rows().map(({ destination, state }) => [destination, state]));
    },
    records: () => site.records().filter((one) => one.exchange.endsWith(exchange)),
  };
}

/**
 * Start one; options are those of startSite(). Routes enforce unless they say otherwise.
 * @staleness is the ledger's max_staleness, @state a file that holds the chain over a restart.
 * @others are more issuers, as of fhirPort(). With @sends the gateway sends grants and
 * revocations, and anchors its log each second.
 */
export async function startConsentSite({
  routes = [{}],
  listeners = {},
  staleness = "10s",
  state = "",
  sends = false,
  others = [],
  ...more
} = {}) {
  const chainPort = await freePort();
  const start = (blockTime) => startChain({ port: chainPort, blockTime, env: { STATE: state } });
  const chain = await start("");
  const [relayer, operator] = [0, 1]; // accounts
  const { registry, anchor } = await deployAll(
    account(relayer, chain.provider),
    undefined,
    account(operator).address,
  );
  await chain.rpc("evm_setIntervalMining", 1); // until here each transaction was a block
  const consentAddress = await registry.getAddress();
  const { base, listener, ask, token } = await fhirPort({ others });
  const site = await startSite({
    ...more,
    fresh: false,
    listeners: { fhir: listener, ...listeners },
    routes: [
      ...routes.map((route) => ({ mode: "enforce", ...route })),
      { from: "fhir", to: ["ehr"], mode: "enforce" },
    ],
    config: {
      ledger: {
        endpoints: [chain.url],
        chain_id: 31337,
        consent: consentAddress,
        anchor: await anchor.getAddress(),
        max_staleness: staleness,
        poll: "200ms",
        ...(sends && {
          relayer: keystore(relayer, folder("accounts")),
          anchoring: keystore(operator, folder("accounts")),
          anchor_every: "1s",
        }),
      },
      ...more.config,
    },
  });
  const stopRest = site.stop;
  return Object.assign(site, {
    sends: sends ? byGateway(site) : byTool(site),
    chain,
    registry,
    tools: tools(chain, consentAddress),
    base,
    ask,
    token,
    patient: (number) => patient(site, number),
    take: (text) => take(site, text),
    /** The chain again, after it was killed. */
    async startChain() {
      site.chain = await start(1);
      site.tools = tools(site.chain, consentAddress);
    },
    async stop() {
      await stopRest();
      await site.chain.stop();
    },
  });
}
