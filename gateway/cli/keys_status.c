/* chartseal keys status: how many patients' keys each root key wraps. */
#include "gateway/cli/audit.h"
#include "gateway/cli/cli.h"

#include "crypto/keyring.h"
#include "fhir/format/json_write.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/store/keys.h"
#include "gateway/vault.h"

#include <sysexits.h>

enum {
    OUTPUT_MAX = 1 << 20,
};

struct status {
    struct cli_session *session;
    bool json;
    struct buf out; /* owned */
};

static void put_count(struct status *status, const struct store_key_count *count)
{
    struct str current = str_of(vault_root_id(status->session->vault), KEYRING_ROOT_ID_SIZE);
    char memory[2 * KEYRING_ROOT_ID_SIZE + 1];
    struct buf root = buf_fixed(memory, sizeof(memory));
    const char *state = count->root.n == 0             ? "destroyed"
                        : str_eq(count->root, current) ? "current"
                                                       : "older";
    buf_hex(&root, count->root.p, count->root.n);
    if (status->json) {
        struct json_writer w = json_writer(&status->out);
        json_object(&w, NULL);
        json_string(&w, "root", buf_str(&root));
        json_z(&w, "state", state);
        json_i64(&w, "keys", count->keys);
        json_i64(&w, "oldest", count->oldest);
        json_i64(&w, "newest", count->newest);
        json_end(&w);
        buf_c(&status->out, '\n');
        return;
    }
    buf_fmt(&status->out, "%-16.*s  %-9s  %10lld  ", (int)root.n, root.n ? root.p : "", state,
            (long long)count->keys);
    clock_utc_put(&status->out, count->oldest);
    buf_z(&status->out, "  ");
    clock_utc_put(&status->out, count->newest);
    buf_c(&status->out, '\n');
}

static int take_counts(void *owner, const struct db_rows *rows)
{
    struct status *status = owner;
    for (int i = 0; i < db_count(rows); i++) {
        struct store_key_count count;
        store_key_count_row(rows, i, &count);
        put_count(status, &count);
    }
    return 0;
}

static int show(struct status *status)
{
    struct cli_session *s = status->session;
    struct cli_answer answer = { .read = take_counts, .owner = status };
    if (!status->json) {
        buf_fmt(&status->out, "%-16s  %-9s  %10s  %-24s  %s\n", "ROOT", "STATE", "KEYS",
                "OLDEST", "NEWEST");
    }
    int r = cli_wait(s, store_key_counts(s->db, cli_on_rows, &answer), &answer);
    return r < 0 ? cli_failed(s, "keys", r) : cli_print(s, &status->out);
}

int cli_keys_status(int argc, char **argv)
{
    const char *file = NULL;
    struct cli_session session = { 0 };
    struct status status = { .session = &session, .out = heap_buf(OUTPUT_MAX) };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--config", .value = &file },
        { .name = "--json", .flag = &status.json },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n > 0) {
        return cli_usage("keys status --config FILE [--json]");
    }
    int code = cli_begin("keys status", file, &session);
    code = code == EX_OK ? cli_unlock(&session) : code;
    code = code == EX_OK ? show(&status) : code;
    heap_buf_free(&status.out);
    cli_end(&session);
    return code;
}
