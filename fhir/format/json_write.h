/*
 * Writing JSON on a buf: names, values and brackets; commas come by themselves.
 *
 *     struct json_writer w = json_writer(&buf);
 *     json_object(&w, NULL);
 *     json_string(&w, "resourceType", STR("Patient"));
 *     json_array(&w, "name");
 *     json_end(&w);
 *     json_end(&w);
 *
 * @name is the member name inside an object, NULL in an array or at the root.
 */
#pragma once

#include "crypto/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    JSON_WRITE_DEPTH_MAX = 32,
};

struct json_writer {
    struct buf *out; /* borrowed */
    size_t depth;
    bool comma;
    char closers[JSON_WRITE_DEPTH_MAX];
};

struct json_writer json_writer(struct buf *out);
void json_object(struct json_writer *w, const char *name);
void json_array(struct json_writer *w, const char *name);
void json_end(struct json_writer *w);
void json_string(struct json_writer *w, const char *name, struct str value);
void json_z(struct json_writer *w, const char *name, const char *value);
void json_u64(struct json_writer *w, const char *name, uint64_t value);
void json_i64(struct json_writer *w, const char *name, int64_t value);
void json_bool(struct json_writer *w, const char *name, bool value);

/* @value is JSON already and is copied as it is. */
void json_raw(struct json_writer *w, const char *name, struct str value);

/* Whether @value is ASCII that needs no escape. */
bool json_is_plain(struct str value);

/* Append @value, which json_is_plain() said is, with quotes. */
static inline void json_quote_plain(struct buf *out, struct str value)
{
    char *p = buf_extend(out, value.n + 2);
    if (p) {
        p[0] = '"';
        if (value.n) {
            memcpy(p + 1, value.p, value.n);
        }
        p[value.n + 1] = '"';
    }
}

/* @value between quotes, escaped; for text outside of a json_writer. */
void json_quote(struct buf *out, struct str value);

/* @value escaped, without the quotes. */
void json_escape(struct buf *out, struct str value);
