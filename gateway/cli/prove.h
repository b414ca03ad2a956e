/* The parts of an evidence package that have to be fetched. Everything is kept in the session's
 * arena. */
#pragma once

#include "anchor/evidence.h"
#include "gateway/cli/audit.h"

struct rpc;

/* The nodes of ledger.endpoints. NULL: none can be asked; why was said. End with rpc_free(). */
MUST_USE struct rpc *prove_nodes(struct cli_session *s);

/**
 * prove_consents() - state on chain of each consent that @record relied on
 * @near: block to try first, that of the anchor; 0: none
 * @out:  record->consent_count of them
 *
 * Each is taken at a block not before the one the record names, and checked as a stranger
 * would. Nodes keep the state of few blocks, so several are tried: the anchor's, so that an
 * auditor has one block to confirm; that of the decision; the newest safe one; the newest.
 * Return: 0, -EREMOTEIO: no node gave a proof that holds, other -errno
 */
MUST_USE int prove_consents(struct cli_session *s, struct rpc *rpc, const struct record *record,
                            uint64_t near, struct evidence_consent *out);

/* Ask the nodes for the hash of block @number. Return: 0 or -errno */
MUST_USE int prove_block(struct cli_session *s, struct rpc *rpc, uint64_t number,
                         struct evidence_block *out);
