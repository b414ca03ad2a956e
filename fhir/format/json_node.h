/* Writing a tree of nodes as JSON. */
#pragma once

#include "crypto/base/buf.h"
#include "fhir/model/node.h"

/* Append @node, its value alone, without white space; texts of numbers as they are. */
void json_node(struct buf *out, const struct node *node);
