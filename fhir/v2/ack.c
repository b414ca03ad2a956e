/*
 * Writing acknowledgements.
 *
 * What is taken over from the message (sender, receiver, control id) is copied as it stands,
 * since the delimiters are the same; only text of our own is escaped. Up to v2.4 ERR has one
 * field that holds everything; from v2.5 on it has one for each.
 */
#include "fhir/v2/ack.h"

#include "fhir/v2/address.h"
#include "fhir/v2/escape.h"

const char *v2_ack_code_name(enum v2_ack_code code)
{
    switch (code) {
    case V2_ACK_ACCEPT: return "AA";
    case V2_ACK_ERROR: return "AE";
    case V2_ACK_REJECT: return "AR";
    }
    return "AE";
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

/* Writing in the delimiters of the message. */
struct writer {
    struct buf *out;
    const struct v2_delims *delims;
};

static void field(const struct writer *w, struct str raw)
{
    buf_c(w->out, w->delims->field);
    buf_str_put(w->out, raw);
}

static void own_field(const struct writer *w, struct str text)
{
    buf_c(w->out, w->delims->field);
    v2_escape(w->out, w->delims, text);
}

static void encoding(const struct writer *w)
{
    const struct v2_delims *d = w->delims;
    const char list[] = { d->component, d->repetition, d->escape, d->subcomponent,
                          d->truncation };
    buf_c(w->out, d->field);
    for (size_t i = 0; i < sizeof(list) && list[i]; i++) {
        buf_c(w->out, list[i]);
    }
}

static void msh(const struct writer *w, const struct v2_header *about, const struct v2_ack *ack)
{
    buf_z(w->out, "MSH");
    encoding(w);
    field(w, about->receiving_application);
    field(w, about->receiving_facility);
    field(w, about->sending_application);
    field(w, about->sending_facility);
    own_field(w, ack->time);
    own_field(w, STR("")); /* security */
    own_field(w, STR("ACK"));
    if (about->event.n) {
        buf_c(w->out, w->delims->component);
        buf_str_put(w->out, about->event);
        buf_c(w->out, w->delims->component);
        buf_z(w->out, "ACK");
    }
    own_field(w, ack->control_id);
    field(w, about->processing.n ? about->processing : STR("P"));
    field(w, about->version.n ? about->version : STR("2.5.1"));
    if (about->charset.n) {
        for (int i = 13; i < 18; i++) {
            field(w, STR(""));
        }
        field(w, about->charset);
    }
    buf_c(w->out, '\r');
}

static void number(const struct writer *w, uint64_t value)
{
    buf_c(w->out, w->delims->component);
    if (value) {
        buf_u64(w->out, value);
    }
}

/* Segment, its number, field, repetition, component and subcomponent: data type ERL. */
static void location(const struct writer *w, struct str place)
{
    struct v2_address at;
    buf_c(w->out, w->delims->field);
    if (v2_address_parse(place, &at) != 0) {
        return;
    }
    buf_z(w->out, at.segment);
    number(w, at.occurrence ? at.occurrence : 1);
    number(w, at.field);
    number(w, at.repetition ? at.repetition : 1);
    if (at.component) {
        number(w, at.component);
        number(w, at.subcomponent);
    }
}

static void coded(const struct writer *w, enum v2_ack_condition condition, char between)
{
    buf_u64(w->out, (uint64_t)condition);
    buf_c(w->out, between);
    buf_z(w->out, condition_text(condition));
    buf_c(w->out, between);
    buf_z(w->out, "HL70357");
}

/* Data type ELD: segment, sequence, field, and the condition as subcomponents. */
static void err_old(const struct writer *w, const struct v2_ack *ack)
{
    struct v2_address at = { 0 };
    bool known = v2_address_parse(ack->place, &at) == 0;
    buf_z(w->out, "ERR");
    own_field(w, known ? str_z(at.segment) : STR(""));
    number(w, known ? (at.occurrence ? at.occurrence : 1) : 0);
    number(w, at.field);
    buf_c(w->out, w->delims->component);
    coded(w, ack->condition, w->delims->subcomponent ? w->delims->subcomponent : ' ');
    buf_c(w->out, '\r');
}

static void err_new(const struct writer *w, const struct v2_ack *ack)
{
    buf_z(w->out, "ERR");
    own_field(w, STR(""));
    location(w, ack->place);
    buf_c(w->out, w->delims->field);
    coded(w, ack->condition, w->delims->component);
    own_field(w, STR("E"));
    own_field(w, STR(""));
    own_field(w, STR(""));
    own_field(w, STR(""));
    own_field(w, ack->text);
    buf_c(w->out, '\r');
}

static bool before_2_5(struct str version)
{
    return version.n >= 3 && str_starts(version, STR("2.")) && version.p[2] < '5';
}

void v2_ack_write(struct buf *out, const struct v2_message *about, const struct v2_ack *ack)
{
    struct v2_header header = { 0 };
    struct writer w = { .out = out, .delims = &V2_DELIMS_USUAL };
    if (about) {
        v2_header(about, &header);
        w.delims = &about->delims;
    }

    msh(&w, &header, ack);
    buf_z(out, "MSA");
    own_field(&w, str_z(v2_ack_code_name(ack->code)));
    field(&w, header.control_id);
    if (before_2_5(header.version) && ack->text.n) {
        own_field(&w, ack->text);
    }
    buf_c(out, '\r');
    if (ack->code == V2_ACK_ACCEPT) {
        return;
    }
    if (before_2_5(header.version)) {
        err_old(&w, ack);
    } else {
        err_new(&w, ack);
    }
}
