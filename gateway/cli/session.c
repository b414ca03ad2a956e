/* Waiting is running the loop; a tick wakes it so that a time limit is noticed. */
#include "gateway/cli/session.h"

#include "gateway/cli/cli.h"
#include "gateway/clock.h"
#include "gateway/id.h"
#include "gateway/log.h"
#include "gateway/store/migrate.h"
#include "gateway/vault.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum {
    URL_MAX = 4096,
    TICK_US = 50 * 1000,
    UP_MAX_MS = 10 * 1000,
    WAIT_MAX_MS = 60 * 1000,
    ARENA_FIRST = 64 << 10,
};

int cli_complain(const struct cli_session *s, int code, const char *text)
{
    (void)fprintf(stderr, "chartseal %s: %s\n", s->command, text);
    return code;
}

static const struct {
    int r;
    int code;
    const char *text;
} reasons[] = {
    { -ENOTCONN, EX_UNAVAILABLE, "no connection" },
    { -ECONNRESET, EX_UNAVAILABLE, "the connection was lost" },
    { -ETIMEDOUT, EX_TEMPFAIL, "no answer in time" },
    { -EAGAIN, EX_TEMPFAIL, "busy, try again" },
    { -ENOENT, EX_NOINPUT, "there is none of that id" },
    { -ENOKEY, EX_NOPERM, "its key was destroyed" },
    { -EBADMSG, EX_DATAERR, "damaged, or sealed under another key" },
    { -ENOMEM, EX_OSERR, "no memory" },
    { -EMSGSIZE, EX_DATAERR, "too large" },
    { -EIO, EX_IOERR, "the database refused" },
};

int cli_failed(const struct cli_session *s, const char *what, int r)
{
    const char *text = strerror(r < 0 ? -r : r);
    int code = EX_SOFTWARE;
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].r == r) {
            text = reasons[i].text;
            code = reasons[i].code;
        }
    }
    (void)fprintf(stderr, "chartseal %s: %s: %s\n", s->command, what, text);
    return code;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

static int open_loop(struct cli_session *s)
{
    const struct timeval pause = { .tv_usec = TICK_US };
    s->loop = event_base_new();
    s->tick = s->loop ? event_new(s->loop, -1, EV_PERSIST, on_tick, NULL) : NULL;
    return s->tick && event_add(s->tick, &pause) == 0 ? 0 : -ENOMEM;
}

/* Schema and tenant are looked at first: their complaints say what to do. */
static int open_db(struct cli_session *s)
{
    char url[URL_MAX];
    struct migrate_result result;
    if (config_database_url(s->config, url, sizeof(url)) < 0) {
        return cli_complain(s, EX_CONFIG, "database.url_file can't be used");
    }
    int r = migrate_check(url, s->config->tenant, &result);
    if (r == 0) {
        struct db_options options = { .url = url, .name = "chartseal command" };
        s->db = db_new(s->loop, &options);
    }
    explicit_bzero(url, sizeof(url));
    if (r != 0) {
        (void)fprintf(stderr, "chartseal %s: database: %s%s%s\n", s->command,
                      r > 0 ? migrate_text(r) : "", r > 0 && *result.why ? ": " : "",
                      result.why);
        return r > 0 ? EX_CONFIG : EX_UNAVAILABLE;
    }
    if (!s->db) {
        return cli_complain(s, EX_CONFIG, "database.url_file holds no usable URL");
    }
    int64_t end = clock_mono_ms() + UP_MAX_MS;
    while (!db_up(s->db) && clock_mono_ms() < end) {
        (void)event_base_loop(s->loop, EVLOOP_ONCE);
    }
    return db_up(s->db) ? EX_OK : cli_failed(s, "database", -ETIMEDOUT);
}

int cli_begin(const char *command, const char *file, struct cli_session *out)
{
    *out = (struct cli_session){ .command = command };
    log_set_level(LOG_ERROR);
    out->config = cli_config_file(file);
    if (!out->config) {
        return file ? EX_CONFIG : EX_USAGE;
    }
    id_random(out->instance);
    out->arena = arena_new(ARENA_FIRST);
    if (!out->arena || open_loop(out) < 0) {
        return cli_failed(out, "start", -ENOMEM);
    }
    return open_db(out);
}

int cli_unlock(struct cli_session *s)
{
    int r = vault_new(s->config->keys->root, s->config->tenant, &s->vault);
    if (r != 0) {
        return cli_complain(s, EX_CONFIG, "keys.root can't be read, or holds no key");
    }
    struct cli_answer answer = { 0 };
    r = cli_wait(s, vault_start(s->vault, s->db, cli_on_end, &answer), &answer);
    if (r == -EBADMSG) {
        return cli_complain(s, EX_CONFIG, "keys.root does not open this database's keys");
    }
    return r == 0 ? EX_OK : cli_failed(s, "keys", r);
}

int cli_open_batch(struct cli_session *s)
{
    char url[URL_MAX];
    if (s->batch) {
        return EX_OK;
    }
    if (config_database_url(s->config, url, sizeof(url)) < 0) {
        return cli_complain(s, EX_CONFIG, "database.url_file can't be used");
    }
    s->batch = batch_new(s->loop, url, "chartseal command", s->instance);
    explicit_bzero(url, sizeof(url));
    int64_t end = clock_mono_ms() + UP_MAX_MS;
    while (s->batch && !batch_up(s->batch) && clock_mono_ms() < end) {
        (void)event_base_loop(s->loop, EVLOOP_ONCE);
    }
    return s->batch && batch_up(s->batch) ? EX_OK : cli_failed(s, "database", -ENOTCONN);
}

void cli_end(struct cli_session *s)
{
    batch_free(s->batch);
    if (s->db) {
        db_free(s->db);
    }
    vault_free(s->vault);
    if (s->tick) {
        event_free(s->tick);
    }
    if (s->loop) {
        event_base_free(s->loop);
    }
    arena_free(s->arena);
    config_free(s->config);
    *s = (struct cli_session){ .command = s->command };
}

void cli_on_end(void *arg, int r)
{
    struct cli_answer *answer = arg;
    answer->r = r;
    answer->done = true;
}

void cli_on_rows(void *arg, int r, const struct db_rows *rows)
{
    struct cli_answer *answer = arg;
    cli_on_end(arg, r == 0 && answer->read ? answer->read(answer->owner, rows) : r);
}

void cli_on_batch(void *arg, int r, const struct batch_result *result)
{
    (void)result;
    cli_on_end(arg, r);
}

int cli_wait_for(struct cli_session *s, const struct cli_answer *answer)
{
    int64_t end = clock_mono_ms() + WAIT_MAX_MS;
    while (!answer->done) {
        (void)event_base_loop(s->loop, EVLOOP_ONCE);
        if (!answer->done && clock_mono_ms() >= end) {
            return -ETIMEDOUT;
        }
    }
    return answer->r;
}

int cli_wait(struct cli_session *s, struct op *op, struct cli_answer *answer)
{
    int r = op ? cli_wait_for(s, answer) : -ENOTCONN;
    if (op && !answer->done) {
        op_cancel(op);
    }
    return r;
}

void cli_pause(struct cli_session *s, int64_t ms)
{
    int64_t end = clock_mono_ms() + ms;
    while (clock_mono_ms() < end) {
        (void)event_base_loop(s->loop, EVLOOP_ONCE);
    }
}

int cli_print(const struct cli_session *s, const struct buf *b)
{
    if (buf_failed(b)) {
        return cli_failed(s, "output", -ENOMEM);
    }
    bool good = fwrite(b->p, 1, b->n, stdout) == b->n && fflush(stdout) == 0;
    return good ? EX_OK : cli_complain(s, EX_IOERR, "the output can't be written");
}
