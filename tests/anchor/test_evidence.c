/*
 * Evidence packages. The one in tests/vectors/evidence was put together by another program on a
 * real chain; here it is proven, then changed in every byte, cut everywhere and forged.
 */
#include "anchor/cjson.h"
#include "anchor/evidence.h"
#include "anchor/proof.h"
#include "crypto/base/hex.h"
#include "crypto/secret.h"
#include "tests/check.h"

#include <errno.h>

static struct {
    char *text;
    size_t n;
    char *key_text;
    struct note_key key;
    struct evidence_block block;
    char *memory;
} vector;

static char *read_vector(const char *name, size_t *n)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/evidence/%s", getenv("CHARTSEAL_VECTORS"), name);
    char *text = check_read(path, n);
    assert_non_null(text);
    return text;
}

static int setup(void **state)
{
    (void)state;
    size_t n;
    assert_int_equal(secret_start(), 0);
    vector.text = read_vector("search.json", &vector.n);
    vector.key_text = read_vector("search.key", &n);
    assert_int_equal(note_key_read(str_of(vector.key_text, n - 1), &vector.key), 0);
    char *blocks = read_vector("search.blocks", &n);
    struct str hash = str_of(blocks, n - 1);
    struct str number = str_cut(&hash, ':');
    vector.block.number = strtoull(number.p, NULL, 10);
    assert_int_equal(hex_decode_0x(hash, vector.block.hash, 32), 0);
    free(blocks);
    vector.memory = malloc(vector.n * 2);
    assert_non_null(vector.memory);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(vector.text);
    free(vector.key_text);
    free(vector.memory);
    return 0;
}

/* The last line that doesn't say "ok". */
struct last {
    enum evidence_part part;
    enum evidence_verdict verdict;
    char member[32];
    char text[320];
    int failures;
};

static void keep(void *owner, const struct evidence_line *line)
{
    struct last *last = owner;
    if (line->verdict == EVIDENCE_PROVEN) {
        return;
    }
    last->part = line->part;
    last->verdict = line->verdict;
    last->failures += line->verdict == EVIDENCE_FAILED ? 1 : 0;
    (void)snprintf(last->member, sizeof(last->member), "%s", line->member);
    (void)snprintf(last->text, sizeof(last->text), "%s", line->text);
}

static enum evidence_verdict check(struct str package, struct last *last)
{
    struct buf memory = buf_fixed(vector.memory, vector.n * 2);
    const struct evidence_check check = {
        .key = &vector.key,
        .blocks = &vector.block,
        .block_count = 1,
        .memory = &memory,
        .report = keep,
        .owner = last,
    };
    memset(last, 0, sizeof(*last));
    return evidence_check(package, &check);
}

static void test_proven(void **state)
{
    (void)state;
    struct last last;
    assert_int_equal(check(str_of(vector.text, vector.n), &last), EVIDENCE_PROVEN);
    assert_int_equal(last.failures, 0);
}

static void test_nothing_proven_without_key_or_block(void **state)
{
    (void)state;
    struct str package = str_of(vector.text, vector.n);
    struct buf memory = buf_fixed(vector.memory, vector.n * 2);
    struct evidence_check check = { .key = &vector.key, .memory = &memory };
    assert_int_equal(evidence_check(package, &check), EVIDENCE_UNCONFIRMED);
    check =
        (struct evidence_check){ .blocks = &vector.block, .block_count = 1, .memory = &memory };
    assert_int_equal(evidence_check(package, &check), EVIDENCE_UNCONFIRMED);
    struct evidence_block other = vector.block;
    other.hash[31] ^= 1;
    check.key = &vector.key;
    check.blocks = &other;
    assert_int_equal(evidence_check(package, &check), EVIDENCE_FAILED);
    other = vector.block;
    other.number++;
    assert_int_equal(evidence_check(package, &check), EVIDENCE_UNCONFIRMED);
    struct note_key key = vector.key;
    key.key[0] ^= 1;
    check.key = &key;
    assert_int_equal(evidence_check(package, &check), EVIDENCE_FAILED);
}

/* Every byte, changed in several ways: refused, and one thing named. */
static void test_every_byte_counts(void **state)
{
    static const unsigned char flips[] = { 0x01, 0x20 };
    (void)state;
    size_t parts[EVIDENCE_TRAILER + 1] = { 0 };
    for (size_t i = 0; i < vector.n; i++) {
        char was = vector.text[i];
        for (size_t k = 0; k < ARRAY_LEN(flips) + 1; k++) {
            struct last last;
            char digit = was == '0' ? '1' : '0';
            vector.text[i] = k < ARRAY_LEN(flips) ? (char)(was ^ (char)flips[k]) : digit;
            if (check(str_of(vector.text, vector.n), &last) != EVIDENCE_FAILED) {
                fail_msg("byte %zu: '%c' to '%c' accepted", i, was, vector.text[i]);
            }
            assert_int_equal(last.failures, 1);
            assert_int_equal(last.verdict, EVIDENCE_FAILED);
            assert_true(*last.text);
            parts[last.part]++;
        }
        vector.text[i] = was;
    }
    for (enum evidence_part part = 0; part < ARRAY_LEN(parts); part++) {
        print_message("%8zu changes named %s\n", parts[part], evidence_part_name(part));
        assert_true(parts[part] > 0);
    }
}

static void test_every_cut_refused(void **state)
{
    (void)state;
    struct last last;
    for (size_t n = 0; n < vector.n; n++) {
        assert_int_equal(check(str_of(vector.text, n), &last), EVIDENCE_FAILED);
        assert_int_equal(last.part, EVIDENCE_PACKAGE);
    }
    vector.text[vector.n] = '\n'; /* where check_read() put its zero */
    assert_int_equal(check(str_of(vector.text, vector.n + 1), &last), EVIDENCE_FAILED);
    vector.text[vector.n] = '\0';
}

/* The package with @from replaced by @to and the trailer made to fit, as a forger would. */
static struct str forge(const char *from, const char *to, char *out)
{
    struct buf b = buf_fixed(out, 2 * vector.n);
    char *at = strstr(vector.text, from);
    if (!at) {
        fail_msg("%s is not in the package", from);
    }
    buf_put(&b, vector.text, (size_t)(at - vector.text));
    buf_z(&b, to);
    buf_z(&b, at + strlen(from));
    assert_false(buf_failed(&b));
    char *trailer = memmem(b.p, b.n, ",\"trailer\":\"", 12);
    uint8_t digest[DIGEST_SIZE];
    digest_sha256(str_of(b.p, (size_t)(trailer - b.p)), digest);
    struct buf t = buf_fixed(trailer + 12, 64);
    buf_hex(&t, digest, sizeof(digest));
    return buf_str(&b);
}

static void test_forgeries_named(void **state)
{
    static const struct {
        const char *from, *to;
        enum evidence_part part;
        const char *member;
    } cases[] = {
        { "chartseal-evidence/1", "chartseal-evidence/2", EVIDENCE_PACKAGE, "" },
        { "{\"anchor\"", "{\"a\":1,\"anchor\"", EVIDENCE_PACKAGE, "" },
        { "\"outcome\":\"permit\"", "\"outcome\":\"deny\"", EVIDENCE_INCLUSION, "proof" },
        { "\"outcome\":\"permit\"", "\"outcome\":\"maybe\"", EVIDENCE_RECORD, "record" },
        { "\"released\":4", "\"released\":5", EVIDENCE_INCLUSION, "proof" },
        { "Practitioner/17", "Practitioner/18", EVIDENCE_OPENING, "opening.actor" },
        { "Patient/123", "Patient/124", EVIDENCE_OPENING, "opening.request" },
        { "index 2\\n", "index 3\\n", EVIDENCE_INCLUSION, "proof" },
        { "index 2\\n", "extra eA==\\nindex 2\\n", EVIDENCE_INCLUSION, "proof" },
        { "proof@v1\\n", "proof@v2\\n", EVIDENCE_INCLUSION, "proof" },
        { "\"consistency\":[\"", "\"consistency\":[\"00", EVIDENCE_ANCHOR, "anchor" },
        { "\"kind\":\"ethereum\"", "\"kind\":\"fabric\"", EVIDENCE_ANCHOR, "anchor" },
        { "\"index\":5,", "\"index\":4,", EVIDENCE_ANCHOR, "anchor.receipt" },
        { "\"contract\":\"0x", "\"contract\":\"0xAA", EVIDENCE_ANCHOR, "anchor" },
        { "\"chain\":31337,\"consistency\"", "\"consistency\"", EVIDENCE_ANCHOR, "anchor" },
        { "\"slot1\":[", "\"slot1\":[\"0x80\",", EVIDENCE_CONSENT, "consents[0]" },
        { "\"account\":[", "\"account\":[\"0x\",", EVIDENCE_CONSENT, "consents[0]" },
        { "\"slot0\":[", "\"slot0\":[],\"slot00\":[", EVIDENCE_CONSENT, "consents" },
    };
    (void)state;
    char *out = malloc(2 * vector.n);
    assert_non_null(out);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct last last;
        enum evidence_verdict verdict = check(forge(cases[i].from, cases[i].to, out), &last);
        if (verdict != EVIDENCE_FAILED || last.part != cases[i].part ||
            (last.member[0] && strcmp(last.member, cases[i].member) != 0)) {
            fail_msg("%s: verdict %d, part %s, member %s, %s", cases[i].to, verdict,
                     evidence_part_name(last.part), last.member, last.text);
        }
    }
    free(out);
}

/* Member @name and its value taken out of the package, the trailer made to fit. */
static struct str without(const char *name, char *out)
{
    struct cjson c;
    struct str got;
    char piece[64];
    struct str value = { 0 };
    cjson_start(&c, str_of(vector.text, vector.n));
    cjson_object(&c);
    while (cjson_member(&c, &got)) {
        struct str v = cjson_value(&c);
        value = str_eq(got, str_z(name)) ? v : value;
    }
    (void)snprintf(piece, sizeof(piece), "\"%s\":", name);
    char *whole = calloc(1, strlen(piece) + value.n + 2);
    assert_non_null(whole);
    (void)strcat(whole, piece);
    (void)strncat(whole, value.p, value.n);
    (void)strcat(whole, ",");
    struct str package = forge(whole, "", out);
    free(whole);
    return package;
}

static void test_what_is_missing_is_said(void **state)
{
    static const struct {
        const char *name;
        enum evidence_verdict verdict;
        enum evidence_part part;
    } cases[] = {
        { "opening", EVIDENCE_PROVEN, EVIDENCE_OPENING },
        { "anchor", EVIDENCE_ABSENT, EVIDENCE_ANCHOR },
        { "consents", EVIDENCE_ABSENT, EVIDENCE_CONSENT },
        { "format", EVIDENCE_FAILED, EVIDENCE_PACKAGE },
        { "proof", EVIDENCE_FAILED, EVIDENCE_PACKAGE },
        { "record", EVIDENCE_FAILED, EVIDENCE_PACKAGE },
    };
    (void)state;
    char *out = malloc(2 * vector.n);
    assert_non_null(out);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct last last;
        assert_int_equal(check(without(cases[i].name, out), &last), cases[i].verdict);
        assert_int_equal(last.part, cases[i].part);
    }
    free(out);
}

/* ---- the writer: taken apart and put together, the package is the same ---- */

enum {
    NODES_MAX = 16,
};

static struct str nodes_of(struct cjson *c, struct str *at, struct evidence_nodes *out,
                           struct buf *memory)
{
    out->nodes = at;
    out->count = 0;
    cjson_array(c);
    while (cjson_item(c)) {
        at[out->count++] = cjson_hex_bytes(c, memory);
    }
    return (struct str){ 0 };
}

static void read_anchor(struct cjson *c, struct evidence_anchor *anchor, struct str *at,
                        struct buf *memory)
{
    struct str name;
    cjson_object(c);
    while (cjson_member(c, &name)) {
        if (str_eq(name, STR("chain"))) {
            anchor->chain = cjson_number(c);
        } else if (str_eq(name, STR("consistency"))) {
            cjson_array(c);
            while (cjson_item(c)) {
                cjson_hex(c, false, anchor->consistency.hash[anchor->consistency.count++].b,
                          32);
            }
        } else if (str_eq(name, STR("contract"))) {
            cjson_hex(c, true, anchor->contract, 20);
        } else if (str_eq(name, STR("header"))) {
            anchor->header = cjson_hex_bytes(c, memory);
        } else if (str_eq(name, STR("index"))) {
            anchor->receipt_index = cjson_number(c);
        } else if (str_eq(name, STR("kind"))) {
            (void)cjson_value(c);
        } else if (str_eq(name, STR("note"))) {
            anchor->note = cjson_string(c, memory);
        } else {
            (void)nodes_of(c, at, &anchor->receipt, memory);
        }
    }
}

static void read_consent(struct cjson *c, struct evidence_consent *consent,
                         struct str at[3][NODES_MAX], struct buf *memory)
{
    struct str name;
    cjson_array(c);
    assert_true(cjson_item(c));
    cjson_object(c);
    while (cjson_member(c, &name)) {
        if (str_eq(name, STR("header"))) {
            consent->header = cjson_hex_bytes(c, memory);
        } else if (str_eq(name, STR("account"))) {
            (void)nodes_of(c, at[0], &consent->account, memory);
        } else if (str_eq(name, STR("slot0"))) {
            (void)nodes_of(c, at[1], &consent->slots[0], memory);
        } else {
            (void)nodes_of(c, at[2], &consent->slots[1], memory);
        }
    }
    assert_false(cjson_item(c));
}

static void test_written_as_others_write_it(void **state)
{
    (void)state;
    struct buf memory = buf_fixed(vector.memory, vector.n * 2);
    struct evidence_anchor anchor = { 0 };
    struct evidence_consent consent = { 0 };
    struct evidence evidence = { .anchor = &anchor, .consents = &consent, .consent_count = 1 };
    struct str at[4][NODES_MAX];
    struct cjson c;
    struct str name;
    cjson_start(&c, str_of(vector.text, vector.n));
    cjson_object(&c);
    while (cjson_member(&c, &name)) {
        if (str_eq(name, STR("anchor"))) {
            read_anchor(&c, &anchor, at[3], &memory);
        } else if (str_eq(name, STR("consents"))) {
            read_consent(&c, &consent, at, &memory);
        } else if (str_eq(name, STR("opening"))) {
            evidence.opening = cjson_value(&c);
        } else if (str_eq(name, STR("proof"))) {
            evidence.proof = cjson_string(&c, &memory);
        } else if (str_eq(name, STR("record"))) {
            evidence.record = cjson_value(&c);
        } else {
            (void)cjson_value(&c);
        }
    }
    assert_int_equal(cjson_finish(&c), 0);
    char *out = malloc(vector.n + 1);
    assert_non_null(out);
    struct buf b = buf_fixed(out, vector.n);
    evidence_put(&evidence, &b);
    assert_false(buf_failed(&b));
    assert_true(str_eq(buf_str(&b), str_of(vector.text, vector.n)));

    struct proof proof; /* and the proof's text likewise */
    assert_int_equal(proof_read(evidence.proof, &proof), 0);
    b = buf_fixed(out, vector.n);
    proof_put(&proof, &b);
    assert_true(str_eq(buf_str(&b), evidence.proof));
    free(out);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proven),
        cmocka_unit_test(test_nothing_proven_without_key_or_block),
        cmocka_unit_test(test_every_byte_counts),
        cmocka_unit_test(test_every_cut_refused),
        cmocka_unit_test(test_forgeries_named),
        cmocka_unit_test(test_what_is_missing_is_said),
        cmocka_unit_test(test_written_as_others_write_it),
    };
    return cmocka_run_group_tests_name("anchor/evidence", tests, setup, teardown);
}
