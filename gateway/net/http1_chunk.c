/*
 * Decoder of chunked bodies.
 *
 *   SIZE --;--> EXTENSION --CR--> SIZE_LF --LF--> DATA --> DATA_CR --> DATA_LF --> SIZE
 *    | CR --------------------------^  | size 0                         (next chunk)
 *                                      +--> TRAILER --CR--> TRAILER_LF --> TRAILER … --> DONE
 *
 * Byte by byte in the lines, by whole spans in the data. Extensions are checked for what
 * other parsers stumble over and dropped, like trailers.
 */
#include "gateway/net/http1.h"
#include "gateway/net/http1_text.h"

enum state {
    SIZE,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
    DONE,
};

enum {
    STEP = -100, /* go on with the next byte */
};

const struct str http1_chunk_last = { .p = "0\r\n\r\n", .n = 5 };

static int fail(const char **reason, const char *text)
{
    *reason = text;
    return 400;
}

static int on_size(struct http1_chunks *chunks, char c, const char **reason)
{
    int digit = c >= '0' && c <= '9' ? c - '0' : -1;
    char lower = (char)(c | 0x20);
    digit = digit < 0 && lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : digit;
    if (digit >= 0) {
        chunks->left = chunks->left << 4 | (unsigned)digit;
        if (chunks->left > HTTP_LENGTH_MAX || ++chunks->digits > 16) {
            return fail(reason, "chunk too long");
        }
        return STEP;
    }
    if (chunks->digits == 0 || (c != ';' && c != '\r')) {
        return fail(reason, "malformed chunk size");
    }
    chunks->state = c == ';' ? EXTENSION : SIZE_LF;
    chunks->digits = 0; /* now: characters of the extension's name */
    return STEP;
}

/* ;NAME or ;NAME=VALUE, VALUE a token or quoted: only its characters are checked. */
static int on_extension(struct http1_chunks *chunks, char c, const char **reason)
{
    if (c == '\r' && chunks->digits > 0) {
        chunks->state = SIZE_LF;
        return STEP;
    }
    bool plain = http1_is(c, TOKEN);
    bool later = chunks->digits > 0 && (c == '=' || c == '"' || c == ';');
    if (!plain && !later) {
        return fail(reason, "malformed chunk extension");
    }
    chunks->digits = c == ';' ? 0 : 1;
    return STEP;
}

static int on_trailer(struct http1_chunks *chunks, char c, const char **reason)
{
    if (++chunks->trailer > HTTP_TRAILER_MAX) {
        *reason = "trailer too long";
        return 431;
    }
    if (chunks->state == TRAILER_START && c == '\r') {
        chunks->state = END_LF;
        return STEP;
    }
    if (chunks->state == TRAILER_VALUE) {
        chunks->state = c == '\r' ? TRAILER_LF : TRAILER_VALUE;
        return c == '\r' || http1_is(c, VALUE) ? STEP : fail(reason, "malformed trailer");
    }
    if (chunks->state == TRAILER_NAME && c == ':') {
        chunks->state = TRAILER_VALUE;
        return STEP;
    }
    chunks->state = TRAILER_NAME;
    return http1_is(c, TOKEN) ? STEP : fail(reason, "malformed trailer");
}

/* The states in which just one byte will do. */
static int on_expected(struct http1_chunks *chunks, char c, const char **reason)
{
    static const struct {
        char want;
        enum state next;
    } steps[] = {
        [SIZE_LF] = { '\n', DATA }, [DATA_CR] = { '\r', DATA_LF },
        [DATA_LF] = { '\n', SIZE }, [TRAILER_LF] = { '\n', TRAILER_START },
        [END_LF] = { '\n', DONE },
    };
    if (c != steps[chunks->state].want) {
        return fail(reason, "malformed end of line or chunk");
    }
    enum state next = steps[chunks->state].next;
    if (chunks->state == SIZE_LF && chunks->left == 0) {
        next = TRAILER_START;
    }
    if (next == SIZE || next == DATA) {
        chunks->line = 0;
        chunks->digits = 0;
    }
    chunks->state = (int)next;
    return next == DONE ? HTTP_CHUNK_END : STEP;
}

static int on_byte(struct http1_chunks *chunks, char c, const char **reason)
{
    switch ((enum state)chunks->state) {
    case SIZE:
    case EXTENSION:
        if (++chunks->line > HTTP_CHUNK_LINE_MAX) {
            return fail(reason, "chunk line too long");
        }
        return chunks->state == SIZE ? on_size(chunks, c, reason)
                                     : on_extension(chunks, c, reason);
    case TRAILER_START:
    case TRAILER_NAME:
    case TRAILER_VALUE: return on_trailer(chunks, c, reason);
    case SIZE_LF:
    case DATA_CR:
    case DATA_LF:
    case TRAILER_LF:
    case END_LF: return on_expected(chunks, c, reason);
    case DATA:
    case DONE: break;
    }
    return HTTP_CHUNK_END;
}

int http1_chunk(struct http1_chunks *chunks, struct str *in, struct str *data,
                const char **reason)
{
    if (chunks->state == DONE) {
        return HTTP_CHUNK_END;
    }
    while (in->n) {
        if (chunks->state == DATA) {
            size_t n = chunks->left < in->n ? (size_t)chunks->left : in->n;
            *data = str_slice(*in, 0, n);
            *in = str_slice(*in, n, in->n);
            chunks->left -= n;
            chunks->state = chunks->left ? DATA : DATA_CR;
            return HTTP_CHUNK_DATA;
        }
        char c = in->p[0];
        *in = str_slice(*in, 1, in->n);
        int r = on_byte(chunks, c, reason);
        if (r != STEP) {
            return r;
        }
    }
    return HTTP_CHUNK_MORE;
}
