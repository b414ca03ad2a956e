// A way for TCP connections that can be cut without either end being told: what is sent on it is
// lost, and nobody hears of an end. Connections made afterwards work.
import net from "node:net";

/** Start one to @port of 127.0.0.1: port, cut(), stop(). */
export async function startCutProxy(port) {
  const pairs = new Set();
  const server = net.createServer((near) => {
    const far = net.connect({ port, host: "127.0.0.1" });
    const pair = { near, far, cut: false };
    pairs.add(pair);
    const pass = (from, to) => {
      from.on("data", (data) => pair.cut || to.write(data));
      from.on("error", () => {});
      from.on("close", () => {
        pairs.delete(pair);
        if (!pair.cut) {
          to.destroy();
        }
      });
    };
    pass(near, far);
    pass(far, near);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: server.address().port,
    /** Cut those there are; how many. */
    cut() {
      const whole = [...pairs].filter((pair) => !pair.cut);
      whole.forEach((pair) => (pair.cut = true));
      return whole.length;
    },
    stop() {
      server.close();
      pairs.forEach(({ near, far }) => [near, far].forEach((end) => end.destroy()));
    },
  };
}
