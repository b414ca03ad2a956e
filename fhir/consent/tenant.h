/*
 * What the tenant has decided for all patients: the policy that consents work within.
 *
 * Legal rules go first; then the patient's consents, combined as is said here; where none
 * applies, one of the implicit policies of IHE PCF. Who wrote the text and signed it is the
 * caller's to check.
 */
#pragma once

#include "crypto/base/attr.h"
#include "fhir/base/arena.h"
#include "fhir/base/issue.h"
#include "fhir/consent/evaluate.h"

enum {
    CONSENT_TENANT_SCHEMA = 1,
    CONSENT_TENANT_TEXT_MAX = 1 << 20,
    CONSENT_TENANT_IMPLICIT_MAX = 64,
    CONSENT_TENANT_OBLIGATIONS_MAX = 32,
    CONSENT_TENANT_DIGEST_SIZE = 32,

    CONSENT_TENANT_E_FORM = 1, /* not a tenant's policy: the issues say why */
};

/* How the consents of one patient are combined. What doesn't add up denies with each. */
enum consent_combining {
    CONSENT_DENY_OVERRIDES,
    CONSENT_MOST_SPECIFIC, /* the rule that asks for more criteria; among equals deny */
    CONSENT_MOST_RECENT,   /* the one granted in the later block; among equals deny */
};

/* @purposes: for which it holds, by what they cover; 0: for those that no other names */
struct consent_implicit {
    uint64_t purposes;
    struct policy policy;
};

/*
 * What a permit is given under.
 *
 * @when:   it applies where this policy may deny
 * @redact, @mask: elements by path, "Patient.contact.telecom", "Observation.value[x]"
 * @labels: "system|code" that meta.security has besides
 * @notice: a sentence for who gets it
 */
struct consent_obligation {
    struct policy when;
    struct policy_texts redact;
    struct policy_texts mask;
    struct policy_texts labels;
    struct str notice;
};

/*
 * @legal, @part2: base silent; what they decide overrides consents
 * @implicit: @n_implicit of them; @obligations: @n_obligations
 * @digest:   SHA-256 of the text
 */
struct consent_tenant {
    enum consent_combining combining;
    struct policy legal;
    struct policy part2;
    struct consent_implicit *implicit;
    size_t n_implicit;
    struct consent_obligation *obligations;
    size_t n_obligations;
    uint8_t digest[CONSENT_TENANT_DIGEST_SIZE];
};

/**
 * consent_tenant_read() - read a tenant's policy
 * @arena:  memory for it; it borrows nothing from @text
 * @text:   canonical JSON; the README of this folder says what is in it
 * @issues: told what is wrong
 * @out:    the policy
 *
 * Return: 0, CONSENT_TENANT_E_FORM or -ENOMEM; @out is set only on 0.
 */
MUST_USE int consent_tenant_read(struct arena *arena, struct str text, struct issues *issues,
                                 struct consent_tenant *out);

/*
 * What the legal rules say. A deny tells its basis, CONSENT_BASIS_LEGAL or _PART2, a permit is
 * always legal.
 */
struct consent_finding consent_tenant_legal(const struct consent_tenant *tenant,
                                            const struct consent_request *request,
                                            const struct consent_facts *facts);

/* What holds where no consent applies. It permits or says nothing: nothing is a deny. */
struct consent_finding consent_tenant_implicit(const struct consent_tenant *tenant,
                                               const struct consent_request *request,
                                               const struct consent_facts *facts);

/* The obligations that a permit is given under, in doubt too: a bit for each. */
uint32_t consent_tenant_obligations(const struct consent_tenant *tenant,
                                    const struct consent_request *request,
                                    const struct consent_facts *facts);
