/*
 * Resources that a command is given: one document in JSON or XML, or lines of NDJSON.
 *
 * What it is is told by its first bytes: "<" is XML; a whole JSON value on the first line with
 * something after it is NDJSON. Lines are read one after the other, so that their number has no
 * limit.
 */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/base/issue.h"
#include "fhir/format/ndjson.h"
#include "fhir/model/node.h"
#include "fhir/model/schema.h"
#include "gateway/cli/input.h"

/*
 * @arena:  of the resource that was given last, and its issues
 * @issues: what was said about reading it
 * @ndjson: there are lines; those read so far are counted in @lines
 * @used:   bytes of the text that the last resource was read from
 */
struct fhir_input {
    struct cli_input input;
    const struct schema *schema;
    struct arena *arena;
    struct issues issues;
    struct ndjson lines;
    size_t used;
    bool ndjson;
    bool xml;
    bool ended;
};

/* Begin, and tell what it is; @schema: of XML. Each returns EX_OK or the code to exit with; why
 * was said. */
MUST_USE int fhir_input_open(struct fhir_input *input, const char *command, const char *path,
                             const struct schema *schema);

/* The next resource, NULL after the last; it lives until the one after it. */
MUST_USE int fhir_input_next(struct fhir_input *input, const struct node **root);

/* Write @issues on standard error, those of a line after its number; the code to exit with. */
MUST_USE int fhir_input_say(const struct fhir_input *input, int r);

void fhir_input_close(struct fhir_input *input);

/* The version named @name, "r4", "r4b" or "r5"; R4 if @name is NULL. NULL if it isn't known. */
const struct schema *fhir_input_schema(const char *name);
