/*
 * Character sets to UTF-8.
 *
 * One loop for all: bytes of seven bits are in G0, which is ASCII until an escape sequence of
 * ISO 2022 puts another set there; those of eight bits are in G1, which is what the message's
 * own set says until one puts something there. The end of a segment undoes all switches, so
 * that a sender who forgets to switch back spoils one segment, not the message.
 *
 * \C2842\ and \M2442\ of HL7 2.3 are escape sequences in hexadecimal digits and do the same.
 */
#include "fhir/v2/charset_impl.h"

#include "crypto/base/hex.h"
#include "fhir/base/utf8.h"

#include <errno.h>

enum set_kind {
    SET_ASCII,
    SET_KATAKANA,
    SET_PART,  /* upper half of a part of ISO 8859 */
    SET_PLANE, /* two bytes */
    SET_BASE,  /* G1 alone: whatever the message's own set says */
};

/* @add: to each byte of seven bits, to find it in the plane */
struct set {
    enum set_kind kind;
    int part;
    const struct v2_charset_plane *plane;
    int add;
};

struct decoder {
    enum v2_charset base;
    char escape;
    struct set g0;
    struct set g1;
    char *out;
    size_t n;
    struct charset_report *report;
};

/* What follows ESC, and the set it puts where. */
static const struct {
    struct str sequence;
    bool right; /* into G1 */
    struct set set;
} designations[] = {
    { STR_INIT("(B"), false, { SET_ASCII, 0, NULL, 0 } },
    { STR_INIT("(J"), false, { SET_ASCII, 0, NULL, 0 } },
    { STR_INIT("(I"), false, { SET_KATAKANA, 0, NULL, 0 } },
    { STR_INIT(")I"), true, { SET_KATAKANA, 0, NULL, 0 } },
    { STR_INIT("$@"), false, { SET_PLANE, 0, &v2_charset_jis0208, 0 } },
    { STR_INIT("$B"), false, { SET_PLANE, 0, &v2_charset_jis0208, 0 } },
    { STR_INIT("$(B"), false, { SET_PLANE, 0, &v2_charset_jis0208, 0 } },
    { STR_INIT("$(D"), false, { SET_PLANE, 0, &v2_charset_jis0212, 0 } },
    { STR_INIT("$)C"), true, { SET_PLANE, 0, &v2_charset_ksx1001, 0x80 } },
    { STR_INIT("$(C"), false, { SET_PLANE, 0, &v2_charset_ksx1001, 0x80 } },
    { STR_INIT("$)A"), true, { SET_PLANE, 0, &v2_charset_gb18030, 0x80 } },
    { STR_INIT("$A"), false, { SET_PLANE, 0, &v2_charset_gb18030, 0x80 } },
    { STR_INIT("-A"), true, { SET_PART, 1, NULL, 0 } },
    { STR_INIT("-B"), true, { SET_PART, 2, NULL, 0 } },
    { STR_INIT("-C"), true, { SET_PART, 3, NULL, 0 } },
    { STR_INIT("-D"), true, { SET_PART, 4, NULL, 0 } },
    { STR_INIT("-L"), true, { SET_PART, 5, NULL, 0 } },
    { STR_INIT("-G"), true, { SET_PART, 6, NULL, 0 } },
    { STR_INIT("-F"), true, { SET_PART, 7, NULL, 0 } },
    { STR_INIT("-H"), true, { SET_PART, 8, NULL, 0 } },
    { STR_INIT("-M"), true, { SET_PART, 9, NULL, 0 } },
    { STR_INIT("-V"), true, { SET_PART, 10, NULL, 0 } },
    { STR_INIT("-T"), true, { SET_PART, 11, NULL, 0 } },
    { STR_INIT("-Y"), true, { SET_PART, 13, NULL, 0 } },
    { STR_INIT("-_"), true, { SET_PART, 14, NULL, 0 } },
    { STR_INIT("-b"), true, { SET_PART, 15, NULL, 0 } },
    { STR_INIT("-f"), true, { SET_PART, 16, NULL, 0 } },
};

static void put(struct decoder *d, uint32_t point)
{
    d->n += utf8_encode(point, d->out + d->n);
    d->report->replaced += point == CHARSET_REPLACEMENT;
}

static unsigned char byte_at(struct str in, size_t i)
{
    return i < in.n ? (unsigned char)in.p[i] : 0;
}

static void reset(struct decoder *d)
{
    d->g0 = (struct set){ .kind = SET_ASCII };
    d->g1 = (struct set){ .kind = SET_BASE };
}

/* --- sets --------------------------------------------------------------------------------- */

static uint32_t plane_point(const struct v2_charset_plane *plane, int lead, int trail)
{
    int row = lead - plane->lead;
    int column = trail - plane->trail;
    if (row < 0 || row >= plane->leads || column < 0 || column >= plane->trails) {
        return CHARSET_REPLACEMENT;
    }
    return plane->points[row * plane->trails + column];
}

static uint32_t katakana(int byte)
{
    bool has = byte >= CHARSET_KATAKANA_FIRST && byte <= CHARSET_KATAKANA_LAST;
    return has ? (uint32_t)(CHARSET_KATAKANA + byte - CHARSET_KATAKANA_FIRST)
               : (uint32_t)CHARSET_REPLACEMENT;
}

static uint32_t part_point(int part, int byte)
{
    return byte < 0xa0 ? (uint32_t)byte : v2_charset_tables[part - 1][byte - 0xa0];
}

/* A character of a switched set at the front of @in; returns the bytes it takes. */
static size_t take_set(struct decoder *d, const struct set *set, struct str in)
{
    int first = byte_at(in, 0) & 0x7f;
    int second = byte_at(in, 1) & 0x7f;
    switch (set->kind) {
    case SET_KATAKANA: put(d, katakana(first | 0x80)); return 1;
    case SET_PART: put(d, part_point(set->part, first | 0x80)); return 1;
    case SET_PLANE:
        if (second <= ' ') { /* the text or the segment ends in the middle of it */
            put(d, CHARSET_REPLACEMENT);
            return 1;
        }
        put(d, plane_point(set->plane, first + set->add, second + set->add));
        return 2;
    case SET_ASCII:
    case SET_BASE: break;
    }
    put(d, (uint32_t)first);
    return 1;
}

/* --- what the message's own set makes of bytes of eight bits -------------------------------
 */

static bool is_digit(unsigned char byte)
{
    return byte >= '0' && byte <= '9';
}

/* The code point of four bytes of GB 18030. */
static uint32_t gb_point(struct str in)
{
    const unsigned char *b = (const unsigned char *)in.p;
    uint32_t linear = ((b[0] - 0x81u) * 10 + (b[1] - '0')) * 1260;
    linear += (b[2] - 0x81u) * 10 + (b[3] - '0');
    if (linear >= 189000) { /* 0x90308130: U+10000 */
        uint32_t point = 0x10000 + linear - 189000;
        return point <= 0x10ffff ? point : (uint32_t)CHARSET_REPLACEMENT;
    }
    for (size_t i = 0; i < V2_CHARSET_GB_RANGES; i++) {
        const struct v2_charset_range *range = &v2_charset_gb_ranges[i];
        if (linear >= range->linear && linear - range->linear < range->count) {
            return range->point + linear - range->linear;
        }
    }
    return CHARSET_REPLACEMENT;
}

static size_t take_double(struct decoder *d, struct str in)
{
    if (d->base == V2_CHARSET_GB18030 && in.n >= 4 && is_digit(byte_at(in, 1)) &&
        byte_at(in, 0) >= 0x81 && byte_at(in, 2) >= 0x81 && is_digit(byte_at(in, 3))) {
        put(d, gb_point(in));
        return 4;
    }
    uint32_t point = plane_point(charset_plane(d->base), byte_at(in, 0), byte_at(in, 1));
    put(d, point);
    return point == CHARSET_REPLACEMENT && byte_at(in, 1) < 0x80 ? 1 : 2;
}

static size_t take_utf8(struct decoder *d, struct str in)
{
    size_t good = utf8_span(str_slice(in, 0, UTF8_LENGTH_MAX));
    if (good == 0) {
        put(d, CHARSET_REPLACEMENT);
        return 1;
    }
    struct str rest = in;
    uint32_t point = utf8_next(&rest);
    d->n += utf8_encode(point, d->out + d->n);
    return in.n - rest.n;
}

static size_t take_base(struct decoder *d, struct str in)
{
    int byte = byte_at(in, 0);
    if (d->base == V2_CHARSET_UTF8) {
        return take_utf8(d, in);
    }
    if (charset_plane(d->base) && d->base >= V2_CHARSET_KSX1001) {
        return take_double(d, in);
    }
    if (d->base >= V2_CHARSET_8859_1) {
        put(d, part_point((int)d->base - V2_CHARSET_8859_1 + 1, byte));
    } else if (d->base == V2_CHARSET_1252) {
        put(d, byte < 0xa0 ? v2_charset_1252[byte - 0x80] : part_point(1, byte));
    } else if (d->base == V2_CHARSET_IR13 || d->base == V2_CHARSET_IR14) {
        put(d, katakana(byte));
    } else {
        put(d, CHARSET_REPLACEMENT);
    }
    return 1;
}

/* --- switching ---------------------------------------------------------------------------- */

/* The designation that @sequence begins with, or -1. */
static int find_designation(struct str sequence)
{
    for (size_t i = 0; i < ARRAY_LEN(designations); i++) {
        if (str_starts(sequence, designations[i].sequence)) {
            return (int)i;
        }
    }
    return -1;
}

static void designate(struct decoder *d, int i)
{
    *(designations[i].right ? &d->g1 : &d->g0) = designations[i].set;
    d->report->switches += designations[i].set.kind != SET_ASCII;
}

static size_t take_escape(struct decoder *d, struct str in)
{
    int i = find_designation(str_slice(in, 1, in.n));
    if (i < 0) {
        d->report->unknown++;
        put(d, CHARSET_REPLACEMENT);
        return 1;
    }
    designate(d, i);
    return 1 + designations[i].sequence.n;
}

/* "\C2842\" or "\M242844\" at the front of @in; 0 if it isn't one. */
static size_t take_hl7(struct decoder *d, struct str in)
{
    uint8_t bytes[3];
    if (in.n < 7 || in.p[0] != d->escape || (in.p[1] != 'C' && in.p[1] != 'M')) {
        return 0;
    }
    for (size_t n = 2; n <= sizeof(bytes); n++) {
        size_t end = 2 + 2 * n;
        if (end >= in.n || in.p[end] != d->escape ||
            hex_decode(str_slice(in, 2, end), bytes, n) < 0) {
            continue;
        }
        int i = find_designation(str_of(bytes, n));
        if (i >= 0 && designations[i].sequence.n == n) {
            designate(d, i);
            return end + 1;
        }
    }
    return 0;
}

/* Take one character, or one switch, off the front of @in; returns the bytes it takes. */
static size_t take(struct decoder *d, struct str in)
{
    unsigned char byte = byte_at(in, 0);
    if (byte == CHARSET_ESC) {
        return take_escape(d, in);
    }
    size_t n = d->escape && byte == (unsigned char)d->escape ? take_hl7(d, in) : 0;
    if (n) {
        return n;
    }
    if (byte >= 0x80) {
        return d->g1.kind == SET_BASE ? take_base(d, in) : take_set(d, &d->g1, in);
    }
    if (d->g0.kind != SET_ASCII && byte > ' ' && byte < 0x7f) {
        return take_set(d, &d->g0, in);
    }
    if (byte == '\r') {
        reset(d);
    }
    d->out[d->n++] = (char)byte;
    return 1;
}

size_t charset_decode(enum v2_charset base, char escape, struct str in, char *out,
                      struct charset_report *report)
{
    struct decoder d = { .base = base, .escape = escape, .out = out, .report = report };
    *report = (struct charset_report){ .replaced = 0 };
    reset(&d);
    while (in.n) {
        in = str_slice(in, take(&d, in), in.n);
    }
    return d.n;
}

/* --- one text ----------------------------------------------------------------------------- */

const struct v2_charset_plane *charset_plane(enum v2_charset charset)
{
    static const struct v2_charset_plane *const planes[V2_CHARSETS] = {
        [V2_CHARSET_IR87] = &v2_charset_jis0208,    [V2_CHARSET_IR159] = &v2_charset_jis0212,
        [V2_CHARSET_KSX1001] = &v2_charset_ksx1001, [V2_CHARSET_GB18030] = &v2_charset_gb18030,
        [V2_CHARSET_BIG5] = &v2_charset_big5,
    };
    return planes[charset];
}

size_t charset_plain_length(struct str text)
{
    const char *esc = text.n ? memchr(text.p, CHARSET_ESC, text.n) : NULL;
    size_t n = esc ? (size_t)(esc - text.p) : text.n;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t word;
        memcpy(&word, text.p + i, sizeof(word));
        if (word & 0x8080808080808080u) {
            break;
        }
    }
    while (i < n && (unsigned char)text.p[i] < 0x80) {
        i++;
    }
    return i;
}

int v2_to_utf8(struct arena *arena, enum v2_charset charset, struct str in, struct str *out)
{
    size_t plain = charset_plain_length(in);
    if (plain == in.n ||
        (charset == V2_CHARSET_UTF8 && utf8_valid(in) && !memchr(in.p, CHARSET_ESC, in.n))) {
        *out = in;
        return 0;
    }
    struct charset_report report;
    char *text = in.n <= V2_MESSAGE_MAX ? arena_alloc(arena, in.n * 3) : NULL;
    if (!text) {
        return -ENOMEM;
    }
    *out = str_of(text, charset_decode(charset, '\0', in, text, &report));
    return (int)report.replaced;
}
