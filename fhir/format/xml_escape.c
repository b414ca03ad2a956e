/* Nearly all text needs no escape: runs of such bytes are copied whole. */
#include "fhir/format/xml_escape.h"

#include "fhir/base/utf8.h"

enum {
    TOP_OF_BMP = 0xEF, /* first byte of U+F000 to U+FFFF */
};

/* What @c must be written as; NULL: as it is. */
static const char *reference(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\t': return "&#9;";
    case '\n': return "&#10;";
    case '\r': return "&#13;";
    default: return NULL;
    }
}

/* U+FFFE and U+FFFF */
static bool is_no_character(struct str text, size_t at)
{
    struct str c = str_slice(text, at, at + 3);
    return str_eq(c, STR("\xEF\xBF\xBE")) || str_eq(c, STR("\xEF\xBF\xBF"));
}

bool xml_escape(struct buf *out, struct str text)
{
    size_t plain = 0;
    bool ascii = true;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x80) {
            ascii = false;
            if (c == TOP_OF_BMP && is_no_character(text, i)) {
                return false;
            }
            continue;
        }
        if (c > '>') {
            continue;
        }
        const char *escaped = reference(text.p[i]);
        if (!escaped && c < ' ') {
            return false;
        }
        if (escaped) {
            buf_put(out, text.p + plain, i - plain);
            buf_z(out, escaped);
            plain = i + 1;
        }
    }
    if (text.n > plain) {
        buf_put(out, text.p + plain, text.n - plain);
    }
    return ascii || utf8_valid(text);
}
