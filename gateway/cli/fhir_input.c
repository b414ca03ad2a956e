/*
 * Telling documents from lines, and reading one resource after the other.
 */
#include "gateway/cli/fhir_input.h"

#include "fhir/format/json.h"
#include "fhir/format/xml.h"
#include "gateway/heap.h"

#include <string.h>
#include <sysexits.h>

static const char BYTE_ORDER_MARK[] = "\xEF\xBB\xBF";

enum {
    ARENA_FIRST = 1 << 20,
};

int fhir_input_say(const struct fhir_input *input, int r)
{
    if (input->ndjson && input->issues.count) {
        (void)fprintf(stderr, "chartseal %s: in line %zu\n", input->input.command,
                      input->lines.line);
    }
    cli_say_issues(stderr, &input->issues, true);
    return r < 0 ? EX_OSERR : r ? EX_DATAERR : EX_OK;
}

static bool begins_xml(struct str text)
{
    struct str mark = str_z(BYTE_ORDER_MARK);
    size_t at = str_starts(text, mark) ? mark.n : 0;
    while (at < text.n && strchr(" \t\r\n", text.p[at])) {
        at++;
    }
    return at < text.n && text.p[at] == '<';
}

/* Read as much again as there is, so that a long line isn't looked through too often. */
static int read_on(struct cli_input *input)
{
    size_t want = input->text.n * 2;
    int code = cli_input_more(input);
    while (code == EX_OK && !input->end && input->text.n < want) {
        code = cli_input_more(input);
    }
    return code;
}

/* Whether the first line is a JSON value and something follows; @code isn't EX_OK if it can't
 * be read. */
static bool begins_ndjson(struct fhir_input *input, int *code)
{
    struct str first;
    struct str second;
    const struct node *root;
    for (;;) {
        struct ndjson lines = { 0 };
        struct str rest = buf_str(&input->input.text);
        if (ndjson_next(&lines, &rest, input->input.end, &first) &&
            ndjson_next(&lines, &rest, true, &second)) {
            break;
        }
        if (input->input.end) {
            return false;
        }
        *code = read_on(&input->input);
        if (*code != EX_OK) {
            return false;
        }
    }
    arena_reset(input->arena);
    issues_init(&input->issues, input->arena);
    return json_parse(input->arena, first, &input->issues, &root) == 0;
}

int fhir_input_open(struct fhir_input *input, const char *command, const char *path,
                    const struct schema *schema)
{
    *input = (struct fhir_input){ .schema = schema, .arena = arena_new(ARENA_FIRST) };
    int code = cli_input_open(&input->input, command, path, JSON_TEXT_MAX);
    code = code == EX_OK && !input->arena ? EX_OSERR : code;
    code = code == EX_OK ? cli_input_more(&input->input) : code;
    if (code != EX_OK) {
        return code;
    }
    input->xml = begins_xml(buf_str(&input->input.text));
    input->ndjson = !input->xml && begins_ndjson(input, &code);
    return code;
}

static int read_resource(struct fhir_input *input, struct str text, const struct node **root)
{
    arena_reset(input->arena);
    issues_init(&input->issues, input->arena);
    int r = input->xml ? xml_parse(input->arena, input->schema, text, &input->issues, root)
                       : json_parse(input->arena, text, &input->issues, root);
    int code = fhir_input_say(input, r);
    issues_init(&input->issues, input->arena); /* those of the reading were said */
    return code;
}

static int next_document(struct fhir_input *input, const struct node **root)
{
    int code = cli_input_all(&input->input);
    input->ended = true;
    return code == EX_OK ? read_resource(input, buf_str(&input->input.text), root) : code;
}

/* The tree borrows from the text, so a line's is dropped when the next one is asked for. */
static int next_line(struct fhir_input *input, const struct node **root)
{
    struct str line;
    for (;;) {
        buf_drop(&input->input.text, input->used);
        struct str rest = buf_str(&input->input.text);
        bool found = ndjson_next(&input->lines, &rest, input->input.end, &line);
        input->used = input->input.text.n - rest.n;
        if (found || input->input.end) {
            input->ended = !found;
            return found ? read_resource(input, line, root) : EX_OK;
        }
        buf_drop(&input->input.text, input->used);
        input->used = 0;
        int code = read_on(&input->input);
        if (code != EX_OK) {
            return code;
        }
    }
}

int fhir_input_next(struct fhir_input *input, const struct node **root)
{
    *root = NULL;
    if (input->ended) {
        return EX_OK;
    }
    return input->ndjson ? next_line(input, root) : next_document(input, root);
}

void fhir_input_close(struct fhir_input *input)
{
    arena_free(input->arena);
    cli_input_close(&input->input);
}

const struct schema *fhir_input_schema(const char *name)
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
