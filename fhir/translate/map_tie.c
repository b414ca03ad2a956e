/*
 * The way back: which messages there are, and which resources their groups are written for.
 *
 *     message ORU^R01 from report [if CONDITION]
 *     structure report from Bundle
 *         message: MSH
 *             patient: PID PD1 <= Patient required
 *                 order: ORC OBR <= DiagnosticReport with subject
 *                     also ServiceRequest in basedOn
 */
#include "fhir/translate/map_back.h"

#include <errno.h>

/* "in PATH", "with PATH" from @at of @words on; the first word after them. */
static size_t ties(struct map_compiler *c, struct map_words words, size_t at,
                   struct rule_link *link)
{
    for (; at + 1 < words.n; at += 2) {
        bool with = map_is_word(&words.p[at], "with");
        if (!with && !map_is_word(&words.p[at], "in")) {
            break;
        }
        *(with ? &link->with : &link->in) = map_read_path(c, words.p[at + 1].text);
    }
    return at;
}

/* "RESOURCE [in PATH] [with PATH] [if CONDITION]"; told and NULL if it is something else. */
static struct draft_link *link_words(struct map_compiler *c, struct map_words words)
{
    struct draft_link *made = map_alloc(c, 1, sizeof(*made));
    if (!made || words.n == 0 || !map_is_resource(words.p[0].text)) {
        map_wrong(c,
                  "what a group is for wants: RESOURCE [in PATH] [with PATH] [if CONDITION]");
        return NULL;
    }
    made->where = c->where;
    made->link.type = map_intern(c, words.p[0].text).p;
    size_t at = ties(c, words, 1, &made->link);
    if (at < words.n && map_is_word(&words.p[at], "if")) {
        struct draft_row row = { 0 };
        if (!map_row_condition(c, map_slice(words, at + 1, words.n), &row)) {
            return NULL;
        }
        made->tests = row.tests;
        made->test_count = row.test_count;
        made->link.tests = row.tests;
        at = words.n;
    }
    if (at != words.n) {
        map_wrong(c,
                  "what a group is for wants: RESOURCE [in PATH] [with PATH] [if CONDITION]");
        return NULL;
    }
    return made;
}

static bool add_link(struct map_compiler *c, struct draft_group *group, struct draft_link *made,
                     bool first)
{
    struct draft_link **at = &group->links;
    while (*at && !first) {
        at = &(*at)->next;
    }
    made->next = *at;
    *at = made;
    if (++group->group.link_count > RULE_LINKS_MAX) {
        map_wrong(c, "too many resources for a group");
        return false;
    }
    return true;
}

bool map_group_link(struct map_compiler *c, struct map_words words, struct draft_group *group)
{
    if (words.n == 0) {
        return true;
    }
    bool required = map_is_word(&words.p[words.n - 1], "required");
    struct draft_link *made = link_words(c, map_slice(words, 0, words.n - required));
    if (!made) {
        return false;
    }
    if (group->links && !map_earlier(c, group->links->where)) {
        map_wrong(c, "there is a group of this name already");
        return false;
    }
    group->group.required = required;
    if (group->links) { /* a later layer says it anew */
        group->links = group->links->next;
        group->group.link_count--;
    }
    return add_link(c, group, made, true);
}

void map_also_line(struct map_compiler *c, struct map_words words)
{
    struct draft_group *group = c->groups[c->depth - 1];
    struct draft_link *made = link_words(c, words);
    if (made && (c->depth == 1 || !group->links)) {
        map_wrong(c, "'also' stands below a group that is for a resource");
    } else if (made) {
        (void)add_link(c, group, made, false);
    }
}

void map_link_ties(struct map_compiler *c, struct draft_group *group)
{
    struct rule_link *links = map_alloc(c, group->group.link_count, sizeof(*links));
    size_t n = 0;
    for (struct draft_link *l = group->links; l && links; l = l->next) {
        map_link_tests(c, l->where, l->tests, l->test_count);
        links[n++] = l->link;
    }
    group->group.links = links;
}

static void add_message(struct map_compiler *c, struct draft_message *made)
{
    struct draft_message **at = &c->backs;
    while (*at && map_layer(c, (*at)->where) >= map_layer(c, c->where)) {
        at = &(*at)->next;
    }
    made->next = *at;
    *at = made;
    if (++c->back_count > MAP_NAMES_MAX) {
        map_wrong(c, "too many messages");
    }
}

void map_back_message(struct map_compiler *c, struct map_words words)
{
    struct str rest = words.p[0].text;
    struct str type = str_cut(&rest, '^');
    bool removes = c->change == CHANGE_REMOVE;
    bool asks = words.n > 4 && map_is_word(&words.p[3], "if");
    if (!type.n || !rest.n || (removes ? words.n < 2 : words.n != 3 && !asks)) {
        map_wrong(c, "message wants: TYPE^EVENT from STRUCTURE [if CONDITION]");
        return;
    }
    struct map_name *entry = map_entry(c, &c->back_messages, words.p[0].text);
    struct draft_message *made = entry ? entry->value : NULL;
    if (made && !made->gone && (c->change == CHANGE_NONE || !map_earlier(c, made->where))) {
        map_wrong(c, "there is a message %.*s already", MAP_SPAN(entry->name));
        return;
    }
    bool fresh = entry && !made;
    made = fresh ? map_alloc(c, 1, sizeof(*made)) : made;
    struct draft_row row = { 0 };
    if (!made || (asks && !map_row_condition(c, map_slice(words, 4, words.n), &row))) {
        return;
    }
    if (fresh) {
        add_message(c, made);
    }
    entry->value = made;
    made->where = c->where;
    made->message = (struct rule_message){ .type = type, .event = rest, .tests = row.tests };
    made->tests = row.tests;
    made->test_count = row.test_count;
    made->structure = removes ? made->structure : words.p[2].text;
    made->gone = removes;
    c->section = SECTION_MESSAGE;
}

void map_link_backs(struct map_compiler *c, struct rules *out)
{
    struct rule_message *messages = map_alloc(c, c->back_count, sizeof(*messages));
    for (struct draft_message *m = c->backs; m && messages; m = m->next) {
        const struct draft_structure *found = map_names_get(&c->back_structures, m->structure);
        if (m->gone) {
            continue;
        }
        if (!found) {
            map_wrong_at(c, m->where, "unknown structure '%.*s'", MAP_SPAN(m->structure));
            continue;
        }
        map_link_tests(c, m->where, m->tests, m->test_count);
        m->message.root = found->top.children ? &found->top.children->group : NULL;
        messages[out->back_count++] = m->message;
    }
    out->backs = messages;
}
