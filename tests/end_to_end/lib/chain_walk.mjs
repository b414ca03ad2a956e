// Random grants, revocations, rotations and reorganisations on a chain.
import { Wallet, ZeroHash, hexlify, randomBytes } from "ethers";

import { OPEN_END, account, sign } from "./chain.mjs";

const CONSENTS = 16;
const DEEPEST = 6;
const REVOKED = 0x8000n;

/**
 * A walk over @registry on @chain, whose admin, relayer and attestor is the first account.
 * step() does a few things in a block or two, or takes blocks away. @random(n) is below n.
 */
export async function chainWalk(chain, registry, random) {
  const consents = Array.from({ length: CONSENTS }, () => ({
    id: hexlify(randomBytes(32)),
    keys: [Wallet.createRandom(), Wallet.createRandom()],
  }));
  const from = account(0).address;
  const to = await registry.getAddress();
  const done = {};

  const send = (name, args) =>
    chain.rpc("eth_sendTransaction", {
      from,
      to,
      data: registry.interface.encodeFunctionData(name, args),
      gas: "0x7a120",
    });

  async function grant({ id, keys }, state, now) {
    const key = keys.find((one) => one.address === state.controller) ?? keys[0];
    const fields = {
      consentId: id,
      commitment: hexlify(randomBytes(32)),
      controller: key.address,
      version: state.version + 1,
      validFrom: now - 86400,
      validUntil: OPEN_END,
      deadline: now + 1e6,
    };
    await send("grant", [fields, await sign(key, registry, "grant", fields)]);
  }

  async function revoke({ id, keys }, { version, controller }) {
    const key = keys.find((one) => one.address === controller);
    const sig = await sign(key, registry, "revoke", { consentId: id, version });
    await send("revoke", [id, version, sig]);
  }

  const attest = ({ id }, { version }) => send("revokeByAttestor", [id, version]);

  async function rotate({ id, keys }, state, now) {
    const [key, next] = keys[0].address === state.controller ? keys : [...keys].reverse();
    const version = state.version + 1;
    const rest = { to: next.address, deadline: now + 1e6 };
    const sig = await sign(key, registry, "rotate", { consentId: id, version, ...rest });
    await send("rotateController", [id, version, rest.to, rest.deadline, sig]);
  }

  const kinds = { grant, revoke, attest, rotate };
  const possible = ({ version, revoked }) =>
    version === 0 || revoked ? ["grant"] : ["grant", "revoke", "attest", "rotate"];

  async function act() {
    const { timestamp } = await chain.provider.getBlock("latest");
    const rest = [...consents];
    for (let i = random(6); i >= 0; i--) {
      const [consent] = rest.splice(random(rest.length), 1);
      const { meta, controller, commitment } = await registry.statusOf(consent.id);
      const version = Number(meta & ~REVOKED);
      const state = { version, revoked: (meta & REVOKED) !== 0n, controller };
      const names = commitment === ZeroHash ? ["grant"] : possible(state);
      const name = names[random(names.length)];
      await kinds[name](consent, state, timestamp);
      done[name] = (done[name] ?? 0) + 1;
    }
  }

  const walk = {
    done,
    reorgs: 0,
    deepest: 0,
    async step() {
      if (random(3) === 0) {
        const depth = 1 + random(DEEPEST);
        await chain.rpc("anvil_reorg", depth, []);
        walk.reorgs++;
        walk.deepest = Math.max(walk.deepest, depth);
      } else {
        await chain.rpc("evm_setAutomine", false);
        await act();
        await chain.mine(1 + random(3));
        await chain.rpc("evm_setAutomine", true);
      }
    },
  };
  return walk;
}
