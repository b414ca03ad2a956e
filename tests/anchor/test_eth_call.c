/* Calls, answers and events against those that ethers makes from the contracts' own ABI. */
#include "anchor/eth_call.h"
#include "tests/anchor/values.h"
#include "tests/check.h"

#include <errno.h>

/* The arguments that make.mjs calls with. */
static void arguments(struct consent_grant *grant,
                      uint8_t signature[ETH_CONSENT_SIGNATURE_SIZE])
{
    struct eip712_domain domain = { .chain = 31337 };
    struct secp_signer signer;
    struct secp_signature made;
    uint8_t secret[32];
    uint8_t digest[32];
    *grant = (struct consent_grant){
        .version = 3,
        .valid_from = 1767225600,
        .valid_until = 1767225600 + 365 * 86400,
        .deadline = 1767225600 + 3600,
    };
    fill(secret, sizeof(secret), 0x11);
    fill(domain.contract, 20, 0x33);
    fill(grant->id, 32, 0x44);
    fill(grant->commitment, 32, 0x55);
    assert_int_equal(secp_signer_init(&signer, secret, secret), 0);
    memcpy(grant->controller, signer.address, 20);
    eip712_grant(&domain, grant, digest);
    secp_sign(&signer, digest, &made);
    eth_consent_signature(&made, signature);
    secp_signer_deinit(&signer);
}

static void test_calls_to_the_registry(void **state)
{
    (void)state;
    uint8_t bytes[ETH_CONSENT_SIGNATURE_SIZE];
    char text[2048];
    struct buf b = buf_fixed(text, sizeof(text));
    struct consent_grant grants[2];
    arguments(&grants[0], bytes);
    grants[1] = grants[0];
    struct str signatures[2] = { str_of(bytes, sizeof(bytes)), STR("\x01") };
    struct consent_revoke revoke = { .version = 3 };
    struct consent_rotate rotate = { .version = 4, .deadline = grants[0].deadline };
    memcpy(revoke.id, grants[0].id, 32);
    memcpy(rotate.id, grants[0].id, 32);
    fill(rotate.to, 20, 0x77);

    eth_call_grant(&grants[0], signatures[0], &b);
    assert_value(b.p, b.n, "call_grant");
    b.n = 0;
    eth_call_grant_batch(grants, signatures, 2, &b);
    assert_value(b.p, b.n, "call_grant_batch");
    b.n = 0;
    eth_call_revoke(&revoke, signatures[0], &b);
    assert_value(b.p, b.n, "call_revoke");
    b.n = 0;
    eth_call_revoke_by_attestor(&revoke, &b);
    assert_value(b.p, b.n, "call_revoke_by_attestor");
    b.n = 0;
    eth_call_rotate(&rotate, signatures[0], &b);
    assert_value(b.p, b.n, "call_rotate");
    b.n = 0;
    eth_call_status(revoke.id, &b);
    assert_value(b.p, b.n, "call_status");
}

static void test_calls_to_the_anchor(void **state)
{
    (void)state;
    uint8_t bytes[ETH_CONSENT_SIGNATURE_SIZE];
    uint8_t note_hash[32];
    char text[2048];
    struct buf b = buf_fixed(text, sizeof(text));
    struct consent_grant grant;
    struct merkle_head head = { .size = 9 };
    struct merkle_proof proof = { .count = 2 };
    arguments(&grant, bytes);
    fill(head.root.b, 32, 0x55);
    fill(note_hash, 32, 0x99);
    fill(proof.hash[0].b, 32, 0xaa);
    fill(proof.hash[1].b, 32, 0xbb);
    eth_call_register(STR("gw.example/st-elsewhere/access"), grant.controller, true, &b);
    assert_value(b.p, b.n, "call_register");
    b.n = 0;
    eth_call_anchor(grant.id, &head, note_hash, &proof, &b);
    assert_value(b.p, b.n, "call_anchor");
    b.n = 0;
    eth_call_head(grant.id, &b);
    assert_value(b.p, b.n, "call_head");
}

/* Bytes of value @name in @out. */
static struct str bytes_of(const char *name, unsigned char *out)
{
    char digits[4096];
    struct str text = value(name);
    assert_true(text.n < sizeof(digits));
    memcpy(digits, text.p, text.n);
    digits[text.n] = '\0';
    return str_of(out, check_unhex(digits, out));
}

static void test_answers(void **state)
{
    (void)state;
    unsigned char bytes[2048];
    struct eth_consent consent;
    struct eth_head head;
    struct str answer = bytes_of("answer_status", bytes);
    assert_int_equal(eth_status_read(answer, &consent), 0);
    assert_int_equal(consent.version, 3);
    assert_true(consent.revoked);
    assert_int_equal(consent.valid_until, 1767225600 + 365 * 86400);
    assert_int_equal(consent.commitment[31], 0x55);
    assert_int_equal(eth_status_read(str_slice(answer, 0, answer.n - 1), &consent), -EINVAL);
    answer = bytes_of("answer_head", bytes);
    assert_int_equal(eth_head_read(answer, &head), 0);
    assert_int_equal(head.head.size, 9);
    assert_int_equal(head.seq, 2);
    assert_int_equal(head.mode, 3);
    assert_int_equal(eth_head_read(str_slice(answer, 0, answer.n - 1), &head), -EINVAL);
}

static int read_event(const char *name, struct eth_consent_event *out)
{
    unsigned char bytes[2048];
    struct str all = bytes_of(name, bytes);
    struct eth_log log = { .topic_count = 2, .data = str_slice(all, 64, all.n) };
    memcpy(log.topics, all.p, 64);
    int r = eth_consent_event_read(&log, out);
    log.data.n--;
    struct eth_consent_event other;
    assert_int_equal(eth_consent_event_read(&log, &other), -EINVAL);
    log.topics[0][0] ^= 1;
    assert_int_equal(eth_consent_event_read(&log, &other), -ENOENT);
    return r;
}

static void test_events_of_the_registry(void **state)
{
    (void)state;
    struct eth_consent_event event;
    assert_int_equal(read_event("event_ConsentGranted", &event), 0);
    assert_int_equal(event.kind, ETH_CONSENT_GRANTED);
    assert_int_equal(event.state.version, 3);
    assert_int_equal(event.state.valid_from, 1767225600);
    assert_false(event.state.revoked);
    assert_int_equal(event.id[0], 0x44);
    assert_int_equal(read_event("event_ConsentRevoked", &event), 0);
    assert_true(event.attestor);
    assert_true(event.state.revoked);
    assert_int_equal(read_event("event_ControllerRotated", &event), 0);
    assert_int_equal(event.state.version, 4);
    assert_int_equal(event.state.controller[0], 0x77);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_to_the_registry),
        cmocka_unit_test(test_calls_to_the_anchor),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_events_of_the_registry),
    };
    return cmocka_run_group_tests_name("anchor/eth_call", tests, values_setup, values_teardown);
}
