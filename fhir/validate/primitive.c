/*
 * Values of primitive types.
 *
 * R4 gives a regular expression for each; they are few and simple, so each is a function here,
 * and what the expressions leave open (days that exist, 32 bits, a zone wherever there is a
 * time of day) is checked as the text of the specification says.
 */
#include "fhir/base/datetime.h"
#include "fhir/base/utf8.h"
#include "fhir/model/reference.h"
#include "fhir/validate/check.h"

#include <stdlib.h>

enum {
    STRING_MAX = 1024 * 1024, /* characters, R4 datatypes */
    INTEGER_DIGITS_MAX = 11,
    SECOND_DIGITS_MIN = 19, /* YYYY-MM-DDThh:mm:ss */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Whether a byte of @text is below @limit, at most 0x80: eight at a time. */
static bool has_below(struct str text, unsigned char limit)
{
    const uint64_t ones = 0x0101010101010101u;
    size_t i = 0;
    for (; i + sizeof(uint64_t) <= text.n; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text.p + i, sizeof(word));
        if ((word - ones * limit) & ~word & ones << 7) {
            return true;
        }
    }
    while (i < text.n && (unsigned char)text.p[i] >= limit) {
        i++;
    }
    return i < text.n;
}

static const char *integer_between(struct str text, long long least, const char *wrong)
{
    char digits[INTEGER_DIGITS_MAX + 1];
    if (text.n == 0 || text.n > INTEGER_DIGITS_MAX) {
        return "is no integer of 32 bits";
    }
    memcpy(digits, text.p, text.n);
    digits[text.n] = '\0';
    char *end = NULL;
    long long value = strtoll(digits, &end, 10);
    if (*end || value > INT32_MAX || value < INT32_MIN) {
        return "is no integer of 32 bits";
    }
    return value < least ? wrong : NULL;
}

static const char *integer(struct str text)
{
    return integer_between(text, INT32_MIN, NULL);
}

static const char *unsigned_int(struct str text)
{
    return integer_between(text, 0, "is below zero");
}

static const char *positive_int(struct str text)
{
    return integer_between(text, 1, "is below one");
}

static const char *decimal(struct str text)
{
    (void)text; /* what is a number in JSON is one in FHIR */
    return NULL;
}

static const char *string(struct str text)
{
    if (text.n && !is_space(text.p[0]) && text.n <= STRING_MAX && !has_below(text, ' ')) {
        return NULL; /* as nearly all are */
    }
    size_t blank = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < ' ' && !is_space((char)c)) {
            return "has a control character";
        }
        blank += is_space((char)c);
    }
    if (blank == text.n) {
        return "has nothing but white space";
    }
    return text.n > STRING_MAX ? "is longer than 1 MB" : NULL;
}

static const char *code(struct str text)
{
    bool space = true;
    for (size_t i = 0; i < text.n; i++) {
        if (is_space(text.p[i]) && (space || text.p[i] != ' ')) {
            return "is no code: white space at the start, or more than one blank";
        }
        space = is_space(text.p[i]);
    }
    return text.n && !space ? NULL : "is no code: white space at the end";
}

static const char *uri(struct str text)
{
    for (size_t i = 0; i < text.n && has_below(text, ' ' + 1); i++) {
        if (is_space(text.p[i])) {
            return "is no URI: white space in it";
        }
    }
    return text.n ? NULL : "is empty";
}

static const char *id(struct str text)
{
    return reference_is_id(text) ? NULL : "is no id: 1 to 64 of A-Z a-z 0-9 - .";
}

static const char *oid(struct str text)
{
    struct str rest = text;
    if (!str_starts(text, STR("urn:oid:"))) {
        return "is no OID: doesn't begin with urn:oid:";
    }
    rest = str_slice(rest, 8, rest.n);
    bool first = true;
    size_t arcs = 0;
    while (rest.n) {
        struct str arc = str_cut(&rest, '.');
        bool fits = arc.n > 0 && (arc.n == 1 || arc.p[0] != '0');
        for (size_t i = 0; i < arc.n; i++) {
            fits = fits && arc.p[i] >= '0' && arc.p[i] <= (first ? '2' : '9');
        }
        if (!fits) {
            return "is no OID";
        }
        first = false;
        arcs++;
    }
    return arcs > 1 && text.p[text.n - 1] != '.' ? NULL : "is no OID";
}

static const char *uuid(struct str text)
{
    static const char form[] = "urn:uuid:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (text.n != sizeof(form) - 1) {
        return "is no UUID";
    }
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (form[i] == 'x' ? !hex : c != form[i]) {
            return "is no UUID in small letters";
        }
    }
    return NULL;
}

static const char *date(struct str text)
{
    struct datetime t;
    bool fits = datetime_read(text, &t) && t.precision <= DATETIME_DAY;
    return fits ? NULL : "is no date: YYYY, YYYY-MM or YYYY-MM-DD";
}

static const char *date_time(struct str text)
{
    struct datetime t;
    if (!datetime_read(text, &t)) {
        return "is no dateTime";
    }
    if (t.precision <= DATETIME_DAY) {
        return NULL;
    }
    if (t.precision != DATETIME_SECOND) {
        return "has a time without seconds";
    }
    return t.offset == DATETIME_NO_OFFSET ? "has a time without a zone" : NULL;
}

static const char *instant(struct str text)
{
    if (text.n < SECOND_DIGITS_MIN) {
        return "is no instant: date, time with seconds, and zone";
    }
    return date_time(text);
}

static const char *time_of_day(struct str text)
{
    struct datetime t;
    bool fits = datetime_read_time(text, &t) && t.precision == DATETIME_SECOND;
    return fits ? NULL : "is no time: hh:mm:ss";
}

static const char *base64(struct str text)
{
    size_t digits = 0;
    size_t pads = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (is_space(c)) {
            continue;
        }
        bool digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || c == '+' || c == '/';
        if ((!digit && c != '=') || (digit && pads)) {
            return "is no base64";
        }
        digits += digit;
        pads += c == '=';
    }
    return (digits + pads) % 4 == 0 && pads <= 2 && digits ? NULL : "is no base64";
}

static const struct {
    const char *name;
    enum node_kind kind;
    const char *(*check)(struct str text);
} primitives[] = {
    { "base64Binary", NODE_STRING, base64 },
    { "canonical", NODE_STRING, uri },
    { "code", NODE_STRING, code },
    { "date", NODE_STRING, date },
    { "dateTime", NODE_STRING, date_time },
    { "decimal", NODE_NUMBER, decimal },
    { "id", NODE_STRING, id },
    { "instant", NODE_STRING, instant },
    { "integer", NODE_NUMBER, integer },
    { "markdown", NODE_STRING, string },
    { "oid", NODE_STRING, oid },
    { "positiveInt", NODE_NUMBER, positive_int },
    { "string", NODE_STRING, string },
    { "time", NODE_STRING, time_of_day },
    { "unsignedInt", NODE_NUMBER, unsigned_int },
    { "uri", NODE_STRING, uri },
    { "url", NODE_STRING, uri },
    { "uuid", NODE_STRING, uuid },
};

enum {
    FORM_BOOLEAN = ARRAY_LEN(primitives),
    FORM_OTHER,
};

uint8_t primitive_form(struct str type)
{
    uint8_t i = 0;
    while (i < ARRAY_LEN(primitives) && !str_eq(type, str_z(primitives[i].name))) {
        i++;
    }
    bool boolean = str_eq(type, STR("boolean"));
    return i < ARRAY_LEN(primitives) ? i : boolean ? FORM_BOOLEAN : FORM_OTHER;
}

const char *check_primitive(uint8_t form, const struct node *value)
{
    if (form == FORM_BOOLEAN) {
        bool truth = value->kind == NODE_TRUE || value->kind == NODE_FALSE;
        return truth ? NULL : "is neither true nor false";
    }
    enum node_kind kind = form < ARRAY_LEN(primitives) ? primitives[form].kind : NODE_STRING;
    if (value->kind != kind) {
        return kind == NODE_NUMBER ? "is no number" : "is no string";
    }
    return form < ARRAY_LEN(primitives) ? primitives[form].check(value->text) : NULL;
}
