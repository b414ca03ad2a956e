/* A resource of the Bundle under construction, and what it is recognised by. */
#pragma once

#include "fhir/translate/element.h"
#include "fhir/translate/to_fhir.h"

enum {
    RESOURCE_UUID_SIZE = 36, /* characters of a UUID */
    RESOURCE_URL_SIZE = 45,  /* and of "urn:uuid:" before it */
};

struct group;

/* A segment that a resource was made from. */
struct resource_source {
    const struct v2_segment *segment;
    struct resource_source *next;
};

/*
 * @group:   where it belongs; NULL if the message only mentions it
 * @segment: the first that it may be made from; may be NULL
 * @sources: the segments that something of it was made from, the last of them @sources_last
 * @maker:   the rule that made it; NULL for those that groups have
 * @made_next: of the same group
 * @container: the resource it is inside of, or NULL; @contained: how many are inside of it
 * @display: a name for references
 * @url:     "urn:uuid:" and its id
 * @by_id:   written under its id; otherwise recognised by @system and @value
 * @same:    another resource of the Bundle that is the same; references go there
 * @ends:    something in it may be the end of a period
 * @deletes: elements that the message deletes
 * @withdrawn: an object of lists with what goes out of the stored ones; NULL if nothing
 * @repeat:  how many with the same key came before it; @repeats: how many came after it
 */
struct resource {
    const struct rule_resource *type;
    struct group *group;
    const struct v2_segment *segment;
    struct resource_source *sources;
    struct resource_source *sources_last;
    const struct rule *maker;
    struct resource *made_next;
    struct resource *container;
    uint32_t contained;
    struct element *root;
    struct str display;
    char url[RESOURCE_URL_SIZE];
    bool by_id;
    bool ends;
    struct str system;
    struct str value;
    const struct resource *same;
    struct translate_path *deletes;
    struct element *withdrawn;
    uint32_t repeat;
    uint32_t repeats;
    struct resource *next;
};

/* Whether it is in the Bundle: it holds something, and isn't another's double. */
static inline bool resource_written(const struct resource *resource)
{
    return resource->root->solid && !resource->same;
}

/*
 * The identifiers that it is told by: its master identifier, which is of this resource alone,
 * or else all in its list. NULL after the last, @after is NULL before the first.
 */
static inline const struct element *resource_identifier(const struct resource *resource,
                                                        const struct element *after)
{
    if (after) {
        return after->name ? NULL : after->next; /* those in a list have no name */
    }
    const struct element *master = element_get(resource->root, "masterIdentifier");
    return master ? master : element_first(resource->root, "identifier");
}

/* What references to it say. */
static inline struct str resource_url(const struct resource *resource)
{
    const struct resource *r = resource->same ? resource->same : resource;
    return str_of(r->url, RESOURCE_URL_SIZE);
}
