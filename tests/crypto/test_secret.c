#include "tests/check.h"

#include "crypto/secret.h"

#include <errno.h>

static void test_wipe_and_compare(void **state)
{
    (void)state;
    char a[] = "secret!";
    char b[] = "secret!";
    assert_true(secret_equal(a, b, sizeof(a)));
    secret_wipe(a, sizeof(a));
    assert_false(secret_equal(a, b, sizeof(a)));
    assert_int_equal(a[0] | a[6], 0);
    assert_true(secret_equal(a, b, 0));
}

static void test_a_slab_is_aligned_and_empty(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1, 63, 64, 72, 4096, 100000 };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct secret_slab slab;
        assert_int_equal(secret_slab_init(&slab, sizes[i]), 0);
        assert_int_equal((uintptr_t)slab.p % _Alignof(max_align_t), 0);
        for (size_t j = 0; j < sizes[i]; j++) {
            assert_int_equal(slab.p[j], 0);
        }
        memset(slab.p, 1, sizes[i]);
        secret_slab_deinit(&slab);
        secret_slab_deinit(&slab);
    }
}

static void test_an_absurd_slab_is_refused(void **state)
{
    (void)state;
    struct secret_slab slab;
    assert_int_equal(secret_slab_init(&slab, SIZE_MAX), -ENOMEM);
    assert_int_equal(secret_slab_init(&slab, SIZE_MAX / 2), -ENOMEM);
}

static int setup(void **state)
{
    (void)state;
    return secret_start() < 0 || secret_start() < 0; /* twice is fine */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wipe_and_compare),
        cmocka_unit_test(test_a_slab_is_aligned_and_empty),
        cmocka_unit_test(test_an_absurd_slab_is_refused),
    };
    return cmocka_run_group_tests_name("crypto/secret", tests, setup, NULL);
}
