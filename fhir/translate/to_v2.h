/*
 * FHIR R4 to HL7 v2: a Bundle or resource to a message, by maps (fhir/translate/map.h).
 *
 * The same input for the same receiver always gives the same bytes. What a resource has kept of
 * the message it came from (originalText, urn:chartseal:deletes) goes back as it was.
 */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/base/issue.h"
#include "fhir/model/node.h"
#include "fhir/translate/rules.h"
#include "fhir/v2/charset.h"
#include "fhir/v2/delims.h"
#include "fhir/v2/dictionary.h"
#include "fhir/v2/patient_ids.h"

enum {
    TO_V2_E_TYPE = 1,    /* no map for such a message, or for what is there */
    TO_V2_E_MISSING = 2, /* what the message can't be without isn't there; an issue says what */
    TO_V2_E_NOTHING = 3, /* what it would be about is withheld: there is no message */
    TO_V2_E_SIZE = 4,    /* the message would pass V2_MESSAGE_MAX, or the input a limit below */
    TO_V2_RESOURCES_MAX = 100000,
    TO_V2_SEGMENTS_MAX = V2_SEGMENTS_MAX,
};

/*
 * For whom a message is. Spans are borrowed and UTF-8.
 *
 * @rules:     the maps in force, from map_compile()
 * @event:     "ORU^R01"; empty: the first of the maps whose condition holds
 * @version:   what it reads: fields and components that this one hasn't got are left out
 * @beyond:    they are written all the same: many systems have some of later versions
 * @control:   MSH-10
 * @recorded:  instant for MSH-7, "2026-11-22T18:00:00Z"
 * @charset:   MSH-18, in which the message is written; empty: UTF-8, and MSH-18 is silent
 * @assigners: its names for identifier systems
 * @options:   @option_count words that maps ask for
 */
struct translate_receiver {
    const struct rules *rules;
    struct str event;
    enum v2_version version;
    bool beyond;
    struct v2_delims delims;
    struct str control;
    struct str recorded;
    struct str charset;
    struct v2_assigners assigners;
    const struct str *options;
    size_t option_count;
};

/*
 * @text:  the message, in the arena
 * @type:  "ORU"
 * @event: "R01"
 * @unread: resources that nothing was made of; told as issues
 */
struct translate_message {
    struct str text;
    struct str type;
    struct str event;
    size_t unread;
};

/* What a return of translate_to_v2() that isn't 0 means, for people. */
const char *to_v2_why(int r);

/* Whether a map of @rules makes message @event, "ORU^R01". */
bool to_v2_makes(const struct rules *rules, struct str event);

/**
 * translate_to_v2() - a message for one receiver
 * @arena:  memory for everything
 * @root:   a Bundle or another resource, from json_parse()
 * @to:     the receiver
 * @out:    the message
 * @issues: told what was left out and why there is no message, by place
 *
 * Return: 0, TO_V2_E_… or -ENOMEM; @out is set only on 0.
 */
MUST_USE int translate_to_v2(struct arena *arena, const struct node *root,
                             const struct translate_receiver *to, struct translate_message *out,
                             struct issues *issues);
