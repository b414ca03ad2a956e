/*
 * Heads of requests and answers.
 *
 * http1_scan() looks for the end of a head in bytes as they arrive and refuses at once what
 * can't become one: a bare CR or LF, NUL, something too long, a TLS hello. Parsing then works
 * on the whole text, so how it was cut on the wire can't change the verdict.
 *
 * What says where a message ends is judged in one place, framing(). Content-Length and
 * Transfer-Encoding must be written as everybody writes them, with at most one space before
 * the value and none behind: other spellings exist to be read differently by two parsers.
 */
#include "gateway/net/http1.h"
#include "gateway/net/http1_text.h"

#include <errno.h>

enum {
    LINE_EXTRA = 64, /* of a first line, around its target */
};

static int fail(const char **reason, int status, const char *text)
{
    *reason = text;
    return status;
}

/* --- scanning --------------------------------------------------------------------------- */

/* One complete line @text[from..end), its LF included. */
static int check_line(struct str text, size_t from, size_t end, const char **reason)
{
    size_t n = end - from;
    const char *line = text.p + from;
    if (n < 2 || line[n - 2] != '\r') {
        return fail(reason, 400, "line feed without carriage return");
    }
    if (memchr(line, '\r', n - 2)) {
        return fail(reason, 400, "carriage return within a line");
    }
    if (memchr(line, '\0', n)) {
        return fail(reason, 400, "NUL in head");
    }
    return 0;
}

static int check_limits(const struct http1_scan *scan, size_t end, const char **reason)
{
    if (scan->lines == 0 && end > HTTP_TARGET_MAX + LINE_EXTRA) {
        return fail(reason, 414, "first line too long");
    }
    if (end > HTTP_HEAD_MAX) {
        return fail(reason, 431, "head too long");
    }
    return 0;
}

int http1_scan(struct http1_scan *scan, struct str text, bool answer, size_t *n,
               const char **reason)
{
    if (scan->at == 0 && text.n && (answer ? text.p[0] != 'H' : !http1_is(text.p[0], TOKEN))) {
        return fail(reason, 400, "not HTTP/1");
    }
    while (scan->at < text.n) {
        const char *lf = memchr(text.p + scan->at, '\n', text.n - scan->at);
        if (!lf) {
            scan->at = text.n;
            break;
        }
        size_t end = (size_t)(lf - text.p) + 1;
        int r = check_limits(scan, end, reason);
        r = r ? r : check_line(text, scan->line, end, reason);
        if (r) {
            return r;
        }
        bool empty = end - scan->line == 2;
        scan->at = end;
        scan->line = end;
        if (empty && scan->lines == 0) {
            return fail(reason, 400, "empty line before head");
        }
        if (empty) {
            *n = end;
            return 0;
        }
        scan->lines++;
    }
    int r = check_limits(scan, text.n, reason);
    return r ? r : -EAGAIN;
}

/* --- fields ----------------------------------------------------------------------------- */

/* The next line without its CR LF; what follows stays in @rest. */
static struct str next_line(struct str *rest)
{
    struct str line = str_cut(rest, '\n');
    if (line.n && line.p[line.n - 1] == '\r') {
        line.n--;
    }
    return line;
}

static struct str trim(struct str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s = str_slice(s, 1, s.n);
    }
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) {
        s.n--;
    }
    return s;
}

/* Names that another parser may take for one that says where the message ends. */
static bool looks_like_framing(struct str name)
{
    return memchr(name.p, '_', name.n) && (http1_same_dashed(name, STR("content-length")) ||
                                           http1_same_dashed(name, STR("transfer-encoding")));
}

static int parse_field(struct http_head *head, struct str line, const char **reason)
{
    struct str raw = line;
    struct str name = str_cut(&raw, ':');
    if (name.n == line.n || name.n > HTTP_NAME_MAX || !http_is_token(name)) {
        return fail(reason, 400, "malformed field name");
    }
    if (!http1_all(raw, VALUE)) {
        return fail(reason, 400, "control character in field value");
    }
    if (looks_like_framing(name)) {
        return fail(reason, 400, "misspelt framing field");
    }
    if (head->n_fields == HTTP_FIELDS_MAX) {
        return fail(reason, 431, "too many fields");
    }
    enum http_name id = http_name_of(name);
    struct str value = trim(raw);
    if ((id == HTTP_CONTENT_LENGTH || id == HTTP_TRANSFER_ENCODING) &&
        raw.n - value.n > (raw.n && raw.p[0] == ' ' ? 1U : 0U)) {
        return fail(reason, 400, "white space around the value of a framing field");
    }
    head->fields[head->n_fields++] = (struct http_field){ name, value, id };
    if (!head->first[id]) {
        head->first[id] = (uint8_t)head->n_fields;
    }
    return 0;
}

static int parse_fields(struct http_head *head, struct str rest, const char **reason)
{
    for (;;) {
        struct str line = next_line(&rest);
        if (line.n == 0) {
            return 0;
        }
        if (line.p[0] == ' ' || line.p[0] == '\t') {
            return fail(reason, 400, "folded field or white space before one");
        }
        int r = parse_field(head, line, reason);
        if (r) {
            return r;
        }
    }
}

/* --- framing ---------------------------------------------------------------------------- */

static int parse_length(struct str text, uint64_t *length, const char **reason)
{
    uint64_t value = 0;
    if (text.n == 0 || text.n > 19 || (text.n > 1 && text.p[0] == '0')) {
        return fail(reason, 400, "malformed Content-Length");
    }
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            return fail(reason, 400, "malformed Content-Length");
        }
        value = value * 10 + (uint64_t)(text.p[i] - '0');
    }
    if (value > HTTP_LENGTH_MAX) {
        return fail(reason, 413, "body too long");
    }
    *length = value;
    return 0;
}

/* Where the message ends. @absent: what it means if nothing says so. */
static int framing(struct http_head *head, enum http_framing absent, const char **reason)
{
    size_t lengths = http_field_count(head, HTTP_CONTENT_LENGTH);
    size_t codings = http_field_count(head, HTTP_TRANSFER_ENCODING);

    head->framing = absent;
    if (lengths + codings > 1) {
        return fail(reason, 400, "more than one framing field");
    }
    if (lengths) {
        head->framing = HTTP_BODY_LENGTH;
        return parse_length(http_field(head, HTTP_CONTENT_LENGTH), &head->length, reason);
    }
    if (codings) {
        struct str coding = http_field(head, HTTP_TRANSFER_ENCODING);
        if (head->minor == 0) {
            return fail(reason, 400, "Transfer-Encoding in HTTP/1.0");
        }
        if (!http1_same(coding, STR("chunked"))) {
            /* A coding we don't know, or a list or a spelling that only some understand. */
            return fail(reason, http_is_token(coding) ? 501 : 400, "unknown transfer coding");
        }
        head->framing = HTTP_BODY_CHUNKED;
    }
    return 0;
}

static bool connection_has(const struct http_head *head, struct str item)
{
    for (size_t i = 0; head->first[HTTP_CONNECTION] && i < head->n_fields; i++) {
        const struct http_field *field = &head->fields[i];
        if (field->id == HTTP_CONNECTION && http_list_has(field->value, item)) {
            return true;
        }
    }
    return false;
}

static void decide_keep_alive(struct http_head *head)
{
    head->keep_alive = !connection_has(head, STR("close")) &&
                       (head->minor > 0 || connection_has(head, STR("keep-alive")));
}

/* --- requests --------------------------------------------------------------------------- */

static int parse_version(struct str text, int *minor, const char **reason)
{
    if (text.n != 8 || !str_starts(text, STR("HTTP/")) || text.p[6] != '.' || text.p[5] < '0' ||
        text.p[5] > '9' || text.p[7] < '0' || text.p[7] > '9') {
        return fail(reason, 400, "malformed version");
    }
    if (text.p[5] != '1' || text.p[7] > '1') {
        return fail(reason, 505, "only HTTP/1.1 and HTTP/1.0");
    }
    *minor = text.p[7] - '0';
    return 0;
}

/* Cut "http://authority" off an absolute target. */
static int parse_absolute(struct http_head *head, struct str *authority, const char **reason)
{
    struct str rest = head->target;
    struct str scheme = str_cut(&rest, '/');
    if ((!http1_same(scheme, STR("http:")) && !http1_same(scheme, STR("https:"))) ||
        rest.n == 0 || rest.p[0] != '/') {
        return fail(reason, 400, "malformed request target");
    }
    rest = str_slice(rest, 1, rest.n);
    const char *slash = rest.n ? memchr(rest.p, '/', rest.n) : NULL;
    size_t n = slash ? (size_t)(slash - rest.p) : rest.n;
    if (n == 0) {
        return fail(reason, 400, "malformed request target");
    }
    *authority = str_slice(rest, 0, n);
    head->target = n < rest.n ? str_slice(rest, n, rest.n) : STR("/");
    return 0;
}

static int check_host(const struct http_head *head, struct str authority, const char **reason)
{
    if (http_field_count(head, HTTP_HOST) != 1 || !http1_is_host(head->host)) {
        return fail(reason, 400, "not exactly one valid Host");
    }
    if (authority.n && !http1_same(authority, head->host)) {
        return fail(reason, 400, "request target of another host");
    }
    return 0;
}

static int parse_target(struct http_head *head, struct str *authority, const char **reason)
{
    if (head->target.n == 0 || head->target.n > HTTP_TARGET_MAX) {
        return fail(reason, head->target.n ? 414 : 400, "empty or long request target");
    }
    if (str_eq(head->target, STR("*"))) {
        head->path = head->target;
        return head->method == HTTP_OPTIONS ? 0 : fail(reason, 400, "target * without OPTIONS");
    }
    int r = head->target.p[0] == '/' ? 0 : parse_absolute(head, authority, reason);
    if (r) {
        return r;
    }
    struct str rest = head->target;
    head->path = str_cut(&rest, '?');
    head->query = rest;
    if (!http1_is_path(head->path) || !http1_is_query(head->query)) {
        return fail(reason, 400, "malformed request target");
    }
    return 0;
}

static int parse_request_line(struct http_head *head, struct str line, struct str *authority,
                              const char **reason)
{
    struct str version = line;
    head->method_text = str_cut(&version, ' ');
    head->target = str_cut(&version, ' ');
    if (!http_is_token(head->method_text)) {
        return fail(reason, 400, "malformed method");
    }
    int r = parse_version(version, &head->minor, reason);
    if (r) {
        return r;
    }
    head->method = http1_method_of(head->method_text);
    if (!head->method) {
        return fail(reason, 501, "unknown method");
    }
    return parse_target(head, authority, reason);
}

static int decide_expect(struct http_head *head, const char **reason)
{
    if (!head->first[HTTP_EXPECT]) {
        return 0;
    }
    if (http_field_count(head, HTTP_EXPECT) > 1 ||
        !http1_same(http_field(head, HTTP_EXPECT), STR("100-continue"))) {
        return fail(reason, 417, "unknown expectation");
    }
    bool body = head->framing == HTTP_BODY_CHUNKED || head->length > 0;
    head->expect_continue = head->minor > 0 && body;
    return 0;
}

/* All but the fields to zero: they are 5 KB, and only the first n_fields are looked at. */
static void clear(struct http_head *head)
{
    memset(head, 0, offsetof(struct http_head, fields));
    memset(head->first, 0, sizeof(head->first));
}

int http1_request(struct str text, struct http_head *head, const char **reason)
{
    clear(head);
    struct str authority = { 0 };
    struct str line = next_line(&text);
    int r = parse_request_line(head, line, &authority, reason);
    r = r ? r : parse_fields(head, text, reason);
    if (r) {
        return r;
    }
    head->host = http_field(head, HTTP_HOST);
    r = check_host(head, authority, reason);
    r = r ? r : framing(head, HTTP_BODY_NONE, reason);
    r = r ? r : decide_expect(head, reason);
    if (r) {
        return r;
    }
    decide_keep_alive(head);
    return 0;
}

/* --- answers ---------------------------------------------------------------------------- */

static int parse_status_line(struct http_head *head, struct str line, const char **reason)
{
    struct str rest = line;
    struct str version = str_cut(&rest, ' ');
    int r = parse_version(version, &head->minor, reason);
    if (r) {
        return r;
    }
    struct str status = str_cut(&rest, ' ');
    if (status.n != 3 || !http1_all(rest, VALUE)) {
        return fail(reason, 502, "malformed status line");
    }
    for (size_t i = 0; i < 3; i++) {
        if (status.p[i] < '0' || status.p[i] > '9') {
            return fail(reason, 502, "malformed status line");
        }
        head->status = head->status * 10 + (status.p[i] - '0');
    }
    if (head->status < 100 || head->status > 599 || head->status == 101) {
        return fail(reason, 502, "unexpected status");
    }
    return 0;
}

int http1_answer(struct str text, enum http_method to, struct http_head *head,
                 const char **reason)
{
    clear(head);
    struct str line = next_line(&text);
    int r = parse_status_line(head, line, reason);
    r = r ? r : parse_fields(head, text, reason);
    r = r ? r : framing(head, HTTP_BODY_CLOSE, reason);
    if (r) {
        return 502;
    }
    if (head->status < 200 || head->status == 204 || head->status == 304 || to == HTTP_HEAD) {
        head->framing = HTTP_BODY_NONE;
    }
    decide_keep_alive(head);
    head->keep_alive = head->keep_alive && head->framing != HTTP_BODY_CLOSE;
    return 0;
}
