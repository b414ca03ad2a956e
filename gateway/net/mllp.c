/*
 * Decoder of MLLP frames.
 *
 *   outside --0x0B--> inside --0x1C--> ending --0x0D--> message, outside
 *
 * It works on spans with memchr(); byte by byte only where a frame was cut on the wire.
 */
#include "gateway/net/mllp.h"

#include <errno.h>

static int fail_long(const struct mllp_decoder *d, size_t n)
{
    size_t max = d->max ? d->max : MLLP_FRAME_MAX;
    return n > max ? MLLP_E_LONG : 0;
}

/* Skip what stands before a frame. */
static int skip_outside(struct mllp_decoder *d, struct str *in)
{
    const char *start = memchr(in->p, MLLP_START, in->n);
    size_t n = start ? (size_t)(start - in->p) : in->n;
    for (size_t i = 0; i < n; i++) {
        if (in->p[i] != '\r' && in->p[i] != '\n') {
            d->outside++;
            d->stray++;
        }
        if (d->outside > MLLP_OUTSIDE_MAX) {
            return MLLP_E_OUTSIDE;
        }
    }
    *in = str_slice(*in, n + (start ? 1 : 0), in->n);
    if (start) {
        d->inside = true;
        d->outside = 0;
    }
    return 0;
}

/* Whether a new frame begins in @part: a start at a place where a segment may begin. */
static bool has_start(const struct mllp_decoder *d, struct str part)
{
    for (size_t from = 0; from < part.n;) {
        const char *start = memchr(part.p + from, MLLP_START, part.n - from);
        if (!start) {
            return false;
        }
        size_t at = (size_t)(start - part.p);
        bool begins =
            at ? start[-1] == MLLP_CR : d->held.n == 0 || d->held.p[d->held.n - 1] == MLLP_CR;
        if (begins) {
            return true;
        }
        from = at + 1;
    }
    return false;
}

static int hold(struct mllp_decoder *d, struct str part)
{
    int r = fail_long(d, d->held.n + part.n);
    if (r) {
        return r;
    }
    buf_str_put(&d->held, part);
    return buf_failed(&d->held) ? -ENOMEM : 0;
}

static int finish(struct mllp_decoder *d, struct str last, struct str *message)
{
    struct str whole = last;
    int r = fail_long(d, last.n);
    if (d->held.n) {
        r = hold(d, last);
        whole = buf_str(&d->held);
    }
    if (r) {
        return r;
    }
    if (whole.n == 0) {
        return MLLP_E_EMPTY;
    }
    d->inside = false;
    d->ending = false;
    d->given = true;
    *message = whole;
    return 0;
}

/* Go on within a frame. -EAGAIN: all of @in is used. */
static int take_inside(struct mllp_decoder *d, struct str *in, struct str *message)
{
    if (d->ending) {
        if (in->p[0] != MLLP_CR) {
            return MLLP_E_TRAILER;
        }
        *in = str_slice(*in, 1, in->n);
        return finish(d, (struct str){ 0 }, message);
    }
    const char *end = memchr(in->p, MLLP_END, in->n);
    size_t n = end ? (size_t)(end - in->p) : in->n;
    struct str part = str_slice(*in, 0, n);
    if (has_start(d, part)) {
        return MLLP_E_TRAILER;
    }
    if (end && n + 1 < in->n) {
        if (in->p[n + 1] != MLLP_CR) {
            return MLLP_E_TRAILER;
        }
        *in = str_slice(*in, n + 2, in->n);
        return finish(d, part, message);
    }
    *in = str_slice(*in, in->n, in->n);
    d->ending = end;
    int r = hold(d, part);
    return r ? r : -EAGAIN;
}

int mllp_decode(struct mllp_decoder *d, struct str *in, struct str *message)
{
    if (d->given) {
        d->given = false;
        d->held.n = 0;
    }
    while (in->n) {
        int r = d->inside ? take_inside(d, in, message) : skip_outside(d, in);
        if (r || d->given) {
            return r;
        }
    }
    return -EAGAIN;
}

const char *mllp_error_text(int error)
{
    switch (error) {
    case MLLP_E_OUTSIDE: return "bytes outside a frame";
    case MLLP_E_TRAILER: return "frame without its end";
    case MLLP_E_LONG: return "frame too long";
    case MLLP_E_EMPTY: return "empty frame";
    default: return "out of memory";
    }
}
