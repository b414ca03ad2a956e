/*
 * Merging what a message says into a stored resource.
 *
 * The stored text is walked member by member and copied; only values that the message speaks
 * of are written anew. Lists that several senders add to are united, and lose what is
 * withdrawn: identifiers and links by what they say, extensions by their URL.
 */
#include "fhir/translate/merge.h"

#include "fhir/format/json.h"
#include "fhir/format/json_write.h"

#include <errno.h>

enum unite {
    UNITE_NOT,
    UNITE_IDENTIFIER,
    UNITE_LINK,
    UNITE_EXTENSION,
    UNITE_LABEL,
};

/* Both sides of a merge. */
struct sides {
    const struct node *stored;
    const struct node *said;
    const struct node *withdrawn;
    struct str stored_text;
    struct str said_text;
    const struct translate_entry *entry;
    struct buf *out;
    bool comma;
};

static const struct node *member(const struct node *object, struct str name)
{
    for (const struct node *n = node_first(object); n; n = n->next) {
        if (str_eq(n->name, name)) {
            return n;
        }
    }
    return NULL;
}

static struct str bytes(struct str text, const struct node *node)
{
    return str_slice(text, node->start, node->end);
}

static void put(struct sides *s, struct str name, struct str value)
{
    if (s->comma) {
        buf_c(s->out, ',');
    }
    json_quote(s->out, name);
    buf_c(s->out, ':');
    buf_str_put(s->out, value);
    s->comma = true;
}

/* Elements of which a resource has one, under a name that tells its type. */
static struct str choice_base(struct str name)
{
    static const char *const bases[] = { "deceased", "multipleBirth", "effective",
                                         "value",    "occurrence",    "collected",
                                         "onset",    "medication" };
    for (size_t i = 0; i < ARRAY_LEN(bases); i++) {
        struct str base = str_z(bases[i]);
        if (str_starts(name, base) && name.n > base.n && name.p[base.n] >= 'A' &&
            name.p[base.n] <= 'Z') {
            return base;
        }
    }
    return (struct str){ 0 };
}

/* Whether the message says @name, perhaps as another type. */
static bool said(const struct sides *s, struct str name)
{
    if (member(s->said, name)) {
        return true;
    }
    struct str base = choice_base(name);
    for (const struct node *n = s->said->first; base.n && n; n = n->next) {
        if (str_eq(choice_base(n->name), base)) {
            return true;
        }
    }
    return false;
}

static bool listed(const struct translate_path *list, struct str name)
{
    for (const struct translate_path *d = list; d; d = d->next) {
        if (str_eq(d->path, name)) {
            return true;
        }
    }
    return false;
}

static enum unite unite_how(const struct node *node)
{
    if (node->kind != NODE_ARRAY) {
        return UNITE_NOT;
    }
    if (str_eq(node->name, STR("identifier"))) {
        return UNITE_IDENTIFIER;
    }
    if (str_eq(node->name, STR("link"))) {
        return UNITE_LINK;
    }
    return str_eq(node->name, STR("extension")) ? UNITE_EXTENSION : UNITE_NOT;
}

static struct str text_at(const struct node *node, const char *path)
{
    const struct node *found = node_at(node, path);
    return found ? found->text : (struct str){ 0 };
}

static bool same_item(enum unite how, const struct node *a, const struct node *b)
{
    switch (how) {
    case UNITE_IDENTIFIER:
        return str_eq(node_text(a, "system"), node_text(b, "system")) &&
               str_eq(node_text(a, "value"), node_text(b, "value"));
    case UNITE_LINK:
        return str_eq(text_at(a, "other.reference"), text_at(b, "other.reference")) &&
               str_eq(node_text(a, "type"), node_text(b, "type"));
    case UNITE_EXTENSION: return str_eq(node_text(a, "url"), node_text(b, "url"));
    case UNITE_LABEL:
        return str_eq(node_text(a, "system"), node_text(b, "system")) &&
               str_eq(node_text(a, "code"), node_text(b, "code"));
    case UNITE_NOT: break;
    }
    return false;
}

static bool has_item(enum unite how, const struct node *list, const struct node *item)
{
    for (const struct node *n = list->first; n; n = n->next) {
        if (same_item(how, n, item)) {
            return true;
        }
    }
    return false;
}

/* Whether @item is a link from the stored resource to itself. */
static bool own_link(const struct sides *s, enum unite how, const struct node *item)
{
    struct str to = how == UNITE_LINK ? text_at(item, "other.reference") : (struct str){ 0 };
    struct str id = node_text(s->stored, "id");
    struct str type = str_cut(&to, '/');
    return id.n && str_eq(to, id) && str_eq(type, node_text(s->stored, "resourceType"));
}

/* Whether the item @n of the message isn't in the list @stored, which may be NULL. */
static bool is_new(const struct sides *s, enum unite how, const struct node *stored,
                   const struct node *n)
{
    bool there = how != UNITE_EXTENSION && stored && has_item(how, stored, n);
    return !there && !own_link(s, how, n);
}

/* Whether the stored item @n is to stay beside those of @new_list, which may be NULL. */
static bool stays(const struct sides *s, enum unite how, const struct node *list,
                  const struct node *new_list, const struct node *n)
{
    const struct node *gone = member(s->withdrawn, list->name);
    if (gone && has_item(how, gone, n)) {
        return false;
    }
    return how != UNITE_EXTENSION || !new_list || !has_item(how, new_list, n);
}

/* One more item of the list @name, which it begins if it is the first. */
static void put_item(struct sides *s, struct str name, bool *first, struct str value)
{
    if (*first) {
        put(s, name, STR("["));
    } else {
        buf_c(s->out, ',');
    }
    *first = false;
    buf_str_put(s->out, value);
}

/*
 * The stored items and those that are new. An extension said anew takes the place of the
 * stored ones with its URL; an identifier or link that is stored stays as it is. Either list
 * may be NULL; one of which nothing stays goes.
 */
static void put_united(struct sides *s, const struct node *stored, const struct node *new_list,
                       enum unite how)
{
    struct str name = stored ? stored->name : new_list->name;
    bool first = true;
    for (const struct node *n = node_first(stored); n; n = n->next) {
        if (stays(s, how, stored, new_list, n)) {
            put_item(s, name, &first, bytes(s->stored_text, n));
        }
    }
    for (const struct node *n = node_first(new_list); n; n = n->next) {
        if (is_new(s, how, stored, n)) {
            put_item(s, name, &first, bytes(s->said_text, n));
        }
    }
    buf_z(s->out, first ? "" : "]");
}

/* What no message says anything about. */
static bool server_owned(struct str name)
{
    return str_eq(name, STR("resourceType")) || str_eq(name, STR("id"));
}

/* The server's meta, with the security labels of both sides: a message takes none away. */
static void merge_meta(struct sides *s, const struct node *stored, const struct node *new_meta)
{
    const struct node *labels = node_get(new_meta, "security");
    if (!node_is(labels, NODE_ARRAY) || !node_is(stored, NODE_OBJECT)) {
        put(s, stored->name, bytes(s->stored_text, stored));
        return;
    }
    put(s, stored->name, STR("{"));
    s->comma = false;
    for (const struct node *n = stored->first; n; n = n->next) {
        if (str_eq(n->name, labels->name) && n->kind == NODE_ARRAY) {
            put_united(s, n, labels, UNITE_LABEL);
        } else {
            put(s, n->name, bytes(s->stored_text, n));
        }
    }
    if (!node_get(stored, "security")) {
        put(s, labels->name, bytes(s->said_text, labels));
    }
    buf_c(s->out, '}');
    s->comma = true;
}

static void merge_stored(struct sides *s, const struct node *n)
{
    struct str name = n->name;
    const struct node *new_value = member(s->said, name);
    if (server_owned(name) || (new_value && listed(s->entry->defaults, name))) {
        put(s, name, bytes(s->stored_text, n));
        return;
    }
    if (str_eq(name, STR("meta"))) {
        merge_meta(s, n, new_value);
        return;
    }
    bool lists = new_value ? new_value->kind == NODE_ARRAY : member(s->withdrawn, name) != NULL;
    enum unite how = lists ? unite_how(n) : UNITE_NOT;
    if (how != UNITE_NOT) {
        put_united(s, n, new_value, how);
        return;
    }
    if (new_value) {
        put(s, name, bytes(s->said_text, new_value));
        return;
    }

    /* "_birthDate" goes with "birthDate"; of a list of several senders nobody deletes all. */
    struct str about = name.n && name.p[0] == '_' ? str_slice(name, 1, name.n) : name;
    bool deleted = listed(s->entry->deletes, about) && unite_how(n) == UNITE_NOT;
    if (!said(s, about) && !deleted) {
        put(s, name, bytes(s->stored_text, n));
    }
}

int translate_merge(struct arena *arena, const struct node *stored, struct str text,
                    const struct translate_entry *entry, struct buf *out)
{
    struct issues issues;
    issues_init(&issues, arena);
    const struct node *said_root = NULL;
    const struct node *withdrawn = NULL;
    int r = json_parse(arena, entry->resource, &issues, &said_root);
    if (r == 0 && entry->withdrawn.n) {
        r = json_parse(arena, entry->withdrawn, &issues, &withdrawn);
    }
    if (r < 0) {
        return r;
    }
    if (r > 0 || !node_is(stored, NODE_OBJECT) || !node_is(said_root, NODE_OBJECT) ||
        !str_eq(node_text(stored, "resourceType"), node_text(said_root, "resourceType"))) {
        return -EINVAL;
    }

    struct sides s = { .stored = stored,
                       .said = said_root,
                       .withdrawn = withdrawn,
                       .stored_text = text,
                       .said_text = entry->resource,
                       .entry = entry,
                       .out = out };
    buf_c(out, '{');
    for (const struct node *n = stored->first; n; n = n->next) {
        merge_stored(&s, n);
    }
    for (const struct node *n = said_root->first; n; n = n->next) {
        if (member(stored, n->name) || server_owned(n->name)) {
            continue;
        }
        if (unite_how(n) == UNITE_LINK) {
            put_united(&s, NULL, n, UNITE_LINK);
        } else {
            put(&s, n->name, bytes(s.said_text, n));
        }
    }
    buf_c(out, '}');
    return buf_failed(out) ? -ENOMEM : 0;
}
