/*
 * Accounts that are contracts: whether one of them signed, as most nodes see it now.
 *
 * Spec: ERC-1271
 */
#pragma once

#include "gateway/ledger/quorum.h"

enum {
    CONTRACT_SIGNATURE_MAX = 4 << 10, /* bytes; a contract says itself what its signature is */
};

/* @signature: at most CONTRACT_SIGNATURE_MAX bytes; borrowed until contract_account_ask()
 * returns */
struct contract_account {
    uint8_t address[20];
    uint8_t digest[32];
    struct str signature;
};

/* Ask the nodes; NULL as of quorum_call(). @done: contract_account_signed() */
MUST_USE struct op *contract_account_ask(struct rpc *rpc,
                                         const struct contract_account *account, quorum_fn done,
                                         void *owner);

/* Of one node's answer: yes or no, as the reader of quorum_call(). */
MUST_USE int contract_account_read(const void *arg, const struct node *result, struct buf *out);

/* Return: 0: it did; -EBADMSG: it didn't, or is no contract; -EAGAIN: most nodes don't say */
MUST_USE int contract_account_signed(const struct quorum_answer *answer);
