/* The contract ABI: words, and content behind them. */
#include "anchor/abi.h"

#include <assert.h>
#include <errno.h>

static const uint8_t zeros[ABI_WORD];

void abi_topic(const char *signature, uint8_t out[DIGEST_SIZE])
{
    digest_keccak256(str_z(signature), out);
}

void abi_selector(const char *signature, uint8_t out[ABI_SELECTOR_SIZE])
{
    uint8_t digest[DIGEST_SIZE];
    abi_topic(signature, digest);
    memcpy(out, digest, ABI_SELECTOR_SIZE);
}

size_t abi_call(struct buf *b, const char *signature)
{
    uint8_t selector[ABI_SELECTOR_SIZE];
    abi_selector(signature, selector);
    buf_put(b, selector, sizeof(selector));
    return b->n;
}

void abi_put(struct buf *b, const void *p, size_t n)
{
    assert(n <= ABI_WORD);
    buf_put(b, zeros, ABI_WORD - n);
    buf_put(b, p, n);
}

void abi_put_left(struct buf *b, const void *p, size_t n)
{
    assert(n <= ABI_WORD);
    buf_put(b, p, n);
    buf_put(b, zeros, ABI_WORD - n);
}

void abi_put_u64(struct buf *b, uint64_t value)
{
    buf_put(b, zeros, ABI_WORD - sizeof(value));
    buf_be64(b, value);
}

size_t abi_slot(struct buf *b)
{
    size_t at = b->n;
    buf_put(b, zeros, ABI_WORD);
    return at;
}

void abi_point(struct buf *b, size_t start, size_t slot)
{
    if (buf_failed(b)) {
        return;
    }
    struct buf word = buf_fixed(b->p + slot, ABI_WORD);
    abi_put_u64(&word, b->n - start);
}

void abi_put_bytes(struct buf *b, struct str s)
{
    abi_put_u64(b, s.n);
    buf_str_put(b, s);
    buf_put(b, zeros, (ABI_WORD - s.n % ABI_WORD) % ABI_WORD);
}

void abi_put_words(struct buf *b, const void *words, size_t count)
{
    abi_put_u64(b, count);
    buf_put(b, words, count * ABI_WORD);
}

int abi_word(struct str data, size_t at, uint8_t out[ABI_WORD])
{
    if (at >= data.n / ABI_WORD) {
        return -EINVAL;
    }
    memcpy(out, data.p + at * ABI_WORD, ABI_WORD);
    return 0;
}

int abi_u64(struct str data, size_t at, uint64_t *out)
{
    uint8_t word[ABI_WORD];
    if (abi_word(data, at, word) < 0 || memcmp(word, zeros, ABI_WORD - 8) != 0) {
        return -EINVAL;
    }
    uint64_t value = 0;
    for (size_t i = ABI_WORD - 8; i < ABI_WORD; i++) {
        value = value << 8 | word[i];
    }
    *out = value;
    return 0;
}

int abi_address(struct str data, size_t at, uint8_t out[ABI_ADDRESS_SIZE])
{
    uint8_t word[ABI_WORD];
    if (abi_word(data, at, word) < 0 || memcmp(word, zeros, ABI_WORD - ABI_ADDRESS_SIZE) != 0) {
        return -EINVAL;
    }
    memcpy(out, &word[ABI_WORD - ABI_ADDRESS_SIZE], ABI_ADDRESS_SIZE);
    return 0;
}

int abi_bytes(struct str data, size_t at, struct str *out)
{
    uint64_t offset;
    uint64_t n;
    if (abi_u64(data, at, &offset) < 0 || offset % ABI_WORD || offset > data.n ||
        abi_u64(data, (size_t)offset / ABI_WORD, &n) < 0 || n > data.n - offset - ABI_WORD) {
        return -EINVAL;
    }
    size_t start = (size_t)offset + ABI_WORD;
    *out = str_slice(data, start, start + (size_t)n);
    return 0;
}
