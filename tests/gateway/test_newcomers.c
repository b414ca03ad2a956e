/* Numbers and keys of new patients: many in few transactions, the same for all workers. */
#include "gateway/newcomers.h"

#include "crypto/secret.h"
#include "gateway/store/patients.h"
#include "gateway/vault.h"
#include "tests/gateway/store/store_test.h"

#include <unistd.h>

enum {
    MANY = 200,
};

static const char root_text[] =
    "6b1f0c9ad2e84735b0a6f1d93c5e7782419fd06ea8b3c25d17e4906b3fa8d251";

/* What a worker has of all this. */
struct side {
    struct db *db;
    struct vault *vault;
    struct newcomers *newcomers;
};

struct learnt {
    bool done;
    int r;
    int outcome;
    uint8_t patient[16];
};

static void on_learnt(void *arg, int r, int outcome, const uint8_t *patient)
{
    struct learnt *learnt = arg;
    assert_false(learnt->done);
    learnt->done = true;
    learnt->r = r;
    learnt->outcome = outcome;
    memcpy(learnt->patient, patient, 16);
}

static void on_ready(void *arg, int r)
{
    assert_int_equal(r, 0);
    *(bool *)arg = true;
}

static struct side side_new(void)
{
    char file[] = "/tmp/newcomers-XXXXXX";
    int fd = mkstemp(file);
    assert_int_equal(write(fd, root_text, strlen(root_text)), strlen(root_text));
    (void)close(fd);
    struct side side = { .db = store_connect() };
    assert_int_equal(vault_new(file, "tests", &side.vault), 0);
    (void)unlink(file);
    bool ready = false;
    assert_non_null(vault_start(side.vault, side.db, on_ready, &ready));
    assert_true(store_wait_for(&ready, 20000));
    side.newcomers = newcomers_new(base, side.db, side.vault);
    assert_non_null(side.newcomers);
    return side;
}

static void side_free(struct side *side)
{
    newcomers_free(side->newcomers);
    vault_free(side->vault);
    db_free(side->db);
}

/* The identifiers of stranger @number: two hashes of its own. */
static struct op *learn(struct side *side, int number, struct learnt *learnt)
{
    uint8_t hashes[2][STORE_HASH_SIZE];
    memset(hashes, 0x55, sizeof(hashes));
    for (uint8_t i = 0; i < 2; i++) {
        hashes[i][0] = i;
        memcpy(hashes[i] + 1, &number, sizeof(number));
    }
    *learnt = (struct learnt){ 0 };
    struct op *op = newcomers_learn(side->newcomers, hashes[0], 2, on_learnt, learnt);
    assert_non_null(op);
    assert_false(learnt->done);
    return op;
}

static void wait_for(struct learnt *learnt, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_true(store_wait_for(&learnt[i].done, 20000));
        assert_int_equal(learnt[i].r, 0);
    }
}

static int64_t commits(void)
{
    return strtol(store_sql("SELECT count(DISTINCT xmin::text) FROM patient"), NULL, 10);
}

static void test_many_in_few_transactions_with_their_keys(void **state)
{
    (void)state;
    struct side side = side_new();
    static struct learnt first[MANY];
    static struct learnt again[MANY];
    int64_t before = commits();
    for (int i = 0; i < MANY; i++) {
        (void)learn(&side, i, &first[i]);
        (void)learn(&side, i, &again[i]); /* the same stranger, before the first is known */
    }
    wait_for(first, MANY);
    wait_for(again, MANY);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(first[i].outcome + again[i].outcome, STORE_PATIENT_MADE);
        assert_memory_equal(first[i].patient, again[i].patient, 16);
        assert_non_null(vault_cached(side.vault, first[i].patient));
    }
    assert_in_range(commits() - before, 1, 2 * MANY / NEWCOMERS_TOGETHER_MAX + 1);
    assert_string_equal(store_sql("SELECT count(*) FROM patient p LEFT JOIN patient_key k"
                                  " ON k.patient = p.id WHERE k.id IS NULL"),
                        "0");
    side_free(&side);
}

/* Two workers meet the same strangers, in opposite order: whoever is in the way gives way. */
static void test_two_workers_agree(void **state)
{
    (void)state;
    struct side sides[2] = { side_new(), side_new() };
    static struct learnt learnt[2][MANY];
    for (int i = 0; i < MANY; i++) {
        (void)learn(&sides[0], 1000 + i, &learnt[0][i]);
        (void)learn(&sides[1], 1000 + MANY - 1 - i, &learnt[1][MANY - 1 - i]);
    }
    wait_for(learnt[0], MANY);
    wait_for(learnt[1], MANY);
    for (int i = 0; i < MANY; i++) {
        assert_memory_equal(learnt[0][i].patient, learnt[1][i].patient, 16);
        assert_int_equal(learnt[0][i].outcome + learnt[1][i].outcome, STORE_PATIENT_MADE);
        /* Only who made it has the key already; it is the patient's only one. */
        bool mine = learnt[0][i].outcome == STORE_PATIENT_MADE;
        assert_int_equal(vault_cached(sides[0].vault, learnt[0][i].patient) != NULL, mine);
        assert_int_equal(vault_cached(sides[1].vault, learnt[1][i].patient) != NULL, !mine);
    }
    side_free(&sides[0]);
    side_free(&sides[1]);
}

static void test_cancelled_ones_are_not_completed(void **state)
{
    (void)state;
    struct side side = side_new();
    struct learnt learnt[4];
    struct op *ops[4];
    for (int i = 0; i < 4; i++) {
        ops[i] = learn(&side, 2000 + i, &learnt[i]);
    }
    op_cancel(ops[3]); /* waiting, the last */
    ops[3] = learn(&side, 2003, &learnt[3]);
    (void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK); /* they depart */
    op_cancel(ops[1]);
    wait_for(&learnt[0], 1);
    wait_for(&learnt[2], 2);
    assert_false(learnt[1].done);
    side_free(&side);
}

static void test_a_lost_connection_makes_nobody_guess(void **state)
{
    (void)state;
    struct side side = side_new();
    struct learnt learnt;
    (void)learn(&side, 3000, &learnt);
    (void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    db_drop(side.db);
    assert_true(store_wait_for(&learnt.done, 20000));
    assert_int_equal(learnt.r, -ECONNRESET);
    (void)learn(&side, 3000, &learnt);
    assert_true(store_wait_for(&learnt.done, 20000)); /* refused at once, or learnt */
    side_free(&side);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_in_few_transactions_with_their_keys),
        cmocka_unit_test(test_two_workers_agree),
        cmocka_unit_test(test_cancelled_ones_are_not_completed),
        cmocka_unit_test(test_a_lost_connection_makes_nobody_guess),
    };
    if (secret_start() < 0) {
        return 1;
    }
    return cmocka_run_group_tests(tests, store_group_setup, store_group_teardown);
}
