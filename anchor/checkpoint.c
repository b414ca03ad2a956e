/* Checkpoints: three lines, each in the one way it can be written. */
#include "anchor/checkpoint.h"

#include "crypto/base/base64.h"

#include <errno.h>

void checkpoint_put(const struct checkpoint *checkpoint, struct buf *b)
{
    if (checkpoint->origin.n == 0 || checkpoint->origin.n > CHECKPOINT_ORIGIN_MAX ||
        memchr(checkpoint->origin.p, '\n', checkpoint->origin.n)) {
        b->failed = true;
        return;
    }
    buf_str_put(b, checkpoint->origin);
    buf_c(b, '\n');
    buf_u64(b, checkpoint->head.size);
    buf_c(b, '\n');
    base64_put(b, BASE64_USUAL, checkpoint->head.root.b, MERKLE_HASH_SIZE);
    buf_c(b, '\n');
}

/* A decimal number without leading zeros, below 2^63. */
static int read_size(struct str s, uint64_t *out)
{
    uint64_t value = 0;
    if (s.n == 0 || s.n > 19 || (s.n > 1 && s.p[0] == '0')) {
        return -EINVAL;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return -EINVAL;
        }
        value = value * 10 + (uint64_t)(s.p[i] - '0');
    }
    *out = value;
    return value >> MERKLE_LEVELS ? -EINVAL : 0;
}

int checkpoint_read(struct str text, struct checkpoint *out)
{
    struct checkpoint checkpoint;
    uint8_t root[MERKLE_HASH_SIZE + 3];
    size_t n;
    if (!str_ends(text, STR("\n"))) {
        return -EINVAL;
    }
    checkpoint.origin = str_cut(&text, '\n');
    struct str size = str_cut(&text, '\n');
    struct str hash = str_cut(&text, '\n');
    if (checkpoint.origin.n == 0 || checkpoint.origin.n > CHECKPOINT_ORIGIN_MAX || text.n ||
        read_size(size, &checkpoint.head.size) < 0 ||
        base64_decode(BASE64_USUAL, hash, root, sizeof(root), &n) < 0 ||
        n != MERKLE_HASH_SIZE) {
        return -EINVAL;
    }
    memcpy(checkpoint.head.root.b, root, MERKLE_HASH_SIZE);
    *out = checkpoint;
    return 0;
}

void checkpoint_note_hash(struct str note, uint8_t out[DIGEST_SIZE])
{
    digest_sha256(note, out);
}

void checkpoint_log_id(struct str origin, uint8_t out[DIGEST_SIZE])
{
    digest_keccak256(origin, out);
}
