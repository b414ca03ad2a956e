/*
 * Every allocation that fails ends in -ENOMEM, and nothing is changed by then.
 *
 * Arenas are given a little more each time, until what is tried succeeds; arena_new() itself is
 * replaced by the linker, so that it can fail.
 */
#include "crypto/digest.h"
#include "fhir/consent/compiled.h"
#include "fhir/consent/labeller.h"
#include "tests/fhir/consent/filing.h"

#include <errno.h>

enum {
    STEP = 8,
    ENOUGH = 1 << 20,
};

static unsigned arenas_left = UINT32_MAX;

struct arena *__real_arena_new(size_t first);
struct arena *__wrap_arena_new(size_t first);

struct arena *__wrap_arena_new(size_t first)
{
    if (arenas_left == 0) {
        return NULL;
    }
    arenas_left--;
    return __real_arena_new(first);
}

static const char consent[] =
    "{" FILING_R4 ",\"policy\":[{\"uri\":\"http://p/1\"}],\"sourceAttachment\":{\"data\":"
    "\"YWJj\"}," OPT(
        "OPTIN") ",\"provision\":{"
                 "\"actor\":[{" ROLE(
                     "IRCP") ",\"reference\":{\"identifier\":{\"system\":\"urn:s\","
                             "\"value\":\"7\"}}},{" ROLE(
                                 "IRCP") ",\"reference\":{\"reference\":\"Group/1\"}}],"
                                         "\"purpose\":[{\"system\":\"s\",\"code\":\"p\"},{"
                                         "\"system\":\"s\",\"code\":\"q\"}],"
                                         "\"code\":[{\"coding\":[{\"system\":\"s\",\"code\":"
                                         "\"1\"}]}],"
                                         "\"data\":[{\"meaning\":\"instance\",\"reference\":{"
                                         "\"reference\":\"Observation/1\"}}],"
                                         "\"provision\":[{\"type\":\"permit\"," PURPOSE(
                                             "TREAT") "}]}}";

static const char policy_text[] =
    "{\"base\":\"deny\",\"rules\":[{\"actors\":[\"a\",\"b\"],\"effect\":\"permit\",\"rules\":["
    "{\"codes\":[\"s|1\"],\"effect\":\"deny\"}]}],\"schema\":1,\"uris\":[\"urn:a\"]}";

static const char tenant_text[] =
    "{\"schema\":1,\"legal\":{\"base\":\"silent\",\"rules\":[{\"actors\":[\"a\"],"
    "\"effect\":\"deny\"}],\"schema\":1},\"implicit\":[],\"obligations\":[{\"when\":{"
    "\"base\":\"deny\",\"schema\":1},\"redact\":[\"A.b\"],\"notice\":\"n\"}]}";

static const char set_text[] =
    "{\"resourceType\":\"ValueSet\",\"url\":\"urn:a\",\"version\":\"1\",\"useContext\":[{"
    "\"code\":{\"code\":\"focus\"},\"valueCodeableConcept\":{\"coding\":[{\"system\":"
    "\"" LABELS_ACT_CODE "\",\"code\":\"HIV\"}]}}],\"compose\":{\"include\":[{\"system\":"
    "\"urn:s\",\"concept\":[{\"code\":\"1\"}]}]}}";

static const struct consent_context context = { .actor = NULL };

/* What is tried in @arena, with @root read before where it needs one. */
static int try_filing(struct arena *arena, const struct node *root, struct issues *issues)
{
    struct consent_filing filing;
    return consent_normalise(arena, root, &context, issues, &filing);
}

static int try_policy(struct arena *arena, const struct node *root, struct issues *issues)
{
    struct policy policy;
    (void)root;
    return policy_read(arena, STR(policy_text), issues, &policy);
}

static int try_tenant(struct arena *arena, const struct node *root, struct issues *issues)
{
    struct consent_tenant tenant;
    (void)root;
    return consent_tenant_read(arena, STR(tenant_text), issues, &tenant);
}

static int try_set(struct arena *arena, const struct node *root, struct issues *issues)
{
    struct labeller labeller;
    labeller_init(&labeller, arena);
    return labeller_add(&labeller, root, issues);
}

static void test_arenas_that_run_out(void **state)
{
    static const struct {
        int (*try)(struct arena *arena, const struct node *root, struct issues *issues);
        const char *json;
    } cases[] = {
        { try_filing, consent },
        { try_policy, NULL },
        { try_tenant, NULL },
        { try_set, set_text },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned failed = 0;
        int r = -ENOMEM;
        for (size_t room = 0; r != 0; room += STEP) {
            CLEANUP(arena_freep) struct arena *all = arena_new(4096);
            CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
            const struct node *root = NULL;
            struct issues issues;
            issues_init(&issues, all);
            if (cases[i].json) {
                assert_int_equal(json_parse(all, str_z(cases[i].json), &issues, &root), 0);
            }
            arena_limit(arena, room + 1);
            r = cases[i].try(arena, root, &issues);
            failed += r == -ENOMEM;
            /* an actor that finds no memory is one that can't be resolved */
            assert_true(r == 0 || r == -ENOMEM || r == CONSENT_E_REFUSED);
            assert_true(room < ENOUGH);
        }
        assert_true(failed > 0);
    }
}

/* A policy's longest possible text is written again while it is read: there is no less. */
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

static void test_no_arena_for_reading_a_policy(void **state)
{
    struct consent_index *index = consent_index_new(heap, NULL);
    struct consent_entry entry = { .version = 1, .opened = true };
    (void)state;
    assert_non_null(index);
    digest_sha256(STR(policy_text), entry.policy_hash);
    arenas_left = 0;
    assert_int_equal(consent_index_put(index, &entry, STR(policy_text)), -ENOMEM);
    arenas_left = UINT32_MAX;
    assert_int_equal(consent_index_size(index).consents, 0);
    assert_int_equal(consent_index_put(index, &entry, STR(policy_text)), 0);
    consent_index_free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arenas_that_run_out),
        cmocka_unit_test(test_no_arena_for_reading_a_policy),
    };
    return cmocka_run_group_tests_name("fhir/consent/memory", tests, NULL, NULL);
}
