#include "tests/check.h"

#include "gateway/key_cache.h"

/* An id or patient whose every byte says @n, so that two of them share a bucket at times. */
static const uint8_t *id(unsigned n)
{
    static uint8_t ids[4][16];
    static size_t next;
    uint8_t *out = ids[next++ % 4];
    memset(out, 0, 16);
    out[0] = (uint8_t)(n >> 8);
    out[1] = (uint8_t)n;
    out[12] = (uint8_t)(n % 3);
    return out;
}

static const uint8_t *secret(unsigned n)
{
    static uint8_t bytes[SECRET_SIZE];
    memset(bytes, (int)(n % 251), sizeof(bytes));
    return bytes;
}

static void test_found_by_patient_and_by_id(void **state)
{
    (void)state;
    struct key_cache *cache = key_cache_new(8);
    assert_non_null(cache);
    (void)key_cache_put(cache, id(1), id(100), secret(1), true);
    (void)key_cache_put(cache, id(2), id(200), secret(2), false);
    assert_memory_equal(key_cache_patient(cache, id(100))->secret, secret(1), SECRET_SIZE);
    assert_memory_equal(key_cache_id(cache, id(2))->secret, secret(2), SECRET_SIZE);
    assert_null(key_cache_patient(cache, id(200))); /* known, but not said to be the newest */
    assert_null(key_cache_id(cache, id(3)));
    key_cache_free(cache);
}

static void test_the_newest_key_replaces_the_one_before(void **state)
{
    (void)state;
    struct key_cache *cache = key_cache_new(8);
    (void)key_cache_put(cache, id(1), id(100), secret(1), true);
    (void)key_cache_put(cache, id(2), id(100), secret(2), true);
    assert_memory_equal(key_cache_patient(cache, id(100))->id, id(2), 16);
    assert_non_null(key_cache_id(cache, id(1)));
    key_cache_free(cache);
}

static void test_least_recently_used_goes_first(void **state)
{
    (void)state;
    struct key_cache *cache = key_cache_new(4);
    for (unsigned n = 0; n < 4; n++) {
        (void)key_cache_put(cache, id(n), id(100 + n), secret(n), true);
    }
    assert_non_null(key_cache_patient(cache, id(100))); /* used: now 1 is the oldest */
    (void)key_cache_put(cache, id(9), id(109), secret(9), true);
    assert_null(key_cache_patient(cache, id(101)));
    assert_null(key_cache_id(cache, id(1)));
    assert_non_null(key_cache_patient(cache, id(100)));
    assert_non_null(key_cache_patient(cache, id(109)));
    key_cache_free(cache);
}

static void test_forgotten_keys_are_gone(void **state)
{
    (void)state;
    struct key_cache *cache = key_cache_new(4);
    (void)key_cache_put(cache, id(1), id(100), secret(1), true);
    const uint8_t *at = key_cache_id(cache, id(1))->secret;
    key_cache_forget(cache, id(1));
    assert_null(key_cache_id(cache, id(1)));
    assert_null(key_cache_patient(cache, id(100)));
    static const uint8_t zero[SECRET_SIZE];
    assert_memory_equal(at, zero, SECRET_SIZE);
    (void)key_cache_put(cache, id(2), id(100), secret(2), true);
    key_cache_forget(cache, NULL);
    assert_null(key_cache_patient(cache, id(100)));
    key_cache_free(cache);
}

static void test_many_puts_and_forgets_stay_consistent(void **state)
{
    (void)state;
    struct key_cache *cache = key_cache_new(16);
    unsigned seed = 1;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1103515245 + 12345;
        unsigned n = seed >> 16 & 63;
        if (seed & 1) {
            (void)key_cache_put(cache, id(n), id(1000 + n / 2), secret(n), true);
            assert_memory_equal(key_cache_patient(cache, id(1000 + n / 2))->id, id(n), 16);
        } else {
            key_cache_forget(cache, id(n));
            assert_null(key_cache_id(cache, id(n)));
        }
        const struct vault_key *key = key_cache_id(cache, id(seed >> 8 & 63));
        if (key) {
            assert_memory_equal(key->secret, secret(key->id[1]), SECRET_SIZE);
        }
    }
    key_cache_free(cache);
}

int main(void)
{
    if (secret_start() < 0) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_by_patient_and_by_id),
        cmocka_unit_test(test_the_newest_key_replaces_the_one_before),
        cmocka_unit_test(test_least_recently_used_goes_first),
        cmocka_unit_test(test_forgotten_keys_are_gone),
        cmocka_unit_test(test_many_puts_and_forgets_stay_consistent),
    };
    return cmocka_run_group_tests_name("gateway/key_cache", tests, NULL, NULL);
}
