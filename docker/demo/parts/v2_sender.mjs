// HL7 v2 senders that nobody here wrote: the clients of simple-hl7, node-hl7-client and
// @medplum/hl7, for messages from files.
//
//   docker/node docker/demo/parts/v2_sender.mjs --to HOST:PORT --client NAME FILE …
//       NAME is simple-hl7, node-hl7-client, medplum or raw; a FILE is one message, line ends
//       of any kind, "-" standard input
//
// Prints a JSON line for each: file, code (MSA-1), id (MSA-2), text (of MSA-3 or ERR), ms.
// Status 0 if each was answered with AA.
//
// Use: import { sender } from this file: const s = await sender("simple-hl7", host, port);
// await s.send(text) resolves to { code, id, text, raw }; s.close().
//
// simple-hl7 parses and writes the message anew: escapes and trailing separators come out as it
// likes; node-hl7-client and @medplum/hl7 too. For exact bytes use raw(), which is ours.
import { readFileSync } from "node:fs";
import net from "node:net";
import { fileURLToPath } from "node:url";

import { use } from "./packages.mjs";

const PATIENCE = 30000; // ms for an answer

/** The message in the form of the wire: segments end in CR. */
export function wire(text) {
  return `${text.replace(/\r\n|\n/g, "\r").replace(/\r+$/, "")}\r`;
}

/** What an ACK says. */
function told(raw) {
  const segments = raw.split("\r").map((line) => line.split("|"));
  const msa = segments.find(([name]) => name === "MSA") ?? [];
  const err = segments.find(([name]) => name === "ERR") ?? [];
  return {
    code: msa[1] ?? "",
    id: msa[2] ?? "",
    text: msa[3] || err[8] || err[7] || "",
    raw,
  };
}

function limited(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function simple(host, port) {
  const hl7 = use("simple-hl7");
  const client = hl7.Server.createTcpClient({ host, port, keepalive: true });
  const parser = new hl7.Parser({ segmentSeperator: "\r" });
  return {
    send: (text) =>
      limited(
        new Promise((resolve, reject) => {
          client.send(parser.parse(wire(text)), (error, ack) =>
            error ? reject(error) : resolve(told(ack.toString())),
          );
        }),
      ),
    close: () => client.close(),
  };
}

async function nodeHl7(host, port) {
  const { Client, Message } = use("node-hl7-client");
  const client = new Client({ host });
  let waiting;
  const connection = client.createConnection({ port }, (response) => {
    waiting?.resolve(told(response.getMessage().toString()));
    waiting = undefined;
  });
  const failed = (error) => {
    waiting?.reject(error);
    waiting = undefined;
  };
  connection.on("client.error", failed);
  connection.on("error", failed);
  return {
    send: (text) =>
      limited(
        new Promise((resolve, reject) => {
          waiting = { resolve, reject };
          connection.sendMessage(new Message({ text: wire(text) })).catch(reject);
        }),
      ),
    close: () => client.closeAll(),
  };
}

function medplum(host, port) {
  const { Hl7Client } = use("@medplum/hl7");
  const { Hl7Message } = use("@medplum/core");
  const client = new Hl7Client({ host, port, keepAlive: true });
  return {
    send: (text) =>
      limited(client.sendAndWait(Hl7Message.parse(wire(text)))).then((ack) =>
        told(ack.toString()),
      ),
    close: () => client.close(),
  };
}

/** Exact bytes over one connection: send() takes a Buffer or text. Ours. */
export async function raw(host, port, make = net.connect) {
  const socket = make({ host, port });
  let got = Buffer.alloc(0);
  const waiting = [];
  const fail = (error) => waiting.splice(0).forEach((w) => w.reject(error));
  socket.on("data", (data) => {
    got = Buffer.concat([got, data]);
    for (let end = got.indexOf("\x1c\r"); end >= 0; end = got.indexOf("\x1c\r")) {
      const answer = got.subarray(1, end).toString("latin1");
      got = got.subarray(end + 2);
      waiting.shift()?.resolve(told(answer));
    }
  });
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("closed")));
  await new Promise((resolve, reject) => {
    socket.once(make === net.connect ? "connect" : "secureConnect", resolve);
    socket.once("error", reject);
  });
  return {
    socket,
    send: (message) =>
      limited(
        new Promise((resolve, reject) => {
          waiting.push({ resolve, reject });
          const bytes = Buffer.from(message);
          socket.write(Buffer.concat([Buffer.from([11]), bytes, Buffer.from([28, 13])]));
        }),
      ),
    close: () => socket.destroy(),
  };
}

const clients = { "simple-hl7": simple, "node-hl7-client": nodeHl7, medplum, raw };

/** A sender by the name of its client; all have send(text) and close(). */
export function sender(name, host, port) {
  return Promise.resolve(clients[name](host, port));
}

async function main() {
  const args = process.argv.slice(2);
  const given = { "--to": "127.0.0.1:2575", "--client": "simple-hl7" };
  while (args[0] in given) {
    given[args.shift()] = args.shift();
  }
  const [host, port] = given["--to"].split(":");
  if (!clients[given["--client"]] || args.length === 0) {
    console.error(`clients: ${Object.keys(clients).join(" ")}; and at least one file`);
    return 64;
  }
  const client = await sender(given["--client"], host, Number(port));
  let bad = 0;
  for (const file of args) {
    const from = performance.now();
    try {
      const text = readFileSync(file === "-" ? 0 : file, "utf8");
      const { code, id, text: said } = await client.send(wire(text));
      const ms = Math.round(performance.now() - from);
      console.log(JSON.stringify({ file, code, id, text: said, ms }));
      bad += code === "AA" ? 0 : 1;
    } catch (error) {
      console.log(JSON.stringify({ file, error: error.message }));
      bad++;
    }
  }
  client.close();
  return bad > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().then((status) => process.exit(status));
}
