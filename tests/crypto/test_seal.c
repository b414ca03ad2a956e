#include "tests/check.h"

#include "crypto/seal.h"

#include <errno.h>

static const struct seal_about usual = {
    .tenant = { "st-elsewhere", 12 },
    .patient = { 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
                 0x11, 0x11, 0x11 },
    .key_id = { 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22,
                0x22, 0x22, 0x22 },
    .id = { 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33,
            0x33, 0x33 },
    .kind = SEAL_PAYLOAD,
    .version = 7,
};

struct fixture {
    uint8_t key[SECRET_SIZE];
    uint8_t nonce[SEAL_NONCE_SIZE];
    uint8_t sealed[64];
    size_t n;
};

static struct fixture make(void)
{
    struct fixture f = { .n = 18 + SEAL_TAG_SIZE };
    for (size_t i = 0; i < SECRET_SIZE; i++) {
        f.key[i] = (uint8_t)(i + 1);
    }
    for (size_t i = 0; i < SEAL_NONCE_SIZE; i++) {
        f.nonce[i] = (uint8_t)(100 + i);
    }
    seal_close(f.key, &usual, f.nonce, STR("a potassium of 4.2"), f.sealed);
    return f;
}

static int open_fixture(const struct fixture *f, const struct seal_about *about, uint8_t *out)
{
    return seal_open(f->key, about, f->nonce, str_of(f->sealed, f->n), out);
}

/* Computed by another implementation of BLAKE2b, HChaCha20, ChaCha20 and Poly1305. */
static void test_known_answer(void **state)
{
    (void)state;
    uint8_t aad[SEAL_AAD_MAX];
    size_t n = seal_aad(&usual, aad);
    assert_hex(
        aad, n,
        "63686172747365616c207365616c2031000c73742d656c73657768657265"
        "11111111111111111111111111111111000000010000000722222222222222222222222222222222");
    struct fixture f = make();
    assert_hex(f.sealed, f.n,
               "6fb589a05091c49e3b91a7f8bc4610e5bd0fbfca8a7c4dafffe5e3b66aeb624bafcb");
}

static void test_what_was_closed_opens(void **state)
{
    (void)state;
    struct fixture f = make();
    uint8_t plain[64];
    assert_int_equal(open_fixture(&f, &usual, plain), 0);
    assert_str(str_of(plain, f.n - SEAL_TAG_SIZE), "a potassium of 4.2");

    /* In place, and nothing at all. */
    assert_int_equal(open_fixture(&f, &usual, f.sealed), 0);
    assert_str(str_of(f.sealed, f.n - SEAL_TAG_SIZE), "a potassium of 4.2");
    seal_close(f.key, &usual, f.nonce, STR(""), f.sealed);
    f.n = SEAL_TAG_SIZE;
    assert_int_equal(open_fixture(&f, &usual, plain), 0);
}

static void test_every_bit_counts(void **state)
{
    (void)state;
    struct fixture f = make();
    uint8_t plain[64];
    for (size_t bit = 0; bit < f.n * 8; bit++) {
        struct fixture g = f;
        g.sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        memset(plain, 0xee, sizeof(plain));
        assert_int_equal(open_fixture(&g, &usual, plain), -EBADMSG);
        assert_int_equal(plain[0], 0);
    }
    for (size_t n = 0; n < f.n; n++) {
        struct fixture g = f;
        g.n = n;
        assert_int_equal(open_fixture(&g, &usual, plain), -EBADMSG);
    }
    struct fixture g = f;
    g.key[31] ^= 1;
    assert_int_equal(open_fixture(&g, &usual, plain), -EBADMSG);
    g = f;
    g.nonce[23] ^= 1;
    assert_int_equal(open_fixture(&g, &usual, plain), -EBADMSG);
}

static void test_a_row_moved_elsewhere_does_not_open(void **state)
{
    (void)state;
    struct seal_about others[7];
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        others[i] = usual;
    }
    others[0].tenant = STR("st-elsewherf");
    others[1].patient[15] ^= 1;
    others[2].key_id[0] ^= 1;
    others[3].id[7] ^= 1;
    others[4].kind = SEAL_OPENING;
    others[5].version = 8;
    /* The tenant's end and the patient's beginning change places. */
    others[6].tenant = STR("st-elsewhere\x11");

    struct fixture f = make();
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        uint8_t plain[64];
        assert_int_equal(open_fixture(&f, &others[i], plain), -EBADMSG);
    }
}

static void test_the_longest_tenant_fits(void **state)
{
    (void)state;
    char name[SEAL_TENANT_MAX];
    memset(name, 'x', sizeof(name));
    struct seal_about about = usual;
    about.tenant = str_of(name, sizeof(name));
    uint8_t aad[SEAL_AAD_MAX];
    assert_int_equal(seal_aad(&about, aad), SEAL_AAD_MAX);
}

static int setup(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answer),
        cmocka_unit_test(test_what_was_closed_opens),
        cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_a_row_moved_elsewhere_does_not_open),
        cmocka_unit_test(test_the_longest_tenant_fits),
    };
    return cmocka_run_group_tests_name("crypto/seal", tests, setup, NULL);
}
