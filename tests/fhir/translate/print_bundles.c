/*
 * Print the Bundle of each message of the files named, one a line after the file's name, for
 * the checks beside this; after --told the places instead of which it was told that nothing
 * came of them.
 */
#include "crypto/digest.h"
#include "fhir/translate/to_fhir.h"
#include "fhir/v2/charset.h"
#include "tests/check.h"
#include "tests/shipped.h"

static void print_places(const struct issues *issues)
{
    for (const struct issue *issue = issues->first; issue; issue = issue->next) {
        (void)printf("%s%.*s", issue == issues->first ? "" : " ", (int)issue->place.n,
                     issue->place.p);
    }
    (void)printf("\n");
}

static int print_bundle(const struct rules *rules, const char *path, bool told)
{
    size_t n = 0;
    char *text = check_read(path, &n);
    if (!text) {
        return -1;
    }
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct issues issues;
    issues_init(&issues, arena);
    uint8_t digest[DIGEST_SIZE];
    digest_sha256(str_of(text, n), digest);
    static const struct str header = { "MessageHeader", 13 };
    const struct translate_site site = { .rules = rules,
                                         .sender = STR("urn:oid:1.2.3|lab"),
                                         .gateway = STR("gateway"),
                                         .recorded = STR("2026-01-02T03:04:05Z"),
                                         .digest = digest,
                                         .options = &header,
                                         .option_count = 1,
                                         .explain = told };
    struct v2_message m;
    struct v2_message utf8;
    struct translate_result result;
    int r = v2_parse(arena, str_of(text, n), &issues, &m);
    r = r ? r : v2_message_utf8(arena, &m, V2_CHARSET_8859_1, &issues, &utf8);
    r = r ? r : translate_to_fhir(arena, &utf8, &site, &result, &issues);
    if (r == 0 && told) {
        (void)printf("%s\t", path);
        print_places(&issues);
    } else if (r == 0) {
        (void)printf("%s\t%.*s\n", path, (int)result.bundle.n, result.bundle.p);
    }
    free(text);
    return r;
}

int main(int argc, char **argv)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
    const struct rules *rules = shipped_rules(arena);
    bool told = argc > 1 && strcmp(argv[1], "--told") == 0;
    for (int i = told ? 2 : 1; i < argc; i++) {
        (void)print_bundle(rules, argv[i], told);
    }
    return 0;
}
