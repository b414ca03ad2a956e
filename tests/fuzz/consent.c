/*
 * Filings and policy texts.
 *
 * Whatever is read as a policy must be written byte for byte as it was; whatever is accepted as
 * a filing must have a policy that can be read back; what obligations leave must be JSON.
 */
#include "fhir/consent/evaluate.h"
#include "fhir/consent/normalise.h"
#include "fhir/consent/obligation.h"
#include "fhir/format/json.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>

static struct str written(struct arena *arena, const struct policy *policy)
{
    struct buf out = arena_buf(arena, POLICY_TEXT_MAX);
    policy_write(&out, policy);
    return buf_failed(&out) ? (struct str){ 0 } : buf_str(&out);
}

static void try_policy(struct arena *arena, struct issues *issues, struct str text)
{
    struct policy policy;
    if (policy_read(arena, text, issues, &policy) != 0) {
        return;
    }
    struct consent_request request = { .purposes = 1, .action = ACTION_ACCESS };
    assert(str_eq(written(arena, &policy), text));
    assert(consent_find(&policy, &request, NULL).set != 0);
}

/* A tenant's policy, and its first obligation on the same bytes as a resource. */
static void try_tenant(struct arena *arena, struct issues *issues, struct str text)
{
    const struct node *root = NULL;
    struct consent_tenant tenant;
    if (json_parse(arena, text, issues, &root) != 0 ||
        consent_tenant_read(arena, text, issues, &tenant) != 0) {
        return;
    }
    struct buf out = arena_buf(arena, 1 << 20);
    int r = consent_oblige(arena, &tenant, 1, root, text, &out);
    assert(r != 0 || json_parse(arena, buf_str(&out), issues, &root) <= 0);
    (void)r;
}

static void try_filing(struct arena *arena, struct issues *issues, struct str text)
{
    static const struct consent_context context = { .actor = NULL };
    const struct node *root = NULL;
    struct consent_filing filing;
    struct policy again;
    if (json_parse(arena, text, issues, &root) != 0 ||
        consent_normalise(arena, root, &context, issues, &filing) != 0) {
        return;
    }
    struct str policy = written(arena, &filing.policy);
    if (policy.n > 0) {
        int r = policy_read(arena, policy, issues, &again);
        assert(r == 0);
        (void)r;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(4096);
    struct issues issues;
    if (!arena) {
        return 0;
    }
    issues_init(&issues, arena);
    try_policy(arena, &issues, str_of(data, size));
    try_filing(arena, &issues, str_of(data, size));
    try_tenant(arena, &issues, str_of(data, size));
    arena_free(arena);
    return 0;
}
