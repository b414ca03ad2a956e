/*
 * Going through a resource for objects with a start and an end. The message keeps what is left
 * out here.
 */
#include "fhir/translate/period.h"

#include "fhir/base/datetime.h"

static void drop(struct element *object, const struct element *member)
{
    struct element **at = &object->first;
    struct element *before = NULL;
    while (*at != member) {
        before = *at;
        at = &before->next;
    }
    *at = member->next;
    object->last = object->last == member ? before : object->last;
}

static bool is_named(const struct element *member, struct str name)
{
    return member->name && str_eq(str_of(member->name->z, member->name->n), name);
}

static bool is_reversed(struct str from, struct str to)
{
    struct datetime start;
    struct datetime end;
    int order = 0;
    return datetime_read(from, &start) && datetime_read(to, &end) &&
           datetime_compare(&start, &end, &order) == 0 && order > 0;
}

static void mend(struct engine *e, const struct resource *resource, struct element *element)
{
    const struct element *start = NULL;
    const struct element *end = NULL;
    for (struct element *child = element->first; child; child = child->next) {
        start = is_named(child, STR("start")) ? child : start;
        end = is_named(child, STR("end")) ? child : end;
        if (child->first) {
            mend(e, resource, child);
        }
    }
    if (start && end && is_reversed(start->text, end->text)) {
        drop(element, end);
        issues_add(e->issues, ISSUE_WARNING, "business-rule", str_z(resource->type->name),
                   "a period ends before it begins: its end is kept in the source message, "
                   "not translated");
    }
}

void period_mend(struct engine *e, const struct resource *resource)
{
    if (resource->ends) {
        mend(e, resource, resource->root);
    }
}
