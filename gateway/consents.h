/*
 * The consents in force, as one worker knows them.
 *
 * Loaded whole at start, then followed by epoch: NOTIFY only wakes, what changed is read from
 * the database. A worker that hasn't confirmed the epoch for the length of its lease, or whose
 * view of the ledger is too old, decides nothing but refusals.
 */
#pragma once

#include "fhir/consent/compiled.h"
#include "gateway/op.h"

#include <stdbool.h>
#include <stdint.h>

struct config;
struct consents;
struct db;
struct event_base;
struct vault;

/* Whether decisions can be made at this moment, or why not. */
enum consents_state {
    CONSENTS_READY,
    CONSENTS_LOADING,
    CONSENTS_LEASE,  /* the epoch couldn't be confirmed in time */
    CONSENTS_LEDGER, /* the ledger's view is older than ledger.max_staleness */
};

/* @tenant: the policy that consents work within; NULL: they decide alone */
MUST_USE struct consents *consents_new(struct event_base *loop, const struct config *config,
                                       struct db *db, struct vault *vault,
                                       const struct consent_tenant *tenant);
void consents_free(struct consents *consents);

/* Loading is over; called once. */
typedef void (*consents_loaded_fn)(void *arg);
void consents_start(struct consents *consents, consents_loaded_fn loaded, void *arg);

enum consents_state consents_state(const struct consents *consents);

/* "ready", "consent-loading", "consent-lease", "ledger-stale": the basis of a refusal. */
const char *consents_state_name(enum consents_state state);

/* The epoch that decisions made now belong to. */
uint64_t consents_epoch(const struct consents *consents);

/*
 * Another value than before: identifiers may lead elsewhere, since patients were merged,
 * separated or destroyed.
 */
uint64_t consents_people_epoch(const struct consents *consents);

/* Decide; only while consents_state() is CONSENTS_READY, or CONSENTS_LEDGER for what breaks the
 * glass. */
void consents_decide(const struct consents *consents, const uint8_t patient[16],
                     const struct consent_request *request, const struct consent_facts *facts,
                     struct consent_evidence *out);

/* As consents_decide(), and tells each consent that was looked at. */
void consents_explain(const struct consents *consents, const uint8_t patient[16],
                      const struct consent_request *request, struct consent_evidence *out,
                      const struct consent_listener *listener);

/* Milliseconds since the endpoints of the ledger agreed on its head. */
int64_t consents_ledger_age(const struct consents *consents);

typedef void (*consents_done_fn)(void *arg, int r);

/* Read what changed after our epoch; @done with 0 when it is in force here. */
MUST_USE struct op *consents_catch_up(struct consents *consents, consents_done_fn done,
                                      void *arg);
