/* FHIR references: what a Reference element points at, by its text alone. */
#pragma once

#include "crypto/base/str.h"
#include "fhir/model/node.h"

enum reference_form {
    REFERENCE_NONE,      /* nothing that points: display only, empty, or malformed */
    REFERENCE_RELATIVE,  /* Type/id, below the base of the server it came from */
    REFERENCE_ABSOLUTE,  /* [base]/Type/id */
    REFERENCE_LOGICAL,   /* identifier only */
    REFERENCE_URN,       /* urn:uuid:… or urn:oid:…, an entry of the same Bundle */
    REFERENCE_CONTAINED, /* #id; id is empty for the container itself */
    REFERENCE_UNTYPED,   /* anything else: whatever it is, it may be a patient */
};

/*
 * All spans borrow from the node.
 *
 * @base:    of an absolute reference, without the slash before the type
 * @type:    resource type, from the reference or else Reference.type; may be empty
 * @id:      logical id; of a URN all of it
 * @version: of a versioned reference
 * @system:  of Reference.identifier, in any form where it is there
 * @value:   likewise
 */
struct reference {
    enum reference_form form;
    struct str base;
    struct str type;
    struct str id;
    struct str version;
    struct str system;
    struct str value;
};

/* Read the Reference element @node. */
struct reference reference_read(const struct node *node);

/* Read the text of a reference or of a URL that ends in Type/id[/_history/version]. */
struct reference reference_of(struct str text);

/* Whether @id has the form of a FHIR id: 1 to 64 of A-Z a-z 0-9 - . */
bool reference_is_id(struct str id);

/* Whether @type has the form of a resource type. */
bool reference_is_type(struct str type);
