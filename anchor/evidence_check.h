/* What the parts of the checker share. Not for others: see anchor/evidence.h. */
#pragma once

#include "anchor/checkpoint.h"
#include "anchor/eth_header.h"
#include "anchor/evidence.h"

/* The package taken apart. Lists stay as JSON until their turn. */
struct evidence_parts {
    struct str record;
    struct str opening; /* as the next three: empty if missing */
    struct str proof;
    struct str anchor;
    struct str consents;
    size_t trailer_at; /* where the bytes that the trailer covers end */
    uint8_t trailer[DIGEST_SIZE];
};

struct evidence_run {
    const struct evidence_check *check;
    struct evidence_parts parts;
    struct record record;
    struct checkpoint checkpoint; /* of the inclusion proof */
    enum evidence_verdict worst;
};

/* Report a verdict on @part; a literal with what printf knows. Returns false if it failed. */
bool evidence_say(struct evidence_run *run, const struct evidence_line *line,
                  const char *format, ...) PRINTF_LIKE(3, 4);

/* Report that @member fails @part because of @why. Returns false. */
bool evidence_fail(struct evidence_run *run, enum evidence_part part, const char *member,
                   const char *why);

/*
 * What the checker knows about the block of @header: EVIDENCE_PROVEN: its hash;
 * EVIDENCE_FAILED: another hash for its number; EVIDENCE_UNCONFIRMED: nothing.
 */
enum evidence_verdict evidence_known_block(const struct evidence_run *run,
                                           const struct eth_header *header);

/* Is @note signed by the log's key, if we know it? A literal says why not; NULL: it is. */
const char *evidence_signed(const struct evidence_run *run, const struct note *note,
                            struct str origin);

/* The checks that concern the chain. Return false after a failure. */
bool evidence_check_anchor(struct evidence_run *run);
bool evidence_check_consents(struct evidence_run *run);
