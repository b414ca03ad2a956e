/* Hexadecimal digits to bytes. */
#include "crypto/base/hex.h"

#include <errno.h>

int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hex_decode(struct str digits, uint8_t *out, size_t n)
{
    if (digits.n / 2 != n || digits.n % 2) {
        return -EINVAL;
    }
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(digits.p[2 * i]);
        int low = hex_digit(digits.p[2 * i + 1]);
        if (high < 0 || low < 0) {
            return -EINVAL;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

int hex_decode_0x(struct str digits, uint8_t *out, size_t n)
{
    if (!str_starts(digits, STR("0x"))) {
        return -EINVAL;
    }
    return hex_decode(str_slice(digits, 2, digits.n), out, n);
}
