/* Bytes over a descriptor, plain or TLS: what conn.c stands on. */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/types.h>

enum {
    WIRE_E_EOF = 1, /* the peer sends nothing more, and said so */
    WIRE_E_TLS = 2, /* TLS failed or ended without saying so */
};

/* @ssl: owned, NULL if plain. */
struct wire {
    int fd;
    SSL *ssl;
    bool read_wants_write; /* TLS must write before it can read on */
    bool write_wants_read;
    bool pending; /* TLS has more, or an end to tell, that the kernel doesn't know of */
};

/**
 * wire_read() - as many bytes as there are, up to @n
 * @got: how many, at least 1
 *
 * Return: 0, -EAGAIN, another -errno, WIRE_E_EOF or WIRE_E_TLS; @got is set only on 0.
 */
MUST_USE int wire_read(struct wire *wire, char *p, size_t n, size_t *got);

/**
 * wire_write() - as many bytes as the peer takes, of @first and then @second
 * @put: how many in all
 *
 * After -EAGAIN in TLS the next call must begin with the same bytes.
 *
 * Return: 0 if all went out, else -EAGAIN, another -errno or WIRE_E_TLS; @put is always set.
 */
MUST_USE int wire_write(struct wire *wire, struct str first, struct str second, size_t *put);

/* Return: 0, -EAGAIN (see the two flags), another -errno or WIRE_E_TLS. */
MUST_USE int wire_handshake(struct wire *wire);

/* Say that we send nothing more. */
void wire_end(struct wire *wire);

void wire_close(struct wire *wire);
