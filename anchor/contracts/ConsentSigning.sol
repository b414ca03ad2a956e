// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IConsentRegistry} from "./IConsentRegistry.sol";

/// @title What the controller of a consent signs, and whether it did
/// @dev Types after EIP-712; both registries have the same. Signatures of accounts (low s only),
/// contracts (ERC-1271) and keys without an account (ERC-7913) are one byte kind and the rest: 0
/// for the controller itself; 1 followed by `abi.encode(bytes signer, bytes signature)` for an
/// ERC-7913 signer.
library ConsentSigning {
  bytes32 private constant GRANT_TYPEHASH =
    keccak256(
      "ConsentGrant(bytes32 consentId,bytes32 commitment,address controller,uint16 version,uint40 validFrom,uint40 validUntil,uint40 deadline)"
    );
  bytes32 private constant REVOKE_TYPEHASH =
    keccak256("ConsentRevoke(bytes32 consentId,uint16 version)");
  bytes1 private constant KIND_CONTROLLER = 0x00;
  bytes1 private constant KIND_SIGNER = 0x01;

  function grantHash(IConsentRegistry.Grant calldata g) internal pure returns (bytes32) {
    return
      keccak256(
        abi.encode(
          GRANT_TYPEHASH,
          g.consentId,
          g.commitment,
          g.controller,
          g.version,
          g.validFrom,
          g.validUntil,
          g.deadline
        )
      );
  }

  function revokeHash(bytes32 consentId, uint16 version) internal pure returns (bytes32) {
    return keccak256(abi.encode(REVOKE_TYPEHASH, consentId, version));
  }

  function signed(
    address controller,
    bytes32 digest,
    bytes calldata sig
  ) internal view returns (bool) {
    if (sig.length == 0) {
      return false;
    }
    if (sig[0] == KIND_CONTROLLER) {
      return SignatureChecker.isValidSignatureNowCalldata(controller, digest, sig[1:]);
    }
    if (sig[0] != KIND_SIGNER) {
      return false;
    }
    (bytes memory signer, bytes memory signature) = abi.decode(sig[1:], (bytes, bytes));
    return
      address(uint160(uint256(keccak256(signer)))) == controller &&
      SignatureChecker.isValidSignatureNow(signer, digest, signature);
  }
}
