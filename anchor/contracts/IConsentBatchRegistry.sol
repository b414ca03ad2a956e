// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IConsentRegistry} from "./IConsentRegistry.sol";

/// @title Consents granted many at a time, for chains where each transaction is dear
/// @notice A batch of grants is one Merkle root. What was granted stays with those whom it
/// concerns; what is taken back stands on chain, plain to all.
/// @dev A consent is a random id together with its controller: under another key the same id is
/// another consent. Its version v is in force if, and only if,
/// - its controller signed the grant (EIP-712 `ConsentGrant` of IConsentRegistry, same domain
///   name, this contract's address),
/// - the grant's leaf is in a batch that was recorded no later than the grant's deadline,
/// - the time is in its period,
/// - nothing has ended version v or a later one: see `endedUpTo`.
/// `isActive` says the same of whoever hands it grant, signature and path.
///
/// leaf = SHA-256(0x00 ‖ EIP-712 digest of the grant); the tree is that of RFC 9162. The digest
/// holds two random words, so a leaf tells nothing to who doesn't know the grant. A batch may be
/// padded with random leaves.
interface IConsentBatchRegistry {
  /// @param time of the block that recorded it, seconds
  /// @param size number of leaves; 0: there is no such batch
  struct Batch {
    uint40 time;
    uint64 size;
  }

  /// @param index leaf of the grant, from 0
  /// @param path  from the leaf to the root, as RFC 9162 2.1.3
  struct Place {
    bytes32 root;
    uint64 index;
    bytes32[] path;
  }

  event GrantsBatched(bytes32 indexed root, uint64 size);
  /// @param source 0: the controller signed, 1: an attestor revoked
  event ConsentRevoked(
    bytes32 indexed consentId,
    address indexed controller,
    uint16 version,
    uint8 source
  );
  /// @notice The controller signed `version`: those before it have ended.
  event ConsentSuperseded(
    bytes32 indexed consentId,
    address indexed controller,
    uint16 version
  );

  error BadBatch(bytes32 root, uint64 size);
  error AlreadyBatched(bytes32 root);

  /// @notice Record the root of `size` grants.
  function grantBatch(bytes32 root, uint64 size) external;

  /// @notice End a version, and all before it, by the controller's signature (EIP-712
  /// `ConsentRevoke`), sent by anyone, at any time, while paused too. It needs no proof of the
  /// grant, so nobody who keeps the batch to himself holds it up.
  function revoke(
    bytes32 consentId,
    address controller,
    uint16 version,
    bytes calldata sig
  ) external;

  /// @notice End several. What has ended already is passed over, so that nobody stops the
  /// others by sending one of them first.
  function revokeBatch(
    bytes32[] calldata consentIds,
    address[] calldata controllers,
    uint16[] calldata versions,
    bytes[] calldata sigs
  ) external;

  /// @notice End a version whose key is lost or in wrong hands.
  function revokeByAttestor(bytes32 consentId, address controller, uint16 version) external;

  /// @notice End the versions before `g`, which the controller signed; sent by anyone while the
  /// grant's deadline lasts. Who batches a version after the first sends this too.
  function supersede(IConsentRegistry.Grant calldata g, bytes calldata sig) external;

  /// @return the batch of `root`; all zero if there is none
  function batchOf(bytes32 root) external view returns (Batch memory);

  /// @return the highest version that has ended, 0 if none
  function endedUpTo(bytes32 consentId, address controller) external view returns (uint16);

  /// @return leaf hash of a grant
  function leafOf(IConsentRegistry.Grant calldata g) external view returns (bytes32);

  /// @return whether the grant is in force now
  function isActive(
    IConsentRegistry.Grant calldata g,
    bytes calldata sig,
    Place calldata place
  ) external view returns (bool);
}
