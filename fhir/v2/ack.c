/*
 * Writing acknowledgements.
 *
 * What is taken over from the message (sender, receiver, control id) is copied as it stands,
 * since the delimiters are the same; only text of our own is escaped. Up to v2.4 ERR has one
 * field that holds everything; from v2.5 on it has one for each.
 */
#include "fhir/v2/ack.h"

#include "fhir/v2/charset.h"
#include "fhir/v2/dictionary.h"
#include "fhir/v2/write.h"

#define NUMBER_TEXT 12

const char *v2_ack_code_name(enum v2_ack_mode mode, enum v2_ack_code code)
{
    static const char *const names[][2] = {
        [V2_ACK_ACCEPT] = { "AA", "CA" },
        [V2_ACK_ERROR] = { "AE", "CE" },
        [V2_ACK_REJECT] = { "AR", "CR" },
    };
    return names[code][mode == V2_ACK_COMMIT];
}

static const char *condition_text(enum v2_ack_condition condition)
{
    switch (condition) {
    case V2_ACK_SEQUENCE: return "Segment sequence error";
    case V2_ACK_REQUIRED: return "Required field missing";
    case V2_ACK_DATA_TYPE: return "Data type error";
    case V2_ACK_TABLE_VALUE: return "Table value not found";
    case V2_ACK_UNSUPPORTED_TYPE: return "Unsupported message type";
    case V2_ACK_UNSUPPORTED_EVENT: return "Unsupported event code";
    case V2_ACK_UNSUPPORTED_PROCESSING: return "Unsupported processing id";
    case V2_ACK_UNSUPPORTED_VERSION: return "Unsupported version id";
    case V2_ACK_UNKNOWN_KEY: return "Unknown key identifier";
    case V2_ACK_INTERNAL: return "Application internal error";
    }
    return "Application internal error";
}

enum v2_ack_condition v2_ack_condition_of(const char *issue_code)
{
    static const struct {
        const char *code;
        enum v2_ack_condition condition;
    } conditions[] = {
        { "structure", V2_ACK_SEQUENCE },
        { "required", V2_ACK_REQUIRED },
        { "value", V2_ACK_DATA_TYPE },
        { "code-invalid", V2_ACK_TABLE_VALUE },
        { "not-supported", V2_ACK_UNSUPPORTED_TYPE },
    };
    for (size_t i = 0; i < ARRAY_LEN(conditions); i++) {
        if (strcmp(issue_code, conditions[i].code) == 0) {
            return conditions[i].condition;
        }
    }
    return V2_ACK_INTERNAL;
}

/* --- what the sender wants ---------------------------------------------------------------- */

static enum v2_ack_when read_when(struct str field)
{
    return field.n == 0               ? V2_ACK_NEVER
           : str_eq(field, STR("NE")) ? V2_ACK_NEVER
           : str_eq(field, STR("ER")) ? V2_ACK_ON_ERROR
           : str_eq(field, STR("SU")) ? V2_ACK_ON_SUCCESS
                                      : V2_ACK_ALWAYS;
}

void v2_ack_wish(const struct v2_message *message, struct v2_ack_wish *out)
{
    const struct v2_segment *msh = &message->segments[0];
    struct str commit = v2_field(message, msh, 15);
    struct str application = v2_field(message, msh, 16);
    *out = (struct v2_ack_wish){
        .enhanced = commit.n || application.n,
        .commit = read_when(commit),
        .application = read_when(application),
    };
}

bool v2_ack_wanted(enum v2_ack_when when, enum v2_ack_code code)
{
    switch (when) {
    case V2_ACK_ALWAYS: return true;
    case V2_ACK_NEVER: return false;
    case V2_ACK_ON_ERROR: return code != V2_ACK_ACCEPT;
    case V2_ACK_ON_SUCCESS: return code == V2_ACK_ACCEPT;
    }
    return true;
}

/* --- segments ----------------------------------------------------------------------------- */

static void own(struct v2_writer *w, uint32_t field, uint32_t component, const char *text)
{
    v2_write(w, (struct v2_address){ .field = field, .component = component }, str_z(text));
}

static void raw(struct v2_writer *w, uint32_t field, struct str text)
{
    v2_write_raw(w, (struct v2_address){ .field = field }, text);
}

static void number(struct v2_writer *w, struct v2_address at, uint64_t value)
{
    char text[NUMBER_TEXT];
    struct buf out = buf_fixed(text, sizeof(text));
    if (value) {
        buf_u64(&out, value);
    }
    v2_write(w, at, buf_str(&out));
}

/* "ACK" since 2.1, with the event since 2.2, with its structure since 2.3.1. */
static void type(struct v2_writer *w, const struct v2_header *about, enum v2_version version)
{
    own(w, 9, 1, "ACK");
    if (about->event.n && version >= V2_2_2) {
        v2_write_raw(w, (struct v2_address){ .field = 9, .component = 2 }, about->event);
    }
    if (about->event.n && version >= V2_2_3_1) {
        own(w, 9, 3, "ACK");
    }
}

/* All repetitions, for what is copied may be in any of them. */
static void charsets(struct v2_writer *w, const struct v2_message *about)
{
    struct v2_charsets sets;
    struct str said = v2_field(about, &about->segments[0], 18);
    v2_charsets_read(said, about->delims.repetition, &sets);
    bool wide = sets.first == V2_CHARSET_UTF16 || sets.first == V2_CHARSET_UTF32;
    raw(w, 18, wide ? STR("UNICODE UTF-8") : said);
}

static void msh(struct v2_writer *w, const struct v2_header *about, const struct v2_ack *ack,
                enum v2_version version)
{
    v2_write_segment(w, "MSH");
    raw(w, 3, about->receiving_application);
    raw(w, 4, about->receiving_facility);
    raw(w, 5, about->sending_application);
    raw(w, 6, about->sending_facility);
    v2_write(w, (struct v2_address){ .field = 7 }, ack->time);
    type(w, about, version);
    v2_write(w, (struct v2_address){ .field = 10 }, ack->control_id);
    raw(w, 11, about->processing.n ? about->processing : STR("P"));
    raw(w, 12, about->version.n ? about->version : STR("2.5.1"));
    if (ack->mode == V2_ACK_APPLICATION) {
        own(w, 15, 1, "NE");
        own(w, 16, 1, "NE");
    }
}

/* A place with its numbers; a segment alone has no field. */
static bool read_place(struct str place, struct v2_address *out)
{
    if (v2_address_parse(place, out) == 0) {
        return true;
    }
    char text[32];
    struct buf whole = buf_fixed(text, sizeof(text));
    buf_str_put(&whole, place);
    buf_z(&whole, "-1");
    bool good = v2_address_parse(buf_str(&whole), out) == 0;
    out->field = 0;
    return good;
}

/* Segment, its number, field, repetition, component and subcomponent: data type ERL. */
static void location(struct v2_writer *w, struct str place)
{
    struct v2_address at = { .field = 0 };
    if (!read_place(place, &at)) {
        return;
    }
    const uint32_t numbers[] = { at.occurrence ? at.occurrence : 1, at.field,
                                 at.field && !at.repetition ? 1 : at.repetition, at.component,
                                 at.subcomponent };
    own(w, 2, 1, at.segment);
    for (uint32_t i = 0; i < ARRAY_LEN(numbers); i++) {
        number(w, (struct v2_address){ .field = 2, .component = i + 2 }, numbers[i]);
    }
}

/* Data type ELD: segment, sequence, field, and the condition as subcomponents. */
static void err_old(struct v2_writer *w, const struct v2_ack *ack)
{
    struct v2_address at = { .field = 0 };
    v2_write_segment(w, "ERR");
    if (read_place(ack->place, &at)) {
        own(w, 1, 1, at.segment);
        number(w, (struct v2_address){ .field = 1, .component = 2 },
               at.occurrence ? at.occurrence : 1);
        number(w, (struct v2_address){ .field = 1, .component = 3 }, at.field);
    }
    struct v2_address code = { .field = 1, .component = 4 };
    number(w, code, (uint64_t)ack->condition);
    code.subcomponent = 2;
    v2_write(w, code, str_z(condition_text(ack->condition)));
    code.subcomponent = 3;
    v2_write(w, code, STR("HL70357"));
}

static void err_new(struct v2_writer *w, const struct v2_ack *ack)
{
    v2_write_segment(w, "ERR");
    location(w, ack->place);
    number(w, (struct v2_address){ .field = 3 }, (uint64_t)ack->condition);
    own(w, 3, 2, condition_text(ack->condition));
    own(w, 3, 3, "HL70357");
    own(w, 4, 1, "E");
    v2_write(w, (struct v2_address){ .field = 8 }, ack->text);
}

int v2_ack_write(struct arena *arena, const struct v2_message *about, const struct v2_ack *ack,
                 struct buf *out)
{
    struct v2_header header = { .version = { 0 } };
    enum v2_version version;
    if (about) {
        v2_header(about, &header);
    }
    (void)v2_version_find(header.version, &version);
    struct v2_writer w = v2_writer(arena, about ? &about->delims : &V2_DELIMS_USUAL);

    msh(&w, &header, ack, version);
    if (about && about->segments[0].name[0] == 'M') {
        charsets(&w, about);
    }
    v2_write_segment(&w, "MSA");
    own(&w, 1, 1, v2_ack_code_name(ack->mode, ack->code));
    raw(&w, 2, header.control_id);
    if (version < V2_2_5) {
        v2_write(&w, (struct v2_address){ .field = 3 }, ack->text);
    }
    if (ack->code != V2_ACK_ACCEPT && version < V2_2_5) {
        err_old(&w, ack);
    } else if (ack->code != V2_ACK_ACCEPT) {
        err_new(&w, ack);
    }
    return v2_write_end(&w, out);
}
