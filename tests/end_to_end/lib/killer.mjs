// Kills of gateway processes and PostgreSQL backends while others work.
import { readFileSync, readdirSync } from "node:fs";

import { serve } from "./gateway.mjs";
import { sleep, until } from "./process.mjs";

/** Processes whose parent is @pid, oldest first. */
export function children(pid) {
  const parent = (one) => {
    try {
      return Number(readFileSync(`/proc/${one}/stat`, "utf8").split(") ")[1].split(" ")[1]);
    } catch {
      return 0; // it has just ended
    }
  };
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return all.map(Number).filter((one) => parent(one) === pid).sort((a, b) => a - b);
}

/** Have @gateway take its configuration over, and wait until only children of the new one are left. */
export async function reloaded(gateway) {
  const old = children(gateway.pid);
  gateway.hup();
  await until("the old generation to go", () =>
    children(gateway.pid).every((pid) => !old.includes(pid)),
  );
}

/** Kill @pid with all force; false: it was gone before. */
export function killHard(pid) {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

/** Kill a whole node, its supervisor @pid before it can start anything again. */
export function killNode(pid) {
  const all = [pid, ...children(pid)];
  all.forEach(killHard);
  return all;
}

/** Backends of the gateway in @postgres. */
export function backends(postgres) {
  const rows = postgres.sql(
    "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'chartseal%' ORDER BY pid",
  );
  return rows.map(([pid]) => Number(pid));
}

/** Kill one backend with all force, as a crash of it would be: PostgreSQL starts over. */
export function killBackend(postgres, random) {
  const pids = backends(postgres);
  const pid = pids[Math.floor(random() * pids.length)];
  return pid ? killHard(pid) : false;
}

/** Numbers between 0 and 1 from @seed, the same each time (mulberry32). */
export function randomFrom(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * Kill a random process of @site's gateway every @every ms, and a PostgreSQL backend every
 * @backendEvery ms, until stop(). A killed supervisor is started again, as systemd would.
 * kills counts what was killed.
 */
export function startKiller(site, { every = 1000, backendEvery = 15000, random, say }) {
  const kills = { worker: 0, notary: 0, supervisor: 0, backend: 0 };
  let stopped = false;
  const rounds = async () => {
    const began = Date.now();
    let backendAt = began + backendEvery;
    for (let i = 1; !stopped; i++) {
      await sleep(Math.max(0, began + i * every - Date.now()));
      if (stopped) {
        break;
      }
      const kids = children(site.gateway.pid);
      const pick = Math.floor(random() * (kids.length + 1));
      if (pick === kids.length) {
        kills.supervisor += site.gateway.kill("SIGKILL");
        await restart(site);
      } else {
        const what = role(kids[pick]);
        kills[what] += killHard(kids[pick]);
      }
      if (Date.now() >= backendAt) {
        backendAt += backendEvery;
        try {
          kills.backend += killBackend(site.postgres, random);
        } catch (error) {
          say?.(`  no backend killed: ${error.stderr?.trim() ?? error.message}`);
        }
      }
    }
  };
  const running = rounds();
  return {
    kills,
    async stop() {
      stopped = true;
      await running;
    },
  };
}

/** What process @pid of a gateway is, by its name. */
function role(pid) {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").includes("notary") ? "notary" : "worker";
  } catch {
    return "worker"; // gone: nothing will be killed
  }
}

/** Start serve again until it stays, as systemd's Restart=always does. */
export async function restart(site) {
  await site.gateway.exited;
  site.before = (site.before ?? "") + site.gateway.output();
  for (let tries = 0; ; tries++) {
    await sleep(100);
    try {
      site.gateway = await serve(site.files, { ready: false });
      return;
    } catch (error) {
      if (tries > 50) {
        throw error;
      }
    }
  }
}
