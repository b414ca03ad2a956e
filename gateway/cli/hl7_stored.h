/* A message that was taken, or what a FHIR client wrote, as operators look at it: opened, and
 * translated by the maps of today.
 */
#pragma once

#include "anchor/record.h"
#include "gateway/cli/session.h"
#include "gateway/maps.h"
#include "gateway/sealed_payload.h"
#include "gateway/store/outbox.h"
#include "gateway/stored_route.h"

/*
 * What a message became: the state of the maps, and the SHA-256 of that in hexadecimal. Each
 * may be empty: not translated, or nobody says.
 */
struct hl7_became {
    struct str maps;
    struct str digest;
};

/*
 * Everything is kept in the session's arena.
 *
 * @row:    of the outbox
 * @way:    listener's sender and route; NULL: the configuration has them no more
 * @closed: why what came isn't open; NULL: it is
 * @text:   what came, in UTF-8
 * @keys:   that it was sealed under: whose data it is; NULL: not opened
 * @form:   of what it becomes: "FHIR"; "v2" for what a FHIR client wrote
 * @absent: why it becomes nothing of that; NULL: it does
 * @made:   what it becomes today
 * @today:  the same, in short
 * @before: what it became when it was tried last
 */
struct hl7_stored {
    struct store_outbox row;
    struct stored_route way;
    const char *closed;
    struct str text;
    const struct sealed_payload *keys;
    const char *form;
    const char *absent;
    struct str made;
    struct hl7_became today;
    struct hl7_became before;
};

/* Compile the maps of the session's configuration. Return: EX_OK, or the code to exit with */
MUST_USE int hl7_stored_maps(const struct cli_session *s, struct maps **out);

/* Copy row @i, with its spans. Return: 0 or -ENOMEM */
MUST_USE int hl7_stored_row(struct cli_session *s, const struct db_rows *rows, int i,
                            struct store_outbox *out);

/**
 * hl7_stored_open() - open what came, and translate it; look up what it became before
 * @it: with its ->row
 *
 * Needs cli_unlock(). Nothing of it may be shown before that was recorded.
 *
 * Return: 0 or -errno
 */
MUST_USE int hl7_stored_open(struct cli_session *s, const struct maps *maps,
                             struct hl7_stored *it);

/* Record for each patient whom it is about that an operator opened it; @request: the command.
 * Return: EX_OK, or the code to exit with */
MUST_USE int hl7_stored_record(struct cli_session *s, const struct hl7_stored *it,
                               enum record_interaction what, struct str request);

/* ->form as records have it: "fhir" or "v2". */
const char *hl7_stored_word(const struct hl7_stored *it);

/* Whether today's translation differs from that of before, as far as is known. */
bool hl7_stored_changed(const struct hl7_stored *it);
