/*
 * Looking codes up in value sets.
 *
 * Sets are sorted by name and codes within a set by code, so both are found by halving. The
 * systems that nobody can list stand in a set as "*"; of them the form of a code is judged.
 */
#include "fhir/validate/terminology.h"

#include <stdbool.h>

#define HL7_SETS "http://hl7.org/fhir/ValueSet/"

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Subtags of one to eight letters and digits, joined by '-', the first without digits. */
static bool is_language(struct str code)
{
    bool first = true;
    if (str_ends(code, STR("-"))) {
        return false;
    }
    while (code.n) {
        struct str part = str_cut(&code, '-');
        if (part.n == 0 || part.n > 8) {
            return false;
        }
        for (size_t i = 0; i < part.n; i++) {
            if (!is_alnum(part.p[i]) || (first && part.p[i] <= '9')) {
                return false;
            }
        }
        first = false;
    }
    return !first;
}

static bool is_media_token(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!is_alnum(text.p[i]) && !strchr("!#$&-^_.+", text.p[i])) {
            return false;
        }
    }
    return text.n > 0;
}

/* R4 also takes the short names of its own formats. */
static bool is_media_type(struct str code)
{
    if (str_eq(code, STR("json")) || str_eq(code, STR("xml")) || str_eq(code, STR("ttl"))) {
        return true;
    }
    struct str rest = code;
    struct str essence = str_cut(&rest, ';');
    struct str kind = str_cut(&essence, '/');
    while (essence.n && essence.p[essence.n - 1] == ' ') {
        essence.n--;
    }
    return is_media_token(kind) && is_media_token(essence);
}

static bool is_currency(struct str code)
{
    for (size_t i = 0; i < code.n; i++) {
        if (code.p[i] < 'A' || code.p[i] > 'Z') {
            return false;
        }
    }
    return code.n == 3;
}

/* Whether a code of a system that nobody lists has the right form. */
static bool has_form(struct str system, struct str code)
{
    if (str_eq(system, STR("urn:ietf:bcp:47"))) {
        return is_language(code);
    }
    if (str_eq(system, STR("urn:ietf:bcp:13"))) {
        return is_media_type(code);
    }
    if (str_eq(system, STR("urn:iso:std:iso:4217"))) {
        return is_currency(code);
    }
    return code.n > 0 && !memchr(code.p, ' ', code.n);
}

static struct str text_at(const struct terminology *of, uint32_t offset)
{
    return str_z(of->pool + offset);
}

static const struct terminology_set *find_set(const struct terminology *of, struct str name)
{
    size_t low = 0;
    size_t high = of->sets_n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(name, text_at(of, of->sets[middle].name));
        if (!order) {
            return &of->sets[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

/* Index of the first member of @set whose code is not before @code. */
static size_t find_code(const struct terminology *of, const struct terminology_set *set,
                        struct str code)
{
    size_t low = set->first;
    size_t high = (size_t)set->first + set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(text_at(of, of->codes[middle].code), code) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Whether the set has @listed, the code itself or "*", of the system; p NULL: of any. */
static bool lists(const struct terminology *of, const struct terminology_set *set,
                  struct str system, struct str listed, struct str code)
{
    size_t end = (size_t)set->first + set->count;
    for (size_t i = find_code(of, set, listed); i < end; i++) {
        if (!str_eq(text_at(of, of->codes[i].code), listed)) {
            return false;
        }
        struct str its = text_at(of, of->codes[i].system);
        if (system.p && !str_eq(its, system)) {
            continue;
        }
        if (code.n == 0 || has_form(its, code)) {
            return true;
        }
    }
    return false;
}

const struct terminology_set *terminology_set(const struct terminology *terminology,
                                              struct str url)
{
    struct str name = str_cut(&url, '|');
    if (str_starts(name, STR(HL7_SETS))) {
        name = str_slice(name, sizeof(HL7_SETS) - 1, name.n);
    }
    return find_set(terminology, name);
}

enum terminology_answer terminology_set_has(const struct terminology *terminology,
                                            const struct terminology_set *set,
                                            struct str system, struct str code)
{
    bool in = lists(terminology, set, system, code, (struct str){ 0 }) ||
              lists(terminology, set, system, STR("*"), code);
    return in ? TERMINOLOGY_IN : TERMINOLOGY_OUT;
}

enum terminology_answer terminology_has(const struct terminology *terminology, struct str url,
                                        struct str system, struct str code)
{
    const struct terminology_set *set = terminology_set(terminology, url);
    return set ? terminology_set_has(terminology, set, system, code) : TERMINOLOGY_UNKNOWN;
}
