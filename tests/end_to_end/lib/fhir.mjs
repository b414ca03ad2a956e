// A gateway between FHIR clients and a FHIR server, for end-to-end tests.
import assert from "node:assert/strict";
import path from "node:path";

import { toSign } from "./controller.mjs";
import { configure, freshLedger, migrate, records, serve, startPostgres } from "./gateway.mjs";
import { freePort, until } from "./process.mjs";
import { folder } from "./parts.mjs";
import { issuer } from "./token.mjs";

export const CLINIC = "urn:oid:1.2.276.0.76.1";

const LEDGER = {
  endpoints: ["http://127.0.0.1:9"],
  chain_id: 31337,
  consent: "0x" + "11".repeat(20),
  anchor: "0x" + "22".repeat(20),
};

/**
 * The FHIR port of a gateway to be: its listener, and an issuer whose tokens it takes. @others
 * are more issuers, each with what the configuration says of it: [[made, { roles }]]. Their
 * keys are in files, unless that names a URL.
 */
export async function fhirPort({ others = [] } = {}) {
  const made = await issuer();
  const port = await freePort();
  const base = `http://127.0.0.1:${port}/fhir`;
  const issuers = [[made, {}], ...others].map(([one, said]) => {
    const keys = said.jwks_url ? {} : { jwks_file: path.join(folder("jwks"), "jwks.json") };
    if (keys.jwks_file) {
      one.write(keys.jwks_file);
    }
    return { issuer: one.iss, audience: base, ...keys, ...said };
  });
  /** A token of a clinician, issued by @by; claims as given replace the usual ones. */
  const token = (claims = {}, by = made) =>
    by.token({
      aud: base,
      sub: "dr-who",
      client_id: "ward-app",
      scope: "user/*.cruds",
      extensions: {
        "hl7-b2b": {
          version: "1",
          organization_id: CLINIC,
          purpose_of_use: ["urn:oid:2.16.840.1.113883.5.8#TREAT"],
        },
      },
      ...claims,
    });
  /** Ask; the answer with status, text, json() and headers. */
  const ask = async (where, { method = "GET", body, headers = {}, as, claims } = {}) => {
    const answer = await fetch(`${base}/${where}`, {
      method,
      headers: {
        accept: "application/fhir+json",
        ...(as === null ? {} : { authorization: `Bearer ${as ?? (await token(claims))}` }),
        ...(body === undefined ? {} : { "content-type": "application/fhir+json" }),
        ...headers,
      },
      body: typeof body === "object" ? JSON.stringify(body) : body,
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      json: () => JSON.parse(text),
    };
  };
  const listener = {
    protocol: "fhir",
    address: `127.0.0.1:${port}`,
    base,
    issuers,
  };
  return { base, listener, issuer: made, token, ask };
}

/**
 * PostgreSQL, an issuer and a gateway in front of @upstream (its base URL). @listener is said of
 * its port besides; @listeners and @routes are more of these.
 */
export async function startFhirGateway(
  upstream,
  { listener, route, destination, staleness, config, listeners, routes = [], ...more } = {},
) {
  const postgres = await startPostgres();
  const port = await fhirPort(more);
  const files = await configure(postgres, {
    listeners: { fhir: { ...port.listener, ...listener }, ...listeners },
    destinations: {
      ehr: { protocol: "fhir", url: upstream, organization: "urn:oid:1.2.9", ...destination },
    },
    routes: [{ from: "fhir", to: ["ehr"], ...route }, ...routes],
    ...(staleness ? { ledger: { ...LEDGER, max_staleness: staleness } } : {}),
    ...config,
  });
  migrate(files);
  const ledger = { ...freshLedger(postgres), start: () => (ledger.stop = freshLedger(postgres).stop) };
  const gateway = await serve(files);
  return {
    ...port,
    files,
    postgres,
    ledger,
    gateway,
    /** Records of the log, in the order of their ids. */
    records: () => records(postgres),
    /**
     * File a consent of Patient/@id and have it on chain; resolves when it is in force, to what
     * was signed. @more is said in it, @claims are of somebody whom it permits to read.
     */
    async permit(id, more = {}, claims) {
      const body = consent({ reference: `Patient/${id}` }, more);
      const filed = await port.ask("Consent", { method: "POST", body });
      assert.equal(filed.status, 201, filed.text);
      const grant = toSign(filed.json());
      grantOnChain(postgres, grant);
      const asked = async () => (await port.ask(`Patient/${id}`, { claims })).status;
      await until(`consent of ${id}`, async () => (await asked()) === 200);
      return grant;
    },
    async stop() {
      ledger.stop();
      await gateway.stop();
      postgres.stop();
    },
  };
}

const TREAT = {
  system: "http://terminology.hl7.org/CodeSystem/v3-ActReason",
  code: "TREAT",
};

/** @actor: identifier of an organization, or a Reference. */
const recipient = (actor) => ({
  role: {
    coding: [
      {
        system: "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
        code: "PRCP",
      },
    ],
  },
  reference:
    typeof actor === "string"
      ? { identifier: { system: "urn:ietf:rfc:3986", value: actor } }
      : actor,
});

const policy = (code) => ({
  coding: [{ system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code }],
});

/** What a Consent says that permits all but @actor. */
export const allBut = (actor) => ({
  policyRule: policy("OPTIN"),
  provision: { provision: [{ type: "deny", actor: [recipient(actor)] }] },
});

/** A Consent of @patient (a Reference) that permits @organization (one or more actors) treatment. */
export function consent(patient, { organization = CLINIC, purpose = TREAT, ...more } = {}) {
  return {
    resourceType: "Consent",
    status: "active",
    scope: {
      coding: [
        {
          system: "http://terminology.hl7.org/CodeSystem/consentscope",
          code: "patient-privacy",
        },
      ],
    },
    category: [{ coding: [{ system: "http://loinc.org", code: "59284-0" }] }],
    patient,
    dateTime: "2026-01-01",
    policyRule: policy("OPTOUT"),
    provision: {
      provision: [
        {
          type: "permit",
          actor: [organization].flat().map(recipient),
          purpose: [purpose],
        },
      ],
    },
    ...more,
  };
}

/** Stands in for the chain and its follower: @grant (from toSign()) is there, and safe. */
export function grantOnChain(postgres, grant, { revoked = false, safe = true } = {}) {
  const hex = (text) => `decode('${text.slice(2)}', 'hex')`;
  postgres.sql(
    `INSERT INTO consent_chain (consent, chain, version, granted, commitment, controller,
       valid_from, valid_until, revoked, safe, block_number, block_hash)
     VALUES (${hex(grant.consentId)}, ${grant.chainId}, ${grant.version}, ${grant.version},
       ${hex(grant.commitment)}, decode(repeat('77', 20), 'hex'), ${grant.validFrom},
       ${grant.validUntil}, ${revoked}, ${safe}, 7, decode(repeat('00', 32), 'hex'))
     ON CONFLICT (consent) DO UPDATE SET version = excluded.version,
       granted = excluded.granted, commitment = excluded.commitment, revoked = excluded.revoked, safe = excluded.safe`,
  );
}
