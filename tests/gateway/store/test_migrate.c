#include "tests/gateway/store/store_test.h"

#include "sql_migrations.h"

static void test_twice_is_once(void **state)
{
    (void)state;
    struct migrate_result result;
    assert_int_equal(migrate_apply(store_url(), "tests", &result), 0);
    assert_int_equal(result.applied, 0);
    assert_int_equal(result.number, migrate_number());
    assert_int_equal(migrate_check(store_url(), "tests", &result), 0);
}

static void test_another_tenant_is_refused(void **state)
{
    (void)state;
    struct migrate_result result;
    assert_int_equal(migrate_check(store_url(), "others", &result), MIGRATE_E_TENANT);
    assert_int_equal(migrate_apply(store_url(), "others", &result), MIGRATE_E_TENANT);
}

static void test_newer_by_one_is_fine(void **state)
{
    (void)state;
    struct migrate_result result;
    char sql[256];
    for (int ahead = 1; ahead <= 2; ahead++) {
        (void)snprintf(sql, sizeof(sql), "INSERT INTO schema_migration VALUES (%d, 'x', '')",
                       migrate_number() + ahead);
        (void)store_sql(sql);
        assert_int_equal(migrate_check(store_url(), "tests", &result),
                         ahead == 1 ? 0 : MIGRATE_E_NEWER);
    }
    (void)snprintf(sql, sizeof(sql), "DELETE FROM schema_migration WHERE number > %d",
                   migrate_number());
    (void)store_sql(sql);
}

static void test_older_is_refused(void **state)
{
    (void)state;
    struct migrate_result result;
    (void)store_sql("CREATE TABLE saved AS SELECT * FROM schema_migration");
    (void)store_sql("DELETE FROM schema_migration WHERE number ="
                    " (SELECT max(number) FROM schema_migration)");
    assert_int_equal(migrate_check(store_url(), "tests", &result), MIGRATE_E_OLDER);
    (void)store_sql("INSERT INTO schema_migration SELECT * FROM saved ON CONFLICT DO NOTHING");
    (void)store_sql("DROP TABLE saved");
}

static void test_an_edited_migration_is_noticed(void **state)
{
    (void)state;
    struct migrate_result result;
    (void)store_sql("UPDATE schema_migration SET sha256 = sha256(sha256) WHERE number = 2");
    assert_int_equal(migrate_check(store_url(), "tests", &result), MIGRATE_E_CHANGED);
    char sql[200] = "UPDATE schema_migration SET sha256 = '\\x";
    for (size_t i = 0; i < 32; i++) {
        (void)snprintf(sql + strlen(sql), 3, "%02x", sql_migrations[1].sha256[i]);
    }
    (void)store_sql(strcat(sql, "' WHERE number = 2"));
    assert_int_equal(migrate_check(store_url(), "tests", &result), 0);
}

static void test_no_server(void **state)
{
    (void)state;
    struct migrate_result result;
    assert_int_equal(migrate_check("postgresql://x@127.0.0.1:1/x", "tests", &result),
                     -ECONNREFUSED);
    assert_true(strlen(result.why) > 0);
}

static void test_months(void **state)
{
    (void)state;
    assert_string_equal(store_sql("SELECT make_partitions(now(), 3)"), "0");
    assert_string_equal(store_sql("SELECT make_partitions('2021-12-31 23:59:59+00', 0)"), "8");
    assert_string_equal(store_sql("SELECT count(*) FROM pg_class"
                                  " WHERE relname IN ('record_2021_11', 'payload_2021_12')"),
                        "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_twice_is_once),
        cmocka_unit_test(test_another_tenant_is_refused),
        cmocka_unit_test(test_newer_by_one_is_fine),
        cmocka_unit_test(test_older_is_refused),
        cmocka_unit_test(test_an_edited_migration_is_noticed),
        cmocka_unit_test(test_no_server),
        cmocka_unit_test(test_months),
    };
    return cmocka_run_group_tests(tests, store_group_setup, store_group_teardown);
}
