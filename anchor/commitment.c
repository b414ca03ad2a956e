/* Salted commitments: one domain for each kind, ending in a zero byte. */
#include "anchor/commitment.h"

#include <assert.h>

static const struct {
    const char *name;
    bool digest;
} kinds[COMMITMENT_COUNT] = {
    [COMMITMENT_ACTOR] = { "actor", false },       [COMMITMENT_AUDIT] = { "audit", true },
    [COMMITMENT_DECISION] = { "decision", false }, [COMMITMENT_PAYLOAD] = { "payload", true },
    [COMMITMENT_REQUEST] = { "request", false },   [COMMITMENT_SUBJECT] = { "subject", false },
};

const char *commitment_name(enum commitment_kind kind)
{
    assert(kind < COMMITMENT_COUNT);
    return kinds[kind].name;
}

enum commitment_kind commitment_kind(struct str name)
{
    for (enum commitment_kind kind = 0; kind < COMMITMENT_COUNT; kind++) {
        if (str_eq(name, str_z(kinds[kind].name))) {
            return kind;
        }
    }
    return COMMITMENT_COUNT;
}

bool commitment_of_digest(enum commitment_kind kind)
{
    assert(kind < COMMITMENT_COUNT);
    return kinds[kind].digest;
}

void commitment_make(enum commitment_kind kind, const uint8_t salt[COMMITMENT_SALT_SIZE],
                     struct str value, uint8_t out[DIGEST_SIZE])
{
    const struct str parts[] = {
        STR("chartseal/record/v1/"),
        str_z(commitment_name(kind)),
        STR("\0"),
        str_of(salt, COMMITMENT_SALT_SIZE),
        value,
    };
    digest_sha256_parts(parts, ARRAY_LEN(parts), out);
}
