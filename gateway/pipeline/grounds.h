/*
 * What consents said about one patient, as the record's commitment "decision" has it: of a
 * court's questions, "by which rule, read how, by which engine" is answered from here.
 *
 * Spec: consent rules, section 5.4; the text is written down in anchor/README.md.
 */
#pragma once

#include "crypto/base/buf.h"
#include "fhir/consent/compiled.h"

enum {
    GROUNDS_MAX = 8,
    GROUNDS_TEXT_MAX = 8 << 10, /* bytes: room for GROUNDS_MAX */
};

/* Begin with zeros. @more: there were others besides */
struct grounds {
    struct consent_evidence at[GROUNDS_MAX];
    size_t count;
    bool more;
};

/* One decision more; what was found already isn't told twice. */
void grounds_add(struct grounds *grounds, const struct consent_evidence *evidence);

/* The text; nothing if no consent was asked. */
void grounds_write(const struct grounds *grounds, struct buf *b);
