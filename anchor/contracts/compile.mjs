// Compile the contracts with the pinned solc and write what the C code needs of them.
//
//   docker/node anchor/contracts/compile.mjs           writes contracts_generated.h and .c
//   docker/node anchor/contracts/compile.mjs --check   compares instead, byte for byte
//
// No metadata is appended to the code, so the same sources and compiler give the same bytes.
// Use: import { compile } from this file for ABI and code in tests.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const packages = path.join(here, "../../tests");
const require = createRequire(path.join(packages, "package.json"));

const settings = {
  optimizer: { enabled: true, runs: 1000000 },
  viaIR: true, // 3,500 gas less for a first grant
  evmVersion: "cancun", // OpenZeppelin 5.7 needs mcopy; nothing here needs later opcodes
  metadata: { bytecodeHash: "none", appendCBOR: false },
  outputSelection: {
    "*": { "*": ["abi", "evm.bytecode.object", "evm.methodIdentifiers", "storageLayout"] },
  },
};

// What is exported: contract, EIP-712 types it signs, roles, storage variables read by proof.
const exported = [
  {
    name: "ConsentRegistry",
    prefix: "CONTRACTS_REGISTRY",
    types: [
      "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
      "ConsentGrant(bytes32 consentId,bytes32 commitment,address controller,uint16 version," +
        "uint40 validFrom,uint40 validUntil,uint40 deadline)",
      "ConsentRevoke(bytes32 consentId,uint16 version)",
      "ConsentRotate(bytes32 consentId,uint16 version,address to,uint40 deadline)",
    ],
    roles: ["GRANT_RELAYER_ROLE", "ATTESTOR_ROLE", "PAUSER_ROLE"],
    slots: { _records: "RECORDS" },
  },
  {
    name: "AuditAnchor",
    prefix: "CONTRACTS_ANCHOR",
    types: [],
    roles: [],
    slots: { _logs: "LOGS" },
  },
];

// Of what is inherited from OpenZeppelin, these are of use here; the ABI has the rest.
const inherited = [
  "grantRole",
  "revokeRole",
  "hasRole",
  "pause",
  "unpause",
  "paused",
  "RoleGranted",
  "RoleRevoked",
  "Paused",
  "Unpaused",
];

/** Compile @names (source files of this folder, or [name, text]) to solc's contracts by file. */
export function compile(names) {
  const solc = require("solc");
  const sources = {};
  for (const name of names) {
    const [file, content] = Array.isArray(name)
      ? name
      : [`${name}.sol`, readFileSync(path.join(here, `${name}.sol`), "utf8")];
    sources[file] = { content };
  }
  const find = (file) => {
    const folder = file.startsWith("@") ? path.join(packages, "node_modules") : here;
    try {
      return { contents: readFileSync(path.join(folder, file), "utf8") };
    } catch {
      return { error: `no such file: ${file}` };
    }
  };
  const input = { language: "Solidity", sources, settings };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: find }));
  const messages = (output.errors ?? []).map((e) => e.formattedMessage);
  if (messages.length > 0) {
    throw new Error(messages.join("\n")); // warnings too
  }
  return output.contracts;
}

function compileExported() {
  const contracts = compile(exported.map((e) => e.name));
  return exported.map((e) => {
    const own = contracts[`I${e.name}.sol`][`I${e.name}`].abi.map((entry) => entry.name);
    const wanted = new Set([...own, ...inherited]);
    return { ...e, wanted, ...contracts[`${e.name}.sol`][e.name] };
  });
}

const snake = (name) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toUpperCase();

/** Lines of at most 15 bytes for a C initialiser. */
function bytes(hex) {
  const all = hex.match(/../g).map((pair) => `0x${pair}`);
  const lines = [];
  for (let i = 0; i < all.length; i += 15) {
    lines.push(`    ${all.slice(i, i + 15).join(", ")},`);
  }
  return lines.join("\n");
}

const array32 = (name, hex) =>
  `const uint8_t ${name}[32] = {\n${bytes(hex.replace(/^0x/, ""))}\n};`;

const signature = (entry) => `${entry.name}(${entry.inputs.map(typeOf).join(",")})`;
const typeOf = (input) =>
  input.type.startsWith("tuple")
    ? `(${input.components.map(typeOf).join(",")})${input.type.slice("tuple".length)}`
    : input.type;

/** Event topics, type hashes and roles of @contract: constant's name, what it is, 32 bytes. */
function words(contract, id) {
  const lower = contract.prefix.toLowerCase();
  const events = contract.abi.filter((e) => e.type === "event" && contract.wanted.has(e.name));
  return [
    ...events.map((e) => [`${lower}_topic_${snake(e.name).toLowerCase()}`, signature(e)]),
    ...contract.types.map((t) => [`${lower}_type_${snake(t.split("(")[0]).toLowerCase()}`, t]),
    ...contract.roles.map((r) => [`${lower}_role_${r.replace(/_ROLE$/, "").toLowerCase()}`, r]),
  ].map(([name, text]) => [name, text, id(text)]);
}

/** A C comment of @text, broken after commas. */
function comment(text) {
  const lines = [""];
  for (const piece of text.match(/[^,]+,?/g)) {
    const last = lines.length - 1;
    if (lines[last].length + piece.length > 88) {
      lines.push(piece);
    } else {
      lines[last] += piece;
    }
  }
  return `/* ${lines.join("\n * ")} */`;
}

const banner = `/*
 * Generated by anchor/contracts/compile.mjs from the Solidity sources beside it: don't edit.
 * A test compiles again and compares.
 */
/* clang-format off */
`;

function header(contracts, id) {
  const out = [banner, "#pragma once\n\n#include <stddef.h>\n#include <stdint.h>\n"];
  out.push(
    "/* A custom error of a contract, as the first four bytes of what a reverted call returns. */",
    "struct contracts_error {\n    uint32_t selector;\n    const char *signature;\n};\n",
  );
  for (const c of contracts) {
    const lower = c.prefix.toLowerCase();
    out.push(`/* ---- ${c.name} ---- */\n`);
    out.push("/* First four bytes of a call, as a big-endian number. */");
    for (const [sig, hex] of Object.entries(c.evm.methodIdentifiers)) {
      const name = sig.split("(")[0];
      if (c.wanted.has(name)) {
        out.push(comment(sig), `#define ${c.prefix}_CALL_${snake(name)} UINT32_C(0x${hex})`);
      }
    }
    out.push("", "/* Storage slots of the mappings (for eth_getProof). */", "enum {");
    for (const [label, name] of Object.entries(c.slots)) {
      const slot = c.storageLayout.storage.find((s) => s.label === label);
      out.push(`    ${c.prefix}_SLOT_${name} = ${slot.slot},`);
    }
    out.push("};", "");
    out.push(
      "/* Event topics, EIP-712 type hashes, roles: keccak-256 of the text above each. */",
    );
    for (const [name, text] of words(c, id)) {
      out.push(comment(text), `extern const uint8_t ${name}[32];`);
    }
    out.push(
      "",
      "/* Code that creates the contract. Behind it the constructor's encoded arguments:",
      ` * (${c.abi[0].inputs.map((i) => `${i.type} ${i.name}`).join(", ")}). */`,
      `enum { ${c.prefix}_CODE_SIZE = ${c.evm.bytecode.object.length / 2} };`,
      `extern const uint8_t ${lower}_code[${c.prefix}_CODE_SIZE];`,
      "",
      "/* The ABI, one entry each; NULL ends it. Joined by commas in brackets: the JSON file. */",
      `extern const char *const ${lower}_abi[];`,
      "",
      "/* Custom errors; a NULL signature ends them. */",
      `extern const struct contracts_error ${lower}_errors[];`,
      "",
    );
  }
  return out.join("\n");
}

function source(contracts, id) {
  const out = [banner, '#include "anchor/contracts/contracts_generated.h"\n'];
  for (const c of contracts) {
    const lower = c.prefix.toLowerCase();
    for (const [name, , hex] of words(c, id)) {
      out.push(array32(name, hex));
    }
    out.push(`const uint8_t ${lower}_code[${c.prefix}_CODE_SIZE] = {`);
    out.push(bytes(c.evm.bytecode.object), "};");
    out.push(`const char *const ${lower}_abi[] = {`);
    for (const entry of c.abi) {
      const pieces = JSON.stringify(entry).match(/.{1,70}/g);
      out.push(`    ${pieces.map((p) => JSON.stringify(p)).join("\n    ")},`);
    }
    out.push("    NULL,\n};");
    out.push(`const struct contracts_error ${lower}_errors[] = {`);
    for (const entry of c.abi.filter((e) => e.type === "error")) {
      const sig = signature(entry);
      out.push(`    { UINT32_C(0x${id(sig).slice(2, 10)}), "${sig}" },`);
    }
    out.push("    { 0, NULL },\n};");
  }
  return out.join("\n") + "\n";
}

function main() {
  const { id } = require("ethers"); // keccak-256 of a text
  const contracts = compileExported();
  const files = {
    "contracts_generated.h": header(contracts, id),
    "contracts_generated.c": source(contracts, id),
  };
  let differ = 0;
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(here, name);
    if (process.argv[2] !== "--check") {
      writeFileSync(file, text);
    } else if (readFileSync(file, "utf8") !== text) {
      console.error(`${file} isn't what the sources compile to: run compile.mjs`);
      differ++;
    }
  }
  process.exitCode = differ > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main();
}
