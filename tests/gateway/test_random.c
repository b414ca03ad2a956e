/* Random bytes from a pool: never twice the same, in no two processes. */
#include "gateway/random.h"

#include "crypto/secret.h"
#include "tests/check.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    DRAWS = 20000,
    SIZE = 16,
};

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, SIZE);
}

static void assert_all_differ(uint8_t *draws, size_t n)
{
    qsort(draws, n, SIZE, by_bytes);
    for (size_t i = 1; i < n; i++) {
        assert_memory_not_equal(draws + (i - 1) * SIZE, draws + i * SIZE, SIZE);
    }
}

static void test_no_draw_repeats(void **state)
{
    (void)state;
    static uint8_t draws[DRAWS * SIZE];
    for (size_t i = 0; i < DRAWS; i++) {
        random_bytes(draws + i * SIZE, SIZE);
    }
    assert_all_differ(draws, DRAWS);
}

static void test_any_size(void **state)
{
    (void)state;
    static uint8_t bytes[10000 + SIZE];
    for (size_t n = 0; n <= 10000; n = n * 2 + 1) {
        memset(bytes, 0, sizeof(bytes));
        random_bytes(bytes, n);
        size_t zeros = 0;
        for (size_t i = 0; i < n; i++) {
            zeros += bytes[i] == 0;
        }
        assert_true(n < 64 || zeros < n / 16);
        for (size_t i = n; i < sizeof(bytes); i++) {
            assert_int_equal(bytes[i], 0);
        }
    }
}

/* The pool is half used when the process forks; parent and children go on drawing. */
static void test_forked_processes_differ(void **state)
{
    (void)state;
    enum { CHILDREN = 2, EACH = 300 };
    static uint8_t draws[(CHILDREN + 1) * EACH * SIZE];
    random_bytes(draws, SIZE);
    int pipes[CHILDREN][2];
    for (int i = 0; i < CHILDREN; i++) {
        assert_int_equal(pipe(pipes[i]), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            for (int k = 0; k < EACH; k++) {
                random_bytes(draws, SIZE);
                if (write(pipes[i][1], draws, SIZE) != SIZE) {
                    _exit(1);
                }
            }
            _exit(0);
        }
        (void)close(pipes[i][1]);
    }
    for (size_t k = 0; k < EACH; k++) {
        random_bytes(draws + k * SIZE, SIZE);
    }
    size_t at = (size_t)EACH * SIZE;
    for (int i = 0; i < CHILDREN; i++) {
        ssize_t n;
        while ((n = read(pipes[i][0], draws + at, sizeof(draws) - at)) > 0) {
            at += (size_t)n;
        }
        (void)close(pipes[i][0]);
        (void)wait(NULL);
    }
    assert_int_equal(at, sizeof(draws));
    assert_all_differ(draws, (size_t)(CHILDREN + 1) * EACH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_draw_repeats),
        cmocka_unit_test(test_any_size),
        cmocka_unit_test(test_forked_processes_differ),
    };
    if (secret_start() < 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
