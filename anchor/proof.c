/* Inclusion proofs as text. */
#include "anchor/proof.h"

#include "crypto/base/base64.h"

#include <errno.h>

#define FIRST_LINE "c2sp.org/tlog-proof@v1\n"

void proof_put(const struct proof *proof, struct buf *b)
{
    buf_z(b, FIRST_LINE "index ");
    buf_u64(b, proof->index);
    buf_c(b, '\n');
    for (size_t i = 0; i < proof->path.count; i++) {
        base64_put(b, BASE64_USUAL, proof->path.hash[i].b, MERKLE_HASH_SIZE);
        buf_c(b, '\n');
    }
    buf_c(b, '\n');
    buf_str_put(b, proof->note);
}

/* "index N" as it must be written. */
static int read_index(struct str line, uint64_t *out)
{
    uint64_t value = 0;
    if (!str_starts(line, STR("index "))) {
        return -EINVAL;
    }
    line = str_slice(line, 6, line.n);
    if (line.n == 0 || line.n > 18 || (line.n > 1 && line.p[0] == '0')) {
        return -EINVAL;
    }
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] < '0' || line.p[i] > '9') {
            return -EINVAL;
        }
        value = value * 10 + (uint64_t)(line.p[i] - '0');
    }
    *out = value;
    return 0;
}

/* Hashes up to the empty line. */
static int read_path(struct str *text, struct merkle_proof *path)
{
    path->count = 0;
    for (;;) {
        struct str line = str_cut(text, '\n');
        uint8_t hash[MERKLE_HASH_SIZE + 3];
        size_t n;
        if (line.n == 0) {
            return text->n ? 0 : -EINVAL;
        }
        if (path->count == MERKLE_PROOF_MAX ||
            base64_decode(BASE64_USUAL, line, hash, sizeof(hash), &n) < 0 ||
            n != MERKLE_HASH_SIZE) {
            return -EINVAL;
        }
        memcpy(path->hash[path->count++].b, hash, MERKLE_HASH_SIZE);
    }
}

int proof_read(struct str text, struct proof *out)
{
    if (!str_starts(text, STR(FIRST_LINE))) {
        return -EINVAL;
    }
    text = str_slice(text, sizeof(FIRST_LINE) - 1, text.n);
    uint64_t index;
    int r = read_index(str_cut(&text, '\n'), &index);
    if (r == 0) {
        r = read_path(&text, &out->path);
    }
    if (r == 0) {
        out->index = index;
        out->note = text;
    }
    return r;
}
