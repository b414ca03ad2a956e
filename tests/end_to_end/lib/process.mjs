// Start a program, wait until it is ready, stop it. What is still running when the tests end is
// stopped too.
import { spawn } from "node:child_process";
import { openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const top = fileURLToPath(new URL("../../..", import.meta.url));
export const parts = path.join(top, "docker/demo/parts");
export { sleep };

const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

let port = 0;
const [firstPort, lastPort] = (process.env.CHARTSEAL_TEST_PORTS ?? "").split("-").map(Number);

/** A port of 127.0.0.1 that is free now; from CHARTSEAL_TEST_PORTS=FIRST-LAST if that is set. */
export async function freePort() {
  for (;;) {
    if (firstPort) {
      port = port < firstPort || port >= lastPort ? firstPort : port + 1;
    }
    const server = net.createServer();
    try {
      return await new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, "127.0.0.1", () => {
          const free = server.address().port;
          server.close(() => resolve(free));
        });
      });
    } catch {
      if (!firstPort) {
        throw new Error("no free port");
      }
    }
  }
}

let kept = "";

/** From now on what a program says goes to @where/NAME.log too, and its id to NAME.pid. */
export function keepIn(where) {
  kept = where;
}

/** Keep a child's output and id; returns what is to be told each piece of output. */
function keeper(child, command, args) {
  if (!kept) {
    return () => {};
  }
  const words = [command, ...args].map((word) => path.basename(String(word)));
  const name = path.join(kept, words[0] === "node" ? words[1] : words[0]).replace(/\.\w+$/, "");
  const log = openSync(`${name}.log`, "a");
  writeFileSync(`${name}.pid`, String(child.pid));
  child.once("close", () => rmSync(`${name}.pid`, { force: true }));
  return (data) => writeSync(log, data);
}

/** Ask until it says true; its last error is told if it doesn't within @seconds. */
export async function until(what, ask, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < end) {
    try {
      const answer = await ask();
      if (answer) {
        return answer;
      }
    } catch (error) {
      last = error;
    }
    await sleep(20);
  }
  throw new Error(`${what}: not within ${seconds} s${last ? `: ${last.message}` : ""}`);
}

/** Whether something accepts connections at @port. */
export function accepts(port, host = "127.0.0.1") {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host });
    socket.once("connect", () => resolve(!!socket.destroy()));
    socket.once("error", () => resolve(false));
  });
}

/**
 * Start @command; @ready is asked until true. The returned has pid, output() so far, exited (a
 * promise of the status), stop() (SIGTERM, then SIGKILL after @patience seconds) and
 * kill(signal).
 */
export async function start(
  command,
  args,
  { env = {}, ready, seconds, patience = 5, cwd } = {},
) {
  const child = spawn(command, args.map(String), {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  let output = "";
  const written = keeper(child, command, args);
  const keep = (data) => {
    output = (output + data).slice(-200000);
    written(data);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  let over = false;
  const exited = new Promise((resolve) => {
    child.once("error", (error) => keep(error.message));
    child.once("close", (status, signal) => {
      over = true;
      running.delete(child);
      resolve(status ?? signal);
    });
  });
  const started = {
    pid: child.pid,
    output: () => output,
    exited,
    kill: (signal = "SIGKILL") => child.kill(signal),
    async stop() {
      if (!over) {
        child.kill("SIGTERM");
        const timer = setTimeout(() => child.kill("SIGKILL"), patience * 1000);
        await exited;
        clearTimeout(timer);
      }
      return exited;
    },
  };
  try {
    await until(
      `start ${path.basename(command)}`,
      () => {
        if (over) {
          return true;
        }
        return ready ? ready() : true;
      },
      seconds,
    );
  } catch (error) {
    await started.stop();
    throw new Error(`${error.message}\n${output}`);
  }
  if (over) {
    throw new Error(`${command} ended at once: ${await exited}\n${output}`);
  }
  return started;
}
