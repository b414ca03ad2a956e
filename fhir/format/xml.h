/* FHIR in XML to the tree of nodes that its JSON has, and back; guided by the schema. */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/base/issue.h"
#include "fhir/model/node.h"
#include "fhir/model/schema.h"

enum {
    XML_TEXT_MAX = 64 << 20,    /* bytes of a document */
    XML_VALUE_MAX = 10000000,   /* of an attribute or a text: the largest attachment */
    XML_TAG_MAX = 8 << 10,      /* of a tag, without values of attributes */
    XML_ATTRIBUTES_MAX = 64,    /* of an element, with its namespaces */
    XML_ELEMENTS_MAX = 1 << 20, /* of a document, without those of narratives */
    XML_NARRATIVE_DEPTH = 128,  /* elements inside each other in a narrative */
};

enum {
    XML_E_SYNTAX = 1, /* not well-formed, or what this reader refuses */
    XML_E_FORM = 2,   /* not the form of a FHIR resource */
};

#define XML_FHIR "http://hl7.org/fhir"
#define XML_XHTML "http://www.w3.org/1999/xhtml"

/**
 * xml_parse() - read one resource
 * @arena:  memory for the tree
 * @schema: the FHIR version
 * @text:   the document; the tree borrows from it
 * @issues: told the place and the reason of a refusal, and of each comment and processing
 *          instruction outside of narratives, for which JSON has no place
 * @root:   the tree, in the shape of JSON; start and end of a node are its element's
 *
 * Refused besides what isn't well-formed: a document type declaration, another encoding than
 * UTF-8, what the schema doesn't know or has in another order, anything beyond the limits
 * above or JSON's. Narratives are kept as they were written.
 *
 * Return: 0, XML_E_SYNTAX, XML_E_FORM or -ENOMEM; @root is set only on 0
 * Spec:   FHIR R4 xml.html, json.html
 */
MUST_USE int xml_parse(struct arena *arena, const struct schema *schema, struct str text,
                       struct issues *issues, const struct node **root);

/**
 * xml_write() - write one resource
 * @arena:  scratch memory
 * @schema: the FHIR version
 * @root:   the tree, in the shape of JSON, its members in any order
 * @issues: told the place and the reason of a refusal
 * @out:    the document is appended, without a declaration or a line's end
 *
 * Refused is what XML couldn't give back the same: unknown members, values of another kind,
 * arrays where there may be one value, control characters, narratives that aren't XHTML.
 *
 * Return: 0, XML_E_FORM or -ENOMEM; after an error @out holds rubbish
 */
MUST_USE int xml_write(struct arena *arena, const struct schema *schema,
                       const struct node *root, struct issues *issues, struct buf *out);
