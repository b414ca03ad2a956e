/*
 * What a person should read about a message: errors, warnings and notes, with their place.
 *
 * The words are FHIR's: severity and code are those of OperationOutcome.issue. A list lives in
 * an arena and remembers the worst severity. It holds places and rules, never content.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "fhir/base/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum issue_severity {
    ISSUE_INFORMATION,
    ISSUE_WARNING,
    ISSUE_ERROR,
    ISSUE_FATAL,
};

/*
 * @code:  FHIR IssueType, such as "structure", "value", "not-supported"; static text
 * @place: where: "PID-3[2].4", "Patient.name[0]", "line 7"; in the arena
 * @text:  what is wrong, as a sentence; in the arena, or from issues_put()
 */
struct issue {
    enum issue_severity severity;
    const char *code;
    struct str place;
    struct str text;
    struct issue *next;
};

enum {
    ISSUES_MAX = 200, /* of errors, and of what is less, kept for each message; further ones are
                         only counted */
};

struct issues {
    struct arena *arena; /* borrowed */
    struct issue *first;
    struct issue *last;
    size_t count; /* seen, kept or not */
    size_t notes; /* of these, what is less than an error */
    enum issue_severity worst;
};

void issues_init(struct issues *issues, struct arena *arena);

/* Add one; @place is copied. What finds no memory is counted all the same. */
void issues_add(struct issues *issues, enum issue_severity severity, const char *code,
                struct str place, const char *format, ...) PRINTF_LIKE(5, 6);

/* The same with a @text that isn't copied. */
void issues_put(struct issues *issues, enum issue_severity severity, const char *code,
                struct str place, struct str text);

/* Whether an error or a fatal one was added. */
bool issues_bad(const struct issues *issues);

/* "fatal", "error", "warning" or "information", as in OperationOutcome. */
const char *issue_severity_name(enum issue_severity severity);
