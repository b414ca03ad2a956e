/* Characters of HTTP: shared by the parts of http1, of no use elsewhere. */
#pragma once

#include "gateway/net/http1.h"

/* Where a byte may stand. */
enum http1_class {
    TOKEN = 1,
    VALUE = 2, /* of a field */
    PATH = 4,
    QUERY = 8, /* with '|', '[' and ']', which FHIR clients leave unencoded */
    HOST = 16, /* registered name */
};

bool http1_is(char c, enum http1_class class);
bool http1_all(struct str text, enum http1_class class);

/* Equal but for the case of ASCII letters. */
bool http1_same(struct str a, struct str b);

/* Same, taking '_' for '-'; @lower is in lower case. */
bool http1_same_dashed(struct str name, struct str lower);

/* 0 if unknown. */
enum http_method http1_method_of(struct str text);

bool http1_is_path(struct str path);
bool http1_is_query(struct str query);
bool http1_is_host(struct str host); /* HOST[:PORT] */
