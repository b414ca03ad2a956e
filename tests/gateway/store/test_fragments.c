/* Parts of messages in PostgreSQL: which continues which, and when a pointer is free. */
#include "tests/gateway/store/with_db.h"

#include "gateway/store/fragments.h"

static void name(uint8_t out[32], int n)
{
    memset(out, 0, 32);
    out[31] = (uint8_t)n;
}

static void look_kept(struct store_end *end, const struct db_rows *rows)
{
    *(bool *)end->arg = store_fragment_kept(rows);
}

/* Keep the part @digest at @key, after that of @before and @before_digest; 0: the first. */
static bool keep(int key, int digest, int before, int before_digest)
{
    struct store_fragment fragment = { .first = before == 0 };
    name(fragment.key, key);
    name(fragment.digest, digest);
    name(fragment.before, before);
    name(fragment.before_digest, before_digest);
    fragment.payload[15] = (uint8_t)digest;
    bool kept = false;
    struct store_end end = { .look = look_kept, .arg = &kept };
    assert_int_equal(store_ended(store_fragment_keep(db, &fragment, store_on_end, &end), &end),
                     0);
    return kept;
}

static void look_chain(struct store_end *end, const struct db_rows *rows)
{
    char *text = end->arg;
    int n = db_count(rows);
    for (int i = 0; i < n; i++) {
        uint8_t digest[32];
        assert_int_equal(store_fragment_digest(rows, i, digest), 0);
        text[i] = (char)('a' + digest[31]);
    }
    text[n] = '\0';
}

/* The digests of the parts up to @key, each a letter. */
static const char *chain(int key)
{
    static char text[2 * STORE_FRAGMENTS_MAX];
    uint8_t bytes[32];
    name(bytes, key);
    struct store_end end = { .look = look_chain, .arg = text };
    assert_int_equal(store_ended(store_fragment_chain(db, bytes, store_on_end, &end), &end), 0);
    return text;
}

static void joined(int key)
{
    uint8_t bytes[32];
    name(bytes, key);
    struct store_end end = { 0 };
    assert_int_equal(store_ended(store_fragment_joined(db, bytes, store_on_end, &end), &end),
                     0);
}

static void test_parts_are_found_from_the_first_on(void **state)
{
    (void)state;
    assert_string_equal(chain(1), "");
    assert_true(keep(1, 1, 0, 0));
    assert_string_equal(chain(1), "b");
    assert_true(keep(2, 2, 1, 1));
    assert_true(keep(2, 2, 1, 1)); /* the same again */
    assert_string_equal(chain(2), "bc");
    assert_true(keep(9, 9, 8, 8)); /* after one that isn't there */
    assert_string_equal(chain(9), "");
}

static void test_a_pointer_is_free_when_its_message_is_whole(void **state)
{
    (void)state;
    assert_false(keep(1, 5, 0, 0));
    assert_string_equal(chain(2), "bc");
    joined(2);
    assert_true(keep(1, 5, 0, 0));
    assert_string_equal(chain(1), "f");
    assert_string_equal(chain(2), ""); /* its part before is another one by now */
    (void)store_sql("UPDATE fragment SET joined = false,"
                    " taken = now() - interval '2 hours' WHERE get_byte(key, 31) = 1");
    assert_true(keep(1, 6, 0, 0)); /* it waited too long */
}

static void test_a_chain_has_an_end(void **state)
{
    (void)state;
    (void)store_sql("DELETE FROM fragment");
    assert_true(keep(1, 1, 0, 0));
    for (int i = 2; i <= STORE_FRAGMENTS_MAX + 10; i++) {
        assert_true(keep(i, i, i - 1, i - 1));
    }
    assert_int_equal(strlen(chain(STORE_FRAGMENTS_MAX)), STORE_FRAGMENTS_MAX);
    assert_int_equal(strlen(chain(STORE_FRAGMENTS_MAX + 5)), 0); /* the first is beyond reach */
    (void)store_sql("UPDATE fragment SET taken = now() - interval '30 days'");
    assert_true(keep(200, 200, 0, 0));
    assert_string_equal(store_sql("SELECT count(*) FROM fragment"), "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_are_found_from_the_first_on),
        cmocka_unit_test(test_a_pointer_is_free_when_its_message_is_whole),
        cmocka_unit_test(test_a_chain_has_an_end),
    };
    return cmocka_run_group_tests(tests, open_db, close_db);
}
