/*
 * Cutting files into messages.
 *
 * Lines are looked at by their first letters only: a header or trailer is one line, a message
 * begins with MSH and goes on to the next of these, or to the end of its frame. What a line
 * feed means within a message is v2_parse()'s to decide; here a name at the start of a line is
 * enough, since no text of a message begins a line with "MSH|".
 */
#include "fhir/v2/batch.h"

#include <stdint.h>

enum {
    FRAME_START = 0x0B,
    FRAME_END = 0x1C,
    COUNT_MAX = 1000000000,
};

static const struct {
    struct str name;
    enum v2_batch_kind kind;
} names[] = {
    { { "MSH", 3 }, V2_BATCH_MESSAGE },      { { "FHS", 3 }, V2_BATCH_FILE_HEADER },
    { { "BHS", 3 }, V2_BATCH_HEADER },       { { "BTS", 3 }, V2_BATCH_TRAILER },
    { { "FTS", 3 }, V2_BATCH_FILE_TRAILER },
};

/* Whether @text begins with a line that begins a part, and which; a trailer may be bare. */
static bool part_begins(struct str text, enum v2_batch_kind *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!str_starts(text, names[i].name)) {
            continue;
        }
        bool bare = text.n == 3 || text.p[3] == '\r' || text.p[3] == '\n';
        if (bare ? text.p[1] == 'T' : v2_delims_usable(text.p[3])) {
            *kind = names[i].kind;
            return true;
        }
    }
    return false;
}

static bool between(char c)
{
    return c == '\r' || c == '\n' || c == FRAME_START || c == FRAME_END || c == ' ';
}

static struct str skip_between(struct str text)
{
    size_t at = str_starts(text, STR("\xef\xbb\xbf")) ? 3 : 0;
    while (at < text.n && between(text.p[at])) {
        at++;
    }
    return str_slice(text, at, text.n);
}

bool v2_batch_begins(struct str text)
{
    enum v2_batch_kind kind;
    return part_begins(skip_between(text), &kind) &&
           (kind == V2_BATCH_FILE_HEADER || kind == V2_BATCH_HEADER);
}

struct v2_batch v2_batch(struct str text, struct issues *issues)
{
    return (struct v2_batch){ .rest = text, .issues = issues, .delims = V2_DELIMS_USUAL };
}

/* The length of the line at the front of @text, with the line ends after it. */
static size_t line_length(struct str text)
{
    size_t n = 0;
    while (n < text.n && text.p[n] != '\r' && text.p[n] != '\n' && text.p[n] != FRAME_END) {
        n++;
    }
    while (n < text.n && (text.p[n] == '\r' || text.p[n] == '\n')) {
        n++;
    }
    return n;
}

/* Past lines that belong to nothing; told. */
static bool find_part(struct v2_batch *batch, enum v2_batch_kind *kind)
{
    size_t lost = 0;
    batch->rest = skip_between(batch->rest);
    while (batch->rest.n && !part_begins(batch->rest, kind)) {
        size_t n = line_length(batch->rest);
        batch->rest = skip_between(str_slice(batch->rest, n ? n : 1, batch->rest.n));
        lost++;
    }
    if (lost) {
        issues_add(batch->issues, ISSUE_ERROR, "structure", STR("MSH"),
                   "%zu lines belong to no message", lost);
    }
    return batch->rest.n > 0;
}

/* Take the message at the front: up to the line that begins the next part. */
static struct str take_message(struct v2_batch *batch)
{
    struct str rest = batch->rest;
    size_t n = line_length(rest);
    enum v2_batch_kind ignored;
    while (n < rest.n && rest.p[n] != FRAME_END && rest.p[n] != FRAME_START &&
           !part_begins(str_slice(rest, n, rest.n), &ignored)) {
        size_t line = line_length(str_slice(rest, n, rest.n));
        n += line ? line : 1;
    }
    batch->rest = str_slice(rest, n, rest.n);
    size_t end = n;
    while (end && between(rest.p[end - 1])) {
        end--;
    }
    end += end < n && rest.p[end] == '\r'; /* the terminator of its last segment */
    end += end < n && rest.p[end] == '\n';
    return str_slice(rest, 0, end);
}

static struct str take_line(struct v2_batch *batch)
{
    struct str line = str_slice(batch->rest, 0, line_length(batch->rest));
    batch->rest = str_slice(batch->rest, line.n, batch->rest.n);
    while (line.n && between(line.p[line.n - 1])) {
        line.n--;
    }
    return line;
}

/* --- headers and trailers ----------------------------------------------------------------- */

/* Field 1 of a trailer as a number; -1: not valued, or none. */
static int64_t count_in(const struct v2_batch *batch, struct str trailer)
{
    struct str rest = str_slice(trailer, 4, trailer.n);
    struct str digits = str_cut(&rest, batch->delims.field);
    int64_t count = digits.n ? 0 : -1;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9' || count > COUNT_MAX) {
            return -1;
        }
        count = count * 10 + (digits.p[i] - '0');
    }
    return count;
}

static void check_count(const struct v2_batch *batch, struct str trailer, size_t counted,
                        const char *what)
{
    int64_t said = count_in(batch, trailer);
    char place[] = "BTS-1";
    memcpy(place, trailer.p, 3);
    if (said >= 0 && (uint64_t)said != counted) {
        issues_add(batch->issues, ISSUE_ERROR, "value", str_z(place),
                   "says %lld, but there were %zu %s", (long long)said, counted, what);
    }
}

static void missing(const struct v2_batch *batch, const char *name, const char *text)
{
    issues_add(batch->issues, ISSUE_WARNING, "required", str_z(name), "%s", text);
}

static void close_batch(struct v2_batch *batch)
{
    if (batch->in_batch) {
        missing(batch, "BTS", "the batch has no trailer");
    }
    batch->in_batch = false;
}

static void close_file(struct v2_batch *batch)
{
    close_batch(batch);
    if (batch->in_file) {
        missing(batch, "FTS", "the file has no trailer");
    }
    batch->in_file = false;
}

static void read_line(struct v2_batch *batch, const struct v2_batch_part *part)
{
    switch (part->kind) {
    case V2_BATCH_MESSAGE: return;
    case V2_BATCH_FILE_HEADER:
        close_file(batch);
        batch->in_file = true;
        batch->batches = 0;
        (void)!v2_delims_read(part->text, &batch->delims);
        return;
    case V2_BATCH_HEADER:
        close_batch(batch);
        batch->in_batch = true;
        batch->batches++;
        batch->messages = 0;
        (void)!v2_delims_read(part->text, &batch->delims);
        return;
    case V2_BATCH_TRAILER:
        if (!batch->in_batch) {
            missing(batch, "BHS", "the batch has no header");
            batch->batches++;
        }
        check_count(batch, part->text, batch->messages, "messages");
        batch->in_batch = false;
        batch->messages = 0;
        return;
    case V2_BATCH_FILE_TRAILER:
        close_batch(batch);
        if (!batch->in_file) {
            missing(batch, "FHS", "the file has no header");
        }
        check_count(batch, part->text, batch->batches, "batches");
        batch->in_file = false;
        return;
    }
}

bool v2_batch_next(struct v2_batch *batch, struct v2_batch_part *out)
{
    struct v2_batch_part part;
    if (!find_part(batch, &part.kind)) {
        if (!batch->ended) {
            close_file(batch);
        }
        batch->ended = true;
        return false;
    }
    if (part.kind == V2_BATCH_MESSAGE) {
        part.text = take_message(batch);
        batch->messages++;
    } else {
        part.text = take_line(batch);
        read_line(batch, &part);
    }
    *out = part;
    return true;
}
