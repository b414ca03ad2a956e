/*
 * What a command that talks to the database has: configuration, event loop, connection, keys.
 *
 * Commands read from top to bottom: each operation is started and waited for.
 *
 *     struct cli_answer answer = { .read = take_record, .owner = &found };
 *     r = cli_wait(s, store_audit_record(s->db, id, cli_on_rows, &answer), &answer);
 */
#pragma once

#include "fhir/base/arena.h"
#include "gateway/config/config.h"
#include "gateway/store/batch.h"
#include "gateway/store/db.h"

struct event;
struct event_base;
struct vault;

/* All owned; @vault and @batch are NULL until they are asked for. */
struct cli_session {
    const char *command; /* "audit show": for complaints and for what is recorded; static */
    struct config *config;
    struct arena *arena; /* whatever a command keeps until its end */
    struct event_base *loop;
    struct event *tick;
    struct db *db;
    struct vault *vault;
    struct batch *batch;
    uint8_t instance[16]; /* of the records it writes */
};

/**
 * cli_begin() - load the configuration and connect
 * @command: as the session keeps it
 * @file:    the configuration's path; NULL: said to be missing
 * @out:     end it with cli_end(), whatever this returned
 *
 * Return: EX_OK, or the code to exit with; why was said on standard error.
 */
MUST_USE int cli_begin(const char *command, const char *file, struct cli_session *out);

/* Open the tenant's keys. Return: as cli_begin() */
MUST_USE int cli_unlock(struct cli_session *s);

/* A batch of this command's own, for what it records. Return: as cli_begin() */
MUST_USE int cli_open_batch(struct cli_session *s);

void cli_end(struct cli_session *s);

/* Read the answer's rows, which are gone afterwards: 0 or -errno. */
typedef int (*cli_read_fn)(void *owner, const struct db_rows *rows);

/* Begins with @read and @owner set, both may be NULL. */
struct cli_answer {
    cli_read_fn read;
    void *owner;
    bool done;
    int r;
};

/* Completions for db, vault and batch: @arg is the struct cli_answer. */
void cli_on_rows(void *arg, int r, const struct db_rows *rows);
void cli_on_end(void *arg, int r);
void cli_on_batch(void *arg, int r, const struct batch_result *result);

/**
 * cli_wait() - run the loop until @answer is there
 * @op: what was started; NULL: it wasn't
 *
 * Return: what it ended with; -ENOTCONN if it wasn't started, -ETIMEDOUT
 */
MUST_USE int cli_wait(struct cli_session *s, struct op *op, struct cli_answer *answer);

/* The same for what has no op: -ETIMEDOUT leaves it under way. */
MUST_USE int cli_wait_for(struct cli_session *s, const struct cli_answer *answer);

/* Run the loop for @ms. */
void cli_pause(struct cli_session *s, int64_t ms);

/* Write all of @b to standard output. Return: EX_OK, or the code to exit with; why was said. */
MUST_USE int cli_print(const struct cli_session *s, const struct buf *b);

/* Say that @what failed with -errno @r, and return the code to exit with. */
int cli_failed(const struct cli_session *s, const char *what, int r);

/* Say @text, and return @code. */
int cli_complain(const struct cli_session *s, int code, const char *text);
