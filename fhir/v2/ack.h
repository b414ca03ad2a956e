/*
 * Acknowledgements: MSH, MSA and, if something is wrong, ERR.
 *
 * In original mode there is one: AA, AE or AR. In enhanced mode the sender says in MSH-15 when
 * it wants to hear that the message is in safe storage (CA, CE, CR) and in MSH-16 when it wants
 * to hear what came of it (AA, AE, AR), as a message of its own.
 */
#pragma once

#include "crypto/base/buf.h"
#include "fhir/v2/message.h"

enum v2_ack_code {
    V2_ACK_ACCEPT, /* AA, CA */
    V2_ACK_ERROR,  /* AE, CE: sending the same again won't help */
    V2_ACK_REJECT, /* AR, CR: it may help later */
};

/* Why a message is not accepted, from HL7 table 0357. */
enum v2_ack_condition {
    V2_ACK_SEQUENCE = 100,
    V2_ACK_REQUIRED = 101,
    V2_ACK_DATA_TYPE = 102,
    V2_ACK_TABLE_VALUE = 103,
    V2_ACK_UNSUPPORTED_TYPE = 200,
    V2_ACK_UNSUPPORTED_EVENT = 201,
    V2_ACK_UNSUPPORTED_PROCESSING = 202,
    V2_ACK_UNSUPPORTED_VERSION = 203,
    V2_ACK_UNKNOWN_KEY = 204,
    V2_ACK_INTERNAL = 207,
};

/* Which acknowledgement it is. */
enum v2_ack_mode {
    V2_ACK_ORIGINAL,
    V2_ACK_COMMIT,      /* enhanced: CA, CE, CR */
    V2_ACK_APPLICATION, /* enhanced: AA, AE, AR; wants no acknowledgement itself */
};

/*
 * @control_id: MSH-10 of the acknowledgement
 * @time:       MSH-7, "20261122180000+0000"
 * @condition:  why not; unused for V2_ACK_ACCEPT
 * @place:      where: "PID-3[2].4", "OBX[3]", or empty
 * @text:       a sentence for people; no content of the message
 */
struct v2_ack {
    enum v2_ack_mode mode;
    enum v2_ack_code code;
    struct str control_id;
    struct str time;
    enum v2_ack_condition condition;
    struct str place;
    struct str text;
};

/* When a sender wants one, from HL7 table 0155; what is none of these means always. */
enum v2_ack_when {
    V2_ACK_ALWAYS,
    V2_ACK_NEVER,
    V2_ACK_ON_ERROR, /* errors and rejections */
    V2_ACK_ON_SUCCESS,
};

/* What a message asks for. Without MSH-15 and MSH-16 it is in original mode; if one of them is
 * valued the other means never. */
struct v2_ack_wish {
    bool enhanced;
    enum v2_ack_when commit;
    enum v2_ack_when application;
};

void v2_ack_wish(const struct v2_message *message, struct v2_ack_wish *out);

/* Whether an acknowledgement with @code is wanted. */
bool v2_ack_wanted(enum v2_ack_when when, enum v2_ack_code code);

/**
 * v2_ack_write() - append an acknowledgement
 * @arena: memory to work in
 * @about: the message, or what v2_parse_header() made of one that can't be read, or NULL if
 *         not even that: then sender, receiver and MSA-2 stay empty
 * @ack:   what to say
 * @out:   where to
 *
 * Sender and receiver change places; delimiters, processing id, version and character set are
 * those of @about, but UTF-8 where that is UTF-16 or 32. Versions 2.3 and 2.4 have place and
 * condition in ERR-1, as those before have; later ones in ERR-2 to 8.
 *
 * Return: 0 or -ENOMEM
 * Spec:   HL7 v2.5.1 sections 2.9.2, 2.9.3, 2.13.1, 2.15.5, 2.15.8
 */
MUST_USE int v2_ack_write(struct arena *arena, const struct v2_message *about,
                          const struct v2_ack *ack, struct buf *out);

/* "AA", "CE", … */
const char *v2_ack_code_name(enum v2_ack_mode mode, enum v2_ack_code code);

/* The condition for what an issue's code says is wrong, such as "required". */
enum v2_ack_condition v2_ack_condition_of(const char *issue_code);
