// A node of a chain that nobody mined: as many events of a registry as a test wants, made when
// they are asked for. Enough of JSON-RPC for a follower, and for nothing else.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import http from "node:http";

import { id } from "ethers";

const PER_BLOCK = 20;
const GROUP = 10; // events: 8 grants, one of them granted again, another revoked
const GRANTS = 8;
const MOST = 10000; // logs of one answer, as providers have it
const FIRST = 1000; // block of the first event

const hashOf = (...parts) => `0x${createHash("sha256").update(parts.join(" ")).digest("hex")}`;
const hex = (n) => `0x${n.toString(16)}`;
const wordOf = (n) => n.toString(16).padStart(64, "0");

const granted = id("ConsentGranted(bytes32,uint16,bytes32,address,uint40,uint40)");
const revoked = id("ConsentRevoked(bytes32,uint16,uint8)");
const controller = "33".repeat(20);

export const consentOf = (n) => hashOf("consent", n);
const commitmentOf = (n, version) => hashOf("commitment", n, version);

/** Topics and data of event @i. */
function eventOf(i) {
  const group = Math.floor(i / GROUP) * GRANTS;
  const nth = i % GROUP;
  if (nth === GRANTS + 1) {
    return [[revoked, consentOf(group + 1)], `0x${wordOf(1)}${wordOf(0)}`];
  }
  const [n, version] = nth === GRANTS ? [group, 2] : [group + nth, 1];
  const data =
    wordOf(version) +
    commitmentOf(n, version).slice(2) +
    controller.padStart(64, "0") +
    wordOf(1) +
    wordOf(2 ** 40 - 1);
  return [[granted, consentOf(n)], `0x${data}`];
}

/**
 * Start one with @count events, a multiple of ten: url, what a configuration needs (consent,
 * anchor, deployed), what it adds up to (head, consents, revoked), began() (when it was first
 * asked), check(postgres), stop().
 */
export async function startManyLogs(count) {
  assert.equal(count % GROUP, 0);
  const consent = `0x${"11".repeat(20)}`;
  const last = FIRST + Math.ceil(count / PER_BLOCK) - 1;
  const head = last + 100;
  const heights = { latest: head, safe: head - 2, finalized: head - 4 };
  const logOf = (i) => {
    const number = FIRST + Math.floor(i / PER_BLOCK);
    const [topics, data] = eventOf(i);
    return {
      address: consent,
      topics,
      data,
      blockNumber: hex(number),
      blockHash: hashOf("block", number),
      transactionHash: hashOf("transaction", i),
      transactionIndex: "0x0",
      logIndex: hex(i % PER_BLOCK),
      removed: false,
    };
  };
  const answers = {
    eth_chainId: () => hex(31337),
    eth_getBlockByNumber([which]) {
      const number = heights[which] ?? Number(which);
      return {
        number: hex(number),
        hash: hashOf("block", number),
        parentHash: hashOf("block", number - 1),
        timestamp: hex(1_800_000_000 + 12 * number),
      };
    },
    eth_getLogs([{ fromBlock, toBlock }]) {
      const from = Math.max(0, (Number(fromBlock) - FIRST) * PER_BLOCK);
      const to = Math.min(count, (Number(toBlock) - FIRST + 1) * PER_BLOCK);
      if (to - from > MOST) {
        throw new Error(`query returned more than ${MOST} results`);
      }
      return Array.from({ length: Math.max(0, to - from) }, (_, i) => logOf(from + i));
    },
  };
  const answer = ({ id: of, method, params }) => {
    try {
      return { jsonrpc: "2.0", id: of, result: answers[method](params) };
    } catch ({ message }) {
      return { jsonrpc: "2.0", id: of, error: { code: -32000, message } };
    }
  };
  let began;
  const server = http.createServer(async (request, response) => {
    began ??= Date.now();
    let body = "";
    for await (const piece of request) {
      body += piece;
    }
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answer(JSON.parse(body))));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    consent,
    anchor: `0x${"22".repeat(20)}`,
    deployed: FIRST,
    head,
    consents: (count / GROUP) * GRANTS,
    revoked: count / GROUP,
    began: () => began,
    /** Some consents are as the events say. */
    check(postgres) {
      for (const n of [0, 1, 2, GRANTS * Math.floor(count / GROUP / 2) + 3, (count / GROUP) * GRANTS - 1]) {
        const version = n % GRANTS === 0 ? 2 : 1;
        const [row] = postgres.sql(
          `SELECT version, revoked, safe, '0x' || encode(commitment, 'hex') FROM consent_chain
           WHERE consent = decode('${consentOf(n).slice(2)}', 'hex')`,
        );
        const want = [String(version), n % GRANTS === 1 ? "t" : "f", "t", commitmentOf(n, version)];
        assert.deepEqual(row, want);
      }
    },
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
