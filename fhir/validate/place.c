/*
 * Writing down where an issue is: "Patient.contact[0].name.given[1]".
 */
#include "fhir/validate/check.h"

#include <stdarg.h>

enum {
    NAME_MAX_SHOWN = 64,
};

/* A name that can be an element's; what is none may be anything, and is not repeated. */
static struct str shown(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9') || c == '_';
        if (!fits || i == NAME_MAX_SHOWN) {
            return STR("?");
        }
    }
    return name;
}

static void put(struct buf *out, const struct place *place)
{
    if (place->up) {
        put(out, place->up);
        buf_c(out, '.');
    }
    buf_str_put(out, shown(place->name));
    if (place->index != NO_INDEX) {
        buf_c(out, '[');
        buf_u64(out, place->index);
        buf_c(out, ']');
    }
}

void check_issue(struct check *check, enum issue_severity severity, const char *code,
                 const struct place *place, const char *format, ...)
{
    char where[PLACE_TEXT_MAX];
    struct buf at = buf_fixed(where, sizeof(where));
    put(&at, place);

    char said[PLACE_TEXT_MAX];
    struct buf text = buf_fixed(said, sizeof(said));
    va_list args;
    va_start(args, format);
    buf_vfmt(&text, format, args);
    va_end(args);
    struct str what = buf_str(&text);
    issues_add(check->issues, severity, code, buf_str(&at), "%.*s", (int)what.n, what.p);
}

void check_say(struct check *check, enum issue_severity severity, const char *code,
               const struct place *place, struct str text)
{
    char where[PLACE_TEXT_MAX];
    struct buf at = buf_fixed(where, sizeof(where));
    put(&at, place);
    issues_put(check->issues, severity, code, buf_str(&at), text);
}
