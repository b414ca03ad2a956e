/* Acknowledgements in original mode: MSH, MSA and, if something is wrong, ERR. */
#pragma once

#include "crypto/base/buf.h"
#include "fhir/v2/message.h"

enum v2_ack_code {
    V2_ACK_ACCEPT, /* AA */
    V2_ACK_ERROR,  /* AE: sending the same again won't help */
    V2_ACK_REJECT, /* AR: it may help later */
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

/*
 * @control_id: MSH-10 of the acknowledgement
 * @time:       MSH-7, "20261122180000+0000"
 * @condition:  why not; unused for V2_ACK_ACCEPT
 * @place:      where, "PID-3[2].4", or empty
 * @text:       a sentence for people; no content of the message
 */
struct v2_ack {
    enum v2_ack_code code;
    struct str control_id;
    struct str time;
    enum v2_ack_condition condition;
    struct str place;
    struct str text;
};

/**
 * v2_ack_write() - append an acknowledgement
 * @out:   where to
 * @about: the message, or what v2_parse_header() made of one that can't be read, or NULL if
 *         not even that: then sender, receiver and MSA-2 stay empty
 * @ack:   what to say
 *
 * Sender and receiver change places; delimiters, processing id, version and character set are
 * those of @about. Up to version 2.4 ERR-1 holds place and condition, later ERR-2 to 8 do.
 *
 * Spec: HL7 v2.5.1 sections 2.9.2, 2.13.1, 2.15.5, 2.15.8
 */
void v2_ack_write(struct buf *out, const struct v2_message *about, const struct v2_ack *ack);

/* "AA", "AE" or "AR". */
const char *v2_ack_code_name(enum v2_ack_code code);
