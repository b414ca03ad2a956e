#include "gateway/net/http_client.h"
#include "gateway/net/http_server.h"
#include "tests/gateway/net/loop.h"

/* An upstream that answers each head with the next of its canned texts. */
struct upstream {
    struct loop loop;
    struct listener *listener;
    struct conn *conns[8];
    size_t n_conns;
    const char *answers[8]; /* NULL: close without an answer; "" : say nothing */
    bool close_after[8];
    size_t n_answers;
    char seen[64 << 10];
    size_t seen_n;
};

struct heard {
    bool done;
    enum http_fail fail;
    int status;
    char body[1 << 20];
    size_t body_n;
    bool drained;
    bool stands; /* what still() says */
    int asked;   /* how often it was asked */
};

static size_t up_read(void *owner, struct str bytes)
{
    struct upstream *up = owner;
    assert_true(up->seen_n + bytes.n < sizeof(up->seen));
    memcpy(up->seen + up->seen_n, bytes.p, bytes.n);
    up->seen_n += bytes.n;
    if (!has(bytes, "\r\n\r\n")) {
        return bytes.n;
    }
    const char *answer = up->answers[up->n_answers];
    bool close = up->close_after[up->n_answers++];
    struct conn *conn = up->conns[up->n_conns - 1];
    if (!answer) {
        conn_free(conn);
        up->conns[up->n_conns - 1] = NULL;
        return bytes.n;
    }
    (void)conn_write(conn, str_z(answer));
    if (close) {
        conn_close(conn);
        up->conns[up->n_conns - 1] = NULL;
    }
    return bytes.n;
}

static void up_end(void *owner, enum conn_end why)
{
    struct upstream *up = owner;
    (void)why;
    up->conns[up->n_conns - 1] = NULL;
}

static const struct conn_calls up_calls = { .on_read = up_read, .on_end = up_end };

static void up_accept(void *owner, int fd, const struct address *peer)
{
    struct upstream *up = owner;
    struct conn_config config = { .base = up->loop.base, .calls = &up_calls, .owner = up };
    up->conns[up->n_conns++] = conn_accepted(&config, fd, peer);
}

static int setup(void **state)
{
    struct upstream *up = calloc(1, sizeof(*up));
    assert_non_null(up);
    up->loop = loop_open();
    up->listener = listener_new(up->loop.base, up->loop.fd, 100, up_accept, up);
    *state = up;
    return 0;
}

static int teardown(void **state)
{
    struct upstream *up = *state;
    for (size_t i = 0; i < up->n_conns; i++) {
        conn_free(up->conns[i]);
    }
    listener_free(up->listener);
    loop_close(&up->loop);
    free(up);
    return 0;
}

static struct http_client *client_with(const struct upstream *up, size_t connections,
                                       int wait_ms, int answer_ms)
{
    struct http_client_config config = {
        .base = up->loop.base,
        .to = { .each = { up->loop.at }, .n = 1 },
        .host = "ehr.example:8080",
        .connections_max = connections,
        .wait_ms = wait_ms,
        .first_byte_ms = answer_ms,
        .stalled_ms = answer_ms,
    };
    struct http_client *client = http_client_new(&config);
    assert_non_null(client);
    return client;
}

static struct http_client *client_of(const struct upstream *up, size_t connections)
{
    return client_with(up, connections, LOOP_PATIENCE, LOOP_PATIENCE);
}

static void on_head(void *owner, const struct http_head *head)
{
    struct heard *heard = owner;
    heard->status = head->status;
}

static void on_body(void *owner, struct str piece)
{
    struct heard *heard = owner;
    assert_true(heard->body_n + piece.n <= sizeof(heard->body));
    memcpy(heard->body + heard->body_n, piece.p, piece.n);
    heard->body_n += piece.n;
}

static void on_end(void *owner)
{
    struct heard *heard = owner;
    heard->done = true;
}

static void on_fail(void *owner, enum http_fail fail)
{
    struct heard *heard = owner;
    heard->done = true;
    heard->fail = fail;
}

static void on_drain(void *owner)
{
    struct heard *heard = owner;
    heard->drained = true;
}

static const struct http_call_calls calls = { on_head, on_body, on_end, on_fail, on_drain };

static const struct http_ask get = {
    .method = STR_INIT("GET"),
    .target = STR_INIT("/fhir/Patient/1"),
};

/* --- tests ------------------------------------------------------------------------------ */

/* Whether the rest of @answer never comes. */
static bool late(const char *answer)
{
    return answer && (answer[0] == '\0' || has(str_z(answer), "slow"));
}

static void test_answers(void **state)
{
    static const struct {
        const char *answer;
        bool close;
        enum http_fail fail;
        int status;
        const char *body;
    } cases[] = {
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, 0, 200, "hello" },
        { "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
          false, 0, 200, "hello" },
        { "HTTP/1.0 404 Not Found\r\n\r\ngone", true, 0, 404, "gone" },
        { "HTTP/1.1 204 No Content\r\n\r\n", false, 0, 204, "" },
        { "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n"
          "Content-Length: 2\r\n\r\nok",
          false, 0, 200, "ok" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", true, HTTP_FAIL_CUT, 200,
          "half" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", true,
          HTTP_FAIL_CUT, 200, "half" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nslow", false, HTTP_FAIL_CUT, 200,
          "slow" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", false,
          HTTP_FAIL_PROTOCOL, 0, "" },
        { "HTTP/2 200\r\n\r\n", false, HTTP_FAIL_PROTOCOL, 0, "" },
        { "220 smtp.example ESMTP\r\n", false, HTTP_FAIL_PROTOCOL, 0, "" },
        { "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", false, HTTP_FAIL_PROTOCOL, 0, "" },
        { "HTTP/1.1 2", true, HTTP_FAIL_CLOSED, 0, "" },
        { "", false, HTTP_FAIL_TIMEOUT, 0, "" },
        { NULL, false, HTTP_FAIL_CLOSED, 0, "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(setup(state), 0);
        struct upstream *up = *state;
        struct http_client *client =
            client_with(up, 4, LOOP_PATIENCE, late(cases[i].answer) ? 100 : LOOP_PATIENCE);
        struct heard *heard = calloc(1, sizeof(*heard));
        up->answers[0] = cases[i].answer;
        up->close_after[0] = cases[i].close;
        assert_non_null(http_call_start(client, &get, &calls, heard));
        assert_false(heard->done);
        loop_until(&up->loop, heard->done);
        if (heard->fail != cases[i].fail || heard->status != cases[i].status) {
            print_error("case %zu: fail %d status %d\n", i, heard->fail, heard->status);
            fail();
        }
        assert_str(str_of(heard->body, heard->body_n), cases[i].body);
        assert_int_equal(http_client_calls(client), 0);
        http_client_free(client);
        free(heard);
        assert_int_equal(teardown(state), 0);
    }
}

static void ask_and_wait(struct upstream *up, struct http_client *client,
                         const struct http_ask *ask, struct heard *heard)
{
    *heard = (struct heard){ 0 };
    assert_non_null(http_call_start(client, ask, &calls, heard));
    loop_until(&up->loop, heard->done);
}

static void test_connections_are_kept(void **state)
{
    struct upstream *up = *state;
    struct http_client *client = client_of(up, 4);
    struct heard *heard = calloc(1, sizeof(*heard));
    for (size_t i = 0; i < 3; i++) {
        up->answers[i] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        ask_and_wait(up, client, &get, heard);
        assert_int_equal(heard->fail, 0);
    }
    assert_int_equal(up->n_conns, 1);
    assert_true(has(str_of(up->seen, up->seen_n),
                    "GET /fhir/Patient/1 HTTP/1.1\r\nHost: ehr.example:8080\r\n\r\n"));
    http_client_free(client);
    free(heard);
}

static void test_repeats_only_what_is_safe(void **state)
{
    static const struct {
        struct http_ask ask;
        enum http_fail fail;
    } cases[] = {
        { { .method = STR_INIT("GET"), .target = STR_INIT("/") }, 0 },
        { { .method = STR_INIT("PUT"), .target = STR_INIT("/"), .body = STR_INIT("x") }, 0 },
        { { .method = STR_INIT("POST"), .target = STR_INIT("/"), .body = STR_INIT("x") },
          HTTP_FAIL_CLOSED },
        { { .method = STR_INIT("POST"), .target = STR_INIT("/"), .repeatable = true }, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(setup(state), 0);
        struct upstream *up = *state;
        struct http_client *client = client_of(up, 4);
        struct heard *heard = calloc(1, sizeof(*heard));
        up->answers[0] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        up->answers[1] = NULL; /* closes the kept connection instead of answering */
        up->answers[2] = up->answers[0];
        ask_and_wait(up, client, &get, heard);
        ask_and_wait(up, client, &cases[i].ask, heard);
        assert_int_equal(heard->fail, cases[i].fail);
        http_client_free(client);
        free(heard);
        assert_int_equal(teardown(state), 0);
    }
}

static void test_waits_for_a_connection_but_not_for_ever(void **state)
{
    struct upstream *up = *state;
    struct http_client *client = client_with(up, 1, 50, 500);
    struct heard *first = calloc(1, sizeof(*first));
    struct heard *second = calloc(1, sizeof(*second));
    up->answers[0] = ""; /* never answers */
    assert_non_null(http_call_start(client, &get, &calls, first));
    assert_non_null(http_call_start(client, &get, &calls, second));
    loop_until(&up->loop, second->done);
    assert_int_equal(second->fail, HTTP_FAIL_BUSY);
    assert_false(first->done);
    loop_until(&up->loop, first->done);
    assert_int_equal(first->fail, HTTP_FAIL_TIMEOUT);
    http_client_free(client);
    free(first);
    free(second);
}

static bool still(void *owner)
{
    struct heard *heard = owner;
    heard->asked++;
    return heard->stands;
}

static void test_what_waited_for_a_connection_may_be_withdrawn(void **state)
{
    static const struct http_ask asks_again = {
        .method = STR_INIT("GET"),
        .target = STR_INIT("/fhir"),
        .still = still,
    };
    struct upstream *up = *state;
    struct http_client *client = client_of(up, 1);
    struct heard *heard = calloc(3, sizeof(*heard));
    const char *good = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    up->answers[0] = up->answers[1] = up->answers[2] = good;

    ask_and_wait(up, client, &asks_again, &heard[0]); /* it had to be connected first */
    assert_int_equal(heard[0].fail, HTTP_FAIL_WITHDRAWN);
    assert_true(http_fail_unsent(heard[0].fail));
    assert_int_equal(up->seen_n, 0);

    heard[0] = (struct heard){ .stands = true };
    assert_non_null(http_call_start(client, &asks_again, &calls, &heard[0]));
    loop_until(&up->loop, heard[0].done);
    assert_int_equal(heard[0].status, 200);
    assert_int_equal(heard[0].asked, 1);

    heard[0] = (struct heard){ 0 };
    heard[2].stands = true;
    assert_non_null(
        http_call_start(client, &asks_again, &calls, &heard[0])); /* leaves at once */
    assert_non_null(http_call_start(client, &asks_again, &calls, &heard[1])); /* these wait */
    assert_non_null(http_call_start(client, &asks_again, &calls, &heard[2]));
    loop_until(&up->loop, heard[2].done);
    assert_int_equal(heard[0].status, 200);
    assert_int_equal(heard[0].asked, 0);
    assert_true(heard[1].done);
    assert_int_equal(heard[1].fail, HTTP_FAIL_WITHDRAWN);
    assert_int_equal(heard[2].status, 200);
    assert_int_equal(up->n_answers, 3);
    assert_int_equal(http_client_calls(client), 0);
    http_client_free(client);
    free(heard);
}

static void test_cancel_says_nothing(void **state)
{
    struct upstream *up = *state;
    struct http_client *client = client_with(up, 1, LOOP_PATIENCE, 100);
    struct heard *heard = calloc(1, sizeof(*heard));
    up->answers[0] = ""; /* never answers */
    struct http_call *call = http_call_start(client, &get, &calls, heard);
    struct http_call *waits = http_call_start(client, &get, &calls, heard);
    assert_true(call && waits);
    op_cancel(http_call_op(waits));
    loop_run(&up->loop, 10);
    op_cancel(http_call_op(call));
    loop_run(&up->loop, 150);
    assert_false(heard->done);
    assert_int_equal(http_client_calls(client), 0);
    http_client_free(client);
    free(heard);
}

static void test_refused_connection(void **state)
{
    struct upstream *up = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    listener_free(up->listener);
    up->listener = NULL;
    (void)close(up->loop.fd);
    up->loop.fd = -1;
    struct http_client *client = client_of(up, 1);
    ask_and_wait(up, client, &get, heard);
    assert_int_equal(heard->fail, HTTP_FAIL_CONNECT);
    assert_true(http_fail_unsent(heard->fail));
    http_client_free(client);
    free(heard);
}

static void test_streamed_body(void **state)
{
    static const struct http_ask ask = {
        .method = STR_INIT("POST"),
        .target = STR_INIT("/fhir"),
        .streamed = true,
        .length = HTTP_CALL_CHUNKED,
    };
    struct upstream *up = *state;
    struct http_client *client = client_of(up, 1);
    struct heard *heard = calloc(1, sizeof(*heard));
    struct http_call *call = http_call_start(client, &ask, &calls, heard);
    assert_non_null(call);
    assert_true(http_call_body(call, STR("one")));
    assert_true(http_call_body(call, STR("three")));
    up->answers[0] = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
    http_call_body_end(call);
    loop_until(&up->loop, heard->done);
    assert_int_equal(heard->status, 201);
    assert_true(has(str_of(up->seen, up->seen_n),
                    "chunked\r\n\r\n3\r\none\r\n5\r\nthree\r\n0\r\n\r\n"));
    http_client_free(client);
    free(heard);
}

static void test_field_that_breaks_the_head(void **state)
{
    struct upstream *up = *state;
    struct http_client *client = client_of(up, 1);
    struct http_field evil = { STR("X"), STR("a\r\nHost: b"), HTTP_NAME_OTHER };
    struct http_ask ask = get;
    ask.fields = &evil;
    ask.n_fields = 1;
    assert_null(http_call_start(client, &ask, &calls, NULL));
    ask.n_fields = 0;
    ask.target = STR("/a b");
    assert_null(http_call_start(client, &ask, &calls, NULL));
    http_client_free(client);
}

static void on_fetched(void *owner, const struct http_answer *answer)
{
    struct heard *heard = owner;
    heard->done = true;
    heard->fail = answer->fail;
    if (!answer->fail) {
        heard->status = answer->head->status;
        on_body(heard, answer->body);
    }
}

static void test_fetch(void **state)
{
    struct upstream *up = *state;
    struct http_client *client = client_of(up, 1);
    struct heard *heard = calloc(1, sizeof(*heard));
    up->answers[0] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    up->answers[1] = up->answers[0];
    up->answers[2] =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    static const enum http_fail want[] = { 0, HTTP_FAIL_TOO_LONG, HTTP_FAIL_TOO_LONG };
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        *heard = (struct heard){ 0 };
        assert_non_null(http_fetch(client, &get, i ? 4 : 5, on_fetched, heard));
        loop_until(&up->loop, heard->done);
        assert_int_equal(heard->fail, want[i]);
    }
    op_cancel(http_fetch(client, &get, 5, on_fetched, heard));
    http_client_free(client);
    free(heard);
}

static void test_paused_answer_waits(void **state)
{
    struct upstream *up = *state;
    struct http_client *client = client_with(up, 1, LOOP_PATIENCE, 100);
    struct heard *heard = calloc(1, sizeof(*heard));
    up->answers[0] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    struct http_call *call = http_call_start(client, &get, &calls, heard);
    http_call_pause(call);
    loop_run(&up->loop, 150); /* longer than the first byte may take */
    assert_int_equal(heard->body_n, 0);
    assert_false(heard->done);
    http_call_resume(call);
    loop_until(&up->loop, heard->done);
    assert_str(str_of(heard->body, heard->body_n), "hello");
    http_client_free(client);
    free(heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test_setup_teardown(test_connections_are_kept, setup, teardown),
        cmocka_unit_test(test_repeats_only_what_is_safe),
        cmocka_unit_test_setup_teardown(test_waits_for_a_connection_but_not_for_ever, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_what_waited_for_a_connection_may_be_withdrawn,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel_says_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(test_streamed_body, setup, teardown),
        cmocka_unit_test_setup_teardown(test_field_that_breaks_the_head, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fetch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_paused_answer_waits, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
