/* Broken glasses in PostgreSQL: for whom, until when, who takes which notice, one review each.
 */
#include "tests/gateway/store/store_test.h"

#include "gateway/store/glass.h"

static struct db *db;

enum {
    NOW = 1000000000,
    HOUR = 3600000,
};

static void filled(uint8_t *out, size_t size, int n)
{
    memset(out, 0, size);
    out[size - 1] = (uint8_t)n;
}

/* Break it: case @n, for recipient @recipient and patient @patient, until @until. */
static int break_it(int n, int recipient, int patient, int64_t until)
{
    struct store_glass glass = {
        .recipient = recipient,
        .reason = STR("unconscious"),
        .opened = NOW,
        .until = until,
        .review_by = NOW + 10 * HOUR,
        .patient_due = NOW + 5 * HOUR,
    };
    filled(glass.id, sizeof(glass.id), n);
    filled(glass.patient, sizeof(glass.patient), patient);
    struct store_end end = { 0 };
    return store_ended(store_glass_open(db, &glass, store_on_end, &end), &end);
}

static void look_held(struct store_end *end, const struct db_rows *rows)
{
    char *text = end->arg;
    for (int i = 0; i < db_count(rows); i++) {
        uint8_t id[16];
        uint8_t patient[16];
        int64_t until;
        store_glass_held_row(rows, i, id, patient, &until);
        text += sprintf(text, "%d:%d ", id[15], patient[15]);
    }
}

/* "case:patient " of each that is broken at @now for the recipient of hash @hash. */
static const char *held(int hash, int64_t now)
{
    static char text[256];
    uint8_t bytes[32];
    filled(bytes, sizeof(bytes), hash);
    text[0] = '\0';
    struct store_end end = { .look = look_held, .arg = text };
    struct op *op = store_glass_held(db, bytes, now, 16, store_on_end, &end);
    assert_int_equal(store_ended(op, &end), 0);
    return text;
}

static void test_broken_for_one_recipient_and_one_patient(void **state)
{
    (void)state;
    (void)store_sql("INSERT INTO recipient (hash, key, nonce, ciphertext)"
                    " SELECT decode(lpad(to_hex(n), 64, '0'), 'hex'), gen_random_uuid(), '', ''"
                    " FROM generate_series(1, 2) n");
    assert_string_equal(held(1, NOW), "");
    assert_int_equal(break_it(1, 1, 7, NOW + 4 * HOUR), 0);
    assert_int_equal(break_it(2, 1, 8, NOW + 5 * HOUR), 0);
    assert_int_equal(break_it(3, 2, 9, NOW + 4 * HOUR), 0);
    assert_int_equal(break_it(3, 2, 9, NOW + 4 * HOUR), -EEXIST);
    assert_string_equal(held(1, NOW), "2:8 1:7 ");
    assert_string_equal(held(2, NOW), "3:9 ");
    assert_string_equal(held(1, NOW + 4 * HOUR), "2:8 "); /* the end is no more of it */
    assert_string_equal(held(1, NOW + 5 * HOUR), "");
}

static void look_due(struct store_end *end, const struct db_rows *rows)
{
    char *text = end->arg;
    for (int i = 0; i < db_count(rows); i++) {
        struct store_glass glass;
        enum store_glass_whom whom;
        store_glass_due_row(rows, i, &glass, &whom);
        assert_str(glass.reason, "unconscious");
        assert_int_equal(glass.opened, NOW);
        text += sprintf(text, "%d%c ", glass.id[15], whom == STORE_GLASS_OFFICER ? 'o' : 'p');
    }
}

static const char *due(int64_t now, int most)
{
    static char text[256];
    text[0] = '\0';
    struct store_end end = { .look = look_due, .arg = text };
    assert_int_equal(store_ended(store_glass_due(db, now, most, store_on_end, &end), &end), 0);
    return text;
}

static void told(int n, enum store_glass_whom whom)
{
    uint8_t id[16];
    filled(id, sizeof(id), n);
    struct store_end end = { 0 };
    struct op *op = store_glass_told(db, id, whom, NOW, store_on_end, &end);
    assert_int_equal(store_ended(op, &end), 0);
}

static void test_a_notice_is_taken_by_one_and_again_if_it_was_not_told(void **state)
{
    (void)state;
    (void)store_sql("TRUNCATE break_glass CASCADE");
    assert_int_equal(break_it(1, 1, 7, NOW + HOUR), 0);
    assert_string_equal(due(NOW - 1, 9), "");
    assert_string_equal(due(NOW, 9), "1o ");
    assert_string_equal(due(NOW + 4000, 9), ""); /* somebody has it */
    assert_string_equal(due(NOW + 5000, 9), "1o ");
    assert_string_equal(due(NOW + 14000, 9), ""); /* twice as long */
    assert_string_equal(due(NOW + 15000, 9), "1o ");
    told(1, STORE_GLASS_OFFICER);
    assert_string_equal(due(NOW + 4 * HOUR, 9), "");
    assert_string_equal(due(NOW + 5 * HOUR, 9), "1p ");
    told(1, STORE_GLASS_PATIENT);
    assert_string_equal(due(NOW + 500 * (int64_t)HOUR, 9), "");
}

static void look_count(struct store_end *end, const struct db_rows *rows)
{
    *(int64_t *)end->arg = store_glass_overdue_row(rows);
}

static int overdue(int64_t now)
{
    int64_t count = -1;
    struct store_end end = { .look = look_count, .arg = &count };
    assert_int_equal(store_ended(store_glass_overdue(db, now, store_on_end, &end), &end), 0);
    return (int)count;
}

static void look_changed(struct store_end *end, const struct db_rows *rows)
{
    *(int64_t *)end->arg = db_changed(rows);
}

static int review(int n, const char *outcome)
{
    uint8_t id[16];
    int64_t changed = -1;
    filled(id, sizeof(id), n);
    struct store_end end = { .look = look_changed, .arg = &changed };
    struct op *op = store_glass_review(db, id, NOW + 1, str_z(outcome), store_on_end, &end);
    assert_int_equal(store_ended(op, &end), 0);
    return (int)changed;
}

static void test_a_review_is_one_and_ends_it(void **state)
{
    (void)state;
    (void)store_sql("TRUNCATE break_glass CASCADE");
    assert_int_equal(break_it(1, 1, 7, NOW + HOUR), 0);
    assert_int_equal(overdue(NOW + 10 * HOUR), 0);
    assert_int_equal(overdue(NOW + 10 * HOUR + 1), 1);
    assert_int_equal(review(1, "justified"), 1);
    assert_int_equal(review(1, "unjustified"), 0);
    assert_string_equal(store_sql("SELECT outcome FROM break_glass"), "justified");
    assert_int_equal(overdue(NOW + 10 * HOUR + 1), 0);
    assert_string_equal(held(1, NOW + 2), "");
}

static void look_ids(struct store_end *end, const struct db_rows *rows)
{
    char *text = end->arg;
    for (int i = 0; i < db_count(rows); i++) {
        struct store_glass glass;
        store_glass_row(rows, i, &glass);
        text += sprintf(text, "%d ", glass.id[15]);
    }
}

static const char *list(const struct store_glass_filter *filter)
{
    static char text[256];
    text[0] = '\0';
    struct store_end end = { .look = look_ids, .arg = text };
    assert_int_equal(store_ended(store_glass_list(db, filter, store_on_end, &end), &end), 0);
    return text;
}

static void test_the_register_is_asked_by_state_time_and_id(void **state)
{
    uint8_t second[16];
    filled(second, sizeof(second), 2);
    const struct {
        struct store_glass_filter filter;
        const char *want;
    } cases[] = {
        { { .limit = 9 }, "3 2 1 " },
        { { .limit = 2 }, "3 2 " },
        { { .unreviewed = true, .limit = 9 }, "3 1 " },
        { { .overdue_at = NOW + 10 * HOUR, .limit = 9 }, "" },
        { { .overdue_at = NOW + 11 * HOUR, .limit = 9 }, "3 1 " },
        { { .id = second, .limit = 9 }, "2 " },
        { { .from = NOW + 1, .limit = 9 }, "" },
        { { .from = NOW, .to = NOW + 1, .limit = 9 }, "3 2 1 " },
        { { .to = NOW, .limit = 9 }, "" },
    };
    (void)state;
    (void)store_sql("TRUNCATE break_glass CASCADE");
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(break_it(i, 1, i, NOW + HOUR), 0);
    }
    assert_int_equal(review(2, "justified"), 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_string_equal(list(&cases[i].filter), cases[i].want);
    }
}

static int set_up(void **state)
{
    int r = store_group_setup(state);
    if (r == 0 && getenv("PGURL")) {
        db = store_connect();
    }
    return r;
}

static int tear_down(void **state)
{
    db_free(db);
    return store_group_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_broken_for_one_recipient_and_one_patient),
        cmocka_unit_test(test_a_notice_is_taken_by_one_and_again_if_it_was_not_told),
        cmocka_unit_test(test_a_review_is_one_and_ends_it),
        cmocka_unit_test(test_the_register_is_asked_by_state_time_and_id),
    };
    return cmocka_run_group_tests_name("gateway/store/glass", tests, set_up, tear_down);
}
