/*
 * The message is read line by line in its fixed order; a line that isn't the one that may come
 * next ends it. What its grammar leaves open (any URI, any authority) is kept to the characters
 * that RFC 3986 knows.
 */
#include "gateway/identity/siwe.h"

#include "crypto/base/buf.h"
#include "crypto/base/hex.h"
#include "fhir/base/instant.h"

/* The rest of the message; @bad once anything was wrong. */
struct reader {
    struct str rest;
    bool bad;
};

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_of(char c, const char *set)
{
    return is_alnum(c) || (c && strchr(set, c));
}

/* Characters of @set and letters and digits only, and whole escapes where "%" is in it. */
static bool made_of(struct str text, const char *set)
{
    bool escapes = strchr(set, '%') != NULL;
    for (size_t i = 0; i < text.n; i++) {
        if (!is_of(text.p[i], set)) {
            return false;
        }
        if (escapes && text.p[i] == '%' &&
            (i + 2 >= text.n || hex_digit(text.p[i + 1]) < 0 || hex_digit(text.p[i + 2]) < 0)) {
            return false;
        }
    }
    return true;
}

static bool is_scheme(struct str text)
{
    bool digit = text.n && text.p[0] >= '0' && text.p[0] <= '9';
    return text.n && is_alnum(text.p[0]) && !digit && made_of(text, "+-.");
}

static bool is_uri(struct str text)
{
    struct str rest = text;
    struct str scheme = str_cut(&rest, ':');
    return scheme.n < text.n && is_scheme(scheme) && made_of(rest, "-._~:/?#[]@!$&'()*+,;=%");
}

/* The line that comes next, without its end; the last has none. */
static struct str line(struct reader *reader)
{
    return str_cut(&reader->rest, '\n');
}

/* What follows @name in the next line if it begins so; otherwise the line stays. */
static bool may(struct reader *reader, const char *name, struct str *out)
{
    struct reader ahead = *reader;
    struct str text = line(&ahead);
    if (reader->bad || !str_starts(text, str_z(name))) {
        return false;
    }
    *reader = ahead;
    *out = str_slice(text, strlen(name), text.n);
    return true;
}

static struct str must(struct reader *reader, const char *name)
{
    struct str out = { 0 };
    reader->bad |= !may(reader, name, &out);
    return out;
}

/* RFC 3339 in the one form that all wallets write: capital T, and Z or an offset. */
static bool read_time(struct str text, int64_t *out)
{
    struct instant_span span;
    bool whole = text.n >= sizeof("2026-01-01T00:00:00Z") - 1 && text.p[10] == 'T';
    if (!whole || !instant_span(text, &span)) {
        return false;
    }
    *out = span.from;
    return true;
}

static bool read_chain(struct str text, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || value > (UINT64_MAX - 9) / 10) {
            return false;
        }
        value = value * 10 + (uint64_t)(text.p[i] - '0');
    }
    *out = value;
    return text.n > 0 && text.p[0] != '0';
}

/* [ scheme "://" ] domain " wants you …:" */
static void read_first(struct reader *reader, struct siwe *out)
{
    const struct str words = STR(" wants you to sign in with your Ethereum account:");
    struct str text = line(reader);
    if (!str_ends(text, words)) {
        reader->bad = true;
        return;
    }
    struct str domain = str_slice(text, 0, text.n - words.n);
    const char *slashes = domain.n ? memmem(domain.p, domain.n, "://", 3) : NULL;
    if (slashes) {
        size_t n = (size_t)(slashes - domain.p);
        out->scheme = str_slice(domain, 0, n);
        domain = str_slice(domain, n + 3, domain.n);
        reader->bad |= !is_scheme(out->scheme);
    }
    out->domain = domain;
    reader->bad |= domain.n == 0 || !made_of(domain, "-._~:[]@!$&'()*+,;=%");
}

/* The address, with the check in its capitals; an empty line; a statement, or none, and
 * another.
 */
static void read_middle(struct reader *reader, struct siwe *out)
{
    struct str address = line(reader);
    char checked[SECP_ADDRESS_TEXT];
    if (secp_address_parse(address, out->address) < 0) {
        reader->bad = true;
        return;
    }
    secp_address_text(out->address, checked);
    reader->bad |= !str_eq(address, str_of(checked, sizeof(checked))) || line(reader).n != 0;
    out->statement = line(reader);
    if (out->statement.n) {
        reader->bad |=
            line(reader).n != 0 || !made_of(out->statement, "-._~:/?#[]@!$&'()*+,;= ");
    }
}

static void read_fields(struct reader *reader, struct siwe *out)
{
    out->uri = must(reader, "URI: ");
    struct str version = must(reader, "Version: ");
    struct str chain = must(reader, "Chain ID: ");
    out->nonce = must(reader, "Nonce: ");
    struct str issued = must(reader, "Issued At: ");
    reader->bad |= !is_uri(out->uri) || !str_eq(version, STR("1")) ||
                   !read_chain(chain, &out->chain) || out->nonce.n < SIWE_NONCE_MIN ||
                   !made_of(out->nonce, "") || !read_time(issued, &out->issued);
}

static void read_optional(struct reader *reader, struct siwe *out)
{
    struct str text;
    if (may(reader, "Expiration Time: ", &text)) {
        reader->bad |= !read_time(text, &out->expires);
    }
    if (may(reader, "Not Before: ", &text)) {
        reader->bad |= !read_time(text, &out->not_before);
    }
    if (may(reader, "Request ID: ", &text)) {
        out->request_id = text;
        reader->bad |= !made_of(text, "-._~!$&'()*+,;=:@%");
    }
    if (may(reader, "Resources:", &text)) {
        reader->bad |= text.n != 0;
        out->resources = reader->rest;
        while (!reader->bad && may(reader, "- ", &text)) {
            reader->bad |= !is_uri(text);
        }
    }
}

int siwe_parse(struct str text, struct siwe *out)
{
    struct siwe message = { .chain = 0 };
    struct reader reader = { .rest = text };
    if (text.n > SIWE_TEXT_MAX || str_ends(text, STR("\n"))) {
        return SIWE_E_FORM; /* no field ends the last line, so none is missed */
    }
    read_first(&reader, &message);
    if (!reader.bad) {
        read_middle(&reader, &message);
    }
    read_fields(&reader, &message);
    read_optional(&reader, &message);
    if (reader.bad || reader.rest.n) {
        return SIWE_E_FORM;
    }
    *out = message;
    return 0;
}

void siwe_digest(struct str text, uint8_t out[DIGEST_SIZE])
{
    char memory[24];
    struct buf length = buf_fixed(memory, sizeof(memory));
    buf_u64(&length, text.n);
    const struct str parts[] = { STR("\x19"
                                     "Ethereum Signed Message:\n"),
                                 buf_str(&length), text };
    digest_keccak256_parts(parts, ARRAY_LEN(parts), out);
}
