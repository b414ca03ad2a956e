// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ConsentBatchRegistry} from "../../anchor/contracts/ConsentBatchRegistry.sol";
import {IConsentBatchRegistry} from "../../anchor/contracts/IConsentBatchRegistry.sol";
import {IConsentRegistry} from "../../anchor/contracts/IConsentRegistry.sol";
import {Signed} from "./Signed.sol";
import {Tree} from "./Tree.sol";

/// @title A registry of batches with its roles given, and batches for it
abstract contract Batched is Signed {
  ConsentBatchRegistry internal batches;

  function deployBatches() internal {
    vm.warp(1_800_000_000);
    batches = new ConsentBatchRegistry(3 days, ADMIN, RELAYER);
    signedFor = address(batches);
    bytes32 attestor = batches.ATTESTOR_ROLE();
    bytes32 pauser = batches.PAUSER_ROLE();
    vm.prank(ADMIN);
    batches.grantRole(attestor, ATTESTOR);
    vm.prank(ADMIN);
    batches.grantRole(pauser, PAUSER);
  }

  function leafOf(IConsentRegistry.Grant memory g) internal view returns (bytes32) {
    bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain(), grantHash(g)));
    return Tree.leaf(abi.encodePacked(digest));
  }

  function rootOf(bytes32[] memory leaves) internal pure returns (bytes32) {
    return Tree.root(leaves, 0, leaves.length);
  }

  function placeOf(
    bytes32[] memory leaves,
    uint256 index
  ) internal pure returns (IConsentBatchRegistry.Place memory) {
    return
      IConsentBatchRegistry.Place({
        root: rootOf(leaves),
        index: uint64(index),
        path: Tree.inclusion(leaves, index, leaves.length)
      });
  }

  /// @dev A batch of one grant and `n - 1` leaves of others around it.
  function among(
    IConsentRegistry.Grant memory g,
    uint256 index,
    uint256 n
  ) internal view returns (bytes32[] memory leaves) {
    leaves = new bytes32[](n);
    for (uint256 i = 0; i < n; ++i) {
      leaves[i] = i == index ? leafOf(g) : keccak256(abi.encode("of others", g.consentId, i));
    }
  }

  function batch(bytes32[] memory leaves) internal {
    bytes32 root = rootOf(leaves);
    vm.prank(RELAYER);
    batches.grantBatch(root, uint64(leaves.length));
  }
}
