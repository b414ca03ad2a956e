/* Finding a place in a message, and its text form. */
#include "fhir/v2/address.h"

#include <assert.h>

/* A decimal number from 1 up; false if there is none. */
static bool read_number(struct str *rest, uint32_t *out)
{
    uint32_t value = 0;
    size_t n = 0;
    while (n < rest->n && rest->p[n] >= '0' && rest->p[n] <= '9') {
        value = value * 10 + (uint32_t)(rest->p[n] - '0');
        if (value > V2_ADDRESS_NUMBER_MAX) {
            return false;
        }
        n++;
    }
    *rest = str_slice(*rest, n, rest->n);
    *out = value;
    return value > 0;
}

/* "[2]" if there is one; false if it is malformed. */
static bool read_index(struct str *rest, uint32_t *out)
{
    if (rest->n == 0 || rest->p[0] != '[') {
        return true;
    }
    *rest = str_slice(*rest, 1, rest->n);
    if (!read_number(rest, out) || rest->n == 0 || rest->p[0] != ']') {
        return false;
    }
    *rest = str_slice(*rest, 1, rest->n);
    return true;
}

/* ".4" if there is one; false if it is malformed. */
static bool read_part(struct str *rest, uint32_t *out)
{
    if (rest->n == 0 || rest->p[0] != '.') {
        return true;
    }
    *rest = str_slice(*rest, 1, rest->n);
    return read_number(rest, out);
}

int v2_address_parse(struct str text, struct v2_address *out)
{
    struct v2_address a = { 0 };
    if (text.n < 5) {
        return V2_ADDRESS_E_SYNTAX;
    }
    memcpy(a.segment, text.p, 3);
    struct str rest = str_slice(text, 3, text.n);
    if (!read_index(&rest, &a.occurrence) || rest.n == 0 || rest.p[0] != '-') {
        return V2_ADDRESS_E_SYNTAX;
    }
    rest = str_slice(rest, 1, rest.n);
    if (!read_number(&rest, &a.field) || !read_index(&rest, &a.repetition) ||
        !read_part(&rest, &a.component) || !read_part(&rest, &a.subcomponent) || rest.n) {
        return V2_ADDRESS_E_SYNTAX;
    }
    *out = a;
    return 0;
}

static void write_index(struct buf *out, uint32_t index)
{
    if (index) {
        buf_c(out, '[');
        buf_u64(out, index);
        buf_c(out, ']');
    }
}

static void write_part(struct buf *out, uint32_t part)
{
    if (part) {
        buf_c(out, '.');
        buf_u64(out, part);
    }
}

void v2_address_write(struct buf *out, const struct v2_address *address)
{
    buf_z(out, address->segment);
    write_index(out, address->occurrence);
    buf_c(out, '-');
    buf_u64(out, address->field);
    write_index(out, address->repetition);
    write_part(out, address->component);
    write_part(out, address->subcomponent);
}

struct str v2_part(struct str whole, char delim, uint32_t number)
{
    if (!whole.p) {
        return whole;
    }
    const char *end = whole.p + whole.n;
    const char *start = whole.p;
    for (uint32_t i = 1;; i++) {
        const char *cut = delim ? memchr(start, delim, (size_t)(end - start)) : NULL;
        if (i == number) {
            return str_of(start, (size_t)((cut ? cut : end) - start));
        }
        if (!cut) {
            return (struct str){ 0 };
        }
        start = cut + 1;
    }
}

uint32_t v2_parts(struct str whole, char delim)
{
    if (!whole.p) {
        return 0;
    }
    uint32_t n = 1;
    for (size_t i = 0; delim && i < whole.n; i++) {
        n += whole.p[i] == delim;
    }
    return n;
}

/* The segment that @address names, or NULL. */
static const struct v2_segment *find_segment(const struct v2_message *message,
                                             const struct v2_address *address)
{
    size_t at = v2_find(message, address->segment, 0);
    for (uint32_t i = 1; i < address->occurrence && at < message->count; i++) {
        at = v2_find(message, address->segment, at + 1);
    }
    return at < message->count ? &message->segments[at] : NULL;
}

/* MSH-1 and MSH-2 hold the delimiters themselves and aren't cut at them. */
static bool holds_delims(const struct v2_address *address)
{
    return address->field <= 2 &&
           (strcmp(address->segment, "MSH") == 0 || strcmp(address->segment, "FHS") == 0 ||
            strcmp(address->segment, "BHS") == 0);
}

enum v2_presence v2_get(const struct v2_message *message, const struct v2_address *address,
                        struct str *out)
{
    *out = (struct str){ 0 };
    const struct v2_segment *segment = find_segment(message, address);
    if (!segment) {
        return V2_ABSENT;
    }
    struct str raw = v2_field(message, segment, address->field);
    if (!holds_delims(address)) {
        const struct v2_delims *delims = &message->delims;
        raw = v2_part(raw, delims->repetition, address->repetition ? address->repetition : 1);
        if (address->component) {
            raw = v2_part(raw, delims->component, address->component);
        }
        if (address->subcomponent) {
            raw = v2_part(raw, delims->subcomponent, address->subcomponent);
        }
    }
    enum v2_presence presence = v2_presence(raw);
    if (presence == V2_PRESENT) {
        *out = raw;
    }
    return presence;
}

enum v2_presence v2_get_z(const struct v2_message *message, const char *address,
                          struct str *out)
{
    struct v2_address parsed;
    int r = v2_address_parse(str_z(address), &parsed);
    assert(r == 0);
    if (r != 0) {
        *out = (struct str){ 0 };
        return V2_ABSENT;
    }
    return v2_get(message, &parsed, out);
}
