/*
 * Characters, names and numbers of HTTP.
 *
 * One table says for each byte where it may stand. Percent-encoding is checked but kept: what
 * is authorised is what is forwarded, so nothing may mean two things. A path with dot
 * segments, or with an encoded slash, backslash or control, is refused for the same reason.
 */
#include "gateway/net/http1_text.h"

#include "crypto/base/hex.h"

#include <strings.h>

/* Bits of enum http1_class. */
static const uint8_t classes[256] = {
    /* clang-format off */
     0,  0,  0,  0,  0,  0,  0,  0,  0,  2,  0,  0,  0,  0,  0,  0, /* 00 */
     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, /* 10 */
     2, 15,  2,  3, 15, 15, 15, 15, 14, 14, 15, 15, 14, 31, 31, 14, /* 20 */
    31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 14, 14,  2, 14,  2, 10, /* 30 */
    14, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, /* 40 */
    31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 10,  2, 10,  3, 31, /* 50 */
     3, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, /* 60 */
    31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31,  2, 11,  2, 15,  0, /* 70 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* 80 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* 90 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* a0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* b0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* c0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* d0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* e0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* f0 */
    /* clang-format on */
};

static const struct str names[HTTP_NAMES] = {
    [HTTP_ACCEPT] = STR_INIT("accept"),
    [HTTP_ACCEPT_ENCODING] = STR_INIT("accept-encoding"),
    [HTTP_ALLOW] = STR_INIT("allow"),
    [HTTP_AUTHORIZATION] = STR_INIT("authorization"),
    [HTTP_CACHE_CONTROL] = STR_INIT("cache-control"),
    [HTTP_CONNECTION] = STR_INIT("connection"),
    [HTTP_CONTENT_DISPOSITION] = STR_INIT("content-disposition"),
    [HTTP_CONTENT_ENCODING] = STR_INIT("content-encoding"),
    [HTTP_CONTENT_LANGUAGE] = STR_INIT("content-language"),
    [HTTP_CONTENT_LENGTH] = STR_INIT("content-length"),
    [HTTP_CONTENT_LOCATION] = STR_INIT("content-location"),
    [HTTP_CONTENT_TYPE] = STR_INIT("content-type"),
    [HTTP_COOKIE] = STR_INIT("cookie"),
    [HTTP_DATE] = STR_INIT("date"),
    [HTTP_ETAG] = STR_INIT("etag"),
    [HTTP_EXPECT] = STR_INIT("expect"),
    [HTTP_FORWARDED] = STR_INIT("forwarded"),
    [HTTP_HOST] = STR_INIT("host"),
    [HTTP_HTTP2_SETTINGS] = STR_INIT("http2-settings"),
    [HTTP_IF_MATCH] = STR_INIT("if-match"),
    [HTTP_IF_MODIFIED_SINCE] = STR_INIT("if-modified-since"),
    [HTTP_IF_NONE_EXIST] = STR_INIT("if-none-exist"),
    [HTTP_IF_NONE_MATCH] = STR_INIT("if-none-match"),
    [HTTP_KEEP_ALIVE] = STR_INIT("keep-alive"),
    [HTTP_LAST_MODIFIED] = STR_INIT("last-modified"),
    [HTTP_LOCATION] = STR_INIT("location"),
    [HTTP_ORIGIN] = STR_INIT("origin"),
    [HTTP_PREFER] = STR_INIT("prefer"),
    [HTTP_PROXY_AUTHENTICATE] = STR_INIT("proxy-authenticate"),
    [HTTP_PROXY_AUTHORIZATION] = STR_INIT("proxy-authorization"),
    [HTTP_PROXY_CONNECTION] = STR_INIT("proxy-connection"),
    [HTTP_RANGE] = STR_INIT("range"),
    [HTTP_RETRY_AFTER] = STR_INIT("retry-after"),
    [HTTP_SERVER] = STR_INIT("server"),
    [HTTP_SET_COOKIE] = STR_INIT("set-cookie"),
    [HTTP_TE] = STR_INIT("te"),
    [HTTP_TRACEPARENT] = STR_INIT("traceparent"),
    [HTTP_TRACESTATE] = STR_INIT("tracestate"),
    [HTTP_TRAILER] = STR_INIT("trailer"),
    [HTTP_TRANSFER_ENCODING] = STR_INIT("transfer-encoding"),
    [HTTP_UPGRADE] = STR_INIT("upgrade"),
    [HTTP_USER_AGENT] = STR_INIT("user-agent"),
    [HTTP_VARY] = STR_INIT("vary"),
    [HTTP_VIA] = STR_INIT("via"),
    [HTTP_WWW_AUTHENTICATE] = STR_INIT("www-authenticate"),
    [HTTP_X_FORWARDED_FOR] = STR_INIT("x-forwarded-for"),
    [HTTP_X_FORWARDED_HOST] = STR_INIT("x-forwarded-host"),
    [HTTP_X_FORWARDED_PROTO] = STR_INIT("x-forwarded-proto"),
    [HTTP_X_REQUEST_ID] = STR_INIT("x-request-id"),
};

static const struct str methods[] = {
    [HTTP_GET] = STR_INIT("GET"),         [HTTP_HEAD] = STR_INIT("HEAD"),
    [HTTP_POST] = STR_INIT("POST"),       [HTTP_PUT] = STR_INIT("PUT"),
    [HTTP_PATCH] = STR_INIT("PATCH"),     [HTTP_DELETE] = STR_INIT("DELETE"),
    [HTTP_OPTIONS] = STR_INIT("OPTIONS"),
};

static const struct {
    int status;
    const char *text;
} statuses[] = {
    { 100, "Continue" },
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 206, "Partial Content" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" },
    { 422, "Unprocessable Content" },
    { 428, "Precondition Required" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 505, "HTTP Version Not Supported" },
};

bool http1_is(char c, enum http1_class class)
{
    return classes[(unsigned char)c] & class;
}

bool http1_all(struct str text, enum http1_class class)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!(classes[(unsigned char)text.p[i]] & class)) {
            return false;
        }
    }
    return true;
}

bool http1_same(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

bool http1_same_dashed(struct str name, struct str lower)
{
    if (name.n != lower.n) {
        return false;
    }
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i] == '_' ? '-' : name.p[i];
        c = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
        if (c != lower.p[i]) {
            return false;
        }
    }
    return true;
}

bool http_is_token(struct str text)
{
    return text.n && http1_all(text, TOKEN);
}

enum http_method http1_method_of(struct str text)
{
    for (size_t i = 1; i < ARRAY_LEN(methods); i++) {
        if (str_eq(text, methods[i])) {
            return (enum http_method)i;
        }
    }
    return (enum http_method)0;
}

struct str http_method_text(enum http_method method)
{
    return methods[method];
}

const char *http_status_text(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        if (statuses[i].status == status) {
            return statuses[i].text;
        }
    }
    return "";
}

enum http_name http_name_of(struct str name)
{
    for (size_t i = 1; i < HTTP_NAMES; i++) {
        if (names[i].n == name.n && ((names[i].p[0] ^ name.p[0]) & ~0x20) == 0 &&
            strncasecmp(names[i].p, name.p, name.n) == 0) {
            return (enum http_name)i;
        }
    }
    return HTTP_NAME_OTHER;
}

/* The byte that the triplet at @i stands for, or -1. */
static int percent(struct str text, size_t i)
{
    if (text.n - i < 3) {
        return -1;
    }
    int high = hex_digit(text.p[i + 1]);
    int low = hex_digit(text.p[i + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Whether the segment @s is "." or "..", encoded or not. */
static bool is_dots(struct str s)
{
    size_t dots = 0;
    for (size_t i = 0; i < s.n; dots++) {
        bool encoded = s.p[i] == '%';
        if (encoded ? percent(s, i) != '.' : s.p[i] != '.') {
            return false;
        }
        i += encoded ? 3 : 1;
    }
    return dots == 1 || dots == 2;
}

bool http1_is_path(struct str path)
{
    if (path.n == 0 || path.p[0] != '/' || !http1_all(path, PATH)) {
        return false;
    }
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] != '%') {
            continue;
        }
        int c = percent(path, i);
        if (c < ' ' || c == 0x7f || c == '/' || c == '\\') {
            return false;
        }
    }
    struct str rest = path;
    while (rest.n) {
        if (is_dots(str_cut(&rest, '/'))) {
            return false;
        }
    }
    return true;
}

bool http1_is_query(struct str query)
{
    if (!http1_all(query, QUERY)) {
        return false;
    }
    for (size_t i = 0; i < query.n; i++) {
        if (query.p[i] == '%' && percent(query, i) <= 0) {
            return false;
        }
    }
    return true;
}

static bool is_port(struct str port)
{
    unsigned value = 0;
    for (size_t i = 0; i < port.n; i++) {
        if (port.p[i] < '0' || port.p[i] > '9' || i == 5) {
            return false;
        }
        value = value * 10 + (unsigned)(port.p[i] - '0');
    }
    return port.n && value <= 65535;
}

bool http1_is_host(struct str host)
{
    bool bracket = host.n && host.p[0] == '[';
    struct str rest = host;
    struct str name = str_cut(&rest, bracket ? ']' : ':');
    if (bracket) {
        if (name.n == host.n || (rest.n && rest.p[0] != ':')) {
            return false;
        }
        name = str_slice(name, 1, name.n);
        for (size_t i = 0; i < name.n; i++) {
            if (hex_digit(name.p[i]) < 0 && name.p[i] != ':' && name.p[i] != '.') {
                return false;
            }
        }
        return name.n && (rest.n == 0 || is_port(str_slice(rest, 1, rest.n)));
    }
    return name.n && http1_all(name, HOST) && (name.n == host.n || is_port(rest));
}

struct str http_field(const struct http_head *head, enum http_name id)
{
    uint8_t first = head->first[id];
    return first ? head->fields[first - 1].value : (struct str){ 0 };
}

struct str http_field_named(const struct http_head *head, struct str name)
{
    for (size_t i = 0; i < head->n_fields; i++) {
        if (http1_same(head->fields[i].name, name)) {
            return head->fields[i].value;
        }
    }
    return (struct str){ 0 };
}

size_t http_field_count(const struct http_head *head, enum http_name id)
{
    size_t count = 0;
    for (size_t i = 0; head->first[id] && i < head->n_fields; i++) {
        count += head->fields[i].id == id;
    }
    return count;
}

bool http_list_has(struct str list, struct str item)
{
    while (list.n) {
        struct str one = str_cut(&list, ',');
        while (one.n && (one.p[0] == ' ' || one.p[0] == '\t')) {
            one = str_slice(one, 1, one.n);
        }
        while (one.n && (one.p[one.n - 1] == ' ' || one.p[one.n - 1] == '\t')) {
            one.n--;
        }
        if (http1_same(one, item)) {
            return true;
        }
    }
    return false;
}

static bool is_listed(const struct http_head *head, struct str name)
{
    for (size_t i = 0; head->first[HTTP_CONNECTION] && i < head->n_fields; i++) {
        if (head->fields[i].id == HTTP_CONNECTION &&
            http_list_has(head->fields[i].value, name)) {
            return true;
        }
    }
    return false;
}

bool http_field_is_hop(const struct http_head *head, size_t i)
{
    const struct http_field *field = &head->fields[i];
    if (field->id == HTTP_NAME_OTHER) {
        return is_listed(head, field->name);
    }
    return field->id == HTTP_CONNECTION || field->id == HTTP_CONTENT_LENGTH ||
           field->id == HTTP_EXPECT || field->id == HTTP_HOST ||
           field->id == HTTP_HTTP2_SETTINGS || field->id == HTTP_KEEP_ALIVE ||
           field->id == HTTP_PROXY_AUTHENTICATE || field->id == HTTP_PROXY_AUTHORIZATION ||
           field->id == HTTP_PROXY_CONNECTION || field->id == HTTP_TE ||
           field->id == HTTP_TRAILER || field->id == HTTP_TRANSFER_ENCODING ||
           field->id == HTTP_UPGRADE;
}
