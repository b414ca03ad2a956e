/* Translating a message on the command line: what hl7 translate and hl7 diff have in common. */
#pragma once

#include "fhir/translate/to_fhir.h"
#include "gateway/cli/cli.h"
#include "gateway/maps.h"

enum {
    HL7_BUNDLE_E_MESSAGE = 1, /* no readable message */
    HL7_BUNDLE_E_TYPE = 2,    /* no map for its type */
    HL7_BUNDLE_E_SIZE = 3,    /* it would become too large */
};

/* What the command line says of the sender. */
struct hl7_sender {
    const char *organization;
    const char *zone;
    const char *charset;
    struct cli_words assigners; /* NAME=SYSTEM */
    struct cli_words options;   /* of the maps */
    bool explain;               /* see struct translate_site */
};

/* Whether what was said is good; complaints on standard error name @command. */
bool hl7_sender_good(const struct hl7_sender *sender, const char *command);

/* Whether one of @count maps knows each option asked for; if not, the same. */
bool hl7_options_known(const struct hl7_sender *sender, struct maps *const *maps, size_t count,
                       const char *command);

/* The time as an instant, the same within one run: so that two translations differ only where
 * the maps do. */
const char *hl7_now(void);

/**
 * hl7_maps() - compile maps
 * @files: over the shipped ones
 * @out:   the maps, owned by the caller
 *
 * Return: EX_OK, or the code to exit with; why was said on standard error.
 */
MUST_USE int hl7_maps(const struct cli_words *files, struct maps **out);

/**
 * hl7_bundle() - translate one message
 * @arena:  memory for everything
 * @text:   the message, with or without MLLP frame
 * @rules:  maps in force
 * @issues: told what there is to say about the message
 *
 * Return: 0, HL7_BUNDLE_E_… or -ENOMEM; @out is set only on 0.
 */
MUST_USE int hl7_bundle(struct arena *arena, const struct hl7_sender *sender,
                        const struct rules *rules, struct str text, struct issues *issues,
                        struct translate_result *out);

/* What a return of hl7_bundle() means, for people. */
const char *hl7_bundle_why(int r);
