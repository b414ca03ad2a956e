// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IConsentBatchRegistry} from "../../anchor/contracts/IConsentBatchRegistry.sol";
import {IConsentRegistry} from "../../anchor/contracts/IConsentRegistry.sol";
import {Batched} from "./Batched.sol";

/// @title Rules of the registry of batches for any input
contract ConsentBatchRegistryTest is Batched {
  bytes32 private constant ID = keccak256("a consent");
  uint256 private constant KEY = 0xc0ffee;

  function setUp() public {
    deployBatches();
  }

  function active(
    IConsentRegistry.Grant memory g,
    uint256 key,
    IConsentBatchRegistry.Place memory place
  ) private view returns (bool) {
    return batches.isActive(g, signGrant(g, key), place);
  }

  /// @dev A grant of `version`, alone in its batch.
  function granted(
    uint16 version
  )
    private
    returns (IConsentRegistry.Grant memory g, IConsentBatchRegistry.Place memory place)
  {
    g = grantOf(ID, version, KEY);
    bytes32[] memory leaves = among(g, 0, 1);
    batch(leaves);
    place = placeOf(leaves, 0);
  }

  function testFuzz_a_grant_in_a_batch_is_in_force(uint256 index, uint256 n) public {
    n = within(n, 1, 33);
    index = index % n;
    IConsentRegistry.Grant memory g = grantOf(ID, 1, KEY);
    bytes32[] memory leaves = among(g, index, n);
    IConsentBatchRegistry.Place memory place = placeOf(leaves, index);
    check(!active(g, KEY, place), "not before its batch");
    batch(leaves);
    check(batches.leafOf(g) == leaves[index], "its leaf");
    check(batches.batchOf(place.root).size == n, "size");
    check(batches.batchOf(place.root).time == block.timestamp, "time");
    check(active(g, KEY, place), "in force");
  }

  function testFuzz_no_field_is_changed_after_signing(uint256 field, uint256 value) public {
    (
      IConsentRegistry.Grant memory g,
      IConsentBatchRegistry.Place memory place
    ) = granted(1);
    bytes memory sig = signGrant(g, KEY);
    bytes32 before = keccak256(abi.encode(g));
    field = field % 7;
    if (field == 0) g.consentId = bytes32(value);
    if (field == 1) g.commitment = bytes32(value);
    if (field == 2) g.controller = address(uint160(value));
    if (field == 3) g.version = uint16(value);
    if (field == 4) g.validFrom = uint40(value);
    if (field == 5) g.validUntil = uint40(value);
    if (field == 6) g.deadline = uint40(value);
    vm.assume(keccak256(abi.encode(g)) != before);
    check(!batches.isActive(g, sig, place), "as signed, or not at all");
  }

  function testFuzz_a_leaf_without_the_controllers_signature_is_nothing(
    uint256 other,
    bytes calldata sig
  ) public {
    other = within(other, 1, N - 1);
    vm.assume(other != KEY);
    (
      IConsentRegistry.Grant memory g,
      IConsentBatchRegistry.Place memory place
    ) = granted(1);
    check(!active(g, other, place), "another's signature");
    vm.assume(sig.length == 0 || sig[0] != 0x01); // that kind is decoded, and may revert
    check(!batches.isActive(g, sig, place), "any signature");
  }

  function testFuzz_a_path_leads_to_one_place(
    uint256 index,
    uint256 n,
    uint256 near,
    uint256 bit
  ) public {
    n = within(n, 2, 33);
    index = index % n;
    IConsentRegistry.Grant memory g = grantOf(ID, 1, KEY);
    bytes32[] memory leaves = among(g, index, n);
    batch(leaves);
    IConsentBatchRegistry.Place memory place = placeOf(leaves, index);
    place.index = uint64(within(near, 0, n));
    check(active(g, KEY, place) == (place.index == index), "index");
    place.index = uint64(index);
    uint256 i = near % place.path.length;
    place.path[i] ^= bytes32(uint256(1) << (bit % 256));
    check(!active(g, KEY, place), "path");
  }

  function testFuzz_batched_after_its_deadline_is_nothing(uint40 later) public {
    IConsentRegistry.Grant memory g = grantOf(ID, 1, KEY);
    g.validUntil = type(uint40).max;
    uint256 time = within(later, block.timestamp, type(uint40).max - 1);
    bytes32[] memory leaves = among(g, 0, 1);
    vm.warp(time);
    batch(leaves);
    check(active(g, KEY, placeOf(leaves, 0)) == (time <= g.deadline), "by the batch's time");
  }

  function test_in_force_from_its_first_second_to_before_its_last() public {
    (
      IConsentRegistry.Grant memory g,
      IConsentBatchRegistry.Place memory place
    ) = granted(1);
    uint40[4] memory times = [g.validFrom - 1, g.validFrom, g.validUntil - 1, g.validUntil];
    for (uint256 i = 0; i < 4; ++i) {
      vm.warp(times[i]);
      check(active(g, KEY, place) == (i == 1 || i == 2), "at its bounds");
    }
  }

  function testFuzz_anyone_relays_a_revocation_paused_or_not(
    address from,
    bool paused,
    uint40 later
  ) public {
    (
      IConsentRegistry.Grant memory g,
      IConsentBatchRegistry.Place memory place
    ) = granted(1);
    bytes memory sig = signRevoke(ID, 1, KEY);
    if (paused) {
      vm.prank(PAUSER);
      batches.pause();
    }
    vm.warp(block.timestamp + later);
    vm.prank(from);
    batches.revoke(ID, g.controller, 1, sig);
    check(batches.endedUpTo(ID, g.controller) == 1, "ended");
    vm.warp(g.validFrom);
    check(!active(g, KEY, place), "not in force");
  }

  /// Nobody holds a revocation up by keeping the batch to himself.
  function test_a_revocation_needs_no_batch_and_no_later_batch_undoes_it() public {
    IConsentRegistry.Grant memory g = grantOf(ID, 1, KEY);
    batches.revoke(ID, g.controller, 1, signRevoke(ID, 1, KEY));
    for (uint256 n = 1; n < 4; ++n) {
      bytes32[] memory leaves = among(g, 0, n);
      batch(leaves);
      check(!active(g, KEY, placeOf(leaves, 0)), "whatever is batched");
    }
  }

  function testFuzz_a_revocation_ends_its_version_and_those_before(uint16 v, uint16 w) public {
    v = uint16(within(v, 1, 0x7fff));
    w = uint16(within(w, 1, 0x7fff));
    IConsentRegistry.Grant memory g = grantOf(ID, w, KEY);
    bytes32[] memory leaves = among(g, 0, 1);
    batch(leaves);
    batches.revoke(ID, g.controller, v, signRevoke(ID, v, KEY));
    check(active(g, KEY, placeOf(leaves, 0)) == (w > v), "and none after");
  }

  function testFuzz_an_end_never_goes_back(uint16 v, uint16 w) public {
    v = uint16(within(v, 1, 0x7fff));
    w = uint16(within(w, 1, v));
    address controller = vm.addr(KEY);
    batches.revoke(ID, controller, v, signRevoke(ID, v, KEY));
    bytes memory sig = signRevoke(ID, w, KEY);
    vm.expectRevert(
      abi.encodeWithSelector(IConsentRegistry.AlreadyRevoked.selector, ID, w)
    );
    batches.revoke(ID, controller, w, sig);
    vm.prank(ATTESTOR);
    vm.expectRevert(
      abi.encodeWithSelector(IConsentRegistry.AlreadyRevoked.selector, ID, w)
    );
    batches.revokeByAttestor(ID, controller, w);
    check(batches.endedUpTo(ID, controller) == v, "as it was");
  }

  function testFuzz_another_key_ends_nothing_of_this_one(uint256 other) public {
    other = within(other, 1, N - 1);
    vm.assume(other != KEY);
    (
      IConsentRegistry.Grant memory g,
      IConsentBatchRegistry.Place memory place
    ) = granted(1);
    bytes memory sig = signRevoke(ID, 1, other);
    vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.BadSignature.selector, ID));
    batches.revoke(ID, g.controller, 1, sig);
    batches.revoke(ID, vm.addr(other), 1, sig);
    check(active(g, KEY, place), "its own only");
  }

  function testFuzz_a_later_grant_ends_those_before(uint16 v, address from) public {
    v = uint16(within(v, 2, 0x7fff));
    (
      IConsentRegistry.Grant memory old,
      IConsentBatchRegistry.Place memory oldPlace
    ) = granted(v - 1);
    (
      IConsentRegistry.Grant memory g,
      IConsentBatchRegistry.Place memory place
    ) = granted(v);
    bytes memory sig = signGrant(g, KEY);
    check(active(old, KEY, oldPlace), "until then");
    vm.prank(from);
    batches.supersede(g, sig);
    check(!active(old, KEY, oldPlace) && active(g, KEY, place), "the new one alone");
    vm.expectRevert(
      abi.encodeWithSelector(IConsentRegistry.WrongVersion.selector, ID, v + 1, v)
    );
    batches.supersede(g, sig);
  }

  function testFuzz_only_the_controller_supersedes_and_in_time(
    uint256 other,
    uint40 late
  ) public {
    other = within(other, 1, N - 1);
    vm.assume(other != KEY);
    IConsentRegistry.Grant memory g = grantOf(ID, 2, KEY);
    bytes memory theirs = signGrant(g, other);
    vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.BadSignature.selector, ID));
    batches.supersede(g, theirs);
    bytes memory sig = signGrant(g, KEY);
    vm.warp(within(late, g.deadline + 1, type(uint40).max));
    vm.expectRevert(
      abi.encodeWithSelector(IConsentRegistry.DeadlinePassed.selector, ID, g.deadline)
    );
    batches.supersede(g, sig);
  }

  function testFuzz_versions_that_do_not_exist(uint16 version) public {
    bool exists = version >= 1 && version <= 0x7fff;
    address controller = vm.addr(KEY);
    bytes memory sig = signRevoke(ID, version, KEY);
    if (!exists) {
      vm.expectRevert(
        abi.encodeWithSelector(IConsentRegistry.WrongVersion.selector, ID, 1, version)
      );
    }
    batches.revoke(ID, controller, version, sig);
    IConsentRegistry.Grant memory g = grantOf(ID, version, KEY);
    g.consentId = keccak256("another consent");
    bytes32[] memory leaves = among(g, 0, 1);
    batch(leaves);
    check(active(g, KEY, placeOf(leaves, 0)) == exists, "in force if it exists");
    sig = signGrant(g, KEY);
    if (!exists || version == 1) {
      vm.expectRevert();
    }
    batches.supersede(g, sig);
  }

  function testFuzz_a_root_is_recorded_once(bytes32 root, uint64 size, uint64 again) public {
    vm.assume(root != 0 && size != 0);
    vm.prank(RELAYER);
    batches.grantBatch(root, size);
    vm.warp(block.timestamp + 1 days);
    again = again == 0 ? 1 : again;
    vm.prank(RELAYER);
    vm.expectRevert(
      abi.encodeWithSelector(IConsentBatchRegistry.AlreadyBatched.selector, root)
    );
    batches.grantBatch(root, again);
    check(batches.batchOf(root).size == size, "as it was");
  }

  function testFuzz_a_batch_has_leaves_and_a_root(bytes32 root, uint64 size) public {
    vm.prank(RELAYER);
    vm.expectRevert(abi.encodeWithSelector(IConsentBatchRegistry.BadBatch.selector, root, 0));
    batches.grantBatch(root, 0);
    vm.prank(RELAYER);
    vm.expectRevert(abi.encodeWithSelector(IConsentBatchRegistry.BadBatch.selector, 0, size));
    batches.grantBatch(0, size);
  }

  function testFuzz_only_the_relayer_batches_and_not_while_paused(address from) public {
    bytes32 root = keccak256("a root");
    if (from != RELAYER) {
      vm.prank(from);
      vm.expectRevert();
      batches.grantBatch(root, 1);
    }
    vm.prank(PAUSER);
    batches.pause();
    vm.prank(RELAYER);
    vm.expectRevert();
    batches.grantBatch(root, 1);
    check(batches.batchOf(root).size == 0, "nothing recorded");
  }

  function testFuzz_high_s_is_refused(uint256 key) public {
    key = within(key, 1, N - 1);
    bytes memory sig = signRevoke(ID, 1, key);
    bytes32 r;
    bytes32 s;
    uint8 v;
    assembly {
      r := mload(add(sig, 0x21))
      s := mload(add(sig, 0x41))
      v := byte(0, mload(add(sig, 0x61)))
    }
    bytes memory twin = abi.encodePacked(uint8(0), r, bytes32(N - uint256(s)), v == 27 ? 28 : 27);
    vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.BadSignature.selector, ID));
    batches.revoke(ID, vm.addr(key), 1, twin);
    batches.revoke(ID, vm.addr(key), 1, sig);
  }

  function testFuzz_another_contract_signs_for_nobody(bool again) public {
    address here = address(batches);
    bytes memory sig = signRevoke(ID, 1, KEY);
    deployBatches();
    if (again) {
      deployBatches();
    }
    check(address(batches) != here, "another contract");
    vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.BadSignature.selector, ID));
    batches.revoke(ID, vm.addr(KEY), 1, sig);
  }

  function testFuzz_nobody_stops_a_batch_of_revocations(uint256 n, uint256 first) public {
    n = within(n, 1, 12);
    first = first % n;
    bytes32[] memory ids = new bytes32[](n);
    address[] memory controllers = new address[](n);
    uint16[] memory versions = new uint16[](n);
    bytes[] memory sigs = new bytes[](n);
    for (uint256 i = 0; i < n; ++i) {
      ids[i] = keccak256(abi.encode("batch", i));
      (controllers[i], versions[i]) = (vm.addr(KEY + i), uint16(i + 1));
      sigs[i] = signRevoke(ids[i], versions[i], KEY + i);
    }
    batches.revoke(ids[first], controllers[first], versions[first], sigs[first]);
    batches.revokeBatch(ids, controllers, versions, sigs);
    for (uint256 i = 0; i < n; ++i) {
      check(batches.endedUpTo(ids[i], controllers[i]) == versions[i], "each");
    }
    vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.LengthMismatch.selector));
    batches.revokeBatch(ids, controllers, new uint16[](n + 1), sigs);
  }
}
