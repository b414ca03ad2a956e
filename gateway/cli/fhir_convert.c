/*
 * chartseal fhir convert: resources between JSON, XML and NDJSON.
 *
 *   document: JSON or XML --> a tree --> a document, or the lines of a Bundle's resources
 *   NDJSON: line by line --> line by line, or a Bundle of type collection
 *
 * What it reads is told by its first bytes: "<" is XML; a whole JSON value on the first line
 * with something after it is NDJSON. Lines are read and written one after the other, so that
 * their number has no limit. What was written before a mistake stays written; the exit code
 * says so.
 */
#include "gateway/cli/cli.h"

#include "fhir/base/arena.h"
#include "fhir/format/json.h"
#include "fhir/format/json_node.h"
#include "fhir/format/ndjson.h"
#include "fhir/format/xml.h"
#include "gateway/cli/input.h"
#include "gateway/heap.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const char NAME[] = "fhir convert";
static const char BYTE_ORDER_MARK[] = "\xEF\xBB\xBF";

enum {
    ARENA_FIRST = 1 << 20,
    OUT_MAX = 256 << 20, /* bytes of a document */
};

enum format {
    FORMAT_JSON,
    FORMAT_XML,
    FORMAT_NDJSON,
};

/*
 * @out:   one document or line before it is written
 * @lines: of NDJSON that was read
 */
struct converting {
    enum format to;
    const struct schema *schema;
    struct cli_input input;
    struct arena *arena;
    struct issues issues;
    struct buf out;
    struct ndjson lines;
};

/* ---- writing ---- */

static int flush(struct converting *c)
{
    if (buf_failed(&c->out)) {
        return EX_OSERR;
    }
    bool good = !c->out.n || fwrite(c->out.p, 1, c->out.n, stdout) == c->out.n;
    c->out.n = 0;
    return good ? EX_OK : EX_IOERR;
}

/* What is wrong in a line of NDJSON has the line's number before its place. */
static int say(struct converting *c, int r)
{
    if (c->lines.line && c->issues.count) {
        (void)fprintf(stderr, "chartseal %s: in line %zu\n", NAME, c->lines.line);
    }
    cli_say_issues(stderr, &c->issues, true);
    return r < 0 ? EX_OSERR : r ? EX_DATAERR : EX_OK;
}

/* One resource, in the form that @c writes. */
static int put(struct converting *c, const struct node *node)
{
    int r = 0;
    if (c->to == FORMAT_XML) {
        r = xml_write(c->arena, c->schema, node, &c->issues, &c->out);
    } else {
        json_node(&c->out, node);
    }
    return r ? say(c, r) : flush(c);
}

static int put_text(struct converting *c, const char *text)
{
    buf_z(&c->out, text);
    return flush(c);
}

/* A line for each resource of a Bundle, or for the one that @root is. */
static int put_lines(struct converting *c, const struct node *root)
{
    bool bundle = str_eq(node_text(root, "resourceType"), STR("Bundle"));
    const struct node *entry = bundle ? node_first(node_get(root, "entry")) : root;
    int code = EX_OK;
    for (; entry && code == EX_OK; entry = bundle ? entry->next : NULL) {
        const struct node *resource = bundle ? node_get(entry, "resource") : entry;
        if (resource) {
            code = put(c, resource);
            code = code == EX_OK ? put_text(c, "\n") : code;
        }
    }
    return code;
}

/* ---- a document ---- */

static int read_document(struct converting *c, struct str text, bool xml,
                         const struct node **root)
{
    arena_reset(c->arena);
    issues_init(&c->issues, c->arena);
    int r = xml ? xml_parse(c->arena, c->schema, text, &c->issues, root)
                : json_parse(c->arena, text, &c->issues, root);
    return say(c, r);
}

static int convert_document(struct converting *c, bool xml)
{
    const struct node *root = NULL;
    int code = cli_input_all(&c->input);
    code = code == EX_OK ? read_document(c, buf_str(&c->input.text), xml, &root) : code;
    if (code != EX_OK) {
        return code;
    }
    issues_init(&c->issues, c->arena); /* those of the reading were said */
    if (c->to == FORMAT_NDJSON) {
        return put_lines(c, root);
    }
    if (c->to == FORMAT_XML) {
        buf_z(&c->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    }
    code = put(c, root);
    return code == EX_OK ? put_text(c, "\n") : code;
}

/* ---- NDJSON ---- */

/* What stands around the resources and each of them, by what is written. */
static const struct around {
    const char *head, *before, *between, *after, *tail;
} arounds[] = {
    [FORMAT_JSON] = { "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[",
                      "{\"resource\":", ",\n", "}", "]}\n" },
    [FORMAT_XML] = { "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Bundle xmlns=\"" XML_FHIR
                     "\"><type value=\"collection\"/>",
                     "<entry><resource>", "\n", "</resource></entry>", "</Bundle>\n" },
    [FORMAT_NDJSON] = { "", "", "", "\n", "" },
};

static int convert_line(struct converting *c, struct str line, bool first)
{
    const struct around *around = &arounds[c->to];
    const struct node *root = NULL;
    int code = read_document(c, line, false, &root);
    if (code != EX_OK) {
        return code;
    }
    buf_z(&c->out, first ? "" : around->between);
    buf_z(&c->out, around->before);
    code = put(c, root);
    return code == EX_OK ? put_text(c, around->after) : code;
}

/* Read as much again as there is, so that a long line isn't looked through too often. */
static int read_on(struct converting *c)
{
    size_t want = c->input.text.n * 2;
    int code = cli_input_more(&c->input);
    while (code == EX_OK && !c->input.end && c->input.text.n < want) {
        code = cli_input_more(&c->input);
    }
    return code;
}

static int convert_lines(struct converting *c)
{
    bool first = true;
    int code = put_text(c, arounds[c->to].head);
    while (code == EX_OK) {
        struct str rest = buf_str(&c->input.text);
        struct str line;
        while (code == EX_OK && ndjson_next(&c->lines, &rest, c->input.end, &line)) {
            code = convert_line(c, line, first);
            first = false;
        }
        buf_drop(&c->input.text, c->input.text.n - rest.n);
        if (code != EX_OK || c->input.end) {
            break;
        }
        code = read_on(c);
    }
    return code == EX_OK ? put_text(c, arounds[c->to].tail) : code;
}

/* ---- which of them ---- */

static bool begins_xml(struct str text)
{
    struct str mark = str_z(BYTE_ORDER_MARK);
    size_t at = str_starts(text, mark) ? mark.n : 0;
    while (at < text.n && strchr(" \t\r\n", text.p[at])) {
        at++;
    }
    return at < text.n && text.p[at] == '<';
}

/* Whether the first line is a JSON value and something follows; @code isn't EX_OK if it can't
 * be read. */
static bool begins_ndjson(struct converting *c, int *code)
{
    struct str first;
    struct str second;
    const struct node *root;
    for (;;) {
        struct ndjson lines = { 0 };
        struct str rest = buf_str(&c->input.text);
        if (ndjson_next(&lines, &rest, c->input.end, &first) &&
            ndjson_next(&lines, &rest, true, &second)) {
            break;
        }
        if (c->input.end) {
            return false;
        }
        *code = read_on(c);
        if (*code != EX_OK) {
            return false;
        }
    }
    arena_reset(c->arena);
    issues_init(&c->issues, c->arena);
    return json_parse(c->arena, first, &c->issues, &root) == 0;
}

static int convert(struct converting *c)
{
    int code = cli_input_more(&c->input);
    if (code != EX_OK) {
        return code;
    }
    if (begins_xml(buf_str(&c->input.text))) {
        return convert_document(c, true);
    }
    bool lines = begins_ndjson(c, &code);
    if (code != EX_OK) {
        return code;
    }
    return lines ? convert_lines(c) : convert_document(c, false);
}

static int run(struct converting *c, const char *path)
{
    int code = cli_input_open(&c->input, NAME, path, JSON_TEXT_MAX);
    c->arena = arena_new(ARENA_FIRST);
    c->out = heap_buf(OUT_MAX);
    if (code == EX_OK) {
        code = c->arena ? convert(c) : EX_OSERR;
    }
    if (fflush(stdout) != 0 && code == EX_OK) {
        code = EX_IOERR;
    }
    if (code == EX_OSERR || code == EX_IOERR) {
        (void)fprintf(stderr, "chartseal %s: %s\n", NAME,
                      code == EX_OSERR ? "no memory" : "the output can't be written");
    }
    heap_buf_free(&c->out);
    arena_free(c->arena);
    cli_input_close(&c->input);
    return code;
}

static bool find_format(const char *name, enum format *out)
{
    static const char *const names[] = {
        [FORMAT_JSON] = "json", [FORMAT_XML] = "xml", [FORMAT_NDJSON] = "ndjson"
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (name && strcmp(name, names[i]) == 0) {
            *out = (enum format)i;
            return true;
        }
    }
    return false;
}

/* The version named @name; R4 if none is. NULL if it isn't known. */
static const struct schema *find_schema(const char *name)
{
    static const struct {
        const char *name;
        const struct schema *schema;
    } versions[] = {
        { "r4", &schema_r4 },
        { "r4b", &schema_r4b },
        { "r5", &schema_r5 },
    };
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        if (!name || strcmp(name, versions[i].name) == 0) {
            return versions[i].schema;
        }
    }
    return NULL;
}

int cli_fhir_convert(int argc, char **argv)
{
    struct converting c = { .to = FORMAT_JSON };
    struct cli_words words = { .n = 0 };
    const char *to = NULL;
    const char *version = NULL;
    const struct cli_arg args[] = {
        { .name = "--to", .value = &to },
        { .name = "--fhir", .value = &version },
    };
    bool good = cli_args(argc, argv, args, ARRAY_LEN(args), &words) == 0 && words.n <= 1;
    c.schema = find_schema(version);
    if (!good || !c.schema || !find_format(to, &c.to)) {
        return cli_usage("fhir convert --to xml|json|ndjson [--fhir r4|r4b|r5] [FILE|-]");
    }
    return run(&c, words.n ? words.p[0] : "-");
}
