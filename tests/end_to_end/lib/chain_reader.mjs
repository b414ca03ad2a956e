// A second reader of a registry, beside the gateway's follower: what the chain's logs and state
// say of each consent, and whether what a gateway keeps is just that.
import assert from "node:assert/strict";

const REVOKED = 0x8000n;
const ROWS = `SELECT '0x' || encode(consent, 'hex'), version, '0x' || encode(commitment, 'hex'),
  '0x' || encode(controller, 'hex'), safe, revoked, '0x' || encode(block_hash, 'hex'),
  coalesce(next_version, 0) FROM consent_chain`;
const EVENTS = `SELECT '0x' || encode(block_hash, 'hex') || ' ' || log_index FROM chain_event`;
const BLOCKS = `SELECT '0x' || encode(hash, 'hex') FROM chain_block`;

const before = (a, b) =>
  a.blockNumber < b.blockNumber || (a.blockNumber === b.blockNumber && a.index < b.index);

export class ChainReader {
  compared = 0;
  kept = 0; // revocations that stay though their block went
  #chain;
  #registry;
  #from;
  #confirmations;
  #logs = new Set(); // that ever were
  #blocks = new Set();
  #sampled = new Set(); // blocks that a gateway kept at any time
  #revoked = []; // that ever were
  #stays = []; // that a gateway had seen

  constructor(chain, registry, { from, confirmations }) {
    this.#chain = chain;
    this.#registry = registry;
    this.#from = from;
    this.#confirmations = confirmations;
  }

  /** The registry's events as the chain has them now. */
  async #events() {
    const { provider } = this.#chain;
    const address = await this.#registry.getAddress();
    const logs = await provider.getLogs({ address, fromBlock: this.#from });
    return logs
      .map((log) => ({ ...this.#registry.interface.parseLog(log), ...place(log) }))
      .filter(({ args }) => args.consentId !== undefined);
  }

  /** Remember which blocks and events there are: to be called after each change of the chain. */
  async see() {
    const events = await this.#events();
    for (const event of events) {
      const key = `${event.blockHash} ${event.index}`;
      if (!this.#logs.has(key) && event.name === "ConsentRevoked") {
        this.#revoked.push(event);
      }
      this.#logs.add(key);
    }
    const latest = await this.#chain.provider.getBlockNumber();
    for (let number = Math.max(0, latest - 20); number <= latest; number++) {
      this.#blocks.add((await this.#chain.provider.getBlock(number)).hash);
    }
    return { events, latest };
  }

  /** Remember what a gateway keeps just now; compare() looks at it. */
  sample(postgres) {
    postgres.sql(BLOCKS).forEach(([hash]) => this.#sampled.add(hash));
  }

  /** The gateway has come to the head: it must keep what the chain says, and nothing else. */
  async compare(postgres, round) {
    const { events, latest } = await this.see();
    const rows = new Map(postgres.sql(ROWS).map(([id, ...row]) => [id, row]));
    const ids = new Set(events.map(({ args }) => args.consentId));
    const granted = [...ids].filter((id) => events.some(isGrant(id)));
    assert.deepEqual([...rows.keys()].sort(), granted.sort(), `round ${round}: consents`);
    for (const id of granted) {
      const own = events.filter(({ args }) => args.consentId === id);
      const want = inForce(own, latest - this.#confirmations);
      const [version, commitment, controller, safe, revoked, block, next] = rows.get(id);
      const got = { version, commitment, controller, safe: safe === "t", block, next };
      const { grantVersion, ...rest } = want;
      assert.deepEqual(got, rest, `round ${round}: consent ${id}`);
      this.#checkRevoked(id, grantVersion, own, revoked === "t");
      await this.#checkState(id, own);
      this.compared++;
    }
    this.sample(postgres);
    for (const hash of this.#sampled) {
      // Blocks older than those looked at were on the chain when the trial began.
      assert.ok(this.#blocks.has(hash) || (await this.#chain.provider.getBlock(hash)), hash);
    }
    for (const [key] of postgres.sql(EVENTS)) {
      assert.ok(this.#logs.has(key), `round ${round}: event ${key} never was`);
    }
    this.#stays.push(...events.filter(({ name }) => name === "ConsentRevoked"));
  }

  #checkRevoked(id, version, own, revoked) {
    const ends = ({ name, args }) =>
      name === "ConsentRevoked" && args.consentId === id && args.version >= version;
    if (own.some(ends)) {
      assert.ok(revoked, `${id} is revoked`);
      return;
    }
    const seen = this.#stays.some(ends);
    assert.ok(revoked || !seen, `${id}: a revocation that was seen stays`);
    assert.ok(!revoked || this.#revoked.some(ends), `${id}: never revoked`);
    this.kept += revoked ? 1 : 0;
  }

  /** The contract's own word, beside what its events say. */
  async #checkState(id, own) {
    const newest = own.at(-1);
    const state = await this.#registry.statusOf(id);
    assert.equal(state.meta & ~REVOKED, newest.args.version);
    assert.equal((state.meta & REVOKED) !== 0n, newest.name === "ConsentRevoked");
  }

  told() {
    return (
      `${this.compared} states compared, ${this.kept} times with a revocation whose block went;` +
      ` ${this.#logs.size} events in ${this.#blocks.size} blocks, those of forks included`
    );
  }
}

const isGrant = (id) => ({ name, args }) => name === "ConsentGranted" && args.consentId === id;
const place = ({ blockNumber, blockHash, index }) => ({ blockNumber, blockHash, index });

/** What is in force of a consent with @events, if blocks up to @safe are safe. */
function inForce(events, safe) {
  const grants = events.filter(({ name }) => name === "ConsentGranted");
  const newest = grants.at(-1);
  const grant = grants.findLast(({ blockNumber }) => blockNumber <= safe) ?? newest;
  const next = grant === newest ? undefined : newest;
  const rotated = (from, to) =>
    events.findLast(
      (event) =>
        event.name === "ControllerRotated" && before(from, event) && (!to || before(event, to)),
    ) ?? from;
  const now = rotated(grant, next);
  return {
    version: String(now.args.version),
    commitment: grant.args.commitment,
    controller: now.args.controller.toLowerCase(),
    safe: grant.blockNumber <= safe,
    block: grant.blockHash,
    next: next ? String(rotated(next).args.version) : "0",
    grantVersion: grant.args.version,
  };
}
