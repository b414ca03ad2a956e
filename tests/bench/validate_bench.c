/*
 * Validation in memory.
 *
 *   validate_bench RESOURCES.ndjson [SECONDS]
 *
 * The resources are read once; a turn validates all of them. Prints CPU microseconds for a
 * resource, the least of the turns, and which are valid (1) or not (0), as one line of JSON.
 */
#include "fhir/format/json.h"
#include "fhir/validate/validate.h"
#include "tests/bench/cpu.h"

#include <string.h>

enum {
    TURN_US = 20000, /* a turn lasts at least this long */
    ARENA = 1 << 20,
    RESOURCES_MAX = 4096,
};

static const struct node *resources[RESOURCES_MAX];
static size_t count;
static char verdicts[RESOURCES_MAX + 1];
static struct arena *arena;
static struct validator *validator;

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "validate_bench: %s\n", what);
        exit(1);
    }
}

static void look(size_t i)
{
    static const struct validate_options options = { 0 };
    struct issues issues;
    arena_reset(arena);
    issues_init(&issues, arena);
    must(validate_resource(validator, arena, resources[i], &options, &issues) == 0,
         "no memory");
    verdicts[i] = issues_bad(&issues) ? '0' : '1';
}

static double turn(void)
{
    double began = cpu_us();
    double took = 0;
    size_t n = 0;
    do {
        for (size_t i = 0; i < count; i++) {
            look(i);
        }
        n += count;
        took = cpu_us() - began;
    } while (took < TURN_US);
    return took / (double)n;
}

static void load(const char *path, struct arena *kept)
{
    struct str text;
    struct issues issues;
    issues_init(&issues, kept);
    text.p = file_text(path, &text.n);
    while (text.n) {
        struct str line = str_cut(&text, '\n');
        must(count < RESOURCES_MAX, "too many resources");
        must(json_parse(kept, line, &issues, &resources[count++]) == 0, "no JSON");
    }
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: validate_bench RESOURCES.ndjson [SECONDS]\n");
        return 64;
    }
    struct arena *kept = arena_new(ARENA);
    arena = arena_new(ARENA);
    must(kept && arena && validator_new(kept, &validator) == 0, "no memory");
    load(argv[1], kept);
    double end = cpu_us() + (argc > 2 ? atof(argv[2]) : 1) * 1e6;
    double best = turn();
    while (cpu_us() < end) {
        double took = turn();
        best = took < best ? took : best;
    }
    printf("{\"resources\":%zu,\"us\":%.2f,\"valid\":\"%s\"}\n", count, best, verdicts);
    return 0;
}
