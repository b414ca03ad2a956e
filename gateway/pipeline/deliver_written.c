/*
 * Stage "translate" for what a FHIR client wrote: the message of HL7 v2 that it becomes, by the
 * maps of today.
 *
 * It is about those under whose keys it was sealed: the number of everybody whom it names was
 * found when it was taken. All of them have to permit all of it.
 */
#include "gateway/pipeline/deliver_impl.h"

#include "fhir/compartment/within.h"
#include "fhir/format/json.h"
#include "gateway/pipeline/facts.h"
#include "gateway/sealed_payload.h"
#include "gateway/v2_made.h"
#include "gateway/v2_site.h"
#include "gateway/vault.h"

#include <errno.h>

/* Facts of one resource, unless it is nobody's. */
static int add_facts(struct exchange *ex, struct within *within, const struct node *resource,
                     struct consent_facts *facts)
{
    struct v2_case *v2 = &deliver_of(ex)->v2;
    const struct consent_context context = { .n_bases = 0 };
    struct resource_facts read;
    int r = resource_facts_read(ex->arena, resource, &read);
    r = r < 0 ? r : subject_within(ex->arena, within, resource, &read.subjects);
    if (r < 0 || read.subjects.class == SUBJECT_NONE) {
        return r;
    }
    return facts_for_consent(ex->arena, &read, &context, v2->dossier.worker->child->labeller,
                             &facts[v2->fact_count++]);
}

static int gather_facts(struct exchange *ex, const struct node *root)
{
    struct v2_case *v2 = &deliver_of(ex)->v2;
    bool bundle = str_eq(node_text(root, "resourceType"), STR("Bundle"));
    const struct node *first = bundle ? node_first(node_get(root, "entry")) : root;
    size_t n = 1;
    for (const struct node *at = first; bundle && at; at = at->next) {
        n++;
    }
    struct consent_facts *facts = arena_calloc(ex->arena, n, sizeof(*facts));
    struct within *within = NULL;
    int r = facts ? within_new(ex->arena, root, &within) : -ENOMEM;
    v2->fact_count = 0;
    for (const struct node *at = first; r == 0 && at; at = bundle ? at->next : NULL) {
        r = add_facts(ex, within, bundle ? node_get(at, "resource") : at, facts);
    }
    v2->facts = facts;
    v2->nobodys = v2->fact_count == 0;
    return r;
}

/* Those under whose keys it was sealed. */
static int name_patients(struct exchange *ex)
{
    static const uint8_t nobody[16];
    struct v2_case *v2 = &deliver_of(ex)->v2;
    const struct sealed_payload *sealed = deliver_of(ex)->sealed;
    v2->numbers = arena_calloc(ex->arena, sealed->layers, sizeof(*v2->numbers));
    if (!v2->numbers) {
        return -ENOMEM;
    }
    v2->patients.count = 0;
    for (size_t i = 0; i < sealed->layers; i++) {
        const struct vault_key *key =
            vault_cached_id(v2->dossier.worker->vault, sealed->keys[i]);
        if (!key) {
            return -ENOKEY;
        }
        if (memcmp(key->patient, nobody, sizeof(nobody)) != 0) {
            memcpy(v2->numbers[v2->patients.count++], key->patient, sizeof(nobody));
        }
    }
    return 0;
}

/* Nothing is known of what it says of them: only a consent that doesn't ask. */
static void leave_open(struct exchange *ex)
{
    static const struct consent_facts nothing = { .unknown = CONSENT_FACT_ALL };
    struct v2_case *v2 = &deliver_of(ex)->v2;
    v2->facts = &nothing;
    v2->fact_count = 1;
}

/* What is sent, and what the record commits to. */
static int take(struct exchange *ex, const struct v2_made *made)
{
    struct v2_case *v2 = &deliver_of(ex)->v2;
    struct buf request = arena_buf(ex->arena, V2_BECAME_SIZE);
    v2_became_put(&request, "v2", made->text);
    v2->dossier.request = buf_str(&request);
    v2->header.control_id = made->control;
    v2->raw = made->text;
    return buf_failed(&request) ? -ENOMEM : 0;
}

static enum step park(struct exchange *ex, int r)
{
    return deliver_park(ex, r == TO_V2_E_TYPE   ? "no-map"
                            : r == TO_V2_E_SIZE ? "too-large"
                                                : "empty");
}

enum step deliver_written_enter(struct exchange *ex)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    struct v2_case *v2 = &deliver->v2;
    const struct worker *worker = v2->dossier.worker;
    struct v2_written written = {
        .to = deliver->out->config,
        .route = v2->dossier.route,
        .rules = maps_of(worker->child->maps, NULL, v2->dossier.route),
        .exchange = ex->id,
        .accepted = deliver->row.created,
    };
    struct v2_made made;
    if (!written.rules) { /* the route leads elsewhere by now */
        return deliver_park(ex, "route-gone");
    }
    issues_init(&v2->issues, ex->arena);
    int r = json_parse(ex->arena, v2->raw, &v2->issues, &written.root);
    if (r > 0) {
        return deliver_park(ex, "unreadable");
    }
    r = r < 0 ? r : gather_facts(ex, written.root);
    r = r < 0 ? r : name_patients(ex);
    r = r < 0 ? r : v2_made(ex->arena, &written, &made, &v2->issues);
    if (r > 0) {
        return park(ex, r);
    }
    r = r < 0 ? r : take(ex, &made);
    if (v2->patients.count && v2->fact_count == 0) {
        leave_open(ex);
    }
    if (r < 0) {
        return deliver_retry(ex, r == -ENOKEY ? "key" : "memory");
    }
    v2->dossier.map = str_z(written.rules->version);
    return STEP_NEXT;
}
