/*
 * did:web: where a DID's document is, and the keys in it that its subject logs in with.
 *
 * Pure: who fetches the document is gateway/did_hosts.h.
 *
 * Spec: did:web method; W3C DID 1.0 sections 5.2 and 5.3
 */
#pragma once

#include "fhir/base/arena.h"
#include "gateway/identity/did.h"

enum {
    DID_WEB_DOCUMENT_MAX = 64 << 10, /* bytes */
    DID_WEB_KEYS_MAX = 8,            /* for authentication; further ones aren't looked at */
};

enum {
    DID_WEB_E_FORM = 1, /* no did:web, or no document of it */
};

/* @host: HOST[:PORT] as a URL has it; @target: path of the document */
struct did_web_place {
    struct str host;
    struct str target;
};

/**
 * did_web_place() - where the document of @did is
 * @out: in @arena
 *
 * Return: 0, DID_WEB_E_FORM or -ENOMEM; @out is set only on 0.
 */
MUST_USE int did_web_place(struct arena *arena, struct str did, struct did_web_place *out);

struct did_web_keys {
    struct did_key keys[DID_WEB_KEYS_MAX];
    size_t count;
};

/**
 * did_web_read() - the keys of a document
 * @text: JSON
 * @did:  whose document it has to be
 * @out:  those named for authentication, by reference or in place, of a kind that is used
 *
 * Return: 0, DID_WEB_E_FORM or -ENOMEM; @out is set only on 0.
 */
MUST_USE int did_web_read(struct arena *arena, struct str text, struct str did,
                          struct did_web_keys *out);
