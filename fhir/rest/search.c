/*
 * Search parameters.
 *
 * Everything is decoded once, here, and sent upstream freshly encoded, so that both sides
 * read the same names. A search whose every match is decided for itself shows nothing more
 * than its matches; what reaches beyond them (chains, includes, counts) is refused.
 */
#include "fhir/rest/search.h"

#include "crypto/base/hex.h"
#include "fhir/base/utf8.h"
#include "fhir/compartment/subject.h"

#include <errno.h>
#include <stdlib.h>

struct search_row {
    const char *type;
    const char *parameters; /* " name/kind name/kind " */
};

#include "fhir_search.h"

enum {
    NAME_MAX_BYTES = 128,
};

static void refuse(struct search_fault *fault, int status, const char *why, struct str what)
{
    *fault = (struct search_fault){
        .status = status,
        .code = status == 501 ? "not-supported" : "invalid",
        .why = why,
        .what = what,
    };
}

/* ---- splitting ---- */

/* Percent-decoded @in; p is NULL if it isn't decodable to clean text. */
static struct str decode(struct arena *arena, struct str in)
{
    char *p = arena_alloc(arena, in.n + 1);
    if (!p) {
        return (struct str){ 0 };
    }
    size_t n = 0;
    for (size_t i = 0; i < in.n; i++) {
        int c = (unsigned char)in.p[i];
        if (c == '%') {
            int high = in.n - i > 2 ? hex_digit(in.p[i + 1]) : -1;
            int low = in.n - i > 2 ? hex_digit(in.p[i + 2]) : -1;
            c = high < 0 || low < 0 ? 0 : high * 16 + low;
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        if (c < ' ' || c == 0x7F) {
            return (struct str){ 0 };
        }
        p[n++] = (char)c;
    }
    struct str out = str_of(p, n);
    return utf8_valid(out) ? out : (struct str){ 0 };
}

static int add_param(struct interaction *out, struct arena *arena,
                     const struct search_param *like)
{
    struct search_param *param = arena_alloc(arena, sizeof(*param));
    if (!param) {
        return -ENOMEM;
    }
    *param = *like;
    struct search_param **link = &out->params;
    while (*link) {
        link = &(*link)->next;
    }
    *link = param;
    out->param_count++;
    return 0;
}

static int split_one(struct arena *arena, struct str item, struct interaction *out,
                     struct search_fault *fault)
{
    struct str value = item;
    struct str name = decode(arena, str_cut(&value, '='));
    value = decode(arena, value);
    if (!name.p || !value.p || !name.n || name.n > NAME_MAX_BYTES) {
        refuse(fault, 400, "malformed query", (struct str){ 0 });
        return 0;
    }
    struct search_param param = { .modifier = name, .value = value };
    param.name = str_cut(&param.modifier, ':');
    if (!param.name.n || (memchr(name.p, ':', name.n) && !param.modifier.n)) {
        refuse(fault, 400, "malformed parameter name", name);
        return 0;
    }
    return add_param(out, arena, &param);
}

int search_split(struct arena *arena, struct str query, struct interaction *out,
                 struct search_fault *fault)
{
    int r = 0;
    while (query.n && !r && !fault->status) {
        struct str item = str_cut(&query, '&');
        if (out->param_count == INTERACTION_PARAMS_MAX) {
            refuse(fault, 400, "too many parameters", (struct str){ 0 });
        } else if (item.n) {
            r = split_one(arena, item, out, fault);
        }
    }
    return r;
}

/* ---- checking ---- */

static int by_type(const void *key, const void *row)
{
    const struct search_row *r = row;
    return str_cmp(*(const struct str *)key, str_z(r->type));
}

static char kind_in(struct str type, struct str name)
{
    const struct search_row *row =
        bsearch(&type, search_rows, ARRAY_LEN(search_rows), sizeof(search_rows[0]), by_type);
    for (const char *at = row ? row->parameters : NULL; at && *at;) {
        const char *slash = strchr(at + 1, '/');
        if (!slash) {
            break;
        }
        if (str_eq(str_of(at + 1, (size_t)(slash - at) - 1), name)) {
            return slash[1];
        }
        at = slash + 2;
    }
    return 0;
}

char search_kind(struct str type, struct str name)
{
    char kind = kind_in(type, name);
    return kind ? kind : kind_in(STR("Resource"), name);
}

static bool any_of(struct str s, const char *const *names)
{
    while (*names && !str_eq(s, str_z(*names))) {
        names++;
    }
    return *names != NULL;
}

bool search_is_form(const struct search_param *param)
{
    static const char *const names[] = { "_format", "_pretty", NULL };
    return any_of(param->name, names);
}

/* Formats that are JSON. */
static bool is_json(struct str format)
{
    static const char *const names[] = {
        "json", "application/json", "application/fhir+json", "text/json", NULL,
    };
    return any_of(str_cut(&format, ';'), names);
}

/* Parameters that steer the answer. Return whether @param is one; it may be refused. */
static bool check_control(const struct search_param *param, struct search_fault *fault)
{
    static const char *const beyond[] = {
        "_include",   "_revinclude",    "_has",      "_filter",
        "_query",     "_list",          "_text",     "_content",
        "_contained", "_containedType", "_type",     "_elements",
        "_score",     "_graph",         "_getpages", NULL,
    };
    static const char *const plain[] = { "_count", "_total", "_pretty", "_sort", NULL };
    if (any_of(param->name, beyond)) {
        refuse(fault, 501, "this parameter is not supported", param->name);
        return true;
    }
    if (str_eq(param->name, STR("_format"))) {
        if (!is_json(param->value)) {
            refuse(fault, 406, "only JSON is supported", param->name);
            fault->code = "not-supported";
        }
        return true;
    }
    if (str_eq(param->name, STR("_summary"))) {
        if (str_eq(param->value, STR("count"))) {
            refuse(fault, 501, "counts are not supported", param->name);
        }
        return true;
    }
    return any_of(param->name, plain);
}

/* Whether each key to sort by is a parameter of @type itself. */
static bool can_sort(struct str type, struct str keys)
{
    while (keys.n) {
        struct str key = str_cut(&keys, ',');
        key = str_slice(key, str_starts(key, STR("-")), key.n);
        if (!search_kind(type, key)) {
            return false;
        }
    }
    return true;
}

static bool is_modifier(char kind, struct str modifier)
{
    static const char *const known[] = {
        "missing", "exact", "contains", "text",       "not",     "above",
        "below",   "in",    "not-in",   "identifier", "of-type", NULL,
    };
    return any_of(modifier, known) || (kind == 'r' && subject_type_known(modifier));
}

void search_check(struct str type, const struct search_param *param, struct search_fault *fault)
{
    if (check_control(param, fault)) {
        if (!fault->status && param->modifier.n) {
            refuse(fault, 400, "this parameter takes no modifier", param->name);
        }
        if (str_eq(param->name, STR("_sort")) && !can_sort(type, param->value)) {
            refuse(fault, 400, "unknown key to sort by", param->value);
        }
        return;
    }
    bool chained = memchr(param->name.p, '.', param->name.n) ||
                   (param->modifier.n && memchr(param->modifier.p, '.', param->modifier.n)) ||
                   (param->modifier.n && memchr(param->modifier.p, ':', param->modifier.n));
    if (chained) {
        refuse(fault, 501, "chained parameters are not supported", param->name);
        return;
    }
    char kind = search_kind(type, param->name);
    if (!kind && subject_of_type(type) != SUBJECT_NONE) {
        refuse(fault, 400, "unknown search parameter", param->name);
        return;
    }
    if (kind && param->modifier.n && !is_modifier(kind, param->modifier)) {
        refuse(fault, 400, "unknown modifier", param->name);
    }
}

/* ---- whom it names ---- */

static int add_patient(struct arena *arena, const struct reference *to, struct interaction *out)
{
    struct subject_ref *ref = arena_alloc(arena, sizeof(*ref));
    if (!ref) {
        return -ENOMEM;
    }
    *ref = (struct subject_ref){ .to = *to };
    if (out->patients.last) {
        out->patients.last->next = ref;
    } else {
        out->patients.first = ref;
    }
    out->patients.last = ref;
    out->patients.count++;
    return 0;
}

static struct reference logical(struct str token)
{
    struct reference to = { .form = REFERENCE_LOGICAL, .type = STR("Patient") };
    to.value = token;
    if (memchr(token.p, '|', token.n)) {
        to.system = str_cut(&to.value, '|');
    }
    return to;
}

/* The patient that value @value names; REFERENCE_NONE if it names none. */
static struct reference named(struct str type, const struct search_param *param,
                              struct str value)
{
    struct reference none = { .form = REFERENCE_NONE };
    struct reference id = { .form = REFERENCE_RELATIVE, .type = STR("Patient"), .id = value };
    bool on_patient = str_eq(type, STR("Patient"));
    if (on_patient && str_eq(param->name, STR("identifier"))) {
        return param->modifier.n ? none : logical(value);
    }
    if (on_patient) {
        bool by_id = str_eq(param->name, STR("_id")) && !param->modifier.n;
        return by_id && reference_is_id(value) ? id : none;
    }
    static const char *const names[] = { "patient", "subject", "beneficiary", "individual",
                                         NULL };
    if (!any_of(param->name, names)) {
        return none;
    }
    if (str_eq(param->modifier, STR("identifier"))) {
        return logical(value);
    }
    bool only_patients = str_eq(param->modifier, STR("Patient")) ||
                         (!param->modifier.n && !str_eq(param->name, STR("subject")));
    if (only_patients && reference_is_id(value)) {
        return id;
    }
    struct reference to = reference_of(value);
    return str_eq(to.type, STR("Patient")) ? to : none;
}

int search_patients(struct arena *arena, struct str type, const struct search_param *param,
                    struct interaction *out)
{
    int r = 0;
    struct str values = param->value;
    while (values.n && !r) {
        struct str value = str_cut(&values, ',');
        struct reference to = named(type, param, value);
        r = value.n && to.form != REFERENCE_NONE ? add_patient(arena, &to, out) : 0;
    }
    return r;
}
