/*
 * Comparing fields with the dictionary.
 *
 * A value is looked at by its datatype: composite ones part by part, down to subcomponents;
 * of the simple ones those that have a form. Where the standard lets senders choose (lengths
 * are "suggested" since 2.7, most tables may be added to) there is a note, no error.
 */
#include "fhir/v2/validate.h"

#include "fhir/v2/address.h"
#include "fhir/v2/timestamp.h"

struct validator {
    const struct v2_message *message;
    enum v2_version version;
    struct issues *issues;
    size_t segment; /* index of the segment at hand */
};

/* A value and where it stands. @delims: what parts of it are cut at, outermost first, NUL. */
struct value {
    struct v2_address at;
    struct str text;
    const char *delims;
};

enum {
    PLACE_MAX = 64,
    SAY_MAX = 128, /* the longest name of a field has 60 characters */
};

/* Which of its name segment @v->segment is; 0 if it is the only one. */
static uint32_t occurrence(const struct validator *v)
{
    const struct v2_message *m = v->message;
    const char *name = m->segments[v->segment].name;
    uint32_t n = 1;
    for (size_t i = v2_find(m, name, 0); i < v->segment; i = v2_find(m, name, i + 1)) {
        n++;
    }
    return n > 1 || v2_find(m, name, v->segment + 1) < m->count ? n : 0;
}

static void PRINTF_LIKE(5, 6)
    say(struct validator *v, enum issue_severity severity, const char *code,
        const struct v2_address *at, const char *format, ...)
{
    char text[SAY_MAX];
    char place[PLACE_MAX];
    struct buf place_out = buf_fixed(place, sizeof(place));
    struct buf text_out = buf_fixed(text, sizeof(text));
    struct v2_address whole = *at;
    if (v->issues->count < ISSUES_MAX) { /* further ones are only counted */
        whole.occurrence = occurrence(v);
    }
    memcpy(whole.segment, v->message->segments[v->segment].name, sizeof(whole.segment));
    v2_address_write(&place_out, &whole);
    va_list args;
    va_start(args, format);
    buf_vfmt(&text_out, format, args);
    va_end(args);
    issues_add(v->issues, severity, code, buf_str(&place_out), "%.*s", (int)text_out.n, text);
}

/* --- forms -------------------------------------------------------------------------------- */

static size_t digits(struct str text, size_t from)
{
    size_t n = from;
    while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9') {
        n++;
    }
    return n - from;
}

static bool is_whole(struct str text)
{
    return text.n && digits(text, 0) == text.n;
}

/* NM: a sign, digits, a point. */
static bool is_number(struct str text)
{
    size_t at = text.n && (text.p[0] == '+' || text.p[0] == '-') ? 1 : 0;
    size_t whole = digits(text, at);
    at += whole;
    size_t part = 0;
    if (at < text.n && text.p[at] == '.') {
        part = digits(text, at + 1);
        at += 1 + part;
    }
    return at == text.n && whole + part > 0;
}

static bool is_date(struct str text)
{
    struct v2_timestamp time;
    return text.n <= 8 && v2_timestamp_read(text, &time) == 0;
}

static bool is_time(struct str text)
{
    struct v2_timestamp time;
    return v2_time_read(text, &time) == 0;
}

static bool is_timestamp(struct str text)
{
    struct v2_timestamp time;
    return v2_timestamp_read(text, &time) == 0;
}

/* Datatypes that have a form. */
static const struct {
    const char *type;
    bool (*is)(struct str text);
    const char *what;
} forms[] = {
    { "DT", is_date, "a date" },        { "DTM", is_timestamp, "a point in time" },
    { "NM", is_number, "a number" },    { "SI", is_whole, "a whole number" },
    { "TM", is_time, "a time of day" },
};

static void check_form(struct validator *v, const struct value *value, const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (strcmp(type, forms[i].type) == 0 && !forms[i].is(value->text)) {
            say(v, ISSUE_ERROR, "value", &value->at, "not %s (%s)", forms[i].what, type);
        }
    }
}

/* --- values ------------------------------------------------------------------------------- */

static size_t characters(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    }
    return n;
}

static bool escaped(const struct validator *v, struct str text)
{
    char escape = v->message->delims.escape;
    return escape && memchr(text.p, escape, text.n);
}

/* Where a code of a table stands in such a type; false: it holds none as a whole. */
static bool coded(const char *type, bool *in_first_part)
{
    static const struct {
        const char *type;
        bool first;
    } types[] = { { "ID", false }, { "IS", false }, { "CE", true },
                  { "CF", true },  { "CNE", true }, { "CWE", true } };
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(type, types[i].type) == 0) {
            *in_first_part = types[i].first;
            return true;
        }
    }
    return false;
}

static void check_code(struct validator *v, const struct value *value,
                       const struct v2_item *item)
{
    bool first;
    struct str code = value->text;
    if (!item->table || !coded(item->type, &first)) {
        return;
    }
    if (first) {
        code = v2_part(code, value->delims[0], 1);
    }
    if (v2_presence(code) == V2_PRESENT && !escaped(v, code) &&
        v2_table_code(item->table, code, NULL) == V2_CODE_UNKNOWN) {
        say(v, ISSUE_INFORMATION, "code-invalid", &value->at, "not in table %u, %s",
            item->table, v2_table_name(item->table));
    }
}

static struct v2_address part_of(const struct v2_address *at, uint32_t number)
{
    struct v2_address part = *at;
    *(part.component ? &part.subcomponent : &part.component) = number;
    return part;
}

static void check_value(struct validator *v, const struct value *value,
                        const struct v2_item *item);

static void check_parts(struct validator *v, const struct value *value,
                        const struct v2_definition *type)
{
    char cut = value->delims[0];
    uint32_t n = v2_parts(value->text, cut);
    for (uint32_t i = 1; i <= n || i <= type->count; i++) {
        struct v2_item item;
        struct value part = { .at = part_of(&value->at, i),
                              .text = v2_part(value->text, cut, i),
                              .delims = value->delims + (cut != '\0') };
        bool valued = v2_presence(part.text) == V2_PRESENT;
        if (!v2_item(type, i, &item)) {
            if (valued) {
                say(v, ISSUE_WARNING, "structure", &part.at, "%s has %u components in %s",
                    type->name, type->count, v2_version_name(v->version));
                return;
            }
        } else if (valued) {
            check_value(v, &part, &item);
        } else if (item.use == V2_REQUIRED && v2_presence(part.text) != V2_DELETE) {
            say(v, ISSUE_WARNING, "required", &part.at, "%s requires it", type->name);
        }
    }
}

/* What decides of a value whose type another field tells. */
static struct str told_type(const struct validator *v, const struct v2_address *at)
{
    const struct v2_segment *segment = &v->message->segments[v->segment];
    bool result = memcmp(segment->name, "OBX", 4) == 0 && at->field == 5;
    return result ? v2_field(v->message, segment, 2) : STR("");
}

static void check_value(struct validator *v, const struct value *value,
                        const struct v2_item *item)
{
    struct v2_definition type;
    struct str name = str_z(item->type);
    if (item->length && characters(value->text) > item->length && !escaped(v, value->text)) {
        say(v, ISSUE_INFORMATION, "too-long", &value->at, "longer than %u characters",
            item->length);
    }
    check_code(v, value, item);
    if (str_eq(name, STR("VARIES"))) {
        name = told_type(v, &value->at);
    }
    if (value->delims[0] && v2_type_definition(v->version, name, &type) && type.count) {
        check_parts(v, value, &type);
    } else {
        char text[4] = "";
        memcpy(text, name.p, name.n < sizeof(text) ? name.n : 0);
        check_form(v, value, text);
    }
}

/* --- fields ------------------------------------------------------------------------------- */

static void check_field(struct validator *v, uint32_t number, const struct v2_item *item)
{
    const struct v2_delims *d = &v->message->delims;
    const char delims[] = { d->component, d->subcomponent, '\0' };
    struct v2_address at = { .field = number };
    struct str field = v2_field(v->message, &v->message->segments[v->segment], number);
    switch (v2_presence(field)) {
    case V2_ABSENT:
    case V2_EMPTY:
        if (item->use == V2_REQUIRED) {
            say(v, ISSUE_ERROR, "required", &at, "%s is required", item->name);
        }
        return;
    case V2_DELETE: return;
    case V2_PRESENT: break;
    }

    if (item->use == V2_WITHDRAWN) {
        say(v, ISSUE_INFORMATION, "informational", &at, "withdrawn in %s",
            v2_version_name(v->version));
        return;
    }
    uint32_t n = v2_parts(field, d->repetition);
    if (item->repeat && n > item->repeat) {
        say(v, ISSUE_ERROR, "structure", &at, "%u repetitions; %u allowed", n, item->repeat);
    }
    for (uint32_t i = 1; i <= n; i++) {
        struct value value = { .at = at,
                               .text = v2_part(field, d->repetition, i),
                               .delims = delims };
        value.at.repetition = n > 1 ? i : 0;
        if (v2_presence(value.text) == V2_PRESENT) {
            check_value(v, &value, item);
        }
    }
}

static void check_segment(struct validator *v)
{
    const struct v2_segment *segment = &v->message->segments[v->segment];
    struct v2_definition definition;
    if (!v2_segment_definition(v->version, str_z(segment->name), &definition)) {
        return;
    }
    bool header = v2_field_last(segment) != segment->fields; /* fields 1 and 2 are delimiters */
    for (uint32_t i = header ? 3 : 1; i <= definition.count; i++) {
        struct v2_item item;
        if (v2_item(&definition, i, &item)) {
            check_field(v, i, &item);
        }
    }
    for (uint32_t i = definition.count + 1; i <= v2_field_last(segment); i++) {
        struct v2_address at = { .field = i };
        if (v2_presence(v2_field(v->message, segment, i)) == V2_PRESENT) {
            say(v, ISSUE_WARNING, "structure", &at, "%s has %u fields in %s", definition.name,
                definition.count, v2_version_name(v->version));
            return;
        }
    }
}

void v2_validate(const struct v2_message *message, enum v2_version version,
                 struct issues *issues)
{
    struct validator v = { .message = message, .version = version, .issues = issues };
    for (; v.segment < message->count; v.segment++) {
        check_segment(&v);
    }
}
