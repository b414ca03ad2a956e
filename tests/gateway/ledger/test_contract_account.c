/* ERC-1271: only the magic value is a yes. */
#include "gateway/ledger/contract_account.h"
#include "tests/check.h"

#include <errno.h>

#define ZEROS "00000000000000000000000000000000000000000000000000000000"

static void test_only_the_magic_value_is_a_yes(void **state)
{
    static const struct {
        const char *hex;
        int want;
    } cases[] = {
        { "0x1626ba7e" ZEROS, 0 },
        { "0x1626BA7E" ZEROS, 0 },
        { "0x", -EBADMSG }, /* no contract */
        { "0x1626ba7e", -EBADMSG },
        { "0x1626ba7f" ZEROS, -EBADMSG },
        { "0x00000000" ZEROS, -EBADMSG },
        { "0xffffffff" ZEROS, -EBADMSG },
        { "0x" ZEROS "1626ba7e", -EBADMSG },
        { "0x1626ba7e" ZEROS "00", -EBADMSG },
        { "1626ba7e" ZEROS "00", -EBADMSG },
        { "0x20c13b0b" ZEROS, -EBADMSG }, /* of an older form of it */
        { "", -EBADMSG },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char memory[8];
        struct buf out = buf_fixed(memory, sizeof(memory));
        const struct node result = { .kind = NODE_STRING, .text = str_z(cases[i].hex) };
        assert_int_equal(contract_account_read(NULL, &result, &out), 0);
        const struct quorum_answer answer = { .bytes = buf_str(&out) };
        assert_int_equal(contract_account_signed(&answer), cases[i].want);
    }
    char memory[8];
    struct buf out = buf_fixed(memory, sizeof(memory));
    const struct node none = { .kind = NODE_NULL };
    assert_int_equal(contract_account_read(NULL, &none, &out), -EBADMSG);
}

static void test_a_refusal_is_a_no_and_silence_is_neither(void **state)
{
    static const struct {
        int r;
        enum rpc_error error;
        int want;
    } cases[] = {
        { -EREMOTEIO, RPC_E_REVERT, -EBADMSG },
        { -EREMOTEIO, RPC_E_METHOD, -EAGAIN },
        { -EREMOTEIO, RPC_E_OTHER, -EAGAIN },
        { -EAGAIN, RPC_E_TRANSPORT, -EAGAIN },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct quorum_answer answer = { .r = cases[i].r,
                                              .error = cases[i].error,
                                              .bytes = STR("y") };
        assert_int_equal(contract_account_signed(&answer), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_magic_value_is_a_yes),
        cmocka_unit_test(test_a_refusal_is_a_no_and_silence_is_neither),
    };
    return cmocka_run_group_tests_name("gateway/ledger/contract_account", tests, NULL, NULL);
}
