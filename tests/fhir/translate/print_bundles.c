/* Print the Bundle of each message of the files named, one a line, for check_structure.py. */
#include "crypto/digest.h"
#include "fhir/translate/to_fhir.h"
#include "fhir/v2/charset.h"
#include "tests/check.h"
#include "tests/shipped.h"

static int print_bundle(const struct rules *rules, const char *path)
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
    const struct translate_site site = { .rules = rules,
                                         .sender = STR("urn:oid:1.2.3|lab"),
                                         .gateway = STR("gateway"),
                                         .recorded = STR("2026-01-02T03:04:05Z"),
                                         .digest = digest };
    struct v2_message m;
    struct v2_message utf8;
    struct translate_result result;
    int r = v2_parse(arena, str_of(text, n), &issues, &m);
    r = r ? r : v2_message_utf8(arena, &m, V2_CHARSET_8859_1, &issues, &utf8);
    r = r ? r : translate_to_fhir(arena, &utf8, &site, &result, &issues);
    if (r == 0) {
        (void)printf("%s\t%.*s\n", path, (int)result.bundle.n, result.bundle.p);
    }
    free(text);
    return r;
}

int main(int argc, char **argv)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
    const struct rules *rules = shipped_rules(arena);
    for (int i = 1; i < argc; i++) {
        (void)print_bundle(rules, argv[i]);
    }
    return 0;
}
