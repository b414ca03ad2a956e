// npm's solc with the two ways of calling a solc that forge uses.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const solc = createRequire(new URL("../package.json", import.meta.url))("solc");

if (process.argv.includes("--version")) {
  console.log(`solc, the solidity compiler\nVersion: ${solc.version()}`);
} else if (process.argv.includes("--standard-json")) {
  console.log(solc.compile(readFileSync(0, "utf8")));
} else {
  console.error("solc: --version or --standard-json");
  process.exitCode = 64;
}
