/* Walking a tree of nodes. Members are few, so a search is a walk along the siblings. */
#include "fhir/model/node.h"

const struct node *node_member(const struct node *node, struct str name)
{
    if (!node_is(node, NODE_OBJECT)) {
        return NULL;
    }
    for (const struct node *child = node->first; child; child = child->next) {
        if (str_eq(child->name, name)) {
            return child;
        }
    }
    return NULL;
}

const struct node *node_at(const struct node *node, const char *path)
{
    struct str rest = str_z(path);
    while (node && rest.n) {
        node = node_member(node, str_cut(&rest, '.'));
        if (node_is(node, NODE_ARRAY)) {
            node = node->first;
        }
    }
    return node;
}

bool node_integer(const struct node *node, int64_t *out)
{
    if (!node_is(node, NODE_NUMBER)) {
        return false;
    }
    struct str digits = node->text;
    bool negative = digits.n && digits.p[0] == '-';
    digits = str_slice(digits, negative, digits.n);
    if (!digits.n) {
        return false;
    }

    int64_t value = 0;
    for (size_t i = 0; i < digits.n; i++) {
        int digit = digits.p[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value)) {
            return false; /* a fraction, an exponent, or too large */
        }
    }
    if (!negative && value == INT64_MIN) {
        return false;
    }
    *out = negative ? value : -value;
    return true;
}

const struct node *node_skip(const struct node *node, const struct node *top)
{
    while (node != top && !node->next) {
        node = node->parent;
    }
    return node == top ? NULL : node->next;
}
