/* Cutting lines. JSON has no line's end inside of a string, so a newline always is one. */
#include "fhir/format/ndjson.h"

static bool is_blank(struct str line)
{
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r') {
            return false;
        }
    }
    return true;
}

bool ndjson_next(struct ndjson *ndjson, struct str *rest, bool end, struct str *line)
{
    while (rest->n) {
        bool whole = memchr(rest->p, '\n', rest->n) != NULL;
        if (!whole && !end) {
            return false;
        }
        struct str next = str_cut(rest, '\n');
        ndjson->line++;
        if (!is_blank(next)) {
            *line = next;
            return true;
        }
    }
    return false;
}
