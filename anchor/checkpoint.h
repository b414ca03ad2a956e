/* The text of a checkpoint: which log, how many leaves, which root.
 * https://c2sp.org/tlog-checkpoint */
#pragma once

#include "anchor/merkle.h"
#include "anchor/note.h"
#include "crypto/base/buf.h"

enum {
    CHECKPOINT_ORIGIN_MAX = 255,
};

/* @origin: borrowed, one line */
struct checkpoint {
    struct str origin;
    struct merkle_head head;
};

/* Append the text, to be signed as a note. */
void checkpoint_put(const struct checkpoint *checkpoint, struct buf *b);

/* Read the text of a note. Extension lines are refused: nobody audits them. 0 or -EINVAL */
MUST_USE int checkpoint_read(struct str text, struct checkpoint *out);

/*
 * What AuditAnchor keeps as noteHash: SHA-256 of the whole note, cosignatures included.
 * Its logId is keccak256(origin).
 */
void checkpoint_note_hash(struct str note, uint8_t out[DIGEST_SIZE]);
void checkpoint_log_id(struct str origin, uint8_t out[DIGEST_SIZE]);
