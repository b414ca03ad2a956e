#include "gateway/recipient.h"

#include "tests/gateway/store/with_db.h"
#include "tests/gateway/vault_test.h"

static struct vault *vault;
static struct arena *arena;

static void on_started(void *arg, int r)
{
    struct store_end *end = arg;
    end->done = true;
    end->r = r;
}

static void look_number(struct store_end *end, const struct db_rows *rows)
{
    *(int64_t *)end->arg = store_recipient_number(rows);
}

static int64_t number_of(const char *text)
{
    struct recipient recipient;
    int64_t number = RECIPIENT_NOBODY;
    struct store_end end = { .look = look_number, .arg = &number };
    assert_int_equal(recipient_seal(vault, arena, str_z(text), &recipient), 0);
    struct op *op = store_recipient(db, recipient.hash, &recipient.sealed, store_on_end, &end);
    assert_int_equal(store_ended(op, &end), 0);
    return number;
}

struct opened {
    int r;
    struct str text;
};

static void look_meaning(struct store_end *end, const struct db_rows *rows)
{
    struct opened *opened = end->arg;
    struct store_sealed sealed;
    assert_int_equal(db_count(rows), 1);
    (void)store_recipient_row(rows, 0, &sealed);
    opened->r = recipient_open(vault, arena, &sealed, &opened->text);
}

static struct opened meaning_of(int64_t number)
{
    struct opened opened = { 0 };
    struct store_end end = { .look = look_meaning, .arg = &opened };
    assert_int_equal(store_ended(store_recipients(db, &number, 1, store_on_end, &end), &end),
                     0);
    return opened;
}

static void test_equal_texts_have_one_number(void **state)
{
    (void)state;
    int64_t ward = number_of("{\"destination\":\"ward\"}");
    int64_t other = number_of("{\"destination\":\"other\"}");
    assert_true(ward > RECIPIENT_NOBODY && other > RECIPIENT_NOBODY && ward != other);
    assert_int_equal(number_of("{\"destination\":\"ward\"}"), ward);
    assert_str(meaning_of(ward).text, "{\"destination\":\"ward\"}");
    assert_str(meaning_of(other).text, "{\"destination\":\"other\"}");
}

static void test_a_meaning_moved_to_another_number_does_not_open(void **state)
{
    (void)state;
    int64_t ward = number_of("{\"destination\":\"ward\"}");
    int64_t third = number_of("{\"destination\":\"third\"}");
    char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "UPDATE recipient r SET nonce = o.nonce, ciphertext = o.ciphertext"
                   " FROM recipient o WHERE r.number = %lld AND o.number = %lld",
                   (long long)third, (long long)ward);
    (void)store_sql(sql);
    assert_int_equal(meaning_of(third).r, -EBADMSG);
    assert_int_equal(meaning_of(ward).r, 0);
}

static void test_nothing_of_the_text_is_stored_in_plain(void **state)
{
    (void)state;
    (void)number_of("{\"user\":\"Practitioner/who\"}");
    assert_string_equal(store_sql("SELECT count(*) FROM recipient r WHERE"
                                  " position('Practitioner'::bytea IN r.ciphertext) > 0 OR"
                                  " r.hash = sha256('{\"user\":\"Practitioner/who\"}')"),
                        "0");
}

static int set_up(void **state)
{
    struct store_end end = { 0 };
    int r = open_db(state);
    if (db) {
        vault = vault_open();
        arena = arena_new(4096);
        r = store_ended(vault_start(vault, db, on_started, &end), &end);
    }
    return r;
}

static int tear_down(void **state)
{
    arena_free(arena);
    vault_free(vault);
    return close_db(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_texts_have_one_number),
        cmocka_unit_test(test_a_meaning_moved_to_another_number_does_not_open),
        cmocka_unit_test(test_nothing_of_the_text_is_stored_in_plain),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
