/*
 * chartseal hl7 translate: what a message becomes in FHIR, without a gateway.
 *
 * The Bundle goes to standard output, what there is to say about the message to standard
 * error. No message content is said there: places and rules only.
 */
#include "gateway/cli/cli.h"

#include "crypto/digest.h"
#include "fhir/translate/to_fhir.h"
#include "fhir/v2/charset.h"
#include "gateway/cli/hl7.h"
#include "gateway/cli/input.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/maps.h"
#include "gateway/zone.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

enum {
    ARENA_FIRST = 1 << 20,
    RECORDED_SIZE = 32,
    REPORT_MAX = 64 << 10,
};

struct translating {
    const char *sender;
    const char *zone;
    const char *charset;
    bool explain;
    struct cli_words assigners;
    struct maps *maps;
    struct arena *arena;
    struct issues issues;
};

/* What came of it, entry by entry. */
static void say_entries(const struct rules *rules, const struct translate_result *result)
{
    (void)fprintf(stderr, "map %s: %zu entries, %zu segments and fields not read\n",
                  rules->version, result->count, result->unread);
    for (size_t i = 0; i < result->count; i++) {
        const struct translate_entry *entry = &result->entries[i];
        (void)fprintf(stderr, "  %-20s recognised by %s\n", entry->type,
                      entry->id.n ? "its id" : "its identifiers");
    }
}

static int read_assigners(struct translating *t, struct v2_assigner *out)
{
    for (size_t i = 0; i < t->assigners.n; i++) {
        struct str system = str_z(t->assigners.p[i]);
        out[i].authority = str_cut(&system, '=');
        out[i].system = system;
        if (system.n == 0) {
            (void)fputs("chartseal hl7 translate: --assigner is NAME=SYSTEM\n", stderr);
            return EX_USAGE;
        }
    }
    return EX_OK;
}

static int parse(struct translating *t, struct str text, struct v2_message *out)
{
    struct v2_message raw;
    enum v2_charset charset = t->charset ? v2_charset_find(str_z(t->charset)) : V2_CHARSET_NONE;
    int r = v2_parse(t->arena, text, &t->issues, &raw);
    if (r == 0) {
        r = v2_message_utf8(t->arena, &raw, charset, &t->issues, out);
    }
    return r;
}

static int translate(struct translating *t, struct str text, struct translate_result *out)
{
    struct v2_assigner assigners[CLI_WORDS_MAX];
    struct v2_message message;
    uint8_t digest[DIGEST_SIZE];
    char recorded[RECORDED_SIZE];
    time_t now = clock_utc_ms() / 1000;
    struct tm tm;
    int code = read_assigners(t, assigners);
    if (code != EX_OK) {
        return code;
    }
    (void)gmtime_r(&now, &tm);
    (void)strftime(recorded, sizeof(recorded), "%Y-%m-%dT%H:%M:%SZ", &tm);
    digest_sha256(text, digest);
    const struct translate_site site = {
        .rules = maps_rules(t->maps),
        .sender = str_z(t->sender ? t->sender : ""),
        .zone = str_z(t->zone ? t->zone : ""),
        .zone_offset = zone_offset,
        .assigners = { .list = assigners, .count = t->assigners.n },
        .gateway = STR("chartseal"),
        .recorded = str_z(recorded),
        .digest = digest,
    };
    int r = parse(t, text, &message);
    r = r == 0 ? translate_to_fhir(t->arena, &message, &site, out, &t->issues) : r;
    cli_say_issues(stderr, &t->issues, t->explain);
    if (r == 0) {
        return EX_OK;
    }
    (void)fprintf(stderr, "chartseal hl7 translate: %s\n",
                  r < 0                   ? "no memory"
                  : t->issues.count       ? "not translated"
                  : r == TRANSLATE_E_TYPE ? "no map for this message type"
                                          : "not a readable HL7 v2 message");
    return r < 0 ? EX_OSERR : EX_DATAERR;
}

/* The maps; mistakes are told. */
static int load_maps(struct translating *t)
{
    struct buf report = heap_buf(REPORT_MAX);
    int r = maps_load(&report, &t->maps);
    (void)fwrite(report.p, 1, report.n, stderr);
    heap_buf_free(&report);
    return r == 0 ? EX_OK : r == -EINVAL ? EX_CONFIG : EX_OSERR;
}

static int run(struct translating *t, const char *path)
{
    struct buf text;
    struct translate_result result;
    int code = cli_read("hl7 translate", path, V2_MESSAGE_MAX, &text);
    t->arena = arena_new(ARENA_FIRST);
    if (code == EX_OK && !t->arena) {
        code = EX_OSERR;
    }
    code = code == EX_OK ? load_maps(t) : code;
    if (code == EX_OK) {
        issues_init(&t->issues, t->arena);
        code = translate(t, hl7_unframed(buf_str(&text)), &result);
    }
    if (code == EX_OK) {
        bool good = fwrite(result.bundle.p, 1, result.bundle.n, stdout) == result.bundle.n &&
                    fputc('\n', stdout) != EOF && fflush(stdout) == 0;
        code = !good ? EX_IOERR : issues_bad(&t->issues) ? EX_DATAERR : EX_OK;
        if (t->explain) {
            say_entries(maps_rules(t->maps), &result);
        }
    }
    maps_free(t->maps);
    arena_free(t->arena);
    heap_buf_free(&text);
    return code;
}

int cli_hl7_translate(int argc, char **argv)
{
    struct translating t = { 0 };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--sender", .value = &t.sender },
        { .name = "--zone", .value = &t.zone },
        { .name = "--charset", .value = &t.charset },
        { .name = "--assigner", .many = &t.assigners },
        { .name = "--explain", .flag = &t.explain },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n > 1) {
        return cli_usage("hl7 translate [--sender URI] [--zone ZONE] [--charset NAME]"
                         " [--assigner NAME=SYSTEM]... [--explain] [FILE|-]");
    }
    return run(&t, words.n ? words.p[0] : "-");
}
