// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {AccessControlDefaultAdminRules} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {ConsentSigning} from "./ConsentSigning.sol";
import {IConsentRegistry} from "./IConsentRegistry.sol";

/// @title Consents by commitment
/// @notice No role but a consent's controller can grant, and none can undo a revocation.
/// Pausing stops grants only. There is no proxy, no selfdestruct, no enumeration and no text.
/// @dev Version is the nonce: a grant or rotation names the version after the recorded one, a
/// revocation the recorded one, so neither can be replayed, and an old revocation can't hit a
/// later grant. Signatures as in ConsentSigning, domain readable through ERC-5267.
contract ConsentRegistry is IConsentRegistry, AccessControlDefaultAdminRules, EIP712, Pausable {
  bytes32 public constant GRANT_RELAYER_ROLE = keccak256("GRANT_RELAYER_ROLE");
  bytes32 public constant ATTESTOR_ROLE = keccak256("ATTESTOR_ROLE");
  bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");

  bytes32 private constant ROTATE_TYPEHASH =
    keccak256("ConsentRotate(bytes32 consentId,uint16 version,address to,uint40 deadline)");

  uint16 private constant REVOKED = 0x8000;
  uint16 private constant VERSION_MASK = 0x7fff;
  uint8 private constant SOURCE_CONTROLLER = 0;
  uint8 private constant SOURCE_ATTESTOR = 1;

  mapping(bytes32 consentId => Record) private _records;

  /// @param adminDelay seconds between naming another admin and its taking over
  /// @param admin      gives and takes roles; a timelock in earnest
  /// @param relayer    first account that may relay grants; 0 for none yet
  constructor(
    uint48 adminDelay,
    address admin,
    address relayer
  ) AccessControlDefaultAdminRules(adminDelay, admin) EIP712("ConsentRegistry", "1") {
    if (relayer != address(0)) {
      _grantRole(GRANT_RELAYER_ROLE, relayer);
    }
  }

  /// @inheritdoc IConsentRegistry
  function grant(
    Grant calldata g,
    bytes calldata sig
  ) external onlyRole(GRANT_RELAYER_ROLE) whenNotPaused {
    _grant(g, sig);
  }

  /// @inheritdoc IConsentRegistry
  function grantBatch(
    Grant[] calldata g,
    bytes[] calldata sig
  ) external onlyRole(GRANT_RELAYER_ROLE) whenNotPaused {
    if (g.length != sig.length) {
      revert LengthMismatch();
    }
    for (uint256 i = 0; i < g.length; ++i) {
      _grant(g[i], sig[i]);
    }
  }

  /// @inheritdoc IConsentRegistry
  function revoke(bytes32 consentId, uint16 version, bytes calldata sig) external {
    if (!_revokeSigned(consentId, version, sig)) {
      revert AlreadyRevoked(consentId, version);
    }
  }

  /// @inheritdoc IConsentRegistry
  function revokeBatch(
    bytes32[] calldata consentIds,
    uint16[] calldata versions,
    bytes[] calldata sigs
  ) external {
    if (consentIds.length != versions.length || consentIds.length != sigs.length) {
      revert LengthMismatch();
    }
    for (uint256 i = 0; i < consentIds.length; ++i) {
      _revokeSigned(consentIds[i], versions[i], sigs[i]);
    }
  }

  /// @inheritdoc IConsentRegistry
  function revokeByAttestor(
    bytes32 consentId,
    uint16 version
  ) external onlyRole(ATTESTOR_ROLE) {
    Record storage record = _records[consentId];
    if (_revoked(record, consentId, version)) {
      revert AlreadyRevoked(consentId, version);
    }
    record.meta = version | REVOKED;
    emit ConsentRevoked(consentId, version, SOURCE_ATTESTOR);
  }

  /// @inheritdoc IConsentRegistry
  function rotateController(
    bytes32 consentId,
    uint16 version,
    address to,
    uint40 deadline,
    bytes calldata sig
  ) external {
    Record storage record = _records[consentId];
    uint16 meta = record.meta;
    address from = record.controller;
    if (meta == 0) {
      revert UnknownConsent(consentId);
    }
    if (meta & REVOKED != 0) {
      revert AlreadyRevoked(consentId, meta & VERSION_MASK);
    }
    _requireNext(consentId, meta, version);
    _requireInTime(consentId, deadline);
    if (to == address(0) || to == from) {
      revert BadController(consentId);
    }
    record.controller = to;
    record.meta = version;
    _requireSigned(
      consentId,
      from,
      keccak256(abi.encode(ROTATE_TYPEHASH, consentId, version, to, deadline)),
      sig
    );
    emit ControllerRotated(consentId, version, to);
  }

  /// @notice Stop grants, and nothing else.
  function pause() external onlyRole(PAUSER_ROLE) {
    _pause();
  }

  function unpause() external onlyRole(PAUSER_ROLE) {
    _unpause();
  }

  /// @inheritdoc IConsentRegistry
  function statusOf(bytes32 consentId) external view returns (Record memory) {
    return _records[consentId];
  }

  /// @inheritdoc IConsentRegistry
  function isActive(bytes32 consentId, bytes32 commitment) external view returns (bool) {
    Record storage record = _records[consentId];
    uint16 meta = record.meta;
    return
      meta != 0 &&
      meta & REVOKED == 0 &&
      record.validFrom <= block.timestamp &&
      block.timestamp < record.validUntil &&
      record.commitment == commitment;
  }

  function _grant(Grant calldata g, bytes calldata sig) private {
    bytes32 consentId = g.consentId;
    Record storage record = _records[consentId];
    uint16 meta = record.meta;
    _requireNext(consentId, meta, g.version);
    _requireInTime(consentId, g.deadline);
    if (g.validFrom >= g.validUntil) {
      revert BadPeriod(consentId, g.validFrom, g.validUntil);
    }
    if (g.commitment == bytes32(0)) {
      revert BadCommitment(consentId);
    }
    if (g.controller == address(0)) {
      revert BadController(consentId);
    }
    // Another key only through rotateController, so that the change is plain to see.
    if (meta != 0 && g.controller != record.controller) {
      revert WrongController(consentId, record.controller, g.controller);
    }
    _requireSigned(consentId, g.controller, ConsentSigning.grantHash(g), sig);

    _records[consentId] = Record({
      controller: g.controller,
      validFrom: g.validFrom,
      validUntil: g.validUntil,
      meta: g.version,
      commitment: g.commitment
    });
    emit ConsentGranted(
      consentId,
      g.version,
      g.commitment,
      g.controller,
      g.validFrom,
      g.validUntil
    );
  }

  /// @return whether the record changed; false if it was revoked before
  function _revokeSigned(
    bytes32 consentId,
    uint16 version,
    bytes calldata sig
  ) private returns (bool) {
    Record storage record = _records[consentId];
    if (_revoked(record, consentId, version)) {
      return false;
    }
    // The word is read and written at once; a wrong signature undoes it.
    address controller = record.controller;
    record.meta = version | REVOKED;
    _requireSigned(consentId, controller, ConsentSigning.revokeHash(consentId, version), sig);
    emit ConsentRevoked(consentId, version, SOURCE_CONTROLLER);
    return true;
  }

  /// @dev Reverts unless `version` is the recorded one; returns its revoked bit.
  function _revoked(
    Record storage record,
    bytes32 consentId,
    uint16 version
  ) private view returns (bool) {
    uint16 meta = record.meta;
    if (meta == 0) {
      revert UnknownConsent(consentId);
    }
    if (meta & VERSION_MASK != version) {
      revert WrongVersion(consentId, meta & VERSION_MASK, version);
    }
    return meta & REVOKED != 0;
  }

  /// @dev The successor of 2^15-1 has no room: that consent can only be revoked.
  function _requireNext(bytes32 consentId, uint16 meta, uint16 version) private pure {
    uint16 next = (meta & VERSION_MASK) + 1;
    if (version != next || next > VERSION_MASK) {
      revert WrongVersion(consentId, next, version);
    }
  }

  function _requireInTime(bytes32 consentId, uint40 deadline) private view {
    if (block.timestamp > deadline) {
      revert DeadlinePassed(consentId, deadline);
    }
  }

  function _requireSigned(
    bytes32 consentId,
    address controller,
    bytes32 structHash,
    bytes calldata sig
  ) private view {
    if (!ConsentSigning.signed(controller, _hashTypedDataV4(structHash), sig)) {
      revert BadSignature(consentId);
    }
  }
}
