/* Finding out whom a v2 message is about, and asking their consents. */
#include "gateway/pipeline/v2_case.h"

#include "fhir/consent/purpose.h"
#include "fhir/v2/read.h"
#include "gateway/consents.h"
#include "gateway/directory.h"
#include "gateway/newcomers.h"
#include "gateway/number_cache.h"
#include "gateway/store/patients.h"
#include "gateway/v2_site.h"
#include "gateway/vault.h"
#include "gateway/worker.h"

#include <errno.h>

static struct v2_case *case_of(struct exchange *ex)
{
    return ex->data;
}

int v2_case_parse(struct exchange *ex)
{
    struct v2_case *v2 = case_of(ex);
    issues_init(&v2->issues, ex->arena);
    int r = v2_read(ex->arena, v2->raw, v2_charset_find(str_z(v2->sender->charset)),
                    &v2->issues, &v2->message);
    if (r != 0) {
        return r;
    }
    v2_header(&v2->message, &v2->header);
    if (v2->header.type.n == 0 || str_eq(v2->header.type, STR("\"\""))) {
        issues_add(&v2->issues, ISSUE_FATAL, "required", STR("MSH-9"),
                   "the message doesn't say its type");
        return V2_CASE_E_TYPE;
    }
    const struct rules *rules = maps_of(v2->dossier.worker->child->maps, v2->sender, NULL);
    r = v2_site_know(ex->arena, v2->sender, rules, &v2->message, &v2->site);
    v2->readable = r == 0;
    return r;
}

int v2_case_translate(struct exchange *ex, int64_t accepted, struct translate_result *out)
{
    struct v2_case *v2 = case_of(ex);
    const struct worker *worker = v2->dossier.worker;
    const struct v2_taken taken = {
        .sender = v2->sender,
        .route = v2->dossier.route,
        .rules = maps_of(worker->child->maps, v2->sender, v2->dossier.route),
        .gateway = worker->config->gateway,
        .accepted = accepted,
        .raw = v2->raw,
    };
    int r = v2_site_take(ex->arena, &taken, &v2->site);
    v2->site.tree = true; /* for its facts, and for validation */
    if (r == 0) {
        r = translate_to_fhir(ex->arena, &v2->message, &v2->site, out, &v2->issues);
    }
    if (r == 0) {
        v2->dossier.map = str_z(v2->site.rules->version);
    }
    return r;
}

void v2_case_bound(struct exchange *ex)
{
    int64_t mb = dossier_of(ex)->worker->config->message_memory;
    arena_limit(ex->arena, (size_t)mb << 20);
}

bool v2_case_unbound(struct exchange *ex)
{
    bool outgrown = arena_full(ex->arena);
    arena_limit(ex->arena, 0);
    return outgrown;
}

static enum step resolve_next(struct exchange *ex);

/* Whether it is known who patient @i of the message is. */
static bool known(const struct v2_case *v2, size_t i)
{
    static const uint8_t nobody[16];
    return memcmp(v2->numbers[i], nobody, sizeof(nobody)) != 0;
}

/* Two are one now, unless something failed. */
static void merged(struct exchange *ex, int r)
{
    case_of(ex)->resolved++;
    number_cache_clear(case_of(ex)->dossier.worker->patients);
    exchange_move(ex, r < 0 ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "database")
                            : resolve_next(ex));
}

static void on_merged(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    merged(exchange_woken(arg), r);
}

/* It may be known now who the survivor is. */
static void on_joined(void *arg, int r, const struct db_rows *rows)
{
    struct exchange *ex = exchange_woken(arg);
    struct v2_case *v2 = case_of(ex);
    const struct v2_patient *gone = &v2->patients.list[v2->resolved - v2->patients.count];
    uint8_t patient[16];
    if (r == 0 && store_patient_outcome(rows, 0, patient) == STORE_PATIENT_FOUND) {
        memcpy(v2->numbers[gone->survivor], patient, sizeof(patient));
    }
    merged(ex, r);
}

static void on_learnt(void *arg, int r, int outcome, const uint8_t *patient)
{
    struct exchange *ex = exchange_woken(arg);
    struct v2_case *v2 = case_of(ex);
    if (r < 0) {
        exchange_move(ex, exchange_stop(ex, OUTCOME_UNAVAILABLE, "database"));
        return;
    }
    if (outcome == STORE_PATIENT_FOUND || outcome == STORE_PATIENT_MADE) {
        memcpy(v2->numbers[v2->resolved], patient, sizeof(v2->numbers[0]));
        number_cache_keep(v2->dossier.worker->patients, v2->hashes,
                          v2->patients.list[v2->resolved].count, v2->numbers[v2->resolved]);
    }
    v2->resolved++;
    exchange_move(ex, resolve_next(ex));
}

static void hash_ids(struct v2_case *v2, const struct v2_patient *patient)
{
    for (size_t i = 0; i < patient->count; i++) {
        vault_identifier_hash(v2->dossier.worker->vault, patient->ids[i].system,
                              patient->ids[i].value, v2->hashes + i * STORE_HASH_SIZE);
    }
}

/* Patient @gone goes: point its number at the survivor's. */
static enum step merge_one(struct exchange *ex, size_t gone)
{
    struct v2_case *v2 = case_of(ex);
    struct db *db = v2->dossier.worker->db;
    size_t survivor = (size_t)v2->patients.list[gone].survivor;
    const uint8_t *source = v2->numbers[gone];
    const uint8_t *target = v2->numbers[survivor];
    if (known(v2, survivor)) {
        return exchange_wait(ex, store_patient_merge(db, source, target, on_merged, ex));
    }
    /* Its identifiers lead to two; one of them may be the patient that goes. */
    const struct v2_patient *patient = &v2->patients.list[survivor];
    hash_ids(v2, patient);
    return exchange_wait(
        ex, store_patient_join(db, source, v2->hashes, patient->count, on_joined, ex));
}

/* Where all have identifiers: merged ones are joined before anything is decided. */
static enum step merge_next(struct exchange *ex)
{
    struct v2_case *v2 = case_of(ex);
    size_t n = v2->patients.count;
    for (; v2->resolved < 2 * n && !v2->nameless; v2->resolved++) {
        size_t i = v2->resolved - n;
        int survivor = v2->patients.list[i].survivor;
        if (survivor != V2_PATIENT_NOT_MERGED && known(v2, i) &&
            memcmp(v2->numbers[i], v2->numbers[survivor], sizeof(v2->numbers[i])) != 0) {
            return merge_one(ex, i);
        }
    }
    for (size_t i = 0; i < n; i++) {
        v2->conflict |= v2->patients.list[i].count && !known(v2, i);
    }
    return STEP_NEXT;
}

/* Whether memory tells the number of the next patient; hashes its identifiers. */
static bool remembered(struct v2_case *v2, const struct v2_patient *patient)
{
    const struct worker *worker = v2->dossier.worker;
    hash_ids(v2, patient);
    return number_cache_find(worker->patients, v2->hashes, patient->count,
                             v2->numbers[v2->resolved]);
}

static enum step resolve_next(struct exchange *ex)
{
    struct v2_case *v2 = case_of(ex);
    const struct worker *worker = v2->dossier.worker;
    number_cache_epoch(worker->patients, consents_people_epoch(worker->consents));
    for (; v2->resolved < v2->patients.count; v2->resolved++) {
        const struct v2_patient *patient = &v2->patients.list[v2->resolved];
        v2->nameless |= patient->count == 0;
        if (patient->count == 0 || remembered(v2, patient)) {
            continue;
        }
        return exchange_wait(
            ex, newcomers_learn(worker->newcomers, v2->hashes, patient->count, on_learnt, ex));
    }
    return merge_next(ex);
}

enum step v2_case_resolve(struct exchange *ex)
{
    struct v2_case *v2 = case_of(ex);
    int r =
        v2_patients(ex->arena, &v2->message, &v2->site.assigners, &v2->issues, &v2->patients);
    if (r < 0) {
        return exchange_stop(ex, r == -E2BIG ? OUTCOME_BAD_REQUEST : OUTCOME_UNAVAILABLE,
                             "patients");
    }
    v2->numbers = arena_calloc(ex->arena, v2->patients.count + 1, sizeof(*v2->numbers));
    v2->hashes = arena_alloc(ex->arena, (size_t)V2_PATIENT_IDS_MAX * STORE_HASH_SIZE);
    if (!v2->numbers || !v2->hashes) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    v2->resolved = 0;
    v2->conflict = false;
    v2->nameless = false;
    return resolve_next(ex);
}

/* The strictest answer of one patient over all resources of the message. */
static enum v2_verdict ask(struct v2_case *v2, const struct consent_request *request,
                           struct dossier_subject *subject, const char **basis)
{
    const struct consents *consents = v2->dossier.worker->consents;
    size_t n = v2->facts ? v2->fact_count : 1;
    enum v2_verdict worst = V2_PERMIT;
    for (size_t i = 0; i < n; i++) {
        struct consent_evidence evidence;
        consents_decide(consents, subject->patient, request, v2->facts ? &v2->facts[i] : NULL,
                        &evidence);
        dossier_rely_on(&v2->dossier, subject, &evidence);
        if (v2->facts) {
            type_set_add(&subject->types, v2->facts[i].type);
        }
        enum v2_verdict verdict = V2_DENY;
        const char *word = directory_basis(request, &evidence);
        switch (evidence.verdict.decision) {
        case CONSENT_PERMIT:
            verdict = evidence.obligations ? V2_DENY : V2_PERMIT;
            word = evidence.obligations ? "minimum-necessary" : word; /* a message goes whole */
            break;
        case CONSENT_NEEDS_FACTS:
            verdict = V2_HELD;
            word = "needs-content";
            break;
        case CONSENT_DENY:
            verdict = directory_silent(word) ? V2_HELD : V2_DENY; /* it may answer yet */
            break;
        }
        if (i == 0 || verdict > worst) {
            worst = verdict;
            *basis = word;
        }
    }
    return worst;
}

/* A message that names no patient may still be about one: what it became decides. */
static enum v2_verdict decide_nobodys(const struct v2_case *v2, const char **basis)
{
    if (!v2->facts) {
        *basis = "needs-content";
        return V2_HELD;
    }
    *basis = v2->nobodys ? "no-patient" : "no-identifier";
    return v2->nobodys ? V2_PERMIT : V2_DENY;
}

void v2_case_asks(struct exchange *ex, const struct config_destination *to, struct v2_asks *out)
{
    const struct dossier *dossier = dossier_of(ex);
    const struct worker *worker = dossier->worker;
    const struct directory_asker asker =
        directory_destination(worker_way_out(worker, to->place.name));
    struct belonging belonging;
    directory_known(worker->directory, ex->arena, &asker, &belonging);
    out->actors[0] = asker.organization;
    memcpy(out->actors + 1, belonging.at, belonging.n * sizeof(out->actors[0]));
    out->request = (struct consent_request){
        .actors = out->actors,
        .n_actors = 1 + belonging.n,
        .actors_unknown = belonging.unknown,
        .purposes = purpose_bit(str_z(dossier->route->purpose)),
        .action = ACTION_DISCLOSE,
        .now = ex->time,
    };
}

enum v2_verdict v2_case_decide(struct exchange *ex, const struct config_destination *to,
                               const char **basis)
{
    struct v2_case *v2 = case_of(ex);
    enum consents_state state = consents_state(v2->dossier.worker->consents);
    if (v2->patients.count == 0 && state == CONSENTS_READY) {
        return decide_nobodys(v2, basis);
    }
    struct v2_asks asks;
    v2_case_asks(ex, to, &asks);
    enum v2_verdict worst = v2->patients.count ? V2_PERMIT : V2_HELD;
    *basis = consents_state_name(state);
    for (size_t i = 0; i < v2->patients.count; i++) {
        struct dossier_subject *subject = dossier_subject(ex, v2->numbers[i]);
        if (!subject) {
            *basis = "memory";
            return V2_HELD;
        }
        const char *word = consents_state_name(state);
        enum v2_verdict verdict = V2_HELD;
        if (state == CONSENTS_READY) {
            verdict = ask(v2, &asks.request, subject, &word);
        }
        if (i == 0 || verdict > worst) {
            worst = verdict;
            *basis = word;
        }
    }
    return worst;
}
