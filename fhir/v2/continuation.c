/* Joining what was cut: segments by ADD, messages by DSC. */
#include "fhir/v2/continuation.h"

#include <errno.h>

static bool is(const struct v2_message *m, size_t i, const char *name)
{
    return memcmp(m->segments[i].name, name, 4) == 0;
}

/* The last segment that is one, or count. */
static size_t last_segment(const struct v2_message *m)
{
    size_t i = m->count;
    while (i > 0 && m->segments[i - 1].name[0] == '\0') {
        i--;
    }
    return i ? i - 1 : m->count;
}

struct str v2_continues(const struct v2_message *message)
{
    size_t last = last_segment(message);
    if (last == message->count || !is(message, last, "DSC")) {
        return (struct str){ 0 };
    }
    return v2_field(message, &message->segments[last], 1);
}

struct str v2_continuation_of(const struct v2_message *message)
{
    return v2_field(message, &message->segments[0], 14);
}

struct str v2_part_place(const struct v2_message *message)
{
    if (v2_continues(message).n) {
        return STR("DSC-1");
    }
    bool goes_on = message->count > 1 && is(message, 1, "ADD");
    return goes_on && v2_continuation_of(message).n ? STR("MSH-14") : (struct str){ 0 };
}

/* What an ADD adds: all behind its first separator. */
static struct str addition(const struct v2_segment *segment)
{
    return str_slice(segment->text, 4, segment->text.n);
}

/* Append segments [@from, @to) of @m, ADDs to what is before them; but never to the MSH. */
static void put_segments(struct buf *out, const struct v2_message *m, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (is(m, i, "ADD") && !(from == 0 && i == 1)) {
            buf_str_put(out, addition(&m->segments[i]));
            continue;
        }
        if (out->n) {
            buf_c(out, '\r');
        }
        buf_str_put(out, m->segments[i].text);
    }
}

int v2_join_fragments(struct arena *arena, const struct v2_message *first,
                      const struct v2_message *next, struct str *out)
{
    struct buf text = arena_buf(arena, first->text.n + next->text.n + 2);
    size_t end = last_segment(first);
    if (end < first->count && !is(first, end, "DSC")) {
        end = first->count;
    }
    put_segments(&text, first, 0, end);
    put_segments(&text, next, 1, next->count);
    buf_c(&text, '\r');
    if (buf_failed(&text)) {
        return -ENOMEM;
    }
    *out = buf_str(&text);
    return 0;
}

int v2_join_additions(struct arena *arena, const struct v2_message *message,
                      struct issues *issues, struct v2_message *out)
{
    size_t add = v2_find(message, "ADD", 0);
    if (add == 1) {
        issues_add(issues, ISSUE_ERROR, "structure", STR("ADD"),
                   "continues a segment of another message");
        add = v2_find(message, "ADD", 2);
    }
    if (add == message->count) {
        *out = *message;
        return 0;
    }
    struct buf text = arena_buf(arena, message->text.n + 1);
    put_segments(&text, message, 0, message->count);
    buf_c(&text, '\r');
    if (buf_failed(&text)) {
        return -ENOMEM;
    }
    struct issues again; /* what was tolerated is told already */
    issues_init(&again, arena);
    int r = v2_parse(arena, buf_str(&text), &again, out);
    return r > 0 ? -ENOMEM : r;
}
