/*
 * Obligations on a resource.
 *
 * A walk over the tree copies members as they stand, but for those that an obligation names and
 * those above them. What is added to meta is known before the first byte is written: whether
 * anything is named in the resource is looked up first.
 */
#include "fhir/consent/obligation.h"

#include "fhir/format/json_write.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
    PATH_MAX_BYTES = 512,
};

#define ABSENT                                                                                 \
    "{\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/data-absent-reason\"," \
    "\"valueCode\":\"masked\"}]}"
#define OBSERVATION_VALUE "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
#define NOTICE_SYSTEM "urn:chartseal:notice"

/* What becomes of an element. */
enum fate {
    KEEP,
    ENTER, /* something below it is named */
    MASK,
    REDACT,
};

struct obliger {
    struct arena *arena;
    const struct consent_tenant *tenant;
    uint32_t which;
    const struct node *resource;
    struct str source;
    struct buf *out;
    struct buf path; /* of the element at hand: "Patient.contact.telecom" */
    char memory[PATH_MAX_BYTES];
    bool touched;
};

static struct str bytes(const struct obliger *o, size_t from, size_t to)
{
    return str_slice(o->source, from - o->resource->start, to - o->resource->start);
}

/* Whether @rule names @path: "Observation.value[x]" names any type of value. */
static bool is_named(struct str rule, struct str path)
{
    if (!str_ends(rule, STR("[x]"))) {
        return str_eq(rule, path);
    }
    struct str stem = str_slice(rule, 0, rule.n - 3);
    return path.n > stem.n && str_starts(path, stem) && path.p[stem.n] >= 'A' &&
           path.p[stem.n] <= 'Z';
}

static bool is_above(struct str path, struct str rule)
{
    return rule.n > path.n && str_starts(rule, path) && rule.p[path.n] == '.';
}

static enum fate fate_by(const struct policy_texts *rules, struct str path, enum fate named)
{
    enum fate fate = KEEP;
    for (size_t i = 0; i < rules->n; i++) {
        enum fate one = is_named(rules->at[i], path)   ? named
                        : is_above(path, rules->at[i]) ? ENTER
                                                       : KEEP;
        fate = one > fate ? one : fate;
    }
    return fate;
}

/* The strictest of what the obligations say of the element at hand. */
static enum fate fate_of(const struct obliger *o)
{
    enum fate fate = KEEP;
    for (size_t i = 0; i < o->tenant->n_obligations; i++) {
        const struct consent_obligation *one = &o->tenant->obligations[i];
        if (!(o->which & (1U << i))) {
            continue;
        }
        enum fate redact = fate_by(&one->redact, buf_str(&o->path), REDACT);
        enum fate mask = fate_by(&one->mask, buf_str(&o->path), MASK);
        fate = redact > fate ? redact : fate;
        fate = mask > fate ? mask : fate;
    }
    return fate;
}

/* Go down to member @name, "_birthDate" being of birthDate; returns what to go back to. */
static size_t down(struct obliger *o, struct str name)
{
    size_t mark = o->path.n;
    buf_c(&o->path, '.');
    buf_str_put(&o->path, str_slice(name, name.n && name.p[0] == '_', name.n));
    return mark;
}

static void up(struct obliger *o, size_t mark)
{
    o->path.n = mark;
    o->path.failed = false;
}

/* Whether anything that is named is there. A path too long to be named ends the search. */
static bool finds(struct obliger *o, const struct node *node)
{
    bool found = false;
    for (const struct node *child = node->first; child && !found; child = child->next) {
        bool member = node->kind == NODE_OBJECT;
        size_t mark = member ? down(o, child->name) : o->path.n;
        enum fate fate = member ? fate_of(o) : ENTER;
        found = fate > ENTER || (fate == ENTER && finds(o, child));
        up(o, mark);
    }
    return found;
}

static void put_coding(struct json_writer *w, struct str system, struct str code)
{
    json_object(w, NULL);
    json_string(w, "system", system);
    json_string(w, "code", code);
    json_end(w);
}

/* What meta.security has besides. */
static void put_labels(const struct obliger *o, struct json_writer *w)
{
    if (o->touched) {
        put_coding(w, STR(OBSERVATION_VALUE), STR("REDACTED"));
    }
    for (size_t i = 0; i < o->tenant->n_obligations; i++) {
        const struct policy_texts *labels = &o->tenant->obligations[i].labels;
        for (size_t k = 0; (o->which & (1U << i)) && k < labels->n; k++) {
            struct str code = labels->at[k];
            struct str system = str_cut(&code, '|');
            put_coding(w, system, code);
        }
    }
}

static void put_notices(const struct obliger *o, struct json_writer *w)
{
    for (size_t i = 0; i < o->tenant->n_obligations; i++) {
        struct str notice = o->tenant->obligations[i].notice;
        if ((o->which & (1U << i)) && notice.n) {
            json_object(w, NULL);
            json_z(w, "system", NOTICE_SYSTEM);
            json_string(w, "display", notice);
            json_end(w);
        }
    }
}

typedef void (*put_fn)(const struct obliger *o, struct json_writer *w);

/* List @name of @meta as it stands, and what @more adds; nothing if both are empty. */
static void put_list(const struct obliger *o, struct json_writer *w, const struct node *meta,
                     const char *name, put_fn more)
{
    struct buf added = arena_buf(o->arena, o->source.n + PATH_MAX_BYTES + (1U << 16));
    struct json_writer list = json_writer(&added);
    json_array(&list, NULL);
    for (const struct node *at = node_first(node_get(meta, name)); at; at = at->next) {
        json_raw(&list, NULL, bytes(o, at->start, at->end));
    }
    more(o, &list);
    json_end(&list);
    o->out->failed |= buf_failed(&added);
    if (added.n > 2) {
        json_raw(w, name, buf_str(&added));
    }
}

/* meta, with labels and notices added; other members by their names, which FHIR defines. */
static void put_meta(const struct obliger *o, const struct node *meta)
{
    static const char *const others[] = { "id",          "extension", "versionId",
                                          "lastUpdated", "source",    "profile" };
    struct json_writer w = json_writer(o->out);
    json_object(&w, NULL);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        const struct node *member = node_get(meta, others[i]);
        if (member) {
            json_raw(&w, others[i], bytes(o, member->start, member->end));
        }
    }
    put_list(o, &w, meta, "security", put_labels);
    put_list(o, &w, meta, "tag", put_notices);
    json_end(&w);
}

static void put_members(struct obliger *o, const struct node *object);

static void put_entered(struct obliger *o, const struct node *node)
{
    if (node->kind == NODE_OBJECT) {
        put_members(o, node);
        return;
    }
    if (node->kind != NODE_ARRAY) {
        buf_str_put(o->out, bytes(o, node->start, node->end));
        return;
    }
    buf_c(o->out, '[');
    for (const struct node *item = node->first; item; item = item->next) {
        buf_z(o->out, item == node->first ? "" : ",");
        put_entered(o, item);
    }
    buf_c(o->out, ']');
}

/* "name": as it stands in the source, for the member that ends what begins at @from. */
static struct str head_of(const struct obliger *o, size_t from, const struct node *member)
{
    struct str head = bytes(o, from, member->start);
    const char *quote = memchr(head.p, '"', head.n);
    assert(quote); /* a member has a name */
    return str_slice(head, (size_t)(quote - head.p), head.n);
}

/* A masked element: what isn't primitive takes the reason itself, primitives beside them. */
static void put_masked(struct obliger *o, const struct node *member)
{
    const struct node *value = member->kind == NODE_ARRAY ? member->first : member;
    bool primitive = !node_is(value, NODE_OBJECT);
    bool list = member->kind == NODE_ARRAY;
    buf_z(o->out, primitive ? "\"_" : "\"");
    buf_str_put(o->out, member->name);
    buf_fmt(o->out, "\":%s%s%s", list ? "[" : "", ABSENT, list ? "]" : "");
}

/* Whether a member of the resource itself may repeat what was taken away elsewhere. */
static bool repeats(const struct obliger *o, const struct node *member)
{
    return o->touched && member->parent == o->resource &&
           (str_eq(member->name, STR("text")) || str_eq(member->name, STR("contained")));
}

static bool is_meta(const struct obliger *o, const struct node *member)
{
    return member->parent == o->resource && str_eq(member->name, STR("meta"));
}

static void put_member(struct obliger *o, const struct node *member, struct str head,
                       enum fate fate)
{
    if (fate == MASK) {
        put_masked(o, member);
        return;
    }
    buf_str_put(o->out, head);
    if (is_meta(o, member)) {
        put_meta(o, member);
    } else if (fate == ENTER) {
        put_entered(o, member);
    } else {
        buf_str_put(o->out, bytes(o, member->start, member->end));
    }
}

static void put_members(struct obliger *o, const struct node *object)
{
    size_t from = object->start;
    const char *between = "";
    buf_c(o->out, '{');
    for (const struct node *member = object->first; member; member = member->next) {
        struct str head = head_of(o, from, member);
        bool beside = member->name.n && member->name.p[0] == '_';
        size_t mark = down(o, member->name);
        enum fate fate = is_meta(o, member) ? KEEP : fate_of(o);
        from = member->end;
        if (fate != REDACT && !repeats(o, member) && !(fate == MASK && beside)) {
            buf_z(o->out, between);
            put_member(o, member, head, fate);
            between = ",";
        }
        up(o, mark);
    }
    if (object == o->resource && !node_get(object, "meta")) {
        buf_fmt(o->out, "%s\"meta\":", between);
        put_meta(o, NULL);
    }
    buf_c(o->out, '}');
}

int consent_oblige(struct arena *arena, const struct consent_tenant *tenant, uint32_t which,
                   const struct node *resource, struct str source, struct buf *out)
{
    struct obliger *o = arena_calloc(arena, 1, sizeof(*o));
    if (!o) {
        return -ENOMEM;
    }
    *o = (struct obliger){ .arena = arena,
                           .tenant = tenant,
                           .which = which,
                           .resource = resource,
                           .source = source,
                           .out = out };
    o->path = buf_fixed(o->memory, sizeof(o->memory));
    buf_str_put(&o->path, node_text(resource, "resourceType"));
    o->touched = finds(o, resource);
    put_members(o, resource);
    return buf_failed(out) ? -ENOMEM : 0;
}
