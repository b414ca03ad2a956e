#include "gateway/store/notary.h"

#include "anchor/merkle.h"
#include "gateway/store/audit.h"
#include "gateway/store/sendings.h"
#include "gateway/store/upkeep.h"
#include "tests/gateway/store/with_db.h"

static uint64_t fence;

static void look_head(struct store_end *end, const struct db_rows *rows)
{
    assert_int_equal(store_head_row(rows, end->arg), 0);
}

static struct merkle_head head(void)
{
    struct store_head got;
    struct store_end end = { .look = look_head, .arg = &got };
    assert_int_equal(store_ended(store_head(db, 0, store_on_end, &end), &end), 0);
    return got.head;
}

/* An instance with @n committed records, ids of now. */
static void instance_with(const char *instance, int n)
{
    char sql[700];
    (void)snprintf(sql, sizeof(sql), "SELECT instance_connect('%s')", instance);
    (void)store_sql(sql);
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO record (id, exchange, instance, seq, log, time, leaf, bytes)"
                   " SELECT (left(uuid_floor(now())::text, 14) || '7' ||"
                   " substr(gen_random_uuid()::text, 16))::uuid, gen_random_uuid(), '%s', s, 0,"
                   " now(), sha256(int8send(s)), '{}' FROM instance i,"
                   " generate_series(i.seq + 1, i.seq + %d) s WHERE i.id = '%s'",
                   instance, n, instance);
    (void)store_sql(sql);
    (void)snprintf(sql, sizeof(sql), "UPDATE instance SET seq = seq + %d WHERE id = '%s'", n,
                   instance);
    (void)store_sql(sql);
}

struct unread {
    int n;
    struct store_unread of[4];
};

static void look_unread(struct store_end *end, const struct db_rows *rows)
{
    struct unread *unread = end->arg;
    unread->n = db_count(rows);
    for (int i = 0; i < unread->n && i < 4; i++) {
        store_unread_row(rows, i, &unread->of[i]);
    }
}

static struct unread unread(void)
{
    struct unread got;
    struct store_end end = { .look = look_unread, .arg = &got };
    assert_int_equal(store_ended(store_log_unread(db, store_on_end, &end), &end), 0);
    return got;
}

static void look_leaves(struct store_end *end, const struct db_rows *rows)
{
    uint64_t *last = end->arg;
    for (int i = 0; i < db_count(rows); i++) {
        uint64_t seq;
        struct merkle_hash leaf;
        assert_int_equal(store_leaf_row(rows, i, &seq, &leaf), 0);
        assert_int_equal(seq, *last + 1);
        *last = seq;
    }
}

/* Append @count records of @instance after @read to the head @from. */
static int append(struct db *by, uint64_t epoch, const struct merkle_head *from,
                  const struct store_run *run)
{
    static const struct merkle_hash hashes[256];
    struct store_tile tile = { .hashes = hashes, .width = (unsigned)(from->size + run->count) };
    struct store_append a = { .fence = epoch,
                              .from = *from,
                              .to = *from,
                              .runs = run,
                              .run_count = 1,
                              .tiles = &tile,
                              .tile_count = 1 };
    a.to.size += run->count;
    a.to.root.b[0] = (uint8_t)a.to.size;
    struct store_end end = { 0 };
    return store_ended(store_log_append(by, &a, store_on_end, &end), &end);
}

static void test_one_leads_at_a_time(void **state)
{
    (void)state;
    struct db *other = store_connect();
    fence = store_lead(db);
    assert_true(fence > 0);
    assert_int_equal(store_lead(other), 0);
    struct store_end end = { 0 };
    assert_int_equal(store_ended(store_notary_resign(db, store_on_end, &end), &end), 0);
    assert_int_equal(store_lead(other), fence + 1);
    db_free(other);
    uint64_t next = 0;
    store_until((next = store_lead(db)) != 0);
    assert_int_equal(next, fence + 2);
    fence = next;
}

static const char first[] = "00000000-0000-4000-8000-000000000001";
static const char second[] = "00000000-0000-4000-8000-000000000002";

static void test_leaves_are_read_without_gaps(void **state)
{
    (void)state;
    assert_int_equal(unread().n, 0);
    instance_with(first, 30);
    instance_with(second, 5);
    struct unread got = unread();
    assert_int_equal(got.n, 2);
    assert_int_equal(got.of[0].read, 0);
    assert_int_equal(got.of[0].committed, 30);
    uint64_t last = 0;
    for (int i = 0; i < 4; i++) {
        got.of[0].read = last;
        struct store_end end = { .look = look_leaves, .arg = &last };
        struct op *op = store_log_leaves(db, &got.of[0], 8, store_on_end, &end);
        assert_int_equal(store_ended(op, &end), 0);
    }
    assert_int_equal(last, 30);
}

static void test_the_head_moves_by_compare_and_set(void **state)
{
    (void)state;
    struct merkle_head empty = head();
    struct merkle_hash root;
    merkle_empty(&root);
    assert_true(empty.size == 0 && merkle_same(&empty.root, &root));
    struct unread got = unread();
    struct store_run run = { .first_seq = 1, .count = 10 };
    memcpy(run.instance, got.of[0].instance, 16);
    struct store_run gap = run;
    gap.first_seq = 12;

    assert_int_equal(append(db, fence - 1, &empty, &run), -EPERM); /* an old leader */
    assert_int_equal(append(db, fence, &empty, &run), 0);
    assert_int_equal(append(db, fence, &empty, &run), -EPERM); /* not the head any more */
    struct merkle_head at = head();
    assert_int_equal(at.size, 10);
    assert_int_equal(append(db, fence, &at, &gap), -EPERM);
    assert_int_equal(append(db, fence, &at, &run), -EPERM); /* a number twice */
    assert_int_equal(head().size, 10);
    run.first_seq = 11;
    run.count = 20;
    assert_int_equal(append(db, fence, &at, &run), 0);
    assert_int_equal(unread().n, 1);
    assert_string_equal(store_sql("SELECT count(*) FROM leaf_range"), "1"); /* one run */
}

static void test_two_notaries_at_once(void **state)
{
    (void)state;
    struct db *other = store_connect();
    struct unread got = unread();
    struct store_run run = { .first_seq = 1, .count = 5 };
    memcpy(run.instance, got.of[0].instance, 16);
    struct merkle_head at = head();

    /* The lock is lost with the session, the old leader hasn't noticed: its epoch stops it. */
    struct store_end end = { 0 };
    assert_int_equal(store_ended(store_notary_resign(db, store_on_end, &end), &end), 0);
    uint64_t newer = store_lead(other);
    assert_true(newer > fence);
    assert_int_equal(append(db, fence, &at, &run), -EPERM);
    assert_int_equal(append(other, newer, &at, &run), 0);
    assert_int_equal(head().size, 35);
    db_free(other);
    store_until((fence = store_lead(db)) != 0);
    assert_true(fence > newer);
}

static void test_a_tile_only_grows(void **state)
{
    (void)state;
    (void)store_sql("SELECT tile_put(0::smallint, '{5}', '{0}', ARRAY[sha256('a')])");
    (void)store_sql("SELECT tile_put(0::smallint, '{5}', '{0}',"
                    " ARRAY[sha256('a') || sha256('b')])");
    assert_string_equal(store_sql("SELECT width FROM tile WHERE level = 5"), "2");
    static const struct db_statement change = {
        "t_change",
        "SELECT tile_put(0::smallint, '{5}', '{0}', ARRAY[sha256('x') || sha256('b')])",
    };
    static const struct db_statement shrink = {
        "t_shrink",
        "SELECT tile_put(0::smallint, '{5}', '{0}', ARRAY[sha256('a')])",
    };
    struct store_end ends[2] = { 0 };
    assert_int_equal(store_ended(db_query(db, &change, NULL, store_on_end, &ends[0]), &ends[0]),
                     -EPERM);
    assert_int_equal(store_ended(db_query(db, &shrink, NULL, store_on_end, &ends[1]), &ends[1]),
                     -EPERM);

    int16_t levels[] = { 5, 6 };
    uint64_t indexes[] = { 0, 0 };
    struct store_tiles what = { .levels = levels, .indexes = indexes, .n = 2 };
    struct store_end end = { 0 };
    assert_int_equal(store_ended(store_tiles(db, &what, store_on_end, &end), &end), 0);
    assert_int_equal(end.count, 1);
}

static void look_checkpoint(struct store_end *end, const struct db_rows *rows)
{
    struct store_checkpoint *out = end->arg;
    out->head.size = 0;
    if (db_count(rows)) {
        assert_int_equal(store_checkpoint_row(rows, 0, out), 0);
        assert_str(out->note, "note");
    }
}

static void test_checkpoints_are_of_heads_that_were(void **state)
{
    (void)state;
    struct store_checkpoint c = { .head = head(), .note = STR("note"), .signed_at = 1000 };
    static const struct {
        uint64_t ahead;
        int want;
    } cases[] = { { 1, -EPERM }, { 0, 0 }, { 0, -EEXIST } };
    uint64_t size = c.head.size;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        c.head.size = size + cases[i].ahead;
        struct store_end end = { 0 };
        struct op *op = store_checkpoint_put(db, fence, 0, &c, store_on_end, &end);
        assert_int_equal(store_ended(op, &end), cases[i].want);
    }
    struct store_checkpoint got;
    struct store_end end = { .look = look_checkpoint, .arg = &got };
    assert_int_equal(
        store_ended(store_checkpoint_newest(db, 0, UINT64_MAX, store_on_end, &end), &end), 0);
    assert_int_equal(got.head.size, size);
    end = (struct store_end){ .look = look_checkpoint, .arg = &got };
    assert_int_equal(
        store_ended(store_checkpoint_covering(db, 0, size + 1, store_on_end, &end), &end), 0);
    assert_int_equal(got.head.size, 0);
}

static void look_records(struct store_end *end, const struct db_rows *rows)
{
    struct store_record *last = end->arg;
    for (int i = 0; i < db_count(rows); i++) {
        assert_int_equal(store_record_row(rows, i, last), 0);
        assert_in_range(last->index, 0, 34);
    }
}

static void test_lists_know_the_place_in_the_log(void **state)
{
    (void)state;
    struct store_record last = { 0 };
    struct store_filter filter = { .limit = 20 };
    struct store_end end = { .look = look_records, .arg = &last };
    assert_int_equal(store_ended(store_audit_list(db, &filter, store_on_end, &end), &end), 0);
    assert_int_equal(end.count, 20);
    filter.before = last.id;
    end = (struct store_end){ .look = look_records, .arg = &last };
    assert_int_equal(store_ended(store_audit_list(db, &filter, store_on_end, &end), &end), 0);
    assert_int_equal(end.count, 15);
    filter = (struct store_filter){ .limit = 20, .to = store_now_ms() - 3600000 };
    end = (struct store_end){ 0 };
    assert_int_equal(store_ended(store_audit_list(db, &filter, store_on_end, &end), &end), 0);
    assert_int_equal(end.count, 0);
    end = (struct store_end){ .look = look_records, .arg = &last };
    assert_int_equal(store_ended(store_audit_record(db, last.id, store_on_end, &end), &end), 0);
    assert_int_equal(end.count, 1);

    /* Only what a patient's access rows name. */
    (void)store_sql("INSERT INTO access SELECT id, exchange, time,"
                    " '00000000-0000-0000-0000-000000000000', 1, '', true FROM record LIMIT 3");
    static const uint8_t patient[16];
    filter = (struct store_filter){ .limit = 20, .patient = patient };
    end = (struct store_end){ .look = look_records, .arg = &last };
    assert_int_equal(store_ended(store_audit_list(db, &filter, store_on_end, &end), &end), 0);
    assert_int_equal(end.count, 3);
    end = (struct store_end){ 0 };
    assert_int_equal(store_ended(store_audit_access(db, &filter, store_on_end, &end), &end), 0);
    assert_int_equal(end.count, 3);
}

static void look_number(struct store_end *end, const struct db_rows *rows)
{
    *(int64_t *)end->arg = store_recipient_number(rows);
}

static void look_sealed(struct store_end *end, const struct db_rows *rows)
{
    struct store_sealed *out = end->arg;
    if (db_count(rows)) {
        *(int64_t *)out->id = store_recipient_row(rows, 0, out);
    }
}

static void test_recipients_have_numbers(void **state)
{
    (void)state;
    uint8_t hash[32] = { 1 };
    struct store_sealed sealed = { .nonce = STR("n"), .ciphertext = STR("c") };
    int64_t numbers[3] = { 0 };
    for (size_t i = 0; i < 3; i++) {
        hash[0] = i == 2;
        struct store_end end = { .look = look_number, .arg = &numbers[i] };
        struct op *op = store_recipient(db, hash, &sealed, store_on_end, &end);
        assert_int_equal(store_ended(op, &end), 0);
    }
    assert_true(numbers[0] == numbers[1] && numbers[0] != numbers[2]);
    struct store_end end = { .look = look_sealed, .arg = &sealed };
    assert_int_equal(store_ended(store_recipients(db, numbers, 3, store_on_end, &end), &end),
                     0);
    assert_int_equal(end.count, 2);
    static const uint8_t none[16];
    end = (struct store_end){ 0 };
    assert_int_equal(store_ended(store_payload(db, none, store_on_end, &end), &end), 0);
    end = (struct store_end){ 0 };
    assert_int_equal(store_ended(store_payloads_of(db, none, store_on_end, &end), &end), 0);
    end = (struct store_end){ 0 };
    assert_int_equal(store_ended(store_audit_opening(db, none, store_on_end, &end), &end), 0);
    end = (struct store_end){ 0 };
    assert_int_equal(store_ended(store_audit_exchange(db, none, store_on_end, &end), &end), 0);
}

static void test_upkeep_forgets_in_time(void **state)
{
    (void)state;
    (void)store_sql("INSERT INTO control_id SELECT sha256(int4send(d)), sha256(''), 'AA',"
                    " now() - make_interval(days => d) FROM generate_series(0, 9) d");
    struct store_end end = { 0 };
    assert_int_equal(store_ended(store_upkeep(db, store_now_ms(), store_on_end, &end), &end),
                     0);
    assert_string_equal(store_sql("SELECT count(*) FROM control_id"), "7");
    end = (struct store_end){ 0 };
    int64_t later = store_now_ms() + INT64_C(40) * 86400 * 1000;
    assert_int_equal(store_ended(store_upkeep(db, later, store_on_end, &end), &end), 0);
    assert_string_equal(store_sql("SELECT make_partitions(now() + interval '40 days', 3)"),
                        "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_leads_at_a_time),
        cmocka_unit_test(test_leaves_are_read_without_gaps),
        cmocka_unit_test(test_the_head_moves_by_compare_and_set),
        cmocka_unit_test(test_two_notaries_at_once),
        cmocka_unit_test(test_a_tile_only_grows),
        cmocka_unit_test(test_checkpoints_are_of_heads_that_were),
        cmocka_unit_test(test_lists_know_the_place_in_the_log),
        cmocka_unit_test(test_recipients_have_numbers),
        cmocka_unit_test(test_upkeep_forgets_in_time),
    };
    return cmocka_run_group_tests(tests, open_db, close_db);
}
