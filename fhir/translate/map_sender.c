/*
 * What maps know of those who send: systems of their assigning authorities, their time zone,
 * what they want. Later sections come first, so that they win.
 */
#include "fhir/translate/map_draft.h"

/* "sender [FACILITY]" */
void map_sender(struct map_compiler *c, struct map_words words)
{
    if (words.n > 1 || c->change != CHANGE_NONE) {
        map_wrong(c, "sender wants: [FACILITY]");
        return;
    }
    struct draft_sender *made = map_alloc(c, 1, sizeof(*made));
    if (!made) {
        return;
    }
    made->sender.facility = words.n ? words.p[0].text : (struct str){ 0 };
    made->next = c->senders;
    c->senders = made;
    c->section = SECTION_SENDER;
}

/* "assigner AUTHORITY -> SYSTEM" */
static void assigner(struct map_compiler *c, struct str authority, struct str system)
{
    struct draft_assigner *made = map_alloc(c, 1, sizeof(*made));
    struct draft_assigner **end = &c->senders->assigners;
    while (*end && !str_eq((*end)->assigner.authority, authority)) {
        end = &(*end)->next;
    }
    if (*end) {
        map_wrong(c, "assigner %.*s twice", MAP_SPAN(authority));
    } else if (made) {
        made->assigner = (struct v2_assigner){ .authority = authority, .system = system };
        *end = made;
        c->senders->sender.assigner_count++;
    }
}

/* "option NAME..." */
static void options(struct map_compiler *c, struct map_words words)
{
    for (size_t i = 0; i < words.n; i++) {
        struct draft_option *made = map_alloc(c, 1, sizeof(*made));
        if (made) {
            made->name = words.p[i].text;
            made->next = c->senders->options;
            c->senders->options = made;
            c->senders->sender.option_count++;
        }
    }
}

void map_sender_row(struct map_compiler *c)
{
    struct map_words words = { c->line.tokens, c->line.count };
    if (words.n == 2 && map_is_word(&words.p[0], "zone")) {
        c->senders->sender.zone = words.p[1].text;
    } else if (words.n == 4 && map_is_word(&words.p[0], "assigner") &&
               words.p[2].kind == MAP_ARROW) {
        assigner(c, words.p[1].text, words.p[3].text);
    } else if (words.n > 1 && map_is_word(&words.p[0], "option")) {
        options(c, map_slice(words, 1, words.n));
    } else {
        map_wrong(c, "a sender wants: zone ZONE, assigner AUTHORITY -> SYSTEM, option NAME");
    }
}

/* The lists of @from in @out. */
static bool link_sender(struct map_compiler *c, const struct draft_sender *from,
                        struct rule_sender *out)
{
    struct v2_assigner *assigners =
        map_alloc(c, from->sender.assigner_count, sizeof(*assigners));
    struct str *names = map_alloc(c, from->sender.option_count, sizeof(*names));
    if (!assigners || !names) {
        return false;
    }
    size_t n = 0;
    for (const struct draft_assigner *a = from->assigners; a; a = a->next) {
        assigners[n++] = a->assigner;
    }
    n = 0;
    for (const struct draft_option *o = from->options; o; o = o->next) {
        names[n++] = o->name;
    }
    *out = from->sender;
    out->assigners = assigners;
    out->options = names;
    return true;
}

const struct rule_sender *map_link_senders(struct map_compiler *c, uint16_t *count)
{
    size_t n = 0;
    for (const struct draft_sender *s = c->senders; s; s = s->next) {
        n++;
    }
    struct rule_sender *list = map_alloc(c, n, sizeof(*list));
    *count = (uint16_t)(n < MAP_NAMES_MAX ? n : MAP_NAMES_MAX);
    if (n > MAP_NAMES_MAX) {
        map_wrong_at(c, (struct map_where){ 0 }, "too many senders");
    }
    const struct draft_sender *s = c->senders;
    for (uint16_t i = 0; list && s && i < *count; i++, s = s->next) {
        if (!link_sender(c, s, &list[i])) {
            return NULL;
        }
    }
    return list;
}
