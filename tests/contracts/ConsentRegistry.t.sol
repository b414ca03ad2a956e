// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IConsentRegistry} from "../../anchor/contracts/IConsentRegistry.sol";
import {Signed} from "./Signed.sol";

/// @title Rules of the registry for any input
contract ConsentRegistryTest is Signed {
  bytes32 private constant ID = keccak256("a consent");
  uint256 private constant KEY = 0xc0ffee;

  function setUp() public {
    deploy();
  }

  function granted(bytes32 id, uint16 version, uint256 key) private {
    IConsentRegistry.Grant memory g = grantOf(id, version, key);
    bytes memory sig = signGrant(g, key);
    vm.prank(RELAYER);
    registry.grant(g, sig);
  }

  function testFuzz_a_grant_is_what_was_signed(
    bytes32 id,
    bytes32 commitment,
    uint256 key,
    uint40 from,
    uint40 until
  ) public {
    key = within(key, 1, N - 1);
    vm.assume(commitment != 0 && from < until);
    IConsentRegistry.Grant memory g = grantOf(id, 1, key);
    (g.commitment, g.validFrom, g.validUntil) = (commitment, from, until);
    bytes memory sig = signGrant(g, key);
    vm.prank(RELAYER);
    registry.grant(g, sig);

    IConsentRegistry.Record memory r = registry.statusOf(id);
    check(r.controller == vm.addr(key), "controller");
    check(r.commitment == commitment, "commitment");
    check(r.validFrom == from && r.validUntil == until, "period");
    check(r.meta == 1, "version");
    bool now_ = from <= block.timestamp && block.timestamp < until;
    check(registry.isActive(id, commitment) == now_, "active in its period only");
    check(!registry.isActive(id, keccak256(abi.encode(commitment))), "that commitment only");
  }

  function testFuzz_a_period_has_a_beginning_before_its_end(uint40 from, uint40 until) public {
    vm.assume(from > 0);
    IConsentRegistry.Grant memory g = grantOf(ID, 1, KEY);
    (g.validFrom, g.validUntil) = (from, uint40(within(until, 0, from)));
    bytes memory sig = signGrant(g, KEY);
    vm.prank(RELAYER);
    vm.expectRevert(
      abi.encodeWithSelector(IConsentRegistry.BadPeriod.selector, ID, from, g.validUntil)
    );
    registry.grant(g, sig);
  }

  function test_active_from_its_first_second_to_before_its_last() public {
    IConsentRegistry.Grant memory g = grantOf(ID, 1, KEY);
    bytes memory sig = signGrant(g, KEY);
    vm.prank(RELAYER);
    registry.grant(g, sig);
    uint40[4] memory times = [g.validFrom - 1, g.validFrom, g.validUntil - 1, g.validUntil];
    for (uint256 i = 0; i < 4; ++i) {
      vm.warp(times[i]);
      check(registry.isActive(ID, g.commitment) == (i == 1 || i == 2), "at its bounds");
    }
  }

  function testFuzz_no_field_is_changed_after_signing(uint256 field, uint256 value) public {
    IConsentRegistry.Grant memory g = grantOf(ID, 1, KEY);
    bytes memory sig = signGrant(g, KEY);
    bytes32 before = keccak256(abi.encode(g));
    field = field % 5;
    if (field == 0) g.consentId = bytes32(value);
    if (field == 1) g.commitment = bytes32(value);
    if (field == 2) g.controller = address(uint160(value));
    if (field == 3) g.validUntil = uint40(value);
    if (field == 4) g.deadline = uint40(value);
    vm.assume(keccak256(abi.encode(g)) != before);
    vm.prank(RELAYER);
    vm.expectRevert();
    registry.grant(g, sig);
  }

  function testFuzz_no_signature_but_the_controllers(uint256 other, bytes calldata sig) public {
    other = within(other, 1, N - 1);
    vm.assume(other != KEY);
    granted(ID, 1, KEY);
    bytes memory theirs = signRevoke(ID, 1, other);
    vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.BadSignature.selector, ID));
    registry.revoke(ID, 1, theirs);
    vm.expectRevert();
    registry.revoke(ID, 1, sig);
    check(registry.statusOf(ID).meta == 1, "still granted");
  }

  function testFuzz_high_s_is_refused(uint256 key) public {
    key = within(key, 1, N - 1);
    granted(ID, 1, key);
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
    registry.revoke(ID, 1, twin);
    registry.revoke(ID, 1, sig);
  }

  function testFuzz_an_old_revocation_hits_no_later_grant(uint8 n) public {
    uint16 versions = uint16(within(n, 2, 20));
    bytes memory first = signRevoke(ID, 1, KEY);
    for (uint16 v = 1; v <= versions; ++v) {
      granted(ID, v, KEY);
    }
    vm.expectRevert(
      abi.encodeWithSelector(IConsentRegistry.WrongVersion.selector, ID, versions, 1)
    );
    registry.revoke(ID, 1, first);
  }

  function testFuzz_another_chain_or_contract_signs_for_nobody(uint256 salt) public {
    IConsentRegistry.Grant memory g = grantOf(ID, 1, KEY);
    bytes memory sig = signGrant(g, KEY);
    address here = address(registry);
    for (uint256 i = 0; i < salt % 3; ++i) {
      deploy();
    }
    vm.assume(address(registry) != here);
    vm.prank(RELAYER);
    vm.expectRevert(abi.encodeWithSelector(IConsentRegistry.BadSignature.selector, ID));
    registry.grant(g, sig);
  }

  function testFuzz_only_the_relayer_grants(address from) public {
    vm.assume(from != RELAYER);
    IConsentRegistry.Grant memory g = grantOf(ID, 1, KEY);
    bytes memory sig = signGrant(g, KEY);
    vm.prank(from);
    vm.expectRevert();
    registry.grant(g, sig);
  }

  function testFuzz_anyone_relays_a_revocation_paused_or_not(
    address from,
    bool paused,
    uint40 later
  ) public {
    granted(ID, 1, KEY);
    bytes memory sig = signRevoke(ID, 1, KEY);
    if (paused) {
      vm.prank(PAUSER);
      registry.pause();
    }
    vm.warp(block.timestamp + later);
    vm.prank(from);
    registry.revoke(ID, 1, sig);
    check(registry.statusOf(ID).meta == 0x8001, "revoked");
  }

  function testFuzz_a_batch_is_all_or_nothing(uint256 n, uint256 bad) public {
    n = within(n, 1, 12);
    bad = bad % n;
    IConsentRegistry.Grant[] memory g = new IConsentRegistry.Grant[](n);
    bytes[] memory sigs = new bytes[](n);
    for (uint256 i = 0; i < n; ++i) {
      g[i] = grantOf(keccak256(abi.encode("batch", i)), 1, KEY + i);
      sigs[i] = signGrant(g[i], i == bad ? KEY + i + 1 : KEY + i);
    }
    vm.prank(RELAYER);
    vm.expectRevert(
      abi.encodeWithSelector(IConsentRegistry.BadSignature.selector, g[bad].consentId)
    );
    registry.grantBatch(g, sigs);
    for (uint256 i = 0; i < n; ++i) {
      check(registry.statusOf(g[i].consentId).meta == 0, "nothing of it");
    }
    sigs[bad] = signGrant(g[bad], KEY + bad);
    vm.prank(RELAYER);
    registry.grantBatch(g, sigs);
    for (uint256 i = 0; i < n; ++i) {
      check(registry.isActive(g[i].consentId, g[i].commitment), "all of it");
    }
  }
}
