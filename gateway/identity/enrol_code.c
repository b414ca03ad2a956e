/* Each character is five bits of a random byte. */
#include "gateway/identity/enrol_code.h"

#include <errno.h>

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void enrol_code_make(const uint8_t random[ENROL_CODE_SIZE], char text[ENROL_CODE_TEXT])
{
    for (size_t i = 0; i < ENROL_CODE_SIZE; i++) {
        if (i && i % ENROL_CODE_NAME == 0) {
            *text++ = '-';
        }
        *text++ = digits[random[i] & 31];
    }
}

/* The character that @c stands for; 0: none. */
static char meant(char c)
{
    c = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    c = c == 'O' ? '0' : c;
    c = c == 'I' || c == 'L' ? '1' : c;
    return c && strchr(digits, c) ? c : '\0';
}

int enrol_code_read(struct str text, char out[ENROL_CODE_SIZE])
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '-' || text.p[i] == ' ') {
            continue;
        }
        char c = meant(text.p[i]);
        if (!c || n == ENROL_CODE_SIZE) {
            return -EINVAL;
        }
        out[n++] = c;
    }
    return n == ENROL_CODE_SIZE ? 0 : -EINVAL;
}
