// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

/// @title Trees and proofs by the definitions of RFC 6962 2.1, slowly
/// @dev Says the same as anchor/contracts/Rfc9162.sol in another way: that one checks, by
/// iteration; this one makes, by recursion over all leaves.
library Tree {
  function leaf(bytes memory data) internal pure returns (bytes32) {
    return sha256(abi.encodePacked(uint8(0), data));
  }

  /// @return MTH(leaves[from:to])
  function root(
    bytes32[] memory leaves,
    uint256 from,
    uint256 to
  ) internal pure returns (bytes32) {
    if (from == to) {
      return sha256("");
    }
    if (to - from == 1) {
      return leaves[from];
    }
    uint256 k = from + half(to - from);
    return sha256(abi.encodePacked(uint8(1), root(leaves, from, k), root(leaves, k, to)));
  }

  /// @return PROOF(m, leaves[0:n]); empty for the first head and for the same one
  function consistency(
    bytes32[] memory leaves,
    uint256 m,
    uint256 n
  ) internal pure returns (bytes32[] memory) {
    return m == 0 || m == n ? new bytes32[](0) : sub(leaves, m, 0, n, true);
  }

  /// @return PATH(index, leaves[0:n])
  function inclusion(
    bytes32[] memory leaves,
    uint256 index,
    uint256 n
  ) internal pure returns (bytes32[] memory) {
    return path(leaves, index, 0, n);
  }

  function path(
    bytes32[] memory leaves,
    uint256 index,
    uint256 from,
    uint256 to
  ) private pure returns (bytes32[] memory) {
    if (to - from == 1) {
      return new bytes32[](0);
    }
    uint256 k = from + half(to - from);
    return
      index < k
        ? append(path(leaves, index, from, k), root(leaves, k, to))
        : append(path(leaves, index, k, to), root(leaves, from, k));
  }

  /// @dev SUBPROOF(m - from, leaves[from:to], whole)
  function sub(
    bytes32[] memory leaves,
    uint256 m,
    uint256 from,
    uint256 to,
    bool whole
  ) private pure returns (bytes32[] memory) {
    if (m == to) {
      return whole ? new bytes32[](0) : append(new bytes32[](0), root(leaves, from, to));
    }
    uint256 k = from + half(to - from);
    return
      m <= k
        ? append(sub(leaves, m, from, k, whole), root(leaves, k, to))
        : append(sub(leaves, m, k, to, false), root(leaves, from, k));
  }

  function append(
    bytes32[] memory list,
    bytes32 last
  ) private pure returns (bytes32[] memory longer) {
    longer = new bytes32[](list.length + 1);
    for (uint256 i = 0; i < list.length; ++i) {
      longer[i] = list[i];
    }
    longer[list.length] = last;
  }

  /// @return k the largest power of two below `n`
  function half(uint256 n) private pure returns (uint256 k) {
    k = 1;
    while (k * 2 < n) {
      k *= 2;
    }
  }
}
