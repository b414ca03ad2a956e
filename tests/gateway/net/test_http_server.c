#include "gateway/net/http_server.h"
#include "tests/gateway/net/loop.h"

/* A server that does what the path says, and notes what it heard. */
struct app {
    struct loop loop;
    struct http_server *server;
    struct http_req *req;
    char body[256 << 10];
    size_t body_n;
    bool complete;
    bool aborted;
    bool drained;
    bool go_on; /* on_drain was heard */
    enum http_abort why;
    int requests;
    int refused;
    size_t to_send;
};

enum {
    BIG = 16 << 20, /* more than the kernel holds for a connection */
};

static char space[BIG + 4096];

static struct str receive(struct app *app, int fd, const char *last)
{
    return raw_receive(&app->loop, fd, str_of(space, sizeof(space)), last);
}

static struct str rest(struct app *app, int fd)
{
    return raw_rest(&app->loop, fd, str_of(space, sizeof(space)));
}

static void on_body(void *owner, struct str piece)
{
    struct app *app = owner;
    assert_true(app->body_n + piece.n <= sizeof(app->body));
    memcpy(app->body + app->body_n, piece.p, piece.n);
    app->body_n += piece.n;
}

static void send_big(struct app *app)
{
    static const char block[32 << 10];
    while (app->to_send) {
        app->to_send -= sizeof(block);
        if (!http_res_body(app->req, str_of(block, sizeof(block)))) {
            return;
        }
    }
    http_res_end(app->req);
}

static void on_end(void *owner)
{
    struct app *app = owner;
    struct http_req *req = app->req;
    static const struct http_field fields[] = {
        { STR_INIT("Content-Type"), STR_INIT("text/plain"), HTTP_NAME_OTHER },
    };
    struct str path = http_req_head(req)->path;
    app->complete = true;
    if (str_eq(path, STR("/echo"))) {
        http_res_full(req, 200, fields, 1, str_of(app->body, app->body_n));
    } else if (str_eq(path, STR("/chunked"))) {
        (void)http_res_head(req, 200, fields, 1, HTTP_LENGTH_UNKNOWN);
        (void)http_res_body(req, STR("one"));
        (void)http_res_body(req, STR("two!"));
        http_res_end(req);
    } else if (str_eq(path, STR("/big"))) {
        app->to_send = BIG;
        (void)http_res_head(req, 200, NULL, 0, (int64_t)app->to_send);
        send_big(app);
    } else if (str_eq(path, STR("/cut"))) {
        (void)http_res_head(req, 200, NULL, 0, 10);
        (void)http_res_body(req, STR("half"));
        http_res_flush(req);
        http_res_cut(req);
    } else if (str_eq(path, STR("/evil"))) {
        struct http_field evil = { STR("X"), STR("a\r\nSet-Cookie: b"), HTTP_NAME_OTHER };
        assert_false(http_res_head(req, 200, &evil, 1, 0));
        http_res_end(req);
    } else if (str_eq(path, STR("/none"))) {
        http_res_full(req, 204, NULL, 0, (struct str){ 0 });
    }
}

static void on_drain(void *owner)
{
    struct app *app = owner;
    app->go_on = true;
    send_big(app);
}

static void on_abort(void *owner, enum http_abort why)
{
    struct app *app = owner;
    app->aborted = true;
    app->why = why;
    app->req = NULL;
}

static const struct http_req_calls calls = { on_body, on_end, on_drain, on_abort };

static void on_request(void *owner, struct http_req *req)
{
    struct app *app = owner;
    struct str path = http_req_head(req)->path;
    app->req = req;
    app->body_n = 0;
    app->complete = false;
    app->requests++;
    if (str_eq(path, STR("/early"))) {
        http_res_full(req, 403, NULL, 0, STR("no"));
        return;
    }
    http_req_take(req, &calls, app);
    if (str_eq(path, STR("/pause"))) {
        http_req_pause(req);
    }
}

static void on_refused(void *owner, int status, const char *reason)
{
    struct app *app = owner;
    assert_non_null(reason);
    app->refused = status;
}

static void on_drained(void *owner)
{
    struct app *app = owner;
    app->drained = true;
}

static int open_app(void **state, int head_ms, int idle_ms)
{
    struct app *app = calloc(1, sizeof(*app));
    assert_non_null(app);
    app->loop = loop_open();
    struct http_server_config config = {
        .base = app->loop.base,
        .fd = app->loop.fd,
        .owner = app,
        .on_request = on_request,
        .on_refused = on_refused,
        .body_max = 200 << 10,
        .head_ms = head_ms,
        .idle_ms = idle_ms,
        .body_grace_ms = 60,
    };
    app->server = http_server_new(&config);
    assert_non_null(app->server);
    *state = app;
    return 0;
}

static int setup(void **state)
{
    return open_app(state, LOOP_PATIENCE, LOOP_PATIENCE);
}

/* For what must run out. */
static int setup_hasty(void **state)
{
    return open_app(state, 60, 120);
}

static int teardown(void **state)
{
    struct app *app = *state;
    http_server_free(app->server);
    loop_close(&app->loop);
    free(app);
    return 0;
}

/* --- tests ------------------------------------------------------------------------------ */

static void test_answers(void **state)
{
    static const struct {
        const char *request, *want, *unwanted;
    } cases[] = {
        { "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
          "HTTP/1.1 200 OK\r\nDate: ", "chunked" },
        { "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
          "\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
          "404" },
        { "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: "
          "close\r\n\r\nhello",
          "\r\n\r\nhello", "chunked" },
        { "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: "
          "close\r\n"
          "\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
          "\r\n\r\nhello", "chunked" },
        { "GET /chunked HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
          "chunked\r\n\r\n3\r\none\r\n4\r\ntwo!\r\n0\r\n\r\n", "Content-Length" },
        { "GET /chunked HTTP/1.0\r\nHost: a\r\n\r\n", "\r\n\r\nonetwo!", "chunked" },
        { "HEAD /chunked HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
          "Transfer-Encoding: chunked\r\n\r\n", "one" },
        { "GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", " 204 No Content\r\n",
          "Content-Length" },
        { "GET /evil HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", " 500 ", "Cookie" },
        { "GET / HTTP/1.1\r\n\r\n", " 400 Bad Request\r\n", "200" },
        { "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", " 501 Not Implemented\r\n", "200" },
        { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n", " 413 ", "200" },
        { "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 199999\r\n\r\n",
          " 403 Forbidden\r\n", "200" },
        { "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
          " 400 Bad Request\r\n", "200" },
        { "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
          "Connection: close\r\n\r\nab",
          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK", "417" },
    };
    struct app *app = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int fd = raw_connect(&app->loop);
        raw_send(fd, str_z(cases[i].request));
        struct str got = rest(app, fd);
        if (!has(got, cases[i].want) || has(got, cases[i].unwanted)) {
            print_error("case %zu: %.*s\n", i, (int)got.n, got.p);
            fail();
        }
        (void)close(fd);
    }
}

static void test_kept_connection_and_pipeline(void **state)
{
    struct app *app = *state;
    int fd = raw_connect(&app->loop);
    for (int i = 0; i < 3; i++) {
        raw_send(fd, STR("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"));
        struct str got = receive(app, fd, "\r\n\r\n");
        assert_true(has(got, "200 OK"));
    }
    raw_send(fd, STR("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nA"
                     "GET /none HTTP/1.1\r\nHost: a\r\n\r\n"
                     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nB"));
    struct str got = receive(app, fd, "\r\n\r\nB");
    assert_int_equal(app->requests, 6);
    assert_true(has(got, "\r\n\r\nAHTTP/1.1 204"));
    (void)close(fd);
}

static void test_idle_connection_is_closed(void **state)
{
    struct app *app = *state;
    int fd = raw_connect(&app->loop);
    raw_send(fd, STR("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    struct str got = rest(app, fd);
    assert_true(has(got, "200 OK") && str_ends(got, STR("\r\n\r\n")));
    (void)close(fd);
}

static void test_cut_answer_looks_cut(void **state)
{
    struct app *app = *state;
    int fd = raw_connect(&app->loop);
    raw_send(fd, STR("GET /cut HTTP/1.1\r\nHost: a\r\n\r\n"));
    struct str got = rest(app, fd);
    assert_true(has(got, "Content-Length: 10") && !has(got, "half......"));
    (void)close(fd);
}

static void test_back_pressure(void **state)
{
    struct app *app = *state;
    int fd = raw_connect(&app->loop);
    raw_send(fd, STR("GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    loop_until(&app->loop, app->complete);
    loop_run(&app->loop, 50); /* nobody reads */
    assert_true(app->to_send > 0);
    struct str got = rest(app, fd);
    assert_true(app->go_on);
    assert_in_range(got.n, BIG, BIG + 300);
    (void)close(fd);
}

static void test_paused_body_waits(void **state)
{
    struct app *app = *state;
    int fd = raw_connect(&app->loop);
    raw_send(fd, STR("POST /pause HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab"));
    loop_until(&app->loop, app->requests == 1);
    raw_send(fd, STR("cd"));
    loop_run(&app->loop, 150); /* longer than the time for a body: not the client's fault */
    assert_int_equal(app->body_n, 0);
    assert_false(app->aborted);
    http_req_resume(app->req);
    loop_until(&app->loop, app->complete);
    assert_int_equal(app->body_n, 4);
    http_res_full(app->req, 200, NULL, 0, (struct str){ 0 });
    (void)close(fd);
}

static void test_slow_and_broken_clients(void **state)
{
    static const struct {
        const char *request;
        enum http_abort why;
        bool aborted;
        const char *want;
    } cases[] = {
        { "GET / HTT", HTTP_ABORT_SLOW, false, " 408 " },
        { "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nslow", HTTP_ABORT_SLOW, true,
          " 408 " },
        { "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx",
          HTTP_ABORT_BROKEN, true, " 400 " },
    };
    struct app *app = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int fd = raw_connect(&app->loop);
        app->aborted = false;
        raw_send(fd, str_z(cases[i].request));
        struct str got = rest(app, fd);
        assert_true(has(got, cases[i].want));
        assert_int_equal(app->aborted, cases[i].aborted);
        assert_true(!app->aborted || app->why == cases[i].why);
        (void)close(fd);
    }
}

static void test_client_that_leaves(void **state)
{
    struct app *app = *state;
    int fd = raw_connect(&app->loop);
    raw_send(fd, STR("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"));
    loop_until(&app->loop, app->body_n == 4);
    (void)close(fd);
    loop_until(&app->loop, http_server_connections(app->server) == 0);
    assert_true(app->aborted && app->why == HTTP_ABORT_GONE);
}

static void test_half_closed_client_is_answered(void **state)
{
    struct app *app = *state;
    int fd = raw_connect(&app->loop);
    raw_send(fd, STR("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    struct str got = rest(app, fd);
    assert_true(has(got, "200 OK"));
    (void)close(fd);
}

static void test_drain(void **state)
{
    struct app *app = *state;
    int idle = raw_connect(&app->loop);
    int busy = raw_connect(&app->loop);
    raw_send(busy, STR("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"));
    loop_until(&app->loop, app->requests == 1 && http_server_connections(app->server) == 2);
    http_server_drain(app->server, on_drained, app);
    (void)rest(app, idle);
    assert_false(app->drained);
    http_res_full(app->req, 200, NULL, 0, STR("ok"));
    struct str got = rest(app, busy);
    assert_true(has(got, "Connection: close"));
    loop_until(&app->loop, app->drained);
    (void)close(idle);
    (void)close(busy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kept_connection_and_pipeline, setup, teardown),
        cmocka_unit_test_setup_teardown(test_idle_connection_is_closed, setup_hasty, teardown),
        cmocka_unit_test_setup_teardown(test_cut_answer_looks_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_back_pressure, setup, teardown),
        cmocka_unit_test_setup_teardown(test_paused_body_waits, setup_hasty, teardown),
        cmocka_unit_test_setup_teardown(test_slow_and_broken_clients, setup_hasty, teardown),
        cmocka_unit_test_setup_teardown(test_client_that_leaves, setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_closed_client_is_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drain, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
