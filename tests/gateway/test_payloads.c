/* Payloads for delivery: from memory or PostgreSQL, one in a turn of the loop. */
#include "gateway/payloads.h"

#include "gateway/id.h"
#include "tests/gateway/store/store_test.h"

enum {
    MANY = 150, /* more than go into one query */
};

/* What one who asked was told; @before: how many were told before in the same turn. */
struct told {
    bool done;
    int r;
    int before;
    size_t n;
    char text[64];
};

static int in_turn;

static void on_payload(void *arg, int r, const struct store_sealed *payload)
{
    struct told *told = arg;
    assert_false(told->done);
    told->done = true;
    told->r = r;
    told->before = in_turn++;
    if (r == 0) {
        told->n = payload->ciphertext.n;
        (void)snprintf(told->text, sizeof(told->text), "%.*s", (int)payload->ciphertext.n,
                       payload->ciphertext.p);
    }
}

/* Run the loop, turn by turn, until @told knows. */
static void wait_for(const struct told *told)
{
    int64_t end = store_now_ms() + 60000;
    while (!told->done && store_now_ms() < end) {
        in_turn = 0;
        (void)event_base_loop(base, EVLOOP_ONCE);
    }
    assert_true(told->done);
}

/* Store a payload of @n letters. */
static void store(uint8_t id[16], char letter, size_t n)
{
    char hex[33] = { 0 };
    char sql[512];
    id_new(store_now_ms(), id);
    for (size_t i = 0; i < 16; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", id[i]);
    }
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO payload (id, exchange, kind, key, nonce, ciphertext) VALUES"
                   " ('%s', '%s', 1, '%s', decode(repeat('00', 24), 'hex'),"
                   " convert_to(repeat('%c', %zu), 'UTF8'))",
                   hex, hex, hex, letter, n);
    (void)store_sql(sql);
}

static void test_what_was_kept_needs_no_database(void **state)
{
    (void)state;
    struct batch_payload kept = { .kind = 1, .ciphertext = STR("kept") };
    struct told told = { 0 };
    struct payloads *payloads = payloads_new(base, NULL);
    assert_non_null(payloads);
    id_new(store_now_ms(), kept.id);
    payloads_keep(payloads, &kept);
    assert_non_null(payloads_fetch(payloads, kept.id, on_payload, &told));
    assert_false(told.done); /* never inside the call */
    wait_for(&told);
    assert_int_equal(told.r, 0);
    assert_string_equal(told.text, "kept");
    payloads_free(payloads);
}

static void test_many_come_from_the_database_one_in_a_turn(void **state)
{
    (void)state;
    struct db *db = store_connect();
    struct payloads *payloads = payloads_new(base, db);
    static struct told told[MANY];
    static uint8_t ids[MANY][16];
    memset(told, 0, sizeof(told));
    for (int i = 0; i < MANY; i++) {
        store(ids[i], (char)('a' + i % 26), 4);
    }
    for (int i = 0; i < MANY; i++) {
        assert_non_null(payloads_fetch(payloads, ids[i], on_payload, &told[i]));
    }
    for (int i = 0; i < MANY; i++) {
        char want[8] = { 0 };
        memset(want, 'a' + i % 26, 4);
        wait_for(&told[i]);
        assert_int_equal(told[i].r, 0);
        assert_int_equal(told[i].before, 0);
        assert_string_equal(told[i].text, want);
    }
    payloads_free(payloads);
    db_free(db);
}

static void test_large_ones_come_alone_and_whole(void **state)
{
    (void)state;
    struct db *db = store_connect();
    struct payloads *payloads = payloads_new(base, db);
    static const size_t sizes[] = { PAYLOADS_TOGETHER_BYTES, PAYLOADS_TOGETHER_BYTES + 1, 1 };
    struct told told[ARRAY_LEN(sizes)] = { 0 };
    uint8_t ids[ARRAY_LEN(sizes)][16];
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        store(ids[i], 'x', sizes[i]);
        assert_non_null(payloads_fetch(payloads, ids[i], on_payload, &told[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        wait_for(&told[i]);
        assert_int_equal(told[i].r, 0);
        assert_int_equal(told[i].n, sizes[i]);
    }
    payloads_free(payloads);
    db_free(db);
}

static void test_what_is_gone_and_what_is_cancelled(void **state)
{
    (void)state;
    struct db *db = store_connect();
    struct payloads *payloads = payloads_new(base, db);
    struct told gone = { 0 };
    struct told waiting = { 0 };
    struct told there = { 0 };
    uint8_t id[16];
    uint8_t nobodys[16];
    id_new(store_now_ms(), nobodys);
    store(id, 'y', 3);
    assert_non_null(payloads_fetch(payloads, nobodys, on_payload, &gone));
    op_cancel(payloads_fetch(payloads, id, on_payload, &waiting));
    assert_non_null(payloads_fetch(payloads, id, on_payload, &there));
    wait_for(&gone);
    assert_int_equal(gone.r, -ENOENT);
    wait_for(&there);
    assert_string_equal(there.text, "yyy");
    struct op *asked = payloads_fetch(payloads, id, on_payload, &waiting);
    (void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    op_cancel(asked); /* while it is asked for, or ready */
    struct told last = { 0 };
    assert_non_null(payloads_fetch(payloads, id, on_payload, &last));
    wait_for(&last);
    assert_false(waiting.done);
    payloads_free(payloads);
    db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_kept_needs_no_database),
        cmocka_unit_test(test_many_come_from_the_database_one_in_a_turn),
        cmocka_unit_test(test_large_ones_come_alone_and_whole),
        cmocka_unit_test(test_what_is_gone_and_what_is_cancelled),
    };
    return cmocka_run_group_tests_name("gateway/payloads", tests, store_group_setup,
                                       store_group_teardown);
}
