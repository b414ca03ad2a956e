/* Where identifiers lead, remembered. */
#include "gateway/number_cache.h"

#include "tests/check.h"

enum {
    SLOTS = 8,
};

static void hash_of(uint8_t out[NUMBER_CACHE_HASH], uint8_t slot, uint8_t rest)
{
    memset(out, rest, NUMBER_CACHE_HASH);
    memset(out, 0, 4);
    out[0] = slot;
}

static void test_all_must_lead_to_one(void **state)
{
    /* What was kept (slot, rest, number), what is asked for (slot, rest), and the answer. */
    static const struct {
        uint8_t kept[3][3];
        uint8_t asked[2][2];
        size_t n;
        uint8_t want; /* 0: not found */
    } cases[] = {
        { { { 1, 1, 7 } }, { { 1, 1 } }, 1, 7 },
        { { { 1, 1, 7 } }, { { 1, 2 } }, 1, 0 }, /* same slot, another hash */
        { { { 1, 1, 7 } }, { { 2, 1 } }, 1, 0 }, /* never heard of */
        { { { 1, 1, 7 }, { 2, 1, 7 } }, { { 1, 1 }, { 2, 1 } }, 2, 7 },
        { { { 1, 1, 7 }, { 2, 1, 8 } }, { { 1, 1 }, { 2, 1 } }, 2, 0 }, /* two patients */
        { { { 1, 1, 7 } }, { { 1, 1 }, { 2, 1 } }, 2, 0 },              /* one of them is new */
        { { { 1, 1, 7 }, { 1, 2, 8 } }, { { 1, 1 } }, 1, 0 },           /* the later one wins */
        { { { 1, 1, 7 }, { 1, 1, 8 } }, { { 1, 1 } }, 1, 8 },
        { { { 1, 1, 7 } }, { { 1, 1 } }, 0, 0 }, /* nothing asked */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct number_cache *cache = number_cache_new(SLOTS);
        assert_non_null(cache);
        uint8_t hashes[2][NUMBER_CACHE_HASH];
        uint8_t number[16] = { 0 };
        for (size_t k = 0; k < 3 && cases[i].kept[k][2]; k++) {
            hash_of(hashes[0], cases[i].kept[k][0], cases[i].kept[k][1]);
            memset(number, cases[i].kept[k][2], sizeof(number));
            number_cache_keep(cache, hashes[0], 1, number);
        }
        memset(number, 0, sizeof(number));
        for (size_t k = 0; k < 2; k++) {
            hash_of(hashes[k], cases[i].asked[k][0], cases[i].asked[k][1]);
        }
        bool found = number_cache_find(cache, hashes[0], cases[i].n, number);
        assert_int_equal(found, cases[i].want != 0);
        assert_int_equal(number[0], cases[i].want);
        number_cache_free(cache);
    }
}

static void test_another_epoch_empties_it(void **state)
{
    (void)state;
    struct number_cache *cache = number_cache_new(SLOTS);
    uint8_t hash[NUMBER_CACHE_HASH];
    uint8_t number[16] = { 9 };
    assert_non_null(cache);
    hash_of(hash, 3, 3);
    number_cache_epoch(cache, 5);
    number_cache_keep(cache, hash, 1, number);
    number_cache_epoch(cache, 5);
    assert_true(number_cache_find(cache, hash, 1, number));
    number_cache_epoch(cache, 6);
    assert_false(number_cache_find(cache, hash, 1, number));
    number_cache_keep(cache, hash, 1, number);
    number_cache_clear(cache);
    assert_false(number_cache_find(cache, hash, 1, number));
    number_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_must_lead_to_one),
        cmocka_unit_test(test_another_epoch_empties_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
