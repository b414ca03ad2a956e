// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ConsentRegistry} from "../../anchor/contracts/ConsentRegistry.sol";
import {IConsentRegistry} from "../../anchor/contracts/IConsentRegistry.sol";
import {Harness} from "./Harness.sol";

/// @title A registry with its roles given, and what controllers sign for it or for another
abstract contract Signed is Harness {
  address internal constant ADMIN = address(0xad);
  address internal constant RELAYER = address(0x4e);
  address internal constant ATTESTOR = address(0xa7);
  address internal constant PAUSER = address(0x9a);
  address internal constant STRANGER = address(0x57);

  ConsentRegistry internal registry;
  address internal signedFor; // the contract whose domain is signed for

  function deploy() internal {
    vm.warp(1_800_000_000);
    registry = new ConsentRegistry(3 days, ADMIN, RELAYER);
    signedFor = address(registry);
    bytes32 attestor = registry.ATTESTOR_ROLE();
    bytes32 pauser = registry.PAUSER_ROLE();
    vm.prank(ADMIN);
    registry.grantRole(attestor, ATTESTOR);
    vm.prank(ADMIN);
    registry.grantRole(pauser, PAUSER);
  }

  function domain() internal view returns (bytes32) {
    return
      keccak256(
        abi.encode(
          keccak256(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
          ),
          keccak256("ConsentRegistry"),
          keccak256("1"),
          block.chainid,
          signedFor
        )
      );
  }

  function signedBy(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
    bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain(), structHash));
    (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
    return abi.encodePacked(uint8(0), r, s, v);
  }

  function grantOf(
    bytes32 id,
    uint16 version,
    uint256 key
  ) internal view returns (IConsentRegistry.Grant memory) {
    return
      IConsentRegistry.Grant({
        consentId: id,
        commitment: keccak256(abi.encode(id, version)),
        controller: vm.addr(key),
        version: version,
        validFrom: uint40(block.timestamp - (block.timestamp % 1 days)),
        validUntil: uint40(block.timestamp + 365 days),
        deadline: uint40(block.timestamp + 1 hours)
      });
  }

  function grantHash(IConsentRegistry.Grant memory g) internal pure returns (bytes32) {
    return
      keccak256(
        abi.encode(
          keccak256(
            "ConsentGrant(bytes32 consentId,bytes32 commitment,address controller,uint16 version,uint40 validFrom,uint40 validUntil,uint40 deadline)"
          ),
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

  function signGrant(
    IConsentRegistry.Grant memory g,
    uint256 key
  ) internal view returns (bytes memory) {
    return signedBy(key, grantHash(g));
  }

  function signRevoke(
    bytes32 id,
    uint16 version,
    uint256 key
  ) internal view returns (bytes memory) {
    bytes32 kind = keccak256("ConsentRevoke(bytes32 consentId,uint16 version)");
    return signedBy(key, keccak256(abi.encode(kind, id, version)));
  }

  function signRotate(
    bytes32 id,
    uint16 version,
    address to,
    uint40 deadline,
    uint256 key
  ) internal view returns (bytes memory) {
    bytes32 kind = keccak256(
      "ConsentRotate(bytes32 consentId,uint16 version,address to,uint40 deadline)"
    );
    return signedBy(key, keccak256(abi.encode(kind, id, version, to, deadline)));
  }
}
