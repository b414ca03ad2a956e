#include "fhir/rest/query.h"

#include <stdbool.h>

/* Whether @c stands for itself in a query. */
static bool is_plain(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

void query_token(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\\' || c == ',' || c == '|' || c == '$') {
            buf_z(out, "%5C");
        }
        if (is_plain(c)) {
            buf_c(out, c);
        } else {
            buf_c(out, '%');
            buf_hex(out, &c, 1);
        }
    }
}
