/* Whether two trees mean the same: members in any order, numbers by their text, narratives by
 * their canonical form. */
#pragma once

#include "fhir/model/node.h"
#include "tests/check.h"

#include <libxml/c14n.h>
#include <libxml/parser.h>

/* Canonical form of an XML text, to be freed with xmlFree(); NULL if it is none. */
static inline xmlChar *canonical(struct str text)
{
    xmlDocPtr document = xmlReadMemory(text.p, (int)text.n, NULL, "UTF-8", XML_PARSE_NOERROR);
    xmlChar *out = NULL;
    if (document && xmlC14NDocDumpMemory(document, NULL, 0, NULL, 1, &out) < 0) {
        out = NULL;
    }
    xmlFreeDoc(document);
    return out;
}

static inline bool same_xml(struct str a, struct str b)
{
    xmlChar *left = canonical(a);
    xmlChar *right = canonical(b);
    bool same = left && right && xmlStrEqual(left, right);
    xmlFree(left);
    xmlFree(right);
    return same;
}

static inline bool same_tree(const struct node *a, const struct node *b);

static inline bool same_children(const struct node *a, const struct node *b)
{
    size_t left = 0;
    size_t right = 0;
    const struct node *y = b->first;
    for (const struct node *x = a->first; x; x = x->next, left++) {
        const struct node *other = y;
        if (a->kind == NODE_OBJECT) {
            for (other = b->first; other && !str_eq(other->name, x->name);) {
                other = other->next;
            }
        }
        if (!other || !same_tree(x, other)) {
            print_error("at %.*s\n", (int)x->name.n, x->name.p);
            return false;
        }
        y = y ? y->next : NULL;
    }
    for (const struct node *child = b->first; child; child = child->next) {
        right++;
    }
    return left == right;
}

static inline bool same_tree(const struct node *a, const struct node *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    if (str_eq(a->name, STR("div")) && a->kind == NODE_STRING) {
        return same_xml(a->text, b->text);
    }
    return str_eq(a->text, b->text) && same_children(a, b);
}
