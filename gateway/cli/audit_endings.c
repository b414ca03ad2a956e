/*
 * chartseal audit denials and audit shadow: how exchanges ended, and on what grounds.
 *
 * Counts and records that name nobody: no opening is read.
 */
#include "gateway/cli/audit.h"
#include "gateway/cli/cli.h"

#include "fhir/format/json_write.h"
#include "gateway/basis.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/id.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
    LIMIT_USUAL = 50,
    ENDINGS_MAX = 10000,
    OUTPUT_MAX = 64 << 20,
};

struct report {
    struct cli_session *session;
    struct store_filter filter;
    struct store_ending *endings; /* in the session's arena */
    size_t count;
    bool json;
    struct json_writer w;
    struct buf out; /* owned */
};

/* --- reading ------------------------------------------------------------------------------ */

static int take_endings(void *owner, const struct db_rows *rows)
{
    struct report *report = owner;
    struct arena *arena = report->session->arena;
    size_t n = (size_t)db_count(rows);
    report->endings = arena_calloc(arena, n + 1, sizeof(*report->endings));
    if (!report->endings) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        struct store_ending *ending = &report->endings[i];
        store_ending_row(rows, (int)i, ending);
        ending->mode = arena_str(arena, ending->mode);
        ending->outcome = arena_str(arena, ending->outcome);
        ending->basis = arena_str(arena, ending->basis);
        ending->route = arena_str(arena, ending->route);
        if (!ending->mode.p || !ending->outcome.p || !ending->basis.p || !ending->route.p) {
            return -ENOMEM;
        }
    }
    report->count = n;
    return 0;
}

static int read_endings(struct report *report)
{
    struct cli_session *s = report->session;
    struct cli_answer answer = { .read = take_endings, .owner = report };
    int r =
        cli_wait(s, store_audit_endings(s->db, &report->filter, cli_on_rows, &answer), &answer);
    return r < 0 ? cli_failed(s, "records", r) : EX_OK;
}

static bool is_one_of(struct str word, const char *const *words)
{
    while (*words && !str_eq(word, str_z(*words))) {
        words++;
    }
    return *words;
}

/* Something was asked for or came, and wasn't given on, or not all of it. */
static bool is_refusal(const struct store_ending *ending)
{
    static const char *const outcomes[] = { "deny",    "held",        "parked",   "partial",
                                            "refused", "unavailable", "withheld", NULL };
    return str_eq(ending->mode, STR("enforce")) && is_one_of(ending->outcome, outcomes);
}

/* --- denials ------------------------------------------------------------------------------ */

static void put_span(struct report *report)
{
    const int64_t bounds[] = { report->filter.from, report->filter.to };
    static const char *const names[] = { "from", "to" };
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
        char memory[CLOCK_UTC_SIZE];
        struct buf text = buf_fixed(memory, sizeof(memory));
        clock_utc_put(&text, bounds[i]);
        if (bounds[i]) {
            json_string(&report->w, names[i], buf_str(&text));
        }
    }
}

static void put_denial_json(struct report *report, const struct store_ending *ending)
{
    struct json_writer *w = &report->w;
    enum basis_ground ground = basis_ground(ending->basis);
    char id[ID_TEXT_SIZE];
    id_text(ending->newest, id);
    json_object(w, NULL);
    json_string(w, "basis", ending->basis);
    json_z(w, "ground", basis_ground_name(ground));
    json_z(w, "exception", basis_ground_exception(ground));
    json_string(w, "outcome", ending->outcome);
    json_string(w, "route", ending->route);
    json_i64(w, "exchanges", ending->exchanges);
    json_i64(w, "withheld", ending->withheld);
    json_z(w, "newest", id);
    json_end(w);
}

static void put_denial(struct report *report, const struct store_ending *ending)
{
    enum basis_ground ground = basis_ground(ending->basis);
    char id[ID_TEXT_SIZE];
    id_text(ending->newest, id);
    buf_fmt(&report->out, "%-22.*s  %-11s  %-21s  %-11.*s  %-16.*s  %9lld  %9lld  %s\n",
            (int)ending->basis.n, ending->basis.p, basis_ground_name(ground),
            basis_ground_exception(ground), (int)ending->outcome.n, ending->outcome.p,
            (int)ending->route.n, ending->route.p, (long long)ending->exchanges,
            (long long)ending->withheld, id);
}

static int show_denials(struct report *report)
{
    int64_t refused = 0;
    if (report->json) {
        report->w = json_writer(&report->out);
        json_object(&report->w, NULL);
        put_span(report);
        json_array(&report->w, "denials");
    } else {
        buf_fmt(&report->out, "%-22s  %-11s  %-21s  %-11s  %-16s  %9s  %9s  %s\n", "BASIS",
                "GROUND", "EXCEPTION", "OUTCOME", "ROUTE", "EXCHANGES", "WITHHELD", "NEWEST");
    }
    for (size_t i = 0; i < report->count; i++) {
        const struct store_ending *ending = &report->endings[i];
        if (is_refusal(ending)) {
            refused += ending->exchanges;
            (report->json ? put_denial_json : put_denial)(report, ending);
        }
    }
    if (report->json) {
        json_end(&report->w);
        json_i64(&report->w, "total", refused);
        json_end(&report->w);
    } else {
        buf_fmt(&report->out, "%-22s  %66s  %9lld", "total", "", (long long)refused);
    }
    buf_c(&report->out, '\n');
    return cli_print(report->session, &report->out);
}

/* One record of the register. */
static int put_each(void *owner, const struct db_rows *rows)
{
    struct report *report = owner;
    for (int i = 0; i < db_count(rows); i++) {
        struct audit_record found;
        char id[ID_TEXT_SIZE];
        int r = audit_take(report->session, rows, i, &found);
        if (r < 0) {
            return r;
        }
        const struct record *record = &found.record;
        const char *ground = basis_ground_name(basis_ground(record->basis));
        id_text(record->id, id);
        if (report->json) {
            struct json_writer w = json_writer(&report->out);
            json_object(&w, NULL);
            json_z(&w, "ground", ground);
            json_raw(&w, "record", found.row.bytes);
            json_end(&w);
            buf_c(&report->out, '\n');
            continue;
        }
        clock_utc_put(&report->out, (int64_t)record->time);
        buf_fmt(&report->out, "  %s  %-14s  %-11s  %-22.*s  %-11s  %.*s\n", id,
                record_interaction_name(record->interaction),
                record_outcome_name(record->outcome), (int)record->basis.n, record->basis.p,
                ground, (int)record->route.n, record->route.p);
    }
    return 0;
}

static int show_each(struct report *report)
{
    struct cli_session *s = report->session;
    struct cli_answer answer = { .read = put_each, .owner = report };
    if (!report->json) {
        buf_fmt(&report->out, "%-24s  %-36s  %-14s  %-11s  %-22s  %-11s  %s\n", "TIME",
                "RECORD", "INTERACTION", "OUTCOME", "BASIS", "GROUND", "ROUTE");
    }
    int r =
        cli_wait(s, store_audit_refused(s->db, &report->filter, cli_on_rows, &answer), &answer);
    return r < 0 ? cli_failed(s, "records", r) : cli_print(s, &report->out);
}

/* --- shadow ------------------------------------------------------------------------------- */

/* It went through, by the operator's choice or because it may. */
static bool is_shadow(const struct store_ending *ending)
{
    static const char *const outcomes[] = { "accepted", "delivered", "permit", NULL };
    return str_eq(ending->mode, STR("shadow")) && is_one_of(ending->outcome, outcomes);
}

/* What enforcing would have let through as it is. */
static bool is_permit(struct str basis)
{
    static const char *const permits[] = {
        "permit",       "consent-permit", "break-glass", "implicit-policy",
        "legal-permit", "invalid",        NULL
    };
    return is_one_of(basis, permits);
}

struct shadow {
    int64_t all;
    int64_t denied;
};

static struct shadow sum_shadow(const struct report *report)
{
    struct shadow sum = { 0 };
    for (size_t i = 0; i < report->count; i++) {
        const struct store_ending *ending = &report->endings[i];
        if (is_shadow(ending)) {
            sum.all += ending->exchanges;
            sum.denied += is_permit(ending->basis) ? 0 : ending->exchanges;
        }
    }
    return sum;
}

static void put_cause(struct report *report, const struct store_ending *ending, int64_t all)
{
    char id[ID_TEXT_SIZE];
    const char *ground = basis_ground_name(basis_ground(ending->basis));
    double share = 100.0 * (double)ending->exchanges / (double)all;
    id_text(ending->newest, id);
    if (!report->json) {
        buf_fmt(&report->out, "%6.1f %%  %9lld  %-22.*s  %-11s  %-16.*s  %s\n", share,
                (long long)ending->exchanges, (int)ending->basis.n, ending->basis.p, ground,
                (int)ending->route.n, ending->route.p, id);
        return;
    }
    json_object(&report->w, NULL);
    json_string(&report->w, "basis", ending->basis);
    json_z(&report->w, "ground", ground);
    json_string(&report->w, "route", ending->route);
    json_i64(&report->w, "exchanges", ending->exchanges);
    json_z(&report->w, "newest", id);
    json_end(&report->w);
}

static int show_shadow(struct report *report)
{
    struct shadow sum = sum_shadow(report);
    double share = sum.all ? 100.0 * (double)sum.denied / (double)sum.all : 0;
    if (report->json) {
        report->w = json_writer(&report->out);
        json_object(&report->w, NULL);
        put_span(report);
        json_i64(&report->w, "exchanges", sum.all);
        json_i64(&report->w, "wouldDeny", sum.denied);
        json_array(&report->w, "causes");
    } else {
        buf_fmt(&report->out, "enforcing would deny %.1f %%: %lld of %lld exchanges\n", share,
                (long long)sum.denied, (long long)sum.all);
    }
    for (size_t i = 0; i < report->count; i++) {
        const struct store_ending *ending = &report->endings[i];
        if (is_shadow(ending) && !is_permit(ending->basis)) {
            put_cause(report, ending, sum.all);
        }
    }
    if (report->json) {
        json_end(&report->w);
        json_end(&report->w);
        buf_c(&report->out, '\n');
    }
    return cli_print(report->session, &report->out);
}

/* --- the commands ------------------------------------------------------------------------- */

int cli_audit_denials(int argc, char **argv)
{
    const char *file = NULL;
    const char *from = NULL;
    const char *to = NULL;
    const char *limit = NULL;
    bool each = false;
    int64_t span[2] = { 0 };
    struct cli_session session = { 0 };
    struct report report = { .session = &session, .out = heap_buf(OUTPUT_MAX) };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--config", .value = &file }, { .name = "--from", .value = &from },
        { .name = "--to", .value = &to },       { .name = "--limit", .value = &limit },
        { .name = "--each", .flag = &each },    { .name = "--json", .flag = &report.json },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n > 0 ||
        (limit && !each) ||
        cli_limit("audit denials", limit, LIMIT_USUAL, &report.filter.limit) < 0 ||
        audit_span_read("audit denials", from, to, span) < 0) {
        return cli_usage("audit denials --config FILE [--from TIME] [--to TIME]"
                         " [--each [--limit N]] [--json]");
    }
    report.filter.from = span[0];
    report.filter.to = span[1];
    int code = cli_begin("audit denials", file, &session);
    if (code == EX_OK && each) {
        code = show_each(&report);
    } else if (code == EX_OK) {
        report.filter.limit = ENDINGS_MAX;
        code = read_endings(&report);
        code = code == EX_OK ? show_denials(&report) : code;
    }
    heap_buf_free(&report.out);
    cli_end(&session);
    return code;
}

int cli_audit_shadow(int argc, char **argv)
{
    const char *file = NULL;
    const char *from = NULL;
    const char *to = NULL;
    int64_t span[2] = { 0 };
    struct cli_session session = { 0 };
    struct report report = { .session = &session, .out = heap_buf(OUTPUT_MAX) };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--config", .value = &file },
        { .name = "--from", .value = &from },
        { .name = "--to", .value = &to },
        { .name = "--json", .flag = &report.json },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n > 0 ||
        audit_span_read("audit shadow", from, to, span) < 0) {
        return cli_usage("audit shadow --config FILE [--from TIME] [--to TIME] [--json]");
    }
    report.filter =
        (struct store_filter){ .from = span[0], .to = span[1], .limit = ENDINGS_MAX };
    int code = cli_begin("audit shadow", file, &session);
    code = code == EX_OK ? read_endings(&report) : code;
    code = code == EX_OK ? show_shadow(&report) : code;
    heap_buf_free(&report.out);
    cli_end(&session);
    return code;
}
