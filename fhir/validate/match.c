/*
 * Values that a profile fixes, and patterns that it wants contained.
 *
 * Numbers are compared as they are written: 1.0 isn't 1.00 to FHIR either.
 */
#include "fhir/validate/match.h"

static const struct node *member(const struct node *object, struct str name)
{
    for (const struct node *m = object->first; m; m = m->next) {
        if (str_eq(m->name, name)) {
            return m;
        }
    }
    return NULL;
}

/* Whether some element of @array has what @wanted wants. */
static bool any(const struct node *array, const struct node *wanted)
{
    for (const struct node *item = array->first; item; item = item->next) {
        if (match_pattern(item, wanted)) {
            return true;
        }
    }
    return false;
}

bool match_pattern(const struct node *value, const struct node *wanted)
{
    if (value->kind != wanted->kind) {
        return false;
    }
    if (wanted->kind == NODE_NUMBER || wanted->kind == NODE_STRING) {
        return str_eq(value->text, wanted->text);
    }
    for (const struct node *w = wanted->first; w; w = w->next) {
        const struct node *v = wanted->kind == NODE_OBJECT ? member(value, w->name) : NULL;
        bool has = wanted->kind == NODE_OBJECT ? v && match_pattern(v, w) : any(value, w);
        if (!has) {
            return false;
        }
    }
    return true;
}

bool match_fixed(const struct node *value, const struct node *wanted)
{
    if (value->kind != wanted->kind) {
        return false;
    }
    if (wanted->kind == NODE_NUMBER || wanted->kind == NODE_STRING) {
        return str_eq(value->text, wanted->text);
    }
    const struct node *v = value->first;
    size_t n = 0;
    for (const struct node *w = wanted->first; w; w = w->next) {
        const struct node *its = wanted->kind == NODE_OBJECT ? member(value, w->name) : v;
        if (!its || !match_fixed(its, w)) {
            return false;
        }
        v = v ? v->next : NULL;
        n++;
    }
    for (v = value->first; v; v = v->next) {
        n--;
    }
    return n == 0;
}
