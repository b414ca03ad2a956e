/* What the files of delivery share. */
#pragma once

#include "fhir/translate/to_fhir.h"
#include "gateway/pipeline/deliver.h"
#include "gateway/pipeline/v2_case.h"

enum {
    DELIVER_ANSWER_MAX = 16 << 20, /* bytes of a FHIR server's answer */
};

/*
 * @row:      as it was when it was fetched; its spans are in the arena
 * @lease:    epoch under which its shard is held
 * @sealed:   the stored payload
 * @bundle:   translation, for FHIR destinations and for decisions
 * @entry_at: entry of the Bundle that is being looked up
 * @stored:   entries of what is there already, @stored_count of them, by URL
 * @ready:    its resources after joining them with what is stored, one for each entry
 */
struct deliver_exchange {
    struct v2_case v2;
    struct delivery *delivery;
    struct store_outbox row;
    int64_t lease;
    struct way_out *out;
    struct translate_result bundle;
    bool translated;
    struct mllp_client *client;
    size_t entry_at;
    struct deliver_entry *ready;
    const struct translate_entry **stored;
    size_t stored_count;
    struct sealed_payload *sealed;
};

/*
 * An entry as it will be sent.
 *
 * @stored:    the resource as it is there
 * @stored_id: empty: not there yet
 * @gone:      a patient that another one took the place of
 * @unchanged: what is stored says the same, or another entry says it all
 */
struct deliver_entry {
    struct str resource;
    struct str stored;
    struct str stored_id;
    struct str version;
    bool gone;
    bool unchanged;
};

static inline struct deliver_exchange *deliver_of(struct exchange *ex)
{
    return ex->data;
}

/* How a try ended, each with what becomes of the row. */
enum step deliver_done(struct exchange *ex);
enum step deliver_retry(struct exchange *ex, const char *why);
enum step deliver_park(struct exchange *ex, const char *why);

/*
 * Whether the decision to deliver stands; @arg is the exchange. Whatever took time since it was
 * made, nothing leaves before this was asked: if consents moved, it is decided anew.
 */
bool deliver_stands(void *arg);

/* It doesn't stand: what becomes of the row now. */
enum step deliver_withdraw(struct exchange *ex);

/* Stage "translate" for what a FHIR client wrote, to a v2 receiver. */
enum step deliver_written_enter(struct exchange *ex);

/* Stage "forward" for the two kinds of destinations. */
enum step deliver_fhir_enter(struct exchange *ex);
enum step deliver_mllp_enter(struct exchange *ex);
