/* The keyed hash covers end and random bytes, under a domain that names the listener's base. */
#include "gateway/identity/challenge.h"

#include "crypto/base/buf.h"
#include "crypto/base/hex.h"
#include "crypto/digest.h"
#include "crypto/secret.h"
#include "gateway/vault.h"

enum {
    MARKED_SIZE = 8 + CHALLENGE_RANDOM_SIZE,
    MARK_SIZE = CHALLENGE_SIZE - MARKED_SIZE,
};

static void mark(const struct vault *vault, struct str base, const uint8_t bytes[MARKED_SIZE],
                 uint8_t out[DIGEST_SIZE])
{
    uint8_t of_base[DIGEST_SIZE];
    uint8_t marked[DIGEST_SIZE + MARKED_SIZE];
    digest_sha256(base, of_base);
    memcpy(marked, of_base, sizeof(of_base));
    memcpy(marked + sizeof(of_base), bytes, MARKED_SIZE);
    vault_login_hash(vault, STR("challenge"), str_of(marked, sizeof(marked)), out);
}

void challenge_make(const struct vault *vault, struct str base,
                    const uint8_t random[CHALLENGE_RANDOM_SIZE], int64_t expires,
                    char text[CHALLENGE_TEXT])
{
    uint8_t bytes[CHALLENGE_SIZE];
    uint8_t hash[DIGEST_SIZE];
    struct buf b = buf_fixed(bytes, sizeof(bytes));
    buf_be64(&b, (uint64_t)expires);
    buf_put(&b, random, CHALLENGE_RANDOM_SIZE);
    mark(vault, base, bytes, hash);
    buf_put(&b, hash, MARK_SIZE);
    struct buf out = buf_fixed(text, CHALLENGE_TEXT);
    buf_hex(&out, bytes, sizeof(bytes));
}

int challenge_check(const struct vault *vault, struct str base, struct str text, int64_t now,
                    int64_t *expires)
{
    uint8_t bytes[CHALLENGE_SIZE];
    uint8_t hash[DIGEST_SIZE];
    if (hex_decode(text, bytes, sizeof(bytes)) < 0) {
        return CHALLENGE_E_FORM;
    }
    mark(vault, base, bytes, hash);
    if (!secret_equal(hash, bytes + MARKED_SIZE, MARK_SIZE)) {
        return CHALLENGE_E_FORM;
    }
    uint64_t end = 0;
    for (size_t i = 0; i < 8; i++) {
        end = end << 8 | bytes[i];
    }
    if (now >= (int64_t)end) {
        return CHALLENGE_E_EXPIRED;
    }
    *expires = (int64_t)end;
    return 0;
}
