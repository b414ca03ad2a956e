// Reading the log, and evidence that a stranger checks: list, show, prove, chartseal-verify.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { after, before, test } from "node:test";

import { Wallet, keccak256 } from "ethers";

import { OPEN_END, account, deployAll, keystore, sign, startChain } from "./lib/chain.mjs";
import { configure, migrate, serve, startPostgres } from "./lib/gateway.mjs";
import { folder, startReceiver } from "./lib/parts.mjs";
import { freePort, top, until } from "./lib/process.mjs";

const program = process.env.CHARTSEAL ?? path.join(top, "build/chartseal");
const verifier = process.env.CHARTSEAL_VERIFY ?? path.join(top, "build/chartseal-verify");
const origin = "log.example/test";
const system = "urn:oid:1.2.3.4";
const adt = (id, patient) =>
  [
    `MSH|^~\\&|ADT|HOSP|GW|GW|20260301120000+0100||ADT^A01^ADT_A01|${id}|P|2.5.1||||||UNICODE UTF-8`,
    "EVN|A01|20260301115900+0100",
    `PID|1||${patient}^^^LAB^MR||Muster^Erika||19700101|F`,
    "PV1|1|I|W1^101^1",
    "",
  ].join("\r");

const sha256 = (...parts) => {
  const hash = createHash("sha256");
  parts.forEach((part) => hash.update(part));
  return hash.digest();
};

function send(port, message) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1");
    let answer = "";
    socket.on("data", (data) => {
      answer += data;
      if (answer.endsWith("\x1c\r")) {
        socket.end();
        resolve(answer);
      }
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("closed without an answer")));
    socket.write(`\x0b${message}\x1c\r`);
  });
}

let postgres, chain, contracts, receiver, files, gateway, port, where, key;

/** Run chartseal with @words and the configuration: status, out, err. */
function run(words, { input } = {}) {
  const args = [...words, "--config", files.file];
  const ran = spawnSync(program, args, { encoding: "utf8", input });
  return { status: ran.status, out: ran.stdout, err: ran.stderr };
}

function good(words, more) {
  const ran = run(words, more);
  assert.equal(ran.status, 0, `${words.join(" ")}: ${ran.err}`);
  return ran;
}

const lines = (text) => text.split("\n").filter(Boolean).map(JSON.parse);

/** Records as "audit list --json" gives them. */
const list = (...more) => lines(good(["audit", "list", "--json", ...more]).out);

const verify = (file, ...more) => {
  const ran = spawnSync(verifier, [file, ...more], { encoding: "utf8" });
  return { status: ran.status, out: ran.stdout + ran.stderr };
};

/** --block words for each block that @file rests on, asked of the node. */
async function blocks(file) {
  const { anchor, consents = [] } = JSON.parse(readFileSync(file, "utf8"));
  const hashes = [anchor?.header, ...consents.map((one) => one.header)]
    .filter(Boolean)
    .map((header) => keccak256(header));
  const words = [];
  for (const hash of new Set(hashes)) {
    const block = await chain.rpc("eth_getBlockByHash", hash, false);
    const same = await chain.rpc("eth_getBlockByNumber", block.number, false);
    words.push("--block", `${Number(block.number)}:${same.hash}`);
  }
  return words;
}

before(async () => {
  where = folder("audit");
  postgres = await startPostgres();
  chain = await startChain({ blockTime: 1 });
  contracts = await deployAll(account(0, chain.provider), "log.example/other");
  await (await contracts.anchor.register(origin, account(1).address, true)).wait();
  receiver = await startReceiver();
  port = await freePort();
  files = await configure(postgres, {
    listeners: {
      lab: {
        protocol: "mllp",
        address: `127.0.0.1:${port}`,
        senders: [
          {
            address: "127.0.0.1",
            organization: "urn:oid:1.2.3",
            zone: "Europe/Berlin",
            assigners: { LAB: system },
          },
        ],
      },
    },
    destinations: {
      ward: {
        protocol: "mllp",
        address: `127.0.0.1:${receiver.port}`,
        organization: "urn:oid:1.2.10",
        retry_least: "100ms",
      },
    },
    routes: [{ from: "lab", to: ["ward"], purpose: "TREAT" }],
    log: { origin },
    ledger: {
      endpoints: [chain.url],
      chain_id: 31337,
      consent: await contracts.registry.getAddress(),
      anchor: await contracts.anchor.getAddress(),
      max_staleness: "30s",
      poll: "200ms",
    },
  });
  migrate(files);
  gateway = await serve(files);
  /* Without a fresh view of the chain messages would be held, not decided. */
  await until("a view of the chain", () => postgres.sql("SELECT chain FROM chain_cursor").length);
  await until("it to reach the workers", async () => {
    await send(port, adt(`W${Date.now()}`, "4700"));
    return list("--limit", "3").some((one) => one.record.outcome === "withheld");
  });
  key = path.join(where, "log.key");
  writeFileSync(key, good(["audit", "key"]).out);
});

after(async () => {
  await gateway?.stop();
  await receiver?.stop();
  await chain?.stop();
  postgres?.stop();
});

test("records are listed without naming anybody", async () => {
  assert.match(await send(port, adt("A1", "4711")), /\rMSA\|AA\|A1/);
  const first = list().find((one) => one.record.interaction === "v2.receive");
  assert.equal(first.record.outcome, "withheld");
  assert.equal(first.opening, undefined);
  const { out } = good(["audit", "list"]);
  assert.match(out, /v2\.receive +withheld/);
  assert.doesNotMatch(out, /4711|Muster|A1\b/);
});

test("a message that says no type is unreadable, even where every type has a route", async () => {
  const payloads = () => postgres.sql("SELECT count(*) FROM payload")[0][0];
  const kept = payloads();
  for (const type of ["", '""', "^A01"]) {
    const header = `MSH|^~\\&|LAB|HOSP|GW|GW|20260301||${type}|N1|P|2.5.1`;
    const answer = await send(port, `${header}\rPID|1||4711^^^LAB^MR\r`);
    assert.match(answer, /\rMSA\|AE\|N1/);
    assert.match(answer, /\rERR\|\|MSH\^1\^9\^1\|101\^/);
    const { record } = list()[0];
    assert.deepEqual([record.outcome, record.basis], ["refused", "unreadable"]);
    assert.ok(record.commitments.payload, "its digest is committed to");
  }
  assert.equal(payloads(), kept, "nothing of it is stored");
});

test("a patient's records are opened, and that reading is recorded first", async () => {
  await send(port, adt("A2", "4712"));
  const found = list("--patient", `${system}|4711`);
  assert.equal(found.length, 1);
  assert.equal(found[0].opening.request.value, "ADT^A01 A1");
  assert.match(found[0].opening.actor.value, /1\.2\.3/);

  assert.ok(list().some((one) => one.record.interaction === "audit.read"));
  const again = list("--patient", `${system}|4711`);
  assert.deepEqual(
    again.map((one) => one.record.interaction),
    ["audit.read", "v2.receive"],
  );
  assert.match(again[0].opening.actor.value, /"command":"audit list"/);

  const { out } = good(["audit", "list", "--patient", "-"], { input: `${system}|4712\n` });
  assert.match(out, /request ADT\^A01 A2/);
  assert.equal(run(["audit", "list", "--patient", `${system}|nobody`]).status, 66);
  assert.equal(run(["audit", "list", "--patient", "4711"]).status, 64);
  assert.equal(run(["audit", "list", "--limit", "0"]).status, 64);
  assert.equal(run(["audit", "list", "--nonsense"]).status, 64);
  assert.equal(list("--to", "2020").length, 0);
  assert.equal(list("--from", "2020", "--limit", "1").length, 1);
});

/** The record of message @id, out of what patient @patient's list shows. */
function recordOf(id, patient) {
  const all = list("--patient", `${system}|${patient}`);
  return all.find((one) => one.opening.request?.value === `ADT^A01 ${id}`).record.id;
}

test("a record is shown, opened, with its place", async () => {
  const id = recordOf("A1", "4711");
  await until("a checkpoint", () =>
    ["published", "anchored", "finalized"].includes(
      JSON.parse(good(["audit", "show", id, "--json"]).out).state,
    ),
  );
  const { out } = good(["audit", "show", id]);
  assert.match(out, /^request +ADT\^A01 A1$/m);
  assert.match(out, /^index +\d+$/m);
  assert.match(out, /^checkpoint +\d+ leaves/m);
  assert.equal(run(["audit", "show", "00000000-0000-7000-8000-000000000000"]).status, 66);
  assert.equal(run(["audit", "show", "nonsense"]).status, 64);
});

test("who got it is told by its number: an operator, or nobody who only sent", () => {
  const read = list().find((one) => one.record.interaction === "audit.read").record.id;
  const { recipient } = JSON.parse(good(["audit", "show", read, "--json"]).out);
  assert.equal(typeof recipient.user, "string");
  assert.match(good(["audit", "show", read]).out, /^recipient +\{.*"user":/m);
  const received = recordOf("A1", "4711");
  assert.doesNotMatch(good(["audit", "show", received]).out, /^recipient/m);
  const numbers = postgres.sql(
    `SELECT DISTINCT recipient FROM access JOIN record ON id = record
     WHERE convert_from(bytes, 'UTF8') LIKE '%audit.read%'`,
  );
  assert.equal(numbers.length, 1, "the same operator has one number");
});

/** Wait for the anchor of @id; here and there the pipes of chain and gateway are emptied. */
const anchored = (id) =>
  until(
    "an anchor",
    () => /^state +(anchored|finalized)$/m.test(good(["audit", "show", id]).out),
    40,
  );

/** From now on checkpoints are anchored each second. */
async function startAnchoring() {
  const ledger = {
    ...files.config.ledger,
    anchor_every: "1s",
    anchoring: keystore(1, where),
  };
  files.write({ ...files.config, ledger });
  gateway.hup();
}

test("evidence before the anchor is consistent, and says what is missing", async () => {
  const file = path.join(where, "early.json");
  const id = recordOf("A1", "4711");
  const { err } = good(["audit", "prove", id, "--out", file]);
  assert.match(err, /absent +anchor/);
  assert.equal(verify(file, "--key", key).status, 1);
  const waited = run(["audit", "prove", id, "--out", file, "--wait", "1"]);
  assert.equal(waited.status, 75, waited.err);
  assert.ok(list().some((one) => one.record.interaction === "audit.export"));
});

test("a record is proven to a stranger, and each changed byte refused", async () => {
  const file = path.join(where, "evidence.json");
  const id = recordOf("A1", "4711");
  await startAnchoring();
  await anchored(id);
  const { err } = good(["audit", "prove", id, "--out", file, "--wait", "5"]);
  assert.match(err, /^proven/m);
  const known = await blocks(file);
  assert.equal(verify(file, "--key", key, ...known).status, 0);
  assert.equal(verify(file, "--key", key).status, 1, "the block is not confirmed");
  assert.equal(verify(file, ...known).status, 1, "the key is not known");

  const bytes = readFileSync(file);
  const changed = path.join(where, "changed.json");
  for (let at = 7; at < bytes.length; at += Math.ceil(bytes.length / 60)) {
    const copy = Buffer.from(bytes);
    copy[at] ^= 1;
    writeFileSync(changed, copy);
    assert.equal(verify(changed, "--key", key, ...known).status, 2, `byte ${at}`);
  }

  const closed = good(["audit", "prove", id, "--no-opening"]);
  writeFileSync(changed, closed.out);
  assert.equal(JSON.parse(closed.out).opening, undefined);
  assert.equal(verify(changed, "--key", key, ...known).status, 0);
});

/** Put a record of our making into the log, as a worker would; its id. */
function insertRecord(more) {
  const uuid = () => {
    const b = randomBytes(16);
    b.writeUIntBE(Date.now(), 0, 6);
    b[6] = 0x70;
    b[8] = 0x80;
    return b.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };
  const canonical = (value) =>
    Array.isArray(value)
      ? `[${value.map(canonical).join(",")}]`
      : typeof value === "object"
        ? `{${Object.keys(value)
            .sort()
            .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`)
            .join(",")}}`
        : JSON.stringify(value);
  const [id, instance] = [uuid(), uuid()];
  const text = canonical({
    basis: "consent", commitments: {}, gateway: "gw-1", id, instance, interaction: "read",
    log: "access", mode: "enforce", outcome: "permit", released: 1, seq: 1, time: Date.now(),
    v: 1, ...more,
  });
  const hex = Buffer.from(text).toString("hex");
  postgres.sql(`WITH one AS (INSERT INTO instance (id, generation, batch, seq)
      VALUES ('${instance}', 1, 1, 1))
    INSERT INTO record (id, exchange, instance, seq, log, time, leaf, bytes)
    VALUES ('${id}', '${id}', '${instance}', 1, 0, now(),
      '\\x${sha256(Buffer.of(0), text).toString("hex")}', '\\x${hex}')`);
  return id;
}

test("the consent's state at the decision is proven, though it was revoked since", async () => {
  const { registry } = contracts;
  const controller = Wallet.createRandom();
  const now = Math.floor(Date.now() / 1000);
  const grant = {
    consentId: `0x${randomBytes(32).toString("hex")}`,
    commitment: `0x${randomBytes(32).toString("hex")}`,
    controller: controller.address,
    version: 1,
    validFrom: now - 60,
    validUntil: OPEN_END,
    deadline: now + 3600,
  };
  const granted = await (
    await registry.grant(grant, await sign(controller, registry, "grant", grant))
  ).wait();
  const revoke = { consentId: grant.consentId, version: 1 };
  const signature = await sign(controller, registry, "revoke", revoke);
  await (await registry.revoke(grant.consentId, 1, signature)).wait();
  const id = insertRecord({
    consents: [
      {
        block: granted.blockNumber,
        chain: 31337,
        commitment: grant.commitment,
        contract: (await registry.getAddress()).toLowerCase(),
        id: grant.consentId,
        version: 1,
      },
    ],
  });
  const file = path.join(where, "consent.json");
  await anchored(id);
  const { err } = good(["audit", "prove", id, "--out", file]);
  assert.match(err, /ok +consent/);
  const known = await blocks(file);
  assert.equal(known.length, 4, "of the anchor, and one from before the revocation");
  assert.equal(verify(file, "--key", key, ...known).status, 0);
});

test("a withheld message is seen, and decided anew by replay", async () => {
  const { out } = good(["hl7", "outbox"]);
  assert.match(out, /^ward +0 +0 +\d+/m);
  const rows = lines(good(["hl7", "outbox", "--json"]).out).filter((one) => one.number);
  assert.ok(rows.length >= 2);
  assert.equal(run(["hl7", "replay", "999999"]).status, 66);
  good(["hl7", "replay", String(rows[0].number)]);
  assert.ok(list().some((one) => one.record.interaction === "v2.replay"));
  await until("decided anew", () => {
    const found = list("--limit", "10").find((one) => one.record.interaction === "v2.deliver");
    return found?.record.outcome === "withheld";
  });
});

test("hl7 translate gives a Bundle, and says what it can't read", () => {
  const translate = (input, ...words) =>
    spawnSync(program, ["hl7", "translate", ...words], { encoding: "utf8", input });
  const done = translate(adt("T1", "4711"), "--assigner", `LAB=${system}`, "--explain");
  assert.equal(done.status, 0, done.stderr);
  const bundle = JSON.parse(done.stdout);
  assert.equal(bundle.type, "transaction");
  assert.match(done.stdout, /urn:oid:1\.2\.3\.4/);
  assert.match(done.stderr, /Patient +recognised by its identifiers/);
  const framed = translate(`\x0b${adt("T1", "4711")}\x1c\r`, "--assigner", `LAB=${system}`);
  assert.equal(framed.status, 0, framed.stderr);
  assert.equal(translate("nonsense").status, 65);
});

test("keys status counts them by the root that wraps them", () => {
  assert.match(good(["keys", "status"]).out, /^[0-9a-f]{16} +current +\d+ /m);
});

test("every command of --help has its place in the manual", () => {
  const help = execFileSync(program, ["--help"], { encoding: "utf8" });
  const names = [...help.matchAll(/^ {2}chartseal (\S+(?: [a-z]\S*)?)/gm)].map((m) => m[1]);
  const manual = readFileSync(path.join(top, "gateway/chartseal.1"), "utf8").replaceAll("\\-", "-");
  assert.ok(names.length > 8);
  for (const name of names) {
    assert.match(manual, new RegExp(`^\\.B chartseal ${name}\\b`, "m"), name);
  }
});
