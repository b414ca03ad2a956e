/* Records and openings: vectors, and that no other spelling passes. */
#include "anchor/opening.h"
#include "anchor/record.h"
#include "tests/check.h"

#include <errno.h>

static const uint8_t salts[COMMITMENT_COUNT][COMMITMENT_SALT_SIZE] = {
    { 1 }, { 2 }, { 3 }, { 4 }, { 5 }, { 6 },
};

static struct opening full_opening(void)
{
    static const uint8_t digest[DIGEST_SIZE] = { 0xaa, 0xbb };
    struct opening opening = { 0 };
    for (enum commitment_kind kind = 0; kind < COMMITMENT_COUNT; kind++) {
        opening.has[kind] = true;
        memcpy(opening.salt[kind], salts[kind], COMMITMENT_SALT_SIZE);
    }
    opening.value[COMMITMENT_ACTOR] = STR("{\"client\":\"app\",\"user\":\"Practitioner/7\"}");
    opening.value[COMMITMENT_AUDIT] = str_of(digest, sizeof(digest));
    opening.value[COMMITMENT_DECISION] =
        STR("{\"engine\":1,\"grounds\":[{\"basis\":\"consent-permit\",\"consent\":\"0x07"
            "00000000000000000000000000000000000000000000000000000000000000\",\"policy\":\""
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b\",\"reading\":"
            "\"pcf\",\"rule\":\"rules[0]\",\"safe\":true,\"version\":2}]}");
    opening.value[COMMITMENT_PAYLOAD] = str_of(digest, sizeof(digest));
    opening.value[COMMITMENT_REQUEST] = STR("GET /Observation?code=\"x\"\n");
    opening.value[COMMITMENT_SUBJECT] = STR("00112233445566778899aabbccddeeff");
    return opening;
}

static struct record full_record(void)
{
    struct record record = {
        .id = { 0x01, 0x90, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1 },
        .instance = { 0xaa, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 2 },
        .exchange = { 0x01, 0x90, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 3 },
        .has_exchange = true,
        .seq = 42,
        .time = 1767225600123,
        .log = RECORD_LOG_ACCESS,
        .mode = RECORD_ENFORCE,
        .interaction = RECORD_SEARCH,
        .outcome = RECORD_PARTIAL,
        .gateway = STR("gw-1"),
        .route = STR("fhir:ehr-fhir"),
        .basis = STR("consent"),
        .map = STR("v2-to-fhir/1"),
        .released = 3,
        .withheld = 2,
        .consent_count = 1,
        .consents = { { .id = { 7 },
                        .commitment = { 8 },
                        .contract = { 9 },
                        .chain = 31337,
                        .block = 128,
                        .version = 2 } },
    };
    struct opening opening = full_opening();
    for (enum commitment_kind kind = 0; kind < COMMITMENT_COUNT; kind++) {
        record_commit(&record, kind, opening.salt[kind], opening.value[kind]);
    }
    return record;
}

static struct record least_record(void)
{
    return (struct record){
        .seq = 1,
        .log = RECORD_LOG_CONFIG,
        .interaction = RECORD_HEARTBEAT,
        .outcome = RECORD_DONE,
        .gateway = STR("gw-1"),
        .basis = STR("none"),
    };
}

static struct str write(const struct record *record, char *text)
{
    struct buf b = buf_fixed(text, RECORD_SIZE_MAX);
    record_write(record, &b);
    assert_false(buf_failed(&b));
    return buf_str(&b);
}

/* Each vector file holds the text alone, made by another program from anchor/README.md. */
static void check_vector(const char *name, const struct record *record, const char *leaf)
{
    char path[512];
    char text[RECORD_SIZE_MAX];
    size_t n;
    (void)snprintf(path, sizeof(path), "%s/record/%s.json", getenv("CHARTSEAL_VECTORS"), name);
    struct str got = write(record, text);
    char *want = check_read(path, &n);
    if (!want) {
        fail_msg("no vector %s; it would be\n%.*s", path, (int)got.n, got.p);
    }
    assert_str(got, want);
    struct merkle_hash hash;
    record_leaf(got, &hash);
    assert_hex(hash.b, sizeof(hash.b), leaf);
    free(want);
}

static void test_vectors(void **state)
{
    (void)state;
    struct record full = full_record();
    struct record least = least_record();
    check_vector("search", &full,
                 "70fbb62fdd1cbdb7bbb6651d4a37be2499bc0ce07675431b01c936370c37e9ca");
    check_vector("heartbeat", &least,
                 "b8f9b03669e6634436c2e30ffddc0d7c2d401b8788e22c2facfccc2417ecea00");
}

static void test_read_gives_what_was_written(void **state)
{
    (void)state;
    char text[RECORD_SIZE_MAX];
    char again[RECORD_SIZE_MAX];
    struct record record = full_record();
    struct record got;
    struct str wrote = write(&record, text);
    assert_int_equal(record_read(wrote, &got, NULL), 0);
    assert_memory_equal(got.commitments, record.commitments, sizeof(record.commitments));
    assert_int_equal(got.consents[0].version, 2);
    assert_int_equal(got.withheld, 2);
    assert_memory_equal(got.id, record.id, sizeof(record.id));
    assert_true(str_eq(write(&got, again), wrote));
}

static void test_largest_record_fits(void **state)
{
    (void)state;
    char text[RECORD_SIZE_MAX];
    char name[RECORD_NAME_MAX];
    memset(name, 'x', sizeof(name));
    struct record record = full_record();
    record.gateway = record.route = record.basis = record.map = str_of(name, sizeof(name));
    record.seq = record.time = record.released = record.withheld = record.refused =
        ((uint64_t)1 << 53) - 1;
    record.consent_count = RECORD_CONSENTS_MAX;
    for (size_t i = 0; i < RECORD_CONSENTS_MAX; i++) {
        record.consents[i] = record.consents[0];
        record.consents[i].chain = record.consents[i].block = ((uint64_t)1 << 53) - 1;
    }
    struct record got;
    assert_int_equal(record_read(write(&record, text), &got, NULL), 0);
}

static void test_unsayable_records_fail(void **state)
{
    (void)state;
    char text[RECORD_SIZE_MAX];
    for (int i = 0; i < 6; i++) {
        struct record record = full_record();
        struct buf b = buf_fixed(text, sizeof(text));
        switch (i) {
        case 0: record.gateway = STR(""); break;
        case 1: record.basis = STR("has space"); break;
        case 2: record.route = STR("na\xc3\xafve"); break;
        case 3: record.seq = 0; break;
        case 4: record.consent_count = RECORD_CONSENTS_MAX + 1; break;
        default: record.time = UINT64_MAX; break;
        }
        record_write(&record, &b);
        assert_true(buf_failed(&b));
    }
}

/* Any one byte changed gives no record or another leaf: here, no byte may vanish or double. */
static void test_other_spellings_refused(void **state)
{
    static const struct {
        const char *from, *to;
    } cases[] = {
        { "\"basis\"", "\"bases\"" },
        { "\"v\":1", "\"v\":2" },
        { "\"seq\":42", "\"seq\":042" },
        { "\"seq\":42", "\"seq\":\"42\"" },
        { "\"route\":\"fhir", "\"route\":\"\\u0066hir" },
        { "search", "seerch" },
        { "partial", "Partial" },
        { "01900000-", "019-00000" },
        { "aa000000-", "AA000000-" },
        { "\"version\":2", "\"version\":65538" },
        { "\"withheld\":2", "\"withheld\":0" },
        { ",\"withheld\":2", ",\"withheld\":2,\"x\":1" },
        { ",\"withheld\":2", " ,\"withheld\":2" },
        { "\"gateway\":\"gw-1\",", "" },
        { "\"seq\":42,", "" },
        { "\"id\":\"0190", "\"if\":\"0190" },
        { "\"actor\"", "\"aktor\"" },
        { "\"chain\":31337,", "" },
    };
    (void)state;
    char text[RECORD_SIZE_MAX];
    struct record record = full_record();
    struct str wrote = write(&record, text);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char changed[RECORD_SIZE_MAX];
        const char *why = NULL;
        char *at = memmem(wrote.p, wrote.n, cases[i].from, strlen(cases[i].from));
        if (!at) {
            fail_msg("%s is not in the record", cases[i].from);
        }
        struct buf b = buf_fixed(changed, sizeof(changed));
        buf_put(&b, wrote.p, (size_t)(at - wrote.p));
        buf_z(&b, cases[i].to);
        at += strlen(cases[i].from);
        buf_put(&b, at, (size_t)(wrote.p + wrote.n - at));
        if (record_read(buf_str(&b), &record, &why) != -EINVAL || !why) {
            fail_msg("accepted %s", cases[i].to);
        }
    }
    for (size_t n = 0; n < wrote.n; n++) {
        assert_int_equal(record_read(str_slice(wrote, 0, n), &record, NULL), -EINVAL);
    }
}

static void test_opening(void **state)
{
    (void)state;
    char text[2048];
    char memory[2048];
    struct buf b = buf_fixed(text, sizeof(text));
    struct buf m = buf_fixed(memory, sizeof(memory));
    struct opening opening = full_opening();
    struct opening got;
    struct record record = full_record();
    enum commitment_kind kind;
    opening_write(&opening, &b);
    assert_false(buf_failed(&b));
    assert_int_equal(opening_read(buf_str(&b), &m, &got, NULL), 0);
    assert_int_equal(opening_check(&got, &record, NULL), 0);
    assert_str(got.value[COMMITMENT_REQUEST], "GET /Observation?code=\"x\"\n");

    got.has[COMMITMENT_ACTOR] = false; /* part of it may be shown alone */
    assert_int_equal(opening_check(&got, &record, NULL), 0);
    got.salt[COMMITMENT_SUBJECT][31] ^= 1;
    assert_int_equal(opening_check(&got, &record, &kind), OPENING_E_DIFFERS);
    assert_int_equal(kind, COMMITMENT_SUBJECT);
    record.committed[COMMITMENT_AUDIT] = false;
    assert_int_equal(opening_check(&got, &record, &kind), OPENING_E_UNBACKED);
}

/* Equal values under another kind or salt give nothing to compare. */
static void test_domains_are_apart(void **state)
{
    (void)state;
    uint8_t a[DIGEST_SIZE];
    uint8_t b[DIGEST_SIZE];
    commitment_make(COMMITMENT_ACTOR, salts[0], STR("x"), a);
    commitment_make(COMMITMENT_SUBJECT, salts[0], STR("x"), b);
    assert_memory_not_equal(a, b, sizeof(a));
    commitment_make(COMMITMENT_ACTOR, salts[1], STR("x"), b);
    assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_read_gives_what_was_written),
        cmocka_unit_test(test_largest_record_fits),
        cmocka_unit_test(test_unsayable_records_fail),
        cmocka_unit_test(test_other_spellings_refused),
        cmocka_unit_test(test_opening),
        cmocka_unit_test(test_domains_are_apart),
    };
    return cmocka_run_group_tests_name("anchor/record", tests, NULL, NULL);
}
