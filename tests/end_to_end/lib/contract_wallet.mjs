// An account that is a contract: its owner's signature is its own (ERC-1271).
import { compile } from "../../../anchor/contracts/compile.mjs";
import { deploy } from "./chain.mjs";

const SOURCE = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
contract Wallet1271 {
    address private immutable _owner;
    constructor(address owner) { _owner = owner; }
    function isValidSignature(bytes32 hash, bytes calldata sig) external view returns (bytes4) {
        return ECDSA.recover(hash, sig) == _owner ? this.isValidSignature.selector : bytes4(0);
    }
}`;

/** Deploy one of the account @owner, paid by @signer; resolves to its address. */
export async function contractWallet(signer, owner) {
  const made = compile([["Wallet1271.sol", SOURCE]])["Wallet1271.sol"].Wallet1271;
  return (await deploy(signer, made, owner)).getAddress();
}
