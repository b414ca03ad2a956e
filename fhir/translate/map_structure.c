/*
 * Structures: which segments belong together. A group stands below the one that is indented
 * less; keys belong to the group read last. What is included is copied, so that a later layer
 * changes it in one structure alone.
 */
#include "fhir/translate/map_back.h"

#include <errno.h>

static struct draft_structure *new_structure(struct map_compiler *c)
{
    struct draft_structure *made = map_alloc(c, 1, sizeof(*made));
    if (made) {
        made->top.where = c->where;
        made->next = c->structures;
        c->structures = made;
    }
    return made;
}

/* A new structure, or more for one of an earlier layer. */
void map_structure(struct map_compiler *c, struct map_words words)
{
    bool bundle = c->back && words.n == 3 && map_is_word(&words.p[2], "Bundle");
    if ((words.n != 1 && !bundle) || c->change == CHANGE_REMOVE) {
        map_wrong(c, "structure wants one name, or NAME from Bundle");
        return;
    }
    struct map_name *entry = map_names_put(
        c->arena, c->back ? &c->back_structures : &c->structure_names, words.p[0].text);
    struct draft_structure *made = entry ? entry->value : NULL;
    if (!entry) {
        c->error = -ENOMEM;
        return;
    }
    if (made ? !map_earlier(c, made->top.where) : c->change == CHANGE_REPLACE) {
        map_wrong(c,
                  made ? "there is a structure %.*s already" : "no structure %.*s to replace",
                  MAP_SPAN(entry->name));
        return;
    }
    made = made ? made : new_structure(c);
    if (!made) {
        return;
    }
    if (c->change == CHANGE_REPLACE) {
        made->top.children = NULL;
        made->top.group.child_count = 0;
    }
    entry->value = made;
    c->section = SECTION_STRUCTURE;
    c->groups[0] = &made->top;
    c->depth = 1;
}

/* Where member @id of @group hangs, or the end of the list. */
static struct draft_member **find_member(struct draft_group *group, uint16_t id)
{
    struct draft_member **at = &group->members;
    while (*at && (*at)->member.segment != id) {
        at = &(*at)->next;
    }
    return at;
}

/* One word of a line of members: "OBX", "NTE*", "(ORC" or "OBR)". */
struct member_word {
    struct str name;
    bool opens;
    bool many;
    bool closes;
};

static struct member_word member_word(struct str word)
{
    struct member_word out = { .opens = str_starts(word, STR("(")),
                               .closes = str_ends(word, STR(")")) };
    out.name = str_slice(word, out.opens, word.n - out.closes);
    out.many = str_ends(out.name, STR("*"));
    out.name.n -= out.many;
    return out;
}

/* The segment that @word names; told and NULL if none. */
static const struct draft_segment *member_segment(struct map_compiler *c,
                                                  const struct member_word *word)
{
    if (!map_is_segment(word->name)) {
        map_wrong(c, "'%.*s' is no segment", MAP_SPAN(word->name));
        return NULL;
    }
    return map_segment(c, word->name);
}

/* Where the first of @words that @group has already hangs, or the end of its list. */
static struct draft_member **first_known(struct map_compiler *c, struct map_words words,
                                         struct draft_group *group)
{
    for (size_t i = 0; i < words.n; i++) {
        const struct draft_segment *known =
            map_names_get(&c->segment_names, member_word(words.p[i].text).name);
        struct draft_member **at = known ? find_member(group, known->id) : NULL;
        if (at && *at) {
            return at;
        }
    }
    return find_member(group, UINT16_MAX);
}

/* Put @word into @group at *at, or find it there; *at is the place after it. */
static bool member(struct map_compiler *c, const struct member_word *word, bool beside,
                   struct draft_group *group, struct draft_member ***at)
{
    const struct draft_segment *segment = member_segment(c, word);
    struct draft_member **known = segment ? find_member(group, segment->id) : NULL;
    if (known && *known) {
        (*known)->member.many = (*known)->member.many || word->many;
        *at = &(*known)->next;
        return true;
    }
    struct draft_member *made = segment ? map_alloc(c, 1, sizeof(*made)) : NULL;
    if (!made) {
        return false;
    }
    /* Between two that come in any order, a new one does too. */
    *made = (struct draft_member){ .member = { .segment = segment->id, .many = word->many },
                                   .beside = beside || (**at && (**at)->beside),
                                   .next = **at };
    **at = made;
    *at = &made->next;
    if (++group->group.member_count > RULE_MEMBERS_MAX) {
        map_wrong(c, "too many segments in a group");
        return false;
    }
    return true;
}

/* Segments: new ones stand beside those of the line that the group has already. */
static bool members(struct map_compiler *c, struct map_words words, struct draft_group *group)
{
    struct draft_member **at = first_known(c, words, group);
    bool inside = false; /* parentheses */
    for (size_t i = 0; i < words.n; i++) {
        struct member_word word = member_word(words.p[i].text);
        if (inside ? word.opens : word.closes && !word.opens) {
            break;
        }
        if (!member(c, &word, inside, group, &at)) {
            return false;
        }
        inside = (inside || word.opens) && !word.closes;
        if (i + 1 == words.n && !inside) {
            return true;
        }
    }
    if (words.n) {
        map_wrong(c, "a parenthesis without its partner");
    }
    return words.n == 0;
}

/* Resources: those that the group hasn't yet. */
static bool owned(struct map_compiler *c, struct map_words words, struct draft_group *group)
{
    for (size_t i = 0; i < words.n; i++) {
        struct draft_owned **at = &group->resources;
        while (*at && !str_eq((*at)->resource, words.p[i].text)) {
            at = &(*at)->next;
        }
        if (*at) {
            continue;
        }
        *at = map_alloc(c, 1, sizeof(**at));
        if (!*at) {
            return false;
        }
        (*at)->resource = words.p[i].text;
        if (++group->group.resource_count > RULE_RESOURCES_MAX) {
            map_wrong(c, "too many resources in a group");
            return false;
        }
    }
    return true;
}

/* A new group, the last below @parent; told and NULL if there are too many. */
static struct draft_group *new_group(struct map_compiler *c, struct draft_group *parent)
{
    struct draft_group *made = map_alloc(c, 1, sizeof(*made));
    if (!made || parent->group.child_count == UINT8_MAX || c->group_count == MAP_NAMES_MAX) {
        map_wrong(c, "too many groups");
        return NULL;
    }
    struct draft_group **end = &parent->children;
    while (*end) {
        end = &(*end)->next;
    }
    *end = made;
    made->where = c->where;
    parent->group.child_count++;
    c->group_count++;
    return made;
}

/* The group called @name below @parent, of an earlier layer; a new one if there is none. */
static struct draft_group *group_of(struct map_compiler *c, struct draft_group *parent,
                                    struct str name)
{
    struct draft_group **at = &parent->children;
    while (*at && (!map_earlier(c, (*at)->where) || !str_eq(str_z((*at)->group.name), name))) {
        at = &(*at)->next;
    }
    if (*at) {
        return *at;
    }
    struct draft_group *made = new_group(c, parent);
    if (made) {
        made->group.name = map_intern(c, name).p;
    }
    return made;
}

/* Close the groups that the line at hand doesn't stand below. */
static void outdent(struct map_compiler *c)
{
    while (c->depth > 1 && c->line.indent <= c->groups[c->depth - 1]->indent) {
        c->depth--;
    }
}

/* Lists of @from for @to, which has none yet: what is changed in one stays in the other. */
static void copy_lists(struct map_compiler *c, const struct draft_group *from,
                       struct draft_group *to)
{
    struct draft_member **member = &to->members;
    struct draft_owned **owned = &to->resources;
    for (const struct draft_member *m = from->members; m; m = m->next) {
        *member = map_alloc(c, 1, sizeof(**member));
        if (!*member) {
            return;
        }
        **member = *m;
        (*member)->next = NULL;
        member = &(*member)->next;
    }
    for (const struct draft_owned *o = from->resources; o; o = o->next) {
        *owned = map_alloc(c, 1, sizeof(**owned));
        if (!*owned) {
            return;
        }
        **owned = *o;
        (*owned)->next = NULL;
        owned = &(*owned)->next;
    }
}

/* Copies of the groups below @from as the last ones below @to; false if there are too many. */
static bool copy_below(struct map_compiler *c, const struct draft_group *from,
                       struct draft_group *to)
{
    for (const struct draft_group *g = from->children; g && !c->error; g = g->next) {
        struct draft_group *made = new_group(c, to);
        if (!made) {
            return false;
        }
        made->group = g->group;
        made->group.child_count = 0;
        made->keyed = c->where;
        made->keys = g->keys; /* lists of these are never changed, only left */
        copy_lists(c, g, made);
        if (!copy_below(c, g, made)) {
            return false;
        }
    }
    return true;
}

/* "include NAME": the groups of a structure, as if they stood here. */
static void include_line(struct map_compiler *c, struct map_words words)
{
    const struct draft_structure *from =
        words.n == 1 ? map_names_get(&c->structure_names, words.p[0].text) : NULL;
    outdent(c);
    struct draft_group *to = c->groups[c->depth - 1];
    if (!from || &from->top == c->groups[0]) {
        map_wrong(c, "include wants the name of a structure that stands before this one");
    } else {
        (void)copy_below(c, &from->top, to);
    }
}

static void group_line(struct map_compiler *c, struct map_words words)
{
    struct str name = words.p[0].text;
    size_t arrow = map_find_word(words, c->back ? "<=" : "=>");
    if (words.p[0].kind != MAP_WORD || name.n < 2 || !str_ends(name, STR(":"))) {
        map_wrong(c, "a group wants: NAME: SEGMENT... [=> RESOURCE...]");
        return;
    }
    outdent(c);
    if (c->depth == MAP_DEPTH_MAX) {
        map_wrong(c, "too many groups in each other");
        return;
    }
    struct draft_group *group =
        group_of(c, c->groups[c->depth - 1], str_slice(name, 0, name.n - 1));
    struct map_words right = map_slice(words, arrow + 1, words.n);
    if (group && members(c, map_slice(words, 1, arrow), group) &&
        (c->back ? map_group_link(c, right, group) : owned(c, right, group))) {
        group->indent = c->line.indent;
        c->groups[c->depth++] = group;
    }
}

/* "A", "A!=CODE" */
static bool key_address(struct map_compiler *c, struct str word, struct rule_address *at,
                        struct str *except)
{
    const char *sign = memmem(word.p, word.n, "!=", 2);
    size_t n = sign ? (size_t)(sign - word.p) : word.n;
    *except = sign ? str_slice(word, n + 2, word.n) : (struct str){ 0 };
    if (!map_address(c, str_slice(word, 0, n), at)) {
        return false;
    }
    if (at->segment == RULE_VALUE || (sign && !except->n)) {
        map_wrong(c, "a key wants fields of segments");
        return false;
    }
    return true;
}

/* "A/B": the addresses of which the first valued one counts. */
static struct draft_key *key_part(struct map_compiler *c, struct str word)
{
    struct draft_key *made = map_alloc(c, 1, sizeof(*made));
    struct rule_address *any = map_alloc(c, word.n, sizeof(*any));
    struct str *except = map_alloc(c, word.n, sizeof(*except));
    if (!made || !any || !except) {
        return NULL;
    }
    made->key.any = any;
    made->key.except = except;
    while (word.n) {
        uint16_t i = made->key.count++;
        if (!key_address(c, str_cut(&word, '/'), &any[i], &except[i])) {
            return NULL;
        }
    }
    return made;
}

/* "key [with above] PART... [else PART...]" */
static void key_line(struct map_compiler *c, struct map_words words)
{
    struct draft_group *group = c->groups[c->depth - 1];
    bool above =
        words.n > 1 && map_is_word(&words.p[0], "with") && map_is_word(&words.p[1], "above");
    words = map_slice(words, above ? 2 : 0, words.n);
    size_t own = map_find_word(words, "else");
    bool again = group->keys && !map_earlier(c, group->keyed);
    if (c->depth == 1 || again || words.n == 0 || words.n > UINT8_MAX) {
        map_wrong(c, "key wants: [with above] PART... [else PART...], once for a group");
        return;
    }
    group->keyed = c->where;
    group->keys = NULL; /* those of an earlier layer */
    group->group.key_count = 0;
    struct draft_key **end = &group->keys;
    for (size_t i = 0; i < words.n; i++) {
        struct draft_key *made = i == own ? NULL : key_part(c, words.p[i].text);
        if (made) {
            *end = made;
            end = &made->next;
            group->group.key_count++;
        }
    }
    group->group.own_count = (uint8_t)own;
    group->group.parent_key = above;
}

void map_structure_row(struct map_compiler *c)
{
    struct map_words words = { c->line.tokens, c->line.count };
    if (c->back && map_is_word(&words.p[0], "also")) {
        map_also_line(c, map_slice(words, 1, words.n));
    } else if (!c->back && map_is_word(&words.p[0], "key")) {
        key_line(c, map_slice(words, 1, words.n));
    } else if (map_is_word(&words.p[0], "include")) {
        include_line(c, map_slice(words, 1, words.n));
    } else {
        group_line(c, words);
    }
}
