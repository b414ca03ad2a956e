/*
 * Files and batches of messages: FHS … FTS around BHS … BTS around messages, or any part of
 * that; messages one after another; each of them with or without its MLLP frame.
 *
 *     struct v2_batch batch = v2_batch(text, &issues);
 *     while (v2_batch_next(&batch, &part)) { … }
 */
#pragma once

#include "fhir/base/issue.h"
#include "fhir/v2/delims.h"

enum v2_batch_kind {
    V2_BATCH_MESSAGE,
    V2_BATCH_FILE_HEADER, /* FHS */
    V2_BATCH_HEADER,      /* BHS */
    V2_BATCH_TRAILER,     /* BTS */
    V2_BATCH_FILE_TRAILER /* FTS */
};

/*
 * @text: a whole message, or the one segment; borrowed. Of a message without the line ends and
 *        the framing around it, but with that of its last segment.
 */
struct v2_batch_part {
    enum v2_batch_kind kind;
    struct str text;
};

/*
 * @messages, @batches: counted so far; @messages within the batch that is open
 * @in_batch, @in_file: a header was there and not yet its trailer
 */
struct v2_batch {
    struct str rest;
    struct issues *issues;
    struct v2_delims delims;
    size_t messages;
    size_t batches;
    bool in_batch;
    bool in_file;
    bool ended;
};

/* Whether @text begins with FHS or BHS, after line ends and a byte order mark: a batch. */
bool v2_batch_begins(struct str text);

/* Read @text; @issues is told of counts in trailers that are wrong, of headers and trailers
 * that are missing, and of lines that belong to no message. */
struct v2_batch v2_batch(struct str text, struct issues *issues);

/**
 * v2_batch_next() - the next message, header or trailer
 * @batch: state
 * @out:   it; set only on true
 *
 * Return: whether there was one
 * Spec:   HL7 v2.5.1 sections 2.10.3, 2.15.2, 2.15.3, 2.15.6, 2.15.7
 */
MUST_USE bool v2_batch_next(struct v2_batch *batch, struct v2_batch_part *out);
