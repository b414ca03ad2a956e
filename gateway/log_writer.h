/*
 * The transparency log: what was recorded gets its place, its tree and a signed head.
 *
 * One process of a cluster does this, the leading notary. It orders leaves as it finds them
 * committed, never signs what it hasn't read back from the database, and refuses to go on when
 * what it finds there isn't what it left.
 *
 * Spec: C2SP tlog-checkpoint, tlog-tiles, signed-note; RFC 6962
 */
#pragma once

#include "crypto/base/attr.h"
#include "gateway/config/config.h"

#include <event2/event.h>
#include <stdint.h>

struct db;
struct log_writer;

/* A checkpoint was signed and stored. */
typedef void (*log_writer_fn)(void *arg);

/**
 * log_writer_new() - read the signing key
 *
 * Return: the writer, at rest; NULL after saying why
 */
MUST_USE struct log_writer *log_writer_new(struct event_base *loop, const struct config *config,
                                           struct db *db, log_writer_fn signed_fn, void *arg);
void log_writer_free(struct log_writer *writer);

/* We lead, under this notary epoch: begin. */
void log_writer_lead(struct log_writer *writer, uint64_t fence);

/* We don't lead any more: stop at once. */
void log_writer_rest(struct log_writer *writer);
