// HL7 v2 from a sender to a v2 receiver and a FHIR server.
import assert from "node:assert/strict";
import net from "node:net";
import { after, before, test } from "node:test";

import { configure, freshLedger, migrate, serve, startPostgres } from "./lib/gateway.mjs";
import { startPlainStore, startReceiver } from "./lib/parts.mjs";
import { freePort, until } from "./lib/process.mjs";

const ORU = (id, patient = "4711") =>
  [
    `MSH|^~\\&|LAB|HOSP|GW|GW|20260301120000+0100||ORU^R01^ORU_R01|${id}|P|2.5.1|||||||UNICODE UTF-8`,
    `PID|1||${patient}^^^LAB^MR||Müller^Erika||19700101|F|||Hauptstr. 1^^Berlin^^10115^DE`,
    `OBR|1|P${id}|F${id}|24331-1^Lipids^LN|||20260301110000+0100|||||||||||||||20260301115500+0100||LAB|F`,
    "OBX|1|NM|2093-3^Cholesterol^LN||5.10|mmol/L^^UCUM|<5.2|N|||F|||20260301110000+0100",
    "",
  ].join("\r");

/** Send one message by MLLP; the answer. */
export function send(port, message) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1");
    let answer = "";
    socket.setTimeout(15000, () => socket.destroy(new Error("no answer")));
    socket.on("data", (data) => {
      answer += data.toString("utf8");
      if (answer.endsWith("\x1c\r")) {
        socket.end();
        resolve(answer.slice(1, -2));
      }
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("closed without an answer")));
    socket.write(`\x0b${message}\x1c\r`);
  });
}

let postgres, receiver, store, gateway, files, ledger, port;

before(async () => {
  postgres = await startPostgres();
  receiver = await startReceiver();
  store = await startPlainStore();
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
            assigners: { LAB: "urn:oid:1.2.3.4" },
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
      ehr: {
        protocol: "fhir",
        url: store.base,
        organization: "urn:oid:1.2.9",
        retry_least: "100ms",
      },
    },
    routes: [{ from: "lab", to: ["ward", "ehr"], purpose: "TREAT", mode: "shadow" }],
  });
  migrate(files);
  ledger = freshLedger(postgres);
  gateway = await serve(files);
});

after(async () => {
  ledger?.stop();
  await gateway?.stop();
  await receiver?.stop();
  await store?.stop();
  postgres?.stop();
});

test("a message is acknowledged, and arrives as the same bytes and as resources", async () => {
  const message = ORU("M1");
  const ack = await send(port, message);
  assert.match(ack, /\rMSA\|AA\|M1/);
  await until("delivery", () => receiver.received().length === 1);
  assert.equal(receiver.received()[0].bytes.toString("utf8"), message);
  await until("resources", async () => (await store.stats()).resources >= 4);
  const dump = await store.dump();
  const text = JSON.stringify(dump);
  assert.match(text, /5\.10/, "decimals keep their digits");
});
