// Write the vectors of this folder with ethers, so that our encodings are judged by another's.
//
//   docker/node tests/vectors/ethereum/make.mjs [--check]
//
// All values are hexadecimal without 0x; numbers are 16 digits, big-endian. Inputs come from a
// counter through keccak-256, so that a second run writes the same files.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import {
  AbiCoder,
  SigningKey,
  Transaction,
  TypedDataEncoder,
  computeAddress,
  encodeRlp,
  getCreateAddress,
  id,
  keccak256,
} from "ethers";

const here = path.dirname(fileURLToPath(import.meta.url));

let counter = 0;
/** @n bytes, other ones each time. */
const bytes = (n) => keccak256(id(`vector ${counter++}`)).slice(2, 2 + 2 * n);
const number = (value) => BigInt(value).toString(16).padStart(16, "0");
const plain = (hex) => hex.replace(/^0x/, "").toLowerCase();
const hex = (text) => `0x${text}`;
const big = (text) => BigInt(hex(text));

export const types = {
  grant: {
    ConsentGrant: [
      { name: "consentId", type: "bytes32" },
      { name: "commitment", type: "bytes32" },
      { name: "controller", type: "address" },
      { name: "version", type: "uint16" },
      { name: "validFrom", type: "uint40" },
      { name: "validUntil", type: "uint40" },
      { name: "deadline", type: "uint40" },
    ],
  },
  revoke: {
    ConsentRevoke: [
      { name: "consentId", type: "bytes32" },
      { name: "version", type: "uint16" },
    ],
  },
  rotate: {
    ConsentRotate: [
      { name: "consentId", type: "bytes32" },
      { name: "version", type: "uint16" },
      { name: "to", type: "address" },
      { name: "deadline", type: "uint40" },
    ],
  },
  statement: {
    ConsentStatement: [
      { name: "consentId", type: "bytes32" },
      { name: "version", type: "uint16" },
      { name: "text", type: "string" },
    ],
  },
};

function typedData(name, type, chain, fields) {
  const domain = {
    name: "ConsentRegistry",
    version: "1",
    chainId: BigInt(chain),
    verifyingContract: hex(bytes(20)),
  };
  const message = {};
  for (const field of Object.values(types[type])[0]) {
    const value = fields[field.name];
    message[field.name] = field.type.startsWith("uint") ? big(value) : hex(value);
  }
  const key = bytes(32);
  const digest = TypedDataEncoder.hash(domain, types[type], message);
  const signature = new SigningKey(hex(key)).sign(digest);
  return {
    name,
    type,
    chain: number(chain),
    contract: plain(domain.verifyingContract),
    ...fields,
    separator: plain(TypedDataEncoder.hashDomain(domain)),
    digest: plain(digest),
    key,
    address: plain(computeAddress(hex(key))),
    signature: plain(signature.serialized), // r, s, 27 or 28
  };
}

function eip712() {
  const grant = (version, from, until, deadline) => ({
    consentId: bytes(32),
    commitment: bytes(32),
    controller: bytes(20),
    version: number(version),
    validFrom: number(from),
    validUntil: number(until),
    deadline: number(deadline),
  });
  const end = 2n ** 40n - 1n;
  return [
    typedData("first grant", "grant", 31337, grant(1, 1767225600, 1798761600, 1767229200)),
    typedData("open end", "grant", 1, grant(2, 0, end, end)),
    typedData("largest version and chain", "grant", 2n ** 53n, grant(0x7fff, 1, 2, 3)),
    typedData("revocation", "revoke", 31337, { consentId: bytes(32), version: number(1) }),
    typedData("late revocation", "revoke", 10, {
      consentId: bytes(32),
      version: number(256),
    }),
    typedData("rotation", "rotate", 31337, {
      consentId: bytes(32),
      version: number(2),
      to: bytes(20),
      deadline: number(1767229200),
    }),
  ];
}

/** What ConsentRegistry holds: see anchor/eip712.h. */
export function commitment(schema, salt, policy, statement) {
  return keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ["bytes32", "uint8", "bytes32", "bytes32", "bytes32"],
      [id("chartseal/consent/v1"), schema, salt, policy, statement],
    ),
  );
}

function commitments() {
  const vector = (name, schema, statement) => {
    const fields = {
      schema: number(schema),
      salt: bytes(32),
      policy: bytes(32),
      statement,
    };
    const made = commitment(schema, hex(fields.salt), hex(fields.policy), hex(statement));
    return { name, ...fields, commitment: plain(made) };
  };
  return [
    vector("with a statement", 1, bytes(32)),
    vector("without a statement", 1, "00".repeat(32)),
    vector("highest schema", 255, bytes(32)),
  ];
}

function transaction(name, fields) {
  const key = bytes(32);
  const tx = Transaction.from({
    type: 2,
    chainId: big(fields.chain),
    nonce: Number(big(fields.nonce)),
    maxPriorityFeePerGas: big(fields.tip),
    maxFeePerGas: big(fields.max_fee),
    gasLimit: big(fields.gas),
    value: big(fields.value),
    to: fields.to ? hex(fields.to) : null,
    data: hex(fields.data),
  });
  const digest = tx.unsignedHash;
  tx.signature = new SigningKey(hex(key)).sign(digest);
  return {
    name,
    ...fields,
    key,
    from: plain(tx.from),
    digest: plain(digest),
    signed: plain(tx.serialized),
    hash: plain(tx.hash),
    created: plain(getCreateAddress({ from: tx.from, nonce: Number(big(fields.nonce)) })),
  };
}

function transactions() {
  const fields = (chain, nonce, tip, maxFee, gas, value, to, data) => ({
    chain: number(chain),
    nonce: number(nonce),
    tip: number(tip),
    max_fee: number(maxFee),
    gas: number(gas),
    value: number(value),
    to,
    data,
  });
  return [
    transaction("call", fields(31337, 7, 1e9, 3e9, 100000, 0, bytes(20), bytes(4) + bytes(32))),
    transaction("zeros are empty", fields(1, 0, 0, 0, 21000, 0, bytes(20), "")),
    transaction("one byte of data below 0x80", fields(1, 1, 1, 2, 21016, 1, bytes(20), "7f")),
    transaction("one byte of data from 0x80", fields(1, 127, 1, 2, 21016, 1, bytes(20), "80")),
    transaction("nonce of one long byte", fields(1, 128, 1, 2, 21016, 1, bytes(20), "")),
    transaction(
      "55 bytes of data",
      fields(10, 255, 5, 6, 30000, 0, bytes(20), "aa".repeat(55)),
    ),
    transaction(
      "56 bytes of data",
      fields(10, 256, 5, 6, 30000, 0, bytes(20), "bb".repeat(56)),
    ),
    transaction("creation", fields(31337, 0, 1e9, 2e9, 3000000, 0, "", "60".repeat(300))),
    transaction(
      "largest values",
      fields(
        2n ** 53n - 1n,
        2n ** 53n - 1n,
        1n,
        2n ** 64n - 1n,
        2n ** 63n,
        2n ** 64n - 1n,
        bytes(20),
        "00",
      ),
    ),
  ];
}

function rlp() {
  const vector = (name, list) => ({
    name,
    items: list,
    rlp: plain(encodeRlp(list.map(hex))),
  });
  return [
    vector("empty list", []),
    vector("empty string", [""]),
    vector("zero byte", ["00"]),
    vector("small byte", ["7f"]),
    vector("large byte", ["80"]),
    vector("55 bytes", ["11".repeat(55)]),
    vector("56 bytes", ["22".repeat(56)]),
    vector("256 bytes", ["33".repeat(256)]),
    vector("list of 55 bytes", Array(55).fill("05")),
    vector("list of 56 bytes", Array(56).fill("05")),
    vector("mixed", ["", "01", bytes(20), bytes(32), "ff".repeat(60)]),
  ];
}

export function vectors() {
  return {
    "eip712.json": eip712(),
    "commitment.json": commitments(),
    "transaction.json": transactions(),
    "rlp.json": rlp(),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, list] of Object.entries(vectors())) {
    const file = path.join(here, name);
    const text = `${JSON.stringify(list, null, 2)}\n`;
    if (process.argv[2] !== "--check") {
      writeFileSync(file, text);
    } else if (readFileSync(file, "utf8") !== text) {
      console.error(`${file} isn't what make.mjs writes`);
      process.exitCode = 1;
    }
  }
}
