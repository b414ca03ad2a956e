/*
 * A member that isn't there, nor its companion with an underscore, is empty; one that is there
 * and isn't null exists. Whatever is between, such as null with an extension, is asked about.
 */
#include "fhir/validate/quick.h"

#include "crypto/base/attr.h"
#include "fhir/base/datetime.h"

enum {
    DISTINCT_MAX = 64,  /* URLs that are compared with each other */
    CONTAINED_MAX = 16, /* resources that are looked for, each in the whole */
};

/* A member whose name is @name, or of value[x] begins so. */
static const struct node *member(const struct node *node, struct str name, bool choice)
{
    for (const struct node *m = node->first; m; m = m->next) {
        if (choice ? str_starts(m->name, name) : str_eq(m->name, name)) {
            return m;
        }
    }
    return NULL;
}

static bool is_empty(const struct node *node, struct str name, bool choice)
{
    for (const struct node *m = node->first; m; m = m->next) {
        size_t from = m->name.n && m->name.p[0] == '_';
        struct str its = str_slice(m->name, from, m->name.n);
        if (choice ? str_starts(its, name) : str_eq(its, name)) {
            return false;
        }
    }
    return true;
}

static bool exists(const struct node *node, struct str name, bool choice)
{
    const struct node *m = member(node, name, choice);
    const struct node *value = node_is(m, NODE_ARRAY) ? m->first : m;
    return value && value->kind != NODE_NULL;
}

static enum quick_answer certainly(bool holds)
{
    return holds ? QUICK_HOLDS : QUICK_ASK;
}

/* --- Bundle --------------------------------------------------------------------------------
 */

/* Whether the Bundle's type is one of those in @list, NULL at its end; *known if it is known.
 */
static bool is_typed(const struct node *bundle, const char *const *list, bool *known)
{
    const struct node *type = member(bundle, STR("type"), false);
    *known = node_is(type, NODE_STRING);
    while (*known && *list && !str_eq(type->text, str_z(*list))) {
        list++;
    }
    return *known && *list;
}

/* Whether all entries have @name, if @want, or none has it. */
static bool all_entries(const struct node *bundle, struct str name, bool want)
{
    const struct node *entries = member(bundle, STR("entry"), false);
    for (const struct node *e = node_first(entries); e; e = e->next) {
        if (e->kind != NODE_OBJECT ||
            !(want ? exists(e, name, false) : is_empty(e, name, false))) {
            return false;
        }
    }
    return is_empty(bundle, STR("entry"), false) || node_is(entries, NODE_ARRAY);
}

/* total.empty() or … */
static enum quick_answer bdl_1(const struct node *node)
{
    return certainly(is_empty(node, STR("total"), false));
}

/* entry.search.empty() or … */
static enum quick_answer bdl_2(const struct node *node)
{
    return certainly(all_entries(node, STR("search"), false));
}

/* entry.all(request.exists() = (%resource.type = 'batch' or …)) */
static enum quick_answer bdl_3(const struct node *node)
{
    static const char *const with[] = { "batch", "transaction", "history", NULL };
    bool known;
    bool want = is_typed(node, with, &known);
    return certainly(known && all_entries(node, STR("request"), want));
}

/* entry.all(response.exists() = (%resource.type = 'batch-response' or …)) */
static enum quick_answer bdl_4(const struct node *node)
{
    static const char *const with[] = { "batch-response", "transaction-response", "history",
                                        NULL };
    bool known;
    bool want = is_typed(node, with, &known);
    return certainly(known && all_entries(node, STR("response"), want));
}

/* Whether each entry has a fullUrl of its own; false too if there are too many to compare. */
static bool are_distinct(const struct node *entries)
{
    struct str urls[DISTINCT_MAX];
    size_t n = 0;
    for (const struct node *e = node_first(entries); e; e = e->next) {
        struct str url = node_text(e, "fullUrl");
        if (!url.n || n == DISTINCT_MAX) {
            return false;
        }
        for (size_t i = 0; i < n; i++) {
            if (str_eq(urls[i], url)) {
                return false;
            }
        }
        urls[n++] = url;
    }
    return true;
}

/* … or entry.where(fullUrl.exists()).select(fullUrl&resource.meta.versionId).isDistinct() */
static enum quick_answer bdl_7(const struct node *node)
{
    const struct node *entries = member(node, STR("entry"), false);
    return certainly(node_is(entries, NODE_ARRAY) && are_distinct(entries));
}

/* bdl-9, bdl-10, bdl-11: type = 'document' implies … */
static enum quick_answer no_document(const struct node *node)
{
    static const char *const document[] = { "document", NULL };
    bool known;
    bool is = is_typed(node, document, &known);
    return certainly(known && !is);
}

/* bdl-12: type = 'message' implies … */
static enum quick_answer no_message(const struct node *node)
{
    static const char *const message[] = { "message", NULL };
    bool known;
    bool is = is_typed(node, message, &known);
    return certainly(known && !is);
}

/* resource.exists() or request.exists() or response.exists() */
static enum quick_answer bdl_5(const struct node *node)
{
    return certainly(exists(node, STR("resource"), false) ||
                     exists(node, STR("request"), false) ||
                     exists(node, STR("response"), false));
}

/* fullUrl.exists() implies fullUrl.contains('/_history/').not() */
static enum quick_answer bdl_8(const struct node *node)
{
    const struct node *url = member(node, STR("fullUrl"), false);
    return certainly(node_is(url, NODE_STRING) &&
                     !memmem(url->text.p, url->text.n, "/_history/", 10));
}

/* --- what a resource contains --------------------------------------------------------------
 */

/* Whether none of the resources that @node contains has @name. */
static bool none_contained(const struct node *node, struct str name)
{
    const struct node *list = member(node, STR("contained"), false);
    const struct node *inner = node_first(list);
    while (node_is(inner, NODE_OBJECT) && is_empty(inner, name, false)) {
        inner = inner->next;
    }
    return node_is(list, NODE_ARRAY) && !inner;
}

/* contained.contained.empty() */
static enum quick_answer dom_2(const struct node *node)
{
    return certainly(none_contained(node, STR("contained")));
}

/* dom-4, dom-5: parts of contained.meta are empty */
static enum quick_answer no_meta(const struct node *node)
{
    return certainly(none_contained(node, STR("meta")));
}

/* Whether an object inside of @resource refers to what it contains as @id. */
static bool refers(const struct node *resource, struct str id)
{
    for (const struct node *n = resource->first; n; n = node_following(n, resource)) {
        bool named = n->parent != resource && node_is(n, NODE_STRING) &&
                     str_eq(n->name, STR("reference"));
        if (named && str_starts(n->text, STR("#")) &&
            str_eq(str_slice(n->text, 1, n->text.n), id)) {
            return true;
        }
    }
    return false;
}

/* contained.where((('#'+id in (%resource.descendants().reference | …).not()).empty() */
static enum quick_answer dom_3(const struct node *node)
{
    const struct node *list = member(node, STR("contained"), false);
    const struct node *inner = node_first(list);
    for (size_t i = 0; inner && i < CONTAINED_MAX; i++) {
        struct str id = node_text(inner, "id");
        if (!id.n || !refers(node, id)) {
            return QUICK_ASK;
        }
        inner = inner->next;
    }
    return certainly(node_is(list, NODE_ARRAY) && !inner);
}

/* --- other types ---------------------------------------------------------------------------
 */

/* value.empty() or system.exists() */
static enum quick_answer cpt_2(const struct node *node)
{
    return certainly(is_empty(node, STR("value"), false) || exists(node, STR("system"), false));
}

/* text.`div`.exists() */
static enum quick_answer dom_6(const struct node *node)
{
    const struct node *text = member(node, STR("text"), false);
    if (node_is(text, NODE_OBJECT)) {
        return certainly(exists(text, STR("div"), false));
    }
    return is_empty(node, STR("text"), false) ? QUICK_BREAKS : QUICK_ASK;
}

/* extension.exists() != value.exists() */
static enum quick_answer ext_1(const struct node *node)
{
    struct str inner = STR("extension");
    struct str value = STR("value");
    return certainly((exists(node, inner, false) && is_empty(node, value, true)) ||
                     (is_empty(node, inner, false) && exists(node, value, true)));
}

/* low.exists() or high.exists() or text.exists() */
static enum quick_answer obs_3(const struct node *node)
{
    return certainly(exists(node, STR("low"), false) || exists(node, STR("high"), false) ||
                     exists(node, STR("text"), false));
}

/* dataAbsentReason.empty() or value.empty() */
static enum quick_answer obs_6(const struct node *node)
{
    return certainly(is_empty(node, STR("dataAbsentReason"), false) ||
                     is_empty(node, STR("value"), true));
}

/* value.empty() or component.code.where(…).empty() */
static enum quick_answer obs_7(const struct node *node)
{
    return certainly(is_empty(node, STR("component"), false) ||
                     is_empty(node, STR("value"), true));
}

/* start.hasValue().not() or end.hasValue().not() or (start <= end) */
static enum quick_answer per_1(const struct node *node)
{
    struct datetime start;
    struct datetime end;
    int order = 1;
    bool both = datetime_read(node_text(node, "start"), &start) &&
                datetime_read(node_text(node, "end"), &end);
    bool known = both && datetime_compare(&start, &end, &order) == 0;
    return certainly((known && order <= 0) || is_empty(node, STR("start"), false) ||
                     is_empty(node, STR("end"), false));
}

/* comparator.empty() */
static enum quick_answer sqty_1(const struct node *node)
{
    return certainly(is_empty(node, STR("comparator"), false));
}

/* org-2, org-3: where(use = 'home').empty() */
static enum quick_answer not_home(const struct node *node)
{
    const struct node *use = member(node, STR("use"), false);
    bool other = node_is(use, NODE_STRING) && !str_eq(use->text, STR("home"));
    return certainly(other || is_empty(node, STR("use"), false));
}

/* name.exists() or telecom.exists() or address.exists() or organization.exists() */
static enum quick_answer pat_1(const struct node *node)
{
    return certainly(exists(node, STR("name"), false) || exists(node, STR("telecom"), false) ||
                     exists(node, STR("address"), false) ||
                     exists(node, STR("organization"), false));
}

/* code.empty() or system.exists() */
static enum quick_answer qty_3(const struct node *node)
{
    return certainly(is_empty(node, STR("code"), false) || exists(node, STR("system"), false));
}

/* (identifier.count() + name.count()) > 0 */
static enum quick_answer org_1(const struct node *node)
{
    return certainly(exists(node, STR("identifier"), false) ||
                     exists(node, STR("name"), false));
}

/* orderDetail.empty() or code.exists() */
static enum quick_answer prr_1(const struct node *node)
{
    return certainly(is_empty(node, STR("orderDetail"), false) ||
                     exists(node, STR("code"), false));
}

/* reference.startsWith('#').not() or …; empty, and so not broken, without a reference */
static enum quick_answer ref_1(const struct node *node)
{
    const struct node *reference = member(node, STR("reference"), false);
    bool away = node_is(reference, NODE_STRING) && !str_starts(reference->text, STR("#"));
    return certainly(away || is_empty(node, STR("reference"), false));
}

quick_fn quick_find(struct str key)
{
    static const struct {
        const char *key;
        quick_fn fn;
    } known[] = {
        { "bdl-1", bdl_1 },        { "bdl-2", bdl_2 },       { "bdl-3", bdl_3 },
        { "bdl-4", bdl_4 },        { "bdl-5", bdl_5 },       { "bdl-7", bdl_7 },
        { "bdl-8", bdl_8 },        { "bdl-9", no_document }, { "bdl-10", no_document },
        { "bdl-11", no_document }, { "bdl-12", no_message }, { "cpt-2", cpt_2 },
        { "dom-2", dom_2 },        { "dom-3", dom_3 },       { "dom-4", no_meta },
        { "dom-5", no_meta },      { "dom-6", dom_6 },       { "ext-1", ext_1 },
        { "obs-3", obs_3 },        { "obs-6", obs_6 },       { "obs-7", obs_7 },
        { "org-1", org_1 },        { "org-2", not_home },    { "org-3", not_home },
        { "pat-1", pat_1 },        { "per-1", per_1 },       { "prr-1", prr_1 },
        { "qty-3", qty_3 },        { "ref-1", ref_1 },       { "sqty-1", sqty_1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (str_eq(key, str_z(known[i].key))) {
            return known[i].fn;
        }
    }
    return NULL;
}
