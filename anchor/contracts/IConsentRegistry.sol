// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

/// @title What the chain knows about consents, and who may change it
/// @notice One record for each random consent id. It names nobody: `commitment` is a salted
/// digest of the policy, `controller` is used for this consent alone.
/// @dev The events alone rebuild the state. A follower takes `version` from each of them:
/// - `ConsentGranted` sets all fields and makes the record active,
/// - `ControllerRotated` sets controller and version, the rest stays, and the record was
///   active,
/// - `ConsentRevoked` sets the revoked bit of that version.
interface IConsentRegistry {
  /// @param consentId  32 random bytes
  /// @param commitment salted digest of policy and statement, another one with each version
  /// @param controller whose signature counts: an account, an ERC-1271 contract, or the last 20
  ///                   bytes of keccak256(signer) of an ERC-7913 signer
  /// @param version    one more than the record's: this is the nonce
  /// @param validFrom  first second of validity, rounded down to a day by who signs
  /// @param validUntil first second after it, rounded up to a day; 2^40-1 for open end
  /// @param deadline   last second in which the grant may be mined
  struct Grant {
    bytes32 consentId;
    bytes32 commitment;
    address controller;
    uint16 version;
    uint40 validFrom;
    uint40 validUntil;
    uint40 deadline;
  }

  /// @dev Two storage slots. `meta` is the version in the low 15 bits; the top bit says
  /// revoked.
  struct Record {
    address controller;
    uint40 validFrom;
    uint40 validUntil;
    uint16 meta;
    bytes32 commitment;
  }

  event ConsentGranted(
    bytes32 indexed consentId,
    uint16 version,
    bytes32 commitment,
    address controller,
    uint40 validFrom,
    uint40 validUntil
  );
  /// @param source 0: the controller signed, 1: an attestor revoked
  event ConsentRevoked(bytes32 indexed consentId, uint16 version, uint8 source);
  event ControllerRotated(bytes32 indexed consentId, uint16 version, address controller);

  error UnknownConsent(bytes32 consentId);
  error WrongVersion(bytes32 consentId, uint16 expected, uint16 given);
  error WrongController(bytes32 consentId, address expected, address given);
  error AlreadyRevoked(bytes32 consentId, uint16 version);
  error DeadlinePassed(bytes32 consentId, uint40 deadline);
  error BadPeriod(bytes32 consentId, uint40 validFrom, uint40 validUntil);
  error BadCommitment(bytes32 consentId);
  error BadController(bytes32 consentId);
  error BadSignature(bytes32 consentId);
  error LengthMismatch();

  /// @notice Record a consent that its controller signed (EIP-712 `ConsentGrant`).
  function grant(Grant calldata g, bytes calldata sig) external;

  /// @notice Record several; if one fails none is recorded.
  function grantBatch(Grant[] calldata g, bytes[] calldata sig) external;

  /// @notice Take back a consent by its controller's signature (EIP-712 `ConsentRevoke`), sent
  /// by anyone, at any time, while paused too.
  function revoke(bytes32 consentId, uint16 version, bytes calldata sig) external;

  /// @notice Take back several. What is revoked already at that version is passed over, so that
  /// nobody stops the others by sending one of them first.
  function revokeBatch(
    bytes32[] calldata consentIds,
    uint16[] calldata versions,
    bytes[] calldata sigs
  ) external;

  /// @notice Take back a consent whose key is lost or in wrong hands.
  function revokeByAttestor(bytes32 consentId, uint16 version) external;

  /// @notice Hand an active consent to another key, signed by the present one (EIP-712
  /// `ConsentRotate`). Commitment and period stay; `version` is one more than the record's.
  function rotateController(
    bytes32 consentId,
    uint16 version,
    address to,
    uint40 deadline,
    bytes calldata sig
  ) external;

  function statusOf(bytes32 consentId) external view returns (Record memory);

  /// @return whether `commitment` is the recorded one, unrevoked and in its period now
  function isActive(bytes32 consentId, bytes32 commitment) external view returns (bool);
}
