/* Joining what a message says about a resource with what is stored. */
#pragma once

#include "crypto/base/buf.h"
#include "fhir/base/arena.h"
#include "fhir/model/node.h"
#include "fhir/translate/to_fhir.h"

/**
 * translate_merge() - the resource to write back
 * @arena:    memory for the tree of @entry's resource
 * @stored:   tree of the stored resource
 * @text:     the text that @stored was read from
 * @entry:    what the message says
 * @out:      the merged resource is appended
 *
 * A member that the message doesn't carry keeps its bytes; one it deletes goes; one it carries
 * replaces the stored one, but identifiers, links, extensions and security labels are united.
 * Of these lists it may withdraw items; a link to the resource itself says nothing and is left
 * out. id and the rest of meta stay as stored.
 *
 * Return: 0, -EINVAL if either is no object or the types differ, -ENOMEM.
 */
MUST_USE int translate_merge(struct arena *arena, const struct node *stored, struct str text,
                             const struct translate_entry *entry, struct buf *out);
