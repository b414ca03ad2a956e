/* An HL7 v2 message from outside, translated: whom it is about, and what it becomes. */
#include "crypto/digest.h"
#include "fhir/translate/to_fhir.h"
#include "fhir/v2/read.h"
#include "tests/fuzz/fuzz.h"
#include "tests/shipped.h"

enum {
    MEMORY = 64 << 20,
};

static const struct v2_assigner known[] = {
    { { "LAB", 3 }, { "urn:oid:1.2.3.4", 15 } },
    { { "", 0 }, { "urn:default", 11 } },
};

static int zone_offset(void *owner, struct str zone, const struct tm *local, int *minutes)
{
    (void)owner;
    (void)zone;
    *minutes = local->tm_hour * 10;
    return local->tm_year > 200;
}

static const struct rules *rules(void)
{
    static const struct rules *once;
    once = once ? once : shipped_rules(arena_new(1 << 20));
    return once;
}

static void translate(struct arena *arena, const struct v2_message *message,
                      struct issues *issues)
{
    static const uint8_t digest[DIGEST_SIZE];
    static const struct str options[] = { STR_INIT("MessageHeader"), STR_INIT("Binary") };
    const struct translate_site site = {
        .rules = rules(),
        .sender = STR("urn:oid:9|lab"),
        .zone = STR("Europe/Berlin"),
        .zone_offset = zone_offset,
        .assigners = { known, ARRAY_LEN(known) },
        .gateway = STR("gateway"),
        .recorded = STR("2026-01-02T03:04:05Z"),
        .digest = digest,
        .options = options,
        .option_count = ARRAY_LEN(options),
    };
    struct v2_patients patients;
    struct translate_result result;
    if (v2_patients(arena, message, &site.assigners, issues, &patients) == 0) {
        (void)!translate_to_fhir(arena, message, &site, &result, issues);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(4096);
    if (!arena) {
        return 0;
    }
    arena_limit(arena, MEMORY);
    struct issues issues;
    issues_init(&issues, arena);
    struct v2_message message;
    struct str text = str_of(data, size);
    if (v2_read(arena, text, V2_CHARSET_8859_1, &issues, &message) == 0) {
        translate(arena, &message, &issues);
    }
    arena_free(arena);
    return 0;
}
