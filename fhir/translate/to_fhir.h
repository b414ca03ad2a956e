/*
 * HL7 v2 to FHIR R4: a message to a transaction Bundle, by maps (fhir/translate/map.h).
 *
 * The same message with the same site always gives the same bytes. The ids of what the
 * message reports are computed from sender, order number and place in the order; what it only
 * mentions (patient, visit, people, places) is recognised by its identifiers.
 */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/base/issue.h"
#include "fhir/model/node.h"
#include "fhir/translate/rules.h"
#include "fhir/v2/message.h"
#include "fhir/v2/patient_ids.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* URL of an extension of the Bundle's entries: an element that two double quotes delete. */
#define TRANSLATE_DELETES "urn:chartseal:deletes"

enum {
    TRANSLATE_E_TYPE = 1, /* no map for this message type */
    TRANSLATE_E_SIZE = 2, /* the Bundle would pass TRANSLATE_BUNDLE_MAX */
    TRANSLATE_BUNDLE_MAX = 256 << 20,
    TRANSLATE_IDENTIFIERS_MAX = 64, /* of one resource */
};

/**
 * translate_zone_fn() - offset of local time from UTC in a zone
 * @owner:   as given
 * @zone:    IANA name
 * @local:   tm_year to tm_sec set
 * @minutes: east of UTC
 *
 * Return: 0, or another number if zone or time don't exist there.
 */
typedef int (*translate_zone_fn)(void *owner, struct str zone, const struct tm *local,
                                 int *minutes);

/*
 * What is known of the sender besides its message. Spans are borrowed and UTF-8.
 *
 * @rules:        the maps in force, from map_compile()
 * @sender:       its organisation, an identifier system and value joined by '|', or a URI
 * @zone:         IANA zone of times without offset; empty: such times keep only their date
 * @zone_offset:  NULL: as if @zone were empty
 * @assigners:    systems for its assigning authorities
 * @gateway:      name of this gateway's device, for Provenance
 * @recorded:     instant for Provenance.recorded and Bundle.timestamp, "2026-11-22T18:00:00Z"
 * @digest:       SHA-256 of the message as received, 32 bytes
 * @explain:      origins are wanted, and each component that became nothing as an issue
 * @tree:         the Bundle is wanted as a tree too
 * @options:      @option_count words that maps ask for, such as "MessageHeader"
 */
struct translate_site {
    const struct rules *rules;
    struct str sender;
    struct str zone;
    translate_zone_fn zone_offset;
    void *zone_owner;
    struct v2_assigners assigners;
    struct str gateway;
    struct str recorded;
    const uint8_t *digest;
    const struct str *options;
    size_t option_count;
    bool explain;
    bool tree;
};

struct translate_identifier {
    struct str system;
    struct str value;
};

/*
 * One of some top-level elements of a resource.
 *
 * @path:  "birthDate", "address"
 * @field: of the message that says so, "PID-13"; or empty
 */
struct translate_path {
    struct str path;
    struct str field;
    struct translate_path *next;
};

/*
 * One entry of the Bundle.
 *
 * @type:        "Patient"; static text
 * @id:          logical id for PUT Type/id; empty for what is recognised by identifier
 * @shared:      other messages speak of it too, as of a practitioner or a place: what is stored
 *               is joined with, not replaced
 * @full_url:    "urn:uuid:…", what other entries refer to
 * @url:         where the Bundle's request puts it: "Type/id" or "Type?identifier=…"
 * @resource:    JSON of the resource, inside the Bundle's text
 * @tree:        the same as a tree, if it is wanted
 * @identifiers: @identifier_count of them; the first is the one in the conditional URL
 * @deletes:     what the message deletes by two double quotes; NULL if nothing
 * @defaults:    what stands there only because it must: yields to what is stored
 * @withdrawn:   JSON of an object with lists: what the message takes out of those of the stored
 *               resource, a link to another patient; empty if nothing
 */
struct translate_entry {
    const char *type;
    struct str id;
    bool shared;
    struct str full_url;
    struct str url;
    struct str resource;
    const struct node *tree;
    struct translate_identifier *identifiers;
    size_t identifier_count;
    const struct translate_path *deletes;
    const struct translate_path *defaults;
    struct str withdrawn;
};

/*
 * What one element of a resource was made of.
 *
 * @entry: index of the resource's entry
 * @path:  in the resource, "name[0].family"
 * @from:  place in the message, "PID[1]-5[1].1", or empty for constants
 * @row:   where the row stands that made it, "datatypes.map:58"
 * @by:    the row of the segment that led there, if it is another; or empty
 */
struct translate_origin {
    size_t entry;
    struct str path;
    struct str from;
    struct str row;
    struct str by;
    struct translate_origin *next;
};

/*
 * What is kept in the message alone.
 *
 * @segment:    its index in the message
 * @field:      0: all of the segment
 * @repetition: 0: all of the field; else only @component of that one, or if that is 0 that one
 *              and all after it
 */
struct translate_kept {
    size_t segment;
    uint32_t field;
    uint32_t repetition;
    uint32_t component;
    struct translate_kept *next;
};

/*
 * @bundle:  the transaction Bundle, in the arena
 * @tree:    the same as a tree, as if it had been read from the text, but without places in it;
 *           NULL unless it is wanted
 * @entries: in the Bundle's order
 * @origins: of all elements, in their order; NULL unless they were asked for
 * @unread:  segments, fields and components that hold something and no row reads; told as
 * issues
 * @kept:    the same one by one; NULL unless origins were asked for
 */
struct translate_result {
    struct str bundle;
    const struct node *tree;
    struct translate_entry *entries;
    size_t count;
    const struct translate_origin *origins;
    size_t unread;
    const struct translate_kept *kept;
};

/* Whether @rules have a map for messages of this type. */
bool translate_knows(const struct rules *rules, const struct v2_message *message);

/* Whether anything in @rules depends on option @name; one that nothing does is a mistake. */
bool translate_has_option(const struct rules *rules, struct str name);

/**
 * translate_to_fhir() - translate one message
 * @arena:   memory for everything
 * @message: in UTF-8 (v2_message_utf8())
 * @site:    what is known of the sender
 * @out:     the Bundle and its entries
 * @issues:  told what could not be read, was changed or was left out, by place
 *
 * Return: 0, TRANSLATE_E_… or -ENOMEM; @out is set only on 0.
 */
MUST_USE int translate_to_fhir(struct arena *arena, const struct v2_message *message,
                               const struct translate_site *site, struct translate_result *out,
                               struct issues *issues);
