/*
 * Structures: which segments belong together. A group stands below the one that is indented
 * less; keys belong to the group read last.
 */
#include "fhir/translate/map_draft.h"

#include <errno.h>

void map_structure(struct map_compiler *c, struct map_words words)
{
    if (words.n != 1) {
        map_wrong(c, "structure wants one new name");
        return;
    }
    struct draft_structure *made = map_alloc(c, 1, sizeof(*made));
    struct map_name *entry = map_names_put(c->arena, &c->structure_names, words.p[0].text);
    if (!made || !entry) {
        c->error = -ENOMEM;
        return;
    }
    if (entry->value) {
        map_wrong(c, "there is a structure %.*s already", MAP_SPAN(entry->name));
        return;
    }
    entry->value = made;
    made->top.where = c->where;
    made->next = c->structures;
    c->structures = made;
    c->section = SECTION_STRUCTURE;
    c->groups[0] = &made->top;
    c->depth = 1;
}

/* One segment of a group, "OBX" or "NTE*". */
static bool member(struct map_compiler *c, struct str word, struct draft_group *group,
                   struct draft_member ***end)
{
    bool many = str_ends(word, STR("*"));
    struct str name = str_slice(word, 0, word.n - many);
    if (!map_is_segment(name)) {
        map_wrong(c, "'%.*s' is no segment", MAP_SPAN(name));
        return false;
    }
    struct draft_member *made = map_alloc(c, 1, sizeof(*made));
    const struct draft_segment *segment = map_segment(c, name);
    if (!made || !segment) {
        return false;
    }
    made->member = (struct rule_member){ .segment = segment->id, .many = many };
    **end = made;
    *end = &made->next;
    return ++group->group.member_count <= RULE_MEMBERS_MAX;
}

static bool owned(struct map_compiler *c, struct str word, struct draft_group *group,
                  struct draft_owned ***end)
{
    struct draft_owned *made = map_alloc(c, 1, sizeof(*made));
    if (!made) {
        return false;
    }
    made->resource = word;
    **end = made;
    *end = &made->next;
    return ++group->group.resource_count <= RULE_RESOURCES_MAX;
}

/* "SEGMENT... [=> RESOURCE...]" */
static bool members(struct map_compiler *c, struct map_words words, struct draft_group *group)
{
    size_t arrow = map_find_word(words, "=>");
    struct draft_member **member_end = &group->members;
    struct draft_owned **owned_end = &group->resources;
    bool good = true;
    for (size_t i = 0; i < arrow && good; i++) {
        good = member(c, words.p[i].text, group, &member_end);
    }
    for (size_t i = arrow + 1; i < words.n && good; i++) {
        good = owned(c, words.p[i].text, group, &owned_end);
    }
    if (group->group.member_count > RULE_MEMBERS_MAX ||
        group->group.resource_count > RULE_RESOURCES_MAX) {
        map_wrong(c, "too many segments or resources in a group");
    }
    return good;
}

static void group_line(struct map_compiler *c, struct map_words words)
{
    struct str name = words.p[0].text;
    if (words.p[0].kind != MAP_WORD || name.n < 2 || !str_ends(name, STR(":"))) {
        map_wrong(c, "a group wants: NAME: SEGMENT... [=> RESOURCE...]");
        return;
    }
    struct draft_group *made = map_alloc(c, 1, sizeof(*made));
    if (!made) {
        return;
    }
    made->where = c->where;
    made->indent = c->line.indent;
    made->group.name = map_intern(c, str_slice(name, 0, name.n - 1)).p;
    if (!members(c, map_slice(words, 1, words.n), made)) {
        return;
    }
    while (c->line.indent <= c->groups[c->depth - 1]->indent) {
        c->depth--;
    }
    struct draft_group *parent = c->groups[c->depth - 1];
    struct draft_group **end = &parent->children;
    while (*end) {
        end = &(*end)->next;
    }
    if (c->depth == MAP_DEPTH_MAX || parent->group.child_count == UINT8_MAX) {
        map_wrong(c, "too many groups in each other or beside each other");
        return;
    }
    *end = made;
    parent->group.child_count++;
    c->groups[c->depth++] = made;
}

/* "A/B": the addresses of which the first valued one counts. */
static struct draft_key *key_part(struct map_compiler *c, struct str word)
{
    struct draft_key *made = map_alloc(c, 1, sizeof(*made));
    struct rule_address *any = map_alloc(c, word.n, sizeof(*any));
    if (!made || !any) {
        return NULL;
    }
    made->key.any = any;
    while (word.n) {
        struct rule_address *at = &any[made->key.count++];
        if (!map_address(c, str_cut(&word, '/'), at)) {
            return NULL;
        }
        if (at->segment == RULE_VALUE) {
            map_wrong(c, "a key wants fields of segments");
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
    if (c->depth == 1 || group->keys || words.n == 0 || words.n > UINT8_MAX) {
        map_wrong(c, "key wants: [with above] PART... [else PART...], once for a group");
        return;
    }
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
    if (map_is_word(&words.p[0], "key")) {
        key_line(c, map_slice(words, 1, words.n));
    } else {
        group_line(c, words);
    }
}
