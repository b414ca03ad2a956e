/*
 * Looking for what isn't there: the dictionary knows what a message must have, the maps which
 * of it resources are made of.
 */
#include "fhir/translate/lack.h"

#include "crypto/base/buf.h"
#include "fhir/v2/group.h"
#include "fhir/v2/validate.h"

#include <errno.h>

enum {
    FEW = 8,   /* fields; a patient with an identifier, a name and a visit has more */
    NAMED = 4, /* of what is missing */
    TEXT_MAX = 200,
};

bool translate_suspect(const struct rules *rules, const struct v2_message *message)
{
    size_t held = 0;
    for (size_t i = 1; i < message->count; i++) {
        const struct v2_segment *segment = &message->segments[i];
        if (rules_segment(rules, segment->name) < 0) {
            continue;
        }
        for (uint32_t f = 1; f <= segment->fields; f++) {
            held += v2_field(message, segment, f).n > 0;
            if (held > FEW) {
                return false;
            }
        }
    }
    return true;
}

/* Whether resources other than those about the message itself are made of segment @name. */
static bool makes_something(const struct rules *rules, struct str name)
{
    int16_t id = name.n >= 3 ? rules_segment(rules, name.p) : -1;
    const struct rule_segment *segment = id < 0 ? NULL : &rules->segments[id];
    for (uint16_t m = 0; segment && m < segment->map_count; m++) {
        if (rules->resources[segment->maps[m].resource].kind != KIND_SOURCE) {
            return true;
        }
    }
    return false;
}

/* What is required and missing: whole segments first, as they are looked for first. */
static int look(struct arena *arena, const struct v2_message *message, struct issues *issues)
{
    struct v2_groups groups;
    issues_init(issues, arena);
    int r = v2_group_segments(arena, message, issues, &groups);
    if (r == 0) {
        v2_validate(message, groups.structure.version, issues);
    }
    return r;
}

int translate_lack(struct arena *arena, const struct rules *rules,
                   const struct v2_message *message, struct translate_lack *out)
{
    struct issues issues;
    struct buf text = arena_buf(arena, TEXT_MAX);
    struct translate_lack lack = { .place = STR("MSH-9") };
    size_t named = 0;
    if (look(arena, message, &issues) < 0) {
        return -ENOMEM;
    }
    buf_z(&text, "nothing in it becomes a resource; required and missing: ");
    for (const struct issue *i = issues.first; i && named < NAMED; i = i->next) {
        bool missing = i->severity == ISSUE_ERROR && strcmp(i->code, "required") == 0;
        if (!missing || !makes_something(rules, i->place)) {
            continue;
        }
        if (named == 0) {
            lack.segment = !memchr(i->place.p, '-', i->place.n);
            lack.place = i->place;
        }
        buf_z(&text, named++ ? ", " : "");
        buf_str_put(&text, i->place);
    }
    lack.text = buf_str(&text);
    if (named == 0) {
        lack.text = STR("nothing in it becomes a resource: no segment that holds something is "
                        "read for this type");
    }
    if (buf_failed(&text)) {
        return -ENOMEM;
    }
    *out = lack;
    return 0;
}
