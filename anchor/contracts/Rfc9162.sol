// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

/// @title Proofs of Merkle tree logs, as RFC 6962 builds them and RFC 9162 verifies them
/// @dev SHA-256 through the precompile. Sources: RFC 9162 sections 2.1.3.2 and 2.1.4.2.
library Rfc9162 {
  error NoSha256();

  /// @dev Root of the tree without leaves: SHA-256 of nothing (RFC 9162 section 2.1.1).
  bytes32 internal constant EMPTY_ROOT =
    0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855;

  /// @notice Whether the tree of `n` leaves and root `r2` begins with that of `m` and `r1`.
  function consistent(
    uint64 m,
    uint64 n,
    bytes32 r1,
    bytes32 r2,
    bytes32[] calldata proof
  ) internal view returns (bool) {
    if (m > n) {
      return false;
    }
    if (m == n) {
      return proof.length == 0 && r1 == r2;
    }
    if (m == 0) {
      return proof.length == 0 && r1 == EMPTY_ROOT;
    }

    uint64 fn = m - 1;
    uint64 sn = n - 1;
    while (fn & 1 == 1) {
      fn >>= 1;
      sn >>= 1;
    }
    // The old tree is a whole subtree of the new one: then the proof leaves its root out.
    uint256 i = 0;
    bytes32 fr = r1;
    if (m & (m - 1) != 0) {
      if (proof.length == 0) {
        return false;
      }
      fr = proof[0];
      i = 1;
    }
    bytes32 sr = fr;
    for (; i < proof.length; ++i) {
      if (sn == 0) {
        return false;
      }
      bytes32 c = proof[i];
      if (fn & 1 == 1 || fn == sn) {
        fr = node(c, fr);
        sr = node(c, sr);
        while (fn & 1 == 0 && fn != 0) {
          fn >>= 1;
          sn >>= 1;
        }
      } else {
        sr = node(sr, c);
      }
      fn >>= 1;
      sn >>= 1;
    }
    return sn == 0 && fr == r1 && sr == r2;
  }

  /// @notice Whether leaf hash `leaf` is at `index` of the tree of `size` leaves and `root`.
  function included(
    bytes32 leaf,
    uint64 index,
    uint64 size,
    bytes32 root,
    bytes32[] calldata proof
  ) internal view returns (bool) {
    if (index >= size) {
      return false;
    }
    uint64 fn = index;
    uint64 sn = size - 1;
    bytes32 r = leaf;
    for (uint256 i = 0; i < proof.length; ++i) {
      if (sn == 0) {
        return false;
      }
      bytes32 p = proof[i];
      if (fn & 1 == 1 || fn == sn) {
        r = node(p, r);
        while (fn & 1 == 0 && fn != 0) {
          fn >>= 1;
          sn >>= 1;
        }
      } else {
        r = node(r, p);
      }
      fn >>= 1;
      sn >>= 1;
    }
    return sn == 0 && r == root;
  }

  /// @dev SHA-256(0x01 ‖ left ‖ right), written past the free memory without taking it. A chain
  /// without the precompile answers with nothing: that must not pass for a hash.
  function node(bytes32 left, bytes32 right) internal view returns (bytes32 hash) {
    bool ok;
    assembly ("memory-safe") {
      let p := mload(0x40)
      mstore8(p, 1)
      mstore(add(p, 1), left)
      mstore(add(p, 33), right)
      ok := staticcall(gas(), 2, p, 65, 0, 32)
      ok := and(ok, eq(returndatasize(), 32))
      hash := mload(0)
    }
    if (!ok) {
      revert NoSha256();
    }
  }
}
