/*
 * The stages of a v2 message on its way in.
 *
 * What becomes of it at each destination is a row of the outbox: open, held or withheld. The
 * message itself is stored once, sealed under the keys of all patients it is about.
 */
#include "gateway/pipeline/v2_receive.h"

#include "fhir/format/json_write.h"
#include "fhir/translate/lack.h"
#include "fhir/translate/to_fhir.h"
#include "fhir/v2/batch.h"
#include "gateway/consents.h"
#include "gateway/metrics.h"
#include "gateway/pipeline/v2_impl.h"
#include "gateway/pipeline/v2_valid.h"
#include "gateway/stored_route.h"
#include "gateway/vault.h"

#include <errno.h>
#include <stdio.h>

enum {
    ACTOR_MAX = 4 << 10,
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

/* Refuse the message with an ERR; the exchange is recorded and answered. */
static enum step refuse(struct exchange *ex, enum outcome outcome, const char *basis,
                        struct v2_refusal refusal)
{
    received(ex)->refusal = refusal;
    return exchange_stop(ex, outcome, basis);
}

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

/* The control id of what came finds a repetition; without one its digest does. */
static int set_control(struct exchange *ex)
{
    struct v2_case *v2 = v2_of(ex);
    const struct v2_exchange *rx = received(ex);
    struct batch_control *control = &v2->dossier.control;
    struct v2_header came = v2->header;
    if (rx->whole) {
        v2_header(rx->asked, &came);
    }
    digest_sha256(rx->whole ? rx->last : v2->raw, control->digest);
    struct buf sender = arena_buf(ex->arena, ACTOR_MAX);
    buf_z(&sender, v2->sender->organization);
    buf_c(&sender, '\n');
    buf_str_put(&sender, v2->header.sending_application);
    buf_c(&sender, '\n');
    buf_str_put(&sender, v2->header.sending_facility);
    struct str id =
        came.control_id.n ? came.control_id : str_of(control->digest, sizeof(control->digest));
    vault_control_hash(v2->dossier.worker->vault, buf_str(&sender), id, control->key);
    control->ack = STR("AA");
    control->time = ex->time;
    return buf_failed(&sender) ? -ENOMEM : 0;
}

/* The request as the record commits to it: "ORU^R01 4711". */
static void set_request(struct exchange *ex)
{
    struct v2_case *v2 = v2_of(ex);
    struct buf request = arena_buf(ex->arena, ACTOR_MAX);
    buf_str_put(&request, v2->header.type);
    buf_c(&request, '^');
    buf_str_put(&request, v2->header.event);
    buf_c(&request, ' ');
    buf_str_put(&request, v2->header.control_id);
    v2->dossier.request = buf_str(&request);
}

/* Why it can't be read: the one fatal issue. */
static enum step refuse_unreadable(struct exchange *ex)
{
    const struct issue *issue = v2_of(ex)->issues.first;
    while (issue && issue->severity != ISSUE_FATAL) {
        issue = issue->next;
    }
    bool required = issue && strcmp(issue->code, "required") == 0;
    struct v2_refusal refusal = { .condition = required ? V2_ACK_REQUIRED : V2_ACK_DATA_TYPE,
                                  .place = issue ? issue->place : STR(""),
                                  .text = issue ? issue->text : STR("unreadable") };
    return refuse(ex, OUTCOME_BAD_REQUEST, "unreadable", refusal);
}

/* Whether a destination takes the message as it is, whatever it becomes. */
static bool passes(const struct v2_case *v2)
{
    const struct config *config = v2->dossier.worker->config;
    const struct config_strings *to = &v2->dossier.route->to;
    for (size_t i = 0; i < to->n; i++) {
        if (config_destination_named(config, to->items[i])->protocol == PROTOCOL_MLLP) {
            return true;
        }
    }
    return false;
}

static const struct rules *rules_of(const struct v2_case *v2)
{
    return maps_of(v2->dossier.worker->child->maps, v2->sender, v2->dossier.route);
}

/* What a readable message must have to be taken; STEP_NEXT, with its route, if it has. */
static enum step check_header(struct exchange *ex)
{
    struct v2_case *v2 = v2_of(ex);
    v2->dossier.route = find_route(ex);
    if (!v2->dossier.route) {
        return refuse(ex, OUTCOME_UNSUPPORTED, "no-route",
                      (struct v2_refusal){ V2_ACK_UNSUPPORTED_TYPE, STR("MSH-9"),
                                           STR("no route takes messages of this type") });
    }
    dossier_route(ex, v2->dossier.route);
    if (!passes(v2) && !translate_knows(rules_of(v2), &v2->message)) {
        return refuse(ex, OUTCOME_UNSUPPORTED, "no-map",
                      (struct v2_refusal){ V2_ACK_UNSUPPORTED_EVENT, STR("MSH-9"),
                                           STR("no map translates messages of this type") });
    }
    return STEP_NEXT;
}

enum step v2_translate_enter(struct exchange *ex)
{
    if (received(ex)->refused) {
        return exchange_stop(ex, OUTCOME_BAD_REQUEST, "batch");
    }
    int r = v2_case_parse(ex);
    if (r != 0) {
        return r < 0 ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory") : refuse_unreadable(ex);
    }
    set_request(ex);
    return check_header(ex);
}

/* --- validate: before anything of the message is made or kept ---------------------------- */

/* Nothing came of it. Where it passes as it is that doesn't matter. */
static enum step empty(struct exchange *ex)
{
    struct v2_case *v2 = v2_of(ex);
    struct translate_lack lack;
    if (passes(v2)) {
        return STEP_NEXT;
    }
    if (translate_lack(ex->arena, rules_of(v2), &v2->message, &lack) < 0) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    return refuse(ex, OUTCOME_BAD_REQUEST, "empty",
                  (struct v2_refusal){ lack.segment ? V2_ACK_SEQUENCE : V2_ACK_REQUIRED,
                                       lack.place, lack.text });
}

static enum step refuse_breach(struct exchange *ex, const struct issues *issues)
{
    struct v2_breach breach;
    if (v2_valid_breach(ex, ex->time, issues, &breach) < 0) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    bool missing = strcmp(breach.code, "structure") == 0;
    bool coded = strcmp(breach.code, "code-invalid") == 0;
    return refuse(ex, OUTCOME_BAD_REQUEST, "invalid",
                  (struct v2_refusal){ missing ? V2_ACK_REQUIRED
                                       : coded ? V2_ACK_TABLE_VALUE
                                               : V2_ACK_DATA_TYPE,
                                       breach.place, breach.text });
}

static enum step refuse_length(struct exchange *ex)
{
    return refuse(ex, OUTCOME_BAD_REQUEST, "too-large",
                  (struct v2_refusal){ V2_ACK_INTERNAL, STR("MSH"),
                                       STR("becomes more than can be validated") });
}

static enum step validate_enter(struct exchange *ex)
{
    struct v2_case *v2 = v2_of(ex);
    bool off = v2->dossier.route->validate == VALIDATE_OFF;
    bool reject = v2->dossier.route->validate == VALIDATE_REJECT;
    struct translate_result bundle;
    struct issues issues;
    enum v2_validity validity = V2_TOO_LONG;
    if (off && (passes(v2) || !translate_suspect(rules_of(v2), &v2->message))) {
        return STEP_NEXT;
    }
    issues_init(&issues, ex->arena);
    v2_case_bound(ex);
    int r = v2_case_translate(ex, ex->time, &bundle);
    bool any = r == 0 && bundle.count > 0;
    r = any && !off ? v2_valid_look(ex, &bundle, &issues, &validity) : r;
    bool outgrown = v2_case_unbound(ex);
    if (r < 0 && !outgrown) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    if (r == 0 && !any) {
        return empty(ex);
    }
    if (off || r == TRANSLATE_E_TYPE) {
        return STEP_NEXT; /* E_TYPE: only for destinations that take it as it is */
    }
    v2->doubtful = validity != V2_VALID;
    switch (validity) {
    case V2_VALID: metrics_add(METRIC_VALID, 1); return STEP_NEXT;
    case V2_INVALID:
        metrics_add(METRIC_INVALID, 1);
        return reject ? refuse_breach(ex, &issues) : STEP_NEXT;
    case V2_TOO_LONG: break;
    }
    metrics_add(METRIC_VALID_UNKNOWN, 1);
    return reject ? refuse_length(ex) : STEP_NEXT;
}

static enum step patients_enter(struct exchange *ex)
{
    received(ex)->refusal = (struct v2_refusal){ .condition = V2_ACK_INTERNAL,
                                                 .text = STR("more patients than one message "
                                                             "may be about") };
    return v2_case_resolve(ex);
}

/* --- consent ------------------------------------------------------------------------------ */

/* The route as the outbox keeps it. */
static struct str row_route(struct exchange *ex)
{
    const struct v2_case *v2 = v2_of(ex);
    const struct stored_route way = { v2->dossier.route, v2->sender };
    struct buf name = arena_buf(ex->arena, 2 * (size_t)RECORD_NAME_MAX);
    stored_route_put(&name, received(ex)->way->config, &way);
    return buf_str(&name);
}

static void add_row(struct exchange *ex, const struct config_destination *to,
                    enum store_outbox_state state, const char *basis)
{
    struct v2_case *v2 = v2_of(ex);
    struct batch_outbox *row = dossier_outbox(ex, to->place.name, row_route(ex), state, basis);
    if (v2->patients.count && !v2->nameless && !v2->conflict) {
        memcpy(row->patient, v2->numbers[0], sizeof(row->patient));
    }
}

/* What holds for all destinations alike; STORE_OUTBOX_OPEN if each decides for itself. */
static enum store_outbox_state common_state(const struct v2_case *v2, const char **basis)
{
    if (v2->conflict) {
        *basis = "identity-conflict";
        return STORE_OUTBOX_PARKED;
    }
    if (v2->nameless) {
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
    dossier->decide_again = "patients"; /* identifiers may lead elsewhere now */
    dossier->keep = true;               /* delivery is made from what is stored */
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
    ex->basis = v2->doubtful && best == STORE_OUTBOX_OPEN ? "invalid" : best_basis;
    return STEP_NEXT;
}

/* --- the way ------------------------------------------------------------------------------ */

static const struct stage v2_receive_pipeline[] = {
    /* name           enter               wait  runs */
    { "receive", receive_enter, 0, WHILE_OPEN },
    { "authenticate", authenticate_enter, 0, WHILE_OPEN },
    { "translate", v2_translate_enter, 0, WHILE_OPEN },
    { "parts", v2_parts_enter, 5, WHILE_OPEN },
    { "hold", v2_hold_enter, 5, WHILE_OPEN },
    { "validate", validate_enter, 0, WHILE_OPEN },
    { "patients", patients_enter, 5, WHILE_OPEN },
    { "consent", consent_enter, 0, WHILE_OPEN },
    { "seal", seal_enter, 5, ALWAYS },
    { "record", record_enter, 5, ALWAYS },
    { "joined", v2_joined_enter, 1, WHILE_OPEN },
    { "respond", v2_respond_enter, 0, ALWAYS },
    { 0 },
};

static void ended(struct exchange *ex)
{
    (void)ex;
}

int v2_receive_one(struct way_in *way, struct mllp_msg *msg, struct str bytes,
                   const struct v2_asker *asker, const struct v2_refusal *refusal)
{
    struct exchange *ex =
        exchange_new(way->worker->loop, v2_receive_pipeline, sizeof(struct v2_exchange), ended);
    if (!ex) {
        return -ENOMEM;
    }
    struct v2_exchange *rx = received(ex);
    rx->way = way;
    rx->msg = msg;
    rx->asker = *asker;
    if (refusal) {
        rx->refused = true;
        rx->refusal =
            (struct v2_refusal){ refusal->condition, arena_str(ex->arena, refusal->place),
                                 arena_str(ex->arena, refusal->text) };
    }
    dossier_init(ex, way->worker, RECORD_V2_RECEIVE);
    rx->v2.raw = arena_str(ex->arena, bytes);
    if (!rx->v2.raw.p) {
        exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    exchange_start(ex);
    return 0;
}

static void answer_msg(void *owner, const struct str *acks, size_t n)
{
    mllp_reply_all(owner, acks, n);
}

static void close_msg(void *owner)
{
    mllp_close(owner);
}

void v2_receive(struct way_in *way, struct mllp_msg *msg, struct str bytes)
{
    const struct v2_asker asker = { .answer = answer_msg, .give_up = close_msg, .owner = msg };
    if (v2_batch_begins(bytes)) {
        v2_receive_batch(way, msg, bytes);
    } else if (v2_receive_one(way, msg, bytes, &asker, NULL) < 0) {
        mllp_close(msg);
    }
}
