// A patient with a key of her own: says in FHIR what she permits, signs it for the chain
// (EIP-712), and takes it back. She has no ether and talks to nobody but the gateway.
import { sign } from "../../../tests/end_to_end/lib/chain.mjs";
import { sleep, until } from "../../../tests/end_to_end/lib/process.mjs";
import { use } from "../parts/packages.mjs";
import { HOSPITAL, NUMBERS, WARD, ask } from "./world.mjs";

const { Wallet } = use("ethers");

const HOUR = 3600;
const coding = (system, code) => ({ coding: [{ system, code }] });
const actor = (uri) => ({
  role: coding("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"),
  reference: { identifier: { system: "urn:ietf:rfc:3986", value: uri } },
});

/** A Consent as IHE PCF shapes it: treatment at the hospital and its ward, nobody else. */
export const consentOf = (number) => ({
  resourceType: "Consent",
  status: "active",
  scope: coding("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
  category: [coding("http://loinc.org", "59284-0")],
  patient: { identifier: { system: NUMBERS, value: number } },
  dateTime: "2026-03-01",
  provision: {
    type: "permit",
    actor: [actor(HOSPITAL), actor(WARD)],
    purpose: [{ system: "http://terminology.hl7.org/CodeSystem/v3-ActReason", code: "TREAT" }],
  },
});

const parameters = (values) => ({
  resourceType: "Parameters",
  parameter: Object.entries(values).map(([name, value]) => ({ name, valueString: `${value}` })),
});

/** Values of a Parameters resource by name; of several of one name the last. */
const named = ({ parameter = [] }) =>
  Object.fromEntries(parameter.map(({ name, ...value }) => [name, Object.values(value)[0]]));

/** The patient of @number, with a new key. */
export async function patient(world, number) {
  const wallet = Wallet.createRandom();
  const token = await world.token(HOSPITAL, "patient-portal", {
    client_id: "portal",
    scope: "user/Consent.cruds",
  });
  const registry = { getAddress: async () => world.contracts.consent };
  const signed = async (type, message) =>
    `0x${(await sign(wallet, registry, type, message)).slice(4)}`;
  let id;
  let version;

  const operate = (name, values) =>
    ask(world, token, `Consent/${id}/$${name}`, { method: "POST", body: parameters(values) });

  return {
    number,
    address: wallet.address,
    consentId: () => `0x${id}`,
    /** File the consent: the gateway's answer, which says what is to be signed. */
    async file() {
      const answer = await ask(world, token, "Consent", {
        method: "POST",
        body: consentOf(number),
      });
      id = answer.json.id;
      version = Number(answer.json.meta?.versionId);
      return answer;
    },
    /** Sign what @filed says and hand in the signature: the answer. */
    async grant(filed) {
      const { extension } = filed.extension.find(({ url }) => url === "urn:chartseal:grant");
      const asked = Object.fromEntries(
        extension.map(({ url, valueString }) => [url, valueString]),
      );
      const message = {
        consentId: asked.consentId,
        commitment: asked.commitment,
        controller: wallet.address,
        version,
        validFrom: Number(asked.validFrom),
        validUntil: Number(asked.validUntil),
        deadline: Math.floor(Date.now() / 1000) + HOUR,
      };
      const { controller, validFrom, validUntil, deadline } = message;
      const signature = await signed("grant", message);
      return operate("grant", { controller, validFrom, validUntil, deadline, signature });
    },
    /** Take it back: the answer. */
    async revoke() {
      const signature = await signed("revoke", { consentId: `0x${id}`, version });
      return operate("revoke", { signature });
    },
    /** What the gateway knows of it on chain: chain, block, grant, …. */
    async status() {
      return named((await ask(world, token, `Consent/${id}/$status`)).json);
    },
    /** Wait until the chain's state of it is @word (granted, safe, revoked). */
    until(word, seconds = 30) {
      return until(
        `consent of patient ${number} ${word}`,
        async () => {
          await sleep(200);
          const status = await this.status();
          return status.chain === word && status;
        },
        seconds,
      );
    },
  };
}
