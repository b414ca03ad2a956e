/* Names of assigning authorities and of coding systems to the systems they stand for. */
#include "fhir/translate/leaf.h"

#include "crypto/base/hex.h"
#include "fhir/v2/address.h"

#include <errno.h>

/* Whether @s is an object identifier: numbers, the first up to 2, with a full stop between. */
static bool dotted(struct str s)
{
    bool stop = true;
    for (size_t i = 0; i < s.n; i++) {
        bool digit = s.p[i] >= '0' && s.p[i] <= '9';
        if (!digit && (s.p[i] != '.' || stop)) {
            return false;
        }
        stop = !digit;
    }
    return !stop && s.n > 2 && s.p[0] <= '2' && s.p[1] == '.';
}

/* Whether @s is a UUID: hexadecimal digits with hyphens in four places. */
static bool is_uuid(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen ? s.p[i] != '-' : hex_digit(s.p[i]) < 0) {
            return false;
        }
    }
    return s.n == RESOURCE_UUID_SIZE;
}

static enum leaf_result joined(struct engine *e, struct element *out, const char *lead,
                               struct str rest)
{
    struct buf b = arena_buf(e->arena, rest.n + 64);
    buf_z(&b, lead);
    buf_str_put(&b, rest);
    e->error = buf_failed(&b) ? -ENOMEM : e->error;
    out->text = buf_str(&b);
    return LEAF_FITS;
}

/*
 * The system for an assigning authority: what the operator wrote down, else what a universal
 * id says by itself. A namespace that nobody wrote down says nothing.
 */
enum leaf_result leaf_assigner(struct engine *e, struct element *out, struct str raw)
{
    const struct v2_delims *delims = &e->message->delims;
    struct str system = v2_assigner_system(&e->site->assigners, delims, raw);
    if (system.n) {
        out->trusted = true;
        out->text = system;
        return LEAF_FITS;
    }
    char cut = raw.n && memchr(raw.p, delims->component, raw.n) ? delims->component
                                                                : delims->subcomponent;
    struct str id = v2_part(raw, cut, 2);
    struct str kind = v2_part(raw, cut, 3);
    if (dotted(id) && (!kind.n || str_eq(kind, STR("ISO")))) {
        return joined(e, out, "urn:oid:", id);
    }
    bool guid = str_eq(kind, STR("GUID")); /* another name for the same */
    if (is_uuid(id) && (guid || str_eq(kind, STR("UUID")))) {
        out->original = guid ? kind : STR("");
        return joined(e, out, "urn:uuid:", id);
    }
    bool uri = str_eq(kind, STR("URI")) && leaf_uri(out, source_text(e, id)) == LEAF_FITS;
    return uri ? LEAF_FITS : LEAF_NOTHING;
}

/*
 * The system for the name of a coding system, table 0396. A name that nobody knows has none:
 * it stands where the system would be as what was sent.
 */
enum leaf_result leaf_codesystem(struct engine *e, struct element *out, struct str text)
{
    text = leaf_trimmed(text);
    const struct rule_code *known = leaf_lookup(e->rules->coding_systems, text);
    if (known) {
        out->text = known->code;
        out->plain = e->rules->coding_systems->plain;
        out->original = known->lossy ? text : STR("");
        return known->code.n ? LEAF_FITS : LEAF_NOTHING;
    }
    if (str_starts(text, STR("HL7")) && text.n == 7 &&
        leaf_digits(str_slice(text, 3, text.n)) == 4) {
        return joined(e, out, "http://terminology.hl7.org/CodeSystem/v2-",
                      str_slice(text, 3, text.n));
    }
    if (dotted(text)) {
        return joined(e, out, "urn:oid:", text);
    }
    if (str_starts(text, STR("http://")) || str_starts(text, STR("https://")) ||
        str_starts(text, STR("urn:"))) {
        return leaf_uri(out, text);
    }
    const struct v2_assigners *assigners = &e->site->assigners;
    for (size_t i = 0; text.n && i < assigners->count; i++) {
        if (str_eq(assigners->list[i].authority, text)) {
            out->text = assigners->list[i].system;
            return LEAF_FITS;
        }
    }
    if (!text.n) {
        return LEAF_NOTHING;
    }
    e->systemless++; /* often the same one in each result: told once */
    out->original = text;
    return LEAF_FITS;
}
