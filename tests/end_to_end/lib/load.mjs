// Messages at a steady rate over some connections, each sent again until it is acknowledged.
import { acked, connect } from "./v2.mjs";
import { sleep } from "./process.mjs";

const PAUSE = 50; // ms before a message is sent again

/**
 * Send @messages ({ id, text, lane }) at @rate a second over @lanes connections to @port().
 * Of a lane the next message leaves after the ACK of the one before. The returned counts
 * answers by their code, connections lost, and messages that needed more than one try; longest
 * is the longest time from the first try to the ACK, in ms.
 */
export async function load(port, messages, { rate, lanes, giveUp = 120 }) {
  const told = { AA: 0, AE: 0, AR: 0, other: 0, lost: 0, repeated: 0, longest: 0 };
  const began = Date.now();
  const queues = Array.from({ length: lanes }, (_, lane) =>
    messages
      .map((message, i) => ({ ...message, of: message, at: began + (i * 1000) / rate }))
      .filter((message) => message.lane === lane),
  );
  await Promise.all(queues.map((queue) => run(port, queue, told, giveUp)));
  told.seconds = (Date.now() - began) / 1000;
  return told;
}

async function run(port, queue, told, giveUp) {
  let connection;
  for (const message of queue) {
    await sleep(Math.max(0, message.at - Date.now()));
    const began = Date.now();
    for (let tries = 1; ; tries++) {
      if (Date.now() - began > giveUp * 1000) {
        throw new Error(`message ${message.id} was not acknowledged within ${giveUp} s`);
      }
      if (!connection?.usable()) {
        connection?.end();
        connection = connect(port(), { seconds: 10 });
      }
      const code = await once(connection, message, told);
      if (code === "AA") {
        told.repeated += tries > 1;
        told.longest = Math.max(told.longest, Date.now() - began);
        break;
      }
      await sleep(PAUSE);
    }
  }
  connection?.end();
}

/** Keep what the sender of @message heard, for who looks for a lost one. */
function note(message, what) {
  (message.of.heard ??= []).push(`${new Date().toISOString()} ${what}`);
}

async function once(connection, message, told) {
  let answer;
  try {
    answer = acked(await connection.ask(message.text));
    note(message, `${answer.code} of exchange …${answer.exchange}`);
  } catch (error) {
    note(message, error.message);
    told.lost++;
    return "";
  }
  if (answer.id !== message.id) {
    throw new Error(`the answer to ${message.id} is about ${answer.id}`);
  }
  if (answer.code in told) {
    told[answer.code]++;
  } else {
    told.other++;
  }
  return answer.code;
}
