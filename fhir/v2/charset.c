/*
 * Character sets of messages: which one a message is in, and the same message in UTF-8.
 *
 * All sets have ASCII as their lower half, so the header tells the set before anything is
 * converted. In some of them (GB 18030, Big5, the sets that ISO 2022 switches to) a byte of a
 * character may look like a delimiter: so the text is converted first and split then. (One that
 * looks like a field separator and stands before MSH-18 hides it: there the operator's choice
 * helps.) A message that is UTF-8 already, as nearly all are, is checked and shared.
 */
#include "fhir/v2/charset_impl.h"

#include "fhir/base/utf8.h"

#include <errno.h>

static const struct {
    struct str name;
    enum v2_charset charset;
} names[] = {
    { STR_INIT(""), V2_CHARSET_NONE },
    { STR_INIT("ASCII"), V2_CHARSET_ASCII },
    { STR_INIT("US-ASCII"), V2_CHARSET_ASCII },
    { STR_INIT("ISO IR6"), V2_CHARSET_ASCII },
    { STR_INIT("UNICODE"), V2_CHARSET_UTF8 }, /* withdrawn: its form was left open */
    { STR_INIT("UNICODE UTF-8"), V2_CHARSET_UTF8 },
    { STR_INIT("UTF-8"), V2_CHARSET_UTF8 },
    { STR_INIT("UTF8"), V2_CHARSET_UTF8 },
    { STR_INIT("UNICODE UTF-16"), V2_CHARSET_UTF16 },
    { STR_INIT("UTF-16"), V2_CHARSET_UTF16 },
    { STR_INIT("UNICODE UTF-32"), V2_CHARSET_UTF32 },
    { STR_INIT("UTF-32"), V2_CHARSET_UTF32 },
    { STR_INIT("ISO IR13"), V2_CHARSET_IR13 },
    { STR_INIT("ISO IR14"), V2_CHARSET_IR14 },
    { STR_INIT("ISO IR87"), V2_CHARSET_IR87 },
    { STR_INIT("ISO IR159"), V2_CHARSET_IR159 },
    { STR_INIT("KS X 1001"), V2_CHARSET_KSX1001 },
    { STR_INIT("GB 18030-2000"), V2_CHARSET_GB18030 },
    { STR_INIT("GB18030"), V2_CHARSET_GB18030 },
    { STR_INIT("BIG-5"), V2_CHARSET_BIG5 },
    { STR_INIT("BIG5"), V2_CHARSET_BIG5 },
    { STR_INIT("WINDOWS-1252"), V2_CHARSET_1252 },
    { STR_INIT("CP1252"), V2_CHARSET_1252 },
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

void v2_charsets_read(struct str field, char repetition, struct v2_charsets *out)
{
    struct v2_charsets sets = { .first = v2_charset_find(str_cut(&field, repetition)) };
    while (field.n) {
        sets.others |= 1u << v2_charset_find(str_cut(&field, repetition));
    }
    *out = sets;
}

/* --- messages ----------------------------------------------------------------------------- */

static bool seven_bits(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/* What to read the message in; never NONE, OTHER, UTF16 or UTF32. */
static enum v2_charset choose(struct str text, enum v2_charset said, enum v2_charset fallback,
                              struct issues *issues)
{
    bool wide = said == V2_CHARSET_UTF16 || said == V2_CHARSET_UTF32;
    if (fallback <= V2_CHARSET_OTHER) {
        fallback = V2_CHARSET_UTF8;
    }
    if (said == V2_CHARSET_OTHER) {
        issues_add(issues, ISSUE_ERROR, "not-supported", STR("MSH-18"),
                   "this character set can't be read");
        return fallback;
    }
    if (wide) {
        issues_add(issues, ISSUE_WARNING, "value", STR("MSH-18"),
                   "says so, but the message isn't in it");
    }
    if (wide || said == V2_CHARSET_NONE) {
        /* What happens to be UTF-8 beyond ASCII is hardly ever anything else. */
        return utf8_valid(text) ? V2_CHARSET_UTF8 : fallback;
    }
    if (said == V2_CHARSET_ASCII && !seven_bits(text)) {
        issues_add(issues, ISSUE_WARNING, "value", STR("MSH-18"),
                   "says ASCII, but other bytes follow");
        return fallback;
    }
    return said;
}

/* Whether anything in the message may have to be converted. */
static bool plain(const struct v2_message *message, const struct v2_charsets *sets)
{
    return charset_plain_length(message->text) == message->text.n &&
           (sets->others == 0 || !message->delims.escape);
}

static void report_field(const struct v2_message *m, size_t segment, uint32_t field,
                         struct issues *issues)
{
    char text[32];
    struct buf place = buf_fixed(text, sizeof(text));
    const char *name = m->segments[segment].name;
    size_t n = 1;
    for (size_t i = v2_find(m, name, 0); i < segment && issues->count < ISSUES_MAX;
         i = v2_find(m, name, i + 1)) {
        n++;
    }
    buf_z(&place, name);
    if (n > 1) {
        buf_fmt(&place, "[%zu]", n);
    }
    buf_fmt(&place, "-%u", field);
    issues_add(issues, ISSUE_WARNING, "value", buf_str(&place),
               "has characters that are not in the message's character set; replaced");
}

/* Name each field that has U+FFFD. */
static void report_replaced(const struct v2_message *m, struct issues *issues)
{
    static const char replacement[] = "\xef\xbf\xbd";
    for (size_t i = 0; i < m->count; i++) {
        struct str text = m->segments[i].text;
        if (!memmem(text.p, text.n, replacement, 3)) {
            continue;
        }
        for (uint32_t f = 0; f <= v2_field_last(&m->segments[i]); f++) {
            struct str field = v2_field(m, &m->segments[i], f);
            if (field.n && memmem(field.p, field.n, replacement, 3)) {
                report_field(m, i, f, issues);
            }
        }
    }
}

static void report_switches(const struct charset_report *report, const struct v2_charsets *sets,
                            struct issues *issues)
{
    if (report->unknown) {
        issues_add(issues, ISSUE_ERROR, "not-supported", STR("MSH-18"),
                   "%zu switches to character sets that can't be read", report->unknown);
    }
    if (report->switches && sets->others == 0 && sets->first != V2_CHARSET_IR87 &&
        sets->first != V2_CHARSET_IR159) {
        issues_add(issues, ISSUE_WARNING, "value", STR("MSH-18"),
                   "doesn't name the character sets that are switched to");
    }
}

int v2_message_utf8(struct arena *arena, const struct v2_message *message,
                    enum v2_charset fallback, struct issues *issues, struct v2_message *out)
{
    struct v2_charsets sets;
    v2_charsets_read(v2_field(message, &message->segments[0], 18), message->delims.repetition,
                     &sets);
    if (plain(message, &sets)) {
        *out = *message;
        return 0;
    }
    struct str in = message->text;
    enum v2_charset charset = choose(in, sets.first, fallback, issues);
    if (charset == V2_CHARSET_UTF8 && sets.others == 0 && utf8_valid(in) &&
        !memchr(in.p, CHARSET_ESC, in.n)) {
        *out = *message;
        return 0;
    }

    struct charset_report report;
    char *text = arena_alloc(arena, in.n * 3);
    if (!text) {
        return -ENOMEM;
    }
    size_t n =
        charset_decode(charset, sets.others ? message->delims.escape : '\0', in, text, &report);
    /* Tolerated things were reported when the original was parsed. */
    struct issues again;
    issues_init(&again, arena);
    int r = v2_parse(arena, str_of(text, n), &again, out);
    if (r == 0) {
        report_switches(&report, &sets, issues);
        if (report.replaced) {
            report_replaced(out, issues);
        }
    }
    return r > 0 ? -ENOMEM : r; /* too long after conversion is all that can be new */
}
