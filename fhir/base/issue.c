/* A list of issues in an arena. */
#include "fhir/base/issue.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    TEXT_MAX = 400, /* bytes of one sentence */
};

void issues_init(struct issues *issues, struct arena *arena)
{
    *issues = (struct issues){ .arena = arena };
}

/* Count one more; whether it is to be kept. */
static bool count(struct issues *issues, enum issue_severity severity)
{
    bool note = severity < ISSUE_ERROR;
    issues->count++;
    issues->notes += note;
    issues->worst = severity > issues->worst ? severity : issues->worst;
    /* Many notes don't hide an error. */
    return (note ? issues->notes : issues->count - issues->notes) <= ISSUES_MAX;
}

static void keep(struct issues *issues, enum issue_severity severity, const char *code,
                 struct str place, struct str text)
{
    struct issue *issue = arena_calloc(issues->arena, 1, sizeof(*issue));
    if (!issue) {
        return;
    }
    *issue = (struct issue){
        .severity = severity,
        .code = code,
        .place = arena_str(issues->arena, place),
        .text = text,
    };
    if (issues->last) {
        issues->last->next = issue;
    } else {
        issues->first = issue;
    }
    issues->last = issue;
}

void issues_put(struct issues *issues, enum issue_severity severity, const char *code,
                struct str place, struct str text)
{
    if (count(issues, severity)) {
        keep(issues, severity, code, place, text);
    }
}

void issues_add(struct issues *issues, enum issue_severity severity, const char *code,
                struct str place, const char *format, ...)
{
    if (!count(issues, severity)) {
        return;
    }
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (n >= 0) {
        keep(issues, severity, code, place, arena_str(issues->arena, str_z(text)));
    }
}

bool issues_bad(const struct issues *issues)
{
    return issues->count > 0 && issues->worst >= ISSUE_ERROR;
}

const char *issue_severity_name(enum issue_severity severity)
{
    switch (severity) {
    case ISSUE_FATAL: return "fatal";
    case ISSUE_ERROR: return "error";
    case ISSUE_WARNING: return "warning";
    case ISSUE_INFORMATION: return "information";
    }
    return "error";
}
