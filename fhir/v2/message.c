/*
 * Indexing a message.
 *
 * One pass counts field separators, so that the list of offsets is allocated once. A second
 * finds segment ends with memchr() and writes down where fields begin. That loop has no branch
 * on content: it stores every position and moves on only past separators, which costs about a
 * cycle a byte, where a mispredicted branch every five bytes would cost five times that.
 */
#include "fhir/v2/message.h"

#include <errno.h>

/*
 * What is still to be split.
 *
 * @rest:     not yet split
 * @cr:       the message has carriage returns: line feeds alone are doubtful
 * @lf, @crlf, @blank, @odd: what was tolerated, and how often
 */
struct splitter {
    struct str rest;
    char field;
    bool cr;
    size_t lf;
    size_t crlf;
    size_t blank;
    size_t odd;
};

static bool upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* Whether @line starts as a segment does: a name, then a separator or nothing. */
static bool segment_start(struct str line, char field)
{
    if (line.n < 3 || !upper(line.p[0])) {
        return false;
    }
    for (size_t i = 1; i < 3; i++) {
        if (!upper(line.p[i]) && !(line.p[i] >= '0' && line.p[i] <= '9')) {
            return false;
        }
    }
    return line.n == 3 || line.p[3] == field || line.p[3] == '\r' || line.p[3] == '\n';
}

/* The first line feed in @line that ends a segment, or its length. */
static size_t doubtful_end(const struct splitter *s, struct str line)
{
    for (size_t at = 0; at < line.n; at++) {
        const char *lf = memchr(line.p + at, '\n', line.n - at);
        if (!lf) {
            break;
        }
        at = (size_t)(lf - line.p);
        if (segment_start(str_slice(line, at + 1, line.n), s->field)) {
            return at;
        }
    }
    return line.n;
}

/* Take one line off the front, with its terminator. */
static struct str next_line(struct splitter *s)
{
    char end = s->cr ? '\r' : '\n';
    const char *p = memchr(s->rest.p, end, s->rest.n);
    struct str line = { .p = s->rest.p, .n = p ? (size_t)(p - s->rest.p) : s->rest.n };
    size_t eaten = line.n + (p != NULL);
    if (!s->cr) {
        s->lf += p != NULL;
        s->rest = str_slice(s->rest, eaten, s->rest.n);
        return line;
    }

    size_t cut = doubtful_end(s, line);
    if (cut < line.n) {
        s->lf++;
        line.n = cut;
        eaten = cut + 1;
    } else if (p && eaten < s->rest.n && s->rest.p[eaten] == '\n') {
        s->crlf++;
        eaten++;
    }
    s->rest = str_slice(s->rest, eaten, s->rest.n);
    return line;
}

/* Write down where the fields of @line begin; return how many separators it has. */
static uint32_t index_fields(const char *base, struct str line, char field, uint32_t *offsets)
{
    uint32_t at = (uint32_t)(line.p - base) + 1;
    uint32_t n = 0;
    for (size_t i = 0; i < line.n; i++) {
        offsets[n] = at++;
        n += line.p[i] == field;
    }
    return n;
}

static size_t count_byte(struct str text, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        n += text.p[i] == c;
    }
    return n;
}

static bool only_spaces(struct str line)
{
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\n') {
            return false;
        }
    }
    return true;
}

static void report(const struct splitter *s, struct issues *issues)
{
    if (s->lf) {
        issues_add(issues, ISSUE_WARNING, "structure", STR("message"),
                   "%zu segments end in a line feed instead of a carriage return", s->lf);
    }
    if (s->crlf) {
        issues_add(issues, ISSUE_WARNING, "structure", STR("message"),
                   "%zu segments end in CR LF instead of a carriage return", s->crlf);
    }
    if (s->blank) {
        issues_add(issues, ISSUE_WARNING, "structure", STR("message"), "%zu blank lines",
                   s->blank);
    }
    if (s->odd) {
        issues_add(issues, ISSUE_WARNING, "structure", STR("message"),
                   "%zu lines that are no segments", s->odd);
    }
}

/* Split all lines; the list of segments grows in @list. */
static int split(struct splitter *s, struct v2_message *m, struct buf *list)
{
    uint32_t used = 0;
    while (s->rest.n) {
        struct str line = next_line(s);
        if (only_spaces(line)) {
            s->blank++;
            continue;
        }
        struct v2_segment segment = { .text = line, .first = used };
        if (segment_start(line, s->field)) {
            memcpy(segment.name, line.p, 3);
        } else {
            s->odd++;
        }
        segment.fields = index_fields(m->text.p, line, s->field, m->offsets + used);
        used += segment.fields;
        buf_put(list, &segment, sizeof(segment));
    }
    if (buf_failed(list)) {
        return list->n + sizeof(struct v2_segment) > list->limit ? V2_MESSAGE_E_LIMIT : -ENOMEM;
    }
    m->segments = (struct v2_segment *)(void *)list->p;
    m->count = list->n / sizeof(struct v2_segment);
    return 0;
}

/* Past a byte order mark and line ends that stand before the header. */
static struct str skip_lead(struct str text, struct issues *issues)
{
    size_t at = str_starts(text, STR("\xef\xbb\xbf")) ? 3 : 0;
    while (at < text.n && (text.p[at] == '\r' || text.p[at] == '\n' || text.p[at] == ' ')) {
        at++;
    }
    if (at) {
        issues_add(issues, ISSUE_WARNING, "structure", STR("MSH"),
                   "%zu bytes before the header", at);
    }
    return str_slice(text, at, text.n);
}

/* Say why @text isn't read, and return @error. */
static int refuse(struct issues *issues, int error, const char *place, const char *text)
{
    issues_add(issues, ISSUE_FATAL, "structure", str_z(place), "%s", text);
    return error;
}

int v2_parse(struct arena *arena, struct str text, struct issues *issues,
             struct v2_message *out)
{
    const char *place;
    if (text.n > V2_MESSAGE_MAX) {
        return refuse(issues, V2_MESSAGE_E_LIMIT, "message", "longer than 64 MB");
    }
    struct v2_message m = { .text = text };
    struct splitter s = { .rest = skip_lead(text, issues) };
    int r = v2_delims_read(s.rest, &m.delims);
    if (r) {
        const char *why = v2_delims_error(r, &place);
        return refuse(issues, V2_MESSAGE_E_HEADER, place, why);
    }
    if (!str_starts(s.rest, STR("MSH"))) {
        return refuse(issues, V2_MESSAGE_E_BATCH,
                      str_starts(s.rest, STR("FHS")) ? "FHS" : "BHS",
                      "a batch stands where a message is expected");
    }

    s.field = m.delims.field;
    s.cr = memchr(s.rest.p, '\r', s.rest.n) != NULL;
    /* One slot more than separators: index_fields() stores before it knows. */
    m.offsets = arena_alloc(arena, (count_byte(s.rest, s.field) + 1) * sizeof(m.offsets[0]));
    if (!m.offsets) {
        return -ENOMEM;
    }
    struct buf list = arena_buf(arena, V2_SEGMENTS_MAX * sizeof(struct v2_segment));
    r = split(&s, &m, &list);
    if (r == V2_MESSAGE_E_LIMIT) {
        return refuse(issues, r, "message", "more than 100000 segments");
    }
    if (r) {
        return r;
    }
    report(&s, issues);
    if (v2_delims_doubled(v2_field(&m, &m.segments[0], 2))) {
        issues_add(issues, ISSUE_WARNING, "structure", STR("MSH-2"),
                   "the escape character stands there twice");
    }
    *out = m;
    return 0;
}

int v2_parse_header(struct arena *arena, struct str text, struct v2_message *out)
{
    struct issues ignored;
    issues_init(&ignored, arena);
    struct v2_message m = { .text = text };
    struct str rest = skip_lead(text, &ignored);
    if (v2_delims_read(rest, &m.delims) != 0) {
        return V2_MESSAGE_E_HEADER;
    }

    size_t end = 0;
    while (end < rest.n && end < V2_HEADER_MAX && rest.p[end] != '\r' && rest.p[end] != '\n') {
        end++;
    }
    struct str line = str_slice(rest, 0, end);
    m.text = str_of(text.p, (size_t)(line.p - text.p) + line.n);
    m.segments = arena_calloc(arena, 1, sizeof(*m.segments));
    m.offsets =
        arena_alloc(arena, (count_byte(line, m.delims.field) + 1) * sizeof(m.offsets[0]));
    if (!m.segments || !m.offsets) {
        return -ENOMEM;
    }
    m.count = 1;
    m.segments[0].text = line;
    memcpy(m.segments[0].name, line.p, 3);
    m.segments[0].fields = index_fields(text.p, line, m.delims.field, m.offsets);
    *out = m;
    return 0;
}

/* In a header segment the first separator is itself field 1. */
static bool is_header(const struct v2_segment *segment)
{
    const char *name = segment->name;
    return name[1] != '\0' && name[2] != '\0' &&
           ((name[0] == 'M' && name[1] == 'S' && name[2] == 'H') ||
            (name[1] == 'H' && name[2] == 'S' && (name[0] == 'F' || name[0] == 'B')));
}

uint32_t v2_field_last(const struct v2_segment *segment)
{
    return segment->fields + (is_header(segment) && segment->fields ? 1 : 0);
}

struct str v2_field(const struct v2_message *message, const struct v2_segment *segment,
                    uint32_t number)
{
    if (number == 0) {
        return str_slice(segment->text, 0, 3);
    }
    if (is_header(segment)) {
        if (number == 1) {
            return str_slice(segment->text, 3, 4);
        }
        number--;
    }
    if (number > segment->fields) {
        return (struct str){ 0 };
    }
    const uint32_t *offsets = message->offsets + segment->first;
    const char *start = message->text.p + offsets[number - 1];
    const char *end = number < segment->fields ? message->text.p + offsets[number] - 1
                                               : segment->text.p + segment->text.n;
    return str_of(start, (size_t)(end - start));
}

size_t v2_find(const struct v2_message *message, const char *name, size_t from)
{
    for (size_t i = from; i < message->count; i++) {
        if (memcmp(message->segments[i].name, name, 4) == 0) {
            return i;
        }
    }
    return message->count;
}

/* First component of the first repetition. */
static struct str plain(const struct v2_message *m, uint32_t number)
{
    struct str field = v2_field(m, &m->segments[0], number);
    struct str repetition = str_cut(&field, m->delims.repetition);
    return str_cut(&repetition, m->delims.component);
}

/* "ORU^R01^ORU_R01", or the lone "ORU_R01" of some senders. */
static void read_type(const struct v2_message *m, struct v2_header *h)
{
    struct str type = v2_field(m, &m->segments[0], 9);
    h->type = str_cut(&type, m->delims.component);
    h->event = str_cut(&type, m->delims.component);
    h->structure = str_cut(&type, m->delims.component);
    if (!h->event.n && h->type.n == 7 && h->type.p[3] == '_') {
        h->structure = h->type;
        h->event = str_slice(h->type, 4, 7);
        h->type = str_slice(h->type, 0, 3);
    }
    size_t evn = v2_find(m, "EVN", 0);
    if (!h->event.n && evn < m->count) {
        struct str field = v2_field(m, &m->segments[evn], 1);
        h->event = str_cut(&field, m->delims.component);
    }
}

void v2_header(const struct v2_message *message, struct v2_header *out)
{
    const struct v2_segment *msh = &message->segments[0];
    if (msh->name[0] != 'M') { /* FHS, BHS: other fields beyond these */
        *out = (struct v2_header){
            .sending_application = v2_field(message, msh, 3),
            .sending_facility = v2_field(message, msh, 4),
            .receiving_application = v2_field(message, msh, 5),
            .receiving_facility = v2_field(message, msh, 6),
            .time = plain(message, 7),
            .control_id = v2_field(message, msh, 11),
        };
        return;
    }
    *out = (struct v2_header){
        .sending_application = v2_field(message, msh, 3),
        .sending_facility = v2_field(message, msh, 4),
        .receiving_application = v2_field(message, msh, 5),
        .receiving_facility = v2_field(message, msh, 6),
        .time = plain(message, 7),
        .control_id = v2_field(message, msh, 10),
        .processing = v2_field(message, msh, 11),
        .version = plain(message, 12),
        .charset = plain(message, 18),
    };
    read_type(message, out);
}
