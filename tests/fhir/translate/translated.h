/* Translating a message in a test, as sent by a laboratory two hours east of UTC. */
#pragma once

#include "crypto/digest.h"
#include "fhir/translate/to_fhir.h"
#include "fhir/v2/charset.h"
#include "tests/check.h"
#include "tests/shipped.h"

static const struct v2_assigner known[] = {
    { { "LAB", 3 }, { "urn:oid:1.2.3.4", 15 } },
};

/* A zone two hours east of UTC that has no time in 1980. */
static inline int zone_offset(void *owner, struct str zone, const struct tm *local,
                              int *minutes)
{
    (void)owner;
    if (!str_eq(zone, STR("Europe/Berlin")) || local->tm_year == 80) {
        return -1;
    }
    *minutes = 120;
    return 0;
}

/* @options: @option_count of them, asked for */
struct translated {
    struct arena *arena;
    const struct str *options;
    size_t option_count;
    struct issues issues;
    struct translate_result result;
};

static struct arena *rules_arena;
static const struct rules *rules;

static inline int setup(void **state)
{
    (void)state;
    rules_arena = arena_new(1 << 20);
    rules = shipped_rules(rules_arena);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    arena_free(rules_arena);
    return 0;
}

static inline int translate_with(struct translated *t, struct str text, bool zoned)
{
    static const uint8_t digest[DIGEST_SIZE] = { 1, 2, 3 };
    const struct translate_site site = {
        .rules = rules,
        .sender = STR("urn:oid:9|lab"),
        .zone = zoned ? STR("Europe/Berlin") : STR(""),
        .zone_offset = zone_offset,
        .assigners = { known, ARRAY_LEN(known) },
        .gateway = STR("gateway"),
        .recorded = STR("2026-01-02T03:04:05Z"),
        .digest = digest,
        .options = t->options,
        .option_count = t->option_count,
        .tree = true,
    };
    issues_init(&t->issues, t->arena);
    struct v2_message m;
    struct v2_message utf8;
    int r = v2_parse(t->arena, text, &t->issues, &m);
    r = r ? r : v2_message_utf8(t->arena, &m, V2_CHARSET_8859_1, &t->issues, &utf8);
    return r ? r : translate_to_fhir(t->arena, &utf8, &site, &t->result, &t->issues);
}

static inline const struct translate_entry *entry(const struct translated *t, const char *type)
{
    for (size_t i = 0; i < t->result.count; i++) {
        if (strcmp(t->result.entries[i].type, type) == 0) {
            return &t->result.entries[i];
        }
    }
    return NULL;
}

#define MSH(type) "MSH|^~\\&|APP|FAC|||20260102||" type "|7|P|2.5.1\r"
#define ADT MSH("ADT^A01^ADT_A01")
#define ORU MSH("ORU^R01^ORU_R01")
#define PID "PID|1||7^^^LAB^MR\r"
