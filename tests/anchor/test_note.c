/* Notes, checkpoints and proofs: C2SP's own examples, and every way to spoil them. */
#include "anchor/checkpoint.h"
#include "anchor/note.h"
#include "anchor/proof.h"
#include "crypto/sign.h"
#include "tests/check.h"

#include <errno.h>

/* The example of c2sp.org/signed-note. */
static const char key_text[] =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
static const char note_text[] = "This is an example message.\n"
                                "\n"
                                "\xe2\x80\x94 example.com/foo "
                                "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXs"
                                "YjOBH3mFXmRKuwHjG1Yu72IneyaQM="
                                "\n";

static void test_example(void **state)
{
    (void)state;
    struct note_key key;
    struct note note;
    char text[256];
    struct buf b = buf_fixed(text, sizeof(text));
    assert_int_equal(note_key_read(str_z(key_text), &key), 0);
    assert_int_equal(key.id, 0x530d903a);
    note_key_put(&key, &b);
    assert_str(buf_str(&b), key_text);
    assert_int_equal(note_read(str_z(note_text), &note), 0);
    assert_str(note.text, "This is an example message.\n");
    assert_int_equal(note_check(&note, &key), 0);
}

static void test_bad_keys(void **state)
{
    static const char *const cases[] = {
        "",
        "example.com/foo",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U0=",
        "example.com/foo+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    };
    static const char *const names[] = {
        "", "a b", "a+b", "a\nb", "a\xc2\xa0", "\xe2\x80\x83"
    };
    (void)state;
    struct note_key key;
    uint8_t public[NOTE_KEY_SIZE] = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(note_key_read(str_z(cases[i]), &key), -EINVAL);
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(note_key_init(&key, str_z(names[i]), public), -EINVAL);
    }
}

static void test_bad_notes(void **state)
{
    static const char *const cases[] = {
        "",
        "text\n",
        "text\n\n",
        "text\n\n\n",
        "text\n\nsignature\n",
        "text\n\xe2\x80\x94 a AAAAAAE=\n",
        "text\n\n\xe2\x80\x94 a AAAAAAE=",
        "text\n\n\xe2\x80\x94 a AAAAAAE=\nmore\n",
        "text\n\n\xe2\x80\x94 a  AAAAAAE=\n",
        "text\n\n\xe2\x80\x94 a AAAA\n",
        "text\n\n\xe2\x80\x94 a AAAAAAE\n",
        "text\n\n\xe2\x80\x94  AAAAAAE=\n",
        "text\n\n\xe2\x80\x94 a+b AAAAAAE=\n",
        "te\txt\n\n\xe2\x80\x94 a AAAAAAE=\n",
        "te\rxt\n\n\xe2\x80\x94 a AAAAAAE=\n",
    };
    (void)state;
    struct note note;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (note_read(str_z(cases[i]), &note) != -EINVAL) {
            fail_msg("accepted case %zu", i);
        }
    }
    assert_int_equal(note_read(STR("a\n\nb\n\n\xe2\x80\x94 a AAAAAAE=\n"), &note), 0);
    assert_str(note.text, "a\n\nb\n");
}

/* Each bit of the note turned: never signed again. */
static void test_every_flipped_bit_refused(void **state)
{
    (void)state;
    struct note_key key;
    struct note note;
    char text[sizeof(note_text)];
    memcpy(text, note_text, sizeof(text));
    assert_int_equal(note_key_read(str_z(key_text), &key), 0);
    for (size_t bit = 0; bit < 8 * (sizeof(text) - 1); bit++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        if (note_read(str_of(text, sizeof(text) - 1), &note) == 0) {
            assert_int_not_equal(note_check(&note, &key), 0);
        }
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
}

static void test_sign_and_check(void **state)
{
    static const uint8_t seed[SECRET_SIZE] = { 1, 2, 3 };
    (void)state;
    struct sign_key secret;
    struct note_key key;
    struct note note;
    uint8_t public[SIGN_PUBLIC_SIZE];
    uint8_t signature[SIGN_SIZE];
    char text[1024];
    struct buf b = buf_fixed(text, sizeof(text));
    struct checkpoint checkpoint = { .origin = STR("gw.example/t/access") };
    struct checkpoint got;
    checkpoint.head.size = 20852163;
    memset(checkpoint.head.root.b, 7, MERKLE_HASH_SIZE);
    sign_key_from_seed(&secret, seed);
    sign_public(&secret, public);
    assert_int_equal(note_key_init(&key, checkpoint.origin, public), 0);

    checkpoint_put(&checkpoint, &b);
    sign_make(&secret, buf_str(&b), signature);
    note_put_blank(&b);
    buf_z(&b, "\xe2\x80\x94 witness.example/w AAAAAAE=\n");
    note_put_signature(&b, &key, signature);
    assert_int_equal(note_read(buf_str(&b), &note), 0);
    assert_int_equal(note_check(&note, &key), 0);
    assert_int_equal(checkpoint_read(note.text, &got), 0);
    assert_int_equal(got.head.size, 20852163);
    assert_str(got.origin, "gw.example/t/access");
    assert_true(merkle_same(&got.head.root, &checkpoint.head.root));

    struct note_key other;
    assert_int_equal(note_key_init(&other, STR("gw.example/t/consent"), public), 0);
    assert_int_equal(note_check(&note, &other), NOTE_E_UNSIGNED);
    signature[0] ^= 1; /* a second line of the same key that doesn't verify spoils the note */
    note_put_signature(&b, &key, signature);
    assert_int_equal(note_read(buf_str(&b), &note), 0);
    assert_int_equal(note_check(&note, &key), NOTE_E_FORGED);
}

#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="

static void test_checkpoints(void **state)
{
    static const struct {
        const char *text;
        int want;
    } cases[] = {
        { "example.com/behind-the-sofa\n20852163\n" ROOT "\n", 0 },
        { "o\n0\n" ROOT "\n", 0 },
        { "o\n00\n" ROOT "\n", -EINVAL },
        { "o\n01\n" ROOT "\n", -EINVAL },
        { "o\n-1\n" ROOT "\n", -EINVAL },
        { "o\n\n" ROOT "\n", -EINVAL },
        { "\n1\n" ROOT "\n", -EINVAL },
        { "o\n1\n" ROOT, -EINVAL },
        { "o\n1\n" ROOT "\nextension\n", -EINVAL },
        { "o\n1\nAAAA\n", -EINVAL },
        { "o\n1\n\n", -EINVAL },
        { "o\n9223372036854775807\n" ROOT "\n", 0 },
        { "o\n9223372036854775808\n" ROOT "\n", -EINVAL },
        { "o\n99999999999999999999\n" ROOT "\n", -EINVAL },
        { "", -EINVAL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct checkpoint got;
        char text[256];
        struct buf b = buf_fixed(text, sizeof(text));
        int r = checkpoint_read(str_z(cases[i].text), &got);
        if (r != cases[i].want) {
            fail_msg("case %zu", i);
        }
        if (r == 0) {
            checkpoint_put(&got, &b);
            assert_str(buf_str(&b), cases[i].text);
        }
    }
}

static void test_proofs(void **state)
{
    static const struct {
        const char *text;
        int want;
    } cases[] = {
        { "c2sp.org/tlog-proof@v1\nindex 73894\n" ROOT "\n" ROOT "\n\nnote", 0 },
        { "c2sp.org/tlog-proof@v1\nindex 0\n\nnote", 0 },
        { "c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n\nnote", -EINVAL },
        { "c2sp.org/tlog-proof@v2\nindex 0\n\nnote", -EINVAL },
        { "c2sp.org/tlog-proof@v1\nindex 00\n\nnote", -EINVAL },
        { "c2sp.org/tlog-proof@v1\nindex\n\nnote", -EINVAL },
        { "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nnote", -EINVAL },
        { "c2sp.org/tlog-proof@v1\nindex 1\n" ROOT "\n", -EINVAL },
        { "c2sp.org/tlog-proof@v1\nindex 1\n" ROOT "\n\n", -EINVAL },
        { "c2sp.org/tlog-proof@v1\nindex 1\n" ROOT, -EINVAL },
        { "", -EINVAL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct proof got;
        char text[512];
        struct buf b = buf_fixed(text, sizeof(text));
        int r = proof_read(str_z(cases[i].text), &got);
        if (r != cases[i].want) {
            fail_msg("case %zu", i);
        }
        if (r == 0) {
            proof_put(&got, &b);
            assert_str(buf_str(&b), cases[i].text);
        }
    }
}

static int setup(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),        cmocka_unit_test(test_bad_keys),
        cmocka_unit_test(test_bad_notes),      cmocka_unit_test(test_every_flipped_bit_refused),
        cmocka_unit_test(test_sign_and_check), cmocka_unit_test(test_checkpoints),
        cmocka_unit_test(test_proofs),
    };
    return cmocka_run_group_tests_name("anchor/note", tests, setup, NULL);
}
