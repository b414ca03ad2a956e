// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {AccessControlDefaultAdminRules} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";

import {IAuditAnchor} from "./IAuditAnchor.sol";
import {Rfc9162} from "./Rfc9162.sol";

/// @title Heads of Merkle logs, and nothing that could take one back
/// @dev The operator is a field of its log rather than an AccessControl role: a log has exactly
/// one, and no grantRole() can add a second. Two slots for the head, one for the operator.
contract AuditAnchor is IAuditAnchor, AccessControlDefaultAdminRules {
  uint8 private constant REGISTERED = 1;
  uint8 private constant STRICT = 2;
  uint8 private constant FROZEN = 4;
  uint256 private constant MAX_ORIGIN = 255;

  struct Log {
    bytes32 root;
    uint64 size;
    uint64 seq;
    uint40 time;
    uint8 mode;
    address operator;
  }

  mapping(bytes32 logId => Log) private _logs;

  /// @param adminDelay seconds between naming another admin and its taking over
  /// @param admin      registers logs; a timelock in earnest
  constructor(
    uint48 adminDelay,
    address admin
  ) AccessControlDefaultAdminRules(adminDelay, admin) {}

  /// @inheritdoc IAuditAnchor
  function register(
    string calldata origin,
    address operator,
    bool strict
  ) external onlyRole(DEFAULT_ADMIN_ROLE) {
    if (bytes(origin).length == 0 || bytes(origin).length > MAX_ORIGIN) {
      revert BadOrigin();
    }
    if (operator == address(0)) {
      revert BadOperator();
    }
    bytes32 logId = keccak256(bytes(origin));
    if (_logs[logId].mode != 0) {
      revert AlreadyRegistered(logId);
    }
    _logs[logId] = Log({
      root: Rfc9162.EMPTY_ROOT,
      size: 0,
      seq: 0,
      time: uint40(block.timestamp),
      mode: strict ? REGISTERED | STRICT : REGISTERED,
      operator: operator
    });
    emit LogRegistered(logId, operator, origin, strict);
  }

  /// @inheritdoc IAuditAnchor
  function anchor(bytes32 logId, uint64 treeSize, bytes32 root, bytes32 noteHash) external {
    Log storage log = _writable(logId, treeSize);
    if (log.mode & STRICT != 0) {
      revert ProofRequired(logId);
    }
    _advance(log, logId, treeSize, root, noteHash);
  }

  /// @inheritdoc IAuditAnchor
  function anchorConsistent(
    bytes32 logId,
    uint64 treeSize,
    bytes32 root,
    bytes32 noteHash,
    bytes32[] calldata proof
  ) external {
    Log storage log = _writable(logId, treeSize);
    if (!Rfc9162.consistent(log.size, treeSize, log.root, root, proof)) {
      revert NotConsistent(logId);
    }
    _advance(log, logId, treeSize, root, noteHash);
  }

  /// @inheritdoc IAuditAnchor
  function rotateOperator(bytes32 logId, address to) external {
    Log storage log = _owned(logId);
    address from = log.operator;
    if (to == address(0) || to == from) {
      revert BadOperator();
    }
    log.operator = to;
    emit OperatorRotated(logId, from, to);
  }

  /// @inheritdoc IAuditAnchor
  function freeze(bytes32 logId) external {
    Log storage log = _owned(logId);
    if (log.mode & FROZEN != 0) {
      revert Frozen(logId);
    }
    log.mode |= FROZEN;
    log.time = uint40(block.timestamp);
    emit LogFrozen(logId, log.size, log.root);
  }

  /// @inheritdoc IAuditAnchor
  function head(
    bytes32 logId
  ) external view returns (bytes32 root, uint64 size, uint64 seq, uint40 time, uint8 mode) {
    Log storage log = _logs[logId];
    return (log.root, log.size, log.seq, log.time, log.mode);
  }

  /// @inheritdoc IAuditAnchor
  function operatorOf(bytes32 logId) external view returns (address) {
    return _logs[logId].operator;
  }

  /// @inheritdoc IAuditAnchor
  function verifyConsistency(
    uint64 m,
    uint64 n,
    bytes32 r1,
    bytes32 r2,
    bytes32[] calldata proof
  ) external view returns (bool) {
    return Rfc9162.consistent(m, n, r1, r2, proof);
  }

  /// @inheritdoc IAuditAnchor
  function verifyInclusion(
    bytes32 leaf,
    uint64 index,
    uint64 size,
    bytes32 root,
    bytes32[] calldata proof
  ) external view returns (bool) {
    return Rfc9162.included(leaf, index, size, root, proof);
  }

  /// @dev The log, if the caller may give it a head of `treeSize` leaves.
  function _writable(bytes32 logId, uint64 treeSize) private view returns (Log storage log) {
    log = _logs[logId];
    if (log.mode == 0) {
      revert UnknownLog(logId);
    }
    if (log.operator != msg.sender) {
      revert NotOperator(logId, msg.sender);
    }
    if (log.mode & FROZEN != 0) {
      revert Frozen(logId);
    }
    if (treeSize <= log.size) {
      revert NotGrowing(logId, log.size, treeSize);
    }
  }

  /// @dev The log, if the caller may close it or hand it on.
  function _owned(bytes32 logId) private view returns (Log storage log) {
    log = _logs[logId];
    if (log.mode == 0) {
      revert UnknownLog(logId);
    }
    if (log.operator != msg.sender && !hasRole(DEFAULT_ADMIN_ROLE, msg.sender)) {
      revert NotOperator(logId, msg.sender);
    }
  }

  function _advance(
    Log storage log,
    bytes32 logId,
    uint64 treeSize,
    bytes32 root,
    bytes32 noteHash
  ) private {
    uint64 seq = log.seq + 1;
    log.root = root;
    log.size = treeSize;
    log.seq = seq;
    log.time = uint40(block.timestamp);
    emit Anchored(logId, seq, treeSize, root, noteHash);
  }
}
