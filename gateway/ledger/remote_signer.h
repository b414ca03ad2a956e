/*
 * A signer elsewhere that holds an account's key: JSON-RPC's eth_signTransaction over HTTP, as
 * Web3Signer answers it.
 *
 * It is not trusted: what it gives must be the very transaction that was asked for, signed by
 * the account. Spec: Ethereum JSON-RPC; EIP-1559
 */
#pragma once

#include "anchor/eth_tx.h"
#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "gateway/ledger/rpc.h"

struct event_base;
struct remote_signer;

/* @url: borrowed until it returns. NULL: the log says why, or no memory */
MUST_USE struct remote_signer *remote_signer_new(struct event_base *base, const char *url,
                                                 const uint8_t address[ETH_ADDRESS_SIZE]);

/* No call may be under way. */
void remote_signer_free(struct remote_signer *signer);

/**
 * remote_signer_check() - is @raw just @tx, signed by @address?
 *
 * Return: 0, -EBADMSG or -ENOMEM
 */
MUST_USE int remote_signer_check(const struct eth_tx *tx,
                                 const uint8_t address[ETH_ADDRESS_SIZE], struct str raw);

/* @r: 0, -ENOTCONN: not reached, -EACCES: it refused, -EBADMSG: another answer than was asked
 * for, -ENOMEM. @raw: the signed transaction, during the call */
typedef void (*remote_signed_fn)(void *owner, int r, struct str raw);

/* @tx with its data: borrowed until the end. NULL: no memory, or too many calls under way. */
MUST_USE struct op *remote_signer_sign(struct remote_signer *signer, const struct eth_tx *tx,
                                       remote_signed_fn done, void *owner);
