/*
 * An HL7 v2 message: its bytes, and an index of segments and fields into them.
 *
 * Nothing is copied and nothing decoded: what comes out is what came in. Repetitions,
 * components and subcomponents are found when asked for (fhir/v2/address.h).
 */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/base/issue.h"
#include "fhir/v2/delims.h"

#include <stdint.h>

enum {
    V2_MESSAGE_MAX = 64 << 20, /* bytes of a message */
    V2_SEGMENTS_MAX = 100000,
    V2_HEADER_MAX = 4096, /* bytes that v2_parse_header() looks at */
};

enum {
    V2_MESSAGE_E_HEADER = 1, /* no MSH with usable delimiters at the start */
    V2_MESSAGE_E_LIMIT = 2,  /* longer or with more segments than the limits above */
    V2_MESSAGE_E_BATCH = 3,  /* FHS or BHS: fhir/v2/batch.h cuts them */
};

/*
 * @name:   "PID", terminated; "" for a line that isn't a segment
 * @text:   its bytes without the terminator; borrowed from the message
 * @fields: count of field separators in it, which is the number of its last field
 * @first:  where its field offsets begin in the message's list
 */
struct v2_segment {
    char name[4];
    struct str text;
    uint32_t fields;
    uint32_t first;
};

/*
 * @text:     the whole message as received; borrowed
 * @segments: @count of them, in the arena
 * @offsets:  for each field separator the offset of the byte after it, from @text
 */
struct v2_message {
    struct str text;
    struct v2_delims delims;
    struct v2_segment *segments;
    size_t count;
    uint32_t *offsets;
};

/* What the header says, as received: not unescaped. Empty where the message is silent. */
struct v2_header {
    struct str sending_application; /* MSH-3 */
    struct str sending_facility;    /* MSH-4 */
    struct str receiving_application;
    struct str receiving_facility;
    struct str time;       /* MSH-7.1 */
    struct str type;       /* MSH-9.1, "ORU" */
    struct str event;      /* MSH-9.2, "R01"; else EVN-1 */
    struct str structure;  /* MSH-9.3 */
    struct str control_id; /* MSH-10 */
    struct str processing; /* MSH-11 */
    struct str version;    /* MSH-12.1 */
    struct str charset;    /* MSH-18, first repetition */
};

/**
 * v2_parse() - index a message
 * @arena:  memory for the index, about four bytes a field
 * @text:   the message, without MLLP framing; @out borrows from it
 * @issues: told what was tolerated: LF or CRLF as segment end, blank lines, lines that are no
 *          segments, a byte order mark; or, as fatal, why the message can't be read
 * @out:    the message
 *
 * An LF in a message whose segments end in CR ends a segment only where a segment name
 * follows; otherwise it belongs to the text.
 *
 * Return: 0, V2_MESSAGE_E_… or -ENOMEM; @out is set only on 0.
 * Spec:   HL7 v2.5.1 section 2.5
 */
MUST_USE int v2_parse(struct arena *arena, struct str text, struct issues *issues,
                      struct v2_message *out);

/**
 * v2_parse_header() - index only the header segment, to answer what can't be read as a whole
 * @arena: memory for the index
 * @text:  what was received; may start with MSH, FHS or BHS
 * @out:   a message of one segment
 *
 * Return: 0, V2_MESSAGE_E_HEADER or -ENOMEM; @out is set only on 0.
 */
MUST_USE int v2_parse_header(struct arena *arena, struct str text, struct v2_message *out);

/* Of a batch's header (v2_parse_header()): sender, receiver, time and control id. */
void v2_header(const struct v2_message *message, struct v2_header *out);

/*
 * Field @number of @segment with all its repetitions; p is NULL if the segment ends before it.
 * In MSH, FHS and BHS field 1 is the separator itself and 2 the encoding characters; field 0
 * is the name everywhere.
 */
struct str v2_field(const struct v2_message *message, const struct v2_segment *segment,
                    uint32_t number);

/* The number of the segment's last field, counted as the standard does. */
uint32_t v2_field_last(const struct v2_segment *segment);

/* The next segment called @name at or after index @from; its index, or count if there is none.
 */
size_t v2_find(const struct v2_message *message, const char *name, size_t from);
