/*
 * The decision about one resource of an answer.
 *
 * Everybody whose data it is, and everybody else it names, has to be known and to permit it.
 * Whatever can't be told leads to its removal.
 */
#include "gateway/pipeline/fhir_impl.h"

#include "fhir/bundle/rewrite.h"
#include "fhir/consent/obligation.h"
#include "fhir/format/json.h"
#include "gateway/consents.h"
#include "gateway/directory.h"
#include "gateway/identity/scope.h"
#include "gateway/pipeline/facts.h"

#include <errno.h>

enum {
    OBLIGED_MAX = 64 << 20,
};

/* A patient of the resource with what the decision rests on. */
struct ground {
    const struct fhir_person *person;
    struct consent_evidence evidence;
    struct ground *next;
};

static int name_all(struct exchange *ex, const struct bundle_entry *entry,
                    const struct subject_list *list)
{
    bool is_patient = str_eq(node_text(entry->resource, "resourceType"), STR("Patient"));
    int r = 0;
    for (const struct subject_ref *ref = list->first; r == 0 && ref; ref = ref->next) {
        bool itself = is_patient && ref->to.form == REFERENCE_RELATIVE &&
                      str_eq(ref->to.id, node_text(entry->resource, "id"));
        struct fhir_person *person;
        r = fhir_person(ex, &ref->to, itself ? entry->resource : NULL, &person);
    }
    return r;
}

int fhir_entry_name(struct exchange *ex, const struct fhir_item *item)
{
    if (!item->entry->resource) {
        return 0;
    }
    int r = name_all(ex, item->entry, &item->facts.subjects.patients);
    return r < 0 ? r : name_all(ex, item->entry, &item->facts.subjects.participants);
}

int fhir_entry_read(struct exchange *ex, const struct bundle_entry *entry,
                    struct fhir_item *out)
{
    const struct str bases[] = { fhir_of(ex)->server, fhir_of(ex)->base };
    const struct consent_context context = { .bases = bases, .n_bases = ARRAY_LEN(bases) };
    *out = (struct fhir_item){ .entry = entry };
    if (!entry->resource) {
        return 0;
    }
    int r = resource_facts_read(entry->arena, entry->resource, &out->facts);
    const struct labeller *labeller = fhir_of(ex)->dossier.worker->child->labeller;
    return r < 0
               ? r
               : facts_for_consent(entry->arena, &out->facts, &context, labeller, &out->asked);
}

/* Ask the consent of each of @list; a word why not, or NULL. */
static const char *ask_all(struct exchange *ex, const struct fhir_item *item,
                           const struct subject_list *list, struct ground **grounds)
{
    struct fhir_exchange *fx = fhir_of(ex);
    for (const struct subject_ref *ref = list->first; ref; ref = ref->next) {
        struct fhir_person *person = NULL;
        struct ground *ground = arena_calloc(ex->arena, 1, sizeof(*ground));
        if (!ground || fhir_person(ex, &ref->to, NULL, &person) < 0) {
            return "memory";
        }
        if (!person || person->state != FHIR_PERSON_KNOWN) {
            return "subject-unknown";
        }
        consents_decide(fx->dossier.worker->consents, person->number, &fx->asks, &item->asked,
                        &ground->evidence);
        ground->person = person;
        ground->next = *grounds;
        *grounds = ground;
        if (ground->evidence.verdict.decision != CONSENT_PERMIT) {
            return directory_basis(&fx->asks, &ground->evidence);
        }
    }
    return NULL;
}

/* A token for one patient is shown nobody else's data. */
static bool within_context(struct exchange *ex, const struct fhir_item *item)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct subject_ref *ref = item->facts.subjects.patients.first;
    for (; fx->only_patient && ref; ref = ref->next) {
        struct fhir_person *person = NULL;
        if (fhir_person(ex, &ref->to, NULL, &person) < 0 || !person ||
            person->state != FHIR_PERSON_KNOWN || !fhir_is_own(ex, person->number)) {
            return false;
        }
    }
    return true;
}

/* Who broke the glass is shown whom it was broken for. */
static bool within_glass(struct exchange *ex, const struct fhir_item *item)
{
    const struct subject_ref *ref = item->facts.subjects.patients.first;
    for (; fhir_of(ex)->glass.asked && ref; ref = ref->next) {
        struct fhir_person *person = NULL;
        if (fhir_person(ex, &ref->to, NULL, &person) < 0 || !person ||
            person->state != FHIR_PERSON_KNOWN || !fhir_glass_broken(ex, person->number)) {
            return false;
        }
    }
    return true;
}

/* Why it may not be shown, as the record's basis; NULL: it may. */
static const char *refusal(struct exchange *ex, const struct fhir_item *item,
                           struct ground **grounds)
{
    struct fhir_exchange *fx = fhir_of(ex);
    unsigned contexts = scope_contexts(fx->claims.scope, item->facts.type, fx->rights);
    if (!(fx->only_patient ? contexts & SCOPE_PATIENT : contexts) ||
        !within_context(ex, item)) {
        return "scope";
    }
    if (!within_glass(ex, item)) {
        return "break-glass-closed";
    }
    enum consents_state state = consents_state(fx->dossier.worker->consents);
    if (!fhir_decidable(ex)) {
        return consents_state_name(state);
    }
    switch (item->facts.subjects.class) {
    case SUBJECT_NONE: return fx->logged_in ? "scope" : NULL;
    case SUBJECT_UNKNOWN: return "subject-unknown";
    case SUBJECT_KNOWN: break;
    }
    if (item->facts.subjects.derived.count) {
        return "subject-elsewhere"; /* it lists things that may be other patients' */
    }
    const char *basis = ask_all(ex, item, &item->facts.subjects.patients, grounds);
    return basis ? basis : ask_all(ex, item, &item->facts.subjects.participants, grounds);
}

/* Name those shown in the dossier; false: no room left. */
static bool name_shown(struct exchange *ex, const struct ground *grounds, struct str type)
{
    struct fhir_exchange *fx = fhir_of(ex);
    for (; grounds; grounds = grounds->next) {
        struct fhir_shown *shown = fhir_named(&fx->answer, grounds->person->number);
        if (shown) {
            type_set_add(&shown->later, type);
            continue;
        }
        struct dossier_subject *subject = dossier_subject(ex, grounds->person->number);
        if (!subject) {
            return false;
        }
        dossier_rely_on(&fx->dossier, subject, &grounds->evidence);
        type_set_add(&subject->types, type);
    }
    return true;
}

bool fhir_entry_decide(struct exchange *ex, struct fhir_item *item)
{
    struct fhir_exchange *fx = fhir_of(ex);
    size_t before = fx->dossier.subject_count;
    item->release = false;
    item->obligations = 0;
    item->silent = !item->entry->resource ||
                   str_eq(item->facts.type, STR("OperationOutcome")); /* may hold anything */
    if (item->silent) {
        return true;
    }
    struct ground *grounds = NULL;
    const char *basis = refusal(ex, item, &grounds);
    if (basis && !fx->answer.denied) {
        fx->answer.denied = basis;
    }
    if (basis && fx->dossier.mode == RECORD_ENFORCE) {
        return true;
    }
    if (!name_shown(ex, grounds, item->facts.type)) {
        fx->answer.denied = "too-many-subjects";
        return before == 0;
    }
    for (; grounds && fx->dossier.mode == RECORD_ENFORCE; grounds = grounds->next) {
        item->obligations |= grounds->evidence.obligations;
    }
    item->release = true;
    return true;
}

bool fhir_entry_permitted(struct exchange *ex, struct fhir_item *item)
{
    bool release = fhir_entry_decide(ex, item) && item->release;
    if (release && item->obligations) {
        fhir_of(ex)->answer.denied = "minimum-necessary";
        return false;
    }
    return release;
}

int fhir_entry_oblige(struct exchange *ex, const struct fhir_item *item, struct str *out)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct bundle_entry *entry = item->entry;
    const struct url_map map = { .from = fx->out->base_url, .to = fx->base };
    const struct node *root = NULL;
    size_t from = entry->resource->start - entry->node->start;
    size_t to = entry->resource->end - entry->node->start;
    struct buf text = arena_buf(entry->arena, OBLIGED_MAX);
    struct buf mapped = arena_buf(entry->arena, OBLIGED_MAX);
    struct issues issues;
    issues_init(&issues, entry->arena);
    buf_str_put(&text, str_slice(entry->bytes, 0, from));
    int r = consent_oblige(entry->arena, fx->dossier.worker->child->tenant, item->obligations,
                           entry->resource, str_slice(entry->bytes, from, to), &text);
    buf_str_put(&text, str_slice(entry->bytes, to, entry->bytes.n));
    if (r == 0 && !buf_failed(&text)) {
        r = json_parse(entry->arena, buf_str(&text), &issues, &root);
    }
    if (r != 0 || buf_failed(&text)) {
        return -ENOMEM;
    }
    rewrite_urls(&map, root, buf_str(&text), &mapped);
    *out = buf_str(&mapped);
    return buf_failed(&mapped) ? -ENOMEM : 0;
}
