/*
 * chartseal hl7 validate: what is wrong with messages, by the standard's own tables.
 *
 * Reads a message, or a file or batch of them, and writes for each what the dictionary of its
 * version says against it: one issue a line, by place. No content is written.
 */
#include "gateway/cli/cli.h"

#include "fhir/v2/batch.h"
#include "fhir/v2/continuation.h"
#include "fhir/v2/group.h"
#include "fhir/v2/read.h"
#include "fhir/v2/validate.h"
#include "gateway/cli/input.h"
#include "gateway/heap.h"

#include <stdio.h>
#include <sysexits.h>

enum {
    ARENA_FIRST = 1 << 20,
    FILE_MAX = 1 << 30, /* bytes */
};

/* @part: of a message that the next one continues; in @arena */
struct validating {
    const char *charset;
    bool quiet;
    struct arena *arena;
    struct v2_message part;
    bool has_part;
    size_t messages;
    size_t bad;
};

static int read_message(struct validating *v, struct str text, struct issues *issues,
                        struct v2_message *out)
{
    enum v2_charset charset = v->charset ? v2_charset_find(str_z(v->charset)) : V2_CHARSET_NONE;
    return v2_read(v->arena, text, charset, issues, out);
}

static int say(struct validating *v, const struct issues *issues)
{
    v->messages++;
    v->bad += issues_bad(issues);
    (void)printf("message %zu: %s\n", v->messages, issues_bad(issues) ? "not valid" : "valid");
    cli_say_issues(stdout, issues, !v->quiet);
    return EX_OK;
}

/* A message that lacks its end is judged as it is. */
static int end_part(struct validating *v)
{
    struct issues issues;
    issues_init(&issues, v->arena);
    if (!v->has_part) {
        return EX_OK;
    }
    v->has_part = false;
    issues_add(&issues, ISSUE_ERROR, "structure", STR("DSC-1"), "the continuation is missing");
    return say(v, &issues);
}

static int validate_message(struct validating *v, const struct v2_message *message,
                            struct issues *issues)
{
    struct v2_groups groups;
    if (v2_group_segments(v->arena, message, issues, &groups) < 0) {
        return EX_OSERR;
    }
    v2_validate(message, groups.structure.version, issues);
    return say(v, issues);
}

/* Join @message with the part before it, if it continues that. */
static int join(struct validating *v, struct issues *issues, struct v2_message *message)
{
    struct str whole;
    if (!v->has_part) {
        return 0;
    }
    if (!str_eq(v2_continues(&v->part), v2_continuation_of(message))) {
        (void)end_part(v);
        return 0;
    }
    v->has_part = false;
    issues_init(issues,
                v->arena); /* what is wrong with a part by itself isn't with the whole */
    int r = v2_join_fragments(v->arena, &v->part, message, &whole);
    return r ? r : read_message(v, whole, issues, message);
}

static int validate_one(struct validating *v, struct str text)
{
    struct issues issues;
    struct v2_message message;
    if (!v->has_part) {
        arena_reset(v->arena);
    }
    issues_init(&issues, v->arena);
    int r = read_message(v, text, &issues, &message);
    r = r ? r : join(v, &issues, &message);
    if (r < 0) {
        return EX_OSERR;
    }
    if (r > 0) {
        return say(v, &issues);
    }
    if (v2_continues(&message).n) {
        v->part = message;
        v->has_part = true;
        return EX_OK;
    }
    return validate_message(v, &message, &issues);
}

static int validate_all(struct validating *v, struct str text)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    struct v2_batch_part part;
    struct issues issues;
    int code = arena ? EX_OK : EX_OSERR;
    if (code != EX_OK) {
        return code;
    }
    issues_init(&issues, arena);
    struct v2_batch batch = v2_batch(text, &issues);
    while (code == EX_OK && v2_batch_next(&batch, &part)) {
        code = part.kind == V2_BATCH_MESSAGE ? validate_one(v, part.text) : EX_OK;
    }
    code = code == EX_OK ? end_part(v) : code;
    cli_say_issues(stdout, &issues, !v->quiet);
    if (code == EX_OK && v->messages == 0) {
        (void)fputs("chartseal hl7 validate: no message\n", stderr);
        return EX_DATAERR;
    }
    if (code != EX_OK || fflush(stdout) != 0) {
        return code != EX_OK ? code : EX_IOERR;
    }
    return v->bad || issues_bad(&issues) ? EX_DATAERR : EX_OK;
}

int cli_hl7_validate(int argc, char **argv)
{
    struct validating v = { 0 };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--charset", .value = &v.charset },
        { .name = "--quiet", .flag = &v.quiet },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n > 1) {
        return cli_usage("hl7 validate [--charset NAME] [--quiet] [FILE|-]");
    }
    struct buf text;
    int code = cli_read("hl7 validate", words.n ? words.p[0] : "-", FILE_MAX, &text);
    v.arena = arena_new(ARENA_FIRST);
    if (code == EX_OK) {
        code = v.arena ? validate_all(&v, buf_str(&text)) : EX_OSERR;
    }
    arena_free(v.arena);
    heap_buf_free(&text);
    return code;
}
