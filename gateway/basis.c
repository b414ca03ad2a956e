/* One table; a basis that isn't in it shows as "other", which tests don't let pass. */
#include "gateway/basis.h"

#include <stddef.h>

static const struct {
    const char *basis;
    enum basis_ground ground;
} bases[] = {
    { "break-glass-closed", BASIS_CONSENT },
    { "break-glass-patient", BASIS_CONSENT },
    { "consent-deny", BASIS_CONSENT },
    { "expired", BASIS_CONSENT },
    { "in-doubt", BASIS_CONSENT },
    { "no-consent", BASIS_CONSENT },
    { "not-yet-safe", BASIS_CONSENT },
    { "not-yet-valid", BASIS_CONSENT },
    { "revoked", BASIS_CONSENT },

    { "legal", BASIS_LEGAL },
    { "minimum-necessary", BASIS_LEGAL },
    { "part2", BASIS_LEGAL },

    { "break-glass-login", BASIS_AUTHORITY },
    { "break-glass-off", BASIS_AUTHORITY },
    { "break-glass-purpose", BASIS_AUTHORITY },
    { "purpose-missing", BASIS_AUTHORITY },
    { "role", BASIS_AUTHORITY },
    { "scope", BASIS_AUTHORITY },
    { "sender", BASIS_AUTHORITY },
    { "token", BASIS_AUTHORITY },
    { "unauthenticated", BASIS_AUTHORITY },

    { "ambiguous-identifier", BASIS_PATIENT },
    { "identifier-too-long", BASIS_PATIENT },
    { "identity-conflict", BASIS_PATIENT },
    { "merge", BASIS_PATIENT },
    { "needs-content", BASIS_PATIENT },
    { "no-identifier", BASIS_PATIENT },
    { "no-patient", BASIS_PATIENT },
    { "not-found", BASIS_PATIENT },
    { "subject-elsewhere", BASIS_PATIENT },
    { "subject-unknown", BASIS_PATIENT },
    { "too-many-subjects", BASIS_PATIENT },

    { "consent-lease", BASIS_LEDGER },
    { "consent-loading", BASIS_LEDGER },
    { "consent-moved", BASIS_LEDGER },
    { "ledger-mismatch", BASIS_LEDGER },
    { "ledger-stale", BASIS_LEDGER },
    { "unprocessable", BASIS_LEDGER },

    { "ack-error", BASIS_UNAVAILABLE },
    { "ack-mismatch", BASIS_UNAVAILABLE },
    { "ack-reject", BASIS_UNAVAILABLE },
    { "ack-unreadable", BASIS_UNAVAILABLE },
    { "answer-lost", BASIS_UNAVAILABLE },
    { "answer-unreadable", BASIS_UNAVAILABLE },
    { "client-broken", BASIS_UNAVAILABLE },
    { "client-gone", BASIS_UNAVAILABLE },
    { "database", BASIS_UNAVAILABLE },
    { "directory", BASIS_UNAVAILABLE },
    { "http-status", BASIS_UNAVAILABLE },
    { "key", BASIS_UNAVAILABLE },
    { "memory", BASIS_UNAVAILABLE },
    { "payload-damaged", BASIS_UNAVAILABLE },
    { "payload-gone", BASIS_UNAVAILABLE },
    { "recipient", BASIS_UNAVAILABLE },
    { "record", BASIS_UNAVAILABLE },
    { "route-gone", BASIS_UNAVAILABLE },
    { "upstream", BASIS_UNAVAILABLE },
    { "upstream-busy", BASIS_UNAVAILABLE },
    { "upstream-cut", BASIS_UNAVAILABLE },
    { "upstream-invalid", BASIS_UNAVAILABLE },
    { "upstream-status", BASIS_UNAVAILABLE },
    /* stages that took too long */
    { "actor", BASIS_UNAVAILABLE },
    { "before", BASIS_UNAVAILABLE },
    { "claim", BASIS_UNAVAILABLE },
    { "collect", BASIS_UNAVAILABLE },
    { "disclosure", BASIS_UNAVAILABLE },
    { "file", BASIS_UNAVAILABLE },
    { "find", BASIS_UNAVAILABLE },
    { "filter", BASIS_UNAVAILABLE },
    { "forward", BASIS_UNAVAILABLE },
    { "glass", BASIS_UNAVAILABLE },
    { "hold", BASIS_UNAVAILABLE },
    { "intent-record", BASIS_UNAVAILABLE },
    { "intent-seal", BASIS_UNAVAILABLE },
    { "load", BASIS_UNAVAILABLE },
    { "open", BASIS_UNAVAILABLE },
    { "parts", BASIS_UNAVAILABLE },
    { "patient", BASIS_UNAVAILABLE },
    { "patients", BASIS_UNAVAILABLE },
    { "relay", BASIS_UNAVAILABLE },
    { "seal", BASIS_UNAVAILABLE },
    { "subjects", BASIS_UNAVAILABLE },

    { "accept", BASIS_REQUEST },
    { "batch", BASIS_REQUEST },
    { "body", BASIS_REQUEST },
    { "break-glass-refused", BASIS_REQUEST },
    { "consent-refused", BASIS_REQUEST },
    { "disclosure-refused", BASIS_REQUEST },
    { "empty", BASIS_REQUEST },
    { "fragment", BASIS_REQUEST },
    { "interaction", BASIS_REQUEST },
    { "invalid", BASIS_REQUEST },
    { "no-map", BASIS_REQUEST },
    { "no-route", BASIS_REQUEST },
    { "operation", BASIS_REQUEST },
    { "path", BASIS_REQUEST },
    { "too-large", BASIS_REQUEST },
    { "too-long", BASIS_REQUEST },
    { "type", BASIS_REQUEST },
    { "unreadable", BASIS_REQUEST },
    { "upstream-refused", BASIS_REQUEST },
    { "version", BASIS_REQUEST },
};

static const struct {
    const char *name;
    const char *exception;
} grounds[] = {
    [BASIS_OTHER] = { "other", "" },
    [BASIS_CONSENT] = { "consent", "171.202 privacy" },
    [BASIS_LEGAL] = { "legal", "171.202 privacy" },
    [BASIS_AUTHORITY] = { "authority", "171.203 security" },
    [BASIS_PATIENT] = { "patient", "171.204 infeasibility" },
    [BASIS_LEDGER] = { "ledger", "171.202 privacy" },
    [BASIS_UNAVAILABLE] = { "unavailable", "171.204 infeasibility" },
    [BASIS_REQUEST] = { "request", "" },
};

enum basis_ground basis_ground(struct str basis)
{
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        if (str_eq(basis, str_z(bases[i].basis))) {
            return bases[i].ground;
        }
    }
    return BASIS_OTHER;
}

const char *basis_ground_name(enum basis_ground ground)
{
    return grounds[ground].name;
}

const char *basis_ground_exception(enum basis_ground ground)
{
    return grounds[ground].exception;
}
