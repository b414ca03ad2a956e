#include "gateway/store/outbox.h"

#include "tests/gateway/store/with_db.h"

#include <unistd.h>

enum { ROWS_MAX = 64 };

/* Leases or rows as they came. */
struct got {
    int n;
    struct store_lease leases[STORE_SHARDS];
    struct store_outbox rows[ROWS_MAX];
};

static void look_leases(struct store_end *end, const struct db_rows *rows)
{
    struct got *got = end->arg;
    got->n = db_count(rows);
    for (int i = 0; i < got->n; i++) {
        store_lease_row(rows, i, &got->leases[i]);
    }
}

static void look_rows(struct store_end *end, const struct db_rows *rows)
{
    struct got *got = end->arg;
    got->n = db_count(rows);
    assert_in_range(got->n, 0, ROWS_MAX);
    for (int i = 0; i < got->n; i++) {
        store_outbox_row(rows, i, &got->rows[i]);
    }
}

static struct got *lease(const uint8_t *owner, int ttl_ms)
{
    static struct got got;
    struct store_end end = { .look = look_leases, .arg = &got };
    assert_int_equal(
        store_ended(store_outbox_lease(db, owner, ttl_ms, store_on_end, &end), &end), 0);
    return &got;
}

static void release(const uint8_t *owner, const struct got *held, int from)
{
    int16_t shards[STORE_SHARDS];
    for (int i = from; i < held->n; i++) {
        shards[i - from] = held->leases[i].shard;
    }
    struct store_end end = { 0 };
    struct op *op =
        store_outbox_release(db, owner, shards, (size_t)(held->n - from), store_on_end, &end);
    assert_int_equal(store_ended(op, &end), 0);
}

static void test_shards_are_shared_and_taken_over(void **state)
{
    (void)state;
    static const uint8_t a[16] = { 1 };
    static const uint8_t b[16] = { 2 };
    struct got held = *lease(a, 60000);
    assert_int_equal(held.n, STORE_SHARDS);
    int64_t epoch = held.leases[0].epoch;
    assert_int_equal(lease(b, 60000)->n, 0); /* none is free */
    held = *lease(a, 60000);
    assert_int_equal(held.leases[0].share, STORE_SHARDS / 2);
    assert_int_equal(held.leases[0].epoch, epoch); /* renewing doesn't change it */
    release(a, &held, STORE_SHARDS / 2);
    assert_int_equal(lease(b, 60000)->n, STORE_SHARDS / 2);

    /* The first stays away: what it held goes to the other, under a new lease epoch. */
    (void)lease(a, 50);
    (void)usleep(100000);
    held = *lease(b, 60000);
    assert_int_equal(held.n, STORE_SHARDS);
    assert_true(held.leases[0].epoch > epoch);
    release(b, &held, 0);
}

/* Rows as the test wants them: patient, destination, state, due, blocks. */
static void fill(void)
{
    static const struct {
        uint8_t patient;
        const char *destination;
        int state;
        bool due, blocks;
    } rows[] = {
        { 1, "ward", STORE_OUTBOX_DELIVERED, true, false }, /* 1 */
        { 1, "ward", STORE_OUTBOX_OPEN, true, true },       /* 2: sent */
        { 1, "ward", STORE_OUTBOX_OPEN, true, true },       /* 3: behind 2 */
        { 1, "ehr", STORE_OUTBOX_HELD, true, true },        /* 4: sent, another destination */
        { 2, "ward", STORE_OUTBOX_OPEN, false, true },      /* 5: not due */
        { 2, "ward", STORE_OUTBOX_OPEN, true, true },       /* 6: behind 5 */
        { 3, "ward", STORE_OUTBOX_PARKED, true, true },     /* 7: on_park: wait */
        { 3, "ward", STORE_OUTBOX_OPEN, true, true },       /* 8: behind 7 */
        { 4, "ward", STORE_OUTBOX_PARKED, true, false },    /* 9: on_park: skip */
        { 4, "ward", STORE_OUTBOX_OPEN, true, true },       /* 10: sent */
        { 5, "ward", STORE_OUTBOX_WITHHELD, true, false },  /* 11 */
        { 5, "ward", STORE_OUTBOX_OPEN, true, true },       /* 12: sent */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char sql[500];
        uint8_t patient[16] = { 0 };
        patient[15] = rows[i].patient;
        (void)snprintf(
            sql, sizeof(sql),
            "INSERT INTO outbox (shard, destination, patient, exchange, payload, route,"
            " state, blocks, created, next_at) VALUES (%d, '%s',"
            " '00000000-0000-0000-0000-%012d', gen_random_uuid(), gen_random_uuid(),"
            " 'r', %d, %s, now(), now() %s)",
            store_outbox_shard(str_z(rows[i].destination), patient), rows[i].destination,
            rows[i].patient, rows[i].state, rows[i].blocks ? "true" : "false",
            rows[i].due ? "" : "+ interval '1 hour'");
        (void)store_sql(sql);
    }
}

static int by_number(const void *a, const void *b)
{
    const struct store_outbox *x = a;
    const struct store_outbox *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static void assert_fetched(const int64_t *busy, size_t busy_count, const int64_t *want, int n)
{
    static struct got got;
    int16_t shards[STORE_SHARDS];
    for (int16_t i = 0; i < STORE_SHARDS; i++) {
        shards[i] = i;
    }
    struct store_outbox_fetch what = {
        .shards = shards, .shard_count = STORE_SHARDS, .busy = { busy, busy_count }, .limit = 50
    };
    struct store_end end = { .look = look_rows, .arg = &got };
    assert_int_equal(store_ended(store_outbox_fetch(db, &what, store_on_end, &end), &end), 0);
    assert_int_equal(got.n, n);
    qsort(got.rows, (size_t)n, sizeof(got.rows[0]), by_number);
    for (int i = 0; i < n; i++) {
        assert_int_equal(got.rows[i].number, want[i]);
    }
}

static void test_the_oldest_of_each_patient_is_sent(void **state)
{
    (void)state;
    fill();
    static const int64_t all[] = { 2, 4, 10, 12 };
    static const int64_t busy[] = { 2, 10 };
    static const int64_t rest[] = { 4, 12 };
    assert_fetched(NULL, 0, all, 4);
    assert_fetched(busy, 2, rest, 2);
}

static void test_the_next_of_some_patients(void **state)
{
    (void)state;
    static struct got got;
    static const struct {
        uint8_t patient;
        const char *destination;
        int64_t busy;
        int64_t want; /* 0: none */
    } cases[] = {
        { 1, "ward", 0, 2 }, { 1, "ward", 2, 0 },  { 1, "ehr", 2, 4 },
        { 2, "ward", 0, 0 }, { 3, "ward", 0, 0 },  { 4, "ward", 0, 10 },
        { 4, "ehr", 0, 0 },  { 5, "ward", 0, 12 }, { 99, "ward", 0, 0 },
    };
    struct store_outbox_line lines[ARRAY_LEN(cases)] = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        lines[i].destination = str_z(cases[i].destination);
        lines[i].patient[15] = cases[i].patient;
        struct store_outbox_busy busy = { &cases[i].busy, 1 };
        struct store_end end = { .look = look_rows, .arg = &got };
        struct op *op = store_outbox_next(db, &lines[i], 1, &busy, store_on_end, &end);
        assert_int_equal(store_ended(op, &end), 0);
        assert_int_equal(got.n ? got.rows[0].number : 0, cases[i].want);
    }
    struct store_outbox_busy busy = { 0 };
    struct store_end end = { .look = look_rows, .arg = &got };
    struct op *op = store_outbox_next(db, lines, ARRAY_LEN(lines), &busy, store_on_end, &end);
    assert_int_equal(store_ended(op, &end), 0);
    assert_int_equal(got.n, 5); /* patient 1 at the ward twice, as asked */
}

static void test_stopped_rows_are_found_by_what_narrows_them(void **state)
{
    (void)state;
    static struct got got;
    const int64_t now = store_now_ms();
    const int64_t hour = 3600 * 1000;
    const struct {
        struct store_outbox_filter what;
        int count;
        int64_t first;
    } cases[] = {
        { { .states = { STORE_OUTBOX_PARKED, STORE_OUTBOX_WITHHELD }, .state_count = 2 },
          3,
          7 },
        { { .states = { STORE_OUTBOX_PARKED }, .state_count = 1 }, 2, 7 },
        { { .states = { STORE_OUTBOX_WITHHELD }, .state_count = 1 }, 1, 11 },
        { { .states = { STORE_OUTBOX_PARKED }, .state_count = 1, .after = 7 }, 1, 9 },
        { { .states = { STORE_OUTBOX_PARKED }, .state_count = 1, .reason = STR("x") }, 0, 0 },
        { { .states = { STORE_OUTBOX_PARKED }, .state_count = 1, .to = now - hour }, 0, 0 },
        { { .states = { STORE_OUTBOX_PARKED }, .state_count = 1, .from = now + hour }, 0, 0 },
        { { .states = { STORE_OUTBOX_PARKED }, .state_count = 1, .limit = 1 }, 1, 7 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct store_outbox_filter what = cases[i].what;
        what.destination = STR("ward");
        what.to = what.to ? what.to : now + 2 * hour;
        what.limit = what.limit ? what.limit : 10;
        struct store_end end = { .look = look_rows, .arg = &got };
        assert_int_equal(store_ended(store_outbox_find(db, &what, store_on_end, &end), &end),
                         0);
        assert_int_equal(got.n, cases[i].count);
        assert_int_equal(got.n ? got.rows[0].number : 0, cases[i].first);
    }
    struct store_end end = { .look = look_rows, .arg = &got };
    assert_int_equal(store_ended(store_outbox_of_number(db, 11, store_on_end, &end), &end), 0);
    assert_int_equal(got.n, 1);
    assert_string_equal(store_outbox_word(got.rows[0].state), "withheld");
}

static void test_replay_opens_what_stopped(void **state)
{
    (void)state;
    static const struct {
        int64_t number;
        enum store_outbox_state state;
        int want;
    } cases[] = { { 11, STORE_OUTBOX_WITHHELD, 1 }, { 9, STORE_OUTBOX_PARKED, 1 },
                  { 9, STORE_OUTBOX_PARKED, 0 },    { 1, STORE_OUTBOX_PARKED, 0 },
                  { 2, STORE_OUTBOX_OPEN, 0 },      { 999, STORE_OUTBOX_PARKED, 0 } };
    static const int64_t open[] = { 2, 4, 9, 11 };
    struct store_end end = { 0 };
    assert_int_equal(
        store_ended(store_outbox_stopped(db, STR("ward"), 0, 10, store_on_end, &end), &end), 0);
    assert_int_equal(end.count, 3);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        end = (struct store_end){ 0 };
        struct op *op =
            store_outbox_replay(db, cases[i].number, cases[i].state, store_on_end, &end);
        assert_int_equal(store_ended(op, &end), 0);
        assert_int_equal(end.count, cases[i].want);
    }
    assert_fetched(NULL, 0, open, 4); /* in their old places: 10 and 12 wait */
}

static void look_counts(struct store_end *end, const struct db_rows *rows)
{
    struct store_outbox_count count;
    for (int i = 0; i < db_count(rows); i++) {
        store_outbox_count_row(rows, i, &count);
        if (str_eq(count.destination, STR("ward"))) {
            *(struct store_outbox_count *)end->arg = count;
        }
    }
}

static void test_counts(void **state)
{
    (void)state;
    struct store_outbox_count count = { 0 };
    struct store_end end = { .look = look_counts, .arg = &count };
    assert_int_equal(store_ended(store_outbox_counts(db, store_on_end, &end), &end), 0);
    assert_int_equal(end.count, 2);
    assert_int_equal(count.waiting, 9);
    assert_int_equal(count.parked, 1);
    assert_int_equal(count.withheld, 0);
    assert_true(count.oldest > store_now_ms() - 60000);
}

static void test_a_long_queue_is_not_read_through(void **state)
{
    (void)state;
    (void)store_sql("DELETE FROM outbox");
    (void)store_sql("INSERT INTO outbox (shard, destination, patient, exchange, payload, route,"
                    " state, blocks, created, next_at) SELECT 7, 'ward',"
                    " ('00000000-0000-0000-0000-' || lpad((n % 10)::text, 12, '0'))::uuid,"
                    " gen_random_uuid(), gen_random_uuid(), 'r', 0, true, now(), now()"
                    " FROM generate_series(1, 100000) n");
    (void)store_sql("ANALYZE outbox");
    int16_t shard = 7;
    struct store_outbox_fetch what = { .shards = &shard, .shard_count = 1, .limit = 50 };
    int64_t start = store_now_ms();
    struct store_end end = { 0 };
    for (int i = 0; i < 20; i++) {
        end = (struct store_end){ 0 };
        assert_int_equal(store_ended(store_outbox_fetch(db, &what, store_on_end, &end), &end),
                         0);
        assert_int_equal(end.count, 10);
    }
    /* Reading through would take seconds; the bound is wide, for a busy machine. */
    assert_in_range(store_now_ms() - start, 0, 2000);
}

static void test_a_shard_is_for_ever(void **state)
{
    (void)state;
    static const uint8_t patient[16] = { 1, 2, 3 };
    assert_int_equal(store_outbox_shard(STR("ward"), patient), 0xb8);
    assert_int_equal(store_outbox_shard(STR("ehr"), patient), 0xe8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shards_are_shared_and_taken_over),
        cmocka_unit_test(test_the_oldest_of_each_patient_is_sent),
        cmocka_unit_test(test_the_next_of_some_patients),
        cmocka_unit_test(test_stopped_rows_are_found_by_what_narrows_them),
        cmocka_unit_test(test_replay_opens_what_stopped),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_a_long_queue_is_not_read_through),
        cmocka_unit_test(test_a_shard_is_for_ever),
    };
    return cmocka_run_group_tests(tests, open_db, close_db);
}
