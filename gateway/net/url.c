/* Nothing is decoded: what is written is what will be asked for. */
#include "gateway/net/url.h"
#include "gateway/net/address.h"

#include <strings.h>

static bool starts_in_any_case(struct str text, struct str prefix)
{
    return text.n >= prefix.n && strncasecmp(text.p, prefix.p, prefix.n) == 0;
}

static bool is_clean(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c <= ' ' || c >= 0x7f || c == '\\' || c == '#' || c == '"' || c == '<' ||
            c == '>') {
            return false;
        }
    }
    return true;
}

static size_t authority_end(struct str text)
{
    size_t n = 0;
    while (n < text.n && text.p[n] != '/' && text.p[n] != '?') {
        n++;
    }
    return n;
}

int url_parse(struct str text, struct url *out)
{
    bool tls = starts_in_any_case(text, STR("https://"));
    if (!is_clean(text) || (!tls && !starts_in_any_case(text, STR("http://")))) {
        return URL_E_SYNTAX;
    }
    struct url url = { .tls = tls };
    struct str rest = str_slice(text, tls ? 8 : 7, text.n);
    size_t n = authority_end(rest);
    url.authority = str_slice(rest, 0, n);
    url.target = str_slice(rest, n, rest.n);
    if (n && memchr(url.authority.p, '@', n)) {
        return URL_E_SYNTAX;
    }
    if (address_split(url.authority, tls ? 443 : 80, &url.host, &url.port) || url.port == 0) {
        return URL_E_SYNTAX;
    }
    struct str after = url.target;
    url.path = str_cut(&after, '?');
    url.query = after;
    *out = url;
    return 0;
}
