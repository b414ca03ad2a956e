// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {AccessControlDefaultAdminRules} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {ConsentSigning} from "./ConsentSigning.sol";
import {IConsentBatchRegistry} from "./IConsentBatchRegistry.sol";
import {IConsentRegistry} from "./IConsentRegistry.sol";
import {Rfc9162} from "./Rfc9162.sol";

/// @title Consents by the root of their batch
/// @notice Nobody but a consent's controller can grant, since a leaf counts only with its
/// signature; and none can undo an end. Pausing stops batches only. There is no proxy, no
/// selfdestruct, no enumeration and no text.
/// @dev Version is the nonce, but only its end is kept: one word for each consent that was
/// revoked or superseded, none for the others. It only grows.
///
/// The slot where ConsentRegistry has its mapping stays empty, and the mappings stand where that
/// one has nothing: a proof of state from one contract can't pass for the other's.
contract ConsentBatchRegistry is
  IConsentBatchRegistry,
  AccessControlDefaultAdminRules,
  EIP712,
  Pausable
{
  bytes32 public constant GRANT_RELAYER_ROLE = keccak256("GRANT_RELAYER_ROLE");
  bytes32 public constant ATTESTOR_ROLE = keccak256("ATTESTOR_ROLE");
  bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");

  uint16 private constant VERSION_MOST = 0x7fff;
  uint8 private constant SOURCE_CONTROLLER = 0;
  uint8 private constant SOURCE_ATTESTOR = 1;

  uint256 private _emptySlot;
  mapping(bytes32 root => Batch) private _batches;
  mapping(bytes32 key => uint256) private _ended;

  /// @param adminDelay seconds between naming another admin and its taking over
  /// @param admin      gives and takes roles; a timelock in earnest
  /// @param relayer    first account that may record batches; 0 for none yet
  constructor(
    uint48 adminDelay,
    address admin,
    address relayer
  ) AccessControlDefaultAdminRules(adminDelay, admin) EIP712("ConsentRegistry", "1") {
    if (relayer != address(0)) {
      _grantRole(GRANT_RELAYER_ROLE, relayer);
    }
  }

  /// @inheritdoc IConsentBatchRegistry
  function grantBatch(
    bytes32 root,
    uint64 size
  ) external onlyRole(GRANT_RELAYER_ROLE) whenNotPaused {
    if (root == bytes32(0) || size == 0) {
      revert BadBatch(root, size);
    }
    if (_batches[root].size != 0) {
      revert AlreadyBatched(root);
    }
    _batches[root] = Batch({time: uint40(block.timestamp), size: size});
    emit GrantsBatched(root, size);
  }

  /// @inheritdoc IConsentBatchRegistry
  function revoke(
    bytes32 consentId,
    address controller,
    uint16 version,
    bytes calldata sig
  ) external {
    if (!_revokeSigned(consentId, controller, version, sig)) {
      revert IConsentRegistry.AlreadyRevoked(consentId, version);
    }
  }

  /// @inheritdoc IConsentBatchRegistry
  function revokeBatch(
    bytes32[] calldata consentIds,
    address[] calldata controllers,
    uint16[] calldata versions,
    bytes[] calldata sigs
  ) external {
    uint256 n = consentIds.length;
    if (controllers.length != n || versions.length != n || sigs.length != n) {
      revert IConsentRegistry.LengthMismatch();
    }
    for (uint256 i = 0; i < n; ++i) {
      _revokeSigned(consentIds[i], controllers[i], versions[i], sigs[i]);
    }
  }

  /// @inheritdoc IConsentBatchRegistry
  function revokeByAttestor(
    bytes32 consentId,
    address controller,
    uint16 version
  ) external onlyRole(ATTESTOR_ROLE) {
    if (!_end(consentId, controller, version)) {
      revert IConsentRegistry.AlreadyRevoked(consentId, version);
    }
    emit ConsentRevoked(consentId, controller, version, SOURCE_ATTESTOR);
  }

  /// @inheritdoc IConsentBatchRegistry
  function supersede(IConsentRegistry.Grant calldata g, bytes calldata sig) external {
    if (block.timestamp > g.deadline) {
      revert IConsentRegistry.DeadlinePassed(g.consentId, g.deadline);
    }
    if (
      g.version < 2 ||
      g.version > VERSION_MOST ||
      !_end(g.consentId, g.controller, g.version - 1)
    ) {
      uint16 next = endedUpTo(g.consentId, g.controller) + 2;
      revert IConsentRegistry.WrongVersion(g.consentId, next, g.version);
    }
    _requireSigned(g.consentId, g.controller, ConsentSigning.grantHash(g), sig);
    emit ConsentSuperseded(g.consentId, g.controller, g.version);
  }

  /// @notice Stop batches, and nothing else.
  function pause() external onlyRole(PAUSER_ROLE) {
    _pause();
  }

  function unpause() external onlyRole(PAUSER_ROLE) {
    _unpause();
  }

  /// @inheritdoc IConsentBatchRegistry
  function batchOf(bytes32 root) external view returns (Batch memory) {
    return _batches[root];
  }

  /// @inheritdoc IConsentBatchRegistry
  function leafOf(IConsentRegistry.Grant calldata g) external view returns (bytes32) {
    return _leaf(_hashTypedDataV4(ConsentSigning.grantHash(g)));
  }

  /// @inheritdoc IConsentBatchRegistry
  function isActive(
    IConsentRegistry.Grant calldata g,
    bytes calldata sig,
    Place calldata place
  ) external view returns (bool) {
    Batch storage batch = _batches[place.root];
    bytes32 digest = _hashTypedDataV4(ConsentSigning.grantHash(g));
    return
      g.version <= VERSION_MOST &&
      g.version > endedUpTo(g.consentId, g.controller) &&
      g.validFrom <= block.timestamp &&
      block.timestamp < g.validUntil &&
      batch.time <= g.deadline &&
      Rfc9162.included(_leaf(digest), place.index, batch.size, place.root, place.path) &&
      ConsentSigning.signed(g.controller, digest, sig);
  }

  /// @inheritdoc IConsentBatchRegistry
  function endedUpTo(bytes32 consentId, address controller) public view returns (uint16) {
    return uint16(_ended[_key(consentId, controller)]);
  }

  /// @return whether that was news
  function _revokeSigned(
    bytes32 consentId,
    address controller,
    uint16 version,
    bytes calldata sig
  ) private returns (bool) {
    if (!_end(consentId, controller, version)) {
      return false;
    }
    // The word is read and written at once; a wrong signature undoes it.
    _requireSigned(consentId, controller, ConsentSigning.revokeHash(consentId, version), sig);
    emit ConsentRevoked(consentId, controller, version, SOURCE_CONTROLLER);
    return true;
  }

  /// @dev `version` and all before it have ended. Returns whether that was news.
  function _end(bytes32 consentId, address controller, uint16 version) private returns (bool) {
    if (controller == address(0)) {
      revert IConsentRegistry.BadController(consentId);
    }
    if (version == 0 || version > VERSION_MOST) {
      revert IConsentRegistry.WrongVersion(consentId, 1, version);
    }
    bytes32 key = _key(consentId, controller);
    if (_ended[key] >= version) {
      return false;
    }
    _ended[key] = version;
    return true;
  }

  function _requireSigned(
    bytes32 consentId,
    address controller,
    bytes32 structHash,
    bytes calldata sig
  ) private view {
    if (!ConsentSigning.signed(controller, _hashTypedDataV4(structHash), sig)) {
      revert IConsentRegistry.BadSignature(consentId);
    }
  }

  function _leaf(bytes32 digest) private pure returns (bytes32) {
    return sha256(abi.encodePacked(uint8(0), digest));
  }

  function _key(bytes32 consentId, address controller) private pure returns (bytes32) {
    return keccak256(abi.encode(consentId, controller));
  }
}
