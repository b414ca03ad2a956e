#include "tests/check.h"

#include "fhir/base/arena.h"

static void test_allocations_are_aligned_and_apart(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1);
    char *last = NULL;
    for (size_t n = 0; n < 2000; n += 7) {
        char *p = arena_alloc(arena, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        memset(p, (int)n, n);
        assert_ptr_not_equal(p, last);
        last = p;
    }
}

static void test_limit_refuses_and_resets(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    arena_limit(arena, 512);
    assert_non_null(arena_alloc(arena, 512));
    assert_false(arena_full(arena));
    assert_null(arena_alloc(arena, 1));
    assert_true(arena_full(arena));
    arena_limit(arena, 528);
    assert_false(arena_full(arena));
    assert_non_null(arena_alloc(arena, 1));
    arena_reset(arena);
    assert_non_null(arena_alloc(arena, 512));
}

static void test_overflowing_sizes_fail(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_null(arena_calloc(arena, SIZE_MAX / 2, 3));
}

static void test_a_buf_grows_up_to_its_limit(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(64);
    struct buf b = arena_buf(arena, 10000);
    for (int i = 0; i < 10000; i++) {
        buf_c(&b, (char)('a' + i % 26));
        if (i % 1000 == 0) {
            assert_non_null(arena_alloc(arena, 40)); /* so that it must move */
        }
    }
    assert_false(buf_failed(&b));
    for (size_t i = 0; i < b.n; i++) {
        assert_int_equal(b.p[i], 'a' + i % 26);
    }
    buf_c(&b, '!');
    assert_true(buf_failed(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations_are_aligned_and_apart),
        cmocka_unit_test(test_limit_refuses_and_resets),
        cmocka_unit_test(test_overflowing_sizes_fail),
        cmocka_unit_test(test_a_buf_grows_up_to_its_limit),
    };
    return cmocka_run_group_tests_name("fhir/base/arena", tests, NULL, NULL);
}
