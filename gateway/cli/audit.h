/* A record as operators look at it: opened, and with its place in the log and on chain. */
#pragma once

#include "anchor/opening.h"
#include "anchor/record.h"
#include "gateway/cli/session.h"
#include "gateway/store/audit.h"
#include "gateway/store/notary.h"
#include "gateway/store/sendings.h"

/*
 * Everything is kept in the session's arena.
 * @opening: text of the opening; empty: not opened, and @why says why
 * @patient: whose key it is under; all 0: nobody's
 */
struct audit_record {
    struct store_record row;
    struct record record;
    struct str opening;
    const char *why;
    uint8_t patient[16];
};

/* Take row @i of a list. Return: 0 or -errno */
MUST_USE int audit_take(struct cli_session *s, const struct db_rows *rows, int i,
                        struct audit_record *out);

/* Find one by id. Return: 0, -ENOENT, other -errno */
MUST_USE int audit_find(struct cli_session *s, const uint8_t id[16], struct audit_record *out);

/* Open its opening, if there is one and its key was not destroyed. Needs cli_unlock().
 * Return: 0 or -errno */
MUST_USE int audit_open(struct cli_session *s, struct audit_record *record);

/**
 * audit_values() - what the opening says
 * @out: in the session's arena
 *
 * Return: 0; -EBADMSG if it doesn't open the record; -ENOMEM
 */
MUST_USE int audit_values(struct cli_session *s, const struct audit_record *record,
                          struct opening *out);

/* @recipient: who got it; empty if nobody did. @types: names of resource types, with spaces */
struct audit_access {
    struct str recipient;
    struct str types;
};

/* What the access row of the patient it is about says, its number looked up. Needs
 * audit_open(). Return: 0 or -errno */
MUST_USE int audit_access(struct cli_session *s, const struct audit_record *record,
                          struct audit_access *out);

/* Names of the resource types of an access row, with spaces between. */
void audit_types_put(struct str bytes, struct buf *out);

/* Who a recipient number means, canonical JSON. Needs cli_unlock(). Return: 0 or -errno */
MUST_USE int audit_recipient(struct cli_session *s, int64_t number, struct str *out);

/* How far a record has come; each holds what those before it say. */
enum audit_state {
    AUDIT_RECORDED,
    AUDIT_SEQUENCED, /* it has an index */
    AUDIT_PUBLISHED, /* a signed checkpoint covers it */
    AUDIT_ANCHORED,  /* that is on chain in a safe block, and the proof is kept */
    AUDIT_FINALIZED,
};

const char *audit_state_name(enum audit_state state);

/*
 * @checkpoint: the anchored one, else the oldest that covers the record; size 0: none
 * @anchor:     size 0: none
 */
struct audit_place {
    enum audit_state state;
    struct store_checkpoint checkpoint;
    struct store_anchor anchor;
};

/* Where the record is now; its index is looked up anew. Return: 0 or -errno */
MUST_USE int audit_place(struct cli_session *s, struct audit_record *record,
                         struct audit_place *out);

/**
 * audit_span_read() - from when to when
 * @from, @to: as people write times, or NULL: no bound, 0
 * @out:       ms since 1970; to includes the whole of it
 *
 * Return: 0, or -EINVAL: said on standard error as a complaint of @command
 */
MUST_USE int audit_span_read(const char *command, const char *from, const char *to,
                             int64_t out[2]);

/* A UUID with or without dashes. Return: 0 or -EINVAL */
MUST_USE int audit_id_read(const char *text, uint8_t out[16]);
