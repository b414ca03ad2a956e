#include "gateway/store/patients.h"

#include "gateway/store/consents.h"
#include "gateway/store/keys.h"
#include "tests/gateway/store/store_test.h"

struct found {
    int outcome;
    uint8_t patient[16];
};

static void look_found(struct store_end *end, const struct db_rows *rows)
{
    struct found *found = end->arg;
    found->outcome = store_patient_outcome(rows, 0, found->patient);
}

enum { LETTERS_MAX = 8 };

/* A hash for each of @letters: the letter, 32 times. */
static void hash(const char *letters, uint8_t bytes[LETTERS_MAX * STORE_HASH_SIZE])
{
    for (size_t i = 0; i < strlen(letters); i++) {
        memset(bytes + i * STORE_HASH_SIZE, letters[i], STORE_HASH_SIZE);
    }
}

/* Where @hashes, letters, lead; @fresh: the number if it is new, or NULL. */
static struct found resolve(struct db *db, const char *hashes, const uint8_t *fresh)
{
    uint8_t bytes[LETTERS_MAX * STORE_HASH_SIZE];
    hash(hashes, bytes);
    struct found found = { 0 };
    struct store_end end = { .look = look_found, .arg = &found };
    struct store_newcomer one = { .hashes = bytes, .n = strlen(hashes) };
    one.key.root = STR("root1");
    one.key.wrapped = STR("first");
    store_id(one.key.id);
    memcpy(one.key.patient, fresh ? fresh : bytes, 16);
    struct op *op = fresh ? store_patient_learn(db, &one, 1, store_on_end, &end)
                          : store_patient_find(db, bytes, one.n, store_on_end, &end);
    assert_int_equal(store_ended(op, &end), 0);
    return found;
}

static void merge(struct db *db, const uint8_t *source, const uint8_t *target)
{
    struct store_end end = { 0 };
    struct op *op = store_patient_merge(db, source, target, store_on_end, &end);
    assert_int_equal(store_ended(op, &end), 0);
}

static void test_identifiers_lead_to_patients(void **state)
{
    (void)state;
    uint8_t ids[4][16];
    for (size_t i = 0; i < 4; i++) {
        store_id(ids[i]);
    }
    static const struct {
        const char *hashes;
        int fresh; /* -1: only look */
        int outcome, patient;
    } cases[] = {
        { "ab", -1, STORE_PATIENT_UNKNOWN, -1 },
        { "ab", 0, STORE_PATIENT_MADE, 0 },
        { "ba", -1, STORE_PATIENT_FOUND, 0 },
        { "bc", 1, STORE_PATIENT_FOUND, 0 }, /* c is learnt */
        { "c", -1, STORE_PATIENT_FOUND, 0 },
        { "d", 2, STORE_PATIENT_MADE, 2 },
        { "ad", 3, STORE_PATIENT_CONFLICT, -1 },
        { "dxa", 3, STORE_PATIENT_CONFLICT, -1 }, /* nothing is learnt */
        { "x", -1, STORE_PATIENT_UNKNOWN, -1 },
        { "", -1, STORE_PATIENT_UNKNOWN, -1 },
    };
    struct db *db = store_connect();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct found found =
            resolve(db, cases[i].hashes, cases[i].fresh < 0 ? NULL : ids[cases[i].fresh]);
        assert_int_equal(found.outcome, cases[i].outcome);
        if (cases[i].patient >= 0) {
            assert_memory_equal(found.patient, ids[cases[i].patient], 16);
        }
    }
    assert_string_equal(store_sql("SELECT count(*) FROM patient"), "3"); /* and the tenant */
    assert_string_equal(store_sql("SELECT count(*) FROM patient_key"), "2"); /* one each */

    merge(db, ids[2], ids[0]);
    struct found found = resolve(db, "ad", NULL);
    assert_int_equal(found.outcome, STORE_PATIENT_FOUND);
    assert_memory_equal(found.patient, ids[0], 16);
    merge(db, ids[0], ids[2]); /* the other way round: one already */
    merge(db, ids[2], ids[0]);
    assert_string_equal(store_sql("SELECT count(*) FROM patient_link"), "1");

    struct store_end end = { 0 };
    struct op *op = store_patient_group(db, ids[2], store_on_end, &end);
    assert_int_equal(store_ended(op, &end), 0);
    assert_int_equal(end.count, 2);
    db_free(db);
}

static struct found join(struct db *db, const uint8_t *source, const char *hashes)
{
    uint8_t bytes[LETTERS_MAX * STORE_HASH_SIZE];
    hash(hashes, bytes);
    struct found found = { 0 };
    struct store_end end = { .look = look_found, .arg = &found };
    struct op *op = store_patient_join(db, source, bytes, strlen(hashes), store_on_end, &end);
    assert_int_equal(store_ended(op, &end), 0);
    return found;
}

static void test_a_survivor_may_have_both_numbers(void **state)
{
    (void)state;
    struct db *db = store_connect();
    static const char *const letters[] = { "1", "2", "3" };
    uint8_t ids[ARRAY_LEN(letters)][16];
    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        store_id(ids[i]);
        (void)resolve(db, letters[i], ids[i]);
    }
    assert_int_equal(resolve(db, "12", ids[0]).outcome, STORE_PATIENT_CONFLICT);
    assert_int_equal(join(db, ids[1], "123").outcome,
                     STORE_PATIENT_CONFLICT); /* which of two? */
    assert_memory_equal(resolve(db, "2", NULL).patient, ids[1], 16);

    for (int twice = 0; twice < 2; twice++) {
        struct found found = join(db, ids[1], "124"); /* 4 is learnt */
        assert_int_equal(found.outcome, STORE_PATIENT_FOUND);
        assert_memory_equal(found.patient, ids[0], 16);
        assert_memory_equal(resolve(db, "2", NULL).patient, ids[0], 16);
        assert_memory_equal(resolve(db, "4", NULL).patient, ids[0], 16);
    }
    assert_memory_equal(resolve(db, "3", NULL).patient, ids[2], 16);
    db_free(db);
}

static void test_erasure_is_of_all_numbers_of_a_person(void **state)
{
    (void)state;
    struct db *db = store_connect();
    static const char *const letters[] = { "5", "6", "7", "8" };
    uint8_t ids[ARRAY_LEN(letters)][16];
    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        store_id(ids[i]);
        (void)resolve(db, letters[i], ids[i]);
    }
    merge(db, ids[1], ids[0]);
    merge(db, ids[0], ids[2]);
    struct store_end end = { 0 };
    struct op *op = store_patient_shred(db, ids[1], store_on_end, &end);
    assert_int_equal(store_ended(op, &end), 0);
    assert_int_equal(end.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(resolve(db, letters[i], NULL).outcome, STORE_PATIENT_UNKNOWN);
    }
    assert_int_equal(resolve(db, "8", NULL).outcome, STORE_PATIENT_FOUND);
    db_free(db);
}

enum { LEARN = 40, LOT = 8 };

static void look_lot(struct store_end *end, const struct db_rows *rows)
{
    struct found *found = end->arg;
    assert_int_equal(db_count(rows), LOT);
    for (int i = 0; i < LOT; i++) {
        found[i].outcome = store_patient_outcome(rows, i, found[i].patient);
    }
}

static void test_two_that_learn_at_once_agree(void **state)
{
    (void)state;
    struct db *dbs[2] = { store_connect(), store_connect() };
    static struct found found[2][LEARN];
    static struct store_end ends[2][LEARN / LOT];
    static uint8_t hashes[2][LEARN][3][32];
    static struct store_newcomer list[2][LEARN];
    memset(hashes, 0xee, sizeof(hashes));
    for (size_t i = 0; i < LEARN; i++) {
        for (size_t w = 0; w < 2; w++) {
            /* The second brings one identifier more, and in another order. */
            for (size_t h = 0; h < 3; h++) {
                hashes[w][i][w ? 2 - h : h][0] = (uint8_t)h;
                hashes[w][i][w ? 2 - h : h][1] = (uint8_t)i;
            }
            struct store_key key = { .root = STR("root1"), .wrapped = STR("first") };
            store_id(key.id);
            store_id(key.patient);
            list[w][i] = (struct store_newcomer){ hashes[w][i][0], 2 + w, key };
        }
    }
    for (size_t i = 0; i < LEARN; i += LOT) {
        for (size_t w = 0; w < 2; w++) {
            struct store_end *end = &ends[w][i / LOT];
            *end = (struct store_end){ .look = look_lot, .arg = &found[w][i] };
            assert_non_null(store_patient_learn(dbs[w], &list[w][i], LOT, store_on_end, end));
        }
    }
    for (size_t i = 0; i < LEARN; i++) {
        int made = 0;
        for (size_t w = 0; w < 2; w++) {
            assert_true(store_wait_for(&ends[w][i / LOT].done, 20000));
            assert_int_equal(ends[w][i / LOT].r, 0);
            assert_in_range(found[w][i].outcome, 0, 1);
            made += found[w][i].outcome;
        }
        assert_memory_equal(found[0][i].patient, found[1][i].patient, 16);
        assert_int_equal(made, 1);
    }
    assert_string_equal(store_sql("SELECT count(*) FROM patient p WHERE p.created <= now() AND"
                                  " (SELECT count(*) FROM patient_key k WHERE k.patient = p.id)"
                                  " <> 1"),
                        "1"); /* the tenant's has none here */
    db_free(dbs[0]);
    db_free(dbs[1]);
}

static void look_key(struct store_end *end, const struct db_rows *rows)
{
    struct store_key *key = end->arg;
    if (db_count(rows)) {
        store_key_row(rows, 0, key);
        key->root.p = NULL; /* gone with the rows */
        key->wrapped.p = key->wrapped.p ? "" : NULL;
    }
}

static struct store_key insert(struct db *db, const struct store_key *key, bool only_first)
{
    struct store_key got = { 0 };
    struct store_end end = { .look = look_key, .arg = &got };
    assert_int_equal(
        store_ended(store_key_insert(db, key, only_first, store_on_end, &end), &end), 0);
    return got;
}

static uint64_t epoch_now(void)
{
    return strtoul(store_sql("SELECT value FROM epoch"), NULL, 10);
}

static void test_keys(void **state)
{
    (void)state;
    struct db *db = store_connect();
    struct store_key keys[3] = { 0 };
    struct store_key got;
    uint8_t patient[16];
    store_id(patient);
    (void)resolve(db, "k", patient);
    for (size_t i = 0; i < 3; i++) {
        store_id(keys[i].id);
        memcpy(keys[i].patient, patient, 16);
        keys[i].root = STR("root1");
        keys[i].wrapped = STR("wrapped");
    }
    got = insert(db, &keys[1], true); /* one came with the number */
    assert_memory_not_equal(got.id, keys[1].id, 16);
    got = insert(db, &keys[0], false);
    assert_memory_equal(got.id, keys[0].id, 16);
    got = insert(db, &keys[2], false);
    assert_memory_equal(got.id, keys[2].id, 16);

    struct store_end end = { .look = look_key, .arg = &got };
    assert_int_equal(store_ended(store_key_newest(db, patient, 1, store_on_end, &end), &end),
                     0);
    assert_memory_equal(got.id, keys[2].id, 16);
    end = (struct store_end){ .look = look_key, .arg = &got };
    assert_int_equal(store_ended(store_key_by_id(db, keys[0].id, 1, store_on_end, &end), &end),
                     0);
    assert_int_equal(end.count, 1);

    uint64_t before = epoch_now();
    end = (struct store_end){ 0 };
    assert_int_equal(
        store_ended(store_key_unrotated(db, STR("root2"), 10, store_on_end, &end), &end), 0);
    assert_true(end.count > 3); /* those of the tests before are among them */
    keys[0].root = STR("root2");
    end = (struct store_end){ 0 };
    assert_int_equal(
        store_ended(store_key_rewrap(db, &keys[0], STR("root1"), store_on_end, &end), &end), 0);
    assert_int_equal(epoch_now(), before); /* the same key, so no cache is wrong */

    end = (struct store_end){ 0 };
    assert_int_equal(store_ended(store_patient_shred(db, patient, store_on_end, &end), &end),
                     0);
    assert_int_equal(end.count, 3);
    assert_true(epoch_now() > before);
    assert_int_equal(resolve(db, "k", NULL).outcome, STORE_PATIENT_UNKNOWN);
    end = (struct store_end){ .look = look_key, .arg = &got };
    assert_int_equal(store_ended(store_key_by_id(db, keys[0].id, 1, store_on_end, &end), &end),
                     0);
    assert_true(got.destroyed > 0 && !got.wrapped.p);

    static const uint8_t tenant[16];
    end = (struct store_end){ 0 };
    assert_int_equal(store_ended(store_patient_shred(db, tenant, store_on_end, &end), &end),
                     -EACCES);
    db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identifiers_lead_to_patients),
        cmocka_unit_test(test_a_survivor_may_have_both_numbers),
        cmocka_unit_test(test_erasure_is_of_all_numbers_of_a_person),
        cmocka_unit_test(test_two_that_learn_at_once_agree),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, store_group_setup, store_group_teardown);
}
