/* What is asked of a node for a transaction: params and readers. */
#pragma once

#include "anchor/eth_tx.h"
#include "crypto/base/buf.h"
#include "fhir/model/node.h"
#include "gateway/ledger/quorum.h"

/* [{from, to, data}, "latest"]; without @from or @to if that is NULL */
void sender_put_call(struct buf *out, const uint8_t from[20], const uint8_t to[20],
                     struct str data);

/* ["0x…"] and, if @tag, [ "0x…", tag ] */
void sender_put_one(struct buf *out, struct str bytes, const char *tag);

/* Readers for quorum_call(): a quantity as uint64_t; nothing; struct answers_receipt or, if
 * there's none yet, nothing; struct store_block. */
MUST_USE int sender_read_u64(const void *arg, const struct node *result, struct buf *out);
MUST_USE int sender_read_any(const void *arg, const struct node *result, struct buf *out);
MUST_USE int sender_read_receipt(const void *arg, const struct node *result, struct buf *out);
MUST_USE int sender_read_block(const void *arg, const struct node *result, struct buf *out);
