/*
 * JSON in pieces of any size to trees and events that know their bytes.
 *
 * Values are put into the tree that json_stream_build() named; outside of one each token is an
 * event. The listener to events says where a tree begins, so a large document costs only the
 * trees it is cut into. The bytes stay in a window for as long as the user of the events wants
 * to keep them, so that what is released unchanged can be copied byte for byte. Refused besides
 * what RFC 8259 refuses: all that fhir/format/json.h names, duplicate names only inside of a
 * tree.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "fhir/format/json.h"
#include "fhir/model/node.h"

#include <stdbool.h>
#include <stddef.h>

struct json_stream;

struct json_tree;

enum json_event_kind {
    JSON_EVENT_NULL = NODE_NULL,
    JSON_EVENT_FALSE = NODE_FALSE,
    JSON_EVENT_TRUE = NODE_TRUE,
    JSON_EVENT_NUMBER = NODE_NUMBER, /* text: as written */
    JSON_EVENT_STRING = NODE_STRING, /* text: decoded */
    JSON_EVENT_ARRAY = NODE_ARRAY,
    JSON_EVENT_OBJECT = NODE_OBJECT,
    JSON_EVENT_ARRAY_END,
    JSON_EVENT_OBJECT_END,
};

/*
 * @name:  decoded member name, before a value inside an object
 * @text:  this and @name are only there for the call
 * @start: offset of the token's first byte in the document
 * @end:   offset after its last byte
 * @depth: objects and arrays around the token; an opening bracket is not around itself
 */
struct json_event {
    enum json_event_kind kind;
    struct str name;
    struct str text;
    size_t start;
    size_t end;
    size_t depth;
};

/* Return 0 to go on; anything else ends the reading and is passed on. */
typedef int (*json_event_fn)(void *owner, const struct json_event *event);

/* A value of the tree is whole, at its root or as deep as the tree tells. Return likewise. */
typedef int (*json_built_fn)(void *owner, const struct node *node);

/* Texts of nodes inside of @from are now inside of @to, as far from its start. */
typedef void (*json_moved_fn)(void *owner, struct str from, struct str to);

/*
 * @event: called for each token outside of a tree; may be NULL if one tree is all
 * @built: may be NULL
 * @moved: called when the window moves; may be NULL if no node is kept
 * @held:  bytes the window may hold; a longer kept part or token is refused
 */
struct json_stream_use {
    json_event_fn event;
    json_built_fn built;
    json_moved_fn moved;
    void *owner;
    size_t held;
};

/* A reader of one document; NULL if there is no memory. */
MUST_USE struct json_stream *json_stream_new(const struct json_stream_use *use);
void json_stream_free(struct json_stream *stream);
void json_stream_freep(struct json_stream **stream);

/**
 * json_stream_push() - read the next piece of the document
 * @stream: the reader
 * @piece:  any number of bytes; borrowed for the call only
 *
 * Work is in proportion to the size of the piece, whatever token it is a part of: give small
 * pieces to bound the time of one call. Events come as soon as their token is whole.
 *
 * Return: 0, JSON_E_SYNTAX, -ENOMEM, or what an event returned; the same ever after
 */
MUST_USE int json_stream_push(struct json_stream *stream, struct str piece);

/* Read @text, which outlives the use of its events, instead of pieces. Then finish. */
MUST_USE int json_stream_whole(struct json_stream *stream, struct str text);

/* There are no more pieces: 0 if the document is complete, else as json_stream_push(). */
MUST_USE int json_stream_finish(struct json_stream *stream);

/**
 * json_stream_build() - where values go from now on
 * @stream: the reader
 * @tree:   borrowed, until its root is whole; NULL: events again
 *
 * Called before the first piece, for a tree of the whole document; or by the listener to
 * events: the value that the event begins is then the root.
 */
void json_stream_build(struct json_stream *stream, struct json_tree *tree);

/* Bytes from document offset @offset on stay in the window; at first none do. */
void json_stream_keep(struct json_stream *stream, size_t offset);

/* Bytes of the document that are in the window; moved by the next piece. */
struct str json_stream_bytes(const struct json_stream *stream, size_t start, size_t end);

/* Bytes received so far; how many of them the window holds. */
size_t json_stream_received(const struct json_stream *stream);
size_t json_stream_held(const struct json_stream *stream);

/* After JSON_E_SYNTAX: what is wrong, static text; and the offset at which. */
const char *json_stream_reason(const struct json_stream *stream);
size_t json_stream_place(const struct json_stream *stream);
