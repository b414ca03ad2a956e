/* An HL7 v2 message from outside: parse, identify, answer, translate. */
#include "crypto/digest.h"
#include "fhir/translate/to_fhir.h"
#include "fhir/v2/ack.h"
#include "fhir/v2/group.h"
#include "fhir/v2/read.h"
#include "fhir/v2/validate.h"
#include "tests/fuzz/fuzz.h"
#include "tests/shipped.h"

#include <stdlib.h>

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

static void answer(struct arena *arena, const struct v2_message *about)
{
    struct buf out = arena_buf(arena, MEMORY);
    const struct v2_ack ack = { .code = V2_ACK_ERROR,
                                .control_id = STR("1"),
                                .time = STR("20260102"),
                                .condition = V2_ACK_REQUIRED,
                                .place = STR("PID-3[2].4"),
                                .text = STR("a & b") };
    (void)!v2_ack_write(arena, about, &ack, &out);
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

/* Each segment is in a group, and each group in one before it. */
static void group(struct arena *arena, const struct v2_message *message, struct issues *issues)
{
    struct v2_groups groups;
    if (v2_group_segments(arena, message, issues, &groups) != 0) {
        return;
    }
    for (size_t i = 0; i < message->count; i++) {
        fuzz_expect(groups.of[i] < groups.count);
    }
    for (size_t i = 1; i < groups.count; i++) {
        fuzz_expect(groups.list[i].parent < i && groups.list[i].segment < message->count);
    }
    v2_validate(message, groups.structure.version, issues);
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
    if (v2_parse_header(arena, text, &message) == 0) {
        answer(arena, &message);
    }
    if (v2_read(arena, text, V2_CHARSET_8859_1, &issues, &message) == 0) {
        answer(arena, &message);
        group(arena, &message, &issues);
        translate(arena, &message, &issues);
    }
    arena_free(arena);
    return 0;
}
