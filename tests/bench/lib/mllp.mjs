// P10: MLLP received, validated and acknowledged, nothing stored.
import { writeFileSync } from "node:fs";
import path from "node:path";

import { accepts, freePort, top } from "../../end_to_end/lib/process.mjs";
import { folder } from "../../end_to_end/lib/parts.mjs";
import { oru } from "./data.mjs";
import { MINE, OTHERS, ask, program, race, seconds, short, startOn } from "./measure.mjs";
import { times, underLoad, whole } from "./measure.mjs";

async function startAt(core, make) {
  const port = await freePort();
  const [command, args] = make(port);
  return { ...(await startOn(core, command, args, { ready: () => accepts(port) })), port };
}

export async function mllp(tell) {
  const where = folder("bench-mllp");
  const file = path.join(where, "oru.hl7");
  writeFileSync(file, oru());
  const at = (name) => (port) => [program(name), [`127.0.0.1:${port}`]];
  const simple = path.join(top, "tests/bench/peers/simple_hl7.mjs");
  const servers = {
    ours: await startAt(MINE, at("bench_mllp_pass")),
    acker: await startAt(MINE, at("bench_mllp_acker")),
    simple: await startAt(MINE, (port) => [path.join(top, "docker/node"), [simple, port]]),
  };
  try {
    const send = (port) =>
      ask(OTHERS, "bench_mllp_load", `127.0.0.1:${port}`, file, "-c", 64, "-d", seconds);
    const turns = Object.entries(servers).map(([who, server]) => [
      who,
      () => underLoad(() => [server.pid], () => send(server.port)),
    ]);
    const { ours, acker, simple: npm } = await race(Object.fromEntries(turns));
    const text = (x) => `${whole(x.rate)}/s, ${short(x.cpu)} µs`;
    for (const [yardstick, peer, goal] of [
      ["C acker", acker, 0.3],
      ["simple-hl7", npm, 4],
    ]) {
      const ratio = ours.rate / peer.rate;
      tell({
        row: "P10",
        what: "MLLP, ACK, nothing stored, 64 conn.",
        ours: text(ours),
        yardstick: `${yardstick} ${text(peer)}`,
        ratio: times(ratio),
        goal: `≥ ${goal}`,
        reached: ratio >= goal,
        measured: { ours, peer },
      });
    }
  } finally {
    await Promise.all(Object.values(servers).map((server) => server.stop()));
  }
}
