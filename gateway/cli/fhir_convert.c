/*
 * chartseal fhir convert: resources between JSON, XML and NDJSON.
 *
 *   document: JSON or XML --> a tree --> a document, or the lines of a Bundle's resources
 *   NDJSON: line by line --> line by line, or a Bundle of type collection
 *
 * Lines are read and written one after the other, so that their number has no limit. What was
 * written before a mistake stays written; the exit code says so.
 */
#include "gateway/cli/cli.h"

#include "fhir/format/json_node.h"
#include "fhir/format/xml.h"
#include "gateway/cli/fhir_input.h"
#include "gateway/heap.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const char NAME[] = "fhir convert";

enum {
    OUT_MAX = 256 << 20, /* bytes of a document */
};

enum format {
    FORMAT_JSON,
    FORMAT_XML,
    FORMAT_NDJSON,
};

/* @out: one document or line before it is written */
struct converting {
    enum format to;
    const struct schema *schema;
    struct fhir_input input;
    struct buf out;
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

/* One resource, in the form that @c writes. */
static int put(struct converting *c, const struct node *node)
{
    int r = 0;
    if (c->to == FORMAT_XML) {
        r = xml_write(c->input.arena, c->schema, node, &c->input.issues, &c->out);
    } else {
        json_node(&c->out, node);
    }
    return r ? fhir_input_say(&c->input, r) : flush(c);
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

static int convert_document(struct converting *c)
{
    const struct node *root = NULL;
    int code = fhir_input_next(&c->input, &root);
    if (code != EX_OK) {
        return code;
    }
    if (c->to == FORMAT_NDJSON) {
        return put_lines(c, root);
    }
    if (c->to == FORMAT_XML) {
        buf_z(&c->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    }
    code = put(c, root);
    return code == EX_OK ? put_text(c, "\n") : code;
}

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

static int convert_lines(struct converting *c)
{
    const struct around *around = &arounds[c->to];
    const struct node *root = NULL;
    int code = put_text(c, around->head);
    for (bool first = true; code == EX_OK; first = false) {
        code = fhir_input_next(&c->input, &root);
        if (code != EX_OK || !root) {
            break;
        }
        buf_z(&c->out, first ? "" : around->between);
        buf_z(&c->out, around->before);
        code = put(c, root);
        code = code == EX_OK ? put_text(c, around->after) : code;
    }
    return code == EX_OK ? put_text(c, around->tail) : code;
}

static int run(struct converting *c, const char *path)
{
    int code = fhir_input_open(&c->input, NAME, path, c->schema);
    c->out = heap_buf(OUT_MAX);
    if (code == EX_OK) {
        code = c->input.ndjson ? convert_lines(c) : convert_document(c);
    }
    if (fflush(stdout) != 0 && code == EX_OK) {
        code = EX_IOERR;
    }
    if (code == EX_OSERR || code == EX_IOERR) {
        (void)fprintf(stderr, "chartseal %s: %s\n", NAME,
                      code == EX_OSERR ? "no memory" : "the output can't be written");
    }
    heap_buf_free(&c->out);
    fhir_input_close(&c->input);
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
    c.schema = fhir_input_schema(version);
    if (!good || !c.schema || !find_format(to, &c.to)) {
        return cli_usage("fhir convert --to xml|json|ndjson [--fhir r4|r4b|r5] [FILE|-]");
    }
    return run(&c, words.n ? words.p[0] : "-");
}
