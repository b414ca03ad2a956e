/*
 * From references to patient numbers.
 *
 *   new --in memory--> known
 *    |--found in PostgreSQL--> known
 *    |--not there--> read Patient/id at the upstream --> learn its identifiers --> known
 *    +--none of these--> unknown
 *
 * A Patient that passes tells its own identifiers, which are learnt with it. What was found
 * lately is kept in memory (gateway/number_cache.h).
 */
#include "gateway/pipeline/fhir_impl.h"

#include "fhir/format/json.h"
#include "gateway/consents.h"
#include "gateway/newcomers.h"
#include "gateway/number_cache.h"
#include "gateway/store/patients.h"
#include "gateway/vault.h"

#include <errno.h>

enum {
    SYSTEM_MAX = 4 << 10,
    TARGET_MAX = 4 << 10,
    PATIENT_MAX = 1 << 20, /* bytes of a Patient read beforehand */
};

/* --- what was found lately ---------------------------------------------------------------- */

static bool cached(const struct exchange *ex, struct fhir_person *person)
{
    const struct dossier *dossier = ex->data;
    struct number_cache *cache = dossier->worker->patients;
    number_cache_epoch(cache, consents_people_epoch(dossier->worker->consents));
    if (!number_cache_find(cache, person->hash, 1, person->number)) {
        return false;
    }
    person->state = FHIR_PERSON_KNOWN;
    return true;
}

static void keep(const struct exchange *ex, const struct fhir_person *person)
{
    const struct dossier *dossier = ex->data;
    number_cache_keep(dossier->worker->patients, person->hash, 1, person->number);
}

/* --- naming ------------------------------------------------------------------------------- */

void fhir_people_clear(struct exchange *ex)
{
    struct fhir_people *people = &fhir_of(ex)->people;
    people->first = NULL;
    people->last = &people->first;
    people->count = 0;
    people->at = NULL;
    people->hashes = NULL;
}

/* The keyed hash of patient @id at the upstream. */
static int hash_id(struct exchange *ex, struct str id, uint8_t out[32])
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct buf system = arena_buf(ex->arena, SYSTEM_MAX);
    buf_str_put(&system, fx->server);
    buf_z(&system, "/Patient");
    vault_identifier_hash(fx->dossier.worker->vault, buf_str(&system), id, out);
    return buf_failed(&system) ? -ENOMEM : 0;
}

/* Whether the reference names a Patient of the upstream by its id. */
static bool is_local(const struct fhir_exchange *fx, const struct reference *to)
{
    return str_eq(to->type, STR("Patient")) && reference_is_id(to->id) &&
           (to->form == REFERENCE_RELATIVE ||
            (to->form == REFERENCE_ABSOLUTE &&
             (str_eq(to->base, fx->server) || str_eq(to->base, fx->base))));
}

/* The person of @hash, added if nobody has it; NULL: no memory. */
static struct fhir_person *find(struct exchange *ex, const uint8_t hash[32])
{
    struct fhir_people *people = &fhir_of(ex)->people;
    struct fhir_person *person = people->first;
    while (person && memcmp(person->hash, hash, sizeof(person->hash)) != 0) {
        person = person->next;
    }
    if (person) {
        return person;
    }
    person = arena_calloc(ex->arena, 1, sizeof(*person));
    if (person) {
        memcpy(person->hash, hash, sizeof(person->hash));
        *people->last = person;
        people->last = &person->next;
        people->count++;
    }
    return person;
}

int fhir_person(struct exchange *ex, const struct reference *to, const struct node *resource,
                struct fhir_person **out)
{
    struct fhir_exchange *fx = fhir_of(ex);
    uint8_t hash[32];
    bool local = is_local(fx, to);
    if (local) {
        if (hash_id(ex, to->id, hash) < 0) {
            return -ENOMEM;
        }
    } else if (to->form == REFERENCE_LOGICAL && to->value.n &&
               (to->type.n == 0 || str_eq(to->type, STR("Patient")))) {
        vault_identifier_hash(fx->dossier.worker->vault, to->system, to->value, hash);
    } else {
        *out = NULL;
        return 0;
    }
    struct fhir_person *person = find(ex, hash);
    if (!person) {
        return -ENOMEM;
    }
    person->id = local ? to->id : person->id;
    person->resource = resource ? resource : person->resource;
    *out = person;
    return 0;
}

/* --- resolving ---------------------------------------------------------------------------- */

static enum step resolve_next(struct exchange *ex);

static enum step stop_database(struct exchange *ex)
{
    return exchange_stop(ex, OUTCOME_UNAVAILABLE, "database");
}

static void on_learnt(void *arg, int r, int outcome, const uint8_t *patient)
{
    struct exchange *ex = exchange_woken(arg);
    struct fhir_person *person = fhir_of(ex)->people.at;
    if (r < 0) {
        exchange_move(ex, stop_database(ex));
        return;
    }
    bool good = outcome == STORE_PATIENT_FOUND || outcome == STORE_PATIENT_MADE;
    person->state = good ? FHIR_PERSON_KNOWN : FHIR_PERSON_UNKNOWN;
    if (good) {
        memcpy(person->number, patient, sizeof(person->number));
        keep(ex, person);
    }
    exchange_move(ex, resolve_next(ex));
}

/* The person's id and the identifiers of its Patient lead to one number, made if need be. */
static enum step learn(struct exchange *ex, const struct node *patient)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct fhir_people *people = &fx->people;
    if (!people->hashes) {
        people->hashes =
            arena_alloc(ex->arena, (size_t)STORE_PATIENT_HASHES_MAX * STORE_HASH_SIZE);
    }
    if (!people->hashes) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    size_t n = 1;
    memcpy(people->hashes, people->at->hash, STORE_HASH_SIZE);
    const struct node *identifier = node_first(node_get(patient, "identifier"));
    for (; identifier; identifier = identifier->next) {
        struct str system = node_text(identifier, "system");
        struct str value = node_text(identifier, "value");
        if (system.n == 0 || value.n == 0) {
            continue; /* a value without system names nobody */
        }
        if (n == STORE_PATIENT_HASHES_MAX) {
            people->at->state = FHIR_PERSON_UNKNOWN;
            return resolve_next(ex);
        }
        vault_identifier_hash(fx->dossier.worker->vault, system, value,
                              people->hashes + n++ * STORE_HASH_SIZE);
    }
    return exchange_wait(
        ex, newcomers_learn(fx->dossier.worker->newcomers, people->hashes, n, on_learnt, ex));
}

/* Is it the Patient that was asked for? A wrong one would be somebody else's consent. */
static const struct node *read_patient(struct exchange *ex, const struct http_answer *answer)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct node *root;
    struct str body = arena_str(ex->arena, answer->body);
    if (!body.p || json_parse(ex->arena, body, &fx->issues, &root) != 0 ||
        !str_eq(node_text(root, "resourceType"), STR("Patient")) ||
        !str_eq(node_text(root, "id"), fx->people.at->id)) {
        return NULL;
    }
    return root;
}

static void on_read(void *owner, const struct http_answer *answer)
{
    struct exchange *ex = exchange_woken(owner);
    struct fhir_person *person = fhir_of(ex)->people.at;
    if (answer->fail) {
        exchange_move(ex, fhir_refuse(ex, OUTCOME_UPSTREAM, "upstream", 502,
                                      "the FHIR server doesn't answer"));
        return;
    }
    const struct node *patient = answer->head->status == 200 ? read_patient(ex, answer) : NULL;
    if (!patient) {
        person->state = FHIR_PERSON_UNKNOWN;
    }
    exchange_move(ex, patient ? learn(ex, patient) : resolve_next(ex));
}

static enum step read_before(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct buf target = arena_buf(ex->arena, TARGET_MAX);
    buf_str_put(&target, fx->out->base_path);
    buf_z(&target, "/Patient/");
    buf_str_put(&target, fx->people.at->id);
    if (buf_failed(&target)) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    struct http_field fields[4];
    struct http_ask ask = {
        .method = STR("GET"),
        .target = buf_str(&target),
        .fields = fields,
        .n_fields = fhir_upstream_fields(ex, fields),
    };
    fx->people.pre_reads++;
    fx->people.at->pre_read = true;
    return exchange_wait(ex, http_fetch(fx->out->http, &ask, PATIENT_MAX, on_read, ex));
}

static void on_looked(void *arg, int r, const struct db_rows *rows)
{
    struct exchange *ex = exchange_woken(arg);
    struct fhir_people *people = &fhir_of(ex)->people;
    struct fhir_person *person = people->at;
    if (r < 0) {
        exchange_move(ex, stop_database(ex));
        return;
    }
    int outcome = store_patient_outcome(rows, 0, person->number);
    bool found = outcome == STORE_PATIENT_FOUND;
    bool ask = outcome == STORE_PATIENT_UNKNOWN && person->id.n && !person->pre_read &&
               people->pre_reads < FHIR_PRE_READS_MAX && fhir_of(ex)->out->http;
    if (found) {
        person->state = FHIR_PERSON_KNOWN;
        keep(ex, person);
    } else if (person->make && person->id.n == 0 && outcome == STORE_PATIENT_UNKNOWN) {
        exchange_move(ex, learn(ex, NULL));
        return;
    } else if (!ask) {
        person->state = FHIR_PERSON_UNKNOWN;
    }
    exchange_move(ex, ask ? read_before(ex) : resolve_next(ex));
}

static enum step resolve_next(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct fhir_person *person = fx->people.first;
    while (person && (person->state != FHIR_PERSON_NEW || cached(ex, person))) {
        person = person->next;
    }
    fx->people.at = person;
    if (!person) {
        return fx->people.then(ex);
    }
    if (person->resource) {
        return learn(ex, person->resource);
    }
    return exchange_wait(
        ex, store_patient_find(fx->dossier.worker->db, person->hash, 1, on_looked, ex));
}

enum step fhir_people_resolve(struct exchange *ex, enum step (*then)(struct exchange *ex))
{
    fhir_of(ex)->people.then = then;
    return resolve_next(ex);
}

void fhir_people_tell(struct exchange *ex)
{
    for (struct fhir_person *at = fhir_of(ex)->people.first; at; at = at->next) {
        if (at->state == FHIR_PERSON_KNOWN) {
            (void)dossier_subject(ex, at->number);
        }
    }
}

/* --- the patient whom the token is for ---------------------------------------------------- */

int fhir_person_own(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    if (fx->logged_in) {
        return 0;
    }
    struct reference own = {
        .form = REFERENCE_RELATIVE,
        .type = STR("Patient"),
        .id = fx->claims.patient,
    };
    return fhir_person(ex, &own, NULL, &fx->own_person);
}

enum step fhir_person_own_known(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    if (fx->own_person && fx->own_person->state == FHIR_PERSON_KNOWN) {
        memcpy(fx->own, fx->own_person->number, sizeof(fx->own));
        fx->has_own = true;
    }
    return STEP_NEXT;
}

bool fhir_is_own(const struct exchange *ex, const uint8_t number[16])
{
    const struct fhir_exchange *fx = ex->data;
    return fx->has_own && memcmp(fx->own, number, sizeof(fx->own)) == 0;
}
