/*
 * Character sets.
 *
 * Sets of one byte a character are a table of 96 code points each, generated; all have ASCII
 * as their lower half, so delimiters are found before and after conversion alike. A message
 * that is UTF-8 already, as nearly all are, is checked and shared.
 */
#include "fhir/v2/charset.h"

#include "fhir/base/utf8.h"
#include "v2_charset_tables.h"

#include <errno.h>

static const struct {
    struct str name;
    enum v2_charset charset;
} names[] = {
    { { "", 0 }, V2_CHARSET_NONE },
    { { "ASCII", 5 }, V2_CHARSET_ASCII },
    { { "US-ASCII", 8 }, V2_CHARSET_ASCII },
    { { "ISO IR6", 7 }, V2_CHARSET_ASCII },
    { { "UNICODE UTF-8", 13 }, V2_CHARSET_UTF8 },
    { { "UTF-8", 5 }, V2_CHARSET_UTF8 },
    { { "UTF8", 4 }, V2_CHARSET_UTF8 },
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_name(struct str a, struct str b)
{
    if (a.n != b.n) {
        return false;
    }
    for (size_t i = 0; i < a.n; i++) {
        if (lower(a.p[i]) != lower(b.p[i])) {
            return false;
        }
    }
    return true;
}

/* The part in "8859/1", "ISO-8859-15", "ISO 8859-2", "ISO8859_1"; 0 if it is none of these. */
static int part_8859(struct str name)
{
    if (name.n > 3 && same_name(str_slice(name, 0, 3), STR("ISO"))) {
        name = str_slice(name, 3, name.n);
        if (name.p[0] == '-' || name.p[0] == ' ' || name.p[0] == '_') {
            name = str_slice(name, 1, name.n);
        }
    }
    if (!str_starts(name, STR("8859")) || name.n < 6 || name.n > 7 ||
        (name.p[4] != '/' && name.p[4] != '-' && name.p[4] != '_')) {
        return 0;
    }
    int part = 0;
    for (size_t i = 5; i < name.n; i++) {
        if (name.p[i] < '0' || name.p[i] > '9') {
            return 0;
        }
        part = part * 10 + (name.p[i] - '0');
    }
    return part <= V2_CHARSET_PARTS && part != 12 ? part : 0;
}

enum v2_charset v2_charset_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (same_name(name, names[i].name)) {
            return names[i].charset;
        }
    }
    int part = part_8859(name);
    return part ? (enum v2_charset)(V2_CHARSET_8859_1 + part - 1) : V2_CHARSET_OTHER;
}

/* Bytes at the front of @text that are ASCII, eight at a time. */
static size_t ascii_length(struct str text)
{
    size_t i = 0;
    for (; i + 8 <= text.n; i += 8) {
        uint64_t word;
        memcpy(&word, text.p + i, sizeof(word));
        if (word & 0x8080808080808080u) {
            break;
        }
    }
    while (i < text.n && (unsigned char)text.p[i] < 0x80) {
        i++;
    }
    return i;
}

/* @point, which is below U+10000, as UTF-8; returns its length. */
static size_t encode(uint32_t point, char *out)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | point >> 12);
    out[1] = (char)(0x80 | (point >> 6 & 0x3f));
    out[2] = (char)(0x80 | (point & 0x3f));
    return 3;
}

enum {
    REPLACEMENT = 0xfffd,
    GROWTH = 3, /* bytes that one byte may become */
};

static uint32_t point_8859(enum v2_charset charset, unsigned char byte)
{
    return byte < 0xa0 ? byte : v2_charset_tables[charset - V2_CHARSET_8859_1][byte - 0xa0];
}

/* One byte a character. */
static size_t convert_bytes(enum v2_charset charset, struct str in, char *out, int *replaced)
{
    size_t n = 0;
    for (size_t i = 0; i < in.n; i++) {
        unsigned char byte = (unsigned char)in.p[i];
        uint32_t point = REPLACEMENT;
        if (byte < 0x80) {
            point = byte;
        } else if (charset >= V2_CHARSET_8859_1) {
            point = point_8859(charset, byte);
        }
        n += encode(point, out + n);
        *replaced += point == REPLACEMENT;
    }
    return n;
}

/* What is well-formed stays, each other byte is replaced. */
static size_t mend_utf8(struct str in, char *out, int *replaced)
{
    size_t n = 0;
    while (in.n) {
        size_t good = utf8_span(in);
        memcpy(out + n, in.p, good);
        n += good;
        if (good < in.n) {
            n += encode(REPLACEMENT, out + n);
            (*replaced)++;
            good++;
        }
        in = str_slice(in, good, in.n);
    }
    return n;
}

int v2_to_utf8(struct arena *arena, enum v2_charset charset, struct str in, struct str *out)
{
    if (ascii_length(in) == in.n || (charset == V2_CHARSET_UTF8 && utf8_valid(in))) {
        *out = in;
        return 0;
    }
    char *text = in.n <= V2_MESSAGE_MAX ? arena_alloc(arena, in.n * GROWTH) : NULL;
    if (!text) {
        return -ENOMEM;
    }
    int replaced = 0;
    size_t n = charset == V2_CHARSET_UTF8 ? mend_utf8(in, text, &replaced)
                                          : convert_bytes(charset, in, text, &replaced);
    *out = str_of(text, n);
    return replaced;
}

/* What to read the message in; never NONE or OTHER. */
static enum v2_charset choose(const struct v2_message *message, enum v2_charset fallback,
                              struct issues *issues)
{
    struct v2_header header;
    v2_header(message, &header);
    if (fallback <= V2_CHARSET_OTHER) {
        fallback = V2_CHARSET_UTF8;
    }
    enum v2_charset said = v2_charset_find(header.charset);
    if (said == V2_CHARSET_OTHER) {
        issues_add(issues, ISSUE_ERROR, "not-supported", STR("MSH-18"),
                   "this character set can't be read");
        return fallback;
    }
    if (said == V2_CHARSET_ASCII) {
        issues_add(issues, ISSUE_WARNING, "value", STR("MSH-18"),
                   "says ASCII, but other bytes follow");
        return fallback;
    }
    if (said == V2_CHARSET_NONE) {
        /* What happens to be UTF-8 beyond ASCII is hardly ever anything else. */
        return utf8_valid(message->text) ? V2_CHARSET_UTF8 : fallback;
    }
    return said;
}

int v2_message_utf8(struct arena *arena, const struct v2_message *message,
                    enum v2_charset fallback, struct issues *issues, struct v2_message *out)
{
    if (ascii_length(message->text) == message->text.n) {
        *out = *message;
        return 0;
    }
    enum v2_charset charset = choose(message, fallback, issues);
    struct str text;
    int replaced = v2_to_utf8(arena, charset, message->text, &text);
    if (replaced < 0) {
        return replaced;
    }
    if (replaced > 0) {
        issues_add(issues, ISSUE_WARNING, "value", STR("message"),
                   "%d bytes are not in the message's character set and were replaced",
                   replaced);
    }
    if (text.p == message->text.p) {
        *out = *message;
        return 0;
    }

    /* Tolerated things were reported when the original was parsed. */
    struct issues again;
    issues_init(&again, arena);
    int r = v2_parse(arena, text, &again, out);
    return r > 0 ? -ENOMEM : r; /* too long after conversion is all that can be new */
}
