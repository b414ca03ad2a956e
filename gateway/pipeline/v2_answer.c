/*
 * Stage "respond": what the sender of a v2 message hears.
 *
 * In original mode one acknowledgement. In enhanced mode, where the sender's configuration
 * allows it, first whether the message is in safe storage, if MSH-15 wants to know, and then,
 * in a frame of its own, what came of it, if MSH-16 does. What isn't taken into storage has no
 * second answer, but one at least if either was wanted.
 */
#include "gateway/pipeline/v2_impl.h"

#include "fhir/v2/charset.h"
#include "gateway/clock.h"
#include "gateway/id.h"
#include "gateway/metrics.h"

enum {
    ACK_MAX = 16 << 10,
    ACKS_MAX = 2,
    CONTROL_ID = 20, /* characters of MSH-10 */
};

static struct v2_exchange *received(struct exchange *ex)
{
    return ex->data;
}

/* What the sender hears; the table of DESIGN section 2. AA only for what is stored whole: a
 * record that says why it isn't is committed as well. */
static struct v2_ack verdict(struct exchange *ex)
{
    const struct v2_ack not_stored = { .code = V2_ACK_REJECT,
                                       .condition = V2_ACK_INTERNAL,
                                       .text = STR("not stored; send again later") };
    const struct v2_exchange *rx = received(ex);
    if (!rx->v2.dossier.committed) {
        return not_stored;
    }
    switch (ex->outcome) {
    case OUTCOME_PERMIT:
    case OUTCOME_HELD:
    case OUTCOME_WITHHELD:
    case OUTCOME_PARKED: return (struct v2_ack){ .code = V2_ACK_ACCEPT };
    case OUTCOME_UNSUPPORTED:
    case OUTCOME_BAD_REQUEST:
        return (struct v2_ack){ .code = V2_ACK_ERROR,
                                .condition = rx->refusal.condition,
                                .place = rx->refusal.place,
                                .text = rx->refusal.text };
    case OUTCOME_OPEN:
    case OUTCOME_DENY:
    case OUTCOME_DONE:
    case OUTCOME_DELIVERED:
    case OUTCOME_RETRY:
    case OUTCOME_UNAUTHENTICATED:
    case OUTCOME_FORBIDDEN:
    case OUTCOME_UNAVAILABLE:
    case OUTCOME_UPSTREAM:
    case OUTCOME_TIMEOUT:
    case OUTCOME_UNKNOWN:
    case OUTCOME_FAILED: return not_stored;
    }
    return not_stored;
}

static void count(struct exchange *ex, enum v2_ack_code code)
{
    static const enum metric metrics[] = {
        [V2_ACK_ACCEPT] = METRIC_HL7_ACK_AA,
        [V2_ACK_ERROR] = METRIC_HL7_ACK_AE,
        [V2_ACK_REJECT] = METRIC_HL7_ACK_AR,
    };
    const struct v2_case *v2 = &received(ex)->v2;
    metrics_add(metrics[code], 1);
    metrics_add(METRIC_CONTROL_ID_REPEATED,
                v2->dossier.result.control == BATCH_CONTROL_REPEATED);
    metrics_add(METRIC_CONTROL_ID_REUSED, v2->dossier.result.control == BATCH_CONTROL_REUSED);
}

/* Which acknowledgements are due, in their order. */
static size_t modes(const struct v2_exchange *rx, const struct v2_message *about,
                    enum v2_ack_code code, enum v2_ack_mode out[ACKS_MAX])
{
    struct v2_ack_wish wish = { .enhanced = false };
    if (about) {
        v2_ack_wish(about, &wish);
    }
    bool heeded = rx->v2.sender && rx->v2.sender->ack == ACK_ENHANCED;
    if (wish.enhanced && !heeded) {
        metrics_add(METRIC_HL7_WISH_UNHEEDED, rx->v2.sender != NULL);
        wish.enhanced = false;
    }
    if (!wish.enhanced) {
        out[0] = V2_ACK_ORIGINAL;
        return 1;
    }
    size_t n = 0;
    if (v2_ack_wanted(wish.commit, code)) {
        out[n++] = V2_ACK_COMMIT;
    }
    bool stored = code == V2_ACK_ACCEPT;
    if ((stored || n == 0) && v2_ack_wanted(wish.application, code)) {
        out[n++] = V2_ACK_APPLICATION;
    }
    return n;
}

/* The message in UTF-8, or what can be read of its header; NULL: not even that. */
static const struct v2_message *about_what(struct exchange *ex, struct v2_message *header)
{
    struct v2_case *v2 = &received(ex)->v2;
    if (received(ex)->asked) {
        return received(ex)->asked;
    }
    if (v2->readable) {
        return &v2->message;
    }
    return v2_parse_header(ex->arena, v2->raw, header) == 0 ? header : NULL;
}

/* In the character set of the message, which the acknowledgement names as well. */
static int encode(struct exchange *ex, const struct v2_message *about, struct str *ack)
{
    struct v2_charsets sets = { .first = V2_CHARSET_NONE };
    const struct v2_case *v2 = &received(ex)->v2;
    if (!v2->readable) {
        return 0; /* copied as it came */
    }
    v2_charsets_read(v2_field(about, &about->segments[0], 18), about->delims.repetition, &sets);
    bool wide = sets.first == V2_CHARSET_UTF16 || sets.first == V2_CHARSET_UTF32;
    if (wide) {
        sets.first = V2_CHARSET_UTF8;
    } else if (sets.first <= V2_CHARSET_OTHER && !sets.others) {
        sets.first = v2_charset_find(str_z(v2->sender->charset));
    }
    int r = v2_from_utf8(ex->arena, &sets, *ack, ack);
    return r < 0 ? r : 0;
}

static int write(struct exchange *ex, const struct v2_message *about, struct v2_ack *ack,
                 struct str *out)
{
    char id[ID_TEXT_SIZE];
    char time[CLOCK_V2_SIZE];
    id_text(ex->id, id);
    clock_v2(clock_utc_ms(), time);
    size_t end = sizeof(id) - 1;
    id[end - CONTROL_ID] = ack->mode == V2_ACK_APPLICATION ? 'A' : id[end - CONTROL_ID];
    ack->control_id = str_of(id + end - CONTROL_ID, CONTROL_ID);
    ack->time = str_z(time);
    struct buf text = arena_buf(ex->arena, ACK_MAX);
    int r = v2_ack_write(ex->arena, about, ack, &text);
    *out = buf_str(&text);
    return r ? r : encode(ex, about, out);
}

enum step v2_respond_enter(struct exchange *ex)
{
    struct v2_exchange *rx = received(ex);
    struct v2_message header;
    const struct v2_message *about = about_what(ex, &header);
    struct v2_ack ack = verdict(ex);
    enum v2_ack_mode due[ACKS_MAX];
    struct str acks[ACKS_MAX];
    size_t n = modes(rx, about, ack.code, due);
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++) {
        ack.mode = due[i];
        r = write(ex, about, &ack, &acks[i]);
    }
    if (r < 0) {
        rx->asker.give_up(rx->asker.owner);
    } else {
        rx->asker.answer(rx->asker.owner, acks, n);
        count(ex, ack.code);
    }
    rx->msg = NULL;
    return STEP_NEXT;
}
