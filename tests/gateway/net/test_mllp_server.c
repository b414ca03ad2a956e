#include "gateway/net/mllp.h"
#include "gateway/net/mllp_client.h"
#include "gateway/net/mllp_server.h"
#include "tests/gateway/net/loop.h"

#define FRAME(text) "\x0b" text "\x1c\r"

struct app {
    struct loop loop;
    struct mllp_server *server;
    struct mllp_msg *msgs[16];
    size_t n_msgs;
    char seen[256];
    size_t seen_n;
    int broken;
    bool refuse;
    bool echo;
    bool twice; /* as a receiver in enhanced mode */
    bool drained;
    /* of the client */
    bool done;
    bool stands; /* what still() says */
    enum mllp_fail fail;
    char answer[256];
};

static bool on_connect(void *owner, const struct address *peer, const struct tls_peer *tls)
{
    const struct app *app = owner;
    assert_int_equal(peer->at.ss_family, AF_INET);
    assert_null(tls);
    return !app->refuse;
}

static void on_message(void *owner, struct mllp_msg *msg, struct str bytes)
{
    struct app *app = owner;
    assert_true(app->seen_n + bytes.n < sizeof(app->seen));
    memcpy(app->seen + app->seen_n, bytes.p, bytes.n);
    app->seen_n += bytes.n;
    if (app->twice) {
        const struct str two[] = { bytes, STR("MSH|late") };
        mllp_reply_all(msg, two, 2);
    } else if (app->echo) {
        mllp_reply(msg, bytes);
    } else {
        app->msgs[app->n_msgs++] = msg;
    }
}

static void on_broken(void *owner, const struct address *peer, int error)
{
    struct app *app = owner;
    assert_non_null(peer);
    app->broken = error;
}

static void on_drained(void *owner)
{
    struct app *app = owner;
    app->drained = true;
}

static int open_app(void **state, int frame_ms)
{
    struct app *app = calloc(1, sizeof(*app));
    assert_non_null(app);
    app->loop = loop_open();
    struct mllp_server_config config = {
        .base = app->loop.base,
        .fd = app->loop.fd,
        .owner = app,
        .on_connect = on_connect,
        .on_message = on_message,
        .on_broken = on_broken,
        .outstanding_max = 3,
        .frame_ms = frame_ms,
    };
    app->server = mllp_server_new(&config);
    assert_non_null(app->server);
    *state = app;
    return 0;
}

static int setup(void **state)
{
    return open_app(state, LOOP_PATIENCE);
}

/* For what must run out. */
static int setup_hasty(void **state)
{
    return open_app(state, 60);
}

static int teardown(void **state)
{
    struct app *app = *state;
    mllp_server_free(app->server);
    loop_close(&app->loop);
    free(app);
    return 0;
}

static char space[4096];

static struct str receive(struct app *app, int fd, const char *last)
{
    return raw_receive(&app->loop, fd, str_of(space, sizeof(space)), last);
}

static struct str rest(struct app *app, int fd)
{
    return raw_rest(&app->loop, fd, str_of(space, sizeof(space)));
}

static void test_answers_leave_in_order(void **state)
{
    struct app *app = *state;
    int fd = raw_connect(&app->loop);
    raw_send(fd, STR(FRAME("1") FRAME("2") FRAME("3") FRAME("4")));
    loop_until(&app->loop, app->n_msgs == 3); /* the fourth waits */

    mllp_reply(app->msgs[2], STR("C"));
    mllp_reply(app->msgs[1], STR("B"));
    assert_true(raw_silent(&app->loop, fd, 20));
    assert_int_equal(app->n_msgs, 3);
    mllp_reply(app->msgs[0], STR("A"));
    struct str got = receive(app, fd, FRAME("C"));
    assert_str(got, FRAME("A") FRAME("B") FRAME("C"));
    loop_until(&app->loop, app->n_msgs == 4);
    mllp_reply(app->msgs[3], STR("D"));
    got = receive(app, fd, FRAME("D"));
    assert_str(got, FRAME("D"));
    assert_true(raw_silent(&app->loop, fd, 5));
    (void)close(fd);
}

static void test_several_answers_and_none(void **state)
{
    static const struct str two[] = { STR_INIT("A1"), STR_INIT("A2") };
    struct app *app = *state;
    int fd = raw_connect(&app->loop);
    raw_send(fd, STR(FRAME("1") FRAME("2") FRAME("3")));
    loop_until(&app->loop, app->n_msgs == 3);
    mllp_reply_all(app->msgs[1], NULL, 0);
    mllp_reply_all(app->msgs[0], two, 2);
    mllp_reply(app->msgs[2], STR("C"));
    struct str got = receive(app, fd, FRAME("C"));
    assert_str(got, FRAME("A1") FRAME("A2") FRAME("C"));
    assert_true(raw_silent(&app->loop, fd, 5));
    (void)close(fd);
}

static void test_pieces_of_every_size(void **state)
{
    static const struct str text = STR_INIT(FRAME("MSH|1\r") FRAME("MSH|2\r"));
    struct app *app = *state;
    app->echo = true;
    for (size_t cut = 1; cut < text.n; cut++) {
        int fd = raw_connect(&app->loop);
        raw_send(fd, str_slice(text, 0, cut));
        loop_run(&app->loop, 2);
        raw_send(fd, str_slice(text, cut, text.n));
        struct str got = receive(app, fd, FRAME("MSH|2\r"));
        assert_true(str_eq(got, text));
        app->seen_n = 0;
        (void)close(fd);
    }
}

static void test_message_outlives_its_connection(void **state)
{
    struct app *app = *state;
    int fd = raw_connect(&app->loop);
    raw_send(fd, STR(FRAME("1")));
    loop_until(&app->loop, app->n_msgs == 1);
    assert_true(mllp_msg_open(app->msgs[0]));
    struct linger reset = { .l_onoff = 1 };
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    (void)close(fd);
    loop_until(&app->loop, !mllp_msg_open(app->msgs[0]));
    assert_int_equal(mllp_msg_peer(app->msgs[0])->at.ss_family, AF_INET);
    mllp_reply(app->msgs[0], STR("A"));
}

static void test_half_closed_sender_is_answered(void **state)
{
    struct app *app = *state;
    int fd = raw_connect(&app->loop);
    raw_send(fd, STR(FRAME("1")));
    (void)shutdown(fd, SHUT_WR);
    loop_until(&app->loop, app->n_msgs == 1);
    mllp_reply(app->msgs[0], STR("A"));
    assert_str(rest(app, fd), FRAME("A"));
    (void)close(fd);
}

static void test_broken_framing_closes_after_earlier_answers(void **state)
{
    struct app *app = *state;
    int fd = raw_connect(&app->loop);
    raw_send(fd, STR(FRAME("1") "\x0b"
                                "2\x1cx"));
    loop_until(&app->loop, app->broken);
    assert_int_equal(app->broken, MLLP_E_TRAILER);
    mllp_reply(app->msgs[0], STR("A"));
    assert_str(rest(app, fd), FRAME("A"));
    (void)close(fd);
}

static void test_slow_frame_is_cut_but_idle_is_not(void **state)
{
    struct app *app = *state;
    int idle = raw_connect(&app->loop);
    int slow = raw_connect(&app->loop);
    raw_send(slow, STR("\x0bMSH"));
    (void)rest(app, slow);
    assert_int_equal(app->broken, MLLP_E_TRAILER);
    assert_true(raw_silent(&app->loop, idle, 5));
    (void)close(idle);
    (void)close(slow);
}

static void test_refused_peer_and_close_without_answer(void **state)
{
    struct app *app = *state;
    int fd = raw_connect(&app->loop);
    raw_send(fd, STR(FRAME("1") FRAME("2")));
    loop_until(&app->loop, app->n_msgs == 2);
    mllp_close(app->msgs[0]);
    (void)rest(app, fd);
    assert_false(mllp_msg_open(app->msgs[1]));
    mllp_reply(app->msgs[1], STR("B"));
    (void)close(fd);

    app->refuse = true;
    fd = raw_connect(&app->loop);
    (void)rest(app, fd);
    (void)close(fd);
}

static void test_drain(void **state)
{
    struct app *app = *state;
    int fd = raw_connect(&app->loop);
    raw_send(fd, STR(FRAME("1")));
    loop_until(&app->loop, app->n_msgs == 1);
    mllp_server_drain(app->server, on_drained, app);
    loop_run(&app->loop, 20);
    assert_false(app->drained);
    mllp_reply(app->msgs[0], STR("A"));
    assert_str(rest(app, fd), FRAME("A"));
    loop_until(&app->loop, app->drained);
    (void)close(fd);
}

/* --- the client ------------------------------------------------------------------------- */

static void on_answer(void *owner, enum mllp_fail fail, struct str answer)
{
    struct app *app = owner;
    app->done = true;
    app->fail = fail;
    (void)snprintf(app->answer, sizeof(app->answer), "%.*s", (int)answer.n,
                   answer.n ? answer.p : "");
}

static bool still(void *owner)
{
    return ((struct app *)owner)->stands;
}

static void send_and_wait(struct app *app, struct mllp_client *client, const char *text)
{
    app->done = false;
    assert_non_null(mllp_send(client, str_z(text), still, on_answer, app));
    assert_false(app->done);
    loop_until(&app->loop, app->done);
}

static struct mllp_client *client_of(const struct app *app, int answer_ms)
{
    struct mllp_client_config config = {
        .base = app->loop.base,
        .to = { .each = { app->loop.at }, .n = 1 },
        .answer_ms = answer_ms,
    };
    struct mllp_client *client = mllp_client_new(&config);
    assert_non_null(client);
    return client;
}

static void test_client(void **state)
{
    struct app *app = *state;
    struct mllp_client *client = client_of(app, LOOP_PATIENCE);
    app->echo = true;
    send_and_wait(app, client, "MSH|0"); /* it had to be connected first */
    assert_int_equal(app->fail, MLLP_FAIL_WITHDRAWN);
    assert_true(mllp_client_connected(client));
    send_and_wait(app, client, "MSH|1"); /* leaves at once: nobody is asked */
    assert_int_equal(app->fail, 0);
    assert_string_equal(app->answer, "MSH|1");
    send_and_wait(app, client, "MSH|2");
    assert_string_equal(app->answer, "MSH|2");
    assert_int_equal(mllp_server_connections(app->server), 1);

    app->echo = false;
    app->done = false;
    struct op *op = mllp_send(client, STR("MSH|3"), NULL, on_answer, app);
    loop_until(&app->loop, app->n_msgs == 1);
    op_cancel(op);
    mllp_reply(app->msgs[0], STR("nobody's"));
    loop_run(&app->loop, 20);
    assert_false(app->done);

    mllp_server_free(app->server);
    app->server = NULL;
    (void)close(app->loop.fd);
    app->loop.fd = -1;
    send_and_wait(app, client, "MSH|4");
    assert_int_equal(app->fail, MLLP_FAIL_CONNECT);
    mllp_client_free(client);
}

static void test_client_closes_when_no_answer_comes(void **state)
{
    struct app *app = *state;
    struct mllp_client *client = client_of(app, 50);
    app->stands = true;
    send_and_wait(app, client, "MSH|1"); /* so that a late one is not taken for the next */
    assert_int_equal(app->fail, MLLP_FAIL_TIMEOUT);
    assert_false(mllp_client_connected(client));
    mllp_reply(app->msgs[0], STR("late"));
    mllp_client_free(client);
}

/* Whether they come together or not: the first is the answer, the other is nobody's. */
static void test_client_of_a_receiver_that_answers_twice(void **state)
{
    struct app *app = *state;
    struct mllp_client *client = client_of(app, LOOP_PATIENCE);
    app->twice = true;
    app->stands = true;
    for (int i = 1; i <= 3; i++) {
        char text[] = "MSH|0";
        text[4] = (char)('0' + i);
        send_and_wait(app, client, text);
        assert_int_equal(app->fail, 0);
        assert_string_equal(app->answer, text);
        assert_false(mllp_client_connected(client));
    }
    mllp_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers_leave_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_several_answers_and_none, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pieces_of_every_size, setup, teardown),
        cmocka_unit_test_setup_teardown(test_message_outlives_its_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_closed_sender_is_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken_framing_closes_after_earlier_answers, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_slow_frame_is_cut_but_idle_is_not, setup_hasty,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_refused_peer_and_close_without_answer, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_drain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_client, setup, teardown),
        cmocka_unit_test_setup_teardown(test_client_closes_when_no_answer_comes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_client_of_a_receiver_that_answers_twice, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
