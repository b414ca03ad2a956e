/*
 * The normal form of a consent: what it decides, without whom it is about.
 *
 * Its text is canonical JSON (RFC 8785; strings and integers only, lists sorted and without
 * repeats), so equal policies have equal bytes and one digest, policyHash, which the commitment
 * on chain binds. Everything that a decision depends on is in it, the exact period included.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "fhir/base/arena.h"
#include "fhir/base/instant.h"
#include "fhir/base/issue.h"
#include "fhir/consent/labels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    POLICY_SCHEMA = 1,       /* of the text; any change of meaning is a new number */
    POLICY_DEPTH_MAX = 8,    /* rules within rules */
    POLICY_RULES_MAX = 250,  /* in one list */
    POLICY_VALUES_MAX = 500, /* in one list of a criterion */
    POLICY_TEXT_MAX = 1 << 20,
};

enum {
    POLICY_E_FORM = 1, /* not the canonical text of a policy */
};

enum policy_effect {
    POLICY_SILENT, /* as base only: what no rule decides is left to the tenant's default */
    POLICY_DENY,
    POLICY_PERMIT,
};

/* How a FHIR Consent was read. */
enum consent_reading {
    CONSENT_READING_NONE, /* not from a Consent, or not noted */
    CONSENT_R4,           /* base from policyRule, one rule from an untyped root */
    CONSENT_PCF,          /* base and scope from a typed root */
    CONSENT_R5,           /* base from decision, effects alternate */
};

/* Sorted texts without repeats. */
struct policy_texts {
    struct str *at;
    size_t n;
};

/* Lists of a rule, each of texts. */
enum policy_list {
    POLICY_ACTORS,         /* canonical actor URIs of those whom data is released to */
    POLICY_CUSTODIANS,     /* canonical actor URIs of those whose data it is (role CST) */
    POLICY_OTHER_PURPOSES, /* "system|code" */
    POLICY_OTHER_LABELS,   /* "system|code" */
    POLICY_CLASSES,        /* resource type, profile URL, or "system|code" */
    POLICY_CODES,          /* "system|code" */
    POLICY_INSTANCES,      /* data that is "Type/id" or "Type/id/_history/version" */
    POLICY_RELATED,        /* is it, or belongs to that Encounter, CarePlan, EpisodeOfCare */
    POLICY_DEPENDENTS,     /* is it, or refers to it */
    POLICY_AUTHORED_BY,    /* was authored by that canonical actor URI */
    POLICY_LISTS,
};

/*
 * What a rule asks for. An absent criterion asks for nothing; inside one, any value will do.
 * One criterion each are: actors and custodians; purposes of both kinds; labels of all three
 * kinds; the four ways to name data.
 *
 * @actions:    bits of enum action
 * @purposes:   bits of purpose.h
 * @confidentiality: bit 1 << enum confidentiality of each level listed
 * @sensitivity: bits of labels.h
 * @period:     when the rule holds; @data_period: of when the data must be
 *
 * The last group follows from the others and from the effect; policy_finish() sets it.
 * @purposes_met: requested purposes that match
 * @labels_met: data labels that match
 * @level:      highest level a permit covers, lowest one a deny stops; NONE: no level matches
 * @asked:      how many criteria there are
 */
struct policy_criteria {
    struct policy_texts lists[POLICY_LISTS];
    bool has_period;
    bool has_data_period;
    uint8_t actions;
    uint8_t confidentiality;
    struct instant_span period;
    struct instant_span data_period;
    uint64_t purposes;
    uint64_t sensitivity;

    uint64_t purposes_met;
    uint64_t labels_met;
    enum confidentiality level;
    uint8_t asked;
};

/* @rules: exceptions to this rule */
struct policy_rule {
    enum policy_effect effect;
    struct policy_criteria when;
    struct policy_rule *rules;
    size_t n_rules;
};

/*
 * @base:    what holds where no rule matches and @scope does
 * @reading: how it was read, so that a decision can say so
 * @scope:   what the base is limited to; its period bounds the whole policy. The rules are
 * tried even where the rest of the scope doesn't match: IHE PCF has exceptions that widen it
 * @rules:   exceptions to the base
 * @uris:    policies that the consent agreed to
 * @sources: digests of what was signed: "sha256:" and hexadecimal digits, or a URI
 */
struct policy {
    enum policy_effect base;
    enum consent_reading reading;
    struct policy_criteria scope;
    struct policy_rule *rules;
    size_t n_rules;
    struct policy_texts uris;
    struct policy_texts sources;
};

/**
 * policy_finish() - bring a policy into its one order and work out what follows from it
 * @policy: sorted in place, with all its lists, which must be writable memory
 *
 * To be called by whoever fills in a policy, before it is written or evaluated.
 */
void policy_finish(struct policy *policy);

/* The canonical text of a finished @policy onto @out; see buf_failed(). */
void policy_write(struct buf *out, const struct policy *policy);

/**
 * policy_read() - read a canonical text back
 * @arena:  memory for the policy, which borrows nothing from @text
 * @text:   as policy_write() leaves it
 * @issues: told what is wrong
 * @out:    the policy, finished
 *
 * Return: 0, POLICY_E_FORM (also for a policy that would be written differently) or -ENOMEM.
 */
MUST_USE int policy_read(struct arena *arena, struct str text, struct issues *issues,
                         struct policy *out);

/* "r4", "pcf" or "r5"; empty for none. */
const char *consent_reading_name(enum consent_reading reading);

/* Bytes that policy_copy() needs for @policy. */
size_t policy_size(const struct policy *policy);

/*
 * A copy of @policy in one piece of policy_size() bytes at @memory, aligned for any type, that
 * borrows nothing. Returns it; it starts at @memory.
 */
const struct policy *policy_copy(void *memory, const struct policy *policy);
