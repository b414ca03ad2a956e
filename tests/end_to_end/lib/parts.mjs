// The parts of tests and demo, each started on a port of its own. What start…() returns has the
// process's stop() and kill() besides what is named here.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

import { accepts, freePort, parts, start, top } from "./process.mjs";

const node = path.join(top, "docker/node");

const folders = [];
process.on("exit", () => folders.forEach((made) => rmSync(made, { recursive: true, force: true })));

/** A folder that is removed when the tests end. */
export function folder(name = "chartseal") {
  const made = mkdtempSync(path.join(os.tmpdir(), `${name}-`));
  folders.push(made);
  return made;
}

/** Lines of NDJSON @file so far, parsed; a last line still being written is left out. */
export function ndjson(file) {
  if (!existsSync(file)) {
    return [];
  }
  const text = readFileSync(file, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return whole
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

async function listen(script, port, options, more = {}) {
  port ??= await freePort();
  const args = Object.entries(options).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [`--${name}`, value],
  );
  const ready = () => accepts(port);
  const started = await start(node, [script, "--port", port, ...args], { ready, ...more });
  return { ...started, port };
}

/** Medplum's FHIR server: base, requests() (method, url and status of each so far). */
export async function startFhirServer({ port, where = folder("fhir"), ...options } = {}) {
  const log = path.join(where, "requests.ndjson");
  const part = path.join(parts, "fhir_server.mjs");
  const server = await listen(part, port, { log, ...options }, { seconds: 60 });
  const base = `http://127.0.0.1:${server.port}/fhir/R4`;
  return { ...server, base, requests: () => ndjson(log) };
}

/**
 * The plain store: base, stats(), dump(), fail({status, times, match}), delay(ms),
 * hold(match), go().
 */
export async function startPlainStore({ port, ...options } = {}) {
  const script = path.join(top, "tests/end_to_end/plain_store.mjs");
  const server = await listen(script, port, options);
  const origin = `http://127.0.0.1:${server.port}`;
  const control = async (what) => (await fetch(`${origin}/${what}`)).text();
  return {
    ...server,
    base: `${origin}/fhir`,
    stats: async () => JSON.parse(await control("$stats")),
    dump: async () => (await control("$dump")).split("\n").filter(Boolean).map(JSON.parse),
    fail: (how) => control(`$fail?${new URLSearchParams(how)}`),
    batches: (taken) => control(`$batches?taken=${taken}`),
    delay: (ms) => control(`$delay?ms=${ms}`),
    hold: (match) => control(`$hold?${new URLSearchParams({ match })}`),
    go: () => control("$go"),
  };
}

/** The v2 receiver: received() (each with id, type, answer, bytes: Buffer), behave(word). */
export async function startReceiver({ port, where = folder("v2"), ...options } = {}) {
  const out = path.join(where, "received.ndjson");
  const behave = path.join(where, "behave");
  const part = path.join(parts, "v2_receiver.mjs");
  const server = await listen(part, port, { out, behave, ...options });
  return {
    ...server,
    behave: (word) => writeFileSync(behave, word),
    received: () =>
      ndjson(out).map((line) => ({ ...line, bytes: Buffer.from(line.bytes, "base64") })),
  };
}
