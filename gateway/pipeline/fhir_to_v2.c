/*
 * What FHIR clients write for v2 receivers: create, update, transaction and $process-message.
 *
 *   receive → authenticate → collect → authorize → actor → glass → resource → message
 *     → patients → consent → seal → record → respond
 *
 * What was written is stored with a row of the outbox for each receiver, in one transaction;
 * after that the client is told so (202). The message is made here only to know that there is
 * one. It is made again at delivery (deliver_written.c), by the maps of that day. What no
 * message comes of is refused whole: nobody would ever hear of it.
 *
 * Two decisions count: whether who asks may write it, as for any FHIR server, and whether the
 * receiver may have it, as for a message that came as HL7 v2.
 */
#include "gateway/pipeline/fhir_impl.h"

#include "fhir/compartment/within.h"
#include "fhir/consent/action.h"
#include "fhir/format/json.h"
#include "fhir/rest/outcome.h"
#include "gateway/consents.h"
#include "gateway/directory.h"
#include "gateway/identity/role.h"
#include "gateway/identity/scope.h"
#include "gateway/pipeline/v2_case.h"
#include "gateway/stored_route.h"
#include "gateway/v2_made.h"

#include <errno.h>

enum {
    BODY_MAX = 16 << 20,
    ANSWER_MAX = 1 << 20,
    REFERENCES_MAX = 16 << 10, /* to patients, in all resources together */
};

/* @items: one for each resource of the body, @count of them; @entries are theirs, @within finds
 * them */
struct fhir_to_v2 {
    struct fhir_exchange fx;
    const struct node *root;
    struct within *within;
    struct bundle_entry *entries;
    struct fhir_item *items;
    size_t count;
    size_t references;
    bool doubtful; /* not known to be valid, and taken all the same */
};

static struct fhir_to_v2 *writing_of(struct exchange *ex)
{
    return ex->data;
}

static enum step refuse_body(struct exchange *ex, int status, const char *text)
{
    return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "body", status, text);
}

static enum step refuse_size(struct exchange *ex)
{
    return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "too-large", 413,
                       "it takes more memory than a message may");
}

static enum step no_memory(struct exchange *ex)
{
    return arena_full(ex->arena) ? refuse_size(ex)
                                 : exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
}

/* What was tried within v2_case_bound() came to @step. */
static enum step unbound(struct exchange *ex, enum step step)
{
    bool outgrown = v2_case_unbound(ex);
    return outgrown && step == STEP_NEXT ? refuse_size(ex) : step;
}

/* --- authorize: what may be asked for at all ---------------------------------------------- */

static bool taken(const struct interaction *asked)
{
    bool message = asked->kind == INTERACTION_OPERATION && asked->type.n == 0 &&
                   str_eq(asked->operation, STR("process-message"));
    bool one = asked->kind == INTERACTION_CREATE || asked->kind == INTERACTION_UPDATE;
    return message || asked->kind == INTERACTION_BATCH || (one && !asked->conditional);
}

static enum step authorize_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    enum step step = fhir_understand(ex);
    if (step != STEP_NEXT) {
        return step;
    }
    if (!taken(&fx->interaction)) {
        return fhir_refuse(ex, OUTCOME_UNSUPPORTED, "interaction", 501,
                           "only writes are taken here: create, update, transaction and "
                           "$process-message");
    }
    if (fx->logged_in) {
        return fhir_allow(ex, 0, 0);
    }
    if (fx->interaction.kind == INTERACTION_BATCH) {
        fx->dossier.interaction = RECORD_TRANSACTION;
    }
    if (fx->interaction.kind != INTERACTION_UPDATE) {
        fx->asks.action = action_of_interaction(STR("create"));
    }
    return fhir_purposed(ex);
}

/* --- resource: what was sent -------------------------------------------------------------- */

/* What the body of a transaction or a message has to be. */
static enum step check_bundle(struct exchange *ex, const struct node *root)
{
    bool message = fhir_of(ex)->interaction.kind == INTERACTION_OPERATION;
    struct str type = node_text(root, "type");
    if (!str_eq(node_text(root, "resourceType"), STR("Bundle"))) {
        return refuse_body(ex, 400, "the body is no Bundle");
    }
    if (message) {
        return str_eq(type, STR("message")) ? STEP_NEXT
                                            : refuse_body(ex, 400, "the Bundle is no message");
    }
    return str_eq(type, STR("transaction"))
               ? STEP_NEXT
               : fhir_refuse(ex, OUTCOME_UNSUPPORTED, "interaction", 501,
                             "of Bundles posted here only transactions are taken");
}

/* The right that writing @entry takes; 0: it is no create or update. */
static unsigned right_of(struct exchange *ex, const struct node *entry)
{
    enum interaction_kind kind = fhir_of(ex)->interaction.kind;
    struct str method = node_text(node_get(entry, "request"), "method");
    if (kind == INTERACTION_BATCH) {
        return str_eq(method, STR("POST"))  ? SCOPE_CREATE
               : str_eq(method, STR("PUT")) ? SCOPE_UPDATE
                                            : 0;
    }
    return kind == INTERACTION_UPDATE ? SCOPE_UPDATE : SCOPE_CREATE;
}

/* Add @resource of @entry, and the right that it takes to @rights. */
static enum step add(struct exchange *ex, const struct node *entry, const struct node *resource,
                     unsigned *rights)
{
    struct fhir_to_v2 *writing = writing_of(ex);
    unsigned right = right_of(ex, entry);
    if (!right) {
        return fhir_refuse(ex, OUTCOME_UNSUPPORTED, "interaction", 501,
                           "entries other than create and update aren't supported");
    }
    if (!resource) {
        return refuse_body(ex, 400, "an entry has no resource");
    }
    struct bundle_entry *made = &writing->entries[writing->count];
    struct fhir_item *item = &writing->items[writing->count++];
    *made = (struct bundle_entry){
        .bytes = writing->fx.dossier.payload,
        .node = entry,
        .resource = resource,
        .arena = ex->arena,
    };
    *rights |= right;
    int r = fhir_entry_read(ex, made, item);
    struct subjects *subjects = &item->facts.subjects;
    r = r < 0 ? r : subject_within(ex->arena, writing->within, resource, subjects);
    if (r < 0) {
        return no_memory(ex);
    }
    writing->references += subjects->patients.count + subjects->participants.count;
    return writing->references > REFERENCES_MAX
               ? refuse_body(ex, 413, "the Bundle refers to patients too often")
               : STEP_NEXT;
}

/* The resources of the body, a Bundle's or itself. */
static enum step list(struct exchange *ex, unsigned *rights)
{
    struct fhir_to_v2 *writing = writing_of(ex);
    bool bundle = str_eq(node_text(writing->root, "resourceType"), STR("Bundle"));
    const struct node *first =
        bundle ? node_first(node_get(writing->root, "entry")) : writing->root;
    size_t n = 0;
    for (const struct node *at = first; at && n <= WITHIN_ENTRIES_MAX;
         at = bundle ? at->next : NULL) {
        n++;
    }
    if (n == 0 || n > WITHIN_ENTRIES_MAX) {
        return refuse_body(ex, n ? 413 : 400,
                           n ? "the Bundle has too many entries" : "the Bundle is empty");
    }
    writing->entries = arena_calloc(ex->arena, n, sizeof(*writing->entries));
    writing->items = arena_calloc(ex->arena, n, sizeof(*writing->items));
    if (!writing->entries || !writing->items ||
        within_new(ex->arena, writing->root, &writing->within) < 0) {
        return no_memory(ex);
    }
    enum step step = STEP_NEXT;
    for (const struct node *at = first; at && step == STEP_NEXT;
         at = bundle ? at->next : NULL) {
        step = add(ex, at, bundle ? node_get(at, "resource") : at, rights);
    }
    return step;
}

/* Whether who asks may write resources of all these types. */
static enum step allow(struct exchange *ex, unsigned rights)
{
    struct fhir_to_v2 *writing = writing_of(ex);
    bool only_patient = false;
    enum step step = STEP_NEXT;
    for (size_t i = 0; i < writing->count && step == STEP_NEXT; i++) {
        step = fhir_allow_type(ex, writing->items[i].facts.type, rights, role_classes(rights));
        only_patient |= writing->fx.only_patient;
    }
    writing->fx.only_patient = only_patient;
    return step;
}

static enum step read_body(struct exchange *ex)
{
    struct fhir_to_v2 *writing = writing_of(ex);
    struct fhir_exchange *fx = &writing->fx;
    enum interaction_kind kind = fx->interaction.kind;
    unsigned rights = 0;
    int r = json_parse(ex->arena, buf_str(&fx->body), &fx->issues, &writing->root);
    if (r != 0) {
        return r < 0 ? no_memory(ex) : refuse_body(ex, 400, "the body can't be read");
    }
    enum step step = kind == INTERACTION_CREATE || kind == INTERACTION_UPDATE
                         ? fhir_written_fits(ex, writing->root)
                         : check_bundle(ex, writing->root);
    step = step == STEP_NEXT ? list(ex, &rights) : step;
    step = step == STEP_NEXT ? allow(ex, rights) : step;
    return step == STEP_NEXT ? fhir_validate_written(ex, writing->root, &writing->doubtful)
                             : step;
}

static enum step resource_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    fx->dossier.payload = buf_str(&fx->body);
    v2_case_bound(ex);
    return unbound(ex, read_body(ex));
}

/* --- message: what it becomes ------------------------------------------------------------- */

static enum step refuse_message(struct exchange *ex, int r)
{
    struct fhir_exchange *fx = fhir_of(ex);
    fx->code = r == TO_V2_E_TYPE ? "not-supported" : "required";
    if (r == TO_V2_E_SIZE) {
        fx->code = "too-long";
        return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "too-large", 413, to_v2_why(r));
    }
    return r == TO_V2_E_TYPE ? fhir_refuse(ex, OUTCOME_UNSUPPORTED, "no-map", 422, to_v2_why(r))
                             : fhir_refuse(ex, OUTCOME_BAD_REQUEST, "empty", 422, to_v2_why(r));
}

static const struct config_destination *receiver(struct exchange *ex, size_t i)
{
    const struct dossier *dossier = dossier_of(ex);
    return config_destination_named(dossier->worker->config, dossier->route->to.items[i]);
}

/* Whether a message for receiver @i comes of it. */
static enum step make(struct exchange *ex, size_t i)
{
    struct dossier *dossier = dossier_of(ex);
    const struct v2_written written = {
        .to = receiver(ex, i),
        .route = dossier->route,
        .rules = maps_of(dossier->worker->child->maps, NULL, dossier->route),
        .exchange = ex->id,
        .accepted = ex->time,
        .root = writing_of(ex)->root,
    };
    struct v2_made made;
    int r = v2_made(ex->arena, &written, &made, &fhir_of(ex)->issues);
    dossier->map = str_z(written.rules->version);
    if (r < 0) {
        return no_memory(ex);
    }
    return r ? refuse_message(ex, r) : STEP_NEXT;
}

static enum step message_enter(struct exchange *ex)
{
    enum step step = STEP_NEXT;
    v2_case_bound(ex);
    for (size_t i = 0; i < dossier_of(ex)->route->to.n && step == STEP_NEXT; i++) {
        step = make(ex, i);
    }
    return unbound(ex, step);
}

/* --- patients ----------------------------------------------------------------------------- */

/* A Patient's identifiers are learnt together, whatever else refers to it. */
static int name_patient(struct exchange *ex, const struct node *resource)
{
    struct reference to;
    struct fhir_person *person;
    bool patient = str_eq(node_text(resource, "resourceType"), STR("Patient"));
    return patient && subject_identifier(resource, &to)
               ? fhir_person(ex, &to, resource, &person)
               : 0;
}

static enum step patients_enter(struct exchange *ex)
{
    struct fhir_to_v2 *writing = writing_of(ex);
    int r = 0;
    fhir_people_clear(ex);
    for (size_t i = 0; r == 0 && i < writing->count; i++) {
        r = name_patient(ex, writing->entries[i].resource);
    }
    for (size_t i = 0; r == 0 && i < writing->count; i++) {
        r = fhir_entry_name(ex, &writing->items[i]);
        if (writing->fx.people.count > DOSSIER_SUBJECTS_MAX) {
            return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "too-many-subjects", 413,
                               "it names more patients than one message may");
        }
    }
    if (r == 0 && writing->fx.only_patient) {
        r = fhir_person_own(ex);
    }
    return r < 0 ? no_memory(ex) : fhir_people_resolve(ex, fhir_person_own_known);
}

/* --- consent ------------------------------------------------------------------------------ */

/* Whether everybody permits all of it to whom ->asks says; ->answer.denied: why not. */
static bool permitted(struct exchange *ex)
{
    struct fhir_to_v2 *writing = writing_of(ex);
    bool all = true;
    writing->fx.answer.denied = NULL;
    for (size_t i = 0; i < writing->count; i++) {
        all = fhir_entry_permitted(ex, &writing->items[i]) && all;
    }
    return all;
}

/* An OperationOutcome is nobody's, and refused without a word. */
static const char *why_not(const struct fhir_exchange *fx)
{
    return fx->answer.denied ? fx->answer.denied : "type";
}

/* The same for @to, as a row of the outbox; ->answer.denied: why it isn't open. */
static enum store_outbox_state state_for(struct exchange *ex,
                                         const struct config_destination *to)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct consent_request asks = fx->asks;
    struct v2_asks receivers;
    v2_case_asks(ex, to, &receivers);
    fx->asks = receivers.request;
    bool all = permitted(ex);
    fx->asks = asks;
    return all                             ? STORE_OUTBOX_OPEN
           : directory_silent(why_not(fx)) ? STORE_OUTBOX_HELD
                                           : STORE_OUTBOX_WITHHELD;
}

/* A row for each receiver; how many of them may get it, now or later. */
static size_t add_rows(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct dossier *dossier = &fx->dossier;
    const struct stored_route way = { .route = dossier->route };
    struct buf name = arena_buf(ex->arena, RECORD_NAME_MAX);
    size_t open = 0;
    stored_route_put(&name, fx->way->config, &way);
    for (size_t i = 0; i < dossier->route->to.n; i++) {
        const struct config_destination *to = receiver(ex, i);
        enum store_outbox_state state = state_for(ex, to);
        struct batch_outbox *row =
            dossier_outbox(ex, to->place.name, buf_str(&name), state,
                           state == STORE_OUTBOX_OPEN ? fhir_permit_basis(ex) : why_not(fx));
        if (dossier->subject_count) {
            memcpy(row->patient, dossier->subjects[0]->patient, sizeof(row->patient));
        }
        open += state != STORE_OUTBOX_WITHHELD;
    }
    return open;
}

static enum step deny(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    fx->dossier.outbox_count = 0;
    fhir_people_tell(ex);
    return fhir_refuse(ex, OUTCOME_DENY, why_not(fx), 403, "consent doesn't permit this");
}

static int write_answer(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct rest_outcome said = {
        .severity = ISSUE_INFORMATION,
        .code = "informational",
        .diagnostics = "taken; it leaves as a message of HL7 v2",
        .correlation = fx->request_id,
    };
    struct buf body = arena_buf(ex->arena, ANSWER_MAX);
    outcome_write_issues(&said, &fx->issues, &body);
    fx->result = buf_str(&body);
    fx->status = 202;
    return buf_failed(&body) ? -ENOMEM : 0;
}

static enum step consent_enter(struct exchange *ex)
{
    struct fhir_to_v2 *writing = writing_of(ex);
    struct dossier *dossier = &writing->fx.dossier;
    enum consents_state state = consents_state(dossier->worker->consents);
    if (dossier->mode == RECORD_ENFORCE && !fhir_decidable(ex)) {
        return fhir_refuse(ex, OUTCOME_UNAVAILABLE, consents_state_name(state), 503,
                           "consents can't be checked at the moment");
    }
    dossier->epoch = consents_epoch(dossier->worker->consents);
    dossier->decide_again = "patients";
    dossier->outboxes =
        arena_calloc(ex->arena, dossier->route->to.n, sizeof(*dossier->outboxes));
    if (!dossier->outboxes || write_answer(ex) < 0) {
        return no_memory(ex);
    }
    if (!permitted(ex)) {
        return deny(ex);
    }
    const char *basis = writing->doubtful ? "invalid" : fhir_permit_basis(ex);
    if (add_rows(ex) == 0) {
        return deny(ex);
    }
    dossier->keep = true;         /* delivery is made from what is stored */
    dossier->recipient = STR(""); /* who gets it is recorded by deliveries */
    ex->outcome = OUTCOME_PERMIT;
    ex->basis = basis;
    return STEP_NEXT;
}

/* --- the table ---------------------------------------------------------------------------- */

static const struct stage to_v2_pipeline[] = {
    /* name           enter                    wait  runs */
    { "receive", fhir_receive_enter, 0, WHILE_OPEN },
    { "authenticate", fhir_authenticate_enter, 5, WHILE_OPEN },
    { "collect", fhir_collect_enter, 60, WHILE_OPEN },
    { "authorize", authorize_enter, 0, WHILE_OPEN },
    { "actor", fhir_actor_enter, 20, WHILE_OPEN },
    { "glass", fhir_glass_enter, 5, WHILE_OPEN },
    { "resource", resource_enter, 0, WHILE_OPEN },
    { "message", message_enter, 0, WHILE_OPEN },
    { "patients", patients_enter, 10, WHILE_OPEN },
    { "consent", consent_enter, 0, WHILE_OPEN },
    { "seal", fhir_seal_enter, 5, ALWAYS },
    { "record", fhir_record_enter, 5, ALWAYS },
    { "respond", fhir_respond_enter, 60, ALWAYS },
    { 0 },
};

const struct fhir_kind fhir_to_v2_kind = { to_v2_pipeline, sizeof(struct fhir_to_v2),
                                           BODY_MAX };
