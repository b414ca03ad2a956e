/* Answers of nodes: what they mean, and hostile ones. */
#include "gateway/ledger/quorum.h"
#include "gateway/ledger/rpc.h"
#include "tests/check.h"

#include <errno.h>

static void test_answers(void **state)
{
    static const struct {
        const char *body;
        enum rpc_error want;
        const char *revert;
    } cases[] = {
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"0x1\"}", RPC_OK, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":null}", RPC_OK, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":null,\"result\":[]}", RPC_OK, "" },
        { "", RPC_E_ANSWER, "" },
        { "[]", RPC_E_ANSWER, "" },
        { "{}", RPC_E_ANSWER, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":8,\"result\":1}", RPC_E_ANSWER, "" }, /* another's */
        { "{\"jsonrpc\":\"2.0\",\"id\":\"7\",\"result\":1}", RPC_E_ANSWER, "" },
        { "{\"jsonrpc\":\"1.0\",\"id\":7,\"result\":1}", RPC_E_ANSWER, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":7}", RPC_E_ANSWER, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"id\":7,\"result\":1}", RPC_E_ANSWER, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1}x", RPC_E_ANSWER, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":\"no\"}", RPC_E_ANSWER, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"message\":\"x\"}}", RPC_E_ANSWER, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32000,\"message\":\"nonce too "
          "low: next nonce 5\"}}",
          RPC_E_NONCE_LOW, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32000,\"message\":\"Already "
          "Known\"}}",
          RPC_E_KNOWN, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32003,\"message\":\"transaction "
          "already imported\"}}",
          RPC_E_KNOWN, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32000,\"message\":\"replacement "
          "transaction underpriced\"}}",
          RPC_E_UNDERPRICED, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32000,\"message\":\"max fee per "
          "gas less than block base fee\"}}",
          RPC_E_FEE_LOW, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32602,\"message\":"
          "\"BlockOutOfRangeError: 9\"}}",
          RPC_E_RANGE, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32005,\"message\":\"\"}}",
          RPC_E_TOO_MANY, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32601,\"message\":\"\"}}",
          RPC_E_METHOD, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":1,\"message\":\"?\"}}",
          RPC_E_OTHER, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":3,\"message\":\"execution "
          "reverted\",\"data\":\"0x\"}}",
          RPC_E_REVERT, "" },
        /* The bytes as text, with U+0000, as anvil shows them. */
        { "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":3,\"message\":\"custom error "
          "\\u0000\\\\u0000\",\"data\":\"0xd93c0665\"}}",
          RPC_E_REVERT, "EnforcedPause()" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena = arena_new(1024);
        struct rpc_answer answer;
        rpc_read(arena, str_z(cases[i].body), 7, &answer);
        if (answer.error != cases[i].want) {
            print_error("%s\n", cases[i].body);
        }
        assert_int_equal(answer.error, cases[i].want);
        assert_string_equal(answer.revert, cases[i].revert);
        assert_int_equal(answer.result != NULL, answer.error == RPC_OK);
        arena_free(arena);
    }
}

static void test_what_a_majority_has_reached(void **state)
{
    static const struct {
        uint64_t votes[4];
        size_t count, n;
        int r;
        uint64_t want;
    } cases[] = {
        { { 9 }, 1, 1, 0, 9 },         { { 9, 7 }, 2, 2, 0, 7 }, /* of two both */
        { { 9 }, 1, 2, -EAGAIN, 0 },                             /* one is silent */
        { { 9, 100, 8 }, 3, 3, 0, 9 }, /* one that runs ahead alone counts for nothing */
        { { 9, 0, 8 }, 3, 3, 0, 8 },   /* nor does one that stands still */
        { { 5, 9 }, 2, 3, 0, 5 },      { { 5, 9 }, 2, 4, -EAGAIN, 0 }, /* half is no majority */
        { { 0 }, 0, 1, -EAGAIN, 0 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t got = 0;
        assert_int_equal(quorum_height(cases[i].votes, cases[i].count, cases[i].n, &got),
                         cases[i].r);
        assert_int_equal(got, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_what_a_majority_has_reached),
    };
    return cmocka_run_group_tests_name("rpc", tests, NULL, NULL);
}
