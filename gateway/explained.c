#include "gateway/explained.h"

#include "crypto/base/attr.h"
#include "gateway/basis.h"

const char *explained_decision(enum consent_decision decision)
{
    return decision == CONSENT_PERMIT ? "permit"
           : decision == CONSENT_DENY ? "deny"
                                      : "depends on the data";
}

void explained_finding_put(struct buf *b, const struct consent_finding *found)
{
    static const struct {
        enum consent_outcome outcome;
        const char *sure;
        const char *maybe;
    } words[] = {
        { CONSENT_MAY_DENY, "denies", "may deny" },
        { CONSENT_MAY_PERMIT, "permits", "may permit" },
        { CONSENT_MAY_PASS, "says nothing", "may say nothing" },
    };
    bool several = found->set & (found->set - 1);
    const char *between = "";
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!(found->set & words[i].outcome)) {
            continue;
        }
        buf_fmt(b, "%s%s", between, several ? words[i].maybe : words[i].sure);
        between = ", ";
        bool passes = words[i].outcome == CONSENT_MAY_PASS;
        bool refused = words[i].outcome == CONSENT_MAY_DENY && found->basis;
        if (passes || refused) {
            buf_fmt(b, ": %s", consent_basis_name(found->basis));
            continue;
        }
        buf_z(b, " by ");
        consent_path_write(b, words[i].outcome == CONSENT_MAY_DENY ? &found->deny
                                                                   : &found->permit);
    }
}

void explained_path_put(struct buf *b, const struct consent_verdict *verdict)
{
    bool by_rule = verdict->basis == CONSENT_BASIS_PERMIT ||
                   verdict->basis == CONSENT_BASIS_DENY ||
                   verdict->basis == CONSENT_BASIS_IN_DOUBT;
    if (by_rule) {
        consent_path_write(b, &verdict->path);
    }
}

const char *explained_advice(struct str basis)
{
    static const struct {
        const char *basis;
        const char *advice;
    } own[] = {
        { "no-consent", "ask the patient for a consent" },
        { "not-yet-safe", "wait until the grant's block is safe" },
        { "not-yet-valid", "the consent's period has not begun" },
        { "expired", "ask the patient to renew the consent" },
        { "revoked", "the patient took the consent back; ask for a new one" },
        { "in-doubt", "ask whoever holds the data to label, code or date it" },
        { "break-glass-closed", "break the glass for this patient first" },
    };
    static const char *const kinds[] = {
        [BASIS_OTHER] = "",
        [BASIS_CONSENT] = "ask the patient whether the consent should say otherwise",
        [BASIS_LEGAL] = "the tenant's legal rules decide; ask the privacy officer",
        [BASIS_AUTHORITY] = "ask whoever issues the tokens",
        [BASIS_PATIENT] = "ask whoever holds the data whose it is",
        [BASIS_LEDGER] = "ask the operator: the chain is not followed, or differs",
        [BASIS_UNAVAILABLE] = "try again; ask the operator if it stays so",
        [BASIS_REQUEST] = "ask whoever makes the client",
    };
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        if (str_eq(basis, str_z(own[i].basis))) {
            return own[i].advice;
        }
    }
    return kinds[basis_ground(basis)];
}
