/*
 * What the request alone tells: whom it names, and whether one of them refuses.
 *
 * A permit given here is no permit for the answer; the filter decides each resource by what it
 * says. A refusal given here is final, and looks like a patient who isn't there.
 */
#include "gateway/pipeline/fhir_impl.h"

#include "gateway/consents.h"
#include "gateway/directory.h"

#include <errno.h>

bool fhir_decidable(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    enum consents_state state = consents_state(fx->dossier.worker->consents);
    return state == CONSENTS_READY || (state == CONSENTS_LEDGER && fx->glass.asked);
}

/* --- subjects ----------------------------------------------------------------------------- */

/* A token for one patient asks for that one only. */
static int set_own(struct exchange *ex, bool *foreign)
{
    struct fhir_exchange *fx = fhir_of(ex);
    if (fx->logged_in) {
        return 0; /* known by number alone: own_alone() */
    }
    int r = fhir_person_own(ex);
    if (r < 0 || !fx->own_person) {
        *foreign = true;
        return r;
    }
    for (const struct fhir_person *at = fx->people.first; at; at = at->next) {
        *foreign |= at->id.n && at != fx->own_person;
    }
    return 0;
}

static enum step refuse_foreign(struct exchange *ex)
{
    return fhir_refuse(ex, OUTCOME_FORBIDDEN, "scope", 403,
                       "the token's scopes don't cover this");
}

/* Everybody named is the patient who logged in. */
static enum step own_alone(struct exchange *ex)
{
    const struct fhir_person *at = fhir_of(ex)->people.first;
    while (at && at->state == FHIR_PERSON_KNOWN && fhir_is_own(ex, at->number)) {
        at = at->next;
    }
    return at ? refuse_foreign(ex) : STEP_NEXT;
}

enum step fhir_subjects_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    fhir_people_clear(ex);
    int r = 0;
    const struct subject_ref *ref = fx->interaction.patients.first;
    for (; r == 0 && ref; ref = ref->next) {
        struct fhir_person *person;
        r = fhir_person(ex, &ref->to, NULL, &person);
    }
    bool foreign = false;
    if (r == 0 && fx->only_patient) {
        r = set_own(ex, &foreign);
    }
    if (r < 0) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    if (foreign) {
        return refuse_foreign(ex);
    }
    return fhir_people_resolve(ex, fx->logged_in ? own_alone : fhir_person_own_known);
}

/* --- consent ------------------------------------------------------------------------------ */

/* The first of those named who refuses; NULL: none. Notes what the decisions rest on. */
static const char *refusal(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const char *basis = NULL;
    for (const struct fhir_person *at = fx->people.first; at; at = at->next) {
        if (at->state != FHIR_PERSON_KNOWN) {
            continue;
        }
        struct consent_evidence evidence;
        consents_decide(fx->dossier.worker->consents, at->number, &fx->asks, NULL, &evidence);
        bool closed = fx->glass.asked && !fhir_glass_broken(ex, at->number);
        if (evidence.verdict.decision != CONSENT_DENY && !closed) {
            continue;
        }
        struct dossier_subject *subject = dossier_subject(ex, at->number);
        if (!subject) {
            return "too-many-subjects";
        }
        dossier_rely_on(&fx->dossier, subject, &evidence);
        const char *why = closed ? "break-glass-closed" : directory_basis(&fx->asks, &evidence);
        basis = basis ? basis : why;
    }
    return basis;
}

enum step fhir_consent_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    enum consents_state state = consents_state(fx->dossier.worker->consents);
    if (fx->dossier.mode != RECORD_ENFORCE) {
        return STEP_NEXT;
    }
    if (!fhir_decidable(ex)) {
        return fhir_refuse(ex, OUTCOME_UNAVAILABLE, consents_state_name(state), 503,
                           "consents can't be checked at the moment");
    }
    fx->dossier.epoch = consents_epoch(fx->dossier.worker->consents);
    fx->dossier.decide_again = "subjects";
    const char *basis = refusal(ex);
    if (!basis) {
        return STEP_NEXT;
    }
    return exchange_stop(ex, OUTCOME_DENY, basis);
}
