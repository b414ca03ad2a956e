/*
 * From elements of XML to the tree of nodes that the same resource has in JSON.
 *
 * Feed it the events of one document; it says what doesn't fit the schema, and where.
 */
#pragma once

#include "fhir/format/json.h"
#include "fhir/format/xml_narrative.h"
#include "fhir/format/xml_run.h"

enum {
    XML_PLACE_NAME = 64, /* bytes of an unknown name that a place shows */
};

enum xml_frame_kind {
    XML_FRAME_OBJECT,
    XML_FRAME_PRIMITIVE,
    XML_FRAME_SLOT, /* holds one resource: contained, Bundle.entry.resource */
    XML_FRAME_NARRATIVE,
};

/*
 * An element that is open.
 *
 * @object: its members; of a primitive those of "_name", made when there is one
 * @last:   youngest member
 * @rank:   of the run under way
 * @depth:  objects and arrays around its members
 */
struct xml_frame {
    enum xml_frame_kind kind;
    const struct schema_type *type;
    struct node *object;
    struct node *value; /* of primitives */
    struct node *last;
    size_t rank;
    size_t depth;
    struct xml_run run;
};

struct xml_tree {
    struct arena *arena; /* borrowed */
    const struct schema *schema;
    struct issues *issues;
    struct str text;
    struct node *root;
    const char *reason;  /* of XML_E_FORM; static text */
    struct str starting; /* the element that is about to be opened, in @starting_name */
    size_t open;         /* frames */
    size_t elements;
    char starting_name[XML_PLACE_NAME];
    struct xml_narrative narrative;
    struct xml_frame frames[JSON_DEPTH_MAX + 1];
};

/* Functions for xml_sax(), whose owner is a struct xml_tree. */
int xml_tree_start(void *owner, const struct xml_element *element);
int xml_tree_end(void *owner, size_t after);
int xml_tree_text(void *owner, struct str text);
void xml_tree_aside(void *owner, const char *what, size_t line);

/* Where the reading is, as Patient.name[1].given[0]. */
void xml_tree_place(const struct xml_tree *tree, struct buf *out);
