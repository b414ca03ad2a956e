/* Payloads that were just committed, remembered. */
#include "gateway/payload_cache.h"

#include "tests/check.h"

static struct batch_payload payload(uint8_t last, struct str outer, struct str text)
{
    struct batch_payload p = { .kind = 2, .outer = outer, .ciphertext = text };
    memset(p.id, 7, sizeof(p.id));
    memset(p.key, 8, sizeof(p.key));
    memset(p.nonce, 9, sizeof(p.nonce));
    p.id[15] = last;
    return p;
}

static void test_comes_back_as_it_was(void **state)
{
    (void)state;
    struct payload_cache *cache = payload_cache_new();
    assert_non_null(cache);
    struct batch_payload p = payload(1, STR("outer"), STR("text"));
    payload_cache_keep(cache, &p);
    struct store_sealed got;
    assert_true(payload_cache_find(cache, p.id, &got));
    assert_memory_equal(got.id, p.id, sizeof(p.id));
    assert_memory_equal(got.key, p.key, sizeof(p.key));
    assert_int_equal(got.kind, 2);
    assert_true(str_eq(got.nonce, str_of(p.nonce, sizeof(p.nonce))));
    assert_str(got.outer, "outer");
    assert_str(got.ciphertext, "text");
    payload_cache_free(cache);
}

static void test_only_the_same_id(void **state)
{
    (void)state;
    struct payload_cache *cache = payload_cache_new();
    struct batch_payload p = payload(1, STR(""), STR("one"));
    struct batch_payload other = payload(1, STR(""), STR("two"));
    struct store_sealed got;
    other.id[0] = 0; /* in the same slot */
    assert_false(payload_cache_find(cache, p.id, &got));
    payload_cache_keep(cache, &p);
    assert_false(payload_cache_find(cache, other.id, &got));
    payload_cache_keep(cache, &other);
    assert_false(payload_cache_find(cache, p.id, &got));
    assert_true(payload_cache_find(cache, other.id, &got));
    assert_str(got.ciphertext, "two");
    payload_cache_free(cache);
}

static void test_large_ones_are_not_kept(void **state)
{
    (void)state;
    static const char large[PAYLOAD_CACHE_BYTES + 1];
    struct payload_cache *cache = payload_cache_new();
    struct store_sealed got;
    for (uint8_t i = 0; i < 2; i++) {
        struct batch_payload p =
            payload(i, STR(""), str_of(large, (size_t)PAYLOAD_CACHE_BYTES + i));
        payload_cache_keep(cache, &p);
        assert_true(payload_cache_find(cache, p.id, &got) == (i == 0));
    }
    payload_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back_as_it_was),
        cmocka_unit_test(test_only_the_same_id),
        cmocka_unit_test(test_large_ones_are_not_kept),
    };
    return cmocka_run_group_tests_name("gateway/payload_cache", tests, NULL, NULL);
}
