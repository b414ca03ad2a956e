// A node of the chain as a gateway sees it: in front of a real one, and at fault when told so.
import http from "node:http";

const HEX32 = (n) => `0x${n.toString(16).padStart(64, "0")}`;
const hex = (n) => `0x${n.toString(16)}`;

/**
 * What goes wrong, by name; each gets a call, may change or replace the answer, and says
 * undefined to give none at all. state is that of one node since it was told.
 */
const faults = {
  none: (call, answer) => answer,
  /** Leaves one event out. */
  missing(call, answer, { random }) {
    if (call.method === "eth_getLogs" && answer.result?.length > 0) {
      answer.result.splice(random(answer.result.length), 1);
    }
    return answer;
  },
  /** Tells one event twice. */
  duplicated(call, answer, { random }) {
    if (call.method === "eth_getLogs" && answer.result?.length > 0) {
      const i = random(answer.result.length);
      answer.result.splice(i, 0, answer.result[i]);
    }
    return answer;
  },
  /** Tells an event of another consent. */
  forged(call, answer, { random }) {
    if (call.method === "eth_getLogs" && answer.result?.length > 0) {
      answer.result[random(answer.result.length)].topics[1] = HEX32(random(1e9));
    }
    return answer;
  },
  /** Tells events of a version that isn't. */
  altered(call, answer, { random }) {
    if (call.method === "eth_getLogs" && answer.result?.length > 0) {
      const log = answer.result[random(answer.result.length)];
      log.data = HEX32(1 + random(0x7fff)) + log.data.slice(66);
    }
    return answer;
  },
  /** Has other blocks than the rest. */
  "other blocks"(call, answer) {
    if (call.method === "eth_getBlockByNumber" && answer.result) {
      answer.result.hash = `0x${[...answer.result.hash.slice(2)].reverse().join("")}`;
    }
    return answer;
  },
  /** Says that there is nothing above a block that it had when the fault began. */
  async back(call, answer, state) {
    const { ask, random } = state;
    state.cap ??= Math.max(1, Number(await ask("eth_blockNumber")) - 1 - random(6));
    if (call.method === "eth_getBlockByNumber") {
      const [which] = call.params;
      const asked = which.startsWith("0x") ? Number(which) : state.cap;
      const result = asked > state.cap ? null : await ask(call.method, hex(asked), false);
      return { ...answer, result };
    }
    if (call.method === "eth_getLogs" && Number(call.params[0].toBlock) > state.cap) {
      const error = { code: -32000, message: "block range extends beyond current head block" };
      return { jsonrpc: "2.0", id: call.id, error };
    }
    return answer;
  },
  stalled: () => undefined,
  garbage: () => "<html>502 Bad Gateway</html>",
  "another chain": (call, answer) =>
    call.method === "eth_chainId" ? { ...answer, result: "0x1" } : "{}",
};

export const faultNames = Object.keys(faults).filter((name) => name !== "none");

/** Start one in front of the node at @url: url, become(fault), stop(). @random(n) is below n. */
export async function startFaultyNode(url, random) {
  let fault = "none";
  let state;
  const post = async (body) => {
    const headers = { "content-type": "application/json" };
    return (await fetch(url, { method: "POST", headers, body })).json();
  };
  const ask = async (method, ...params) =>
    (await post(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }))).result;
  const serve = async (request, response) => {
    let body = "";
    for await (const piece of request) {
      body += piece;
    }
    const call = JSON.parse(body);
    const [now, its] = [faults[fault], state];
    const answer = await now(call, await post(body), its);
    if (answer !== undefined) {
      response.setHeader("content-type", "application/json");
      response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
    }
  };
  const server = http.createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const node = {
    url: `http://127.0.0.1:${server.address().port}`,
    get fault() {
      return fault;
    },
    become(name) {
      fault = name;
      state = { random, ask };
      if (name === "none") {
        server.closeAllConnections(); // what it left unanswered ends
      }
    },
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
  node.become("none");
  return node;
}
