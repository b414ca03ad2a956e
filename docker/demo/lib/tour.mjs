// The commands of README's "Five minutes by hand", typed one after the other.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { top } from "../../../tests/end_to_end/lib/process.mjs";
import { PORTS, where } from "./world.mjs";

const SECTION = /^## Five minutes by hand$(.*?)^## /ms;
const VERIFY = "build/chartseal-verify .demo/package.json --key .demo/log.key";

/** What a person fills in, found out: a record once it is final, the block that is named. */
const filledIn = {
  RECORD: `$(build/chartseal audit list --json --config .demo/chartseal.yaml |
    grep '"interaction":"search"' | grep -o '"id":"[0-9a-f-]*"' | head -1 | cut -d'"' -f4)
until build/chartseal audit show $RECORD --config .demo/chartseal.yaml |
  grep -q '^state *finalized'; do sleep 1; done`,
  BLOCK: `$({ ${VERIFY} || true; } | grep -o 'block [0-9][0-9]*' | head -1 | cut -d' ' -f2)`,
};

/** README's commands as a script for this world: its ports, its folder. */
function script(world) {
  const [, section] = SECTION.exec(readFileSync(path.join(top, "README.md"), "utf8"));
  const lines = section.split("\n").filter((line) => line.startsWith("    "));
  let text = lines.map((line) => line.slice(4)).join("\n");
  for (const [name, how] of Object.entries(filledIn)) {
    text = text.replace(new RegExp(`^${name}=….*$`, "m"), () => `${name}=${how}`);
  }
  text = text.replace(`${VERIFY}\n`, `${VERIFY} || test $? = 1 # not confirmed yet\n`);
  for (const [part, port] of Object.entries(PORTS)) {
    text = text.replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${world.at[part]}`);
  }
  return text.replaceAll(".demo/", `${where()}/`);
}

/** Leave the token that README reads; the file's name. */
export function leaveToken(staff) {
  const file = where("clinician.token");
  writeFileSync(file, staff.clinician, { mode: 0o600 });
  return file;
}

/** Type them all: what they printed, and the one that failed, if any did. */
export function tour(world) {
  const typed = `set -eEuo pipefail
    trap 'echo "failed: $BASH_COMMAND" >&2' ERR
    ${script(world)}`;
  return new Promise((resolve) => {
    const shell = spawn("bash", ["-c", typed], { cwd: top });
    let out = "";
    let err = "";
    shell.stdout.on("data", (data) => (out += data));
    shell.stderr.on("data", (data) => (err += data));
    shell.on("close", (status) => resolve({ status, out, err }));
  });
}
