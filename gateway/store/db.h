/*
 * One connection to PostgreSQL in pipeline mode, driven by libevent.
 *
 * Statements are sent as they come, without waiting for the answers of those before; each
 * answer completes its op, in order. Connecting again after a loss, with back-off, is the
 * connection's own business. It never blocks but for db_new(), which resolves the host's name
 * once; afterwards there is no DNS.
 */
#pragma once

#include "crypto/base/attr.h"
#include "gateway/op.h"
#include "gateway/store/params.h"

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct db;

/*
 * A statement; static, told apart by its address, prepared at its first use on a connection.
 * @name: unique in the program, shown by pg_stat_activity and the like
 * @sql:  one statement; parameters are binary, so write casts: $1::uuid
 */
struct db_statement {
    const char *name;
    const char *sql;
};

/*
 * Errors, as completions get them. Besides:
 *   -ECONNRESET  the connection was lost: whether the transaction happened isn't known
 *   -ETIMEDOUT   cancelled by statement_timeout: it didn't happen
 *   -EAGAIN      a lock, deadlock or server at its limits: it didn't happen, try again
 *   -EEXIST      unique constraint
 *   -EINVAL      a value that its column refuses
 *   -EIO         anything else; logged with its SQLSTATE
 * What the migrations raise:
 *   -ESTALE      CS001: the epoch is ahead
 *   -EOWNERDEAD  CS002: the instance connected again elsewhere
 *   -ENOLCK      CS003: the shard's lease is lost
 *   -EALREADY    CS004: a message was taken before
 *   -EPERM       CS005: another notary leads, or has moved what was to be moved
 *   -EACCES      CS006: not allowed
 */

/**
 * typedef db_done_fn - a statement or transaction has ended
 * @r:    0 or -errno as above
 * @rows: the answers, one element for each statement; NULL unless @r is 0
 */
typedef void (*db_done_fn)(void *arg, int r, const struct db_rows *rows);

/* The connection came up or went down. All pending ops have ended before "down" is told. */
typedef void (*db_state_fn)(void *arg, bool up);

typedef void (*db_notify_fn)(void *arg);

/*
 * @url:     postgresql://… or key=value words; copied
 * @name:    application_name: "worker 2"; copied
 * @timeout_ms: statement_timeout; 0: 10 s
 * @state:   may be NULL
 */
struct db_options {
    const char *url;
    const char *name;
    int timeout_ms;
    db_state_fn state;
    void *arg;
};

/**
 * db_new() - begin to connect
 * @base: borrowed
 *
 * Return: the connection, not up yet; NULL with errno EINVAL (url), ENXIO (the host has no
 *         address) or ENOMEM.
 */
MUST_USE struct db *db_new(struct event_base *base, const struct db_options *options);

/* Ops still pending end without completion. Not from inside a completion of this db. */
void db_free(struct db *db);

/* Can statements be sent now? */
bool db_up(const struct db *db);

/* Statements sent and not yet answered. */
size_t db_pending(const struct db *db);

/**
 * db_listen() - hear a channel, also after each new connection
 * @channel: static text, a plain identifier
 *
 * @fn is called for each NOTIFY, and once for each connection made: what was told meanwhile is
 * lost, so look. Return: 0 or -ENOSPC (at most 4).
 */
MUST_USE int db_listen(struct db *db, const char *channel, db_notify_fn fn, void *arg);

/**
 * db_query() - run one statement in a transaction of its own
 *
 * Return: the op, or NULL: not up, or no memory. After op_cancel() the statement may still run.
 */
MUST_USE struct op *db_query(struct db *db, const struct db_statement *statement,
                             const struct db_params *params, db_done_fn done, void *arg);

struct db_step {
    const struct db_statement *statement;
    const struct db_params *params;
};

/**
 * db_transaction() - run statements in one transaction, in one trip
 * @steps: at most DB_STEPS_MAX; all that they need is known beforehand
 *
 * There is no BEGIN and COMMIT: PostgreSQL takes what stands between two syncs of a pipeline as
 * one transaction, committed by the second. A failed one leaves nothing to clean up, so
 * transactions may follow each other without waiting. Completion with 0 means: committed.
 */
MUST_USE struct op *db_transaction(struct db *db, const struct db_step *steps, size_t n,
                                   db_done_fn done, void *arg);

enum {
    DB_STEPS_MAX = 16,
};

/* Drop the connection now: pending ops end with -ECONNRESET, then it connects again. */
void db_drop(struct db *db);
