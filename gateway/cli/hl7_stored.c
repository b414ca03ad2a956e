/*
 * Opening stored messages on the command line, by the same pieces as delivery: so what is shown
 * is what would be sent.
 *
 * What a message became before stands in the records of its deliveries: the state of the maps
 * in the record, the Bundle's digest in the opening.
 */
#include "gateway/cli/hl7_stored.h"

#include "fhir/format/json.h"
#include "fhir/translate/to_fhir.h"
#include "fhir/v2/read.h"
#include "gateway/cli/audit.h"
#include "gateway/cli/event.h"
#include "gateway/heap.h"
#include "gateway/v2_made.h"
#include "gateway/v2_site.h"
#include "gateway/vault.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>

enum {
    REPORT_MAX = 64 << 10,
};

int hl7_stored_maps(const struct cli_session *s, struct maps **out)
{
    struct buf report = heap_buf(REPORT_MAX);
    int r = maps_load(s->config, &report, out);
    if (report.n) {
        (void)fwrite(report.p, 1, report.n, stderr);
    }
    heap_buf_free(&report);
    return r == 0 ? EX_OK : r == -EINVAL ? EX_CONFIG : EX_OSERR;
}

int hl7_stored_row(struct cli_session *s, const struct db_rows *rows, int i,
                   struct store_outbox *out)
{
    store_outbox_row(rows, i, out);
    out->destination = arena_str(s->arena, out->destination);
    out->route = arena_str(s->arena, out->route);
    out->reason = arena_str(s->arena, out->reason);
    return out->destination.p && out->route.p && out->reason.p ? 0 : -ENOMEM;
}

/* --- what came ---------------------------------------------------------------------------- */

struct sealed {
    struct cli_session *session;
    struct sealed_payload *payload; /* NULL: there is none */
};

static int take_payload(void *owner, const struct db_rows *rows)
{
    struct sealed *sealed = owner;
    struct store_sealed row;
    if (db_count(rows) == 0) {
        return 0;
    }
    store_sealed_row(rows, 0, &row);
    return sealed_payload_copy(sealed->session->arena, &row, &sealed->payload);
}

/* What came, as bytes; ->closed says why not. */
static int open_payload(struct cli_session *s, struct hl7_stored *it, struct str *raw)
{
    struct sealed sealed = { .session = s };
    struct cli_answer answer = { .read = take_payload, .owner = &sealed };
    int r = cli_wait(s, store_payload(s->db, it->row.payload, cli_on_rows, &answer), &answer);
    if (r < 0) {
        return r;
    }
    if (!sealed.payload) {
        it->closed = "none kept";
        return 0;
    }
    answer = (struct cli_answer){ 0 };
    r = cli_wait(s,
                 vault_fetch_ids(s->vault, s->db, sealed.payload->keys[0],
                                 sealed.payload->layers, cli_on_end, &answer),
                 &answer);
    r = r < 0 ? r : sealed_payload_open(s->vault, s->arena, sealed.payload, raw);
    if (r == -ENOKEY || r == -EBADMSG) {
        it->closed = r == -ENOKEY ? "key destroyed" : "damaged";
        return 0;
    }
    it->keys = r == 0 ? sealed.payload : NULL;
    return r;
}

/* --- what it becomes ---------------------------------------------------------------------- */

static int translate(struct cli_session *s, const struct maps *maps, struct hl7_stored *it,
                     struct str raw)
{
    struct v2_message message;
    struct translate_site site;
    struct translate_result bundle;
    struct issues issues;
    const struct config_sender *sender = it->way.sender;
    const struct v2_taken taken = {
        .sender = sender,
        .route = it->way.route,
        .rules = maps_of(maps, sender, it->way.route),
        .gateway = s->config->gateway,
        .accepted = it->row.created,
        .raw = raw,
    };
    issues_init(&issues, s->arena);
    int r = v2_read(s->arena, raw, v2_charset_find(str_z(sender->charset)), &issues, &message);
    if (r > 0) {
        it->closed = "unreadable by today's configuration";
        return 0;
    }
    it->text = r == 0 ? message.text : STR("");
    r = r < 0 ? r
              : v2_site_know(s->arena, sender, maps_of(maps, sender, NULL), &message, &site);
    r = r < 0 ? r : v2_site_take(s->arena, &taken, &site);
    r = r < 0 ? r : translate_to_fhir(s->arena, &message, &site, &bundle, &issues);
    if (r > 0) {
        it->absent = r == TRANSLATE_E_TYPE ? "no map for its type" : "too large";
        return 0;
    }
    it->absent = NULL;
    it->made = r == 0 ? bundle.bundle : STR("");
    it->today.maps = str_z(taken.rules->version);
    return r;
}

/* What a FHIR client wrote, to the message for the row's receiver. */
static int make(struct cli_session *s, const struct maps *maps, struct hl7_stored *it,
                struct str text)
{
    struct v2_written written = {
        .to = config_destination_named(s->config, it->row.destination.p),
        .route = it->way.route,
        .rules = maps_of(maps, NULL, it->way.route),
        .exchange = it->row.exchange,
        .accepted = it->row.created,
    };
    struct v2_made made;
    struct issues issues;
    it->form = "v2";
    if (!written.to || !written.rules) {
        it->absent = "its route leads elsewhere by now";
        return 0;
    }
    issues_init(&issues, s->arena);
    int r = json_parse(s->arena, text, &issues, &written.root);
    r = r ? r : v2_made(s->arena, &written, &made, &issues);
    if (r > 0) {
        it->absent = to_v2_why(r);
        return 0;
    }
    it->absent = NULL;
    it->made = r == 0 ? made.text : STR("");
    it->today.maps = str_z(written.rules->version);
    return r;
}

static int sum_up(struct cli_session *s, struct hl7_stored *it)
{
    struct buf text = arena_buf(s->arena, V2_BECAME_SIZE);
    v2_became_put(&text, hl7_stored_word(it), it->made);
    struct str digest = buf_str(&text);
    (void)str_cut(&digest, ' ');
    it->today.digest = digest;
    return buf_failed(&text) ? -ENOMEM : 0;
}

/* --- what it became before ---------------------------------------------------------------- */

struct tries {
    struct cli_session *session;
    struct hl7_stored *it;
    struct audit_record *records;
    size_t count;
};

static int take_records(void *owner, const struct db_rows *rows)
{
    struct tries *tries = owner;
    size_t n = (size_t)db_count(rows);
    int r = 0;
    tries->records = arena_calloc(tries->session->arena, n + 1, sizeof(*tries->records));
    if (!tries->records) {
        return -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = audit_take(tries->session, rows, (int)i, &tries->records[i]);
    }
    tries->count = n;
    return r;
}

/* Whether the opened record is of a delivery to the row's destination. */
static bool is_of_row(const struct opening *opening, const struct hl7_stored *it)
{
    static const struct str begin = STR_INIT("{\"destination\":\"");
    struct str actor = opening->value[COMMITMENT_ACTOR];
    struct str rest = str_slice(actor, str_starts(actor, begin) ? begin.n : actor.n, actor.n);
    return str_eq(str_cut(&rest, '"'), it->row.destination);
}

/* The newest try that translated it, looked for backwards. */
static int find_before(struct cli_session *s, struct hl7_stored *it)
{
    struct tries tries = { .session = s, .it = it };
    struct cli_answer answer = { .read = take_records, .owner = &tries };
    int r = cli_wait(s, store_audit_exchange(s->db, it->row.exchange, cli_on_rows, &answer),
                     &answer);
    for (size_t i = tries.count; r == 0 && i > 0; i--) {
        struct audit_record *one = &tries.records[i - 1];
        struct opening opening;
        if (one->record.interaction != RECORD_V2_DELIVER || one->record.map.n == 0) {
            continue;
        }
        r = audit_open(s, one);
        if (r < 0 || one->opening.n == 0 || audit_values(s, one, &opening) < 0 ||
            !is_of_row(&opening, it)) {
            continue;
        }
        struct str said = opening.value[COMMITMENT_REQUEST];
        it->before.maps = one->record.map;
        bool same = str_eq(str_cut(&said, ' '), str_z(hl7_stored_word(it)));
        it->before.digest = same ? said : STR("");
        break;
    }
    return r;
}

int hl7_stored_open(struct cli_session *s, const struct maps *maps, struct hl7_stored *it)
{
    struct str raw = { 0 };
    it->form = "FHIR";
    it->absent = it->row.route.n ? "its route is gone from the configuration"
                                 : "it has no way to a destination";
    int r = open_payload(s, it, &raw);
    if (r < 0 || it->closed) {
        return r;
    }
    it->text = raw;
    if (stored_route_find(s->config, it->row.route, &it->way)) {
        r = it->way.sender ? translate(s, maps, it, raw) : make(s, maps, it, raw);
    }
    r = r == 0 && !it->absent && !it->closed ? sum_up(s, it) : r;
    return r < 0 ? r : find_before(s, it);
}

/* --- recording ---------------------------------------------------------------------------- */

int hl7_stored_record(struct cli_session *s, const struct hl7_stored *it,
                      enum record_interaction what, struct str request)
{
    static const uint8_t nobody[16];
    struct cli_event event = {
        .what = what,
        .log = RECORD_LOG_ACCESS,
        .exchange = it->row.exchange,
        .patient = memcmp(it->row.patient, nobody, sizeof(nobody)) ? it->row.patient : NULL,
        .request = request,
    };
    if (!it->keys) {
        return cli_record(s, &event);
    }
    uint8_t(*patients)[16] = arena_calloc(s->arena, it->keys->layers, sizeof(*patients));
    if (!patients) {
        return cli_failed(s, "record", -ENOMEM);
    }
    int code = EX_OK;
    for (size_t i = 0; i < it->keys->layers; i++) {
        const struct vault_key *key = vault_cached_id(s->vault, it->keys->keys[i]);
        if (key) {
            memcpy(patients[i], key->patient, sizeof(patients[i]));
        }
    }
    for (size_t i = 0; code == EX_OK && i < it->keys->layers; i++) {
        bool somebody = memcmp(patients[i], nobody, sizeof(nobody)) != 0;
        event.patient = somebody ? patients[i] : NULL;
        code = cli_record(s, &event);
    }
    return code;
}

const char *hl7_stored_word(const struct hl7_stored *it)
{
    return strcmp(it->form, "v2") == 0 ? "v2" : "fhir";
}

bool hl7_stored_changed(const struct hl7_stored *it)
{
    return it->before.digest.n && !str_eq(it->before.digest, it->today.digest);
}
