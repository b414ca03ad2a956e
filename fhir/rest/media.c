/* Names of types and parameters are the same in either case; spaces stand around semicolons. */
#include "fhir/rest/media.h"

#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static struct str trim(struct str text)
{
    while (text.n && is_space(text.p[0])) {
        text = str_slice(text, 1, text.n);
    }
    while (text.n && is_space(text.p[text.n - 1])) {
        text.n--;
    }
    return text;
}

static bool same(struct str text, const char *word)
{
    return text.n == strlen(word) && strncasecmp(text.p, word, text.n) == 0;
}

static struct str unquoted(struct str value)
{
    bool quoted = value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"';
    return quoted ? str_slice(value, 1, value.n - 1) : value;
}

bool media_is_json(struct str content_type)
{
    struct str type = trim(str_cut(&content_type, ';'));
    if (!same(type, "application/fhir+json") && !same(type, "application/json")) {
        return false;
    }
    while (content_type.n) {
        struct str value = trim(str_cut(&content_type, ';'));
        struct str name = str_cut(&value, '=');
        if (same(name, "charset") && !same(unquoted(value), "utf-8")) {
            return false;
        }
    }
    return true;
}
