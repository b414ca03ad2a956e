#include "gateway/store/sendings.h"

#include "tests/gateway/store/with_db.h"

static uint64_t fence;

static void look_id(struct store_end *end, const struct db_rows *rows)
{
    *(int64_t *)end->arg = store_sending_id(rows);
}

static void look_anchor(struct store_end *end, const struct db_rows *rows)
{
    if (db_count(rows)) {
        assert_int_equal(store_anchor_row(rows, 0, end->arg), 0);
    }
}

static void test_anchors_go_through_their_states(void **state)
{
    (void)state;
    struct store_anchor a = { .size = 35, .sending = { .chain = 1 } };
    int64_t id = 0;
    struct store_end end = { .look = look_id, .arg = &id };
    assert_int_equal(store_ended(store_anchor_plan(db, fence, &a, store_on_end, &end), &end),
                     0);
    struct store_sending s = { .id = id,
                               .state = STORE_SIGNED,
                               .nonce = 3,
                               .max_fee = 7,
                               .raw = STR("raw"),
                               .hash = STR("hash"),
                               .reason = STR("first") };
    static const struct {
        enum store_sending_state state;
        int want;
        int open, covering;
    } cases[] = {
        { STORE_SIGNED, 0, 1, 0 },     { STORE_BROADCAST, 0, 1, 0 },
        { STORE_MINED, 0, 1, 1 },      { STORE_REORGED, 0, 1, 0 },
        { STORE_MINED, 0, 1, 1 },      { STORE_FINALIZED, 0, 0, 1 },
        { STORE_MINED, -EPERM, 0, 1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        s.state = cases[i].state;
        end = (struct store_end){ 0 };
        assert_int_equal(
            store_ended(store_anchor_update(db, fence, &s, store_on_end, &end), &end),
            cases[i].want);
        struct store_anchor got = { 0 };
        end = (struct store_end){ .look = look_anchor, .arg = &got };
        assert_int_equal(store_ended(store_anchor_open(db, 1, store_on_end, &end), &end), 0);
        assert_int_equal(end.count, cases[i].open);
        end = (struct store_end){ .look = look_anchor, .arg = &got };
        assert_int_equal(
            store_ended(store_anchor_covering(db, 0, 20, store_on_end, &end), &end), 0);
        assert_int_equal(end.count, cases[i].covering);
        assert_true(got.size == 0 || (got.sending.nonce == 3 && got.sending.max_fee == 7));
    }
    end = (struct store_end){ 0 };
    assert_int_equal(
        store_ended(store_anchor_update(db, fence - 1, &s, store_on_end, &end), &end), -EPERM);
    end = (struct store_end){ 0 };
    assert_int_equal(
        store_ended(store_anchor_prove(db, fence, id, STR("proof"), store_on_end, &end), &end),
        0);
}

static void test_a_call_is_relayed_once(void **state)
{
    (void)state;
    struct store_relay relay = {
        .version = 1, .kind = STORE_RELAY_GRANT, .call = STR("call"), .sending = { .chain = 1 }
    };
    int64_t ids[4] = { 0 };
    for (size_t i = 0; i < 4; i++) {
        relay.kind = i == 3 ? STORE_RELAY_REVOKE : STORE_RELAY_GRANT;
        struct store_end end = { .look = look_id, .arg = &ids[i] };
        assert_int_equal(store_ended(store_relay_plan(db, &relay, store_on_end, &end), &end),
                         0);
        if (i == 1) {
            struct store_sending failed = { .id = ids[0], .state = STORE_FAILED };
            end = (struct store_end){ 0 };
            assert_int_equal(
                store_ended(store_relay_update(db, fence, &failed, store_on_end, &end), &end),
                0);
        }
    }
    assert_true(ids[0] == ids[1] && ids[0] == ids[2] && ids[0] != ids[3]);
    struct store_end end = { 0 };
    assert_int_equal(store_ended(store_relay_open(db, 1, 10, store_on_end, &end), &end), 0);
    assert_int_equal(end.count, 2); /* the failed one is planned again */
    end = (struct store_end){ 0 };
    assert_int_equal(store_ended(store_relay_of(db, relay.consent, store_on_end, &end), &end),
                     0);
    assert_int_equal(end.count, 2);
}

/* A letter for each hash, which is made of it. */
static void look_older(struct store_end *end, const struct db_rows *rows)
{
    struct store_relay relay;
    char *out = end->arg;
    assert_int_equal(store_relay_row(rows, 0, &relay), 0);
    for (size_t i = 0; i < relay.sending.older.n; i += 32) {
        *out++ = relay.sending.older.p[i];
    }
    *out = '\0';
}

static void test_older_hashes_are_kept_until_planned_anew(void **state)
{
    static const struct {
        const char *hash; /* 32 bytes, all this letter; "": failed, and planned anew */
        const char *want; /* the older ones */
    } cases[] = {
        { "a", "" },   { "a", "" },    { "b", "a" },
        { "c", "ab" }, { "a", "abc" }, /* an older one was mined */
        { "", "" },    { "d", "" },
    };
    (void)state;
    struct store_relay relay = {
        .version = 9, .kind = STORE_RELAY_GRANT, .call = STR("call"), .sending = { .chain = 2 }
    };
    int64_t id = 0;
    struct store_end end = { .look = look_id, .arg = &id };
    assert_int_equal(store_ended(store_relay_plan(db, &relay, store_on_end, &end), &end), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char hash[32];
        memset(hash, cases[i].hash[0], sizeof(hash));
        bool anew = cases[i].hash[0] == '\0';
        struct store_sending s = { .id = id, .state = anew ? STORE_FAILED : STORE_SIGNED };
        s.hash = str_of(hash, sizeof(hash));
        end = (struct store_end){ 0 };
        assert_int_equal(
            store_ended(store_relay_update(db, fence, &s, store_on_end, &end), &end), 0);
        end = (struct store_end){ 0 };
        if (anew) {
            assert_int_equal(
                store_ended(store_relay_plan(db, &relay, store_on_end, &end), &end), 0);
        }
        char older[8] = "";
        end = (struct store_end){ .look = look_older, .arg = older };
        assert_int_equal(store_ended(store_relay_open(db, 2, 10, store_on_end, &end), &end), 0);
        assert_string_equal(older, cases[i].want);
    }
}

static int set_up(void **state)
{
    int r = open_db(state);
    if (db) {
        fence = store_lead(db);
    }
    return r;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_anchors_go_through_their_states),
        cmocka_unit_test(test_a_call_is_relayed_once),
        cmocka_unit_test(test_older_hashes_are_kept_until_planned_anew),
    };
    return cmocka_run_group_tests(tests, set_up, close_db);
}
