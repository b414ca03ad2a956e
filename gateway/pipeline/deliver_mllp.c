/*
 * Stage "forward" to a v2 receiver: the message as it came, byte for byte; or as it was made of
 * what a FHIR client wrote.
 *
 * A time-out or a cut leaves open whether the receiver has it; the same bytes are sent again,
 * under the same MSH-10, before anything later of this patient.
 */
#include "gateway/pipeline/deliver_impl.h"

#include "fhir/v2/address.h"
#include "gateway/net/mllp_client.h"

/* Whether the answer is about our message: MSA-2 repeats MSH-10. */
static bool answers(const struct deliver_exchange *deliver, const struct v2_message *ack)
{
    struct str control;
    if (deliver->v2.header.control_id.n == 0) {
        return true;
    }
    return v2_get_z(ack, "MSA-2", &control) == V2_PRESENT &&
           str_eq(control, deliver->v2.header.control_id);
}

static enum step on_ack(struct exchange *ex, struct str answer)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    struct issues issues;
    struct v2_message ack;
    struct str code = { 0 };
    issues_init(&issues, ex->arena);
    answer = arena_str(ex->arena, answer);
    if (!answer.p || v2_parse(ex->arena, answer, &issues, &ack) != 0 ||
        v2_get_z(&ack, "MSA-1", &code) != V2_PRESENT) {
        return deliver_retry(ex, "ack-unreadable");
    }
    if (!answers(deliver, &ack)) {
        return deliver_retry(ex, "ack-mismatch");
    }
    if (str_eq(code, STR("AA")) || str_eq(code, STR("CA"))) {
        return deliver_done(ex);
    }
    if (str_eq(code, STR("AE")) || str_eq(code, STR("CE"))) {
        return deliver_park(ex, "ack-error");
    }
    return deliver_retry(ex, "ack-reject");
}

static void on_sent(void *arg, enum mllp_fail fail, struct str answer)
{
    struct exchange *ex = exchange_woken(arg);
    if (fail == MLLP_FAIL_WITHDRAWN) {
        exchange_move(ex, deliver_withdraw(ex));
        return;
    }
    exchange_move(ex, fail ? deliver_retry(ex, mllp_fail_text(fail)) : on_ack(ex, answer));
}

enum step deliver_mllp_enter(struct exchange *ex)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    return exchange_wait(
        ex, mllp_send(deliver->client, deliver->v2.raw, deliver_stands, on_sent, ex));
}
