/*
 * chartseal hl7 validate: what is wrong with messages, by the standard's own tables.
 *
 * Reads a message, or a file or batch of them, and writes for each what the dictionary of its
 * version says against it: one issue a line, by place. No content is written.
 */
#include "gateway/cli/cli.h"

#include "fhir/v2/batch.h"
#include "fhir/v2/charset.h"
#include "fhir/v2/group.h"
#include "fhir/v2/validate.h"
#include "gateway/cli/input.h"
#include "gateway/heap.h"

#include <stdio.h>
#include <sysexits.h>

enum {
    ARENA_FIRST = 1 << 20,
    FILE_MAX = 1 << 30, /* bytes */
};

struct validating {
    const char *charset;
    bool quiet;
    struct arena *arena;
    size_t messages;
    size_t bad;
};

/* All that can be said of @text. */
static int find_issues(struct validating *v, struct str text, struct issues *issues)
{
    struct v2_message raw;
    struct v2_message message;
    struct v2_groups groups;
    enum v2_charset charset = v->charset ? v2_charset_find(str_z(v->charset)) : V2_CHARSET_NONE;
    int r = v2_parse(v->arena, text, issues, &raw);
    r = r ? r : v2_message_utf8(v->arena, &raw, charset, issues, &message);
    r = r ? r : v2_group_segments(v->arena, &message, issues, &groups);
    if (r == 0) {
        v2_validate(&message, groups.structure.version, issues);
    } else if (r > 0) {
        issues_add(issues, ISSUE_FATAL, "structure", STR("MSH"),
                   "not a readable HL7 v2 message");
    }
    return r < 0 ? r : 0;
}

static int validate_one(struct validating *v, struct str text)
{
    struct issues issues;
    arena_reset(v->arena);
    issues_init(&issues, v->arena);
    int r = find_issues(v, text, &issues);
    if (r < 0) {
        return EX_OSERR;
    }
    v->messages++;
    v->bad += issues_bad(&issues);
    (void)printf("message %zu: %s\n", v->messages, issues_bad(&issues) ? "not valid" : "valid");
    cli_say_issues(stdout, &issues, !v->quiet);
    return EX_OK;
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
