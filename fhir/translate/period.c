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

static bool is_reversed(const struct element *object)
{
    struct datetime start;
    struct datetime end;
    int order = 0;
    return datetime_read(element_text(object, "start"), &start) &&
           datetime_read(element_text(object, "end"), &end) &&
           datetime_compare(&start, &end, &order) == 0 && order > 0;
}

static void mend(struct engine *e, const struct resource *resource, struct element *element)
{
    if (element->kind == ELEMENT_OBJECT && is_reversed(element)) {
        drop(element, element_get(element, "end"));
        issues_add(e->issues, ISSUE_WARNING, "business-rule", str_z(resource->type->name),
                   "a period ends before it begins: its end is kept in the source message, "
                   "not translated");
    }
    for (struct element *child = element->first; child; child = child->next) {
        mend(e, resource, child);
    }
}

void period_mend(struct engine *e, const struct resource *resource)
{
    mend(e, resource, resource->root);
}
