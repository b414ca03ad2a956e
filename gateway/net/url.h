/* Taking apart the http and https URLs of configuration and of bodies. */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    URL_E_SYNTAX = 1, /* not http(s)://HOST[:PORT][/PATH][?QUERY], or with userinfo, fragment */
};

/* All spans borrow the text. */
struct url {
    bool tls;             /* https */
    struct str authority; /* HOST[:PORT] as written: what goes into the field Host */
    struct str host;      /* without brackets */
    uint16_t port;        /* 80 or 443 where none is written */
    struct str path;      /* from the first '/', or empty */
    struct str query;     /* after '?', without it */
    struct str target; /* path and query as written; empty if the URL ends at the authority */
};

/**
 * url_parse() - parts of an absolute URL
 * @text: the URL
 * @out:  its parts
 *
 * Return: 0 or URL_E_SYNTAX; @out is set only on 0.
 * Spec:   RFC 3986 section 3, RFC 9110 section 4.2
 */
MUST_USE int url_parse(struct str text, struct url *out);
