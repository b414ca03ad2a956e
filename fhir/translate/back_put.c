/*
 * Putting texts into the message, as far as the receiver's version has a place for them. What
 * it has no place for is left out and told, each place once.
 */
#include "fhir/translate/back.h"

#include <errno.h>
#include <stdio.h>

static void tell(struct back *b, uint8_t field, uint8_t component, const char *what)
{
    for (size_t i = 0; i < b->told_count; i++) {
        const struct back_told *t = &b->told[i];
        if (t->segment == b->segment_id && t->field == field && t->component == component) {
            return;
        }
    }
    if (b->told_count == BACK_TOLD_MAX) {
        return;
    }
    b->told[b->told_count++] = (struct back_told){ b->segment_id, field, component };
    char place[32];
    const char *name = b->rules->segments[b->segment_id].name;
    int n = field == 0 ? snprintf(place, sizeof(place), "%s", name)
            : component == 0
                ? snprintf(place, sizeof(place), "%s-%u", name, field)
                : snprintf(place, sizeof(place), "%s-%u.%u", name, field, component);
    issues_add(b->issues, ISSUE_INFORMATION, "not-supported", str_of(place, (size_t)n),
               "version %s has no such %s: left out", v2_version_name(b->to->version), what);
}

bool back_begin(struct back *b, uint16_t segment)
{
    const char *name = b->rules->segments[segment].name;
    b->segment_id = (int16_t)segment;
    b->defined = v2_segment_definition(b->to->version, str_of(name, 3), &b->definition);
    struct v2_definition any;
    bool standard = b->defined;
    for (int v = 0; v < V2_VERSIONS && !standard; v++) {
        standard = v2_segment_definition((enum v2_version)v, str_of(name, 3), &any);
    }
    if (standard && !b->defined && !b->to->beyond) {
        tell(b, 0, 0, "segment");
        return false;
    }
    if (++b->segments > TO_V2_SEGMENTS_MAX) {
        b->error = TO_V2_E_SIZE;
        return false;
    }
    v2_write_segment(&b->writer, name);
    return true;
}

/* Whether what @type is, in the receiver's version, has a part @number; its type then. */
static bool has_part(const struct back *b, const char *type, uint32_t number, const char **out)
{
    struct v2_definition definition;
    struct v2_item item;
    if (strcmp(type, "VARIES") == 0 || strcmp(type, "CM") == 0) {
        *out = type;
        return true;
    }
    if (strcmp(type, "CE") == 0 && b->to->version >= V2_2_5) {
        type = "CWE"; /* which takes its place, and is what is sent there */
    }
    if (!v2_type_definition(b->to->version, str_z(type), &definition)) {
        *out = type;
        return number <= 1; /* has no parts */
    }
    if (!v2_item(&definition, number, &item)) {
        return false;
    }
    *out = item.type;
    return true;
}

/* Whether the version has a place for @spot; what type of text stands there. */
static bool fits(struct back *b, const struct back_spot *spot, const char **type)
{
    struct v2_item item;
    *type = "VARIES";
    if (!b->defined || b->to->beyond) {
        return true; /* a segment of their own, or of which they take all */
    }
    if (!v2_item(&b->definition, spot->field, &item)) {
        tell(b, spot->field, 0, "field");
        return false;
    }
    if (item.use == V2_WITHDRAWN) {
        return true; /* those who still have it have it as it was */
    }
    const char *component;
    if (!has_part(b, item.type, spot->component, &component) ||
        !has_part(b, component, spot->subcomponent, type)) {
        tell(b, spot->field, (uint8_t)spot->component, "part of this field");
        return false;
    }
    return true;
}

/* A text of two double quotes would say "delete": its first one as an escape sequence. */
static void put_quotes(struct back *b, struct v2_address at)
{
    const char raw[] = { b->writer.delims.escape, 'X', '2', '2', b->writer.delims.escape, '"' };
    v2_write_raw(&b->writer, at, str_of(raw, sizeof(raw)));
}

void back_put(struct back *b, const struct back_spot *spot, struct str text)
{
    struct back_spot whole = *spot;
    whole.component = spot->component ? spot->component : 1 + spot->offset;
    whole.subcomponent = spot->subcomponent ? spot->subcomponent
                         : spot->component  ? 1 + spot->offset
                                            : 1;
    const char *type;
    if (!text.n || !fits(b, &whole, &type)) {
        return;
    }
    if (strcmp(type, "DT") == 0 && text.n > 8) {
        text = str_slice(text, 0, 8); /* a date has no hours */
    }
    const struct v2_address at = { .field = whole.field,
                                   .repetition = whole.repetition,
                                   .component = whole.component,
                                   .subcomponent = whole.subcomponent };
    if (str_eq(text, STR("\"\""))) {
        put_quotes(b, at);
        return;
    }
    v2_write(&b->writer, at, text);
}

bool back_spot_at(const struct back *b, const struct back_spot *spot,
                  const struct rule_address *at, struct back_spot *out)
{
    (void)b;
    *out = *spot;
    out->offset = 0;
    if (at->segment != RULE_VALUE) {
        out->field = at->field;
        out->repetition = at->repetition ? at->repetition : 1;
        out->component = 0;
        out->subcomponent = 0;
    }
    uint32_t offset = at->segment == RULE_VALUE ? spot->offset : 0;
    if (at->component == 0) {
        out->offset = offset;
        return true;
    }
    uint32_t number = at->component + offset;
    if (out->subcomponent) {
        return false; /* goes too deep */
    }
    if (at->onwards) {
        out->offset = number - 1;
        return true;
    }
    if (out->component) {
        out->subcomponent = number;
        return at->subcomponent == 0;
    }
    out->component = number;
    out->subcomponent = at->subcomponent;
    return true;
}

bool back_written(const struct back *b, const struct back_spot *spot)
{
    uint32_t first = spot->offset ? spot->offset + 1 : 0;
    const struct v2_address at = { .field = spot->field,
                                   .repetition = spot->repetition,
                                   .component = spot->component ? spot->component : first,
                                   .subcomponent = spot->component && !spot->subcomponent
                                                       ? first
                                                       : spot->subcomponent };
    return v2_write_has(&b->writer, at);
}
