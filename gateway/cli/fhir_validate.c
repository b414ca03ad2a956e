/*
 * chartseal fhir validate: what is wrong with resources, by R4 and by profiles.
 *
 * Each issue is a line with its place, or with --json each resource's issues are an
 * OperationOutcome on a line. No content is written.
 */
#include "gateway/cli/cli.h"

#include "fhir/rest/outcome.h"
#include "gateway/cli/fhir_input.h"
#include "gateway/heap.h"
#include "gateway/packages.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

static const char NAME[] = "fhir validate";

enum {
    ARENA_FIRST = 4 << 20,
    OUTCOME_MAX = 1 << 20, /* bytes */
};

/*
 * @arena:    of the definitions
 * @packages: folders; @profiles: canonical URLs
 * @strict:   extensions that nobody here knows are errors, not notes
 */
struct validating {
    struct arena *arena;
    struct validator *validator;
    struct validate_options options;
    struct str profile_urls[CLI_WORDS_MAX];
    struct cli_words packages;
    struct cli_words profiles;
    bool strict;
    bool json;
    bool quiet;
    struct fhir_input input;
    size_t bad;
};

static int load(struct validating *v)
{
    int r = v->arena ? validator_new(v->arena, &v->validator) : -ENOMEM;
    for (size_t i = 0; r == 0 && i < v->packages.n; i++) {
        struct issues issues;
        size_t count = 0;
        issues_init(&issues, v->arena);
        r = packages_load(v->validator, v->arena, v->packages.p[i], &issues, &count);
        if (r < 0 || issues_bad(&issues)) {
            (void)fprintf(stderr, "chartseal %s: %s: %s\n", NAME, v->packages.p[i],
                          r < 0 ? strerror(-r) : "some definitions can't be used");
            cli_say_issues(stderr, &issues, false);
            return r == -ENOMEM ? EX_OSERR : EX_NOINPUT;
        }
    }
    for (size_t i = 0; i < v->profiles.n; i++) {
        v->profile_urls[i] = str_z(v->profiles.p[i]);
    }
    v->options = (struct validate_options){ .profiles = v->profile_urls,
                                            .profiles_n = v->profiles.n,
                                            .strict_extensions = v->strict,
                                            .now = (int64_t)time(NULL) * 1000 };
    return r == 0 ? EX_OK : EX_OSERR;
}

static int tell_json(const struct node *root, const struct issues *issues)
{
    struct buf out = heap_buf(OUTCOME_MAX);
    outcome_write_verdict(node_text(root, "resourceType"), issues, STR(""), &out);
    buf_c(&out, '\n');
    bool good = !buf_failed(&out) && fwrite(out.p, 1, out.n, stdout) == out.n;
    heap_buf_free(&out);
    return good ? EX_OK : EX_IOERR;
}

static int tell(struct validating *v, const struct node *root, const struct issues *issues)
{
    v->bad += issues_bad(issues);
    if (v->json) {
        return tell_json(root, issues);
    }
    if (v->input.ndjson) {
        (void)printf("line %zu: ", v->input.lines.line);
    }
    (void)puts(issues_bad(issues) ? "not valid" : "valid");
    cli_say_issues(stdout, issues, !v->quiet);
    return EX_OK;
}

static int validate_all(struct validating *v)
{
    const struct node *root = NULL;
    int code = fhir_input_next(&v->input, &root);
    while (code == EX_OK && root) {
        struct issues issues;
        issues_init(&issues, v->input.arena);
        int r = validate_resource(v->validator, v->input.arena, root, &v->options, &issues);
        code = r < 0 ? EX_OSERR : tell(v, root, &issues);
        code = code == EX_OK ? fhir_input_next(&v->input, &root) : code;
    }
    if (fflush(stdout) != 0 && code == EX_OK) {
        code = EX_IOERR;
    }
    return code == EX_OK && v->bad ? EX_DATAERR : code;
}

int cli_fhir_validate(int argc, char **argv)
{
    struct validating v = { 0 };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--package", .many = &v.packages },
        { .name = "--profile", .many = &v.profiles },
        { .name = "--strict-extensions", .flag = &v.strict },
        { .name = "--json", .flag = &v.json },
        { .name = "--quiet", .flag = &v.quiet },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n > 1) {
        return cli_usage("fhir validate [--package FOLDER]... [--profile URL]... "
                         "[--strict-extensions] [--json] [--quiet] [FILE|-]");
    }
    v.arena = arena_new(ARENA_FIRST);
    int code = load(&v);
    if (code == EX_OK) {
        code = fhir_input_open(&v.input, NAME, words.n ? words.p[0] : "-", &schema_r4);
        code = code == EX_OK ? validate_all(&v) : code;
        fhir_input_close(&v.input);
    }
    if (code == EX_OSERR || code == EX_IOERR) {
        (void)fprintf(stderr, "chartseal %s: %s\n", NAME,
                      code == EX_OSERR ? "no memory" : "the output can't be written");
    }
    arena_free(v.arena);
    return code;
}
