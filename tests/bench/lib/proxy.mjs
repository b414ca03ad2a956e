// P1 to P3: plain pass-through beside nginx (Y1) and haproxy (Y2).
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import https from "node:https";
import http from "node:http";
import path from "node:path";

import { freePort } from "../../end_to_end/lib/process.mjs";
import { folder } from "../../end_to_end/lib/parts.mjs";
import { MINE, OTHERS, ask, memoryOf, program } from "./measure.mjs";
import { race, seconds, short, times, underLoad, whole } from "./measure.mjs";
import { haproxy, nginx, nginxProxy, startServer } from "./peers.mjs";

const CONNECTIONS = 64;
const sizes = { "2 KB": 2048, "30 KB": 30 << 10, "1 MB": 1 << 20 };
const goals = {
  plain: { "2 KB": 0.85, "30 KB": 0.85, "1 MB": 0.8 },
  TLS: { "2 KB": 0.75, "30 KB": 0.7, "1 MB": 0.6 },
};

/** What a client gets at @port, as a digest. */
function digest(port, tls) {
  const get = tls ? https.get : http.get;
  const options = { host: "127.0.0.1", port, path: "/body", rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    const request = get({ ...options, agent: false }, (answer) => {
      const hash = createHash("sha256");
      answer.on("data", (data) => hash.update(data));
      answer.on("end", () => resolve(`${answer.statusCode} ${hash.digest("hex")}`));
    });
    request.on("error", reject);
  });
}

/** Bare upstream without TLS; with TLS a nginx that serves a file. */
async function startUpstream(where, size, tls) {
  const port = await freePort();
  const file = path.join(where, `body-${size}`, "body");
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, "0123456789abcdef".repeat(size / 16));
  if (!tls) {
    return startServer(OTHERS, program("bench_upstream"), [`127.0.0.1:${port}`, file], port);
  }
  const server = `server { listen 127.0.0.1:${port} ssl; root ${path.dirname(file)};
    open_file_cache max=10; }`;
  return startServer(OTHERS, ...nginx(where, `up-${port}`, server), port);
}

async function startOurs(where, upstream, tls) {
  const port = await freePort();
  const files = ["-c", path.join(where, "cert.pem"), "-k", path.join(where, "key.pem"), "-u"];
  const args = [`127.0.0.1:${port}`, `127.0.0.1:${upstream.port}`];
  const options = tls ? files : [];
  return startServer(MINE, program("bench_proxy"), [...options, ...args], port);
}

async function contestants(where, upstream, tls) {
  const at = async (make) => {
    const port = await freePort();
    return startServer(MINE, ...make(where, port, upstream.port, tls), port);
  };
  return {
    ours: await startOurs(where, upstream, tls),
    nginx: await at(nginxProxy),
    ...(tls ? {} : { haproxy: await at(haproxy) }),
  };
}

function load(server, size, tls) {
  const options = ["-c", CONNECTIONS, "-d", seconds, "-n", size, ...(tls ? ["-t"] : [])];
  return ask(OTHERS, "bench_load", `127.0.0.1:${server.port}`, "/body", ...options);
}

async function sameBodies(servers, upstream, tls) {
  const want = await digest(upstream.port, tls);
  for (const [name, server] of Object.entries(servers)) {
    const got = await digest(server.port, tls);
    if (got !== want) {
      throw new Error(`${name} changes the body`);
    }
  }
}

async function passThrough(tell, where, name, tls) {
  const size = sizes[name];
  const upstream = await startUpstream(where, size, tls);
  const servers = await contestants(where, upstream, tls);
  try {
    await sameBodies(servers, upstream, tls);
    const turns = Object.entries(servers).map(([who, server]) => [
      who,
      () => underLoad(() => [server.pid], () => load(server, size, tls)),
    ]);
    const got = await race(Object.fromEntries(turns));
    const goal = goals[tls ? "TLS" : "plain"][name];
    const ratio = got.ours.rate / got.nginx.rate;
    const text = (x) => `${whole(x.rate)}/s, ${short(x.cpu)} µs`;
    const more = got.haproxy ? `; haproxy ${text(got.haproxy)}` : "";
    tell({
      row: { "2 KB": "P1", "30 KB": "P2", "1 MB": "P3" }[name],
      what: `pass-through GET ${name}, 64 conn., ${tls ? "TLS" : "plain"}`,
      ours: text(got.ours),
      yardstick: `nginx ${text(got.nginx)}${more}`,
      ratio: times(ratio),
      goal: `≥ ${goal}`,
      reached: ratio >= goal,
      measured: got,
    });
    const cpu = got.nginx.cpu / got.ours.cpu;
    tell({
      row: "",
      what: "    the same by CPU of the proxy",
      ours: `${short(got.ours.cpu)} µs`,
      yardstick: `nginx ${short(got.nginx.cpu)} µs`,
      ratio: times(cpu),
      goal: `≥ ${goal}`,
      reached: cpu >= goal,
    });
  } finally {
    await Promise.all([...Object.values(servers), upstream].map((one) => one.stop()));
  }
}

/**
 * Memory above idle while 64 readers take 160 KB a second of a body that no socket buffer
 * holds.
 */
async function slowReaders(tell, where) {
  const size = 32 << 20;
  const upstream = await startUpstream(where, size, false);
  const servers = await contestants(where, upstream, false);
  const grown = {};
  try {
    for (const [who, server] of Object.entries(servers)) {
      await load(server, size, false);
      const idle = memoryOf(server.pid);
      const options = ["-c", CONNECTIONS, "-d", 4, "-w"];
      const at = `127.0.0.1:${server.port}`;
      const reading = ask(OTHERS, "bench_load", at, "/body", ...options);
      let most = idle;
      const timer = setInterval(() => (most = Math.max(most, memoryOf(server.pid))), 50);
      await reading;
      clearInterval(timer);
      grown[who] = (most - idle) / 1e6;
      grown[`${who} in all`] = most / 1e6;
    }
  } finally {
    await Promise.all([...Object.values(servers), upstream].map((one) => one.stop()));
  }
  tell({
    row: "P3",
    what: "memory with 64 slow readers of 32 MB",
    ours: `+${short(grown.ours)} MB, ${short(grown["ours in all"])} in all`,
    yardstick: `nginx ${short(grown["nginx in all"])} in all; haproxy ${short(grown["haproxy in all"])}`,
    goal: "≤ 32 MB",
    reached: grown.ours <= 32,
    measured: grown,
  });
}

export async function proxy(tell) {
  const where = folder("bench-proxy");
  const subject = ["-subj", "/CN=localhost", "-days", "2", "-nodes"];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  const out = ["-keyout", path.join(where, "key.pem"), "-out", path.join(where, "cert.pem")];
  execFileSync("openssl", ["req", "-x509", ...key, ...subject, ...out], { stdio: "ignore" });
  for (const name of Object.keys(sizes)) {
    await passThrough(tell, where, name, false);
  }
  for (const name of Object.keys(sizes)) {
    await passThrough(tell, where, name, true);
  }
  await slowReaders(tell, where);
}
