/* What the files of gateway/pipeline/v2_receive share: a message on its way in. */
#pragma once

#include "fhir/v2/ack.h"
#include "gateway/pipeline/v2_case.h"
#include "gateway/way_in.h"

/*
 * Who waits for the answer to a message; one of the two is called once.
 *
 * @answer:  @n acknowledgements; none is an answer too
 * @give_up: no answer, so the sender will send it again
 */
struct v2_asker {
    void (*answer)(void *owner, const struct str *acks, size_t n);
    void (*give_up)(void *owner);
    void *owner;
};

/* Why a message is not taken: static texts, or in the arena. */
struct v2_refusal {
    enum v2_ack_condition condition;
    struct str place;
    struct str text;
};

struct v2_parts;

/*
 * @msg:     what it came in, alone or with others; alive until it is answered
 * @parts:   if it is one of several, or was put together of them; else NULL
 * @whole:   it was put together; @asked, text @last, is what came, which the answer is about
 * @refused: before it was read
 * @refusal: set before the exchange is stopped as unreadable or unsupported
 */
struct v2_exchange {
    struct v2_case v2;
    struct way_in *way;
    struct mllp_msg *msg;
    struct v2_asker asker;
    struct v2_parts *parts;
    bool whole;
    struct v2_message *asked;
    struct str last;
    bool refused;
    struct v2_refusal refusal;
};

/* Take one message, or refuse it for @refusal without reading it, if that isn't NULL: then it
 * is recorded and answered all the same. @bytes and @refusal are copied. Return: 0, or -ENOMEM:
 * the asker is not told. */
MUST_USE int v2_receive_one(struct way_in *way, struct mllp_msg *msg, struct str bytes,
                            const struct v2_asker *asker, const struct v2_refusal *refusal);

/* Stage "translate": read it, and find its route. */
enum step v2_translate_enter(struct exchange *ex);

/* Stages of v2_parts.c: parts of messages. */
enum step v2_parts_enter(struct exchange *ex);
enum step v2_hold_enter(struct exchange *ex);
enum step v2_joined_enter(struct exchange *ex);

/* Stage "respond". */
enum step v2_respond_enter(struct exchange *ex);

/* Take a batch: each message of it is an exchange; one answer has all their answers. */
void v2_receive_batch(struct way_in *way, struct mllp_msg *msg, struct str bytes);
