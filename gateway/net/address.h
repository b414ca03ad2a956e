/*
 * Socket addresses from configuration text.
 *
 * Names are resolved here and only here, at start or reload: it blocks, and nothing in the way
 * of a request may.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    ADDRESS_MAX = 8,        /* addresses of one name */
    ADDRESS_HOST_MAX = 253, /* characters of a host name */
    ADDRESS_TEXT_MAX = 128, /* room for address_text(), its terminator included */
};

enum {
    ADDRESS_E_SYNTAX = 1,  /* not HOST:PORT, [IPV6]:PORT, HOST or unix:PATH */
    ADDRESS_E_UNKNOWN = 2, /* the name has no address */
};

struct address {
    struct sockaddr_storage at;
    socklen_t n;
};

/* All addresses of a name, in the order in which they should be tried. */
struct addresses {
    struct address each[ADDRESS_MAX];
    size_t n;
};

/**
 * address_split() - host and port of a text
 * @text:  HOST:PORT, [IPV6]:PORT; HOST alone takes @port
 * @usual: port where the text names none; 0: it must name one
 * @host:  without brackets; borrows @text
 * @port:  1 to 65535, 0 to let the system choose
 *
 * Return: 0 or ADDRESS_E_SYNTAX; @host and @port are set only on 0.
 */
MUST_USE int address_split(struct str text, uint16_t usual, struct str *host, uint16_t *port);

/**
 * address_resolve() - the addresses of a text
 * @text:  as for address_split(), or unix:PATH
 * @usual: port where the text names none; 0: it must name one
 * @out:   at least one address
 *
 * Blocks while a name is looked up. Numeric addresses never block.
 *
 * Return: 0, ADDRESS_E_SYNTAX, ADDRESS_E_UNKNOWN or -ENOMEM; @out is set only on 0.
 */
MUST_USE int address_resolve(struct str text, uint16_t usual, struct addresses *out);

/* "192.0.2.1:443", "[2001:db8::1]:443" or "unix:/run/x" into @out of ADDRESS_TEXT_MAX. */
void address_text(const struct address *address, char *out);

/* Whether both are the same host; ports don't count. */
bool address_same_host(const struct address *a, const struct address *b);
