/*
 * A disclosure made elsewhere is recorded: POST [base]/AuditEvent/$record-disclosure, also
 * called $recordDisclosure (HL7 FAST Scalable Consent Management).
 *
 *   receive → authenticate → collect → authorize → disclosure → consent → seal → record →
 * respond
 *
 * Parameters: disclosure (an AuditEvent that names the patient, what was disclosed, and the
 * recipient as an agent), consent (a Reference to a consent filed here). Nothing is decided:
 * it has happened. It becomes a record of the patient, with the recipient in its access row, so
 * that an accounting of disclosures has it; the AuditEvent is kept under the patient's key.
 */
#include "gateway/pipeline/fhir_consents.h"

#include "fhir/consent/actor.h"
#include "fhir/format/json.h"
#include "fhir/format/json_write.h"
#include "gateway/identity/role.h"
#include "gateway/identity/scope.h"
#include "gateway/pipeline/fhir_params.h"

enum {
    ANSWER_MAX = 1 << 10,
    RECIPIENT_MAX = 4 << 10,
};

struct fhir_disclosure {
    struct fhir_exchange fx;
    const struct node *event;
    struct fhir_person *person;
    uint8_t consent[32];
};

static struct fhir_disclosure *disclosure_of(struct exchange *ex)
{
    return ex->data;
}

static enum step refuse_disclosure(struct exchange *ex, const char *text)
{
    return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "disclosure-refused", 422, text);
}

static enum step authorize_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    enum step step = fhir_understand(ex);
    if (step != STEP_NEXT) {
        return step;
    }
    fx->dossier.interaction = RECORD_DISCLOSURE;
    step = fhir_allow(ex, SCOPE_CREATE, ROLE_WRITE);
    if (step == STEP_NEXT && fx->only_patient) {
        step = fhir_refuse(ex, OUTCOME_FORBIDDEN, "scope", 403,
                           "a token for one patient records no disclosures");
    }
    return step;
}

/* --- disclosure: whose data, and who has it ----------------------------------------------- */

static bool has_code(const struct node *concept, struct str code)
{
    const struct node *coding = node_first(node_get(concept, "coding"));
    while (coding && !str_eq(node_text(coding, "code"), code)) {
        coding = coding->next;
    }
    return coding != NULL;
}

/* DICOM's destination, or the v3 recipient of information. */
static bool is_recipient(const struct node *agent)
{
    const struct node *type = node_get(agent, "type");
    return has_code(type, STR("110152")) || has_code(type, STR("IRCP"));
}

/* The recipient as access rows have it. Return: 0, 1: there is none, or -ENOMEM */
static int set_recipient(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct str bases[] = { fx->out->base_url, fx->base };
    const struct consent_context context = { .bases = bases, .n_bases = ARRAY_LEN(bases) };
    struct str name = { 0 };
    const struct node *agent = node_first(node_get(disclosure_of(ex)->event, "agent"));
    for (; agent && name.n == 0; agent = agent->next) {
        const struct reference who = reference_read(node_get(agent, "who"));
        if (is_recipient(agent)) {
            (void)consent_actor_plain(&context, ex->arena, &who, &name);
        }
    }
    struct buf text = arena_buf(ex->arena, RECIPIENT_MAX);
    struct json_writer w = json_writer(&text);
    json_object(&w, NULL);
    json_string(&w, "disclosedTo", name);
    json_end(&w);
    fx->dossier.recipient = buf_str(&text);
    return buf_failed(&text) ? -ENOMEM : name.n == 0;
}

/* The one patient that the event names. Return: 0, 1: none or several, or -ENOMEM */
static int set_person(struct exchange *ex)
{
    struct fhir_disclosure *disclosure = disclosure_of(ex);
    const struct node *entity = node_first(node_get(disclosure->event, "entity"));
    size_t count = 0;
    for (; entity; entity = entity->next) {
        const struct reference what = reference_read(node_get(entity, "what"));
        if (!str_eq(what.type, STR("Patient"))) {
            continue;
        }
        count++;
        if (fhir_person(ex, &what, NULL, &disclosure->person) < 0) {
            return -ENOMEM;
        }
    }
    return count != 1 || !disclosure->person;
}

/* Types of what was disclosed. */
static void add_types(struct exchange *ex, struct dossier_subject *subject)
{
    const struct node *entity = node_first(node_get(disclosure_of(ex)->event, "entity"));
    for (; entity; entity = entity->next) {
        const struct reference what = reference_read(node_get(entity, "what"));
        if (what.type.n && !str_eq(what.type, STR("Consent"))) {
            type_set_add(&subject->types, what.type);
        }
    }
}

static enum step found_person(struct exchange *ex)
{
    struct fhir_disclosure *disclosure = disclosure_of(ex);
    if (disclosure->person->state != FHIR_PERSON_KNOWN) {
        return refuse_disclosure(ex, "the disclosure's patient isn't known here");
    }
    struct dossier_subject *subject = dossier_subject(ex, disclosure->person->number);
    if (!subject) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    add_types(ex, subject);
    return STEP_NEXT;
}

/* The consent's id, from "Consent/[id]". */
static bool read_consent(struct exchange *ex, const struct node *given)
{
    const struct reference to = reference_read(fhir_given_part(given, "consent"));
    return str_eq(to.type, STR("Consent")) &&
           fhir_consent_id(to.id, disclosure_of(ex)->consent) == 0;
}

static enum step disclosure_enter(struct exchange *ex)
{
    struct fhir_disclosure *disclosure = disclosure_of(ex);
    struct fhir_exchange *fx = &disclosure->fx;
    const struct node *given = NULL;
    fx->dossier.payload = buf_str(&fx->body);
    fhir_people_clear(ex);
    int r = json_parse(ex->arena, buf_str(&fx->body), &fx->issues, &given);
    if (r > 0) {
        return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "unreadable", 400,
                           "the body is no Parameters");
    }
    disclosure->event = fhir_given_resource(given, "disclosure");
    if (r == 0 && !str_eq(node_text(disclosure->event, "resourceType"), STR("AuditEvent"))) {
        return refuse_disclosure(ex, "parameter disclosure is an AuditEvent");
    }
    if (r == 0 && !read_consent(ex, given)) {
        return refuse_disclosure(ex, "parameter consent refers to a Consent filed here");
    }
    r = r < 0 ? r : set_person(ex);
    if (r > 0) {
        return refuse_disclosure(ex, "the disclosure has to name one Patient as entity.what");
    }
    r = r < 0 ? r : set_recipient(ex);
    if (r > 0) {
        return refuse_disclosure(ex, "the disclosure names no agent of type 110152 or IRCP, "
                                     "who got it");
    }
    return r < 0 ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory")
                 : fhir_people_resolve(ex, found_person);
}

/* --- consent: it has to be this patient's ------------------------------------------------- */

static enum step answer(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct buf out = arena_buf(ex->arena, ANSWER_MAX);
    struct json_writer w = json_writer(&out);
    json_object(&w, NULL);
    json_z(&w, "resourceType", "OperationOutcome");
    json_array(&w, "issue");
    json_object(&w, NULL);
    json_z(&w, "severity", "information");
    json_z(&w, "code", "informational");
    json_z(&w, "diagnostics", "recorded");
    json_end(&w);
    json_end(&w);
    json_end(&w);
    fx->result = buf_str(&out);
    fx->status = 201;
    fx->dossier.keep = true; /* under the patient's key: of what is refused nothing is kept */
    return exchange_stop(ex, OUTCOME_DELIVERED, "disclosed"); /* it has happened */
}

static void on_consent(void *arg, int r, const struct db_rows *rows)
{
    struct exchange *ex = exchange_woken(arg);
    const struct fhir_disclosure *disclosure = disclosure_of(ex);
    struct store_consent row;
    if (r < 0) {
        exchange_move(ex, exchange_stop(ex, OUTCOME_UNAVAILABLE, "database"));
        return;
    }
    bool known = db_count(rows) > 0 && store_consent_row(rows, 0, &row) == 0 &&
                 memcmp(row.patient, disclosure->person->number, sizeof(row.patient)) == 0;
    exchange_move(ex, known ? answer(ex)
                            : refuse_disclosure(ex, "this patient has no such consent"));
}

static enum step consent_enter(struct exchange *ex)
{
    return exchange_wait(ex,
                         store_consent_by_id(dossier_of(ex)->worker->db,
                                             disclosure_of(ex)->consent, 1, on_consent, ex));
}

static const struct stage disclose_pipeline[] = {
    /* name           enter                    wait  runs */
    { "receive", fhir_receive_enter, 0, WHILE_OPEN },
    { "authenticate", fhir_authenticate_enter, 5, WHILE_OPEN },
    { "collect", fhir_collect_enter, 30, WHILE_OPEN },
    { "authorize", authorize_enter, 0, WHILE_OPEN },
    { "disclosure", disclosure_enter, 10, WHILE_OPEN },
    { "consent", consent_enter, 5, WHILE_OPEN },
    { "seal", fhir_seal_enter, 5, ALWAYS },
    { "record", fhir_record_enter, 5, ALWAYS },
    { "respond", fhir_respond_enter, 60, ALWAYS },
    { 0 },
};

const struct fhir_kind fhir_disclose_kind = { disclose_pipeline, sizeof(struct fhir_disclosure),
                                              1 << 20 };
