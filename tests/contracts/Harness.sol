// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

/// @dev Those of forge's cheat codes that are used here.
interface Vm {
  function addr(uint256 key) external pure returns (address);
  function sign(uint256 key, bytes32 digest) external pure returns (uint8, bytes32, bytes32);
  function prank(address sender) external;
  function warp(uint256 time) external;
  function expectRevert(bytes calldata) external;
  function expectRevert() external;
  function expectEmit() external;
  function assume(bool) external pure;
  function recordLogs() external;
  function getRecordedLogs() external returns (Log[] memory);

  struct Log {
    bytes32[] topics;
    bytes data;
    address emitter;
  }
}

/// @title What all tests of the contracts need, and no library besides
abstract contract Harness {
  Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

  /// secp256k1's order: a key is less
  uint256 internal constant N =
    0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

  /// @return a number from `least` to `most`, every one of them as likely
  function within(uint256 x, uint256 least, uint256 most) internal pure returns (uint256) {
    return least + (x % (most - least + 1));
  }

  function check(bool holds, string memory what) internal pure {
    require(holds, what);
  }
}
