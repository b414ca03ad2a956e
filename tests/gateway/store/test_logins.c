/* Logins in PostgreSQL: a challenge once, a code once, a key of one patient. */
#include "tests/gateway/store/with_db.h"

#include "gateway/store/logins.h"
#include "gateway/store/patients.h"

static void name(uint8_t *out, size_t n, int number)
{
    memset(out, 0, n);
    out[n - 1] = (uint8_t)number;
}

static void new_patient(uint8_t out[16], int number)
{
    char sql[256];
    name(out, 16, number);
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO patient (id) VALUES"
                   " ('00000000-0000-0000-0000-0000000000%02x') ON CONFLICT DO NOTHING",
                   (unsigned)number);
    (void)store_sql(sql);
}

/* A code with the name @code and the hash of that number. */
static void give_code(const char *code, int patient, int64_t ms)
{
    struct store_end end = { 0 };
    struct store_login_code row = { .name = str_z(code), .expires = store_now_ms() + ms };
    name(row.hash, sizeof(row.hash), code[0]);
    new_patient(row.patient, patient);
    assert_int_equal(store_ended(store_login_code(db, &row, store_on_end, &end), &end), 0);
}

struct begun {
    int outcome;
    uint8_t patient[16];
    uint8_t session[16];
};

static void look_begun(struct store_end *end, const struct db_rows *rows)
{
    struct begun *begun = end->arg;
    begun->outcome = store_login_outcome(rows, begun->patient);
}

/* With key @credential, and code @code whose hash is @hash; code NULL: none. */
static struct begun begin(int challenge, int credential, const char *code, int hash)
{
    static int sessions;
    uint8_t bytes[8];
    struct begun out = { .outcome = -1 };
    struct store_end end = { .look = look_begun, .arg = &out };
    struct store_login login = {
        .challenge = str_of(bytes, sizeof(bytes)),
        .expires = store_now_ms() + 600000,
        .code_name = str_z(code),
        .until = store_now_ms() + 600000,
    };
    name(bytes, sizeof(bytes), challenge);
    name(login.credential, sizeof(login.credential), credential);
    name(login.code_hash, sizeof(login.code_hash), hash);
    name(login.session, sizeof(login.session), ++sessions);
    memcpy(out.session, login.session, sizeof(out.session));
    assert_int_equal(store_ended(store_login_begin(db, &login, store_on_end, &end), &end), 0);
    return out;
}

static void look_patient(struct store_end *end, const struct db_rows *rows)
{
    uint8_t *patient = end->arg;
    if (!store_login_patient(rows, patient)) {
        patient[15] = 0;
    }
}

/* The number of the patient whose session it is; 0: it has ended. */
static int whose(const struct begun *begun)
{
    uint8_t patient[16];
    struct store_end end = { .look = look_patient, .arg = patient };
    assert_int_equal(
        store_ended(store_login_session(db, begun->session, store_on_end, &end), &end), 0);
    return patient[15];
}

static int64_t forget(int patient)
{
    uint8_t number[16];
    struct store_end end = { 0 };
    new_patient(number, patient);
    assert_int_equal(store_ended(store_login_forget(db, number, store_on_end, &end), &end), 0);
    return end.count;
}

static void test_a_code_links_and_then_the_key_is_enough(void **state)
{
    (void)state;
    assert_int_equal(begin(1, 10, NULL, 0).outcome, STORE_LOGIN_UNKNOWN);
    give_code("A", 0x11, 60000);
    struct begun first = begin(2, 10, "A", 'A');
    assert_int_equal(first.outcome, STORE_LOGIN_BEGUN);
    assert_int_equal(first.patient[15], 0x11);
    struct begun second = begin(3, 10, NULL, 0);
    assert_int_equal(second.outcome, STORE_LOGIN_BEGUN);
    assert_int_equal(whose(&first), 0x11);
    assert_int_equal(whose(&second), 0x11);
    assert_int_equal(begin(4, 11, "A", 'A').outcome, STORE_LOGIN_CODE);
}

static void test_a_challenge_is_used_once_whatever_came_of_it(void **state)
{
    (void)state;
    assert_int_equal(begin(20, 77, NULL, 0).outcome, STORE_LOGIN_UNKNOWN);
    assert_int_equal(begin(20, 77, NULL, 0).outcome, STORE_LOGIN_REPLAYED);
    assert_int_equal(begin(21, 77, "no", 'n').outcome, STORE_LOGIN_CODE);
    assert_int_equal(begin(21, 10, NULL, 0).outcome, STORE_LOGIN_REPLAYED);
}

static void test_tries_with_a_code_are_counted(void **state)
{
    (void)state;
    give_code("B", 0x12, 60000);
    for (int i = 0; i < STORE_LOGIN_TRIES_MAX - 1; i++) {
        assert_int_equal(begin(30 + i, 12, "B", 'x').outcome, STORE_LOGIN_CODE);
    }
    assert_int_equal(begin(40, 12, "B", 'B').outcome, STORE_LOGIN_BEGUN);
    give_code("C", 0x12, 60000);
    for (int i = 0; i < STORE_LOGIN_TRIES_MAX; i++) {
        assert_int_equal(begin(50 + i, 12, "C", 'x').outcome, STORE_LOGIN_CODE);
    }
    assert_int_equal(begin(60, 12, "C", 'C').outcome, STORE_LOGIN_CODE);
}

static void test_a_code_has_an_end_and_a_name_of_its_own(void **state)
{
    (void)state;
    give_code("D", 0x13, -1);
    assert_int_equal(begin(70, 13, "D", 'D').outcome, STORE_LOGIN_CODE);
    struct store_end end = { 0 };
    struct store_login_code row = { .name = STR("D"), .expires = store_now_ms() + 1000 };
    new_patient(row.patient, 0x13);
    assert_int_equal(store_ended(store_login_code(db, &row, store_on_end, &end), &end),
                     -EEXIST);
}

static void test_a_key_is_of_one_patient(void **state)
{
    (void)state;
    give_code("E", 0x14, 60000);
    give_code("F", 0x15, 60000);
    struct begun first = begin(80, 14, "E", 'E');
    assert_int_equal(first.outcome, STORE_LOGIN_BEGUN);
    assert_int_equal(begin(81, 14, "F", 'F').outcome, STORE_LOGIN_FOREIGN);
    assert_int_equal(whose(&first), 0x14);
    assert_int_equal(begin(82, 14, NULL, 0).patient[15], 0x14);
}

static void test_merged_patients_are_one(void **state)
{
    (void)state;
    uint8_t from[16];
    uint8_t to[16];
    struct store_end end = { 0 };
    new_patient(from, 0x16);
    new_patient(to, 0x17);
    give_code("G", 0x16, 60000);
    struct begun first = begin(90, 16, "G", 'G');
    assert_int_equal(whose(&first), 0x16);
    assert_int_equal(store_ended(store_patient_merge(db, from, to, store_on_end, &end), &end),
                     0);
    assert_int_equal(whose(&first), 0x17);
    give_code("H", 0x17, 60000);
    assert_int_equal(begin(91, 16, "H", 'H').outcome, STORE_LOGIN_BEGUN);
    assert_int_equal(forget(0x17), 1);
    assert_int_equal(whose(&first), 0);
}

static void test_sessions_end(void **state)
{
    (void)state;
    give_code("I", 0x18, 60000);
    struct begun first = begin(100, 18, "I", 'I');
    struct begun second = begin(101, 18, NULL, 0);
    struct store_end end = { 0 };
    assert_int_equal(store_ended(store_login_end(db, first.session, store_on_end, &end), &end),
                     0);
    assert_int_equal(whose(&first), 0);
    assert_int_equal(whose(&second), 0x18);
    give_code("J", 0x18, 60000);
    (void)forget(0x18);
    assert_int_equal(whose(&second), 0);
    assert_int_equal(begin(102, 18, NULL, 0).outcome, STORE_LOGIN_UNKNOWN);
    assert_int_equal(begin(103, 18, "J", 'J').outcome, STORE_LOGIN_CODE);
}

static void test_who_was_erased_logs_in_no_more(void **state)
{
    (void)state;
    give_code("K", 0x19, 60000);
    struct begun first = begin(110, 19, "K", 'K');
    give_code("L", 0x19, 60000);
    (void)store_sql("INSERT INTO patient_key (id, patient, root, wrapped) VALUES"
                    " (gen_random_uuid(), '00000000-0000-0000-0000-000000000019', '', '')");
    uint8_t number[16];
    struct store_end end = { 0 };
    new_patient(number, 0x19);
    assert_int_equal(store_ended(store_patient_shred(db, number, store_on_end, &end), &end), 0);
    assert_int_equal(whose(&first), 0);
    assert_int_equal(begin(111, 19, "L", 'L').outcome, STORE_LOGIN_CODE);
    assert_string_equal(store_sql("SELECT count(*) FROM login_credential WHERE patient ="
                                  " '00000000-0000-0000-0000-000000000019'"),
                        "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_code_links_and_then_the_key_is_enough),
        cmocka_unit_test(test_a_challenge_is_used_once_whatever_came_of_it),
        cmocka_unit_test(test_tries_with_a_code_are_counted),
        cmocka_unit_test(test_a_code_has_an_end_and_a_name_of_its_own),
        cmocka_unit_test(test_a_key_is_of_one_patient),
        cmocka_unit_test(test_merged_patients_are_one),
        cmocka_unit_test(test_sessions_end),
        cmocka_unit_test(test_who_was_erased_logs_in_no_more),
    };
    return cmocka_run_group_tests_name("store/logins", tests, open_db, close_db);
}
