// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ConsentBatchRegistry} from "../../anchor/contracts/ConsentBatchRegistry.sol";
import {IConsentBatchRegistry} from "../../anchor/contracts/IConsentBatchRegistry.sol";
import {IConsentRegistry} from "../../anchor/contracts/IConsentRegistry.sol";
import {Batched} from "./Batched.sol";
import {Vm} from "./Harness.sol";

/// @title Everybody who may call the registry of batches, and a model of what each call may do
/// @dev Each action tries something, right or wrong, and checks by the model whether it had to
/// work. Grants are signed by their controller or by another; any of them may be batched, again
/// and again. What the events say is kept apart: it alone must give the same ends.
contract EverybodyBatching is Batched {
  struct Signing {
    IConsentRegistry.Grant g;
    bytes sig;
    bool own; // its controller signed
    bytes32[] leaves; // of its last batch; none yet if empty
    uint256 index;
    bool inTime;
  }

  uint256 private constant CONSENTS = 4;
  uint256 private constant KEYS = 3;
  uint256 private constant KEPT = 6;

  Signing[] private _kept;
  mapping(bytes32 id => mapping(address => uint16)) public ended;
  mapping(bytes32 id => mapping(address => uint16)) public told;
  mapping(bytes32 root => uint256) public toldSize;
  uint256 private _salt;
  bool public paused;

  constructor() {
    deployBatches();
  }

  function target() public view returns (ConsentBatchRegistry) {
    return batches;
  }

  function kept() public view returns (uint256) {
    return _kept.length;
  }

  function idOf(uint256 i) public pure returns (bytes32) {
    return keccak256(abi.encode("consent", i % CONSENTS));
  }

  function keyOf(uint256 i) public pure returns (uint256) {
    return 0x1000 + (i % KEYS);
  }

  /// @dev What the contract has to say of the i-th grant, and what it says.
  function verdicts(uint256 i) public view returns (bool want, bool is_) {
    Signing storage s = _kept[i];
    want =
      s.own &&
      s.inTime &&
      s.g.version > ended[s.g.consentId][s.g.controller] &&
      s.g.validFrom <= block.timestamp &&
      block.timestamp < s.g.validUntil;
    if (s.leaves.length > 0) {
      is_ = batches.isActive(s.g, s.sig, placeOf(s.leaves, s.index));
    }
  }

  function sign(uint256 i, uint256 k, uint256 v, bool own) external {
    IConsentRegistry.Grant memory g = grantOf(idOf(i), uint16(1 + (v % 4)), keyOf(k));
    Signing memory s;
    (s.g, s.own) = (g, own);
    s.sig = signGrant(g, own ? keyOf(k) : keyOf((k % KEYS) + 1));
    if (_kept.length < KEPT) {
      _kept.push(s);
    } else {
      _kept[v % KEPT] = s;
    }
  }

  function grantBatch(uint256 i, uint256 n, uint256 who) external {
    if (_kept.length == 0) {
      return;
    }
    Signing storage s = _kept[i % _kept.length];
    n = within(n, 1, 5);
    bytes32[] memory leaves = new bytes32[](n);
    for (uint256 at_ = 0; at_ < n; ++at_) {
      leaves[at_] = at_ == i % n ? leafOf(s.g) : keccak256(abi.encode(++_salt));
    }
    bytes32 root = rootOf(leaves);
    address from = who % 4 == 0 ? STRANGER : who % 4 == 1 ? ATTESTOR : RELAYER;
    bool right = from == RELAYER && !paused && toldSize[root] == 0;
    vm.recordLogs();
    vm.prank(from);
    try batches.grantBatch(root, uint64(n)) {
      check(right, "a batch that had to be refused");
      (s.leaves, s.index) = (leaves, i % n);
      s.inTime = block.timestamp <= s.g.deadline;
      listen();
    } catch {
      check(!right, "a batch that had to work");
    }
  }

  function revoke(uint256 i, uint256 k, uint256 v, bool own) external {
    (bytes32 id, uint16 version) = (idOf(i), uint16(v % 5));
    address controller = vm.addr(keyOf(k));
    bytes memory sig = signRevoke(id, version, own ? keyOf(k) : keyOf((k % KEYS) + 1));
    bool right = own && version > ended[id][controller];
    vm.recordLogs();
    vm.prank(STRANGER);
    try batches.revoke(id, controller, version, sig) {
      check(right, "a revocation that had to be refused");
      ended[id][controller] = version;
      listen();
    } catch {
      check(!right, "a revocation that had to work");
    }
  }

  function revokeByAttestor(uint256 i, uint256 k, uint256 v, uint256 who) external {
    (bytes32 id, uint16 version) = (idOf(i), uint16(v % 5));
    address controller = vm.addr(keyOf(k));
    address from = who % 3 == 0 ? STRANGER : who % 3 == 1 ? RELAYER : ATTESTOR;
    bool right = from == ATTESTOR && version > ended[id][controller];
    vm.recordLogs();
    vm.prank(from);
    try batches.revokeByAttestor(id, controller, version) {
      check(right, "an attestor's revocation that had to be refused");
      ended[id][controller] = version;
      listen();
    } catch {
      check(!right, "an attestor's revocation that had to work");
    }
  }

  function supersede(uint256 i) external {
    if (_kept.length == 0) {
      return;
    }
    Signing storage s = _kept[i % _kept.length];
    uint16 before = ended[s.g.consentId][s.g.controller];
    bool right = s.own && s.g.version > before + 1 && block.timestamp <= s.g.deadline;
    vm.recordLogs();
    vm.prank(STRANGER);
    try batches.supersede(s.g, s.sig) {
      check(right, "a succession that had to be refused");
      ended[s.g.consentId][s.g.controller] = s.g.version - 1;
      listen();
    } catch {
      check(!right, "a succession that had to work");
    }
  }

  function pause(bool on) external {
    if (on != paused) {
      vm.prank(PAUSER);
      on ? batches.pause() : batches.unpause();
      paused = on;
    }
  }

  function pass(uint256 time) external {
    vm.warp(block.timestamp + (time % 1 hours));
  }

  /// @dev What a follower makes of the events, and of nothing else.
  function listen() private {
    Vm.Log[] memory logs = vm.getRecordedLogs();
    for (uint256 i = 0; i < logs.length; ++i) {
      bytes32 kind = logs[i].topics[0];
      if (kind == IConsentBatchRegistry.GrantsBatched.selector) {
        toldSize[logs[i].topics[1]] = abi.decode(logs[i].data, (uint64));
        continue;
      }
      address controller = address(uint160(uint256(logs[i].topics[2])));
      uint16 version;
      if (kind == IConsentBatchRegistry.ConsentRevoked.selector) {
        (version, ) = abi.decode(logs[i].data, (uint16, uint8));
      } else if (kind == IConsentBatchRegistry.ConsentSuperseded.selector) {
        version = abi.decode(logs[i].data, (uint16)) - 1;
      }
      check(version > told[logs[i].topics[1]][controller], "each event is news");
      told[logs[i].topics[1]][controller] = version;
    }
  }

  /// @dev Whether batch and ends of everything tried are as the events told.
  function asTold() public view returns (bool) {
    for (uint256 i = 0; i < CONSENTS; ++i) {
      for (uint256 k = 0; k < KEYS; ++k) {
        uint16 on = batches.endedUpTo(idOf(i), vm.addr(keyOf(k)));
        if (on != told[idOf(i)][vm.addr(keyOf(k))] || on != ended[idOf(i)][vm.addr(keyOf(k))]) {
          return false;
        }
      }
    }
    for (uint256 i = 0; i < _kept.length; ++i) {
      uint256 n = _kept[i].leaves.length;
      bytes32 root = n == 0 ? bytes32(0) : rootOf(_kept[i].leaves);
      if (batches.batchOf(root).size != n || toldSize[root] != n) {
        return false;
      }
    }
    return true;
  }
}

contract ConsentBatchRegistryInvariant is Batched {
  EverybodyBatching private everybody;

  function setUp() public {
    everybody = new EverybodyBatching();
  }

  function targetContracts() public view returns (address[] memory targets) {
    targets = new address[](1);
    targets[0] = address(everybody);
  }

  /// In force is what its controller signed, was batched in time, and nothing has ended.
  function invariant_in_force_is_as_the_model_says() public view {
    for (uint256 i = 0; i < everybody.kept(); ++i) {
      (bool want, bool is_) = everybody.verdicts(i);
      check(want == is_, "in force");
    }
  }

  /// Nothing that has ended comes back: ends only grow, as the events, each of them news, tell.
  function invariant_the_events_alone_give_the_ends() public view {
    check(everybody.asTold(), "as told");
  }
}
