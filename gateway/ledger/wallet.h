/*
 * An account that sends transactions: its key, its fees, its signature.
 *
 * One nonce is in flight for each signer: whoever is about to send takes the wallet and gives
 * it back when the transaction is mined or has failed.
 *
 * Spec: spec/ledger.md 13.1; EIP-1559
 */
#pragma once

#include "anchor/eth_tx.h"
#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/keystore.h"
#include "crypto/secp.h"
#include "crypto/secret.h"
#include "fhir/base/arena.h"
#include "gateway/config/config.h"
#include "gateway/ledger/remote_signer.h"

#include <stdbool.h>
#include <stdint.h>

#define WALLET_GWEI UINT64_C(1000000000)

enum {
    WALLET_E_KEYSTORE = 1, /* not a keystore file that we can read */
    WALLET_E_PASSWORD = 2, /* wrong password, or a damaged file */

    WALLET_BUMP_PERCENT = 15, /* a replacement pays at least so much more, in both fields */
};

/* In wei per gas. */
struct wallet_fees {
    uint64_t tip;
    uint64_t max_fee;
};

/* No fee beyond these: in wei per gas, and in all for one transaction. */
struct wallet_caps {
    uint64_t tip_least;
    uint64_t tip;
    uint64_t max_fee;
    uint64_t gwei_each; /* gas × max_fee, in gwei */
};

extern const struct wallet_caps wallet_caps_usual;

/* tip = max(least, median), maxFee = 2 × base + tip, both capped. */
struct wallet_fees wallet_fees_of(uint64_t base, uint64_t median,
                                  const struct wallet_caps *caps);

/**
 * wallet_fees_bump() - fees of a replacement
 * @old:   of what it replaces
 * @fresh: what would be offered now
 * @out:   both fields raised by WALLET_BUMP_PERCENT at least
 *
 * Return: 0 or -ERANGE: beyond the caps; @out is set only on 0
 */
MUST_USE int wallet_fees_bump(const struct wallet_fees *old, const struct wallet_fees *fresh,
                              const struct wallet_caps *caps, struct wallet_fees *out);

/* Would @gas at these fees cost more than the caps allow? */
bool wallet_too_dear(uint64_t gas, const struct wallet_fees *fees,
                     const struct wallet_caps *caps);

enum wallet_nonce {
    WALLET_NONCE_OURS,  /* still to be mined: send, or wait */
    WALLET_NONCE_AHEAD, /* the chain has used it, and no receipt is ours */
    WALLET_NONCE_GAP,   /* the chain waits for one before it */
};

/* What the chain's count (at "latest") says of a transaction with @ours and no receipt. */
enum wallet_nonce wallet_nonce_judge(uint64_t ours, uint64_t chain);

/* Its key is here, or with a signer elsewhere. */
struct wallet {
    struct secret_slab slab; /* owned; holds the signer */
    struct secp_signer *signer;
    struct remote_signer *remote; /* owned; NULL: the key is here */
    uint8_t address[SECP_ADDRESS_SIZE];
    const void *holder; /* who has a nonce in flight; NULL: nobody */
    unsigned unknown;   /* owners that haven't looked yet what they have in flight */
    bool stopped;       /* somebody else uses the key: nothing is sent any more */
};

/* Read the JSON of a keystore file. Return: 0 or WALLET_E_KEYSTORE */
MUST_USE int wallet_keystore_read(struct arena *arena, struct str text, struct keystore *out);

/**
 * wallet_open() - key from files, or a signer elsewhere
 * @account: names of the files, or where the signer is
 * @base:    loop of what is asked of a signer
 *
 * Takes seconds. Return: 0, WALLET_E_…, -errno of reading the files, -EINVAL: no such signer,
 * -ENOMEM
 */
MUST_USE int wallet_open(struct wallet *wallet, const struct config_account *account,
                         struct event_base *base);
void wallet_close(struct wallet *wallet);

/* May @who begin to send? Then the wallet is its until wallet_give(). */
bool wallet_take(struct wallet *wallet, const void *who);
void wallet_give(struct wallet *wallet, const void *who);

/* Append @tx signed by the key that is here; @hash: its own. Return: 0 or -ENOMEM */
MUST_USE int wallet_sign(const struct wallet *wallet, const struct eth_tx *tx, struct buf *raw,
                         uint8_t hash[32]);
