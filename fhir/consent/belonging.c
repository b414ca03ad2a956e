/* Resources of a directory to names of actors. */
#include "fhir/consent/belonging.h"

#include "crypto/base/attr.h"
#include "fhir/base/instant.h"
#include "fhir/consent/actor.h"

static bool has(const struct belonging *names, struct str name)
{
    for (size_t i = 0; i < names->n; i++) {
        if (str_eq(names->at[i], name)) {
            return true;
        }
    }
    return false;
}

void belonging_add(struct belonging *names, struct str name)
{
    if (name.n > 0 && has(names, name)) {
        return;
    }
    if (name.n == 0 || names->n == BELONGING_NAMES_MAX) {
        names->unknown = true;
        return;
    }
    names->at[names->n++] = name;
}

struct str belonging_local(const struct belonging_place *place, struct str name)
{
    bool below =
        name.n > place->base.n && str_starts(name, place->base) && name.p[place->base.n] == '/';
    struct str rest = below ? str_slice(name, place->base.n + 1, name.n) : name;
    const struct reference to = reference_of(rest);
    bool ours = below || place->local;
    return ours && to.form == REFERENCE_RELATIVE && to.version.n == 0 ? rest
                                                                      : (struct str){ 0 };
}

/* By the reference alone, whatever identifier stands with it. */
static struct str name_by_url(struct arena *arena, const struct belonging_place *place,
                              const struct reference *to)
{
    struct str name = { 0 };
    const struct consent_context context = { .bases = &place->base, .n_bases = place->local };
    struct reference bare = *to;
    bare.value = (struct str){ 0 };
    if (bare.form == REFERENCE_RELATIVE && !place->local) {
        bare.form = REFERENCE_ABSOLUTE;
        bare.base = place->base;
    }
    bool known = consent_actor_plain(&context, arena, &bare, &name);
    return known ? name : (struct str){ 0 };
}

static struct str name_by_identifier(struct arena *arena, struct str system, struct str value)
{
    struct str name = { 0 };
    const struct consent_context context = { 0 };
    const struct reference to = { .form = REFERENCE_LOGICAL, .system = system, .value = value };
    bool known = value.n > 0 && consent_actor_plain(&context, arena, &to, &name);
    return known ? name : (struct str){ 0 };
}

struct str belonging_name(struct arena *arena, const struct belonging_place *place,
                          const struct reference *to)
{
    struct str name = name_by_url(arena, place, to);
    return name.n ? name : name_by_identifier(arena, to->system, to->value);
}

/* All names of @resource onto @names. */
static void add_names(struct arena *arena, const struct belonging_place *place,
                      const struct node *resource, struct belonging *names)
{
    const struct reference own = {
        .form = REFERENCE_RELATIVE,
        .type = node_text(resource, "resourceType"),
        .id = node_text(resource, "id"),
    };
    if (reference_is_id(own.id)) {
        belonging_add(names, name_by_url(arena, place, &own));
    }
    const struct node *at = node_first(node_get(resource, "identifier"));
    for (; at; at = at->next) {
        if (node_text(at, "value").n) {
            belonging_add(names, name_by_identifier(arena, node_text(at, "system"),
                                                    node_text(at, "value")));
        }
    }
}

static bool is_type(const struct node *resource, const char *type)
{
    return str_eq(node_text(resource, "resourceType"), str_z(type));
}

/* --- organizations ------------------------------------------------------------------------ */

/* The one Organization that @root is, or holds; NULL: none, or several. */
static const struct node *only_organization(const struct node *root)
{
    if (!is_type(root, "Bundle")) {
        return is_type(root, "Organization") ? root : NULL;
    }
    const struct node *only = NULL;
    const struct node *entry = node_first(node_get(root, "entry"));
    for (; entry; entry = entry->next) {
        const struct node *resource = node_get(entry, "resource");
        if (!is_type(resource, "Organization")) {
            continue;
        }
        if (only) {
            return NULL;
        }
        only = resource;
    }
    return only;
}

bool belonging_organization(struct arena *arena, const struct belonging_place *place,
                            const struct node *root, struct str name, struct belonging *names,
                            struct reference *above)
{
    const struct node *organization = only_organization(root);
    struct belonging own = { 0 };
    *above = (struct reference){ 0 };
    if (organization) {
        add_names(arena, place, organization, &own);
    }
    if (own.unknown || !has(&own, name)) {
        names->unknown = true;
        return false;
    }
    for (size_t i = 0; i < own.n; i++) {
        belonging_add(names, own.at[i]);
    }
    const struct node *part_of = node_get(organization, "partOf");
    if (part_of) {
        *above = reference_read(part_of);
        names->unknown |= above->form == REFERENCE_NONE;
    }
    return true;
}

/* --- groups ------------------------------------------------------------------------------- */

enum answer {
    ANSWER_NO,
    ANSWER_YES,
    ANSWER_UNKNOWN,
};

/* Whether @now is in the period of @node, if it has one. */
static enum answer is_in_period(const struct node *node, int64_t now)
{
    const struct node *period = node_get(node, "period");
    const struct node *start = node_get(period, "start");
    const struct node *end = node_get(period, "end");
    struct instant_span from = { .from = INSTANT_LEAST };
    struct instant_span until = { .until = INSTANT_MOST };
    bool readable =
        (!start || (node_is(start, NODE_STRING) && instant_span(start->text, &from))) &&
        (!end || (node_is(end, NODE_STRING) && instant_span(end->text, &until)));
    if (!readable) {
        return ANSWER_UNKNOWN;
    }
    return now >= from.from && now < until.until ? ANSWER_YES : ANSWER_NO;
}

/* Whether the reference @node means one of @members, by either of its names. */
static bool means(struct arena *arena, const struct belonging_place *place,
                  const struct node *node, const struct belonging *members)
{
    const struct reference to = reference_read(node);
    struct str url = name_by_url(arena, place, &to);
    struct str identifier = name_by_identifier(arena, to.system, to.value);
    return (url.n && has(members, url)) || (identifier.n && has(members, identifier));
}

/*
 * How a resource tells who is in it.
 *
 * @status, @active: what it must say to be in force; @otherwise: where it doesn't say
 * @list:   of members; NULL: the resource itself
 * @member: reference to one
 */
struct kind {
    const char *type;
    const char *status;
    const char *active;
    bool otherwise;
    const char *list;
    const char *member;
};

static const struct kind kinds[] = {
    { "PractitionerRole", "active", NULL, true, NULL, "practitioner" },
    { "CareTeam", "status", "active", false, "participant", "member" },
    { "Group", "active", NULL, true, "member", "entity" },
};

static bool is_in_force(const struct kind *kind, const struct node *resource)
{
    const struct node *status = node_get(resource, kind->status);
    if (!status) {
        return kind->otherwise;
    }
    return kind->active ? str_eq(status->text, str_z(kind->active))
                        : node_is(status, NODE_TRUE);
}

static enum answer is_member(struct arena *arena, const struct belonging_place *place,
                             const struct kind *kind, const struct node *entry,
                             const struct belonging *members, int64_t now)
{
    bool left = node_is(node_get(entry, "inactive"), NODE_TRUE);
    if (left || !means(arena, place, node_get(entry, kind->member), members)) {
        return ANSWER_NO;
    }
    return is_in_period(entry, now);
}

static enum answer is_among(struct arena *arena, const struct belonging_place *place,
                            const struct node *resource, const struct belonging *members,
                            int64_t now)
{
    const struct kind *kind = kinds;
    while (kind < kinds + ARRAY_LEN(kinds) && !is_type(resource, kind->type)) {
        kind++;
    }
    if (kind == kinds + ARRAY_LEN(kinds) || !is_in_force(kind, resource)) {
        return ANSWER_NO;
    }
    if (!kind->list) {
        return is_member(arena, place, kind, resource, members, now);
    }
    enum answer whole = is_in_period(resource, now);
    enum answer best = ANSWER_NO;
    const struct node *entry = node_first(node_get(resource, kind->list));
    for (; entry && whole != ANSWER_NO && best != ANSWER_YES; entry = entry->next) {
        enum answer one = is_member(arena, place, kind, entry, members, now);
        best = one == ANSWER_NO ? best : one;
    }
    return best == ANSWER_YES ? whole : best;
}

/* Whether a searchset goes on elsewhere. */
static bool goes_on(const struct node *root)
{
    const struct node *link = node_first(node_get(root, "link"));
    while (link && !str_eq(node_text(link, "relation"), STR("next"))) {
        link = link->next;
    }
    return link != NULL;
}

void belonging_members(struct arena *arena, const struct belonging_place *place,
                       const struct node *root, const struct belonging *members, int64_t now,
                       struct belonging *names)
{
    const struct belonging asked = *members;
    if (!is_type(root, "Bundle") || goes_on(root)) {
        names->unknown = true;
    }
    const struct node *entry = node_first(node_get(root, "entry"));
    for (; entry; entry = entry->next) {
        const struct node *resource = node_get(entry, "resource");
        enum answer among = is_among(arena, place, resource, &asked, now);
        if (among == ANSWER_YES) {
            add_names(arena, place, resource, names);
        }
        names->unknown |= among == ANSWER_UNKNOWN;
    }
}
