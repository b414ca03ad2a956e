/* From node to node in document order; a closing bracket comes after the last child. */
#include "fhir/format/json_node.h"

#include "fhir/format/json_write.h"

/* What comes before and at the beginning of @node. */
static void begin(struct buf *out, const struct node *node, const struct node *top)
{
    if (node != top && node != node->parent->first) {
        buf_c(out, ',');
    }
    if (node != top && node->parent->kind == NODE_OBJECT) {
        json_quote(out, node->name);
        buf_c(out, ':');
    }
    switch (node->kind) {
    case NODE_NULL: buf_z(out, "null"); break;
    case NODE_FALSE: buf_z(out, "false"); break;
    case NODE_TRUE: buf_z(out, "true"); break;
    case NODE_NUMBER: buf_str_put(out, node->text); break;
    case NODE_STRING: json_quote(out, node->text); break;
    case NODE_ARRAY: buf_c(out, '['); break;
    case NODE_OBJECT: buf_c(out, '{'); break;
    }
}

static void end(struct buf *out, const struct node *node)
{
    if (node->kind == NODE_ARRAY) {
        buf_c(out, ']');
    } else if (node->kind == NODE_OBJECT) {
        buf_c(out, '}');
    }
}

void json_node(struct buf *out, const struct node *node)
{
    const struct node *top = node;
    for (;;) {
        begin(out, node, top);
        if (node->first) {
            node = node->first;
            continue;
        }
        end(out, node);
        while (node != top && !node->next) {
            node = node->parent;
            end(out, node);
        }
        if (node == top) {
            return;
        }
        node = node->next;
    }
}
