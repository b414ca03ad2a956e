#include "gateway/store/batch.h"

#include "gateway/clock.h"
#include "gateway/store/outbox.h"
#include "tests/gateway/store/store_test.h"

#include <unistd.h>

/* An entry with all it needs; one record, one payload unless told otherwise. */
struct item {
    struct batch_entry entry;
    struct batch_payload payload;
    struct batch_control control;
    struct batch_outbox outbox;
    struct batch_mark mark;
    uint8_t id[16];
    int fill_error;
    bool bad;  /* its record is refused by PostgreSQL */
    bool done; /* once, and never again */
    int r;
    struct batch_result result;
    char ack[8];
    uint64_t seq;
    struct op *op;
};

static uint8_t instance[16];

static int fill(void *owner, size_t index, const struct batch_place *place,
                struct batch_record *out)
{
    struct item *item = owner;
    *out = (struct batch_record){ .time = store_now_ms(), .bytes = STR("{}") };
    memcpy(out->id, item->id, 16);
    memcpy(out->exchange, item->id, 16);
    out->id[9] = (uint8_t)index;
    if (item->bad) {
        memset(out->id, 0, 6); /* 1970: no partition */
    }
    memset(out->leaf, (int)place->seq, sizeof(out->leaf));
    item->seq = place->seq;
    return item->fill_error;
}

static void on_done(void *arg, int r, const struct batch_result *result)
{
    struct item *item = arg;
    assert_false(item->done);
    item->done = true;
    item->r = r;
    item->result = *result;
    if (result->ack.p) {
        memcpy(item->ack, result->ack.p, result->ack.n);
    }
}

static void item_init(struct item *item)
{
    *item = (struct item){ 0 };
    store_id(item->id);
    memcpy(item->payload.id, item->id, 16);
    memcpy(item->payload.exchange, item->id, 16);
    item->payload.ciphertext = STR("ciphertext");
    item->entry = (struct batch_entry){
        .epoch = BATCH_EPOCH_ANY,
        .owner = item,
        .fill = fill,
        .records = 1,
        .payloads = &item->payload,
        .payload_count = 1,
    };
}

static void item_message(struct item *item, uint8_t key, uint8_t digest)
{
    memset(item->control.key, key, 32);
    memset(item->control.digest, digest, 32);
    item->control.ack = STR("AA");
    item->control.time = store_now_ms();
    item->entry.control = &item->control;
}

static struct batch *batch_ready(void)
{
    for (int i = 0; i < 16; i++) {
        instance[i] = (uint8_t)rand();
    }
    struct batch *batch = batch_new(base, store_url(), "batch", instance);
    assert_non_null(batch);
    store_until(batch_up(batch));
    return batch;
}

static void submit(struct batch *batch, struct item *item)
{
    item->op = batch_submit(batch, &item->entry, on_done, item);
    assert_non_null(item->op);
    assert_false(item->done);
}

static void wait_all(struct item *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_true(store_wait_for(&items[i].done, 20000));
    }
}

static int64_t records_of(void)
{
    char sql[256] = "SELECT count(*) FROM record WHERE instance = '";
    for (int i = 0; i < 16; i++) {
        (void)snprintf(sql + strlen(sql), 3, "%02x", instance[i]);
    }
    return strtol(store_sql(strcat(sql, "'")), NULL, 10);
}

/* The instance's records are numbered from 1 without gaps. */
static void assert_gap_free(int64_t want)
{
    char sql[400];
    char hex[33] = "";
    for (int i = 0; i < 16; i++) {
        (void)snprintf(hex + strlen(hex), 3, "%02x", instance[i]);
    }
    (void)snprintf(sql, sizeof(sql),
                   "SELECT count(*) = %d AND coalesce(max(seq), 0) = %d AND (SELECT seq FROM"
                   " instance WHERE id = '%s') = %d FROM record WHERE instance = '%s'",
                   (int)want, (int)want, hex, (int)want, hex);
    assert_string_equal(store_sql(sql), "t");
}

static void test_many_in_few_transactions(void **state)
{
    (void)state;
    enum { N = 3000 };
    struct batch *batch = batch_ready();
    struct item *items = calloc(N, sizeof(*items));
    for (size_t i = 0; i < N; i++) {
        item_init(&items[i]);
        items[i].entry.records = 1 + i % 3;
        submit(batch, &items[i]);
    }
    assert_int_equal(batch_entries(batch), N);
    wait_all(items, N);
    uint64_t next = 1;
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(items[i].r, 0);
        assert_int_equal(items[i].result.first_seq, next);
        next += items[i].entry.records;
    }
    assert_gap_free((int64_t)next - 1);
    assert_int_equal(batch_entries(batch), 0);
    assert_int_equal(batch_bytes(batch), 0);
    free(items);
    batch_free(batch);
}

/* Entries that can wait go with the next urgent one, or after a while; cancelled like others.
 */
static void test_what_can_wait_starts_no_transaction(void **state)
{
    (void)state;
    static struct item items[6];
    struct batch *batch = batch_ready();
    for (size_t i = 0; i < 6; i++) {
        item_init(&items[i]);
        items[i].entry.can_wait = i < 4;
    }
    submit(batch, &items[0]);
    submit(batch, &items[1]);
    op_cancel(items[1].op);
    submit(batch, &items[4]);
    assert_true(store_wait_for(&items[4].done, 20000));
    assert_true(items[0].done);
    assert_int_equal(items[0].result.first_seq, 1); /* in the order they came */
    assert_int_equal(items[4].result.first_seq, 2);

    int64_t since = clock_mono_ms();
    submit(batch, &items[2]);
    submit(batch, &items[3]);
    wait_all(&items[2], 2);
    assert_true(clock_mono_ms() - since >= BATCH_WAIT_MS);
    submit(batch, &items[5]);
    wait_all(&items[5], 1);
    assert_gap_free(5);
    batch_free(batch);
}

static void test_a_bad_row_fails_alone(void **state)
{
    (void)state;
    enum { N = 50 };
    static struct item items[N];
    struct batch *batch = batch_ready();
    for (size_t i = 0; i < N; i++) {
        item_init(&items[i]);
        items[i].bad = i == 7 || i == 30;
        items[i].fill_error = i == 20 ? -EFAULT : 0;
        submit(batch, &items[i]);
    }
    wait_all(items, N);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(items[i].r, items[i].bad ? -EINVAL : items[i].fill_error);
    }
    assert_gap_free(N - 3);
    batch_free(batch);
}

static void test_messages_are_taken_once(void **state)
{
    (void)state;
    enum { N = 6 };
    static struct item items[N];
    static const struct {
        uint8_t key, digest;
        enum batch_control_state want;
    } cases[N] = {
        { 1, 1, BATCH_CONTROL_NEW },      { 2, 1, BATCH_CONTROL_NEW },
        { 1, 1, BATCH_CONTROL_REPEATED }, { 1, 2, BATCH_CONTROL_REUSED },
        { 3, 3, BATCH_CONTROL_NEW },      { 1, 2, BATCH_CONTROL_REPEATED },
    };
    struct batch *batch = batch_ready();
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < N; i++) {
            item_init(&items[i]);
            item_message(&items[i], cases[i].key, cases[i].digest);
            submit(batch, &items[i]);
        }
        wait_all(items, N);
        for (size_t i = 0; i < N; i++) {
            assert_int_equal(items[i].r, 0);
            assert_int_equal(items[i].result.control,
                             round ? BATCH_CONTROL_REPEATED : cases[i].want);
            assert_string_equal(items[i].ack,
                                items[i].result.control == BATCH_CONTROL_REPEATED ? "AA" : "");
        }
        assert_gap_free(4);
    }
    batch_free(batch);
}

static void test_an_epoch_ahead_fails_those_it_bears_on(void **state)
{
    (void)state;
    uint64_t epoch = strtoul(store_sql("SELECT value FROM epoch"), NULL, 10);
    static struct item items[4];
    struct batch *batch = batch_ready();
    for (size_t i = 0; i < 4; i++) {
        item_init(&items[i]);
    }
    (void)store_sql("SELECT raise_epoch(5::smallint, '{}')");
    items[0].entry.epoch = epoch;
    items[1].entry.epoch = epoch + 1;
    items[3].entry.epoch = epoch - 1;
    for (size_t i = 0; i < 4; i++) {
        submit(batch, &items[i]);
    }
    wait_all(items, 4);
    static const int want[] = { -ESTALE, 0, 0, -ESTALE };
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(items[i].r, want[i]);
    }
    assert_gap_free(2);
    batch_free(batch);
}

static void test_cancelled_ones_are_not_completed(void **state)
{
    (void)state;
    static struct item items[6];
    struct batch *batch = batch_ready();
    for (size_t i = 0; i < 6; i++) {
        item_init(&items[i]);
        submit(batch, &items[i]);
    }
    op_cancel(items[0].op);
    op_cancel(items[3].op);
    assert_true(store_wait_for(&items[5].done, 20000));
    assert_false(items[0].done || items[3].done);
    assert_gap_free(4);
    batch_free(batch);
}

static const char kill_batch[] = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                                 " WHERE application_name = 'batch'";

/* The connection goes while a transaction waits for a lock: it was not committed. */
static void test_killed_before_the_commit(void **state)
{
    (void)state;
    static struct item items[20];
    struct batch *batch = batch_ready();
    PGconn *other = PQconnectdb(store_url());
    PQclear(PQexec(other, "BEGIN"));
    PQclear(PQexec(other, "LOCK TABLE record IN EXCLUSIVE MODE"));
    for (size_t i = 0; i < 20; i++) {
        item_init(&items[i]);
        submit(batch, &items[i]);
    }
    bool never = false;
    (void)store_wait_for(&never, 200);
    (void)store_sql(kill_batch);
    (void)store_wait_for(&never, 200);
    PQclear(PQexec(other, "COMMIT"));
    PQfinish(other);
    wait_all(items, 20);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(items[i].r, 0);
        assert_int_equal(items[i].result.first_seq, i + 1);
    }
    assert_gap_free(20);
    batch_free(batch);
}

/* Backends die at any moment of many transactions: each entry lands exactly once. */
static void test_killed_again_and_again(void **state)
{
    (void)state;
    enum { ROUNDS = 25, EACH = 120 };
    struct item *items = calloc(ROUNDS * EACH, sizeof(*items));
    struct batch *batch = batch_ready();
    bool never = false;
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < EACH; i++) {
            struct item *item = &items[round * EACH + i];
            item_init(item);
            submit(batch, item);
        }
        (void)store_wait_for(&never, 1 + rand() % 20);
        (void)store_sql(kill_batch);
    }
    wait_all(items, (size_t)ROUNDS * EACH);
    for (size_t i = 0; i < (size_t)ROUNDS * EACH; i++) {
        assert_int_equal(items[i].r, 0);
        assert_int_equal(items[i].result.first_seq, i + 1);
    }
    assert_gap_free((int64_t)ROUNDS * EACH);
    free(items);
    batch_free(batch);
}

/* The commit happened, its answer was lost: joining again finds out. */
static void test_committed_but_unanswered(void **state)
{
    (void)state;
    static struct item items[3];
    struct batch *batch = batch_ready();
    for (size_t i = 0; i < 3; i++) {
        item_init(&items[i]);
        submit(batch, &items[i]);
    }
    /* One turn of the loop sends; the answer waits in the socket while the backend is killed.
     */
    event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    for (int i = 0; i < 3000 && records_of() < 3; i++) {
        (void)usleep(10000);
    }
    assert_int_equal(records_of(), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_false(items[i].done);
    }
    (void)store_sql(kill_batch);
    wait_all(items, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(items[i].r, 0);
    }
    assert_gap_free(3);
    batch_free(batch);
}

static void test_without_a_database_entries_are_refused_in_time(void **state)
{
    (void)state;
    static struct item items[2];
    item_init(&items[0]);
    struct batch *batch = batch_new(base, "postgresql://x@127.0.0.1:1/x", "none", instance);
    assert_non_null(batch);
    submit(batch, &items[0]);
    assert_true(store_wait_for(&items[0].done, BATCH_DOWN_MAX_S * 1000 + 20000));
    assert_int_equal(items[0].r, -ECONNRESET);
    item_init(&items[1]);
    assert_null(batch_submit(batch, &items[1].entry, on_done, &items[1]));
    assert_int_equal(errno, ENOTCONN);
    batch_free(batch);
}

static void test_the_queue_is_bounded(void **state)
{
    (void)state;
    static struct item item;
    static const char large[1 << 20];
    item_init(&item);
    item.payload.ciphertext = str_of(large, sizeof(large));
    struct batch *batch = batch_new(base, "postgresql://x@127.0.0.1:1/x", "none", instance);
    int taken = 0;
    while (batch_submit(batch, &item.entry, on_done, &item)) {
        taken++;
    }
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(taken, 63);
    batch_free(batch);
}

static void look_lease(struct store_end *end, const struct db_rows *rows)
{
    struct store_lease lease;
    int64_t *epochs = end->arg;
    memset(epochs, 0, STORE_SHARDS * sizeof(*epochs));
    for (int i = 0; i < db_count(rows); i++) {
        store_lease_row(rows, i, &lease);
        epochs[lease.shard] = lease.epoch;
    }
}

static void look_row(struct store_end *end, const struct db_rows *rows)
{
    if (db_count(rows)) {
        store_outbox_row(rows, 0, end->arg);
    }
}

static void item_outbox(struct item *item, uint8_t patient)
{
    memset(item->outbox.patient, patient, 16);
    memcpy(item->outbox.exchange, item->id, 16);
    memcpy(item->outbox.payload, item->id, 16);
    item->outbox.destination = STR("ward");
    item->outbox.blocks = true;
    item->outbox.created = item->outbox.next_at = store_now_ms();
    item->entry.outboxes = &item->outbox;
    item->entry.outbox_count = 1;
}

static void test_marks_hold_only_under_the_lease(void **state)
{
    (void)state;
    static struct item items[4];
    static int64_t epochs[STORE_SHARDS];
    struct batch *batch = batch_ready();
    struct db *db = store_connect();
    struct store_end end = { .look = look_lease, .arg = epochs };
    assert_int_equal(
        store_ended(store_outbox_lease(db, instance, 60000, store_on_end, &end), &end), 0);
    assert_int_equal(end.count, STORE_SHARDS);

    item_init(&items[0]);
    item_outbox(&items[0], 7);
    submit(batch, &items[0]);
    wait_all(items, 1);
    struct store_outbox row = { 0 };
    end = (struct store_end){ .look = look_row, .arg = &row };
    struct store_outbox_line line = { .destination = STR("ward") };
    memcpy(line.patient, items[0].outbox.patient, sizeof(line.patient));
    struct store_outbox_busy busy = { 0 };
    struct op *op = store_outbox_next(db, &line, 1, &busy, store_on_end, &end);
    assert_int_equal(store_ended(op, &end), 0);
    assert_int_equal(end.count, 1);

    /* A wrong lease fails its entry, the right one beside it goes through; once only. */
    for (size_t i = 1; i < 4; i++) {
        item_init(&items[i]);
        items[i].mark = (struct batch_mark){
            .number = row.number,
            .lease = epochs[row.shard] + (i == 1),
            .state = STORE_OUTBOX_DELIVERED,
            .attempts = 1,
            .next_at = store_now_ms(),
        };
        items[i].entry.marks = &items[i].mark;
        items[i].entry.mark_count = 1;
        submit(batch, &items[i]);
    }
    wait_all(items, 4);
    assert_int_equal(items[1].r, -ENOLCK);
    assert_int_equal(items[2].r, 0);
    assert_int_equal(items[3].r, -ENOLCK);
    assert_gap_free(2);
    db_free(db);
    batch_free(batch);
}

static void test_two_workers_take_the_same_message(void **state)
{
    (void)state;
    enum { N = 200 };
    static struct item items[2][N];
    struct batch *batches[2] = { batch_ready(), batch_ready() };
    for (size_t i = 0; i < N; i++) {
        for (size_t w = 0; w < 2; w++) {
            item_init(&items[w][i]);
            /* Each in its own order: unsorted, they would deadlock. */
            item_message(&items[w][i], (uint8_t)(w ? i : N - 1 - i), 77);
            submit(batches[w], &items[w][i]);
        }
    }
    size_t fresh = 0;
    for (size_t w = 0; w < 2; w++) {
        wait_all(items[w], N);
        for (size_t i = 0; i < N; i++) {
            assert_int_equal(items[w][i].r, 0);
            fresh += items[w][i].result.control != BATCH_CONTROL_REPEATED;
        }
    }
    assert_int_equal(fresh, N);
    batch_free(batches[0]);
    batch_free(batches[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_in_few_transactions),
        cmocka_unit_test(test_what_can_wait_starts_no_transaction),
        cmocka_unit_test(test_a_bad_row_fails_alone),
        cmocka_unit_test(test_messages_are_taken_once),
        cmocka_unit_test(test_an_epoch_ahead_fails_those_it_bears_on),
        cmocka_unit_test(test_cancelled_ones_are_not_completed),
        cmocka_unit_test(test_killed_before_the_commit),
        cmocka_unit_test(test_killed_again_and_again),
        cmocka_unit_test(test_committed_but_unanswered),
        cmocka_unit_test(test_without_a_database_entries_are_refused_in_time),
        cmocka_unit_test(test_the_queue_is_bounded),
        cmocka_unit_test(test_marks_hold_only_under_the_lease),
        cmocka_unit_test(test_two_workers_take_the_same_message),
    };
    return cmocka_run_group_tests(tests, store_group_setup, store_group_teardown);
}
