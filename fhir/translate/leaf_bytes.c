/*
 * Documents, as base64.
 *
 * What a message says as base64 stays, character by character: only the line ends that some
 * senders break it with go, and padding that is missing comes. Text is decoded from escapes
 * alone, so that its control characters stay too.
 */
#include "fhir/translate/leaf.h"

#include "crypto/base/base64.h"
#include "crypto/base/hex.h"
#include "fhir/v2/escape.h"

#include <errno.h>

static bool base64_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           c == '+' || c == '/';
}

/* Copy @text without white space to @out, which has room; false if something else is in it. */
static bool gather(struct str text, bool (*fits)(char c), char *out, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (fits(text.p[i])) {
            out[(*n)++] = text.p[i];
        } else if (!leaf_space(text.p[i])) {
            return false;
        }
    }
    return true;
}

/* The padding at the end of @text; it is cut off. */
static size_t cut_padding(struct str *text)
{
    size_t n = 0;
    *text = leaf_trimmed(*text);
    while (text->n && (text->p[text->n - 1] == '=' || leaf_space(text->p[text->n - 1]))) {
        n += text->p[text->n - 1] == '=';
        text->n--;
    }
    return n;
}

enum leaf_result leaf_base64(struct engine *e, struct element *out, struct str text)
{
    size_t padding = cut_padding(&text);
    char *p = arena_alloc(e->arena, text.n + 2);
    if (!p) {
        e->error = -ENOMEM;
        return LEAF_NOTHING;
    }
    size_t n;
    if (!gather(text, base64_char, p, &n) || n % 4 == 1 ||
        (padding && (n + padding) % 4 != 0)) {
        return LEAF_UNFIT;
    }
    while (n % 4) {
        p[n++] = '=';
    }
    out->text = str_of(p, n);
    return n ? LEAF_FITS : LEAF_NOTHING;
}

static enum leaf_result encode(struct engine *e, struct element *out, const void *p, size_t n)
{
    struct buf b = arena_buf(e->arena, TRANSLATE_BUNDLE_MAX);
    base64_put(&b, BASE64_USUAL, p, n);
    e->error = buf_failed(&b) ? -ENOMEM : e->error;
    out->text = buf_str(&b);
    return n ? LEAF_FITS : LEAF_NOTHING;
}

static bool hex_char(char c)
{
    return hex_digit(c) >= 0;
}

enum leaf_result leaf_hex(struct engine *e, struct element *out, struct str text)
{
    char *p = arena_alloc(e->arena, text.n + 1);
    uint8_t *bytes = arena_alloc(e->arena, text.n / 2 + 1);
    size_t n;
    if (!p || !bytes) {
        e->error = -ENOMEM;
        return LEAF_NOTHING;
    }
    if (!gather(text, hex_char, p, &n) || n % 2 != 0 ||
        hex_decode(str_of(p, n), bytes, n / 2) != 0) {
        return LEAF_UNFIT;
    }
    return encode(e, out, bytes, n / 2);
}

enum leaf_result leaf_encoded(struct engine *e, const struct rule *rule, struct str raw,
                              struct element *out)
{
    struct str text = raw;
    int r = rule->source == SOURCE_VALUE
                ? v2_unescape(e->arena, &e->message->delims, raw, &text)
                : 0;
    if (r < 0) {
        e->error = r;
        return LEAF_NOTHING;
    }
    text = r == 0 ? text : raw; /* an open sequence: as it was sent */
    return encode(e, out, text.p, text.n);
}
