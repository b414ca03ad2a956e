// A patient with a key of her own: says in FHIR what she permits, signs it for the chain
// (EIP-712), and takes it back. She has no ether and talks to nobody but the gateway.
import { controller } from "../../../tests/end_to_end/lib/controller.mjs";
import { sleep, until } from "../../../tests/end_to_end/lib/process.mjs";
import { HOSPITAL, NUMBERS, WARD, ask } from "./world.mjs";

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
  const token = await world.token(HOSPITAL, "patient-portal", {
    client_id: "portal",
    scope: "user/Consent.cruds",
  });
  const key = controller({ getAddress: async () => world.contracts.consent });
  let id;
  let version;

  const operate = (name, values) =>
    ask(world, token, `Consent/${id}/$${name}`, { method: "POST", body: parameters(values) });

  return {
    number,
    address: key.address,
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
      const { grant, signature, statementSignature } = await key.grant(filed);
      const { controller: address, validFrom, validUntil, deadline } = grant;
      const window = { validFrom, validUntil, deadline };
      return operate("grant", { controller: address, ...window, signature, statementSignature });
    },
    /** Take it back: the answer. */
    async revoke() {
      return operate("revoke", { signature: await key.revoke(`0x${id}`, version) });
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
