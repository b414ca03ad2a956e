/* Blocks, receipts, events and fees of nodes that may lie. */
#include "gateway/ledger/answers.h"

#include "anchor/contracts/contracts_generated.h"
#include "fhir/format/json.h"
#include "tests/check.h"

#include <errno.h>

#define B32 "0x1111111111111111111111111111111111111111111111111111111111111111"
#define REGISTRY "0x2222222222222222222222222222222222222222"

static const struct node *parse(struct arena *arena, const char *text)
{
    struct issues issues;
    const struct node *root = NULL;
    issues_init(&issues, arena);
    assert_int_equal(json_parse(arena, str_z(text), &issues, &root), 0);
    return root;
}

static void test_quantities(void **state)
{
    static const struct {
        const char *text;
        int r;
        uint64_t want;
    } cases[] = {
        { "\"0x0\"", 0, 0 },
        { "\"0x1a\"", 0, 26 },
        { "\"0xffffffffffffffff\"", 0, UINT64_MAX },
        { "\"0x10000000000000000\"", -EBADMSG, 0 },
        { "\"0x\"", -EBADMSG, 0 },
        { "\"1a\"", -EBADMSG, 0 },
        { "\"0x1g\"", -EBADMSG, 0 },
        { "\"-0x1\"", -EBADMSG, 0 },
        { "26", -EBADMSG, 0 },
        { "null", -EBADMSG, 0 },
        { "[\"0x1\"]", -EBADMSG, 0 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena = arena_new(1024);
        uint64_t got = 0;
        assert_int_equal(answers_quantity(parse(arena, cases[i].text), &got), cases[i].r);
        assert_int_equal(got, cases[i].want);
        arena_free(arena);
    }
}

static void test_data(void **state)
{
    static const struct {
        const char *text;
        int r;
        const char *want;
    } cases[] = {
        { "\"0x\"", 0, "" }, /* a contract that isn't there, or answers nothing */
        { "\"0x00Ff\"", 0, "00ff" },
        { "\"0x0\"", -EBADMSG, "" },
        { "\"1x\"", -EBADMSG, "" },
        { "\"0x0g\"", -EBADMSG, "" },
        { "\"\"", -EBADMSG, "" },
        { "null", -EBADMSG, "" },
        { "\"0x000102030405060708\"", -ENOMEM, "" }, /* one byte more than there is room for */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena = arena_new(1024);
        struct buf out = arena_buf(arena, 8);
        assert_int_equal(answers_data(parse(arena, cases[i].text), &out), cases[i].r);
        if (cases[i].r == 0) {
            assert_hex(out.p, out.n, cases[i].want);
        }
        arena_free(arena);
    }
}

static void test_blocks(void **state)
{
    static const struct {
        const char *text;
        int r;
    } cases[] = {
        { "{\"number\":\"0x5\",\"hash\":\"" B32 "\",\"parentHash\":\"" B32
          "\",\"timestamp\":\"0x9\"}",
          0 },
        { "null", -EBADMSG },
        { "{\"number\":\"0x5\",\"hash\":\"0x11\",\"parentHash\":\"" B32
          "\",\"timestamp\":\"0x9\"}",
          -EBADMSG },
        { "{\"number\":\"0x5\",\"hash\":\"" B32 "\",\"timestamp\":\"0x9\"}", -EBADMSG },
        { "{\"number\":null,\"hash\":null,\"parentHash\":\"" B32 "\",\"timestamp\":\"0x9\"}",
          -EBADMSG }, /* pending */
        { "{\"number\":\"0xffffffffffffffff\",\"hash\":\"" B32 "\",\"parentHash\":\"" B32
          "\",\"timestamp\":\"0x9\"}",
          -EBADMSG },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena = arena_new(1024);
        struct store_block block;
        assert_int_equal(answers_block(parse(arena, cases[i].text), &block), cases[i].r);
        arena_free(arena);
    }
}

/* A log of a revocation, with one member replaced. */
static const char *log_with(const char *member, const char *value)
{
    static char text[2048];
    static const char *const usual[][2] = {
        { "address", "\"" REGISTRY "\"" },
        { "topics", NULL },
        { "data", "\"0x"
                  "0000000000000000000000000000000000000000000000000000000000000003"
                  "0000000000000000000000000000000000000000000000000000000000000001\"" },
        { "blockNumber", "\"0x5\"" },
        { "blockHash", "\"" B32 "\"" },
        { "transactionHash", "\"" B32 "\"" },
        { "logIndex", "\"0x2\"" },
        { "removed", "false" },
    };
    char topic[65];
    size_t n = 0;
    for (size_t i = 0; i < 32; i++) {
        (void)snprintf(topic + 2 * i, 3, "%02x", contracts_registry_topic_consent_revoked[i]);
    }
    text[n++] = '{';
    for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
        char topics[200];
        (void)snprintf(topics, sizeof(topics), "[\"0x%s\",\"" B32 "\"]", topic);
        const char *v = usual[i][1] ? usual[i][1] : topics;
        v = strcmp(usual[i][0], member) == 0 ? value : v;
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\"%s\":%s", i ? "," : "",
                              usual[i][0], v);
    }
    text[n++] = '}';
    text[n] = '\0';
    return text;
}

static void test_events(void **state)
{
    static const struct {
        const char *member, *value;
        int r;
        size_t count;
    } cases[] = {
        { "", "", 0, 1 },
        { "topics", "[\"" B32 "\"]", 0, 0 }, /* about something else */
        { "topics", "[]", 0, 0 },
        { "topics", "\"" B32 "\"", -EBADMSG, 0 },
        { "address", "\"0x3333333333333333333333333333333333333333\"", -EBADMSG, 0 },
        { "blockNumber", "\"0x4\"", -EBADMSG, 0 }, /* not asked for */
        { "blockNumber", "\"0x7\"", -EBADMSG, 0 },
        { "blockNumber", "null", -EBADMSG, 0 },
        { "removed", "true", -EBADMSG, 0 },
        { "data", "\"0x\"", -EBADMSG, 0 },
        { "data", "\"0x0\"", -EBADMSG, 0 },
        { "logIndex", "\"0x100000000\"", -EBADMSG, 0 },
    };
    struct answers_range range = { .from = 5, .to = 6 };
    (void)state;
    memset(range.registry, 0x22, sizeof(range.registry));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena = arena_new(4096);
        struct store_event events[2];
        size_t count = 0;
        char text[2100];
        (void)snprintf(text, sizeof(text), "[%s]", log_with(cases[i].member, cases[i].value));
        int r = answers_events(parse(arena, text), &range, events, ARRAY_LEN(events), &count);
        if (r != cases[i].r) {
            print_error("%s\n", text);
        }
        assert_int_equal(r, cases[i].r);
        assert_int_equal(count, cases[i].count);
        if (count) {
            assert_int_equal(events[0].kind, STORE_EVENT_REVOKED);
            assert_int_equal(events[0].version, 3);
            assert_int_equal(events[0].source, 1);
            assert_int_equal(events[0].consent[31], 0x11);
        }
        arena_free(arena);
    }
}

static void test_events_come_in_order_and_once(void **state)
{
    struct answers_range range = { .from = 5, .to = 6 };
    struct store_event events[2];
    char text[6400];
    char one[2100];
    size_t count;
    (void)state;
    memset(range.registry, 0x22, sizeof(range.registry));
    (void)snprintf(one, sizeof(one), "%s", log_with("", ""));
    struct arena *arena = arena_new(8192);
    (void)snprintf(text, sizeof(text), "[%s,%s]", one, one);
    assert_int_equal(answers_events(parse(arena, text), &range, events, 2, &count), -EBADMSG);
    (void)snprintf(text, sizeof(text), "[%s,%s]", one, log_with("logIndex", "\"0x3\""));
    assert_int_equal(answers_events(parse(arena, text), &range, events, 2, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(answers_events(parse(arena, text), &range, events, 1, &count),
                     ANSWERS_E_TOO_MANY);
    arena_free(arena);
}

static void test_fees(void **state)
{
    uint64_t base = 0;
    uint64_t tip = 0;
    (void)state;
    struct arena *arena = arena_new(4096);
    const struct node *good =
        parse(arena, "{\"baseFeePerGas\":[\"0x1\",\"0x2\",\"0x3\",\"0x7\"],"
                     "\"reward\":[[\"0x9\"],[\"0x1\"],[\"0x5\"]]}");
    assert_int_equal(answers_fees(good, &base, &tip), 0);
    assert_int_equal(base, 7);
    assert_int_equal(tip, 5);
    assert_int_equal(answers_fees(parse(arena, "{\"baseFeePerGas\":[]}"), &base, &tip),
                     -EBADMSG);
    assert_int_equal(answers_fees(parse(arena, "{\"baseFeePerGas\":[\"0x1\"]}"), &base, &tip),
                     0);
    assert_int_equal(tip, 0);
    assert_int_equal(answers_fees(parse(arena, "{\"baseFeePerGas\":[\"0x1\"],\"reward\":[[]]}"),
                                  &base, &tip),
                     -EBADMSG);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantities),
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_events_come_in_order_and_once),
        cmocka_unit_test(test_fees),
    };
    return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
