/* What the two halves of json_stream share: the window and yajl's callbacks. */
#pragma once

#include "crypto/base/buf.h"
#include "fhir/format/json_scan.h"
#include "fhir/format/json_stream.h"

#include <yajl/yajl_parse.h>

/*
 * @base:   document offset of the window's first byte
 * @fed:    offset up to which yajl has read
 * @keep:   offset from which bytes are kept
 * @chunk:  what yajl reads at the moment, and where in the document it starts
 * @depth:  objects and arrays that are open
 * @tree:   what values are put in; NULL: they are told as events
 * @name:   of the member whose value comes next; in @decoded if it has escapes
 * @result: what ended the reading
 */
struct json_stream {
    struct json_stream_use use;
    yajl_handle yajl;  /* owned */
    struct buf window; /* owned, on the heap: realloc() moves pages instead of bytes */
    size_t base;
    size_t fed;
    size_t keep;
    struct str chunk;
    size_t chunk_at;
    size_t depth;
    struct json_scan scan;
    struct json_tree *tree; /* borrowed */
    struct str name;
    char decoded[JSON_NAME_MAX];
    int result;
    const char *reason;
    size_t place;
};

/* For yajl; their context is the stream. */
extern const yajl_callbacks json_stream_callbacks;

/* Remember what ends the reading, and return it. */
int json_stream_fail(struct json_stream *stream, int result, const char *reason, size_t place);
