/*
 * Signed notes: text with signature lines below it.
 *
 * Ed25519 only (type 0x01); signatures of other keys and types are kept and ignored.
 *
 * Spec: https://c2sp.org/signed-note
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"

#include <stdint.h>

enum {
    NOTE_SIZE_MAX = 1 << 17,
    NOTE_SIGNATURES_MAX = 64,
    NOTE_NAME_MAX = 256, /* bytes of a key name */
    NOTE_KEY_SIZE = 32,
    NOTE_SIGNATURE_SIZE = 64,

    NOTE_E_UNSIGNED = 1, /* no line of this key */
    NOTE_E_FORGED = 2,   /* a line of this key that doesn't verify */
};

/* A verifier key. @name is borrowed. */
struct note_key {
    struct str name;
    uint32_t id;
    uint8_t key[NOTE_KEY_SIZE];
};

/* @text: with its last newline. @lines: the signature lines. Both borrowed. */
struct note {
    struct str text;
    struct str lines;
};

/* Key @name for the Ed25519 public key @key. Return: 0, -EINVAL if no key can have that name */
MUST_USE int note_key_init(struct note_key *out, struct str name,
                           const uint8_t key[NOTE_KEY_SIZE]);

/* Read "name+hash+key", whose hash must fit. Return: 0 or -EINVAL */
MUST_USE int note_key_read(struct str text, struct note_key *out);
void note_key_put(const struct note_key *key, struct buf *b);

/* Take a note apart; its form is checked, no signature is. Return: 0 or -EINVAL */
MUST_USE int note_read(struct str bytes, struct note *out);

/* Is @note signed by @key? Return: 0, NOTE_E_UNSIGNED, NOTE_E_FORGED */
MUST_USE int note_check(const struct note *note, const struct note_key *key);

/*
 * A note is written as its text (ending in a newline), note_put_blank(), and a line for each
 * signature over the text.
 */
void note_put_blank(struct buf *b);
void note_put_signature(struct buf *b, const struct note_key *key,
                        const uint8_t signature[NOTE_SIGNATURE_SIZE]);
