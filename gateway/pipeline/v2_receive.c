/*
 * The stages of a v2 message on its way in.
 *
 * What becomes of it at each destination is a row of the outbox: open, held or withheld. The
 * message itself is stored once, sealed under the keys of all patients it is about.
 */
#include "gateway/pipeline/v2_receive.h"

#include "fhir/format/json_write.h"
#include "fhir/v2/ack.h"
#include "gateway/clock.h"
#include "gateway/consents.h"
#include "gateway/id.h"
#include "gateway/metrics.h"
#include "gateway/pipeline/dossier.h"
#include "gateway/pipeline/v2_case.h"
#include "gateway/store/outbox.h"
#include "gateway/vault.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

enum {
    ACK_MAX = 16 << 10,
    ACTOR_MAX = 4 << 10,
};

struct v2_exchange {
    struct v2_case v2;
    struct way_in *way;
    struct mllp_msg *msg;
};

static struct v2_exchange *received(struct exchange *ex)
{
    return ex->data;
}

static struct v2_case *v2_of(struct exchange *ex)
{
    return ex->data;
}

/* --- receive, authenticate ---------------------------------------------------------------- */

static enum step receive_enter(struct exchange *ex)
{
    v2_of(ex)->dossier.payload = v2_of(ex)->raw;
    return STEP_NEXT;
}

static enum step authenticate_enter(struct exchange *ex)
{
    struct v2_case *v2 = v2_of(ex);
    v2->sender = way_in_sender(received(ex)->way, mllp_msg_peer(received(ex)->msg),
                               mllp_msg_tls_peer(received(ex)->msg));
    if (!v2->sender) {
        return exchange_stop(ex, OUTCOME_UNAUTHENTICATED, "sender");
    }
    struct buf actor = arena_buf(ex->arena, ACTOR_MAX);
    struct json_writer w = json_writer(&actor);
    json_object(&w, NULL);
    json_z(&w, "listener", received(ex)->way->config->place.name);
    json_z(&w, "organization", v2->sender->organization);
    json_end(&w);
    v2->dossier.actor = buf_str(&actor);
    return buf_failed(&actor) ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory") : STEP_NEXT;
}

/* --- translate: whom is it about ---------------------------------------------------------- */

static bool part_matches(struct str pattern, struct str value)
{
    return str_eq(pattern, STR("*")) || str_eq(pattern, value);
}

static bool when_matches(const struct config_when *when, const struct v2_header *header)
{
    if (!when || !when->message) {
        return true;
    }
    struct str event = str_z(when->message);
    struct str type = str_cut(&event, '^');
    return part_matches(type, header->type) &&
           (event.n == 0 || part_matches(event, header->event));
}

/* The first route of the listener whose condition holds. */
static const struct config_route *find_route(struct exchange *ex)
{
    const struct way_in *way = received(ex)->way;
    const struct config *config = way->worker->config;
    for (size_t i = 0; i < config->routes.n; i++) {
        const struct config_route *route = config_route(config, i);
        if (strcmp(route->from, way->config->place.name) == 0 &&
            when_matches(route->when, &v2_of(ex)->header)) {
            return route;
        }
    }
    return NULL;
}

/* The message's control id finds a repetition; without one its digest does. */
static int set_control(struct exchange *ex)
{
    struct v2_case *v2 = v2_of(ex);
    struct batch_control *control = &v2->dossier.control;
    digest_sha256(v2->raw, control->digest);
    struct buf sender = arena_buf(ex->arena, ACTOR_MAX);
    buf_z(&sender, v2->sender->organization);
    buf_c(&sender, '\n');
    buf_str_put(&sender, v2->header.sending_application);
    buf_c(&sender, '\n');
    buf_str_put(&sender, v2->header.sending_facility);
    struct str id = v2->header.control_id.n ? v2->header.control_id
                                            : str_of(control->digest, sizeof(control->digest));
    vault_control_hash(v2->dossier.worker->vault, buf_str(&sender), id, control->key);
    control->ack = STR("AA");
    control->time = ex->time;
    return buf_failed(&sender) ? -ENOMEM : 0;
}

static enum step translate_enter(struct exchange *ex)
{
    struct v2_case *v2 = v2_of(ex);
    int r = v2_case_parse(ex);
    if (r != 0) {
        return r < 0 ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory")
                     : exchange_stop(ex, OUTCOME_BAD_REQUEST, "unreadable");
    }
    v2->dossier.route = find_route(ex);
    struct buf request = arena_buf(ex->arena, ACTOR_MAX);
    buf_str_put(&request, v2->header.type);
    buf_c(&request, '^');
    buf_str_put(&request, v2->header.event);
    buf_c(&request, ' ');
    buf_str_put(&request, v2->header.control_id);
    v2->dossier.request = buf_str(&request);
    if (!v2->dossier.route) {
        return exchange_stop(ex, OUTCOME_UNSUPPORTED, "no-route");
    }
    dossier_route(ex, v2->dossier.route);

    return v2_case_resolve(ex);
}

/* --- consent ------------------------------------------------------------------------------ */

/* The route as the outbox keeps it: with the sender, whose assigners and zone translation
 * needs. */
static struct str row_route(struct exchange *ex)
{
    const struct v2_case *v2 = v2_of(ex);
    const struct config_sender *first = received(ex)->way->config->senders.items;
    struct buf name = arena_buf(ex->arena, 2 * (size_t)RECORD_NAME_MAX);
    buf_fmt(&name, "%s:%d:%d", v2->dossier.route->from, v2->dossier.route->index,
            (int)(v2->sender - first));
    return buf_str(&name);
}

static void add_row(struct exchange *ex, const struct config_destination *to,
                    enum store_outbox_state state, const char *basis)
{
    struct v2_case *v2 = v2_of(ex);
    struct batch_outbox *row = &v2->dossier.outboxes[v2->dossier.outbox_count++];
    *row = (struct batch_outbox){
        .destination = str_z(to->place.name),
        .route = row_route(ex),
        .state = (int16_t)state,
        .blocks = state == STORE_OUTBOX_OPEN || state == STORE_OUTBOX_HELD ||
                  (state == STORE_OUTBOX_PARKED && v2->dossier.route->on_park == PARK_WAIT),
        .created = ex->time,
        .next_at = ex->time,
        .reason = str_z(basis),
    };
    if (v2->patients.count && !v2->nameless && !v2->conflict) {
        memcpy(row->patient, v2->numbers[0], sizeof(row->patient));
    }
    memcpy(row->exchange, ex->id, sizeof(row->exchange));
}

/* What holds for all destinations alike; STORE_OUTBOX_OPEN if each decides for itself. */
static enum store_outbox_state common_state(const struct v2_case *v2, const char **basis)
{
    if (v2->conflict) {
        *basis = "identity-conflict";
        return STORE_OUTBOX_PARKED;
    }
    if (v2->nameless || v2->patients.count == 0) {
        *basis = "no-identifier";
        return STORE_OUTBOX_WITHHELD;
    }
    return STORE_OUTBOX_OPEN;
}

static enum store_outbox_state state_of(enum v2_verdict verdict, enum record_mode mode)
{
    if (mode != RECORD_ENFORCE) {
        return STORE_OUTBOX_OPEN; /* by the operator's written choice */
    }
    switch (verdict) {
    case V2_PERMIT: return STORE_OUTBOX_OPEN;
    case V2_HELD: return STORE_OUTBOX_HELD;
    case V2_DENY: return STORE_OUTBOX_WITHHELD;
    }
    return STORE_OUTBOX_WITHHELD;
}

static enum step consent_enter(struct exchange *ex)
{
    static const enum outcome outcomes[] = {
        [STORE_OUTBOX_OPEN] = OUTCOME_PERMIT,
        [STORE_OUTBOX_HELD] = OUTCOME_HELD,
        [STORE_OUTBOX_WITHHELD] = OUTCOME_WITHHELD,
        [STORE_OUTBOX_PARKED] = OUTCOME_PARKED,
    };
    struct v2_case *v2 = v2_of(ex);
    struct dossier *dossier = &v2->dossier;
    const struct config_route *route = dossier->route;
    dossier->epoch = consents_epoch(dossier->worker->consents);
    dossier->decide_again = "translate"; /* identifiers may lead elsewhere now */
    dossier->keep = true;                /* delivery is made from what is stored */
    dossier->outboxes = arena_calloc(ex->arena, route->to.n, sizeof(*dossier->outboxes));
    if (!dossier->outboxes || set_control(ex) < 0) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    dossier->has_control = true;

    const char *basis = "permit";
    enum store_outbox_state common = common_state(v2, &basis);
    enum store_outbox_state best = common == STORE_OUTBOX_OPEN ? STORE_OUTBOX_WITHHELD : common;
    const char *best_basis = basis;
    for (size_t i = 0; i < route->to.n; i++) {
        const struct config_destination *to =
            config_destination_named(dossier->worker->config, route->to.items[i]);
        enum store_outbox_state state = common;
        if (common == STORE_OUTBOX_OPEN) {
            state = state_of(v2_case_decide(ex, to, &basis), dossier->mode);
        }
        add_row(ex, to, state, basis);
        if (i == 0 || state < best) {
            best = state;
            best_basis = basis;
        }
    }
    ex->outcome = outcomes[best];
    ex->basis = best_basis;
    return STEP_NEXT;
}

/* --- respond ------------------------------------------------------------------------------ */

static void put_time(int64_t ms, char *out, size_t size)
{
    time_t seconds = ms / 1000;
    struct tm tm;
    (void)gmtime_r(&seconds, &tm);
    (void)strftime(out, size, "%Y%m%d%H%M%S+0000", &tm);
}

static struct v2_ack unreadable(const struct v2_case *v2)
{
    const struct issue *issue = v2->issues.last;
    bool required = issue && strcmp(issue->code, "required") == 0;
    return (struct v2_ack){
        .code = V2_ACK_ERROR,
        .condition = required ? V2_ACK_REQUIRED : V2_ACK_DATA_TYPE,
        .place = issue ? issue->place : STR(""),
        .text = required ? STR("a message must say its type")
                         : STR("not a readable HL7 v2 message"),
    };
}

/* What the sender hears; the table of DESIGN section 2. AA only for what is stored whole: a
 * record that says why it isn't is committed as well. */
static struct v2_ack answer(const struct exchange *ex)
{
    const struct v2_ack not_stored = { .code = V2_ACK_REJECT,
                                       .condition = V2_ACK_INTERNAL,
                                       .text = STR("not stored; send again later") };
    const struct v2_ack too_much = { .code = V2_ACK_ERROR,
                                     .condition = V2_ACK_INTERNAL,
                                     .text = STR("beyond the limits for one message") };
    const struct v2_case *v2 = ex->data;
    if (!v2->dossier.committed) {
        return not_stored;
    }
    switch (ex->outcome) {
    case OUTCOME_PERMIT:
    case OUTCOME_HELD:
    case OUTCOME_WITHHELD:
    case OUTCOME_PARKED: return (struct v2_ack){ .code = V2_ACK_ACCEPT };
    case OUTCOME_UNSUPPORTED:
        return (struct v2_ack){ .code = V2_ACK_ERROR,
                                .condition = V2_ACK_UNSUPPORTED_TYPE,
                                .place = STR("MSH-9"),
                                .text = STR("no route takes messages of this type") };
    case OUTCOME_BAD_REQUEST: return v2->readable ? too_much : unreadable(v2);
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

static void count(const struct exchange *ex, enum v2_ack_code code)
{
    static const enum metric metrics[] = {
        [V2_ACK_ACCEPT] = METRIC_HL7_ACK_AA,
        [V2_ACK_ERROR] = METRIC_HL7_ACK_AE,
        [V2_ACK_REJECT] = METRIC_HL7_ACK_AR,
    };
    const struct v2_case *v2 = ex->data;
    metrics_add(metrics[code], 1);
    metrics_add(METRIC_CONTROL_ID_REPEATED,
                v2->dossier.result.control == BATCH_CONTROL_REPEATED);
    metrics_add(METRIC_CONTROL_ID_REUSED, v2->dossier.result.control == BATCH_CONTROL_REUSED);
}

static enum step respond_enter(struct exchange *ex)
{
    struct v2_case *v2 = v2_of(ex);
    struct v2_ack ack = answer(ex);
    char id[ID_TEXT_SIZE];
    char time[32];
    id_text(ex->id, id);
    put_time(clock_utc_ms(), time, sizeof(time));
    ack.control_id = str_slice(str_z(id), ID_TEXT_SIZE - 1 - 20, ID_TEXT_SIZE - 1);
    ack.time = str_z(time);

    struct v2_message header;
    const struct v2_message *about = v2->readable ? &v2->message : NULL;
    if (!about && v2_parse_header(ex->arena, v2->raw, &header) == 0) {
        about = &header;
    }
    struct buf text = arena_buf(ex->arena, ACK_MAX);
    v2_ack_write(&text, about, &ack);
    if (buf_failed(&text)) {
        mllp_close(received(ex)->msg); /* no answer: the sender will send it again */
    } else {
        mllp_reply(received(ex)->msg, buf_str(&text));
        count(ex, ack.code);
    }
    received(ex)->msg = NULL;
    return STEP_NEXT;
}

static const struct stage v2_receive_pipeline[] = {
    /* name           enter               wait  runs */
    { "receive", receive_enter, 0, WHILE_OPEN },
    { "authenticate", authenticate_enter, 0, WHILE_OPEN },
    { "translate", translate_enter, 5, WHILE_OPEN },
    { "consent", consent_enter, 0, WHILE_OPEN },
    { "seal", seal_enter, 5, ALWAYS },
    { "record", record_enter, 5, ALWAYS },
    { "respond", respond_enter, 0, ALWAYS },
    { 0 },
};

static void ended(struct exchange *ex)
{
    (void)ex;
}

void v2_receive(struct way_in *way, struct mllp_msg *msg, struct str bytes)
{
    struct exchange *ex =
        exchange_new(way->worker->loop, v2_receive_pipeline, sizeof(struct v2_exchange), ended);
    if (!ex) {
        mllp_close(msg);
        return;
    }
    struct v2_case *v2 = v2_of(ex);
    received(ex)->way = way;
    received(ex)->msg = msg;
    dossier_init(ex, way->worker, RECORD_V2_RECEIVE);
    v2->raw = arena_str(ex->arena, bytes);
    if (!v2->raw.p) {
        exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    exchange_start(ex);
}
