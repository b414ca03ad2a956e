/*
 * FHIRPath in memory.
 *
 *   path_bench FILE.json EXPRESSIONS [SECONDS]
 *
 * Each line of EXPRESSIONS is compiled once and run on the resource of FILE.json, which is read
 * once. Prints CPU microseconds for one run, the least of its turns, and the items it gives, as
 * one line of JSON.
 */
#include "fhir/format/json.h"
#include "fhir/path/path.h"
#include "fhir/path/put.h"
#include "tests/bench/cpu.h"

#include <string.h>

enum {
    TURN_US = 10000, /* a turn lasts at least this long */
    RUNS = 16,       /* of a machine and its input, before memory is used anew */
    ROUNDS = 16,     /* between looks at the clock */
    ARENA_FIRST = 1 << 20,
    OUT_MAX = 16 << 20,
};

static struct arena *kept; /* the resource and the expressions */
static struct arena *work;
static const struct node *resource;
static const struct path_env env;

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "path_bench: %s\n", what);
        exit(1);
    }
}

static struct path_list run(struct path_machine *m, const struct path *path,
                            const struct path_value *input, struct issues *issues)
{
    struct path_list list;
    must(path_run(m, path, input, issues, &list) == 0, "an expression can't be evaluated");
    return list;
}

static void round_of(const struct path *path)
{
    struct issues issues;
    arena_reset(work);
    issues_init(&issues, work);
    struct path_machine *m = path_machine_new(work, &env);
    struct path_value input = path_element(&schema_r4, resource, NULL);
    for (int i = 0; i < RUNS; i++) {
        (void)run(m, path, &input, &issues);
    }
}

static double turn(const struct path *path)
{
    double began = cpu_us();
    double took = 0;
    int n = 0;
    do {
        for (int i = 0; i < ROUNDS; i++) {
            round_of(path);
        }
        n += ROUNDS * RUNS;
        took = cpu_us() - began;
    } while (took < TURN_US);
    return took / n;
}

static void tell(const struct path *path, double us, struct buf *out)
{
    struct issues issues;
    issues_init(&issues, work);
    struct path_value input = path_element(&schema_r4, resource, NULL);
    struct path_list list = run(path_machine_new(work, &env), path, &input, &issues);
    buf_fmt(out, "{\"us\":%.3f,\"result\":[", us);
    for (size_t i = 0; i < list.n; i++) {
        buf_z(out, i ? "," : "");
        path_put_json(work, &schema_r4, &list.items[i], out);
    }
    buf_z(out, "]}");
}

static const struct path *compile(struct str text)
{
    struct issues issues;
    const struct path *path;
    const struct path_source source = { .text = text, .schema = &schema_r4 };
    issues_init(&issues, kept);
    must(path_compile(kept, &source, &issues, &path) == 0, "an expression can't be read");
    return path;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr, "usage: path_bench FILE.json EXPRESSIONS [SECONDS]\n");
        return 64;
    }
    struct issues issues;
    struct str text;
    struct str expressions;
    double seconds = argc > 3 ? atof(argv[3]) : 1;
    text.p = file_text(argv[1], &text.n);
    expressions.p = file_text(argv[2], &expressions.n);
    kept = arena_new(ARENA_FIRST);
    work = arena_new(ARENA_FIRST);
    issues_init(&issues, kept);
    must(json_parse(kept, text, &issues, &resource) == 0, "the resource can't be read");

    struct buf out = arena_buf(kept, OUT_MAX);
    buf_c(&out, '[');
    while (expressions.n) {
        const struct path *path = compile(str_cut(&expressions, '\n'));
        double end = cpu_us() + seconds * 1e6;
        double best = turn(path);
        while (cpu_us() < end) {
            double took = turn(path);
            best = took < best ? took : best;
        }
        buf_z(&out, out.n > 1 ? "," : "");
        tell(path, best, &out);
    }
    buf_z(&out, "]\n");
    must(!buf_failed(&out), "no memory");
    (void)fwrite(out.p, 1, out.n, stdout);
    return 0;
}
