// Where the story looks whether what it says is so: the chain itself, the FHIR server behind the
// gateway, and the log as its administrator sees it.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { sleep } from "../../../tests/end_to_end/lib/process.mjs";
import { use } from "../parts/packages.mjs";
import { Unlike } from "./show.mjs";
import { NUMBERS, must, program } from "./world.mjs";

const { Contract, keccak256 } = use("ethers");

const STATUS_OF =
  "function statusOf(bytes32) view returns (tuple(address controller, uint40 validFrom, " +
  "uint40 validUntil, uint16 meta, bytes32 commitment))";
const REVOKED = 0x8000; // of meta; the rest is the version

/** Text of the v2 message @name. */
export const message = (name) =>
  readFileSync(fileURLToPath(new URL(`../messages/${name}.hl7`, import.meta.url)), "utf8");

/** Resources of @type in a Bundle. */
export const resources = ({ entry = [] }, type) =>
  entry.map(({ resource }) => resource).filter((one) => one?.resourceType === type);

/** What the chain says of @person's consent. */
export async function onChain(world, person) {
  const registry = new Contract(world.contracts.consent, [STATUS_OF], world.chain.provider);
  const { controller, meta } = await registry.statusOf(person.consentId());
  const bits = Number(meta);
  return { controller, version: bits & ~REVOKED, revoked: (bits & REVOKED) !== 0 };
}

/** Resources that the FHIR server has, asked without the gateway. */
export async function behind(world, type) {
  return resources(await (await fetch(`${world.ehr.base}/${type}?_count=100`)).json(), type);
}

/** The administrator's list about @person, newest first: record and opening of each. */
export function audited(world, person) {
  const about = ["--patient", `${NUMBERS}|${person.number}`];
  const out = must(program, "audit", "list", "--config", world.file, "--json", ...about);
  return out
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** Lines of "audit show": name and value. */
function shown(world, record) {
  const out = must(program, "audit", "show", record, "--config", world.file);
  const lines = out.split("\n");
  return Object.fromEntries(lines.map((line) => [line.slice(0, 13).trim(), line.slice(13)]));
}

/** Wait until @record is anchored in a final block; each look is itself recorded. */
export async function finalized(world, record, patience) {
  let state;
  for (let i = 0; i < patience; i++) {
    state = shown(world, record);
    if (state.state === "finalized") {
      return state;
    }
    await sleep(1000);
  }
  throw new Unlike(`expected: final within ${patience} s; found: ${state.state}`);
}

/** NUMBER:HASH of the blocks that the evidence in @file rests on, as the chain tells them. */
export async function blocksOf(world, file) {
  const { anchor, consents = [] } = JSON.parse(readFileSync(file, "utf8"));
  const headers = [anchor, ...consents].map(({ header }) => header);
  const lines = new Set();
  for (const header of headers) {
    const { number } = await world.chain.rpc("eth_getBlockByHash", keccak256(header), false);
    const { hash } = await world.chain.rpc("eth_getBlockByNumber", number, false);
    lines.add(`${Number(number)}:${hash}`);
  }
  return [...lines];
}
