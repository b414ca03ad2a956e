/*
 * MLLP framing: 0x0B, the message, 0x1C 0x0D. No I/O.
 *
 * Line ends between frames are ignored: some senders add them. Everything else outside a
 * frame is counted, and too much of it is an error (TLS or HTTP on this port). A frame that
 * ends in 0x1C without 0x0D, or that is followed by the start of the next without an end, is
 * an error: where a message ends would be a guess.
 *
 * Spec: HL7 v2.5.1 appendix C; spec/wire.md 14.5
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    MLLP_START = 0x0B,
    MLLP_END = 0x1C,
    MLLP_CR = 0x0D,
    MLLP_FRAME_MAX = 16 << 20, /* bytes of a message */
    MLLP_OUTSIDE_MAX = 256,    /* bytes outside frames before the next frame */
    MLLP_EXTRA = 3,            /* bytes of framing around a message */
};

enum {
    MLLP_E_OUTSIDE = 1, /* more than MLLP_OUTSIDE_MAX bytes that belong to no frame */
    MLLP_E_TRAILER = 2, /* 0x1C without 0x0D, or a new frame within one */
    MLLP_E_LONG = 3,    /* longer than allowed */
    MLLP_E_EMPTY = 4,   /* a frame without content */
};

/* @held is made by the owner, e.g. heap_buf(max); it frees it. All else starts with zeros. */
struct mllp_decoder {
    struct buf held; /* begin of a frame that came in pieces */
    size_t max;      /* bytes of a message; 0: MLLP_FRAME_MAX */
    bool inside;     /* a frame has begun */
    bool ending;     /* 0x1C was its last byte */
    bool given;      /* @held was handed out and is to be emptied */
    size_t outside;  /* bytes outside frames since the last frame */
    uint64_t stray;  /* such bytes in all */
};

/**
 * mllp_decode() - the next message in a stream
 * @decoder: state
 * @in:      bytes; what is used is cut off its front
 * @message: the message without its framing; valid until the next call or the end of @in
 *
 * A message that lies whole in @in is not copied.
 *
 * Return: 0; -EAGAIN if more is needed (all of @in is used); -ENOMEM; or MLLP_E_….
 */
MUST_USE int mllp_decode(struct mllp_decoder *decoder, struct str *in, struct str *message);

/* "bytes outside a frame", … */
const char *mllp_error_text(int error);
