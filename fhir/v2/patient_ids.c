/*
 * The patients of a message.
 *
 * Each PID opens a patient; an MRG after it is one that was merged into that, if the event
 * merges persons. Where it moves or merges accounts or visits, the MRG may name a patient, who
 * stays another one. What can't be used is reported by its place and counted, so that the
 * caller can refuse a message whose patient stays unknown.
 */
#include "fhir/v2/patient_ids.h"

#include "fhir/v2/address.h"
#include "fhir/v2/escape.h"

#include <errno.h>

/* What the walk over the segments carries along. */
struct reader {
    struct arena *arena;
    const struct v2_message *message;
    const struct v2_assigners *assigners;
    struct issues *issues;
};

static struct str find_authority(const struct v2_assigners *assigners, struct str authority)
{
    for (size_t i = 0; i < assigners->count; i++) {
        if (str_eq(assigners->list[i].authority, authority)) {
            return assigners->list[i].system;
        }
    }
    return (struct str){ 0 };
}

struct str v2_assigner_system(const struct v2_assigners *assigners,
                              const struct v2_delims *delims, struct str hd)
{
    /* The subcomponents of a component, or the components of a field. */
    char cut = memchr(hd.n ? hd.p : "", delims->component, hd.n) ? delims->component
                                                                 : delims->subcomponent;
    struct str name = v2_part(hd, cut, 1);
    struct str universal = v2_part(hd, cut, 2);
    if (!name.n && !universal.n) {
        return find_authority(assigners, STR(""));
    }
    struct str system = universal.n ? find_authority(assigners, universal) : (struct str){ 0 };
    if (!system.n && name.n) {
        system = find_authority(assigners, name);
    }
    return system;
}

static void complain(const struct reader *r, const struct v2_address *at, const char *text)
{
    char place[64];
    struct buf b = buf_fixed(place, sizeof(place));
    v2_address_write(&b, at);
    issues_add(r->issues, ISSUE_WARNING, "value", buf_str(&b), "%s", text);
}

/* An escape sequence without end leaves the text as it was sent. */
static int unescaped(const struct reader *r, struct str raw, struct str *out)
{
    int e = v2_unescape(r->arena, &r->message->delims, raw, out);
    if (e == V2_ESCAPE_E_OPEN) {
        *out = raw;
        e = 0;
    }
    return e;
}

static bool known_id(const struct v2_patient *patient, const struct v2_patient_id *id)
{
    for (size_t i = 0; i < patient->count; i++) {
        if (str_eq(patient->ids[i].system, id->system) &&
            str_eq(patient->ids[i].value, id->value)) {
            return true;
        }
    }
    return false;
}

static bool valued(struct str raw)
{
    return v2_presence(raw) == V2_PRESENT;
}

/* One CX into @patient's list. */
static int add_id(const struct reader *r, struct str cx, const struct v2_address *at,
                  struct v2_patient *patient)
{
    const struct v2_delims *delims = &r->message->delims;
    struct str number = v2_part(cx, delims->component, 1);
    if (!valued(number)) {
        return 0;
    }
    struct v2_patient_id id = {
        .system = v2_assigner_system(r->assigners, delims, v2_part(cx, delims->component, 4)),
        .type = v2_part(cx, delims->component, 5),
    };
    if (!id.system.n) {
        patient->unusable++;
        complain(r, at, "the assigning authority is not among the sender's assigners");
        return 0;
    }
    int e = unescaped(r, number, &id.value);
    if (e < 0 || known_id(patient, &id)) {
        return e;
    }
    if (patient->count == V2_PATIENT_IDS_MAX) {
        patient->unusable++;
        complain(r, at, "more identifiers than are looked at");
        return 0;
    }
    patient->ids[patient->count++] = id;
    return 0;
}

/* All repetitions of field @number of the patient's segment. */
static int add_field(const struct reader *r, uint32_t number, struct v2_patient *patient)
{
    const struct v2_segment *segment = &r->message->segments[patient->segment];
    struct v2_address at = { .field = number };
    memcpy(at.segment, segment->name, sizeof(at.segment));
    for (size_t i = 0; i <= patient->segment; i++) {
        at.occurrence += memcmp(r->message->segments[i].name, segment->name, 4) == 0;
    }

    struct str rest = v2_field(r->message, segment, number);
    while (rest.n) {
        at.repetition++;
        struct str cx = str_cut(&rest, r->message->delims.repetition);
        int e = add_id(r, cx, &at, patient);
        if (e < 0) {
            return e;
        }
    }
    return 0;
}

static int add_patient(const struct reader *r, size_t segment, bool merged,
                       struct v2_patient *patient)
{
    *patient = (struct v2_patient){ .segment = segment };
    patient->ids = arena_calloc(r->arena, V2_PATIENT_IDS_MAX, sizeof(*patient->ids));
    if (!patient->ids) {
        return -ENOMEM;
    }
    int e = add_field(r, merged ? 1 : 3, patient);
    if (e == 0 && patient->count == 0 && patient->unusable == 0) {
        e = add_field(r, merged ? 4 : 2, patient); /* as v2.1 and v2.2 had it */
    }
    return e;
}

static bool is(const struct v2_segment *segment, const char *name)
{
    return memcmp(segment->name, name, sizeof(segment->name)) == 0;
}

static size_t count_patients(const struct v2_message *message)
{
    size_t n = 0;
    for (size_t i = 0; i < message->count; i++) {
        n += is(&message->segments[i], "PID") || is(&message->segments[i], "MRG");
    }
    return n;
}

/* Whether the MRG of this message takes a patient out of use. */
static bool merges_patients(const struct v2_message *message)
{
    static const struct str events[] = { STR_INIT("A18"), STR_INIT("A30"), STR_INIT("A34"),
                                         STR_INIT("A36"), STR_INIT("A39"), STR_INIT("A40"),
                                         STR_INIT("A46"), STR_INIT("A47") };
    struct v2_header header;
    v2_header(message, &header);
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        if (str_eq(header.event, events[i])) {
            return true;
        }
    }
    return false;
}

int v2_patients(struct arena *arena, const struct v2_message *message,
                const struct v2_assigners *assigners, struct issues *issues,
                struct v2_patients *out)
{
    struct reader r = {
        .arena = arena, .message = message, .assigners = assigners, .issues = issues
    };
    size_t max = count_patients(message);
    if (max > V2_PATIENTS_MAX) {
        issues_add(issues, ISSUE_ERROR, "too-costly", STR("PID"), "more than %d patients",
                   V2_PATIENTS_MAX);
        return -E2BIG;
    }
    struct v2_patients found = { .list = arena_calloc(arena, max, sizeof(*found.list)) };
    if (!found.list) {
        return -ENOMEM;
    }

    int last = V2_PATIENT_NOT_MERGED;
    bool merges = merges_patients(message);
    for (size_t i = 0; i < message->count; i++) {
        const struct v2_segment *segment = &message->segments[i];
        struct v2_patient *patient = &found.list[found.count];
        bool pid = is(segment, "PID");
        if (!pid && !(is(segment, "MRG") && last != V2_PATIENT_NOT_MERGED)) {
            continue;
        }
        int e = add_patient(&r, i, !pid, patient);
        if (e < 0) {
            return e;
        }
        if (!pid && !merges && patient->count == 0 && patient->unusable == 0) {
            continue; /* it names an account or a visit alone */
        }
        patient->survivor = pid || !merges ? V2_PATIENT_NOT_MERGED : last;
        last = pid ? (int)found.count : last;
        found.count++;
    }
    *out = found;
    return 0;
}
