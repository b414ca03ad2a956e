/*
 * Reading the delimiters.
 *
 * MSH-2 names component, repetition, escape, subcomponent and, since v2.7, truncation, in this
 * order. Old senders stop early: the usual character stands in, unless it is taken already.
 * Some quote the escape character for a programming language and send it twice; that is
 * forgiven.
 */
#include "fhir/v2/delims.h"

#include <stddef.h>

enum {
    ENCODING_MAX = 5, /* characters of MSH-2 */
    HEADER_NAME = 3,
};

const struct v2_delims V2_DELIMS_USUAL = {
    .field = '|',
    .component = '^',
    .repetition = '~',
    .escape = '\\',
    .subcomponent = '&',
};

bool v2_delims_usable(char c)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool digit = c >= '0' && c <= '9';
    return c > ' ' && c < 0x7f && !letter && !digit;
}

static bool header_name(struct str header)
{
    return str_starts(header, STR("MSH")) || str_starts(header, STR("FHS")) ||
           str_starts(header, STR("BHS"));
}

/* Declared characters, then usual ones for the rest. */
static int fill(char field, struct str declared, char list[ENCODING_MAX])
{
    static const char usual[ENCODING_MAX] = { '^', '~', '\\', '&', '\0' };
    char seen[ENCODING_MAX + 1] = { field };
    size_t n = 1;
    for (size_t i = 0; i < ENCODING_MAX; i++) {
        bool said = i < declared.n;
        char c = said ? declared.p[i] : usual[i];
        bool taken = memchr(seen, c, n) != NULL;
        if (said && !v2_delims_usable(c)) {
            return V2_DELIMS_E_UNUSABLE;
        }
        if (said && taken) {
            return V2_DELIMS_E_SAME;
        }
        list[i] = taken ? '\0' : c;
        if (list[i]) {
            seen[n++] = c;
        }
    }
    return 0;
}

const char *v2_delims_error(int error, const char **place)
{
    static const struct {
        const char *place, *text;
    } errors[] = {
        [V2_DELIMS_E_NAME] = { "MSH", "the message doesn't begin with MSH" },
        [V2_DELIMS_E_FIELD] = { "MSH-1", "MSH isn't followed by a field separator" },
        [V2_DELIMS_E_MISSING] = { "MSH-2", "the encoding characters are missing" },
        [V2_DELIMS_E_LONG] = { "MSH-2", "more than five encoding characters" },
        [V2_DELIMS_E_UNUSABLE] = { "MSH-2",
                                   "an encoding character is a letter, a digit, a space "
                                   "or no printable ASCII" },
        [V2_DELIMS_E_SAME] = { "MSH-2", "two delimiters are the same character" },
    };
    *place = errors[error].place;
    return errors[error].text;
}

bool v2_delims_doubled(struct str encoding)
{
    return encoding.n == ENCODING_MAX && encoding.p[2] == encoding.p[3];
}

int v2_delims_read(struct str header, struct v2_delims *out)
{
    if (!header_name(header)) {
        return V2_DELIMS_E_NAME;
    }
    if (header.n <= HEADER_NAME || !v2_delims_usable(header.p[HEADER_NAME])) {
        return V2_DELIMS_E_FIELD;
    }
    char field = header.p[HEADER_NAME];

    size_t n = HEADER_NAME + 1;
    while (n < header.n && header.p[n] != field && header.p[n] != '\r' && header.p[n] != '\n') {
        n++;
    }
    struct str declared = str_slice(header, HEADER_NAME + 1, n);
    char single[ENCODING_MAX];
    if (v2_delims_doubled(declared)) {
        memcpy(single, declared.p, 3);
        single[3] = declared.p[4];
        declared = str_of(single, ENCODING_MAX - 1);
    }
    char list[ENCODING_MAX];
    if (declared.n == 0 || declared.n > ENCODING_MAX) {
        return declared.n ? V2_DELIMS_E_LONG : V2_DELIMS_E_MISSING;
    }
    int r = fill(field, declared, list);
    if (r) {
        return r;
    }
    *out = (struct v2_delims){
        .field = field,
        .component = list[0],
        .repetition = list[1],
        .escape = list[2],
        .subcomponent = list[3],
        .truncation = list[4],
    };
    return 0;
}
