// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ConsentRegistry} from "../../anchor/contracts/ConsentRegistry.sol";
import {IConsentRegistry} from "../../anchor/contracts/IConsentRegistry.sol";
import {Signed} from "./Signed.sol";
import {Vm} from "./Harness.sol";

/// @title Everybody who may call the registry, and a model of what each call may do
/// @dev Each action tries something, right or wrong, and checks by the model whether it had to
/// work. What the events say is kept apart: it alone must give the same state.
contract Everybody is Signed {
  struct Seen {
    uint16 version;
    bool revoked;
    uint256 key;
    bytes32 commitment;
  }
  struct Told {
    uint16 meta;
    address controller;
    bytes32 commitment;
  }

  uint256 private constant CONSENTS = 6;
  uint256 private constant KEYS = 5;

  mapping(bytes32 => Seen) public model;
  mapping(bytes32 => Told) public told;
  mapping(bytes32 => uint16) public highestRevoked;
  bool public paused;
  uint256 public worked;
  uint256 public refused;

  constructor() {
    deploy();
  }

  function idOf(uint256 i) public pure returns (bytes32) {
    return keccak256(abi.encode("consent", i % CONSENTS));
  }

  function consents() public pure returns (uint256) {
    return CONSENTS;
  }

  function target() public view returns (ConsentRegistry) {
    return registry;
  }

  function keyOf(uint256 i) private pure returns (uint256) {
    return 0x1000 + (i % KEYS);
  }

  /// @dev Mostly the version that would do, else one beside it.
  function versionNear(uint16 right, uint256 x) private pure returns (uint16) {
    uint256 off = x % 5;
    return off == 0 ? right + 1 : off == 1 && right > 0 ? right - 1 : right;
  }

  function grant(uint256 i, uint256 k, uint256 v, uint256 who, bool late) external {
    bytes32 id = idOf(i);
    Seen storage s = model[id];
    uint256 key = s.version > 0 && k % 3 > 0 ? s.key : keyOf(k);
    IConsentRegistry.Grant memory g = grantOf(id, versionNear(s.version + 1, v), key);
    if (late) {
      g.deadline = uint40(block.timestamp - 1);
    }
    g.commitment = keccak256(abi.encode(k, v, who));
    bytes memory sig = signGrant(g, key);
    address from = who % 4 == 0 ? STRANGER : who % 4 == 1 ? ATTESTOR : RELAYER;
    bool right = from == RELAYER &&
      !paused &&
      !late &&
      g.version == s.version + 1 &&
      (s.version == 0 || key == s.key);
    vm.recordLogs();
    vm.prank(from);
    try registry.grant(g, sig) {
      check(right, "a grant that had to be refused");
      (s.version, s.revoked, s.key, s.commitment) = (g.version, false, key, g.commitment);
      listen();
    } catch {
      check(!right, "a grant that had to work");
      ++refused;
    }
  }

  function revoke(uint256 i, uint256 k, uint256 v) external {
    bytes32 id = idOf(i);
    Seen storage s = model[id];
    uint256 key = k % 3 > 0 && s.version > 0 ? s.key : keyOf(k);
    uint16 version = versionNear(s.version, v);
    bytes memory sig = signRevoke(id, version, key);
    bool right = s.version > 0 && version == s.version && !s.revoked && key == s.key;
    vm.recordLogs();
    vm.prank(STRANGER);
    try registry.revoke(id, version, sig) {
      check(right, "a revocation that had to be refused");
      markRevoked(s, id);
    } catch {
      check(!right, "a revocation that had to work");
      ++refused;
    }
  }

  function revokeByAttestor(uint256 i, uint256 v, uint256 who) external {
    bytes32 id = idOf(i);
    Seen storage s = model[id];
    uint16 version = versionNear(s.version, v);
    address from = who % 3 == 0 ? STRANGER : who % 3 == 1 ? RELAYER : ATTESTOR;
    bool right = from == ATTESTOR && s.version > 0 && version == s.version && !s.revoked;
    vm.recordLogs();
    vm.prank(from);
    try registry.revokeByAttestor(id, version) {
      check(right, "an attestor's revocation that had to be refused");
      markRevoked(s, id);
    } catch {
      check(!right, "an attestor's revocation that had to work");
      ++refused;
    }
  }

  function rotate(uint256 i, uint256 k, uint256 to, uint256 v) external {
    bytes32 id = idOf(i);
    Seen storage s = model[id];
    uint256 key = k % 3 > 0 && s.version > 0 ? s.key : keyOf(k);
    uint16 version = versionNear(s.version + 1, v);
    uint40 deadline = uint40(block.timestamp + 1);
    bytes memory sig = signRotate(id, version, vm.addr(keyOf(to)), deadline, key);
    bool right = s.version > 0 &&
      !s.revoked &&
      version == s.version + 1 &&
      key == s.key &&
      keyOf(to) != s.key;
    vm.recordLogs();
    vm.prank(STRANGER);
    try registry.rotateController(id, version, vm.addr(keyOf(to)), deadline, sig) {
      check(right, "a rotation that had to be refused");
      (s.version, s.key) = (version, keyOf(to));
      listen();
    } catch {
      check(!right, "a rotation that had to work");
      ++refused;
    }
  }

  function pause(bool on) external {
    if (on != paused) {
      vm.prank(PAUSER);
      on ? registry.pause() : registry.unpause();
      paused = on;
    }
  }

  function pass(uint256 time) external {
    vm.warp(block.timestamp + (time % 30 days));
  }

  function markRevoked(Seen storage s, bytes32 id) private {
    s.revoked = true;
    highestRevoked[id] = s.version;
    listen();
  }

  /// @dev What a follower makes of the events, and of nothing else.
  function listen() private {
    ++worked;
    Vm.Log[] memory logs = vm.getRecordedLogs();
    for (uint256 i = 0; i < logs.length; ++i) {
      Told storage t = told[logs[i].topics[1]];
      bytes32 kind = logs[i].topics[0];
      if (kind == IConsentRegistry.ConsentGranted.selector) {
        (t.meta, t.commitment, t.controller) = abi.decode(
          logs[i].data,
          (uint16, bytes32, address)
        );
      } else if (kind == IConsentRegistry.ControllerRotated.selector) {
        (t.meta, t.controller) = abi.decode(logs[i].data, (uint16, address));
      } else if (kind == IConsentRegistry.ConsentRevoked.selector) {
        (uint16 version, ) = abi.decode(logs[i].data, (uint16, uint8));
        check(version == t.meta, "revoked is what was told last");
        t.meta = version | 0x8000;
      }
    }
  }
}

contract ConsentRegistryInvariant is Signed {
  Everybody private everybody;

  function setUp() public {
    everybody = new Everybody();
  }

  function targetContracts() public view returns (address[] memory targets) {
    targets = new address[](1);
    targets[0] = address(everybody);
  }

  function invariant_the_chain_is_as_the_model_says() public view {
    for (uint256 i = 0; i < everybody.consents(); ++i) {
      bytes32 id = everybody.idOf(i);
      (uint16 version, bool revoked, uint256 key, bytes32 commitment) = everybody.model(id);
      IConsentRegistry.Record memory r = everybody.target().statusOf(id);
      check(r.meta == (revoked ? version | 0x8000 : version), "version and revoked");
      check(version == 0 || r.controller == vm.addr(key), "controller");
      check(r.commitment == commitment, "commitment");
    }
  }

  function invariant_the_events_alone_give_the_state() public view {
    for (uint256 i = 0; i < everybody.consents(); ++i) {
      bytes32 id = everybody.idOf(i);
      (uint16 meta, address controller, bytes32 commitment) = everybody.told(id);
      IConsentRegistry.Record memory r = everybody.target().statusOf(id);
      check(r.meta == meta && r.controller == controller, "meta and controller");
      check(r.commitment == commitment, "commitment");
    }
  }

  /// A revoked consent is active again only by a later version, which only its controller signs.
  function invariant_revoked_stays_revoked() public view {
    for (uint256 i = 0; i < everybody.consents(); ++i) {
      bytes32 id = everybody.idOf(i);
      IConsentRegistry.Record memory r = everybody.target().statusOf(id);
      uint16 revoked = everybody.highestRevoked(id);
      bool is_ = r.meta & 0x8000 != 0;
      check(revoked == 0 || (is_ ? r.meta & 0x7fff == revoked : r.meta > revoked), "stays");
      check(!is_ || !everybody.target().isActive(id, r.commitment), "isn't active");
    }
  }
}
