/*
 * Whose tokens a worker believes: the issuers of each listener, their keys read anew from time
 * to time, and the tokens verified lately.
 */
#pragma once

#include "gateway/identity/token.h"

struct config_listener;
struct worker;

struct identity;

enum {
    IDENTITY_REFRESH_MS = 300000, /* between two readings of a key set */
    IDENTITY_RETRY_MS = 5000,     /* after one that failed, or a token with an unknown key */
    IDENTITY_LEEWAY_MS = 30000,   /* for clocks that differ */
};

/* Reads files at once; URLs when the loop runs. NULL: no memory, or said why. */
MUST_USE struct identity *identity_new(struct worker *worker);
void identity_free(struct identity *identity);

/* The vault is open: tokens of the gateway's own are known from now on. Return: 0 or -ENOMEM */
MUST_USE int identity_unlock(struct identity *identity);

/**
 * identity_check() - is @token one of a listener's issuers?
 * @now: UTC milliseconds
 *
 * Return: as token_check(). A key that isn't known asks for the set to be read again soon.
 */
MUST_USE int identity_check(struct identity *identity, const struct config_listener *listener,
                            struct arena *arena, struct str token, int64_t now,
                            struct claims *out);
