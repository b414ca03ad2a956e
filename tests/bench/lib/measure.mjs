// What all benchmarks share: turns, medians, CPU time of a process, programs on a core.
import { execFile } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { start, top } from "../../end_to_end/lib/process.mjs";

const runFile = promisify(execFile);

export const seconds = Number(process.env.BENCH_SECONDS ?? 2);
export const repeats = Number(process.env.BENCH_REPEATS ?? 5);

/** Cores: contestants on one, clients and upstreams on the other. */
export const MINE = os.cpus().length > 1 ? "0" : "0";
export const OTHERS = os.cpus().length > 1 ? "1" : "0";

export const program = (name) => path.join(top, "build/tests/bench", name);

/** Output of a program that prints one line of JSON, run on core @core (any if not given). */
export async function ask(core, name, ...args) {
  const command = [program(name), ...args.map(String)];
  const whole = core ? ["taskset", "-c", core, ...command] : command;
  const options = { maxBuffer: 1 << 24, env: process.env };
  const { stdout } = await runFile(whole[0], whole.slice(1), options).catch((error) => {
    throw new Error(`${name} ${error.signal ?? error.code}: ${error.stderr || error.stdout}`);
  });
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

/** Start a program on a core. */
export function startOn(core, command, args, more) {
  return start("taskset", ["-c", core, command, ...args], more);
}

function tasks(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Microseconds of CPU that the processes @pids have had, all threads. */
export function cpuOf(...pids) {
  let ns = 0;
  for (const pid of pids) {
    for (const task of tasks(pid)) {
      ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]);
    }
  }
  return ns / 1000;
}

/** Resident memory of a process, in bytes. */
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)[1]) * 1024;
}

/** Children of @pid, and theirs. */
export function childrenOf(pid) {
  const own = tasks(pid).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean),
  );
  return own.flatMap((child) => [Number(child), ...childrenOf(child)]);
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Let contestants take turns: @contestants is { name: async () => ({ metric: number, … }) }.
 * Resolves to { name: { metric: median, … } }.
 */
export async function race(contestants, turns = repeats) {
  const all = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
  for (let i = 0; i < turns; i++) {
    for (const [name, turn] of Object.entries(contestants)) {
      all[name].push(await turn());
    }
  }
  return Object.fromEntries(
    Object.entries(all).map(([name, results]) => [
      name,
      Object.fromEntries(
        Object.keys(results[0]).map((key) => [key, median(results.map((r) => r[key]))]),
      ),
    ]),
  );
}

/** @done requests by @pids while @work runs: { rate, cpu (µs each), p50, p99 }. */
export async function underLoad(pids, work) {
  const before = cpuOf(...pids());
  const got = await work();
  const used = cpuOf(...pids()) - before;
  if (got.errors) {
    throw new Error(`${got.errors} errors in ${got.count} requests`);
  }
  return {
    rate: got.per_second,
    cpu: used / Math.max(got.count, 1),
    p50: got.p50_us,
    p99: got.p99_us,
  };
}

export const whole = (x) => Math.round(x).toLocaleString("en");
export const short = (x) => (x >= 100 ? whole(x) : x.toPrecision(3));
export const times = (x) => (x >= 100 ? whole(x) : x.toFixed(2));
