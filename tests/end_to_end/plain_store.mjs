// A plain FHIR store for tests of volume and of exact bytes. What it is given it keeps as bytes
// and gives back as the same bytes: it adds no id, version or date to a resource, so a decimal
// such as 1.00, spacing and member order stay. Indexes make every operation here constant in
// the number of resources. Not a FHIR server: no validation, few parameters, one version of
// each.
//
//   docker/node tests/end_to_end/plain_store.mjs --port 8104 [--host 127.0.0.1] [--state FILE]
//
// Base /fhir. Knows read, search by _id, identifier, patient, subject, (and nothing else: 400),
// _count, POST (new UUID, put as first member if the body has no id), PUT with the client's id,
// If-Match (W/"n", 412), If-None-Exist, PUT Type?identifier=, DELETE, POST /fhir with
// transaction (all or nothing, really) or batch, urn:uuid references and conditional references
// resolved by replacing the text, no more. ETag W/"n" counts the versions.
//
// /$stats: {"resources": n, "writes": n, "held": n, "batches": n, "all": [{"type", "id", "version", "sha256"}…]}
// /$dump: NDJSON of all, each {"type", "id", "version", "body": text}
// /$fail?status=503&times=2&match=Patient: the next requests whose URL has the text get that
// status; status=0 closes the connection after half of the answer. /$delay?ms=200: each answer
// waits. /$batches?taken=no: batches are refused (405) from then on. /$hold?match=Patient: requests whose URL has the text wait, until /$go.
//
// --state appends each write to a file before it is answered and reads it at the start: what
// was answered survives kill -9 of the store.
import { createHash, randomUUID } from "node:crypto";
import { existsSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import http from "node:http";

import { options } from "../../docker/demo/parts/packages.mjs";

const BASE = "/fhir";
const given = options({ port: 8104, host: "127.0.0.1", state: "" });

const byKey = new Map(); // "Type/id": { type, id, version, text, keys }
const index = new Map(); // "Type?param=value": Set of "Type/id"
let writes = 0;
let state = 0;
let fail = { times: 0 };
let delay = 0;
let takesBatches = true;
let batches = 0;
let hold; // text in the URL of requests that wait
const held = []; // what goes on with each

class Refusal extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

// ---- Store ----

/** Under which searches @resource is found. */
function keysOf(resource) {
  const { resourceType: type, identifier, masterIdentifier, subject, patient, beneficiary } = resource;
  const keys = new Set([`${type}?`]);
  for (const { system = "", value = "" } of [masterIdentifier ?? [], identifier ?? []].flat()) {
    keys.add(`${type}?identifier=${system}|${value}`);
    keys.add(`${type}?identifier=${value}`);
  }
  for (const about of [subject, patient, beneficiary]) {
    if (about?.reference) {
      keys.add(`${type}?subject=${about.reference}`);
    }
  }
  return keys;
}

function drop(key) {
  const old = byKey.get(key);
  old?.keys.forEach((k) => index.get(k).delete(key));
  byKey.delete(key);
  return old;
}

/** Put @text (null: delete) as the next version; returns what undoes it. */
function put(type, id, text) {
  const key = `${type}/${id}`;
  const old = drop(key);
  if (text !== null) {
    const keys = keysOf(JSON.parse(text));
    keys.forEach((k) => index.get(k)?.add(key) ?? index.set(k, new Set([key])));
    byKey.set(key, { type, id, version: (old?.version ?? 0) + 1, text, keys });
  }
  writes++;
  return () => {
    drop(key);
    if (old) {
      old.keys.forEach((k) => index.get(k).add(key));
      byKey.set(key, old);
    }
    writes--;
  };
}

/** Commit @changes ([type, id, text]…) to the state file as one line: all or none of them. */
function keep(changes) {
  if (given.state && changes.length > 0) {
    writeSync(state, `${JSON.stringify(changes)}\n`);
  }
}

function load() {
  if (given.state && existsSync(given.state)) {
    const text = readFileSync(given.state);
    const whole = text.subarray(0, text.lastIndexOf("\n") + 1);
    for (const line of whole.toString("utf8").split("\n").filter(Boolean)) {
      JSON.parse(line).forEach(([type, id, body]) => put(type, id, body));
    }
    truncateSync(given.state, whole.length); // a torn last line wasn't answered
  }
  state = given.state ? openSync(given.state, "a") : 0;
}

/** Keys of what a search of @type for @params finds, in order of their writing. */
function find(type, params) {
  let found;
  for (const [name, value] of params) {
    let keys;
    if (name === "_id") {
      keys = new Set(
        value
          .split(",")
          .map((id) => `${type}/${id}`)
          .filter((k) => byKey.has(k)),
      );
    } else if (name === "identifier") {
      const tokens = value.match(/(\\.|[^,\\])+/g) ?? [];
      keys = union(type, "identifier", tokens.map((one) => one.replace(/\\(.)/g, "$1")));
    } else if (name === "patient" || name === "subject") {
      const ids = value.split(",").map((v) => (v.includes("/") ? v : `Patient/${v}`));
      keys = union(type, "subject", ids);
    } else if (name.startsWith("_count") || name === "_format" || name === "_total") {
      continue;
    } else {
      throw new Refusal(400, `unknown parameter ${name}`);
    }
    found = found ? new Set([...found].filter((k) => keys.has(k))) : keys;
  }
  return [...(found ?? index.get(`${type}?`) ?? [])];
}

function union(type, param, values) {
  const keys = new Set();
  for (const value of values) {
    index.get(`${type}?${param}=${value}`)?.forEach((key) => keys.add(key));
  }
  return keys;
}

function one(type, query) {
  const found = find(type, new URLSearchParams(query));
  if (found.length > 1) {
    throw new Refusal(412, "more than one matches");
  }
  return found[0] && byKey.get(found[0]);
}

// ---- Interactions: each returns { status, text, resource record } ----

const answerOf = (status, record) => ({ status, text: record?.text, record });

function withId(text, id) {
  return text.replace("{", `{"id":${JSON.stringify(id)},`);
}

function parse(text, type) {
  let resource;
  try {
    resource = JSON.parse(text);
  } catch (error) {
    throw new Refusal(400, error.message);
  }
  if (type && resource.resourceType !== type) {
    throw new Refusal(400, `not a ${type}`);
  }
  return resource;
}

function write(changes, type, id, text) {
  changes.undo.push(put(type, id, text));
  changes.list.push([type, id, text]);
  return byKey.get(`${type}/${id}`);
}

function create(changes, type, { text, ifNoneExist, newId = randomUUID() }) {
  const resource = parse(text, type);
  const existing = ifNoneExist && one(type, ifNoneExist);
  if (existing) {
    return answerOf(200, existing);
  }
  const id = resource.id ?? newId;
  const whole = resource.id === undefined ? withId(text, id) : text;
  return answerOf(201, write(changes, type, id, whole));
}

function update(changes, type, id, { text, ifMatch }) {
  const resource = parse(text, type);
  if (resource.id !== id) {
    throw new Refusal(400, "the body has another id");
  }
  const old = byKey.get(`${type}/${id}`);
  if (ifMatch && ifMatch !== `W/"${old?.version ?? 0}"`) {
    throw new Refusal(412, "another version");
  }
  return answerOf(old ? 200 : 201, write(changes, type, id, text));
}

function conditionalUpdate(changes, type, query, { text, ifMatch, newId = randomUUID() }) {
  const resource = parse(text, type);
  const id = one(type, query)?.id ?? resource.id ?? newId;
  const whole = resource.id === undefined ? withId(text, id) : text;
  return update(changes, type, id, { text: whole, ifMatch });
}

function remove(changes, type, id) {
  if (!byKey.has(`${type}/${id}`)) {
    throw new Refusal(404, "no such resource");
  }
  write(changes, type, id, null);
  return { status: 204 };
}

function read(type, id) {
  const record = byKey.get(`${type}/${id}`);
  if (!record) {
    throw new Refusal(404, "no such resource");
  }
  return answerOf(200, record);
}

function search(type, query, host) {
  const params = new URLSearchParams(query);
  const found = find(type, params);
  const count = params.has("_count") ? Number(params.get("_count")) : found.length;
  const entries = found.slice(0, count).map((key) => {
    const url = JSON.stringify(`http://${host}${BASE}/${key}`);
    return `{"fullUrl":${url},"resource":${byKey.get(key).text},"search":{"mode":"match"}}`;
  });
  const start = `{"resourceType":"Bundle","type":"searchset","total":${found.length}`;
  const list = entries.length > 0 ? `,"entry":[${entries.join(",")}]` : "";
  return { status: 200, text: `${start}${list}}` };
}

/** One request: also an entry of a Bundle. */
function interact(changes, asked) {
  const { method, url, text, host } = asked;
  const [path, query] = url.split(/\?(.*)/s);
  const [type, id, ...more] = path.split("/").filter(Boolean);
  if (!type || more.length > 0) {
    throw new Refusal(404, "not known here");
  }
  if (method === "GET" || method === "HEAD") {
    return id ? read(type, id) : search(type, query, host);
  }
  if (method === "POST" && id === "_search") {
    return search(type, [query, text].filter(Boolean).join("&"), host);
  }
  if (method === "POST" && !id) {
    return create(changes, type, asked);
  }
  if (method === "PUT" && id) {
    return update(changes, type, id, asked);
  }
  if (method === "PUT" && query) {
    return conditionalUpdate(changes, type, query, asked);
  }
  if (method === "DELETE" && id) {
    return remove(changes, type, id);
  }
  throw new Refusal(405, "not known here");
}

// ---- Bundles ----

const spans = new WeakMap(); // resource of an entry: its text, as it was given

/** Parse Bundle @text and remember the text of each entry's resource. */
function parseWithSpans(text) {
  const bundle = parse(text);
  let entry = 0;
  for (const [from, to] of resourceSpans(text)) {
    while (bundle.entry?.[entry] && !bundle.entry[entry].resource) {
      entry++;
    }
    const resource = bundle.entry?.[entry++]?.resource;
    if (resource) {
      spans.set(resource, text.slice(from, to));
    }
  }
  return bundle;
}

/** Where the values of member "resource" of the Bundle's entries stand: objects at depth 3. */
function* resourceSpans(text) {
  let depth = 0;
  let from = -1;
  let name = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') {
      const start = i + 1;
      for (i++; text[i] !== '"'; i++) {
        i += text[i] === "\\" ? 1 : 0;
      }
      if (depth === 3) {
        name = text.slice(start, i);
      }
    } else if (c === "{" || c === "[") {
      if (depth === 3 && name === "resource" && c === "{") {
        from = i;
      }
      depth++;
    } else if (c === "}" || c === "]") {
      depth--;
      if (depth === 3 && from >= 0) {
        yield [from, i + 1];
        from = -1;
      }
    }
  }
}

/** What stands for what in the texts of @bundle: urn:uuid of entries, conditional references. */
function resolutions(bundle) {
  const known = new Map();
  for (const { fullUrl, resource, request } of bundle.entry ?? []) {
    if (!fullUrl?.startsWith("urn:") || !resource) {
      continue;
    }
    const [type, id] = request.url.split(/[/?]/);
    let old;
    if (request.url.includes("?")) {
      old = one(type, request.url.split(/\?(.*)/s)[1]);
    } else if (request.ifNoneExist) {
      old = one(type, request.ifNoneExist);
    }
    const chosen = request.method === "PUT" && !request.url.includes("?") ? id : undefined;
    known.set(fullUrl, `${type}/${chosen ?? old?.id ?? resource.id ?? randomUUID()}`);
  }
  return known;
}

function resolve(text, known) {
  return text.replace(
    /"((?:urn:uuid:[^"]+)|(?:[A-Z][A-Za-z]+\?identifier=[^"]+))"/g,
    (whole, what) => {
      if (known.has(what)) {
        return JSON.stringify(known.get(what));
      }
      if (what.startsWith("urn:")) {
        return whole;
      }
      const [type, query] = what.split("?");
      const found = one(type, query);
      if (!found) {
        throw new Refusal(412, `nothing matches ${type}?identifier=…`);
      }
      return JSON.stringify(`${type}/${found.id}`);
    },
  );
}

function bundle(text, host) {
  const parsed = parseWithSpans(text);
  const transaction = parsed.type === "transaction";
  if (!transaction && parsed.type !== "batch") {
    throw new Refusal(400, "neither transaction nor batch");
  }
  if (!transaction && !takesBatches) {
    throw new Refusal(405, "no batches here");
  }
  batches += transaction ? 0 : 1;
  const changes = { list: [], undo: [] };
  const known = resolutions(parsed);
  const order = ["DELETE", "POST", "PUT", "GET", "HEAD"];
  const rank = ({ request }) => order.indexOf(request.method);
  const entries = parsed.entry ?? [];
  const sorted = entries
    .map((_, i) => i)
    .sort((a, b) => rank(entries[a]) - rank(entries[b]) || a - b);
  const answers = new Array(entries.length);
  try {
    for (const i of sorted) {
      const { request, fullUrl, resource } = entries[i];
      const before = changes.undo.length;
      try {
        const text = resource && resolve(spans.get(resource), known);
        const newId = known.get(fullUrl)?.split("/")[1];
        answers[i] = { ...interact(changes, { ...request, text, newId, host }), method: request.method };
      } catch (error) {
        if (transaction || !(error instanceof Refusal)) {
          throw error;
        }
        undo(changes, before);
        answers[i] = { status: error.status };
      }
    }
  } catch (error) {
    undo(changes, 0);
    throw error;
  }
  keep(changes.list);
  return { status: 200, text: bundleAnswer(parsed.type, answers, host) };
}

function undo(changes, until) {
  while (changes.undo.length > until) {
    changes.undo.pop()();
    changes.list.pop();
  }
}

function bundleAnswer(type, answers, host) {
  const entry = answers.map(({ status, text, record, method }) => {
    const response = { status: `${status} ${http.STATUS_CODES[status]}` };
    if (record) {
      const path = `${record.type}/${record.id}/_history/${record.version}`;
      response.location = `http://${host}${BASE}/${path}`;
      response.etag = `W/"${record.version}"`;
    }
    const found = text && (!record || method === "GET") ? `"resource":${text},` : "";
    return `{${found}"response":${JSON.stringify(response)}}`;
  });
  return `{"resourceType":"Bundle","type":"${type}-response","entry":[${entry.join(",")}]}`;
}

// ---- HTTP ----

const outcome = (status, text) =>
  JSON.stringify({
    resourceType: "OperationOutcome",
    issue: [
      {
        severity: "error",
        code: status === 404 ? "not-found" : "processing",
        diagnostics: text,
      },
    ],
  });

function stats() {
  const all = [...byKey.values()].map(({ type, id, version, text }) => ({
    type,
    id,
    version,
    sha256: createHash("sha256").update(text).digest("hex"),
  }));
  return JSON.stringify({ resources: byKey.size, writes, held: held.length, batches, all });
}

function* dump() {
  for (const { type, id, version, text } of byKey.values()) {
    yield `${JSON.stringify({ type, id, version, body: text })}\n`;
  }
}

function control(path, params) {
  switch (path) {
    case "/$stats":
      return stats();
    case "/$dump":
      return [...dump()].join("");
    case "/$fail":
      fail = {
        status: Number(params.get("status") ?? 503),
        times: Number(params.get("times") ?? 1),
        match: params.get("match") ?? "",
      };
      return "{}";
    case "/$delay":
      delay = Number(params.get("ms") ?? 0);
      return "{}";
    case "/$batches":
      takesBatches = params.get("taken") !== "no";
      return "{}";
    case "/$hold":
      hold = params.get("match") ?? "";
      return "{}";
    case "/$go":
      hold = undefined;
      held.splice(0).forEach((goOn) => goOn());
      return "{}";
    default:
      return undefined;
  }
}

function handle(request, text) {
  if (!request.url.startsWith(BASE)) {
    throw new Refusal(404, `the base is ${BASE}`);
  }
  const url = request.url.slice(BASE.length).replace(/^\//, "");
  const host = request.headers.host;
  if (url === "metadata") {
    return {
      status: 200,
      text: '{"resourceType":"CapabilityStatement","status":"active","fhirVersion":"4.0.1"}',
    };
  }
  if (url === "" && request.method === "POST") {
    return bundle(text, host);
  }
  const changes = { list: [], undo: [] };
  const ifMatch = request.headers["if-match"];
  const ifNoneExist = request.headers["if-none-exist"];
  const asked = { method: request.method, url, text, ifMatch, ifNoneExist, host };
  const answer = interact(changes, asked);
  keep(changes.list);
  return answer;
}

function respond(request, response, { status, text, record }) {
  const headers = { "content-type": "application/fhir+json" };
  if (record) {
    headers.etag = `W/"${record.version}"`;
    if (request.method !== "GET") {
      const path = `${record.type}/${record.id}/_history/${record.version}`;
      headers.location = `http://${request.headers.host}${BASE}/${path}`;
    }
  }
  headers["content-length"] = Buffer.byteLength(text ?? "");
  response.writeHead(status, headers);
  response.end(request.method === "HEAD" ? undefined : text);
}

function asked(request, response, text) {
  const [path, query] = request.url.split("?");
  const said = control(path, new URLSearchParams(query));
  if (said !== undefined) {
    return respond(request, response, { status: 200, text: said });
  }
  const failing = fail.times > 0 && request.url.includes(fail.match);
  if (failing && fail.status > 0) {
    fail.times--;
    return respond(request, response, {
      status: fail.status,
      text: outcome(fail.status, "on demand"),
    });
  }
  let answer;
  try {
    answer = handle(request, text);
  } catch (error) {
    const status = error instanceof Refusal ? error.status : 500;
    answer = { status, text: outcome(status, error.message) };
  }
  if (failing) {
    fail.times--;
    const size = Buffer.byteLength(answer.text ?? "");
    response.writeHead(answer.status, { "content-length": size });
    response.write(Buffer.from(answer.text ?? "").subarray(0, size / 2), () =>
      response.destroy(),
    );
    return undefined;
  }
  return respond(request, response, answer);
}

load();
const server = http.createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const text = Buffer.concat(pieces).toString("utf8");
    const controls = request.url.startsWith("/$");
    if (!controls && hold !== undefined && request.url.includes(hold)) {
      held.push(() => asked(request, response, text));
    } else if (!controls && delay > 0) {
      setTimeout(asked, delay, request, response, text);
    } else {
      asked(request, response, text);
    }
  });
});
server.keepAliveTimeout = 60000;
server.listen(given.port, given.host, () => {
  console.log(`plain store at http://${given.host}:${server.address().port}${BASE}`);
});
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => process.exit(0));
}
