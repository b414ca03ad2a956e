// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

/// @title Heads of Merkle logs
/// @notice The head of a log only grows, only by its operator. A strict log takes a new head
/// only with proof that the new tree begins with the old one, so a rewritten log finds no place
/// here.
interface IAuditAnchor {
  event LogRegistered(bytes32 indexed logId, address operator, string origin, bool strict);
  event Anchored(
    bytes32 indexed logId,
    uint64 indexed seq,
    uint64 treeSize,
    bytes32 root,
    bytes32 noteHash
  );
  event OperatorRotated(bytes32 indexed logId, address from, address to);
  event LogFrozen(bytes32 indexed logId, uint64 treeSize, bytes32 root);

  error BadOrigin();
  error BadOperator();
  error AlreadyRegistered(bytes32 logId);
  error UnknownLog(bytes32 logId);
  error NotOperator(bytes32 logId, address account);
  error Frozen(bytes32 logId);
  error NotGrowing(bytes32 logId, uint64 size, uint64 given);
  error ProofRequired(bytes32 logId);
  error NotConsistent(bytes32 logId);

  /// @notice Open the log keccak256(`origin`), empty. Admin only.
  /// @param origin the log's name as in its checkpoints (C2SP tlog-checkpoint), 1 to 255 bytes
  function register(string calldata origin, address operator, bool strict) external;

  /// @notice New head of a log that isn't strict.
  /// @param noteHash SHA-256 of the signed checkpoint, its cosignatures included
  function anchor(bytes32 logId, uint64 treeSize, bytes32 root, bytes32 noteHash) external;

  /// @notice New head with its RFC 6962 consistency proof; the empty one for the first head.
  function anchorConsistent(
    bytes32 logId,
    uint64 treeSize,
    bytes32 root,
    bytes32 noteHash,
    bytes32[] calldata proof
  ) external;

  /// @notice Another account for a log's heads; by its operator or by the admin.
  function rotateOperator(bytes32 logId, address to) external;

  /// @notice Close a log for ever: its shard ended, or its key was stolen. By operator or
  /// admin.
  function freeze(bytes32 logId) external;

  /// @return root of the last head; SHA-256 of nothing before the first
  /// @return size leaves of it
  /// @return seq  heads so far
  /// @return time block time of the last change
  /// @return mode bits: 1 registered, 2 strict, 4 frozen; 0 if unknown
  function head(
    bytes32 logId
  ) external view returns (bytes32 root, uint64 size, uint64 seq, uint40 time, uint8 mode);

  function operatorOf(bytes32 logId) external view returns (address);

  /// @return whether the tree (`n`, `r2`) begins with the tree (`m`, `r1`)
  function verifyConsistency(
    uint64 m,
    uint64 n,
    bytes32 r1,
    bytes32 r2,
    bytes32[] calldata proof
  ) external view returns (bool);

  /// @return whether leaf hash `leaf` is at `index` of the tree (`size`, `root`)
  function verifyInclusion(
    bytes32 leaf,
    uint64 index,
    uint64 size,
    bytes32 root,
    bytes32[] calldata proof
  ) external view returns (bool);
}
