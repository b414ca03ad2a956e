/*
 * A Bundle to a message: choose the message, find the resources, write the groups, and the
 * whole in the receiver's character set.
 */
#include "fhir/translate/to_v2.h"

#include "fhir/translate/back.h"

#include <errno.h>

/* --- which message ------------------------------------------------------------------------ */

static bool is_called(const struct rule_message *message, struct str event)
{
    struct str rest = event;
    struct str type = str_cut(&rest, '^');
    struct str code = str_cut(&rest, '^');
    return str_eq(type, message->type) && str_eq(code, message->event);
}

bool to_v2_makes(const struct rules *rules, struct str event)
{
    for (uint16_t i = 0; i < rules->back_count; i++) {
        if (is_called(&rules->backs[i], event)) {
            return true;
        }
    }
    return false;
}

/* The message that was asked for, or that what is there becomes; NULL: none. */
static const struct rule_message *choose(struct back *b)
{
    const struct rules *rules = b->rules;
    struct back_place place = { .at = b->root };
    for (uint16_t i = 0; i < rules->back_count; i++) {
        b->message = &rules->backs[i];
        if (b->to->event.n ? is_called(b->message, b->to->event)
                           : b->message->tests && back_holds(b, &place, b->message->tests)) {
            return b->message;
        }
    }
    return NULL;
}

/* --- what is missing ---------------------------------------------------------------------- */

static void tell_required(struct back *b, const struct rule_group *group, const char *why)
{
    issues_add(b->issues, ISSUE_FATAL, "required", STR("Bundle.entry"),
               "%.*s^%.*s needs a %s: %s", (int)b->message->type.n, b->message->type.p,
               (int)b->message->event.n, b->message->event.p, group->links[0].type, why);
}

/*
 * Tell which resource that @group or one below it must have isn't there, or is none that a
 * message is made of; whether one isn't there.
 */
static bool tell_missing(struct back *b, const struct rule_group *group)
{
    const struct rule_group *first = NULL;
    bool there = false;
    for (uint8_t i = 0; i < group->child_count; i++) {
        const struct rule_group *child = group->children[i];
        if (child->required && child->link_count) {
            first = first ? first : child;
            there = there || back_first(b, child->links[0].type);
        }
    }
    if (first && !there) {
        tell_required(b, first, "there is none");
        return true;
    }
    bool missing = false;
    for (uint8_t i = 0; i < group->child_count && !missing; i++) {
        missing = tell_missing(b, group->children[i]);
    }
    if (first && !missing && b->issues->worst < ISSUE_FATAL) {
        tell_required(b, first, "of none there something can be told");
    }
    return missing;
}

/* Tell of resources that the message has no place for. */
static size_t tell_unread(struct back *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->resource_count; i++) {
        const struct back_resource *r = &b->resources[i];
        if (r->read || !r->entry) {
            continue;
        }
        n++;
        back_issue(b, ISSUE_INFORMATION, "not-supported", r->node,
                   "nothing in the message came of this resource");
    }
    return n;
}

/* --- the text ----------------------------------------------------------------------------- */

/* @text in the receiver's character set. */
static int encode(struct back *b, struct str text, struct str *out)
{
    struct v2_charsets sets;
    *out = text;
    if (!b->to->charset.n) {
        return 0;
    }
    v2_charsets_read(b->to->charset, b->to->delims.repetition, &sets);
    if (sets.first == V2_CHARSET_UTF8) {
        return 0;
    }
    int replaced = v2_from_utf8(b->arena, &sets, text, out);
    if (replaced > 0) {
        issues_add(b->issues, ISSUE_WARNING, "value", STR("MSH-18"),
                   "%d characters that this character set hasn't got became question marks",
                   replaced);
    }
    return replaced < 0 ? replaced : 0;
}

static int finish(struct back *b, struct translate_message *out)
{
    struct buf text = arena_buf(b->arena, V2_MESSAGE_MAX);
    int r = v2_write_end(&b->writer, &text);
    if (r != 0) {
        return text.n > V2_MESSAGE_MAX / 2 ? TO_V2_E_SIZE : r;
    }
    struct translate_message made = { .type = b->message->type, .event = b->message->event };
    r = encode(b, buf_str(&text), &made.text);
    if (r == 0) {
        made.unread = tell_unread(b);
        *out = made;
    }
    return r;
}

const char *to_v2_why(int r)
{
    switch (r) {
    case TO_V2_E_TYPE: return "no map makes such a message of it";
    case TO_V2_E_MISSING: return "the message would lack what it can't be without";
    case TO_V2_E_NOTHING: return "there is nothing that may be told: no message";
    case TO_V2_E_SIZE: return "it would become too large";
    default: return "no memory";
    }
}

int translate_to_v2(struct arena *arena, const struct node *root,
                    const struct translate_receiver *to, struct translate_message *out,
                    struct issues *issues)
{
    struct back *b = arena_calloc(arena, 1, sizeof(*b));
    if (!b) {
        return -ENOMEM;
    }
    b->arena = arena;
    b->rules = to->rules;
    b->to = to;
    b->issues = issues;
    b->root = root;
    b->writer = v2_writer(arena, &to->delims);
    back_index(b);
    b->message = b->error ? NULL : choose(b);
    if (b->error || !b->message) {
        return b->error ? b->error : TO_V2_E_TYPE;
    }
    back_groups(b);
    if (b->error) {
        return b->error;
    }
    if (!b->writer.first || b->writer.first == b->writer.last) { /* nothing but MSH */
        return tell_missing(b, b->message->root) ? TO_V2_E_MISSING : TO_V2_E_NOTHING;
    }
    return finish(b, out);
}
