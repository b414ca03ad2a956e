/* Openings: read, write, and compare with a record's commitments. */
#include "anchor/opening.h"

#include "anchor/cjson.h"

#include <errno.h>

void opening_write(const struct opening *opening, struct buf *b)
{
    struct cjson_out out;
    cjson_out_start(&out, b);
    cjson_open(&out, '{');
    for (enum commitment_kind kind = 0; kind < COMMITMENT_COUNT; kind++) {
        struct str value = opening->value[kind];
        if (!opening->has[kind]) {
            continue;
        }
        cjson_name(&out, commitment_name(kind));
        cjson_open(&out, '{');
        cjson_name(&out, "salt");
        cjson_put_hex(&out, false, opening->salt[kind], COMMITMENT_SALT_SIZE);
        cjson_name(&out, "value");
        if (!commitment_of_digest(kind)) {
            cjson_put_string(&out, value);
        } else if (value.n == DIGEST_SIZE) {
            cjson_put_hex(&out, false, value.p, DIGEST_SIZE);
        } else {
            b->failed = true;
        }
        cjson_close(&out, '}');
    }
    cjson_close(&out, '}');
}

static struct str read_value(struct cjson *c, enum commitment_kind kind, struct buf *memory)
{
    uint8_t digest[DIGEST_SIZE] = { 0 };
    if (!commitment_of_digest(kind)) {
        return cjson_string(c, memory);
    }
    cjson_hex(c, false, digest, sizeof(digest));
    char *at = buf_extend(memory, sizeof(digest));
    if (!at) {
        cjson_refuse(c, "no memory left");
        return (struct str){ 0 };
    }
    memcpy(at, digest, sizeof(digest));
    return str_of(at, sizeof(digest));
}

static void read_one(struct cjson *c, enum commitment_kind kind, struct buf *memory,
                     struct opening *opening)
{
    struct str name;
    bool salt = false;
    bool value = false;
    cjson_object(c);
    while (cjson_member(c, &name)) {
        if (str_eq(name, STR("salt"))) {
            cjson_hex(c, false, opening->salt[kind], COMMITMENT_SALT_SIZE);
            salt = true;
        } else if (str_eq(name, STR("value"))) {
            opening->value[kind] = read_value(c, kind, memory);
            value = true;
        } else {
            cjson_refuse(c, "unknown member of an opening");
        }
    }
    if (!salt || !value) {
        cjson_refuse(c, "salt or value missing");
    }
    opening->has[kind] = true;
}

int opening_read(struct str text, struct buf *memory, struct opening *out, const char **why)
{
    struct opening opening = { 0 };
    struct cjson c;
    struct str name;
    cjson_start(&c, text);
    cjson_object(&c);
    while (cjson_member(&c, &name)) {
        enum commitment_kind kind = commitment_kind(name);
        if (kind == COMMITMENT_COUNT) {
            cjson_refuse(&c, "opening of something no record has");
            break;
        }
        read_one(&c, kind, memory, &opening);
    }
    int r = cjson_finish(&c);
    if (r == 0) {
        *out = opening;
    } else if (why) {
        *why = c.error;
    }
    return buf_failed(memory) ? -ENOMEM : r;
}

int opening_check(const struct opening *opening, const struct record *record,
                  enum commitment_kind *kind)
{
    for (enum commitment_kind k = 0; k < COMMITMENT_COUNT; k++) {
        uint8_t made[DIGEST_SIZE];
        if (!opening->has[k]) {
            continue;
        }
        commitment_make(k, opening->salt[k], opening->value[k], made);
        bool same =
            record->committed[k] && memcmp(made, record->commitments[k], DIGEST_SIZE) == 0;
        if (!same) {
            if (kind) {
                *kind = k;
            }
            return record->committed[k] ? OPENING_E_DIFFERS : OPENING_E_UNBACKED;
        }
    }
    return 0;
}
