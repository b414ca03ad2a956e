/* A small map that tests add to, and translating by it. */
#pragma once

#include "tests/check.h"

#include "fhir/translate/map.h"
#include "fhir/translate/to_fhir.h"

enum {
    LAYERS_MAX = 3,
};

static const char BASE[] = "table CodingSystems\n"
                           "    LN -> http://loinc.org\n"
                           "resource Patient trusted\n"
                           "resource Device is Device event\n"
                           "resource Living is Observation event\n"
                           "resource Note event\n"
                           "    Patient -> subject : reference\n"
                           "resource Doctor is Practitioner identity\n"
                           "structure s\n"
                           "    message: MSH EVN => Note\n"
                           "        patient: PID PD1* => Patient\n"
                           "            key PID-3\n"
                           "            result: OBX NTE* ZL1* => Living\n"
                           "                key with above OBX-3\n"
                           "message ADT^A01 s\n"
                           "message ADT^A02 s\n"
                           "segment PID Patient\n"
                           "    PID-3 -> identifier[] {\n"
                           "        .1 -> value : string\n"
                           "    }\n"
                           "datatype XCN\n"
                           "    .2 -> $display : string\n"
                           "    .1 -> identifier[].value : string\n";

#define MSH "MSH|^~\\&|A|B|||2026||ADT^A01|7|P|2.5\r"

struct translated {
    struct arena *arena;
    struct issues issues;
    struct translate_result result;
};

/* Compile BASE with @layers after it, the first in the same layer; NULL after a mistake. */
static inline const struct rules *compile(struct translated *t, const char *const *layers,
                                          size_t count)
{
    struct map_file files[1 + LAYERS_MAX] = { { "base.map", str_z(BASE), 0 } };
    const struct rules *rules = NULL;
    for (size_t i = 0; i < count; i++) {
        files[1 + i] = (struct map_file){ "x.map", str_z(layers[i]), (uint16_t)i };
    }
    issues_init(&t->issues, t->arena);
    (void)!map_compile(t->arena, files, 1 + count, &t->issues, &rules);
    return rules;
}

/* Translate @message by BASE and @layers; 0, or what translating said. */
static inline int translate_by(struct translated *t, const char *const *layers, size_t count,
                               const char *message)
{
    static const struct str options[] = { { "Extra", 5 } };
    const struct rules *rules = compile(t, layers, count);
    for (const struct issue *i = t->issues.first; !rules && i; i = i->next) {
        print_error("%.*s: %.*s\n", (int)i->place.n, i->place.p, (int)i->text.n, i->text.p);
    }
    assert_non_null(rules);
    const struct translate_site site = { .rules = rules,
                                         .options = options,
                                         .option_count = ARRAY_LEN(options) };
    struct v2_message m;
    assert_int_equal(v2_parse(t->arena, str_z(message), &t->issues, &m), 0);
    return translate_to_fhir(t->arena, &m, &site, &t->result, &t->issues);
}

static inline int translate(struct translated *t, const char *rows, const char *message)
{
    return translate_by(t, &rows, 1, message);
}

/* Whether the Bundle has @text in it. */
static inline bool has(const struct translated *t, const char *text)
{
    return memmem(t->result.bundle.p, t->result.bundle.n, text, strlen(text)) != NULL;
}
