/* chartseal audit show: one record, opened, and how far it has come; audit key: whose log. */
#include "gateway/cli/audit.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/event.h"

#include "fhir/format/json_write.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/id.h"
#include "gateway/log_key.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

enum {
    OUTPUT_MAX = 1 << 20,
    KEY_TEXT_MAX = 512,
};

static void put_consents(const struct record *record, struct buf *b)
{
    for (size_t i = 0; i < record->consent_count; i++) {
        const struct record_consent *consent = &record->consents[i];
        buf_z(b, "consent      0x");
        buf_hex(b, consent->id, sizeof(consent->id));
        buf_fmt(b, " version %u, chain %" PRIu64 ", block %" PRIu64 "\n", consent->version,
                consent->chain, consent->block);
    }
}

static void put_record(const struct audit_record *found, struct buf *b)
{
    char id[ID_TEXT_SIZE];
    const struct record *r = &found->record;
    id_text(r->id, id);
    buf_fmt(b, "record       %s\ntime         ", id);
    clock_utc_put(b, (int64_t)r->time);
    buf_fmt(b, "\ninteraction  %s\noutcome      %s\nmode         %s\n",
            record_interaction_name(r->interaction), record_outcome_name(r->outcome),
            record_mode_name(r->mode));
    const struct {
        const char *name;
        struct str value;
    } rows[] = {
        { "basis", r->basis },
        { "gateway", r->gateway },
        { "route", r->route },
        { "map", r->map },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].value.n) {
            buf_fmt(b, "%-13s%.*s\n", rows[i].name, (int)rows[i].value.n, rows[i].value.p);
        }
    }
    if (r->has_exchange) {
        id_text(r->exchange, id);
        buf_fmt(b, "exchange     %s\n", id);
    }
    if (r->released || r->withheld) {
        buf_fmt(b, "entries      %" PRIu64 " released, %" PRIu64 " withheld\n", r->released,
                r->withheld);
    }
    put_consents(r, b);
}

/* Values of the opening; each is checked against its commitment. */
static int put_opening(struct cli_session *s, const struct audit_record *found, struct buf *b)
{
    if (found->opening.n == 0) {
        buf_fmt(b, "opening      not opened: %s\n", found->why);
        return 0;
    }
    struct opening opening;
    int r = audit_values(s, found, &opening);
    if (r < 0) {
        buf_z(b, r == -EBADMSG ? "opening      DOES NOT OPEN THE RECORD\n" : "");
        return r == -EBADMSG ? 0 : r;
    }
    for (enum commitment_kind i = 0; i < COMMITMENT_COUNT; i++) {
        if (!opening.has[i]) {
            continue;
        }
        buf_fmt(b, "%-13s", commitment_name(i));
        if (commitment_of_digest(i)) {
            buf_hex(b, opening.value[i].p, opening.value[i].n);
        } else {
            buf_str_put(b, opening.value[i]);
        }
        buf_c(b, '\n');
    }
    return 0;
}

static void put_access(const struct audit_access *access, struct buf *b)
{
    if (access->recipient.n) {
        buf_fmt(b, "recipient    %.*s\n", (int)access->recipient.n, access->recipient.p);
    }
    if (access->types.n) {
        buf_fmt(b, "types        %.*s\n", (int)access->types.n, access->types.p);
    }
}

static void put_place(const struct audit_record *found, const struct audit_place *place,
                      struct buf *b)
{
    const struct store_anchor *anchor = &place->anchor;
    buf_fmt(b, "state        %s\n", audit_state_name(place->state));
    if (found->row.index >= 0) {
        buf_fmt(b, "index        %lld\n", (long long)found->row.index);
    }
    if (place->checkpoint.head.size) {
        buf_fmt(b, "checkpoint   %" PRIu64 " leaves, root ", place->checkpoint.head.size);
        buf_hex(b, place->checkpoint.head.root.b, MERKLE_HASH_SIZE);
        buf_z(b, ", signed ");
        clock_utc_put(b, place->checkpoint.signed_at);
        buf_c(b, '\n');
    }
    if (anchor->size) {
        buf_fmt(b, "anchor       %s, chain %" PRIu64 ", block %" PRIu64 ", transaction 0x",
                store_sending_word(anchor->sending.state), anchor->sending.chain,
                anchor->sending.block_number);
        buf_hex(b, anchor->sending.hash.p, anchor->sending.hash.n);
        buf_c(b, '\n');
    }
}

static void put_json(const struct audit_record *found, const struct audit_access *access,
                     const struct audit_place *place, struct buf *b)
{
    struct json_writer w = json_writer(b);
    const struct store_anchor *anchor = &place->anchor;
    json_object(&w, NULL);
    json_z(&w, "state", audit_state_name(place->state));
    json_i64(&w, "index", found->row.index);
    json_raw(&w, "record", found->row.bytes);
    if (found->opening.n) {
        json_raw(&w, "opening", found->opening);
    } else {
        json_z(&w, "closed", found->why);
    }
    if (access->recipient.n) {
        json_raw(&w, "recipient", access->recipient);
    }
    if (access->types.n) {
        json_string(&w, "types", access->types);
    }
    if (place->checkpoint.head.size) {
        json_string(&w, "checkpoint", place->checkpoint.note);
    }
    if (anchor->size) {
        json_object(&w, "anchor");
        json_u64(&w, "chain", anchor->sending.chain);
        json_u64(&w, "block", anchor->sending.block_number);
        json_u64(&w, "size", anchor->size);
        json_end(&w);
    }
    json_end(&w);
    buf_c(b, '\n');
}

static int record_reading(struct cli_session *s, const struct audit_record *found)
{
    static const uint8_t nobody[16];
    char id[ID_TEXT_SIZE];
    struct buf request = arena_buf(s->arena, KEY_TEXT_MAX);
    id_text(found->row.id, id);
    buf_fmt(&request, "audit show %s", id);
    const struct cli_event event = {
        .what = RECORD_AUDIT_READ,
        .log = RECORD_LOG_ACCESS,
        .patient = memcmp(found->patient, nobody, sizeof(nobody)) ? found->patient : NULL,
        .request = buf_str(&request),
    };
    return found->opening.n ? cli_record(s, &event) : EX_OK;
}

static int show(struct cli_session *s, const uint8_t id[16], bool json)
{
    struct audit_record found = { 0 };
    struct audit_place place = { 0 };
    struct audit_access access = { 0 };
    int r = audit_find(s, id, &found);
    r = r == 0 ? audit_open(s, &found) : r;
    r = r == 0 ? audit_access(s, &found, &access) : r;
    r = r == 0 ? audit_place(s, &found, &place) : r;
    if (r < 0) {
        return cli_failed(s, "record", r);
    }
    int code = record_reading(s, &found);
    if (code != EX_OK) {
        return code;
    }
    struct buf out = heap_buf(OUTPUT_MAX);
    if (json) {
        put_json(&found, &access, &place, &out);
    } else {
        put_record(&found, &out);
        r = put_opening(s, &found, &out);
        put_access(&access, &out);
        put_place(&found, &place, &out);
    }
    code = r < 0 ? cli_failed(s, "opening", r) : cli_print(s, &out);
    heap_buf_free(&out);
    return code;
}

int cli_audit_show(int argc, char **argv)
{
    const char *file = NULL;
    bool json = false;
    uint8_t id[16];
    struct cli_session session = { 0 };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--config", .value = &file },
        { .name = "--json", .flag = &json },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n != 1 ||
        audit_id_read(words.p[0], id) < 0) {
        return cli_usage("audit show RECORD --config FILE [--json]");
    }
    int code = cli_begin("audit show", file, &session);
    code = code == EX_OK ? cli_unlock(&session) : code;
    code = code == EX_OK ? show(&session, id, json) : code;
    cli_end(&session);
    return code;
}

int cli_audit_key(int argc, char **argv)
{
    const char *file = NULL;
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = { { .name = "--config", .value = &file } };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n > 0) {
        return cli_usage("audit key --config FILE");
    }
    struct config *config = cli_config_file(file);
    if (!config) {
        return file ? EX_CONFIG : EX_USAGE;
    }
    char memory[KEY_TEXT_MAX];
    struct buf text = buf_fixed(memory, sizeof(memory));
    struct note_key key;
    int r = log_key_read(config, NULL, &key);
    if (r == 0) {
        note_key_put(&key, &text);
        buf_c(&text, '\n');
        (void)fwrite(text.p, 1, text.n, stdout);
    } else {
        (void)fputs("chartseal audit key: keys.checkpoint or log.origin can't be used\n",
                    stderr);
    }
    config_free(config);
    return r == 0 ? EX_OK : EX_CONFIG;
}
