/*
 * Consents by chance: properties that must hold for each, and cases for another evaluator.
 *
 *     consent_cases SEED COUNT      cases on standard output, a line of JSON each
 *
 * A case is a patient's consents as FHIR resources, in the writing of R4, IHE PCF or R5, a
 * tenant's policy, a request and what is known of a resource, with what was decided. The first
 * property that doesn't hold is told with its case, and ends the program with 1.
 */
#include "tests/trials/consent_cases.h"

#include "crypto/digest.h"
#include "fhir/consent/purpose.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ARENA = 1 << 18,
};

void fatal(const struct round *r, const char *what)
{
    (void)fprintf(stderr, "case %lu: %s\n", r->number, what);
    for (unsigned i = 0; i < r->n; i++) {
        struct str text = r->consents[i].resource;
        (void)fprintf(stderr, "%.*s\n", (int)text.n, text.p);
    }
    exit(1);
}

/* --- deciding -------------------------------------------------------------------------------
 */

static void *heap(void *owner, void *old, size_t old_size, size_t size)
{
    (void)owner;
    (void)old_size;
    if (size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, size);
}

static void put_entry(const struct round *r, struct consent_index *index, unsigned i)
{
    const struct kept *kept = &r->consents[i];
    struct consent_entry entry = {
        .version = 1,
        .opened = true,
        .chain = { .state = kept->state,
                   .version = 1,
                   .valid_until = CONSENT_DAY_OPEN,
                   .block = kept->block },
    };
    struct buf text = arena_buf(r->arena, TEXT_MAX);
    policy_write(&text, &kept->policy);
    digest_sha256(buf_str(&text), entry.policy_hash);
    entry.id[0] = (uint8_t)i;
    entry.chain.commitment[0] = kept->mismatch;
    if (consent_index_put(index, &entry, buf_str(&text))) {
        fatal(r, "not put");
    }
}

/* By the consents whose bits are in @which, put in the other order if @back. */
static struct consent_verdict decide(const struct round *r, unsigned which, bool back,
                                     const struct consent_facts *facts)
{
    static const uint8_t patient[CONSENT_PATIENT_SIZE];
    struct consent_evidence evidence;
    struct consent_index *index = consent_index_new(heap, NULL);
    if (!index) {
        fatal(r, "no memory");
    }
    consent_index_govern(index, r->has_tenant ? &r->tenant : NULL);
    for (unsigned i = 0; i < r->n; i++) {
        unsigned at = back ? r->n - 1 - i : i;
        if (which & (1U << at)) {
            put_entry(r, index, at);
        }
    }
    consent_decide(index, patient, &r->request, facts, &evidence);
    consent_index_free(index);
    return evidence.verdict;
}

/* --- properties -----------------------------------------------------------------------------
 */

static void check_writings(struct round *r, const struct kept *kept)
{
    struct policy policies[3];
    bool whole = true;
    if (kept->spec.pcf || kept->spec.silent) {
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        enum consent_reading writing = (enum consent_reading)(CONSENT_R4 + (int)i);
        whole = file_consent(r, write_consent(r, &kept->spec, writing, false), &policies[i]) &&
                whole;
        if (policies[i].reading != writing) {
            fatal(r, "read in another way than written");
        }
    }
    for (unsigned i = 0; whole && i < 2; i++) {
        struct consent_verdict a = consent_evaluate(&policies[i], &r->request, &r->facts);
        struct consent_verdict b = consent_evaluate(&policies[i + 1], &r->request, &r->facts);
        if (a.decision != b.decision || a.basis != b.basis) {
            fatal(r, "R4, PCF and R5 decide differently");
        }
    }
}

static void check_order(struct round *r, struct consent_verdict want)
{
    for (unsigned i = 0; i < r->n; i++) {
        struct kept *kept = &r->consents[i];
        (void)file_consent(r, write_consent(r, &kept->spec, kept->writing, true),
                           &kept->policy);
    }
    struct consent_verdict got = decide(r, ~0U, true, &r->facts);
    if (got.decision != want.decision || got.basis != want.basis) {
        fatal(r, "the order of rules and consents matters");
    }
}

/* What is left when one goes permits only by itself, or as without any consent. */
static void check_removal(struct round *r)
{
    unsigned gone = roll(r->n);
    unsigned left = ((1U << r->n) - 1) & ~(1U << gone);
    bool by_default = decide(r, 0, false, &r->facts).decision == CONSENT_PERMIT;
    bool permits = decide(r, left, false, &r->facts).decision == CONSENT_PERMIT;
    for (unsigned i = 0; permits && !by_default && i < r->n; i++) {
        bool alone = left & (1U << i);
        by_default = alone && decide(r, 1U << i, false, &r->facts).decision == CONSENT_PERMIT;
    }
    if (permits && !by_default) {
        fatal(r, "removing a consent widens beyond the default");
    }
}

/* A rule somewhere in the tree. */
static struct rule *somewhere(struct rule *rule)
{
    while (rule->n && chance(60)) {
        rule = rule->children[roll(rule->n)];
    }
    return rule;
}

/* Write a consent so that effects stand where they are; R5 lets them alternate. */
static void write_typed(struct round *r, struct kept *kept)
{
    enum consent_reading writing = kept->spec.silent ? CONSENT_R4 : CONSENT_PCF;
    kept->resource = write_consent(r, &kept->spec, writing, false);
    (void)file_consent(r, kept->resource, &kept->policy);
}

/* A deny more: as an exception anywhere, or as a consent of its own. */
static void check_deny(struct round *r)
{
    struct kept *kept = &r->consents[roll(r->n)];
    write_typed(r, kept);
    struct consent_verdict before = decide(r, ~0U, false, &r->facts);
    struct rule *deny = keep(r, sizeof(*deny));
    deny->effect = POLICY_DENY;
    deny->asked = chance_asked();
    if (chance(30)) {
        struct spec spec = { .pcf = true, .root = *deny };
        add_consent(r, &spec, CONSENT_PCF);
    } else {
        struct rule *at = somewhere(&kept->spec.root);
        at->children[at->n++] = deny;
        write_typed(r, kept);
    }
    struct consent_verdict after = decide(r, ~0U, false, &r->facts);
    if (before.decision != CONSENT_PERMIT && after.decision == CONSENT_PERMIT) {
        fatal(r, "adding a deny widens");
    }
}

/* What is decided with less known holds for what is known then. */
static void check_early(struct round *r, struct consent_verdict known)
{
    struct consent_facts facts = { .pending = roll(CONSENT_FACT_ALL + 1) };
    const struct consent_facts *all = &r->facts;
    uint32_t there = ~facts.pending;
    if (there & CONSENT_FACT_TYPE) {
        facts.type = all->type;
    }
    if (there & CONSENT_FACT_CODES) {
        facts.codes = all->codes, facts.n_codes = all->n_codes;
        facts.profiles = all->profiles, facts.n_profiles = all->n_profiles;
    }
    if (there & CONSENT_FACT_LABELS) {
        facts.level = all->level, facts.sensitivity = all->sensitivity;
        facts.labels = all->labels, facts.n_labels = all->n_labels;
        facts.labelled = all->labelled;
    }
    if (there & CONSENT_FACT_TIME) {
        facts.time = all->time;
    }
    if (there & CONSENT_FACT_REFERENCES) {
        facts.id = all->id, facts.version = all->version;
        facts.references = all->references, facts.n_references = all->n_references;
    }
    if (there & CONSENT_FACT_AUTHORS) {
        facts.authors = all->authors, facts.n_authors = all->n_authors;
    }
    if (there & CONSENT_FACT_CUSTODIANS) {
        facts.custodians = all->custodians, facts.n_custodians = all->n_custodians;
    }
    struct consent_verdict early = decide(r, ~0U, false, &facts);
    if (early.decision != CONSENT_NEEDS_FACTS && early.decision != known.decision) {
        fatal(r, "what was decided early doesn't hold");
    }
}

static void run(struct round *r)
{
    chance_round(r);
    struct consent_verdict verdict = decide(r, ~0U, false, &r->facts);
    if (verdict.decision == CONSENT_NEEDS_FACTS || verdict.basis == CONSENT_BASIS_IN_DOUBT) {
        fatal(r, "all is known, and yet there is doubt");
    }
    print_case(r, verdict);
    check_early(r, verdict);
    check_writings(r, &r->consents[0]);
    check_order(r, verdict);
    check_removal(r);
    check_deny(r); /* last: it changes the consents */
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fputs("usage: consent_cases SEED COUNT\n", stderr);
        return 2;
    }
    struct arena *arena = arena_new(ARENA);
    unsigned long count = strtoul(argv[2], NULL, 10);
    chance_seed(strtoull(argv[1], NULL, 10));
    for (unsigned long i = 0; arena && i < count; i++) {
        struct round round = { .arena = arena, .number = i };
        arena_reset(arena);
        run(&round);
    }
    arena_free(arena);
    return !arena || fflush(stdout) != 0;
}
