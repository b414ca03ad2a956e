#include "gateway/sealed_record.h"

#include "tests/gateway/vault_test.h"

#include <errno.h>

static const uint8_t secret[SECRET_SIZE] = { 7, 7, 7 };
static const uint8_t patient[16] = { 1, 2, 3 };
static const struct vault_key key = { .id = { 9 }, .patient = { 1, 2, 3 }, .secret = secret };
static struct vault *vault;

static int open_vault(void **state)
{
    (void)state;
    vault = vault_open();
    return 0;
}

static int close_vault(void **state)
{
    (void)state;
    vault_free(vault);
    return 0;
}

static struct sealed_record *begin(struct arena *arena)
{
    struct sealed_record *it = arena_calloc(arena, 1, sizeof(*it));
    assert_non_null(it);
    memset(it->record.id, 0x11, sizeof(it->record.id));
    it->record.mode = RECORD_ENFORCE;
    it->record.interaction = RECORD_READ;
    it->record.outcome = RECORD_PERMIT;
    it->record.gateway = STR("gw");
    it->record.basis = STR("consent");
    it->key = &key;
    return it;
}

static void test_the_opening_opens_what_was_committed_to(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    struct sealed_record *it = begin(arena);
    sealed_record_commit(it, COMMITMENT_ACTOR, STR("dr-grey"));
    sealed_record_commit(it, COMMITMENT_REQUEST, (struct str){ 0 });
    sealed_record_subject(it, patient);
    assert_int_equal(sealed_record_close(it, vault, arena), 0);

    struct batch_opening row;
    sealed_record_opening(it, &row);
    assert_memory_equal(row.record, it->record.id, 16);
    assert_memory_equal(row.key, key.id, 16);
    uint8_t *plain = arena_alloc(arena, row.ciphertext.n);
    struct seal_about about = vault_about(vault, &key, SEAL_OPENING, row.record);
    assert_int_equal(seal_open(secret, &about, row.nonce, row.ciphertext, plain), 0);

    struct opening opening;
    struct buf memory = arena_buf(arena, 4096);
    struct str text = str_of(plain, row.ciphertext.n - SEAL_TAG_SIZE);
    assert_int_equal(opening_read(text, &memory, &opening, NULL), 0);
    assert_str(opening.value[COMMITMENT_ACTOR], "dr-grey");
    assert_str(opening.value[COMMITMENT_SUBJECT], "01020300000000000000000000000000");
    assert_false(opening.has[COMMITMENT_REQUEST]);
    assert_int_equal(opening_check(&opening, &it->record, NULL), 0);
}

static void test_the_row_is_the_records_bytes_at_its_place(void **state)
{
    static const uint8_t instance[16] = { 5 };
    static const struct batch_place place = { .instance = instance, .seq = 42 };
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    struct sealed_record *it = begin(arena);
    struct batch_record row;
    struct record read;
    struct merkle_hash leaf;
    assert_int_equal(sealed_record_fill(it, &place, &row), 0);
    assert_int_equal(record_read(row.bytes, &read, NULL), 0);
    assert_int_equal(read.seq, 42);
    assert_memory_equal(read.instance, instance, 16);
    assert_int_equal(row.time, read.time);
    record_leaf(row.bytes, &leaf);
    assert_memory_equal(row.leaf, leaf.b, sizeof(leaf.b));
    assert_memory_equal(row.exchange, row.id, 16); /* none: its own id */

    it->record.has_exchange = true;
    memset(it->record.exchange, 0x22, sizeof(it->record.exchange));
    assert_int_equal(sealed_record_fill(it, &place, &row), 0);
    assert_memory_equal(row.exchange, it->record.exchange, 16);
}

static void test_a_record_that_cant_be_written_uses_no_number(void **state)
{
    static const uint8_t instance[16] = { 5 };
    static const struct batch_place place = { .instance = instance, .seq = 1 };
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    struct sealed_record *it = begin(arena);
    struct batch_record row;
    char *long_name = arena_calloc(arena, RECORD_SIZE_MAX, 1);
    memset(long_name, 'g', RECORD_SIZE_MAX);
    it->record.gateway = str_of(long_name, RECORD_SIZE_MAX);
    assert_int_equal(sealed_record_fill(it, &place, &row), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_opening_opens_what_was_committed_to),
        cmocka_unit_test(test_the_row_is_the_records_bytes_at_its_place),
        cmocka_unit_test(test_a_record_that_cant_be_written_uses_no_number),
    };
    return cmocka_run_group_tests(tests, open_vault, close_vault);
}
