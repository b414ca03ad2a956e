/*
 * The gateway's dealings with the chain, for the process that leads: follow the registry of
 * consents, relay what waits to be relayed, anchor the log and follow each anchor to finality.
 *
 * All of it lives in the notary's event loop and on its connection, and does nothing unless
 * told that this process leads. Each write is fenced by the epoch given to ledger_lead(), so
 * one that led too long harms nothing.
 *
 * Spec: spec/ledger.md 13.1, 13.2; spec/contracts.md 10.3; spec/consent.md 5.7
 */
#pragma once

#include "crypto/base/attr.h"

#include <stdbool.h>
#include <stdint.h>

struct config;
struct db;
struct event_base;
struct ledger;

/**
 * ledger_new() - get ready: resolve the endpoints, open the keystores (takes seconds)
 * @base:   the notary's event loop
 * @config: with a section "ledger"; borrowed
 * @db:     the notary's connection; borrowed
 *
 * Return: the ledger at rest, or NULL; what was wrong is in the log
 */
MUST_USE struct ledger *ledger_new(struct event_base *base, const struct config *config,
                                   struct db *db);

/* This process leads, with the epoch @fence: begin. */
void ledger_lead(struct ledger *ledger, uint64_t fence);

/* It doesn't any more, or the connection went: stop at once. Harmless if at rest. */
void ledger_rest(struct ledger *ledger);

/* A checkpoint was signed and stored: anchor it if it is due. */
void ledger_new_checkpoint(struct ledger *ledger);

/*
 * The contract's head is ahead of our log, or doesn't lead to it: an old backup was restored,
 * or the log was forked. Nothing may be signed while this holds (spec: ledger 13.2).
 */
bool ledger_forked(const struct ledger *ledger);

/* At rest, and after its connection, which wakes it, was freed. */
void ledger_free(struct ledger *ledger);
