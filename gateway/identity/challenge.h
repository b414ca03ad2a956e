/*
 * Challenges of a login: random, short-lived, and known again without being kept.
 *
 * A challenge carries its end and a keyed hash of itself, so that whoever asks for many fills
 * nothing; PostgreSQL keeps those that were used. All nodes of a tenant have the same key.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

#include <stdint.h>

enum {
    CHALLENGE_RANDOM_SIZE = 16,
    CHALLENGE_SIZE = 8 + CHALLENGE_RANDOM_SIZE + 16, /* end in ms, random, mark */
    CHALLENGE_TEXT = 2 * CHALLENGE_SIZE,             /* hexadecimal digits, as EIP-4361 wants */
};

enum {
    CHALLENGE_E_FORM = 1,    /* none of ours, or of another listener */
    CHALLENGE_E_EXPIRED = 2, /* too old */
};

struct vault;

/**
 * challenge_make() - a new challenge
 * @base:    of the listener that gives it out
 * @random:  CHALLENGE_RANDOM_SIZE fresh random bytes
 * @expires: ms since 1970
 * @text:    the challenge, not terminated
 */
void challenge_make(const struct vault *vault, struct str base,
                    const uint8_t random[CHALLENGE_RANDOM_SIZE], int64_t expires,
                    char text[CHALLENGE_TEXT]);

/**
 * challenge_check() - is @text one that challenge_make() gave out, and not too old?
 * @now:     ms since 1970
 * @expires: its end
 *
 * Return: 0 or CHALLENGE_E_…; @expires is set only on 0.
 */
MUST_USE int challenge_check(const struct vault *vault, struct str base, struct str text,
                             int64_t now, int64_t *expires);
