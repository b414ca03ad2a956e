#include "tests/gateway/store/store_test.h"

static const struct db_statement echo = {
    "t_echo",
    "SELECT $1::boolean, $2::smallint, $3::integer, $4::bigint, $5::timestamptz, $6::uuid,"
    " $7::bytea, $8::text, $9::bytea, $10::bigint[]",
};
static const struct db_statement fault = { "t_fault", "SELECT 1 / ($1::integer - 1)" };
static const struct db_statement one = { "t_one", "SELECT 1::integer" };
static const struct db_statement sleeps = { "t_sleep", "SELECT pg_sleep(30)" };
static const struct db_statement broken = { "t_broken", "SELECT * FROM nothing_of_that_name" };
static const struct db_statement insert = { "t_insert", "INSERT INTO t VALUES ($1::integer)" };
static const struct db_statement tell = { "t_tell", "SELECT pg_notify('t_channel', '')" };
static const struct db_statement raise_it = {
    "t_raise",
    "SELECT notary_fence(-1)",
};

static void look_echo(struct store_end *end, const struct db_rows *rows)
{
    (void)end;
    uint8_t id[16];
    assert_true(db_bool(rows, 0, 0));
    assert_int_equal(db_i16(rows, 0, 1), -2);
    assert_int_equal(db_i32(rows, 0, 2), -70000);
    assert_int_equal(db_i64(rows, 0, 3), INT64_MIN);
    assert_int_equal(db_time(rows, 0, 4), 1700000000123);
    db_uuid(rows, 0, 5, id);
    assert_hex(id, 16, "000102030405060708090a0b0c0d0e0f");
    assert_str(db_bytes(rows, 0, 6), "a");
    assert_str(db_bytes(rows, 0, 7), "text");
    assert_true(db_null(rows, 0, 8));
}

static void test_values_go_both_ways(void **state)
{
    (void)state;
    struct db *db = store_connect();
    uint8_t id[16];
    for (uint8_t i = 0; i < 16; i++) {
        id[i] = i;
    }
    for (int n = 0; n < 3; n++) {
        struct db_array array;
        db_array_init(&array, DB_I64);
        for (int i = 0; i < n; i++) {
            db_array_i64(&array, i);
        }
        struct db_params p = { 0 };
        db_put_bool(&p, true);
        db_put_i16(&p, -2);
        db_put_i32(&p, -70000);
        db_put_i64(&p, INT64_MIN);
        db_put_time(&p, 1700000000123);
        db_put_uuid(&p, id);
        db_put_bytes(&p, STR("a"));
        db_put_bytes(&p, STR("text"));
        db_put_null(&p);
        db_put_array(&p, &array);
        struct store_end end = { .look = look_echo };
        assert_int_equal(store_ended(db_query(db, &echo, &p, store_on_end, &end), &end), 0);
        db_array_free(&array);
    }
    db_free(db);
}

static struct op *divide(struct db *db, int by, struct store_end *end)
{
    struct db_params p = { 0 };
    db_put_i32(&p, by);
    return db_query(db, &fault, &p, store_on_end, end);
}

static void test_a_failure_leaves_its_neighbours(void **state)
{
    (void)state;
    struct db *db = store_connect();
    struct store_end ends[5] = { 0 };
    struct op *ops[5];
    for (int i = 0; i < 5; i++) {
        ops[i] = i == 3 ? db_query(db, &broken, NULL, store_on_end, &ends[i])
                        : divide(db, i, &ends[i]);
    }
    for (int i = 0; i < 5; i++) {
        int want = i == 1 ? -EINVAL : i == 3 ? -EIO : 0;
        assert_int_equal(store_ended(ops[i], &ends[i]), want);
    }
    assert_int_equal(db_pending(db), 0);
    db_free(db);
}

static void test_completion_is_never_inside_the_call(void **state)
{
    (void)state;
    struct db *db = store_connect();
    struct store_end end = { 0 };
    struct op *op = db_query(db, &one, NULL, store_on_end, &end);
    assert_false(end.done);
    assert_int_equal(store_ended(op, &end), 0);
    db_free(db);
}

static void test_cancelled_is_not_completed(void **state)
{
    (void)state;
    struct db *db = store_connect();
    struct store_end never = { 0 };
    struct store_end end = { 0 };
    op_cancel(db_query(db, &one, NULL, store_on_end, &never));
    assert_int_equal(store_ended(db_query(db, &one, NULL, store_on_end, &end), &end), 0);
    assert_false(never.done);
    db_free(db);
}

static void test_a_transaction_is_all_or_nothing(void **state)
{
    (void)state;
    (void)store_sql("CREATE TABLE t (n integer PRIMARY KEY)");
    struct db *db = store_connect();
    struct db_params first = { 0 };
    struct db_params second = { 0 };
    db_put_i32(&first, 1);
    db_put_i32(&second, 2);
    struct db_step twice[] = { { &insert, &first }, { &insert, &first } };
    struct db_step both[] = { { &insert, &first }, { &insert, &second } };
    struct store_end a = { 0 };
    struct store_end b = { 0 };
    struct op *refused = db_transaction(db, twice, 2, store_on_end, &a);
    struct op *taken = db_transaction(db, both, 2, store_on_end, &b);
    assert_int_equal(store_ended(refused, &a), -EEXIST);
    assert_int_equal(store_ended(taken, &b), 0);
    assert_string_equal(store_sql("SELECT count(*) FROM t"), "2");
    db_free(db);
}

static void test_what_migrations_raise_is_told_apart(void **state)
{
    (void)state;
    struct db *db = store_connect();
    struct store_end end = { 0 };
    assert_int_equal(store_ended(db_query(db, &raise_it, NULL, store_on_end, &end), &end),
                     -EPERM);
    db_free(db);
}

static void test_a_lost_connection_ends_what_is_pending_and_comes_back(void **state)
{
    (void)state;
    struct db *db = store_connect();
    struct store_end ends[3] = { 0 };
    struct op *ops[3] = {
        db_query(db, &sleeps, NULL, store_on_end, &ends[0]),
        db_query(db, &one, NULL, store_on_end, &ends[1]),
        db_query(db, &one, NULL, store_on_end, &ends[2]),
    };
    bool never = false;
    (void)store_wait_for(&never, 100);
    (void)store_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'test'");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(store_ended(ops[i], &ends[i]), -ECONNRESET);
    }
    assert_false(db_up(db));
    assert_null(db_query(db, &one, NULL, store_on_end, &ends[0]));
    store_until(db_up(db));
    ends[0] = (struct store_end){ 0 };
    assert_int_equal(store_ended(db_query(db, &one, NULL, store_on_end, &ends[0]), &ends[0]),
                     0);
    db_free(db);
}

static void test_statements_time_out(void **state)
{
    (void)state;
    struct db_options options = { .url = store_url(), .name = "short", .timeout_ms = 200 };
    struct db *db = db_new(base, &options);
    store_until(db_up(db));
    struct store_end end = { 0 };
    assert_int_equal(store_ended(db_query(db, &sleeps, NULL, store_on_end, &end), &end),
                     -ETIMEDOUT);
    assert_true(db_up(db));
    db_free(db);
}

static void count(void *arg)
{
    (*(int *)arg)++;
}

static void test_a_channel_is_heard_and_each_connection_wakes(void **state)
{
    (void)state;
    struct db_options options = { .url = store_url(), .name = "ears" };
    struct db *db = db_new(base, &options);
    int heard = 0;
    assert_int_equal(db_listen(db, "t_channel", count, &heard), 0);
    store_until(heard == 1);
    struct store_end end = { 0 };
    assert_int_equal(store_ended(db_query(db, &tell, NULL, store_on_end, &end), &end), 0);
    (void)store_sql("SELECT pg_notify('t_channel', '')");
    store_until(heard == 3);
    db_drop(db);
    store_until(heard == 4);
    db_free(db);
}

static const struct db_statement find = {
    "t_find",
    "SELECT w.k FROM unnest($1::integer[]) AS w (k) JOIN t_planned p ON p.k = w.k",
};
static const struct db_statement plan = {
    "t_plan",
    "EXPLAIN EXECUTE t_find('{1}')",
};

static void look_plan(struct store_end *end, const struct db_rows *rows)
{
    for (int i = 0; i < db_count(rows); i++) {
        struct str line = db_bytes(rows, i, 0);
        *(bool *)end->arg |= memmem(line.p, line.n, "Index", 5) != NULL;
        assert_null(memmem(line.p, line.n, "Seq Scan", 8));
    }
}

/* A statement may be prepared while its table is all but empty, and used for months. */
static void test_plans_go_by_indexes_from_the_first(void **state)
{
    (void)state;
    (void)store_sql("CREATE TABLE t_planned (k integer PRIMARY KEY)");
    (void)store_sql("INSERT INTO t_planned VALUES (1)");
    (void)store_sql("ANALYZE t_planned");
    struct db *db = store_connect();
    for (int i = 0; i < 8; i++) {
        struct db_array keys;
        db_array_init(&keys, DB_I32);
        db_array_i32(&keys, i);
        struct db_params p = { 0 };
        db_put_array(&p, &keys);
        struct store_end end = { 0 };
        assert_int_equal(store_ended(db_query(db, &find, &p, store_on_end, &end), &end), 0);
        db_array_free(&keys);
    }
    bool uses_index = false;
    struct store_end end = { .look = look_plan, .arg = &uses_index };
    assert_int_equal(store_ended(db_query(db, &plan, NULL, store_on_end, &end), &end), 0);
    assert_true(uses_index);
    db_free(db);
}

static void test_urls(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        int error;
    } cases[] = {
        { "postgresql://[", EINVAL },
        { "nonsense=1", EINVAL },
        { "postgresql://x@no-such-host.invalid/x", ENXIO },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct db_options options = { .url = cases[i].url, .name = "x" };
        errno = 0;
        assert_null(db_new(base, &options));
        assert_int_equal(errno, cases[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_go_both_ways),
        cmocka_unit_test(test_a_failure_leaves_its_neighbours),
        cmocka_unit_test(test_completion_is_never_inside_the_call),
        cmocka_unit_test(test_cancelled_is_not_completed),
        cmocka_unit_test(test_a_transaction_is_all_or_nothing),
        cmocka_unit_test(test_what_migrations_raise_is_told_apart),
        cmocka_unit_test(test_a_lost_connection_ends_what_is_pending_and_comes_back),
        cmocka_unit_test(test_statements_time_out),
        cmocka_unit_test(test_a_channel_is_heard_and_each_connection_wakes),
        cmocka_unit_test(test_plans_go_by_indexes_from_the_first),
        cmocka_unit_test(test_urls),
    };
    return cmocka_run_group_tests(tests, store_group_setup, store_group_teardown);
}
