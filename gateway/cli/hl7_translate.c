/*
 * chartseal hl7 translate: what a message becomes in FHIR, without a gateway.
 *
 * The Bundle goes to standard output, what there is to say about the message to standard
 * error. No message content is said there: places and rules only.
 */
#include "gateway/cli/hl7.h"
#include "gateway/cli/hl7_bundle.h"
#include "gateway/cli/input.h"
#include "gateway/heap.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>

enum {
    ARENA_FIRST = 1 << 20,
};

static const char COMMAND[] = "hl7 translate";

struct translating {
    struct hl7_sender sender;
    struct cli_words maps; /* files */
};

/* One line for each element: what it was made of, and by which row. */
static void say_origins(size_t entry, const struct translate_origin **origin)
{
    for (; *origin && (*origin)->entry == entry; *origin = (*origin)->next) {
        const struct translate_origin *o = *origin;
        (void)fprintf(stderr, "    %-44.*s %-18.*s %.*s%s%.*s\n", (int)o->path.n, o->path.p,
                      (int)(o->from.n ? o->from.n : 1), o->from.n ? o->from.p : "-",
                      (int)o->row.n, o->row.p, o->by.n ? " by " : "", (int)o->by.n, o->by.p);
    }
}

/* What came of it, entry by entry. */
static void say_entries(const struct rules *rules, const struct translate_result *result)
{
    const struct translate_origin *origin = result->origins;
    (void)fprintf(stderr, "map %s: %zu entries, %zu segments and fields not read\n",
                  rules->version, result->count, result->unread);
    for (size_t i = 0; i < result->count; i++) {
        const struct translate_entry *entry = &result->entries[i];
        (void)fprintf(stderr, "  %-20s recognised by %s\n", entry->type,
                      entry->id.n ? "its id" : "its identifiers");
        say_origins(i, &origin);
    }
}

static int translate(const struct translating *t, const struct rules *rules, struct str text,
                     struct arena *arena)
{
    struct issues issues;
    struct translate_result result;
    issues_init(&issues, arena);
    int r = hl7_bundle(arena, &t->sender, rules, text, &issues, &result);
    cli_say_issues(stderr, &issues, t->sender.explain);
    if (r != 0) {
        (void)fprintf(stderr, "chartseal %s: %s\n", COMMAND, hl7_bundle_why(r));
        return r < 0 ? EX_OSERR : EX_DATAERR;
    }
    if (result.count == 0) {
        (void)fprintf(stderr, "chartseal %s: nothing came of it\n", COMMAND);
        return EX_DATAERR;
    }
    bool good = fwrite(result.bundle.p, 1, result.bundle.n, stdout) == result.bundle.n &&
                fputc('\n', stdout) != EOF && fflush(stdout) == 0;
    if (t->sender.explain) {
        say_entries(rules, &result);
    }
    return !good ? EX_IOERR : issues_bad(&issues) ? EX_DATAERR : EX_OK;
}

static int run(const struct translating *t, const char *path)
{
    struct buf text;
    struct maps *maps = NULL;
    int code = cli_read(COMMAND, path, V2_MESSAGE_MAX, &text);
    code = code == EX_OK ? hl7_maps(&t->maps, &maps) : code;
    if (code == EX_OK && !hl7_options_known(&t->sender, &maps, 1, COMMAND)) {
        code = EX_USAGE;
    }
    if (code == EX_OK) {
        struct arena *arena = arena_new(ARENA_FIRST);
        code = arena ? translate(t, maps_rules(maps), buf_str(&text), arena) : EX_OSERR;
        arena_free(arena);
    }
    maps_free(maps);
    heap_buf_free(&text);
    return code;
}

int cli_hl7_translate(int argc, char **argv)
{
    struct translating t = { 0 };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--sender", .value = &t.sender.organization },
        { .name = "--zone", .value = &t.sender.zone },
        { .name = "--charset", .value = &t.sender.charset },
        { .name = "--assigner", .many = &t.sender.assigners },
        { .name = "--option", .many = &t.sender.options },
        { .name = "--map", .many = &t.maps },
        { .name = "--explain", .flag = &t.sender.explain },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n > 1) {
        return cli_usage("hl7 translate [--sender URI] [--zone ZONE] [--charset NAME]"
                         " [--assigner NAME=SYSTEM]... [--option NAME]... [--map FILE]..."
                         " [--explain] [FILE|-]");
    }
    if (!hl7_sender_good(&t.sender, COMMAND)) {
        return EX_USAGE;
    }
    return run(&t, words.n ? words.p[0] : "-");
}
