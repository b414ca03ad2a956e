/*
 * Whose data a resource is: the patients whose consent decides.
 *
 * The table schemas/fhir/subjects_r4.csv classes each type of R4 and each element that is able
 * to point at a patient. Only "subject" elements make somebody a subject; a performer, author
 * or recipient never does.
 */
#pragma once

#include "crypto/base/attr.h"
#include "fhir/base/arena.h"
#include "fhir/model/node.h"
#include "fhir/model/reference.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    SUBJECT_WORK_MAX = 1 << 24, /* comparisons of references; beyond it nobody is told */
};

enum subject_class {
    SUBJECT_UNKNOWN, /* not to be told from the resource: nothing may be released */
    SUBJECT_NONE,    /* a type without patients, by table */
    SUBJECT_KNOWN,   /* each of the list has to permit */
};

enum subject_role {
    SUBJECT_ROLE_SUBJECT,     /* it is this one's data */
    SUBJECT_ROLE_PARTICIPANT, /* a patient who is mentioned, never sufficient for a permit */
    SUBJECT_ROLE_DERIVED,     /* the data of whoever the thing pointed at is about */
};

/* A patient, or what leads to one. Spans borrow from the resource. */
struct subject_ref {
    struct reference to;
    struct subject_ref *next;
};

struct subject_list {
    struct subject_ref *first;
    struct subject_ref *last;
    size_t count;
};

/* Append @to. Return: 0 or -ENOMEM */
MUST_USE int subject_list_add(struct arena *arena, struct subject_list *list,
                              const struct reference *to);

/*
 * @why:          of SUBJECT_UNKNOWN; static text
 * @elsewhere:    SUBJECT_UNKNOWN only because it says no more than what is in @derived
 * @patients:     the subjects, each once; never REFERENCE_CONTAINED, never REFERENCE_UNTYPED
 * @participants: other patients whom the resource mentions. It names them, so each of them
 *                has to permit as well for as long as mentions aren't redacted
 * @derived:      things the resource lists or is about that may be another patient's
 */
struct subjects {
    enum subject_class class;
    const char *why;
    bool elsewhere;
    struct subject_list patients;
    struct subject_list participants;
    struct subject_list derived;
};

/**
 * subject_find() - whose data a resource is
 * @arena:    memory for the lists
 * @resource: a resource, or a Bundle: then each entry's, together
 * @out:      class and lists
 *
 * A Patient is its own subject. Contained resources are followed. A reference that can't be
 * classed counts as a patient.
 *
 * Return: 0 or -ENOMEM; @out is set only on 0
 * Spec:   FHIR R4 4.0.1
 */
MUST_USE int subject_find(struct arena *arena, const struct node *resource,
                          struct subjects *out);

/* What the table says of type @type alone: NONE only for types that never have a subject. */
enum subject_class subject_of_type(struct str type);

/* Whether @type is a resource type of R4. */
bool subject_type_known(struct str type);

enum {
    SUBJECT_TYPES_MAX = 160, /* above any number below */
};

/* A number of a resource type of R4, from 1 in the order of their names: stored, and never
 * another, for R4 is final. 0: no type of R4. And the other way; NULL: no such number. */
unsigned subject_type_number(struct str type);
const char *subject_type_name(unsigned number);
