// The key that holds a patient's consents on chain: it signs what is filed (EIP-712), and takes
// it back. It has no ether; whoever hands its signatures in pays.
import { Wallet } from "ethers";

import { signTyped } from "./chain.mjs";

const HOUR = 3600;

/** What an answer to filing says is to be signed: consentId, commitment, version, …. */
export function toSign(filed) {
  const parts = filed.extension.find((one) => one.url === "urn:chartseal:grant").extension;
  return Object.fromEntries(parts.map((part) => [part.url, part.valueString]));
}

/** A new key for consents in @registry (whose getAddress() is asked). */
export function controller(registry) {
  let wallet = Wallet.createRandom();
  return {
    get address() {
      return wallet.address;
    },
    /** To what @filed, an answer to filing, asks: the grant, and both signatures. */
    async grant(filed) {
      const asked = toSign(filed);
      const grant = {
        consentId: asked.consentId,
        commitment: asked.commitment,
        controller: wallet.address,
        version: Number(asked.version),
        validFrom: Number(asked.validFrom),
        validUntil: Number(asked.validUntil),
        deadline: Math.floor(Date.now() / 1000) + HOUR,
      };
      const { consentId, version } = grant;
      const statement = { consentId, version, text: asked.statement };
      return {
        grant,
        signature: await signTyped(wallet, registry, "grant", grant),
        statementSignature: await signTyped(wallet, registry, "statement", statement),
      };
    },
    /** The signature that takes @version of consent @consentId back. */
    revoke: (consentId, version) =>
      signTyped(wallet, registry, "revoke", { consentId, version }),
    /** Hand consent @consentId to a new key, which signs from then on: what rotates it. */
    async rotate(consentId, version) {
      const from = wallet;
      wallet = Wallet.createRandom();
      const deadline = Math.floor(Date.now() / 1000) + HOUR;
      const rotate = { consentId, version, to: wallet.address, deadline };
      return { rotate, signature: await signTyped(from, registry, "rotate", rotate) };
    },
  };
}
