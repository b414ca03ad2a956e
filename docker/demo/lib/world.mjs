// The world of the demo: everything that runs, its keys and files, below .demo/. Parts and how
// they are started are those of the end-to-end tests.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

import { startChain } from "../../../tests/end_to_end/lib/chain.mjs";
import { secret, serve, startPostgres } from "../../../tests/end_to_end/lib/gateway.mjs";
import { startFhirServer, startReceiver } from "../../../tests/end_to_end/lib/parts.mjs";
import {
  accepts,
  freePort,
  keepIn,
  sleep,
  top,
} from "../../../tests/end_to_end/lib/process.mjs";
import { issuer } from "../../../tests/end_to_end/lib/token.mjs";
import { use } from "../parts/packages.mjs";

const { Wallet, encryptKeystoreJson } = use("ethers");

export const program = process.env.CHARTSEAL ?? path.join(top, "build/chartseal");
export const verifier = path.join(path.dirname(program), "chartseal-verify");

/** Who takes part. What consents, tokens and configuration say of them must agree. */
export const HOSPITAL = "urn:oid:2.999.1"; // its FHIR server and its clinicians
export const WARD = "urn:oid:2.999.2"; // the v2 receiver
export const INSURER = "urn:oid:2.999.3"; // nobody consented to it
export const NUMBERS = "urn:oid:2.999.1.1"; // system of the hospital's patient numbers

/** Ports that people see, where they are free. */
export const PORTS = {
  fhir: 8080,
  orders: 8082,
  mllp: 2575,
  admin: 8081,
  ehr: 8103,
  ward: 2576,
  chain: 8545,
  postgres: 5499,
};

export const where = (...names) => path.join(home, ...names);
let home;

async function ports() {
  const free = {};
  for (const [name, usual] of Object.entries(PORTS)) {
    const taken = process.env.CHARTSEAL_TEST_PORTS || (await accepts(usual));
    free[name] = taken ? await freePort() : usual;
  }
  return free;
}

const alive = (pid) => existsSync(`/proc/${pid}`);

/** Stop what an earlier run left, if a process of that id is still ours. */
async function sweep() {
  for (const name of readdirSync(where("run")).filter((file) => file.endsWith(".pid"))) {
    const file = where("run", name);
    const pid = Number(readFileSync(file, "utf8"));
    const line = alive(pid) ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : "";
    if (pid !== process.pid && line.includes(top)) {
      process.kill(pid, name === "demo.pid" ? "SIGINT" : "SIGKILL");
      for (let i = 0; alive(pid) && i < 200; i++) {
        await sleep(50);
      }
    }
    rmSync(file, { force: true });
  }
}

/** Folders, and an end to what an earlier run left. */
export async function prepare() {
  home = path.resolve(top, process.env.DEMO_FOLDER ?? ".demo");
  mkdirSync(home, { recursive: true });
  try {
    writeFileSync(where(".mine"), "");
  } catch {
    throw new Error(`${home} is another user's: run as that user, or remove it`);
  }
  for (const name of ["run", "keys"]) {
    mkdirSync(where(name), { recursive: true });
  }
  await sweep();
  for (const name of readdirSync(where("run"))) {
    rmSync(where("run", name), { recursive: true });
  }
  keepIn(where("run"));
  writeFileSync(where("run/demo.pid"), String(process.pid));
}

/** An Ethereum account of our own in a keystore file, made at the first start. */
async function account(name) {
  const keystore = where("keys", `${name}.json`);
  const password = where("keys", `${name}.password`);
  if (!existsSync(keystore)) {
    const wallet = Wallet.createRandom();
    const word = Wallet.createRandom().privateKey.slice(2, 34);
    secret(password, word);
    secret(keystore, await encryptKeystoreJson(wallet, word, { scrypt: { N: 16384 } }));
  }
  return { keystore, password, address: `0x${JSON.parse(readFileSync(keystore)).address}` };
}

function makeKeys() {
  const keys = ["root.key", "checkpoint.key"].map((name) => where("keys", name));
  const missing = keys.filter((key) => !existsSync(key));
  if (missing.length > 0) {
    execFileSync(program, ["keys", "init", ...missing]);
  }
}

/** Run the gateway's program; what it printed. */
export function run(command, ...args) {
  try {
    const out = execFileSync(command, args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    return { status: 0, out };
  } catch (error) {
    return { status: error.status ?? 1, out: `${error.stdout ?? ""}${error.stderr ?? ""}` };
  }
}

/** As run(), where anything but success is the end. */
export function must(command, ...args) {
  const { status, out } = run(command, ...args);
  if (status !== 0) {
    throw new Error(`${path.basename(command)} ${args.slice(0, 2).join(" ")}: ${out.trim()}`);
  }
  return out;
}

/** PostgreSQL with an empty database: each story begins anew. */
async function database(port) {
  const postgres = await startPostgres({ where: where("postgres"), port });
  const psql = (text) =>
    execFileSync("psql", ["-Xqd", postgres.url.replace(/chartseal$/, "postgres"), "-c", text], {
      stdio: ["ignore", "ignore", "pipe"],
    });
  psql("DROP DATABASE IF EXISTS chartseal WITH (FORCE)");
  psql("CREATE DATABASE chartseal");
  return postgres;
}

/** The systems around the gateway, none of them ours; each told to @started when it listens. */
export async function startParts(started) {
  const at = await ports();
  const told = async (name, starting, url) => {
    const from = Date.now();
    const part = await starting;
    started(name, url(part), Date.now() - from);
    return part;
  };
  const [postgres, chain, ehr, ward] = await Promise.all([
    told("PostgreSQL, its own data folder", database(at.postgres), (part) => part.url),
    told(
      "anvil, a chain with a block a second",
      startChain({ blockTime: 1, port: at.chain }),
      (part) => part.url,
    ),
    told(
      "FHIR server (Medplum)",
      startFhirServer({ port: at.ehr, where: where("run") }),
      (part) => part.base,
    ),
    told(
      "HL7 v2 receiver (simple-hl7)",
      startReceiver({ port: at.ward, where: where("run") }),
      (part) => `127.0.0.1:${part.port}`,
    ),
  ]);
  return { at, postgres, chain, ehr, ward };
}

/** The contracts, put on the chain by chartseal itself; who pays gets ether from the chain. */
export async function deploy(world) {
  makeKeys();
  const [owner, relayer, anchoring] = await Promise.all(
    ["owner", "relayer", "anchoring"].map(account),
  );
  for (const { address } of [owner, relayer, anchoring]) {
    await world.chain.rpc("anvil_setBalance", address, "0x56bc75e2d63100000"); // 100 ether
  }
  const out = must(
    program,
    "anchor",
    "deploy",
    "--endpoint",
    world.chain.url,
    "--keystore",
    owner.keystore,
    "--password",
    owner.password,
    "--origin",
    "log.example/demo",
    "--relayer",
    relayer.address,
    "--operator",
    anchoring.address,
    "--json",
  );
  Object.assign(world, { contracts: JSON.parse(out), relayer, anchoring });
}

/** The gateway's configuration. JSON is YAML, so a program can write it. */
function configuration({ at, ehr, ward, chain, contracts, relayer, anchoring }, issuerName) {
  const base = `http://127.0.0.1:${at.fhir}/fhir`;
  const issuers = [{ issuer: issuerName, audience: base, jwks_file: where("run/jwks.json") }];
  return {
    tenant: "st-elsewhere",
    workers: 3,
    listeners: {
      wards: {
        protocol: "mllp",
        address: `127.0.0.1:${at.mllp}`,
        senders: [
          {
            address: "127.0.0.1",
            organization: HOSPITAL,
            zone: "Europe/Berlin",
            assigners: { HOSP: NUMBERS },
          },
        ],
      },
      fhir: {
        protocol: "fhir",
        address: `127.0.0.1:${at.fhir}`,
        base,
        issuers,
      },
      orders: {
        protocol: "fhir",
        address: `127.0.0.1:${at.orders}`,
        base: `http://127.0.0.1:${at.orders}/fhir`,
        issuers,
      },
    },
    destinations: {
      ehr: { protocol: "fhir", url: ehr.base, organization: HOSPITAL, retry_least: "200ms" },
      ward: {
        protocol: "mllp",
        address: `127.0.0.1:${ward.port}`,
        organization: WARD,
        receiver: { version: "2.5.1", assigners: { HOSP: NUMBERS } },
        retry_least: "200ms",
      },
    },
    routes: [
      { from: "wards", to: ["ehr", "ward"], purpose: "TREAT", payload: "full" },
      { from: "fhir", to: ["ehr"] },
      { from: "orders", to: ["ward"], purpose: "TREAT" },
    ],
    ledger: {
      endpoints: [chain.url],
      chain_id: contracts.chain_id,
      consent: contracts.consent,
      anchor: contracts.anchor,
      deployed_block: contracts.deployed_block,
      max_staleness: "10s",
      poll: "200ms",
      anchor_every: "5s",
      relayer: { keystore: relayer.keystore, password: relayer.password },
      anchoring: { keystore: anchoring.keystore, password: anchoring.password },
    },
    database: { url_file: where("keys/database.url") },
    keys: { root: where("keys/root.key"), checkpoint: where("keys/checkpoint.key") },
    admin: { address: `127.0.0.1:${at.admin}` },
    log: { origin: "log.example/demo" },
  };
}

/** The gateway, with an issuer of tokens that it trusts. */
export async function startGateway(world) {
  const made = await issuer();
  made.write(where("run/jwks.json"));
  secret(where("keys/database.url"), world.postgres.url);
  const config = configuration(world, made.iss);
  const file = where("chartseal.yaml");
  writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`);
  must(program, "migrate", "--config", file);
  const admin = `http://${config.admin.address}`;
  const gateway = await serve({ file, admin, config });
  const { base } = config.listeners.fhir;
  Object.assign(world, { gateway, file, config, base, admin });
  /** A token for somebody of @organization; @claims besides. */
  world.token = (organization, sub, claims = {}) =>
    made.token({
      aud: base,
      sub,
      client_id: "ward-app",
      scope: "user/*.cruds",
      seconds: 12 * 3600,
      extensions: {
        "hl7-b2b": {
          version: "1",
          organization_id: organization,
          purpose_of_use: ["urn:oid:2.16.840.1.113883.5.8#TREAT"],
        },
      },
      ...claims,
    });
}

/** Ask the gateway's FHIR port with @token; the answer with status, text, json and ms. */
export async function ask(world, token, what, { method = "GET", body } = {}) {
  const from = performance.now();
  const answer = await fetch(`${world.base}/${what}`, {
    method,
    headers: {
      accept: "application/fhir+json",
      authorization: `Bearer ${token}`,
      ...(body ? { "content-type": "application/fhir+json" } : {}),
    },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(30000),
  });
  const text = await answer.text();
  const ms = Math.round(performance.now() - from);
  const json = text.startsWith("{") ? JSON.parse(text) : {};
  return { status: answer.status, text, json, ms };
}

/** Stop everything, the gateway first, so that nothing of it is cut off. */
export async function stop(world) {
  world.chain?.kill("SIGCONT"); // it may be standing still
  await world.gateway?.stop();
  await Promise.all([world.ehr?.stop(), world.ward?.stop(), world.chain?.stop()]);
  world.postgres?.stop();
  rmSync(where("run/demo.pid"), { force: true });
}
