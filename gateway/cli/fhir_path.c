/*
 * chartseal fhir path: what a FHIRPath expression finds in resources.
 *
 * Each item is a line of JSON on standard output. What trace() tells goes to standard error,
 * and so does a mistake, with its place in the expression.
 */
#include "gateway/cli/cli.h"

#include "fhir/path/path.h"
#include "fhir/path/put.h"
#include "gateway/cli/fhir_input.h"
#include "gateway/clock.h"
#include "gateway/heap.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const char NAME[] = "fhir path";

enum {
    OUT_MAX = 256 << 20, /* bytes of one resource's items */
};

/* @out: items before they are written */
struct finding {
    struct path_source source;
    struct fhir_input input;
    struct buf out;
};

/* Write the items, each after @before, on @stream. */
static int put_items(struct finding *f, struct str before, const struct path_list *list,
                     FILE *stream)
{
    f->out.n = 0;
    for (size_t i = 0; i < list->n; i++) {
        buf_str_put(&f->out, before);
        path_put_json(f->input.arena, f->source.schema, &list->items[i], &f->out);
        buf_c(&f->out, '\n');
    }
    if (buf_failed(&f->out)) {
        return EX_OSERR;
    }
    bool good = !f->out.n || fwrite(f->out.p, 1, f->out.n, stream) == f->out.n;
    return good ? EX_OK : EX_IOERR;
}

static void on_trace(void *owner, struct str name, struct path_list value)
{
    (void)fprintf(stderr, "%.*s: %zu\n", (int)name.n, name.p, value.n);
    (void)put_items(owner, STR("  "), &value, stderr);
}

/* Say what ended a run; the code to exit with. */
static int say(int r, const struct issues *issues)
{
    if (r < 0) {
        return EX_OSERR;
    }
    (void)fprintf(stderr, "chartseal %s: the expression can't be %s\n", NAME,
                  r == PATH_E_SYNTAX ? "read" : "evaluated");
    cli_say_issues(stderr, issues, false);
    return r == PATH_E_SYNTAX ? EX_USAGE : EX_DATAERR;
}

static int find_in(struct finding *f, const struct node *root)
{
    const struct path_env env = { .now = clock_utc_ms(), .trace = on_trace, .owner = f };
    struct issues issues;
    struct path_list list;
    const struct path *path;
    f->source.type = node_text(root, "resourceType");
    issues_init(&issues, f->input.arena);
    int r = path_compile(f->input.arena, &f->source, &issues, &path);
    if (r) {
        return say(r, &issues);
    }
    struct path_machine *m = path_machine_new(f->input.arena, &env);
    struct path_value input = path_element(f->source.schema, root, NULL);
    if (!m) {
        return EX_OSERR;
    }
    r = path_run(m, path, &input, &issues, &list);
    return r ? say(r, &issues) : put_items(f, STR(""), &list, stdout);
}

static int run(struct finding *f, const char *path)
{
    const struct node *root = NULL;
    int code = fhir_input_open(&f->input, NAME, path, f->source.schema);
    f->out = heap_buf(OUT_MAX);
    code = code == EX_OK ? fhir_input_next(&f->input, &root) : code;
    while (code == EX_OK && root) {
        code = find_in(f, root);
        code = code == EX_OK ? fhir_input_next(&f->input, &root) : code;
    }
    if (fflush(stdout) != 0 && code == EX_OK) {
        code = EX_IOERR;
    }
    if (code == EX_OSERR || code == EX_IOERR) {
        (void)fprintf(stderr, "chartseal %s: %s\n", NAME,
                      code == EX_OSERR ? "no memory" : "the output can't be written");
    }
    heap_buf_free(&f->out);
    fhir_input_close(&f->input);
    return code;
}

int cli_fhir_path(int argc, char **argv)
{
    struct finding f = { 0 };
    struct cli_words words = { .n = 0 };
    const char *version = NULL;
    bool strict = false;
    const struct cli_arg args[] = {
        { .name = "--fhir", .value = &version },
        { .name = "--strict", .flag = &strict },
    };
    bool good = cli_args(argc, argv, args, ARRAY_LEN(args), &words) == 0 && words.n >= 1 &&
                words.n <= 2;
    f.source.schema = fhir_input_schema(version);
    if (!good || !f.source.schema) {
        return cli_usage("fhir path [--strict] [--fhir r4|r4b|r5] EXPRESSION [FILE|-]");
    }
    f.source.text = str_z(words.p[0]);
    f.source.flags = strict ? PATH_STRICT : 0;
    return run(&f, words.n > 1 ? words.p[1] : "-");
}
