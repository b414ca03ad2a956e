/*
 * UTF-8 to other character sets.
 *
 * What the first set has is written in it. Of the others those that ISO 2022 puts into G0 are
 * switched to and left again before the next ASCII character, so that no delimiter ever stands
 * in another set.
 */
#include "fhir/v2/charset_impl.h"

#include "fhir/base/utf8.h"

#include <errno.h>

/* Sets that a sequence puts into G0, in the order they are tried. */
static const struct {
    enum v2_charset charset;
    struct str sequence;
} switched[] = {
    { V2_CHARSET_IR87, STR_INIT("\x1b$B") },
    { V2_CHARSET_IR159, STR_INIT("\x1b$(D") },
    { V2_CHARSET_IR13, STR_INIT("\x1b(I") },
};

/* @now: the set in G0; V2_CHARSET_ASCII at first */
struct encoder {
    const struct v2_charsets *to;
    enum v2_charset now;
    char *out;
    size_t n;
    int replaced;
};

static void put(struct encoder *e, struct str bytes)
{
    memcpy(e->out + e->n, bytes.p, bytes.n);
    e->n += bytes.n;
}

/* The two bytes of @point in @plane; false if it hasn't got it. */
static bool plane_bytes(const struct v2_charset_plane *plane, uint32_t point, char out[2])
{
    size_t low = 0;
    size_t high = plane->defined;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        size_t cell = plane->order[middle];
        if (plane->points[cell] == point) {
            out[0] = (char)(plane->lead + cell / plane->trails);
            out[1] = (char)(plane->trail + cell % plane->trails);
            return true;
        }
        low = point > plane->points[cell] ? middle + 1 : low;
        high = point > plane->points[cell] ? high : middle;
    }
    return false;
}

/* Four bytes of GB 18030. */
static bool gb_bytes(uint32_t point, char out[4])
{
    uint32_t linear = point >= 0x10000 ? 189000 + point - 0x10000 : UINT32_MAX;
    for (size_t i = 0; i < V2_CHARSET_GB_RANGES && linear == UINT32_MAX; i++) {
        const struct v2_charset_range *range = &v2_charset_gb_ranges[i];
        if (point >= range->point && point - range->point < range->count) {
            linear = range->linear + point - range->point;
        }
    }
    if (linear == UINT32_MAX) {
        return false;
    }
    out[3] = (char)('0' + linear % 10);
    out[2] = (char)(0x81 + linear / 10 % 126);
    out[1] = (char)('0' + linear / 1260 % 10);
    out[0] = (char)(0x81 + linear / 12600);
    return true;
}

static size_t table_byte(const uint16_t *points, size_t n, int first, uint32_t point, char *out)
{
    for (size_t i = 0; i < n; i++) {
        if (points[i] == point) {
            *out = (char)(first + (int)i);
            return 1;
        }
    }
    return 0;
}

/* @point in a set that needs no switching; how many bytes, 0: it hasn't got it. */
static size_t base_bytes(enum v2_charset set, uint32_t point, char out[4])
{
    const struct v2_charset_plane *plane = charset_plane(set);
    bool kana = point >= CHARSET_KATAKANA && point < CHARSET_KATAKANA + 63;
    if (set == V2_CHARSET_UTF8) {
        return utf8_encode(point, out);
    }
    if (set >= V2_CHARSET_8859_1) {
        return table_byte(v2_charset_tables[set - V2_CHARSET_8859_1], V2_CHARSET_UPPER, 0xa0,
                          point, out);
    }
    if (set == V2_CHARSET_1252) {
        size_t n = table_byte(v2_charset_1252, ARRAY_LEN(v2_charset_1252), 0x80, point, out);
        return n ? n : table_byte(v2_charset_tables[0], V2_CHARSET_UPPER, 0xa0, point, out);
    }
    if ((set == V2_CHARSET_IR13 || set == V2_CHARSET_IR14) && kana) {
        out[0] = (char)(point - CHARSET_KATAKANA + CHARSET_KATAKANA_FIRST);
        return 1;
    }
    if (set >= V2_CHARSET_KSX1001 && plane && plane_bytes(plane, point, out)) {
        return 2;
    }
    return set == V2_CHARSET_GB18030 && gb_bytes(point, out) ? 4 : 0;
}

static size_t switched_bytes(enum v2_charset set, uint32_t point, char out[4])
{
    if (set == V2_CHARSET_IR13) {
        size_t n = base_bytes(set, point, out);
        out[0] = (char)(out[0] & 0x7f);
        return n;
    }
    return plane_bytes(charset_plane(set), point, out) ? 2 : 0;
}

static void back_to_ascii(struct encoder *e)
{
    if (e->now != V2_CHARSET_ASCII) {
        put(e, STR("\x1b(B"));
    }
    e->now = V2_CHARSET_ASCII;
}

/* @point in a set that is switched to; false if none has it. */
static bool put_switched(struct encoder *e, uint32_t point)
{
    uint32_t sets = e->to->others | 1u << e->to->first;
    char bytes[4] = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(switched); i++) {
        size_t n = sets >> switched[i].charset & 1
                       ? switched_bytes(switched[i].charset, point, bytes)
                       : 0;
        if (n && e->now != switched[i].charset) {
            put(e, switched[i].sequence);
            e->now = switched[i].charset;
        }
        if (n) {
            put(e, str_of(bytes, n));
            return true;
        }
    }
    return false;
}

static void put_point(struct encoder *e, uint32_t point)
{
    char bytes[4] = { (char)point };
    size_t n = point < 0x80 ? 1 : base_bytes(e->to->first, point, bytes);
    if (n == 0 && put_switched(e, point)) {
        return;
    }
    back_to_ascii(e);
    if (n == 0) {
        e->replaced++;
    }
    put(e, n ? str_of(bytes, n) : STR("?"));
}

int v2_from_utf8(struct arena *arena, const struct v2_charsets *to, struct str in,
                 struct str *out)
{
    if (to->first == V2_CHARSET_UTF8 || charset_plain_length(in) == in.n) {
        *out = in;
        return 0;
    }
    /* An ASCII character may need a sequence of three before it, others of four and two bytes.
     */
    char *text = in.n <= V2_MESSAGE_MAX ? arena_alloc(arena, in.n * 4 + 8) : NULL;
    if (!text) {
        return -ENOMEM;
    }
    struct encoder e = { .to = to, .now = V2_CHARSET_ASCII, .out = text };
    while (in.n) {
        put_point(&e, utf8_next(&in));
    }
    back_to_ascii(&e);
    *out = str_of(text, e.n);
    return e.replaced;
}
