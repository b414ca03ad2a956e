// An HL7 v2 receiver that nobody here wrote: simple-hl7's server, which acknowledges what it
// gets.
//
//   docker/node docker/demo/parts/v2_receiver.mjs --port 2576 --out FILE [--host 127.0.0.1]
//       [--behave FILE] [--delay MS]
//
// Each message is a line of JSON in --out, written before its ACK leaves: time, connection, id
// (MSH-10), type (MSH-9), answer, and the bytes between the frame's marks as base64.
//
// The word in file --behave, read at each message, says what happens then: AA (as without the
// file), AE, AR, hang (no answer), close (connection closed without an answer), garbage (an
// answer that is no HL7), stranger (ACK of another id), twice (the ACK twice). "AE 3" does it
// for three messages, then AA.
//
// What simple-hl7 does: one message at a time for each connection (two frames in one segment
// are read as one message: only send after the ACK, as original mode wants); its ACK is of
// version 2.3, has MSH-9 ACK alone, and a control id by the second.
import { appendFileSync, readFileSync } from "node:fs";

import { options, use } from "./packages.mjs";

const hl7 = use("simple-hl7");

const given = options({ port: 2576, host: "127.0.0.1", out: "", behave: "", delay: 0 });
const done = {}; // how often a limited behaviour took place, by its text

function behaviour() {
  let text = "";
  try {
    text = given.behave ? readFileSync(given.behave, "utf8").trim() : "";
  } catch {
    // no file: as usual
  }
  const [word, limit] = text.split(/\s+/);
  if (limit) {
    done[text] = (done[text] ?? 0) + 1;
  }
  return !word || done[text] > Number(limit) ? "AA" : word;
}

function answer(word, response) {
  const { ack, socket } = response;
  const msa = ack.getSegment("MSA");
  switch (word) {
    case "hang":
      return;
    case "close":
      socket.destroy();
      return;
    case "garbage":
      socket.write("\x0bnot HL7 at all\r\x1c\r");
      return;
    case "stranger":
      msa.setField(2, "another-id");
      break;
    case "twice":
      response.end();
      break;
    default: // AA, AE, AR
      msa.setField(1, word);
  }
  response.end();
}

const connections = new WeakMap(); // socket: number
let connected = 0;

function receive(error, request, response) {
  if (error) {
    console.error(`v2 receiver: ${error.message}`);
    return;
  }
  if (!connections.has(response.socket)) {
    connections.set(response.socket, ++connected);
  }
  const header = request.msg.header;
  const word = behaviour();
  const line = {
    time: new Date().toISOString(),
    connection: connections.get(response.socket),
    id: header.getField(8).toString(),
    type: `${request.type}^${request.event}`,
    answer: word,
    bytes: Buffer.from(request.raw, "latin1").subarray(1, -2).toString("base64"),
  };
  if (given.out) {
    appendFileSync(given.out, `${JSON.stringify(line)}\n`);
  }
  setTimeout(() => answer(word, response), given.delay);
}

const server = hl7.Server.createTcpServer(receive);
// Read as latin1, each byte is a character: so the bytes can be written down as they came.
server.start({ port: given.port, host: given.host }, "latin1");
server.server.on("listening", () => {
  console.log(`v2 receiver at ${given.host}:${server.server.address().port}`);
});
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => process.exit(0));
}
