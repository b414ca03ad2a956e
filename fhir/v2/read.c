/*
 * One way to read a message for everybody who needs what it says.
 *
 * Parsing finds delimiters as bytes; so text of two or four bytes a character becomes UTF-8
 * before it, that of other sets after it, when the header has told which.
 */
#include "fhir/v2/read.h"

#include "fhir/base/utf8.h"
#include "fhir/v2/continuation.h"

#include <errno.h>

/* How a wide text begins. @skip: its mark */
static const struct {
    struct str begin;
    size_t skip;
    int bytes;
    bool little;
    const char *name;
} forms[] = {
    { STR_INIT("\0\0\xfe\xff"), 4, 4, false, "UTF-32" },
    { STR_INIT("\xff\xfe\0\0"), 4, 4, true, "UTF-32" },
    { STR_INIT("\0\0\0M\0\0\0S"), 0, 4, false, "UTF-32" },
    { STR_INIT("M\0\0\0S\0\0\0"), 0, 4, true, "UTF-32" },
    { STR_INIT("\xfe\xff"), 2, 2, false, "UTF-16" },
    { STR_INIT("\xff\xfe"), 2, 2, true, "UTF-16" },
    { STR_INIT("\0M\0S\0H"), 0, 2, false, "UTF-16" },
    { STR_INIT("M\0S\0H\0"), 0, 2, true, "UTF-16" },
};

/* The number in the first @bytes of @text. */
static uint32_t unit(struct str text, int bytes, bool little)
{
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++) {
        int at = little ? bytes - 1 - i : i;
        value = value << 8 | (unsigned char)text.p[at];
    }
    return value;
}

/* The next character off @rest, which has one unit at least. */
static uint32_t next_point(struct str *rest, int bytes, bool little)
{
    const uint32_t wrong = 0xfffd;
    size_t width = (size_t)bytes;
    uint32_t point = unit(*rest, bytes, little);
    *rest = str_slice(*rest, width, rest->n);
    if (point < 0xd800 || (point > 0xdfff && point <= 0x10ffff)) {
        return point;
    }
    if (bytes == 4 || point > 0xdbff || rest->n < width) {
        return wrong;
    }
    uint32_t low = unit(*rest, bytes, little);
    if (low < 0xdc00 || low > 0xdfff) {
        return wrong;
    }
    *rest = str_slice(*rest, width, rest->n);
    return 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
}

/* @text in UTF-8 if it is in UTF-16 or UTF-32, else as it is. */
static int unwiden(struct arena *arena, struct str text, struct issues *issues, struct str *out)
{
    size_t form = 0;
    while (form < ARRAY_LEN(forms) && !str_starts(text, forms[form].begin)) {
        form++;
    }
    *out = text;
    if (form == ARRAY_LEN(forms) || text.n > V2_MESSAGE_MAX) {
        return 0;
    }
    size_t width = (size_t)forms[form].bytes;
    struct str rest = str_slice(text, forms[form].skip, text.n);
    char *room = arena_alloc(arena, rest.n / width * UTF8_LENGTH_MAX + 1);
    if (!room) {
        return -ENOMEM;
    }
    size_t n = 0;
    while (rest.n >= width) {
        n += utf8_encode(next_point(&rest, forms[form].bytes, forms[form].little), room + n);
    }
    issues_add(issues, ISSUE_WARNING, "structure", STR("message"),
               "sent in %s; read all the same%s", forms[form].name,
               rest.n ? ", but for half a character at its end" : "");
    *out = str_of(room, n);
    return 0;
}

int v2_read(struct arena *arena, struct str text, enum v2_charset fallback,
            struct issues *issues, struct v2_message *out)
{
    struct v2_message raw;
    struct v2_message utf8;
    struct str narrow;
    int r = unwiden(arena, text, issues, &narrow);
    r = r ? r : v2_parse(arena, narrow, issues, &raw);
    if (r == 0 && narrow.p != text.p) {
        utf8 = raw; /* whatever MSH-18 says */
    } else if (r == 0) {
        r = v2_message_utf8(arena, &raw, fallback, issues, &utf8);
    }
    return r ? r : v2_join_additions(arena, &utf8, issues, out);
}
