// RFC 6962 trees as the RFC defines them, by recursion: slow, and easy to believe.
import { createHash } from "node:crypto";

const sha256 = (...parts) => {
  const hash = createHash("sha256");
  parts.forEach((part) => hash.update(part));
  return hash.digest();
};

export const leaf = (data) => sha256(Buffer.from([0]), data);
const node = (left, right) => sha256(Buffer.from([1]), left, right);

/** Largest power of two below @n. */
function split(n) {
  let k = 1;
  while (2 * k < n) {
    k *= 2;
  }
  return k;
}

/** MTH of leaf hashes (2.1). */
export function root(leaves) {
  if (leaves.length === 0) {
    return sha256();
  }
  if (leaves.length === 1) {
    return leaves[0];
  }
  const k = split(leaves.length);
  return node(root(leaves.slice(0, k)), root(leaves.slice(k)));
}

/** PATH(m, D[n]) (2.1.1). */
export function inclusion(m, leaves) {
  const n = leaves.length;
  if (n === 1) {
    return [];
  }
  const k = split(n);
  return m < k
    ? [...inclusion(m, leaves.slice(0, k)), root(leaves.slice(k))]
    : [...inclusion(m - k, leaves.slice(k)), root(leaves.slice(0, k))];
}

/** PROOF(m, D[n]) (2.1.2). */
export function consistency(m, leaves) {
  return m === 0 || m === leaves.length ? [] : subproof(m, leaves, true);
}

function subproof(m, leaves, whole) {
  const n = leaves.length;
  if (m === n) {
    return whole ? [] : [root(leaves)];
  }
  const k = split(n);
  return m <= k
    ? [...subproof(m, leaves.slice(0, k), whole), root(leaves.slice(k))]
    : [...subproof(m - k, leaves.slice(k), false), root(leaves.slice(0, k))];
}
