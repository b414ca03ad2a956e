/* encode(), decode(), escape(), unescape(). */
#include "crypto/base/base64.h"
#include "crypto/base/hex.h"
#include "fhir/base/utf8.h"
#include "fhir/format/json_write.h"
#include "fhir/path/functions.h"

#include <errno.h>

enum {
    GROWTH = 8,      /* how much longer a text may become: < as &lt;, \u0000 */
    ENTITY_MAX = 12, /* bytes of &name; */
    ASCII_END = 0x80,
};

/* Write @in, told another way, on @out; false if that can't be done. */
typedef bool (*change_fn)(struct str in, struct buf *out);

struct change {
    const char *name;
    change_fn run;
};

/* --- encodings ---------------------------------------------------------------------------- */

static bool encode_hex(struct str in, struct buf *out)
{
    buf_hex(out, in.p, in.n);
    return true;
}

static bool encode_base64(struct str in, struct buf *out)
{
    base64_put(out, BASE64_USUAL, in.p, in.n);
    return true;
}

/* FHIRPath pads this form too. */
static bool encode_urlbase64(struct str in, struct buf *out)
{
    size_t before = out->n;
    base64_put(out, BASE64_URL, in.p, in.n);
    while ((out->n - before) % 4 && !buf_failed(out)) {
        buf_c(out, '=');
    }
    return true;
}

static bool encode_ascii(struct str in, struct buf *out)
{
    while (in.n) {
        uint32_t point = utf8_next(&in);
        buf_c(out, point < ASCII_END ? (char)point : '?');
    }
    return true;
}

static bool decode_hex(struct str in, struct buf *out)
{
    char *p = buf_extend(out, in.n / 2);
    return p && in.n % 2 == 0 && hex_decode(in, (uint8_t *)p, in.n / 2) == 0;
}

static bool decode_base64_as(enum base64_kind kind, struct str in, struct buf *out)
{
    size_t room = base64_room(in.n);
    char *p = buf_extend(out, room);
    size_t n;
    if (!p || base64_decode(kind, in, (uint8_t *)p, room, &n)) {
        return false;
    }
    out->n -= room - n;
    return true;
}

static bool decode_base64(struct str in, struct buf *out)
{
    return decode_base64_as(BASE64_USUAL, in, out);
}

static bool decode_urlbase64(struct str in, struct buf *out)
{
    for (int i = 0; i < 2 && str_ends(in, STR("=")); i++) {
        in.n--; /* at most two, as padding */
    }
    return decode_base64_as(BASE64_URL, in, out);
}

/* --- escapes ------------------------------------------------------------------------------ */

static const struct {
    char c;
    const char *entity;
} entities[] = {
    { '<', "&lt;" }, { '>', "&gt;" }, { '&', "&amp;" }, { '"', "&quot;" }, { '\'', "&#39;" },
};

static bool escape_html(struct str in, struct buf *out)
{
    for (size_t i = 0; i < in.n; i++) {
        const char *entity = NULL;
        for (size_t k = 0; k < ARRAY_LEN(entities); k++) {
            entity = entities[k].c == in.p[i] ? entities[k].entity : entity;
        }
        if (entity) {
            buf_z(out, entity);
        } else {
            buf_c(out, in.p[i]);
        }
    }
    return true;
}

/* &#38; or &#x26; as a character; 0 if it is none. */
static uint32_t numeric_entity(struct str digits)
{
    bool hex = digits.n && (digits.p[0] == 'x' || digits.p[0] == 'X');
    uint32_t base = hex ? 16 : 10;
    uint32_t point = 0;
    digits = str_slice(digits, hex, digits.n);
    for (size_t i = 0; i < digits.n; i++) {
        int digit = hex_digit(digits.p[i]);
        if (digit < 0 || digit >= (int)base) {
            return 0;
        }
        point = point * base + (uint32_t)digit;
    }
    bool surrogate = point >= 0xD800 && point < 0xE000;
    return surrogate || point > 0x10FFFF ? 0 : point;
}

/* What begins @in as an entity; how many bytes it takes, 0 if it is none. */
static size_t read_entity(struct str in, uint32_t *point)
{
    const char *end = memchr(in.p, ';', in.n < ENTITY_MAX ? in.n : ENTITY_MAX);
    size_t n = end ? (size_t)(end - in.p) + 1 : 0;
    struct str whole = str_slice(in, 0, n);
    *point = 0;
    if (str_starts(whole, STR("&#"))) {
        *point = numeric_entity(str_slice(whole, 2, n - 1));
    } else if (str_eq(whole, STR("&apos;"))) {
        *point = '\'';
    } else if (str_eq(whole, STR("&nbsp;"))) {
        *point = 0xA0;
    }
    for (size_t k = 0; k < ARRAY_LEN(entities) && n; k++) {
        if (str_eq(whole, str_z(entities[k].entity))) {
            *point = (unsigned char)entities[k].c;
        }
    }
    return *point ? n : 0;
}

static void put_point(struct buf *out, uint32_t point)
{
    char bytes[UTF8_LENGTH_MAX];
    size_t n = utf8_encode(point, bytes);
    buf_put(out, bytes, n);
}

static bool unescape_html(struct str in, struct buf *out)
{
    while (in.n) {
        uint32_t point;
        size_t n = in.p[0] == '&' ? read_entity(in, &point) : 0;
        if (n) {
            put_point(out, point);
        } else {
            buf_c(out, in.p[0]);
        }
        in = str_slice(in, n ? n : 1, in.n);
    }
    return true;
}

static bool escape_json(struct str in, struct buf *out)
{
    json_escape(out, in);
    return true;
}

/* Four hexadecimal digits; false if they aren't there. */
static bool read_unit(struct str *in, uint32_t *unit)
{
    *unit = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = i < in->n ? hex_digit(in->p[i]) : -1;
        if (digit < 0) {
            return false;
        }
        *unit = *unit * 16 + (uint32_t)digit;
    }
    *in = str_slice(*in, 4, in->n);
    return true;
}

/* \uXXXX, or a pair of them; the backslash and the u are gone. */
static bool read_unicode(struct str *in, uint32_t *point)
{
    uint32_t low;
    if (!read_unit(in, point)) {
        return false;
    }
    if (*point < 0xD800 || *point >= 0xE000) {
        return true;
    }
    if (*point >= 0xDC00 || !str_starts(*in, STR("\\u"))) {
        return false;
    }
    *in = str_slice(*in, 2, in->n);
    if (!read_unit(in, &low) || low < 0xDC00 || low >= 0xE000) {
        return false;
    }
    *point = 0x10000 + ((*point - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

static bool unescape_json(struct str in, struct buf *out)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    while (in.n) {
        char c = in.p[0];
        in = str_slice(in, 1, in.n);
        if (c != '\\') {
            buf_c(out, c);
            continue;
        }
        const char *simple = in.n ? memchr(from, in.p[0], sizeof(from) - 1) : NULL;
        uint32_t point = simple ? (unsigned char)to[simple - from] : 0;
        bool unicode = in.n && in.p[0] == 'u';
        in = str_slice(in, 1, in.n);
        if (!simple && !(unicode && read_unicode(&in, &point))) {
            return false;
        }
        put_point(out, point);
    }
    return true;
}

/* --- the functions ------------------------------------------------------------------------ */

static const struct change *find(const struct change *changes, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(name, str_z(changes[i].name))) {
            return &changes[i];
        }
    }
    return NULL;
}

/* The input changed as argument 0 says; what can't be, or isn't text then, is nothing. */
static int change(struct path_machine *m, const struct path_call *call,
                  const struct change *changes, size_t n)
{
    struct str name = { 0 };
    struct str input;
    bool named;
    bool there;
    int r = path_argument_string(m, call, 0, &name, &named);
    r = r ? r : path_input_string(m, call, &input, &there);
    if (r || !named || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    const struct change *wanted = find(changes, n, name);
    if (!wanted) {
        return path_fail(m, "an encoding that isn't known");
    }
    r = path_make_bytes(m, input.n * GROWTH);
    struct buf out = arena_buf(m->arena, PATH_BYTES_MAX);
    if (r || !wanted->run(input, &out) || !utf8_valid(buf_str(&out))) {
        return r ? r : path_give_nothing(m, call);
    }
    return buf_failed(&out) ? -ENOMEM : path_give_string(m, call, buf_str(&out));
}

PATH_FUNCTION(encode)
{
    static const struct change changes[] = { { "hex", encode_hex },
                                             { "base64", encode_base64 },
                                             { "urlbase64", encode_urlbase64 },
                                             { "ascii", encode_ascii } };
    return change(m, call, changes, ARRAY_LEN(changes));
}

PATH_FUNCTION(decode)
{
    static const struct change changes[] = { { "hex", decode_hex },
                                             { "base64", decode_base64 },
                                             { "urlbase64", decode_urlbase64 } };
    return change(m, call, changes, ARRAY_LEN(changes));
}

PATH_FUNCTION(escape)
{
    static const struct change changes[] = { { "html", escape_html }, { "json", escape_json } };
    return change(m, call, changes, ARRAY_LEN(changes));
}

PATH_FUNCTION(unescape)
{
    static const struct change changes[] = { { "html", unescape_html },
                                             { "json", unescape_json } };
    return change(m, call, changes, ARRAY_LEN(changes));
}
