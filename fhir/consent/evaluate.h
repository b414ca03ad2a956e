/*
 * What a policy says about a request.
 *
 * Evaluation never guesses. What isn't known of the data (a date that isn't there, a request
 * whose answer is still to come) leaves a set of possible outcomes; it is a permit only if
 * every one of them is. So a verdict given before the data is seen holds for whatever data
 * comes.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "fhir/consent/action.h"
#include "fhir/consent/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONSENT_ENGINE = 1, /* version of the rules of evaluation; in evidence */
};

/*
 * @actors:   canonical URIs of everyone the requester is: user, client, organization and its
 *            ancestors, roles ("system|code"), groups and care teams at this moment
 * @actors_unknown: there may be more of them: no rule that names others is sure not to match
 * @purposes: bits of purpose.h; @other_purposes: "system|code". None at all permits nothing
 * @action:   one of enum action
 * @now:      milliseconds since 1970-01-01T00:00:00Z
 */
struct consent_request {
    const struct str *actors;
    size_t n_actors;
    bool actors_unknown;
    uint64_t purposes;
    const struct str *other_purposes;
    size_t n_other_purposes;
    enum action action;
    int64_t now;
};

/* Parts of the facts. */
enum consent_fact {
    CONSENT_FACT_TYPE = 1 << 0,       /* type */
    CONSENT_FACT_CODES = 1 << 1,      /* codes and profiles */
    CONSENT_FACT_LABELS = 1 << 2,     /* labels of all kinds */
    CONSENT_FACT_TIME = 1 << 3,       /* time */
    CONSENT_FACT_REFERENCES = 1 << 4, /* id, version and references */
    CONSENT_FACT_AUTHORS = 1 << 5,    /* authors */
    CONSENT_FACT_CUSTODIANS = 1 << 6, /* custodians */
    CONSENT_FACT_ALL = (1 << 7) - 1,
};

struct consent_coding {
    struct str system;
    struct str code;
};

/*
 * What matters about one resource. All borrowed.
 *
 * @pending:    bits of enum consent_fact that will be known later (a pre-decision)
 * @unknown:    bits that will never be: never to the good of a permit
 * @type, @id, @version: "Observation", logical id, meta.versionId or empty
 * @profiles:   meta.profile
 * @codes:      every coding in it, document type and format and content types (system
 *              "urn:ietf:bcp:13") included
 * @level:      highest confidentiality in meta.security
 * @sensitivity: bits of labels.h in meta.security; @labels: its other codings
 * @labelled:   the labeller has seen it, so no label means normal
 * @time:       effective, authored or occurred, else meta.lastUpdated; an empty span (from not
 *              below until) is an unknown time
 * @references: "Type/id" that it refers to
 * @authors:    canonical actor URIs of its authors
 * @custodians: canonical actor URIs of those whose data it is: authors' organization, source
 */
struct consent_facts {
    uint32_t pending;
    uint32_t unknown;
    struct str type;
    struct str id;
    struct str version;
    const struct str *profiles;
    size_t n_profiles;
    const struct consent_coding *codes;
    size_t n_codes;
    enum confidentiality level;
    uint64_t sensitivity;
    const struct consent_coding *labels;
    size_t n_labels;
    bool labelled;
    struct instant_span time;
    const struct str *references;
    size_t n_references;
    const struct str *authors;
    size_t n_authors;
    const struct str *custodians;
    size_t n_custodians;
};

enum consent_decision {
    CONSENT_DENY,
    CONSENT_PERMIT,
    CONSENT_NEEDS_FACTS, /* decide again when what is pending is known; until then: no */
};

/*
 * Why. _PERMIT, _LEGAL_PERMIT and _IMPLICIT go with a permit, anything else with a deny or with
 * what would be one. Of what says nothing the greatest is told. From _LEGAL on no consent is
 * what it rests on.
 */
enum consent_basis {
    CONSENT_BASIS_NO_CONSENT,    /* none applies: the tenant's default, which is deny */
    CONSENT_BASIS_PERMIT,        /* a rule or base permits */
    CONSENT_BASIS_DENY,          /* a rule or base denies */
    CONSENT_BASIS_IN_DOUBT,      /* could be denied by what isn't known of the data */
    CONSENT_BASIS_NOT_YET,       /* before its period */
    CONSENT_BASIS_EXPIRED,       /* after its period */
    CONSENT_BASIS_NOT_SAFE,      /* its grant isn't safe on chain, or not there at all */
    CONSENT_BASIS_REVOKED,       /* revoked on chain */
    CONSENT_BASIS_MISMATCH,      /* chain and database differ: alert */
    CONSENT_BASIS_UNPROCESSABLE, /* the stored policy can't be read: alert */
    CONSENT_BASIS_LEGAL,         /* a legal rule of the tenant's policy denies */
    CONSENT_BASIS_LEGAL_PERMIT,  /* a legal rule permits */
    CONSENT_BASIS_PART2,         /* its rules for programmes under 42 CFR Part 2 */
    CONSENT_BASIS_IMPLICIT,      /* no consent applies, and the tenant's policy permits */
};

/*
 * Where in a policy: rules[steps[0]].rules[steps[1]]…; with no steps, the base.
 */
struct consent_path {
    uint8_t n;
    uint8_t steps[POLICY_DEPTH_MAX];
};

/* Possible outcomes, as a set. */
enum consent_outcome {
    CONSENT_MAY_PERMIT = 1 << 0,
    CONSENT_MAY_DENY = 1 << 1,
    CONSENT_MAY_PASS = 1 << 2, /* says nothing about the request */
};

/*
 * How specific what decides is: criteria asked for along its path. As long as facts are missing
 * it isn't known which of several rules it will be.
 */
struct consent_rank {
    uint8_t least;
    uint8_t most;
};

/*
 * @set:    which outcomes are possible: bits of enum consent_outcome, at least one
 * @basis:  why, where nothing is decided
 * @bounded: permits only part of what could be asked for: beyond that, the patient said no more
 * @permit: who would permit; @deny: who would deny
 */
struct consent_finding {
    uint8_t set;
    bool bounded;
    enum consent_basis basis;
    struct consent_path permit;
    struct consent_path deny;
    struct consent_rank permit_rank;
    struct consent_rank deny_rank;
};

/* @path: meaningful for CONSENT_BASIS_PERMIT, _DENY and _IN_DOUBT */
struct consent_verdict {
    enum consent_decision decision;
    enum consent_basis basis;
    struct consent_path path;
};

/**
 * consent_find() - the possible outcomes of one policy
 * @policy:  finished
 * @request: who wants what for what, and when
 * @facts:   what is known of the data; NULL: nothing yet
 *
 * Spec: consent rules, sections 5.3 and 5.4
 */
struct consent_finding consent_find(const struct policy *policy,
                                    const struct consent_request *request,
                                    const struct consent_facts *facts);

/**
 * consent_evaluate() - decide by one policy alone
 *
 * As consent_find(), with the tenant's default (deny) for what the policy is silent about.
 */
struct consent_verdict consent_evaluate(const struct policy *policy,
                                        const struct consent_request *request,
                                        const struct consent_facts *facts);

/**
 * consent_add() - one finding more: deny overrides
 * @found: so far; start with CONSENT_MAY_PASS
 * @with:  one more
 */
void consent_add(struct consent_finding *found, const struct consent_finding *with);

/* What @found leaves open, @with decides. */
void consent_fall_back(struct consent_finding *found, const struct consent_finding *with);

/* The verdict on all findings together; @pending: facts are still to come. */
struct consent_verdict consent_conclude(const struct consent_finding *found, bool pending);

/* "consent-deny", "no-consent", "ledger-mismatch", … as records have it. */
const char *consent_basis_name(enum consent_basis basis);

/* "base" or "rules[0].rules[2]" onto @out. */
void consent_path_write(struct buf *out, const struct consent_path *path);
