/*
 * HL7 v2 in memory: parsing, translation to a FHIR Bundle, and its validation.
 *
 *   v2_bench FILE|FOLDER [SECONDS] [SITE.map]
 *
 * FOLDER: all *.hl7 in it and below; a turn goes through all of them. Prints CPU microseconds
 * for a message, the least of its turns, as one line of JSON: parsed; translated, of those that
 * have a map; the same with the Bundle validated. With SITE.map translation is by the shipped
 * maps with that file over them, and what compiling both takes is told too.
 */
#include "crypto/digest.h"
#include "fhir/translate/to_fhir.h"
#include "fhir/v2/charset.h"
#include "fhir/validate/validate.h"
#include "gateway/heap.h"
#include "tests/bench/cpu.h"
#include "tests/shipped.h"

#include <ftw.h>
#include <string.h>
#include <sys/resource.h>

enum {
    TURN_US = 20000, /* a turn lasts at least this long */
    ARENA = 1 << 20,
    MESSAGES_MAX = 4096,
    FOLDERS_OPEN = 8,
    FILES_MAX = 64, /* of maps */
};

struct message {
    struct str text;
    bool has_map;
};

/* What is done with a message. */
enum work {
    PARSE,
    TRANSLATE,
    VALIDATE,
    WORKS,
};

static struct message messages[MESSAGES_MAX];
static size_t count;
static struct arena *arena;
static struct arena *rules_arena;
static struct map_file files[FILES_MAX];
static size_t file_count;
static const struct rules *rules;
static struct validator *validator;
static size_t bundle_n;
static size_t wrong;

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "v2_bench: %s\n", what);
        exit(1);
    }
}

static int translate(const struct message *of, struct v2_message *message, bool tree,
                     struct issues *issues, struct translate_result *result)
{
    static const struct v2_assigner known = { .system = { "urn:oid:1.2.3.4", 15 } };
    uint8_t digest[DIGEST_SIZE];
    struct v2_message utf8;
    digest_sha256(of->text, digest);
    const struct translate_site site = {
        .rules = rules,
        .sender = STR("urn:oid:1.2.3"),
        .assigners = { &known, 1 },
        .gateway = STR("gateway"),
        .recorded = STR("2026-01-02T03:04:05Z"),
        .digest = digest,
        .tree = tree,
    };
    int r = v2_message_utf8(arena, message, V2_CHARSET_8859_1, issues, &utf8);
    return r ? r : translate_to_fhir(arena, &utf8, &site, result, issues);
}

static void validate(const struct node *bundle)
{
    static const struct validate_options options = { 0 };
    struct issues issues;
    issues_init(&issues, arena);
    must(validate_resource(validator, arena, bundle, &options, &issues) == 0, "no memory");
    wrong += issues_bad(&issues);
}

static int do_work(const struct message *of, enum work work)
{
    struct v2_message message;
    struct issues issues;
    struct translate_result result = { 0 };
    arena_reset(arena);
    issues_init(&issues, arena);
    int r = v2_parse(arena, of->text, &issues, &message);
    must(r == 0, "a message can't be parsed");
    if (work == PARSE) {
        return 0;
    }
    r = translate(of, &message, work == VALIDATE, &issues, &result);
    bundle_n += result.bundle.n;
    if (r == 0 && work == VALIDATE) {
        validate(result.tree);
    }
    return r;
}

/* Microseconds for one message of those that @work is done with. */
static double turn(enum work work)
{
    double began = cpu_us();
    double took = 0;
    size_t n = 0;
    do {
        for (size_t i = 0; i < count; i++) {
            if (work == PARSE || messages[i].has_map) {
                must(do_work(&messages[i], work) == 0, "a message can't be translated");
                n++;
            }
        }
        took = n < 16 ? 0 : cpu_us() - began;
    } while (took < TURN_US);
    return took / (double)n;
}

static int on_file(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    if (kind == FTW_F && (at->level == 0 || str_ends(str_z(path), STR(".hl7")))) {
        must(count < MESSAGES_MAX, "too many messages");
        messages[count].text.p = file_text(path, &messages[count].text.n);
        count++;
    }
    return 0;
}

/* Milliseconds that compiling the maps takes. */
static double compile(void)
{
    double began = cpu_us();
    struct issues issues;
    arena_reset(rules_arena);
    issues_init(&issues, rules_arena);
    must(map_compile(rules_arena, files, file_count, &issues, &rules) == 0,
         "the maps can't be compiled");
    return (cpu_us() - began) / 1000;
}

static void load_maps(const char *site)
{
    must(map_shipped_count < FILES_MAX, "too many maps");
    memcpy(files, map_shipped, map_shipped_count * sizeof(files[0]));
    file_count = map_shipped_count;
    if (site) {
        files[file_count] = (struct map_file){ .name = "site.map", .layer = 1 };
        files[file_count].text.p = file_text(site, &files[file_count].text.n);
        file_count++;
    }
    rules_arena = arena_new(ARENA);
    must(rules_arena != NULL, "no memory");
}

/* Find out which messages have a map; how many. */
static size_t look(size_t *bytes)
{
    size_t with = 0;
    for (size_t i = 0; i < count; i++) {
        messages[i].has_map = do_work(&messages[i], TRANSLATE) == 0;
        with += messages[i].has_map;
        *bytes += messages[i].text.n;
    }
    return with;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: v2_bench FILE|FOLDER [SECONDS] [SITE.map]\n");
        return 64;
    }
    double best[WORKS] = { 0 };
    heap_keep_freed(); /* as the program does */
    load_maps(argc > 3 ? argv[3] : NULL);
    double compiled = compile();
    arena = arena_new(ARENA);
    must(arena && validator_new(arena_new(ARENA), &validator) == 0, "no memory");
    must(nftw(argv[1], on_file, FOLDERS_OPEN, FTW_PHYS) == 0 && count, "no messages");
    size_t bytes = 0;
    size_t with_map = look(&bytes);
    bundle_n = 0;
    must(with_map > 0 && turn(VALIDATE) > 0 && !wrong, "a Bundle isn't valid");
    double end = cpu_us() + (argc > 2 ? atof(argv[2]) : 1) * 1e6;
    do {
        for (enum work work = PARSE; work < WORKS; work++) {
            double took = turn(work);
            best[work] = best[work] == 0 || took < best[work] ? took : best[work];
        }
        double again = compile();
        compiled = again < compiled ? again : compiled;
    } while (cpu_us() < end);
    bundle_n = 0;
    (void)look(&(size_t){ 0 });
    struct rusage used;
    (void)getrusage(RUSAGE_SELF, &used);
    printf("{\"messages\":%zu,\"bytes\":%zu,\"translated\":%zu,\"bundle_bytes\":%zu,"
           "\"parse_us\":%.2f,\"parse_mb_s\":%.0f,\"translate_us\":%.2f,\"valid_us\":%.2f,"
           "\"compile_ms\":%.2f,\"resident_kb\":%ld}\n",
           count, bytes, with_map, bundle_n, best[PARSE],
           (double)bytes / (double)count / best[PARSE], best[TRANSLATE], best[VALIDATE],
           compiled, used.ru_maxrss);
    return 0;
}
