/*
 * HTTP/1.1 heads and chunks, strictly: whatever is ambiguous about where a message ends is
 * refused. No I/O and no memory of its own.
 *
 * A head is found with http1_scan(), however it arrives in pieces, then parsed as a whole.
 * Heads are never forwarded: http1_put_…() writes new ones from parsed fields.
 *
 * Errors of this module are the status to answer with (400, 413, 414, 417, 431, 501, 505) and
 * a reason, a static text that quotes nothing received.
 *
 * Spec: RFC 9112, RFC 9110; spec/wire.md 14.2
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    HTTP_HEAD_MAX = 32 << 10,   /* bytes of a head, the empty line included */
    HTTP_FIELDS_MAX = 100,      /* fields of a head */
    HTTP_TARGET_MAX = 8 << 10,  /* bytes of a request target */
    HTTP_NAME_MAX = 128,        /* bytes of a field name */
    HTTP_CHUNK_LINE_MAX = 256,  /* bytes of a chunk's size and extensions */
    HTTP_TRAILER_MAX = 8 << 10, /* bytes of all trailer fields */
};

/* Bodies beyond this are refused whatever the owner allows. */
#define HTTP_LENGTH_MAX ((uint64_t)1 << 40)

enum http_method {
    HTTP_GET = 1,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
};

/* Field names looked up by number. In alphabetical order, as in the table of http1.c. */
enum http_name {
    HTTP_NAME_OTHER,
    HTTP_ACCEPT,
    HTTP_ACCEPT_ENCODING,
    HTTP_ALLOW,
    HTTP_AUTHORIZATION,
    HTTP_CACHE_CONTROL,
    HTTP_CONNECTION,
    HTTP_CONTENT_DISPOSITION,
    HTTP_CONTENT_ENCODING,
    HTTP_CONTENT_LANGUAGE,
    HTTP_CONTENT_LENGTH,
    HTTP_CONTENT_LOCATION,
    HTTP_CONTENT_TYPE,
    HTTP_COOKIE,
    HTTP_DATE,
    HTTP_ETAG,
    HTTP_EXPECT,
    HTTP_FORWARDED,
    HTTP_HOST,
    HTTP_HTTP2_SETTINGS,
    HTTP_IF_MATCH,
    HTTP_IF_MODIFIED_SINCE,
    HTTP_IF_NONE_EXIST,
    HTTP_IF_NONE_MATCH,
    HTTP_KEEP_ALIVE,
    HTTP_LAST_MODIFIED,
    HTTP_LOCATION,
    HTTP_ORIGIN,
    HTTP_PREFER,
    HTTP_PROXY_AUTHENTICATE,
    HTTP_PROXY_AUTHORIZATION,
    HTTP_PROXY_CONNECTION,
    HTTP_RANGE,
    HTTP_RETRY_AFTER,
    HTTP_SERVER,
    HTTP_SET_COOKIE,
    HTTP_TE,
    HTTP_TRACEPARENT,
    HTTP_TRACESTATE,
    HTTP_TRAILER,
    HTTP_TRANSFER_ENCODING,
    HTTP_UPGRADE,
    HTTP_USER_AGENT,
    HTTP_VARY,
    HTTP_VIA,
    HTTP_WWW_AUTHENTICATE,
    HTTP_X_FORWARDED_FOR,
    HTTP_X_FORWARDED_HOST,
    HTTP_X_FORWARDED_PROTO,
    HTTP_X_REQUEST_ID,
    HTTP_NAMES,
};

enum http_framing {
    HTTP_BODY_NONE,
    HTTP_BODY_LENGTH,
    HTTP_BODY_CHUNKED,
    HTTP_BODY_CLOSE, /* answers only: until the peer closes */
};

/* @value: without white space around it. Both borrow the head's text. */
struct http_field {
    struct str name;
    struct str value;
    enum http_name id;
};

/* A parsed head. Spans borrow the text it was parsed from. */
struct http_head {
    enum http_method method; /* requests */
    struct str method_text;
    struct str
        target;       /* origin form, or "*"; of the absolute form what follows the authority */
    struct str path;  /* before '?'; no dot segments, no encoded '/', '\' or control */
    struct str query; /* after '?' */
    struct str host;
    int status; /* answers */
    int minor;  /* of HTTP/1.x */
    enum http_framing framing;
    uint64_t length;
    bool keep_alive;      /* the peer allows another message on this connection */
    bool expect_continue; /* it waits for 100 */
    size_t n_fields;
    struct http_field fields[HTTP_FIELDS_MAX];
    uint8_t first[HTTP_NAMES]; /* 1 + index of the first field of that name, 0: none */
};

/* Where http1_scan() stands; start with zeros. */
struct http1_scan {
    size_t at;    /* bytes looked at */
    size_t line;  /* where the current line begins */
    size_t lines; /* complete lines */
};

/**
 * http1_scan() - find the end of a head
 * @scan:    state, kept between calls
 * @text:    all bytes of the message so far, from its first on
 * @answer:  it is an answer, not a request
 * @n:       bytes of the head, its empty line included
 * @reason:  set with an error
 *
 * Return: 0 and @n is set; -EAGAIN if more is needed; or a status.
 */
MUST_USE int http1_scan(struct http1_scan *scan, struct str text, bool answer, size_t *n,
                        const char **reason);

/**
 * http1_request() - parse the head of a request
 * @text:   what http1_scan() found
 * @head:   the result
 * @reason: set with an error
 *
 * Return: 0, or a status; @head is set only on 0.
 */
MUST_USE int http1_request(struct str text, struct http_head *head, const char **reason);

/**
 * http1_answer() - parse the head of an answer
 * @text:   what http1_scan() found
 * @to:     method of the request it answers
 * @head:   the result; framing NONE for 1xx, 204, 304 and answers to HEAD
 * @reason: set with an error
 *
 * Return: 0, or 502; @head is set only on 0.
 */
MUST_USE int http1_answer(struct str text, enum http_method to, struct http_head *head,
                          const char **reason);

/* Value of the first field @id, or the empty span with p == NULL. */
struct str http_field(const struct http_head *head, enum http_name id);

/* Same by @name, in any case. */
struct str http_field_named(const struct http_head *head, struct str name);

/* How many fields @id there are. */
size_t http_field_count(const struct http_head *head, enum http_name id);

/* The number of @name, in any case; HTTP_NAME_OTHER if it has none. */
enum http_name http_name_of(struct str name);

/* "GET". */
struct str http_method_text(enum http_method method);

/* "OK" for 200; "" if unknown. */
const char *http_status_text(int status);

/*
 * Whether field @i of @head belongs to this hop alone and must not be passed on: framing and
 * connection fields, and what Connection lists (but nothing of the table above: naming
 * Authorization there doesn't make it vanish).
 */
bool http_field_is_hop(const struct http_head *head, size_t i);

/* Whether @text is a token in the sense of RFC 9110 section 5.6.2. */
bool http_is_token(struct str text);

/* Whether @list, comma-separated, holds @item, in any case. */
bool http_list_has(struct str list, struct str item);

/* Decoder of a chunked body; start with zeros. */
struct http1_chunks {
    int state;
    uint64_t left;  /* of the current chunk */
    size_t line;    /* bytes of the current size line */
    size_t trailer; /* bytes of trailers */
    int digits;
};

enum {
    HTTP_CHUNK_DATA = -1, /* a piece of the body */
    HTTP_CHUNK_MORE = -2, /* all input used, more is needed */
    HTTP_CHUNK_END = -3,  /* the body is complete */
};

/**
 * http1_chunk() - take the next step through a chunked body
 * @chunks: state
 * @in:     bytes; what is used is cut off its front
 * @data:   set on HTTP_CHUNK_DATA; borrows @in
 * @reason: set with an error
 *
 * Return: HTTP_CHUNK_DATA, HTTP_CHUNK_MORE, HTTP_CHUNK_END, or a status. Trailers are checked
 * and dropped.
 */
MUST_USE int http1_chunk(struct http1_chunks *chunks, struct str *in, struct str *data,
                         const char **reason);

/*
 * Writers of heads. A name or value that would break the head makes @b fail. Order: first
 * line, fields, one http1_put_length() or http1_put_chunked() or neither, http1_put_end().
 */
void http1_put_request(struct buf *b, struct str method, struct str target, struct str host);
void http1_put_status(struct buf *b, int status);
void http1_put_field(struct buf *b, struct str name, struct str value);
void http1_put_length(struct buf *b, uint64_t length);
void http1_put_chunked(struct buf *b);
void http1_put_end(struct buf *b);

/* The line before a chunk of @n > 0 bytes; after the chunk comes CR LF, after the last one
 * http1_chunk_last. */
void http1_put_chunk_size(struct buf *b, size_t n);
extern const struct str http1_chunk_last; /* "0" CR LF CR LF */
