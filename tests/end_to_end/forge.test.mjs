// The tests of the contracts that are written in Solidity (tests/contracts): properties for any
// input, and invariants over random walks of everybody who may call. And what lies in storage,
// because state proofs read it there.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import path from "node:path";

import { compile } from "../../anchor/contracts/compile.mjs";
import { top } from "./lib/process.mjs";

const FORGE = "tests/node_modules/@foundry-rs/forge-linux-amd64/bin/forge";

function forge(...args) {
  const env = { ...process.env, FOUNDRY_CONFIG: "tests/contracts/foundry.toml" };
  const usual = ["--root", ".", "--use", "tests/contracts/solc", "--json"];
  const how = { cwd: top, env, encoding: "utf8", maxBuffer: 1 << 26 };
  return spawnSync(FORGE, [...args, ...usual], how);
}

/** What forge says of each test, by suite. */
function runForge() {
  const { stdout, stderr } = forge("test");
  const line = stdout.split("\n").find((text) => text.startsWith("{"));
  assert.ok(line, `forge says no results: ${stderr || stdout}`);
  return JSON.parse(line);
}

const suites = runForge();

for (const [name, { test_results: results }] of Object.entries(suites)) {
  describe(name.split("/").at(-1), () => {
    for (const [what, result] of Object.entries(results)) {
      test(what.replace(/\(.*/, ""), () => {
        const why = { reason: result.reason, counterexample: result.counterexample };
        assert.equal(result.status, "Success", JSON.stringify(why));
      });
    }
  });
}

describe("what forge ran", () => {
  test("is all that stands in tests/contracts", () => {
    const count = Object.values(suites).flatMap((s) => Object.keys(s.test_results)).length;
    const written = readdirSync(`${top}/tests/contracts`)
      .filter((file) => file.endsWith(".t.sol"))
      .map((file) => readFileSync(`${top}/tests/contracts/${file}`, "utf8"))
      .join("\n")
      .match(/function (test|invariant)\w*\(/g).length;
    assert.equal(count, written);
  });

  test("invariants: at least 256 runs of 64 calls", () => {
    const results = Object.values(suites).flatMap((s) => Object.values(s.test_results));
    const kinds = results.map((r) => r.kind.Invariant).filter(Boolean);
    assert.ok(kinds.length > 0);
    for (const kind of kinds) {
      assert.ok(kind.runs >= 256 && kind.calls >= 256 * 64, JSON.stringify(kind));
    }
  });
});

describe("what forge's linter finds", () => {
  /** Kinds of findings below @folder, each once. */
  const findings = (folder) => {
    const severity = ["high", "med", "low", "info"].flatMap((one) => ["--severity", one]);
    const { stdout, stderr } = forge("lint", folder, ...severity);
    const codes = `${stdout}\n${stderr}`.matchAll(/"code":\{"code":"([\w-]+)"/g);
    return [...new Set([...codes].map(([, code]) => code))];
  };

  test("in the contracts: that validity and deadlines go by the block's time, nothing else", () => {
    assert.deepEqual(findings("anchor/contracts"), ["block-timestamp"]);
  });

  test("it does find what is wrong", () => {
    const folder = path.join(top, "build/forge/wrong");
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "Wrong.sol"), WRONG);
    assert.deepEqual(findings("build/forge/wrong"), ["divide-before-multiply"]);
  });
});

const WRONG = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;
contract Wrong {
  function share(uint256 a, uint256 b, uint256 c) external pure returns (uint256) {
    return (a / b) * c;
  }
}
`;

describe("storage", () => {
  const want = JSON.parse(readFileSync(`${top}/tests/contracts/storage.json`, "utf8"));
  const contracts = compile(Object.keys(want));
  for (const [name, layout] of Object.entries(want)) {
    test(`${name} lies as state proofs read it`, () => {
      const { storage, types } = contracts[`${name}.sol`][name].storageLayout;
      const place = ({ label, slot, offset, type }) => {
        const members = types[types[type].value ?? type].members;
        const inner = members && { members: members.map(place) };
        return { label, slot, offset, type: types[type].label, ...inner };
      };
      assert.deepEqual(storage.map(place), layout);
    });
  }
});
