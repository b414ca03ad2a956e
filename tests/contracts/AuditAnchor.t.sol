// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {AuditAnchor} from "../../anchor/contracts/AuditAnchor.sol";
import {IAuditAnchor} from "../../anchor/contracts/IAuditAnchor.sol";
import {Harness} from "./Harness.sol";
import {Tree} from "./Tree.sol";

/// @title A log's head only grows, and a strict one only by what it was
contract AuditAnchorTest is Harness {
  address private constant ADMIN = address(0xad);
  address private constant OPERATOR = address(0x09);
  string private constant ORIGIN = "log.example/strict";
  bytes32 private constant LOG = keccak256(bytes(ORIGIN));
  uint256 private constant LEAVES = 48;

  AuditAnchor private anchor;
  bytes32[] private leaves;

  function setUp() public {
    vm.warp(1_800_000_000);
    anchor = new AuditAnchor(3 days, ADMIN);
    vm.prank(ADMIN);
    anchor.register(ORIGIN, OPERATOR, true);
    for (uint256 i = 0; i < LEAVES; ++i) {
      leaves.push(Tree.leaf(abi.encode(i)));
    }
  }

  function move(
    uint256 m,
    uint256 n,
    bytes32[] memory all
  ) private returns (bytes32 root, bytes32[] memory proof) {
    root = Tree.root(all, 0, n);
    proof = Tree.consistency(all, m, n);
    vm.prank(OPERATOR);
    anchor.anchorConsistent(LOG, uint64(n), root, keccak256("note"), proof);
  }

  function testFuzz_every_honest_step_is_taken(uint256 m, uint256 n) public {
    m = within(m, 1, LEAVES - 1);
    n = within(n, m + 1, LEAVES);
    bytes32[] memory all = leaves;
    move(0, m, all);
    (bytes32 root, ) = move(m, n, all);
    (bytes32 head, uint64 size, uint64 seq, , ) = anchor.head(LOG);
    check(head == root && size == n && seq == 2, "the head is the new one");
  }

  function testFuzz_a_changed_leaf_is_a_fork(uint256 m, uint256 n, uint256 i) public {
    m = within(m, 1, LEAVES - 1);
    n = within(n, m + 1, LEAVES);
    bytes32[] memory all = leaves;
    move(0, m, all);
    all[i % m] = Tree.leaf("rewritten");
    bytes32 root = Tree.root(all, 0, n);
    bytes32[] memory proof = Tree.consistency(all, m, n);
    vm.prank(OPERATOR);
    vm.expectRevert(abi.encodeWithSelector(IAuditAnchor.NotConsistent.selector, LOG));
    anchor.anchorConsistent(LOG, uint64(n), root, 0, proof);
  }

  function testFuzz_no_bit_of_a_proof_may_change(uint256 m, uint256 n, uint256 bit) public {
    m = within(m, 1, LEAVES - 1);
    n = within(n, m + 1, LEAVES);
    bytes32[] memory all = leaves;
    move(0, m, all);
    bytes32 root = Tree.root(all, 0, n);
    bytes32[] memory proof = Tree.consistency(all, m, n);
    bit = bit % (256 * (proof.length + 1));
    if (bit < 256) {
      root ^= bytes32(1 << bit);
    } else {
      proof[bit / 256 - 1] ^= bytes32(1 << (bit % 256));
    }
    vm.prank(OPERATOR);
    vm.expectRevert(abi.encodeWithSelector(IAuditAnchor.NotConsistent.selector, LOG));
    anchor.anchorConsistent(LOG, uint64(n), root, 0, proof);
  }

  function testFuzz_a_root_is_not_that_of_twice_its_leaves(uint256 m, uint256 n) public {
    m = within(m, 1, LEAVES - 1);
    n = within(n, m + 1, LEAVES);
    bytes32[] memory all = leaves;
    move(0, m, all);
    bytes32 root = Tree.root(all, 0, n);
    bytes32[] memory proof = Tree.consistency(all, m, n);
    vm.prank(OPERATOR);
    vm.expectRevert(abi.encodeWithSelector(IAuditAnchor.NotConsistent.selector, LOG));
    anchor.anchorConsistent(LOG, uint64(2 * n), root, 0, proof);
  }

  function testFuzz_the_first_head_takes_no_proof(uint256 n, bytes32 more) public {
    n = within(n, 1, LEAVES);
    bytes32[] memory all = leaves;
    bytes32 root = Tree.root(all, 0, n);
    bytes32[] memory proof = new bytes32[](1);
    proof[0] = more;
    vm.prank(OPERATOR);
    vm.expectRevert(abi.encodeWithSelector(IAuditAnchor.NotConsistent.selector, LOG));
    anchor.anchorConsistent(LOG, uint64(n), root, 0, proof);
  }

  function testFuzz_any_proof_but_the_right_one(
    uint256 m,
    uint256 n,
    bytes32[] calldata given
  ) public {
    m = within(m, 1, LEAVES - 1);
    n = within(n, m + 1, LEAVES);
    bytes32[] memory all = leaves;
    move(0, m, all);
    bytes32[] memory right = Tree.consistency(all, m, n);
    vm.assume(keccak256(abi.encode(given)) != keccak256(abi.encode(right)));
    bytes32 root = Tree.root(all, 0, n);
    vm.prank(OPERATOR);
    vm.expectRevert(abi.encodeWithSelector(IAuditAnchor.NotConsistent.selector, LOG));
    anchor.anchorConsistent(LOG, uint64(n), root, 0, given);
  }

  function testFuzz_a_leaf_is_included_where_it_is(uint256 n, uint256 i, uint256 x) public view {
    n = within(n, 1, LEAVES);
    i = i % n;
    uint256 place = x % (n + 2);
    bytes32[] memory all = leaves;
    bytes32 root = Tree.root(all, 0, n);
    bytes32[] memory proof = Tree.inclusion(all, i, n);
    bool included = anchor.verifyInclusion(all[i], uint64(place), uint64(n), root, proof);
    check(included == (place == i), "at its place, and at no other");
  }

  function testFuzz_it_never_goes_back(uint256 m, uint64 to) public {
    m = within(m, 1, LEAVES);
    to = uint64(to % (m + 1));
    bytes32[] memory all = leaves;
    move(0, m, all);
    bytes32 root = Tree.root(all, 0, to);
    vm.prank(OPERATOR);
    vm.expectRevert(
      abi.encodeWithSelector(IAuditAnchor.NotGrowing.selector, LOG, uint64(m), to)
    );
    anchor.anchorConsistent(LOG, to, root, 0, new bytes32[](0));
  }

  function testFuzz_a_strict_log_takes_no_head_without_proof(uint64 size, bytes32 root) public {
    vm.assume(size > 0);
    vm.prank(OPERATOR);
    vm.expectRevert(abi.encodeWithSelector(IAuditAnchor.ProofRequired.selector, LOG));
    anchor.anchor(LOG, size, root, 0);
  }

  function testFuzz_nobody_but_the_operator(address from, uint64 size, bytes32 root) public {
    vm.assume(from != OPERATOR && size > 0);
    vm.prank(from);
    vm.expectRevert(abi.encodeWithSelector(IAuditAnchor.NotOperator.selector, LOG, from));
    anchor.anchorConsistent(LOG, size, root, 0, new bytes32[](0));
  }

  function testFuzz_frozen_is_for_ever(bool byAdmin, uint40 later, uint256 n) public {
    n = within(n, 2, LEAVES);
    bytes32[] memory all = leaves;
    move(0, 1, all);
    vm.prank(byAdmin ? ADMIN : OPERATOR);
    anchor.freeze(LOG);
    vm.warp(block.timestamp + later);
    bytes32 root = Tree.root(all, 0, n);
    bytes32[] memory proof = Tree.consistency(all, 1, n);
    vm.prank(OPERATOR);
    vm.expectRevert(abi.encodeWithSelector(IAuditAnchor.Frozen.selector, LOG));
    anchor.anchorConsistent(LOG, uint64(n), root, 0, proof);
  }
}
