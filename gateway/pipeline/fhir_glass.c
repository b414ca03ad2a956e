/*
 * Stage "glass": a request whose purpose breaks the glass.
 *
 *   glass_enter --another purpose--> next
 *   glass_enter --no role, no patient named--> stop
 *   glass_enter --store_glass_held--> waiting --broken for somebody--> next
 *                                        +--for nobody--> stop
 *
 * Such a request is decided for BTG and ETREAT alone, so that no permit for another purpose
 * carries it, and shows nobody but those for whom who asks has broken the glass (fhir_break.c).
 * Consents still decide: a glass is broken into what they leave closed to other purposes only.
 */
#include "gateway/pipeline/fhir_impl.h"

#include "fhir/consent/purpose.h"
#include "gateway/clock.h"
#include "gateway/identity/role.h"
#include "gateway/store/glass.h"
#include "gateway/vault.h"

bool fhir_glass_only(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    fx->glass.asked = purpose_breaks_glass(fx->asks.purposes);
    if (fx->glass.asked) {
        fx->asks.purposes &= purpose_bit(STR("BTG")) | purpose_bit(STR("ETREAT"));
        fx->asks.n_other_purposes = 0;
    }
    return fx->glass.asked;
}

bool fhir_glass_broken(const struct exchange *ex, const uint8_t patient[16])
{
    const struct fhir_glass *glass = &((const struct fhir_exchange *)ex->data)->glass;
    for (size_t i = 0; i < glass->n; i++) {
        if (memcmp(glass->held[i].patient, patient, 16) == 0) {
            return glass->held[i].until > clock_utc_ms();
        }
    }
    return false;
}

const char *fhir_permit_basis(const struct exchange *ex)
{
    const struct fhir_exchange *fx = ex->data;
    bool shadow = fx->dossier.mode == RECORD_SHADOW;
    if (fx->answer.denied && (shadow || !fx->glass.asked)) {
        return fx->dossier.mode == RECORD_OBSERVE ? "permit" : fx->answer.denied;
    }
    return fx->glass.asked ? "break-glass" : "permit";
}

/* Refused, unless the route doesn't hold back. */
static enum step refuse(struct exchange *ex, const char *basis, const char *text)
{
    return dossier_of(ex)->mode == RECORD_ENFORCE
               ? fhir_refuse(ex, OUTCOME_FORBIDDEN, basis, 403, text)
               : STEP_NEXT;
}

/* The latest of each patient; rows come by their end. */
static void take(struct fhir_glass *glass, const struct db_rows *rows)
{
    for (int i = 0; i < db_count(rows) && glass->n < FHIR_GLASS_MAX; i++) {
        struct fhir_broken *broken = &glass->held[glass->n];
        store_glass_held_row(rows, i, broken->id, broken->patient, &broken->until);
        size_t same = 0;
        while (memcmp(glass->held[same].patient, broken->patient, 16) != 0) {
            same++;
        }
        glass->n += same == glass->n;
    }
}

static void on_held(void *arg, int r, const struct db_rows *rows)
{
    struct exchange *ex = exchange_woken(arg);
    if (r < 0) {
        exchange_move(ex, exchange_stop(ex, OUTCOME_UNAVAILABLE, "database"));
        return;
    }
    take(&fhir_of(ex)->glass, rows);
    exchange_move(ex, fhir_of(ex)->glass.n
                          ? STEP_NEXT
                          : refuse(ex, "break-glass-closed",
                                   "break the glass first: POST Patient/[id]/$break-glass"));
}

enum step fhir_glass_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct config_issuer *issuer = config_issuer(fx->way->config, fx->claims.issuer);
    uint8_t hash[32];
    if (!fhir_glass_only(ex)) {
        return STEP_NEXT;
    }
    if (!issuer || !role_allows(issuer->roles, &fx->claims.roles, ROLE_BREAK_GLASS)) {
        return refuse(ex, "role", "the token names no role that may break the glass");
    }
    if (fx->interaction.kind == INTERACTION_SEARCH && !fx->interaction.patients.first) {
        return refuse(ex, "break-glass-patient",
                      "a search that breaks the glass names its patient");
    }
    vault_recipient_hash(fx->dossier.worker->vault, fx->dossier.recipient, hash);
    return exchange_wait(ex, store_glass_held(fx->dossier.worker->db, hash, ex->time,
                                              FHIR_GLASS_MAX, on_held, ex));
}
