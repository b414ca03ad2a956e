// A whole site for tests of HL7 v2: PostgreSQL, a v2 receiver, a FHIR store and a gateway
// between them and whoever sends.
import { configure, freshLedger, migrate, records, serve, startPostgres } from "./gateway.mjs";
import { startPlainStore, startReceiver } from "./parts.mjs";
import { freePort, until } from "./process.mjs";

const OPEN = "SELECT count(*) FROM outbox WHERE state IN (0, 1)";
const STATES = ["open", "held", "withheld", "delivered", "parked"];

const lab = {
  address: "127.0.0.1",
  organization: "urn:oid:1.2.3",
  zone: "Europe/Berlin",
  assigners: { LAB: "urn:oid:1.2.3.4" },
};

const usual = { from: "lab", to: ["ward", "ehr"], purpose: "TREAT", mode: "shadow" };

/**
 * Start one. Without options all is forwarded and consent decided on paper only; @routes,
 * @listeners, @sender, @ward, @ehr and @config add to what the configuration says of each.
 * @fhir is started in place of the plain store, @fresh false leaves the ledger's view to the test.
 */
export async function startSite({
  routes = [{}],
  listeners = {},
  sender = {},
  ward = {},
  ehr = {},
  config = {},
  fhir = startPlainStore,
  fresh = true,
} = {}) {
  const postgres = await startPostgres();
  const receiver = await startReceiver();
  const store = await fhir();
  const port = await freePort();
  const retry = { retry_least: "100ms", retry_most: "1s" };
  const files = await configure(postgres, {
    listeners: {
      lab: { protocol: "mllp", address: `127.0.0.1:${port}`, senders: [{ ...lab, ...sender }] },
      ...listeners,
    },
    destinations: {
      ward: {
        protocol: "mllp",
        address: `127.0.0.1:${receiver.port}`,
        organization: "urn:oid:1.2.10",
        ...retry,
        ...ward,
      },
      ehr: { protocol: "fhir", url: store.base, organization: "urn:oid:1.2.9", ...retry, ...ehr },
    },
    routes: routes.map((route) => ({ ...usual, ...route })),
    ...config,
  });
  migrate(files);
  const ledger = fresh ? freshLedger(postgres) : undefined;
  const site = { postgres, receiver, store, port, files, ledger };
  return Object.assign(site, {
    gateway: await serve(files),
    /** One more node on the same database: port and gateway. */
    async secondNode() {
      const { listeners, keys, ...rest } = files.config;
      const itsPort = await freePort();
      const admin = `127.0.0.1:${await freePort()}`;
      const its = await configure(postgres, {
        ...rest,
        keys,
        listeners: { lab: { ...listeners.lab, address: `127.0.0.1:${itsPort}` } },
        gateway: "second",
        admin: { address: admin },
      });
      const gateway = await serve({ ...its, admin: `http://${admin}` });
      return { port: itsPort, gateway };
    },
    /** Rows of the outbox, oldest first. */
    outbox: () =>
      postgres
        .sql(
          `SELECT number, exchange, destination, state, reason, attempts
           FROM outbox ORDER BY number`,
        )
        .map(([number, exchange, destination, state, reason, attempts]) => ({
          number,
          exchange,
          destination,
          state: STATES[state],
          reason,
          attempts: Number(attempts),
        })),
    /** Until nothing waits for its delivery. */
    quiet: (seconds) =>
      until("deliveries", () => postgres.sql(OPEN)[0][0] === "0", seconds),
    /** Records of the log, in the order of their ids. */
    records: () => records(postgres),
    async stop() {
      ledger?.stop();
      await site.gateway?.stop();
      await receiver.stop();
      await store.stop();
      postgres.stop();
    },
  });
}
