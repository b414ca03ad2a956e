/*
 * Mapping URLs.
 *
 * A walk over the tree finds the few places that hold one; what lies between is copied. Only
 * the text of such a string is written anew.
 */
#include "fhir/bundle/rewrite.h"

#include "crypto/base/attr.h"
#include "fhir/format/json_write.h"

bool url_map_covers(const struct url_map *map, struct str url)
{
    return map->from.n && str_starts(url, map->from) &&
           (url.n == map->from.n || strchr("/?", url.p[map->from.n]));
}

/* The name under which object @object stands, through an array if it is in one. */
static struct str element_name(const struct node *object)
{
    const struct node *at = object;
    if (node_is(at->parent, NODE_ARRAY)) {
        at = at->parent;
    }
    return at->name;
}

static bool is_attachment(struct str name)
{
    static const char *const names[] = {
        "attachment", "content", "document", "form", "image", "photo", "presentedForm",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq(name, str_z(names[i]))) {
            return true;
        }
    }
    return str_ends(name, STR("Attachment"));
}

/* Whether string member @node is one of the places that hold a server's URL. */
static bool holds_url(const struct node *node)
{
    const struct node *object = node->parent;
    if (!node_is(object, NODE_OBJECT)) {
        return false;
    }
    switch (node->name.n) {
    case 9: return str_eq(node->name, STR("reference"));
    case 7: return str_eq(node->name, STR("fullUrl"));
    case 8: return str_eq(node->name, STR("location")) && str_eq(object->name, STR("response"));
    case 3:
        if (!str_eq(node->name, STR("url"))) {
            return false;
        }
        return is_attachment(element_name(object)) ||
               (node_get(object, "relation") && str_eq(element_name(object), STR("link"))) ||
               (node_get(object, "method") && str_eq(object->name, STR("request")));
    default: return false;
    }
}

static void put_mapped(const struct url_map *map, struct str url, struct buf *out)
{
    buf_c(out, '"');
    json_escape(out, map->to);
    json_escape(out, str_slice(url, map->from.n, url.n));
    buf_c(out, '"');
}

void rewrite_urls(const struct url_map *map, const struct node *root, struct str source,
                  struct buf *out)
{
    size_t copied = 0;
    for (const struct node *n = map->from.n ? root : NULL; n; n = node_following(n, root)) {
        if (n->kind == NODE_STRING && holds_url(n) && url_map_covers(map, n->text)) {
            buf_str_put(out, str_slice(source, copied, n->start - root->start));
            put_mapped(map, n->text, out);
            copied = n->end - root->start;
        }
    }
    buf_str_put(out, str_slice(source, copied, source.n));
}
