// A private PostgreSQL and a gateway in front of it, for end-to-end tests.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

import { accepts, freePort, start, top, until } from "./process.mjs";
import { folder } from "./parts.mjs";

const EPOCH_LOCK = 7237001; // held while the epoch is raised, and shared while recording
const script = path.join(top, "docker/demo/postgres.sh");
export const program = process.env.CHARTSEAL ?? path.join(top, "build/chartseal");

/**
 * A cluster of its own: url, sql(text) (rows of cells), session() (for many of them),
 * uncommitted(text), stop(), start().
 */
export async function startPostgres({ where = folder("pg"), port } = {}) {
  mkdirSync(where, { recursive: true });
  execFileSync("chmod", ["755", where]);
  port ??= await freePort();
  execFileSync(script, ["start", where, String(port)], { stdio: "ignore" });
  // Before the folder goes.
  process.prependListener("exit", () => {
    try {
      execFileSync(script, ["stop", where], { stdio: "ignore" });
    } catch {
      // it was stopped before
    }
  });
  const url = execFileSync(script, ["url", where]).toString().trim();
  const args = ["-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", url];
  const sql = (text) => {
    const how = { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 28 };
    const out = execFileSync("psql", [...args, "-c", text], how);
    return out.split("\n").filter(Boolean).map((line) => line.split("\t"));
  };
  return {
    url,
    where,
    port,
    sql,
    session: () => session(args),
    uncommitted: (text) => uncommitted(args, sql, text),
    stop: () => execFileSync(script, ["stop", where], { stdio: "ignore" }),
    start: () => execFileSync(script, ["start", where, String(port)], { stdio: "ignore" }),
  };
}

/** One connection for many statements: ask(text) resolves to rows of cells, end() ends it. */
function session(args) {
  const psql = spawn("psql", args, { stdio: ["pipe", "pipe", "inherit"] });
  const END = "-- end of answer --";
  let received = "";
  let answer;
  psql.stdout.on("data", (data) => {
    received += data;
    const at = received.indexOf(`${END}\n`);
    if (at >= 0) {
      const lines = received.slice(0, at).split("\n").filter(Boolean);
      received = "";
      answer(lines.map((line) => line.split("\t")));
    }
  });
  return {
    ask: (text) =>
      new Promise((resolve) => {
        answer = resolve;
        psql.stdin.write(`${text};\n\\echo ${END}\n`);
      }),
    end: () => psql.stdin.end("\\q\n"),
  };
}

/**
 * A change of consents (SQL @text) that is not committed yet: what is recorded meanwhile waits
 * for it. waits() resolves when something does, commit() when it is done.
 */
async function uncommitted(args, sql, text) {
  const locks = (mode, granted) =>
    sql(
      `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = ${EPOCH_LOCK}
       AND mode = '${mode}' AND granted = ${granted}`,
    ).length > 0;
  const psql = spawn("psql", args, { stdio: ["pipe", "ignore", "inherit"] });
  psql.unref(); // a test that fails meanwhile leaves it to the end of the process
  psql.stdin.unref();
  const ended = new Promise((resolve) => psql.once("close", resolve));
  psql.stdin.write(`BEGIN; ${text};\n`);
  await until("the change", () => locks("ExclusiveLock", true));
  return {
    waits: () => until("a record that waits", () => locks("ShareLock", false)),
    async commit() {
      psql.stdin.end("COMMIT;\n");
      assert.equal(await ended, 0);
    },
  };
}

/** A file that only its owner reads. */
export function secret(file, text) {
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

/**
 * Where a gateway's files are: configuration (JSON is YAML), keys, database URL. @config is
 * filled up with what every configuration needs; listeners get free ports where they say 0.
 */
export async function configure(postgres, config, where = folder("gateway")) {
  mkdirSync(where, { recursive: true });
  const keys = ["root.key", "checkpoint.key"].map((name) => path.join(where, name));
  execFileSync(program, ["keys", "init", ...keys]);
  const admin = `127.0.0.1:${await freePort()}`;
  const whole = {
    tenant: "test",
    workers: 3,
    database: { url_file: secret(path.join(where, "url"), postgres.url) },
    keys: { root: keys[0], checkpoint: keys[1] },
    admin: { address: admin },
    log: { origin: "log.example/test" },
    ledger: {
      endpoints: ["http://127.0.0.1:9"],
      chain_id: 31337,
      consent: "0x" + "11".repeat(20),
      anchor: "0x" + "22".repeat(20),
      max_staleness: "10s",
    },
    ...config,
  };
  const file = path.join(where, "chartseal.yaml");
  const write = (what) => writeFileSync(file, JSON.stringify(what, null, 2));
  write(whole);
  return { where, file, config: whole, write, admin: `http://${admin}` };
}

export function migrate(files) {
  return execFileSync(program, ["migrate", "--config", files.file], { encoding: "utf8" });
}

/**
 * Start serve and wait until it takes traffic: health(), metric(name), hup(), and process.
 * @under is a command to start it with.
 */
export async function serve(files, { ready = true, under = [] } = {}) {
  const admin = new URL(files.admin);
  const health = async () => {
    const answer = await fetch(`${files.admin}/health/ready`);
    return { status: answer.status, ...(await answer.json()) };
  };
  const metric = async (name) => {
    const text = await (await fetch(`${files.admin}/metrics`)).text();
    const line = text.split("\n").find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.split(" ")[1]);
  };
  const [command, ...args] = [...under, program, "serve", "--config", files.file];
  const started = await start(command, args, {
    patience: 20,
    seconds: 30,
    ready: async () => {
      if (!(await accepts(Number(admin.port), admin.hostname))) {
        return false;
      }
      return !ready || (await metric("chartseal_ready")) >= files.config.workers;
    },
  });
  return { ...started, health, metric, hup: () => started.kill("SIGHUP") };
}

/**
 * Stands in for the follower of the chain where a test is not about it: says every half second
 * that the endpoints have just agreed. stop() lets the view grow old.
 */
export function freshLedger(postgres, chain = 31337) {
  const say = () => {
    try {
      postgres.sql(
        `INSERT INTO chain_cursor VALUES (${chain}, 100, decode(repeat('00', 32), 'hex'), 0, 100,
           100, now())
         ON CONFLICT (chain) DO UPDATE SET agreed = now()`,
      );
    } catch {
      // the database is stopped: then nobody agrees
    }
  };
  say();
  const timer = setInterval(say, 500);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

/** Records of the log in @postgres, in the order of their ids. */
export function records(postgres) {
  return postgres
    .sql("SELECT convert_from(bytes, 'UTF8') FROM record ORDER BY id")
    .map(([text]) => JSON.parse(text));
}
