/*
 * HL7 v2 in memory: parsing, and translation to a FHIR Bundle.
 *
 *   v2_bench FILE [SECONDS]
 *
 * Prints CPU microseconds for a message, the least of its turns, and megabytes parsed in a
 * second, as one line of JSON.
 */
#include "crypto/digest.h"
#include "fhir/translate/to_fhir.h"
#include "fhir/v2/charset.h"
#include "tests/bench/cpu.h"
#include "tests/shipped.h"

enum {
    TURN_US = 20000,
    ARENA = 1 << 20,
};

static struct str text;
static struct arena *arena;
static const struct rules *rules;
static size_t bundle_n;

static int parse(struct v2_message *out, struct issues *issues)
{
    arena_reset(arena);
    issues_init(issues, arena);
    return v2_parse(arena, text, issues, out);
}

static int translate(struct v2_message *message, struct issues *issues)
{
    static const struct v2_assigner known = { .system = { "urn:oid:1.2.3.4", 15 } };
    uint8_t digest[DIGEST_SIZE];
    struct v2_message utf8;
    struct translate_result result;
    digest_sha256(text, digest);
    const struct translate_site site = {
        .rules = rules,
        .sender = STR("urn:oid:1.2.3"),
        .assigners = { &known, 1 },
        .gateway = STR("gateway"),
        .recorded = STR("2026-01-02T03:04:05Z"),
        .digest = digest,
    };
    int r = v2_message_utf8(arena, message, V2_CHARSET_NONE, issues, &utf8);
    r = r ? r : translate_to_fhir(arena, &utf8, &site, &result, issues);
    bundle_n = r ? 0 : result.bundle.n;
    return r;
}

/* Microseconds for one message. */
static double turn(bool whole)
{
    double began = cpu_us();
    double took = 0;
    int n = 0;
    do {
        struct v2_message message;
        struct issues issues;
        int r = parse(&message, &issues);
        r = r || !whole ? r : translate(&message, &issues);
        if (r) {
            (void)fprintf(stderr, "v2_bench: can't read it: %d\n", r);
            exit(1);
        }
        n++;
        took = n % 16 ? 0 : cpu_us() - began;
    } while (took < TURN_US);
    return took / n;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: v2_bench FILE [SECONDS]\n");
        return 64;
    }
    double end = cpu_us() + (argc > 2 ? atof(argv[2]) : 1) * 1e6;
    double best[2] = { 0 };
    text.p = file_text(argv[1], &text.n);
    arena = arena_new(ARENA);
    rules = shipped_rules(arena_new(ARENA));
    do {
        for (int i = 0; i < 2; i++) {
            double took = turn(i == 1);
            best[i] = best[i] == 0 || took < best[i] ? took : best[i];
        }
    } while (cpu_us() < end);
    printf("{\"bytes\":%zu,\"parse_us\":%.2f,\"parse_mb_s\":%.0f,\"translate_us\":%.2f,"
           "\"bundle_bytes\":%zu}\n",
           text.n, best[0], (double)text.n / best[0], best[1], bundle_n);
    return 0;
}
