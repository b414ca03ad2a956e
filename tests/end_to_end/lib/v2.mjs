// HL7 v2 messages for tests, and a plain MLLP sender that trusts nothing.
import assert from "node:assert/strict";
import net from "node:net";

const TIME = "20260301120000+0100";

const segments = (...lines) => [...lines, ""].join("\r");
const msh = (type, id, from = "LAB") =>
  `MSH|^~\\&|${from}|HOSP|GW|GW|${TIME}||${type}|${id}|P|2.5.1||||||UNICODE UTF-8`;

/** A result of one patient; @filler names the order, @value what was measured. */
export function oru(id, { patient = "4711", filler = `F${id}`, value = "5.10", from } = {}) {
  return segments(
    msh("ORU^R01^ORU_R01", id, from),
    `PID|1||${patient}^^^LAB^MR||Müller^Erika||19700101|F|||Hauptstr. 1^^Berlin^^10115^DE`,
    `OBR|1|P${filler}|${filler}|24331-1^Lipids^LN|||20260301110000+0100|||||||||||||||20260301115500+0100||LAB|F`,
    `OBX|1|NM|2093-3^Cholesterol^LN||${value}|mmol/L^^UCUM|<5.2|N|||F|||20260301110000+0100`,
  );
}

/** An order of the patient that oru() is about. */
export function orm(id, ...more) {
  const pid = "PID|1||4711^^^LAB^MR||Müller^Erika||19700101|F";
  return segments(msh("ORM^O01^ORM_O01", id), pid, ...more);
}

/** An ADT message with the PID segment @pid. */
export function adt(event, id, pid, ...more) {
  const structure = { A04: "ADT_A01", A08: "ADT_A01", A40: "ADT_A39" }[event] ?? `ADT_${event}`;
  return segments(msh(`ADT^${event}^${structure}`, id), `EVN|${event}|${TIME}`, pid, ...more);
}

/** Of an acknowledgement MSA-1, MSA-2, and MSH-10: the end of the exchange's id. */
export function acked(answer) {
  const msa = /\rMSA\|([^|\r]*)\|?([^|\r]*)/.exec(answer);
  const exchange = answer.split("|")[9] ?? "";
  return msa ? { code: msa[1], id: msa[2], exchange } : { code: "none", id: "", exchange };
}

/**
 * A connection that sends one message after the other: ask(bytes or text) resolves to the
 * answer's text, or rejects if the connection ends or @seconds pass.
 */
export function connect(port, { seconds = 60, host = "127.0.0.1" } = {}) {
  const socket = net.connect(port, host);
  let received = "";
  let waiting;
  const settle = (how, what) => {
    clearTimeout(waiting?.timer);
    waiting?.[how](what);
    waiting = undefined;
  };
  socket.setNoDelay(true);
  socket.on("data", (data) => {
    received += data.toString("utf8");
    const end = received.indexOf("\x1c\r");
    if (end >= 0) {
      const answer = received.slice(1, end);
      received = received.slice(end + 2);
      settle("resolve", answer);
    }
  });
  socket.on("error", (error) => settle("reject", error));
  socket.on("close", () => settle("reject", new Error("closed without an answer")));
  return {
    socket,
    usable: () => !socket.destroyed && !socket.readableEnded,
    ask(message) {
      return new Promise((resolve, reject) => {
        if (socket.destroyed) {
          reject(new Error("closed before"));
          return;
        }
        const late = () => socket.destroy(new Error("no answer in time"));
        waiting = { resolve, reject, timer: setTimeout(late, seconds * 1000) };
        socket.write("\x0b");
        socket.write(message);
        socket.write("\x1c\r");
      });
    },
    end: () => socket.destroy(),
  };
}

/**
 * Send @messages over one connection, one after another without waiting, and resolve to all that
 * comes back: the frames' texts, in their order. After the @least frames that must come it goes on
 * for @quiet milliseconds, so that one too many is seen; it waits @seconds for them.
 */
export function collect(
  port,
  messages,
  { least = messages.length, quiet = 400, seconds = 120, encoding = "utf8" } = {},
) {
  const socket = net.connect(port, "127.0.0.1");
  const pieces = [];
  let frames = 0;
  return new Promise((resolve, reject) => {
    const end = () => {
      socket.destroy();
      const texts = Buffer.concat(pieces).toString(encoding).split("\x1c\r");
      assert.equal(texts.pop(), "", "frames are whole");
      resolve(texts.map((text) => text.replace(/^\x0b/, "")));
    };
    let timer = setTimeout(end, least ? 1000 * seconds : quiet);
    socket.on("data", (data) => {
      pieces.push(data);
      frames += data.filter((byte) => byte === 0x1c).length;
      if (frames >= least) {
        clearTimeout(timer);
        timer = setTimeout(end, quiet);
      }
    });
    socket.on("error", reject);
    for (const message of messages) {
      socket.write(Buffer.concat([Buffer.from("\x0b"), Buffer.from(message), Buffer.from("\x1c\r")]));
    }
  });
}

/** Send one message over a connection of its own; the answer. */
export async function send(port, message) {
  const connection = connect(port);
  try {
    return await connection.ask(message);
  } finally {
    connection.end();
  }
}
