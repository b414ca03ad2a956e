// Debian's chromium without a screen, told what to do by its debugging protocol over a pipe, with
// a virtual authenticator that verifies its user. The package is optional: tests that want it are
// skipped by name where it isn't.
import { spawn, spawnSync } from "node:child_process";

import { folder } from "./parts.mjs";
import { until } from "./process.mjs";

export const hasBrowser = spawnSync("chromium", ["--version"]).status === 0;

/** Start one: open(url) resolves to a page whose run(text) evaluates text there; stop(). */
export async function startBrowser() {
  const args = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--remote-debugging-pipe",
    `--user-data-dir=${folder("browser")}`,
  ];
  const stdio = ["ignore", "ignore", "ignore", "pipe", "pipe"];
  const chromium = spawn("chromium", args, { stdio, detached: true });
  const kill = () => {
    try {
      process.kill(-chromium.pid, "SIGKILL");
    } catch {
      // it has ended
    }
  };
  process.once("exit", kill);
  const [, , , to, from] = chromium.stdio;
  const waiting = new Map();
  let received = "";
  let last = 0;
  from.setEncoding("utf8");
  from.on("data", (text) => {
    const parts = (received + text).split("\0");
    received = parts.pop();
    for (const { id, result, error } of parts.map((part) => JSON.parse(part))) {
      const { resolve, reject } = waiting.get(id) ?? {};
      waiting.delete(id);
      if (error) {
        reject?.(new Error(error.message));
      } else {
        resolve?.(result);
      }
    }
  });
  const ended = new Promise((resolve) => chromium.once("close", resolve));
  ended.then(() => waiting.forEach(({ reject }) => reject(new Error("chromium has ended"))));
  const ask = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      to.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
    });
  return {
    async open(url) {
      const { targetId } = await ask("Target.createTarget", { url: "about:blank" });
      const { sessionId } = await ask("Target.attachToTarget", { targetId, flatten: true });
      const tell = (method, params) => ask(method, params, sessionId);
      await tell("WebAuthn.enable");
      await tell("WebAuthn.addVirtualAuthenticator", {
        options: {
          protocol: "ctap2",
          transport: "internal",
          hasResidentKey: true,
          hasUserVerification: true,
          isUserVerified: true,
          automaticPresenceSimulation: true,
        },
      });
      const run = async (expression) => {
        const how = { expression, awaitPromise: true, returnByValue: true };
        const { result, exceptionDetails } = await tell("Runtime.evaluate", how);
        if (exceptionDetails) {
          throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        }
        return result.value;
      };
      await tell("Page.navigate", { url });
      // What is evaluated before it is there belongs to the blank page.
      await until(url, async () => {
        const [where, state] = await run("[location.href, document.readyState]");
        return where === url && state === "complete";
      });
      return { run };
    },
    async stop() {
      kill();
      await ended;
    },
  };
}
