/*
 * NDJSON: one JSON value on each line.
 *
 *     struct ndjson lines = { 0 };
 *     while (ndjson_next(&lines, &rest, end, &line)) {
 *         json_parse(arena, line, …);
 *     }
 *
 * Text may come in pieces: what isn't a whole line yet stays in @rest.
 */
#pragma once

#include "crypto/base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* @line: number of the line that was given last, from 1 */
struct ndjson {
    size_t line;
};

/**
 * ndjson_next() - the next line with something on it
 * @ndjson: where the reading is
 * @rest:   text not read yet; what follows the line afterwards
 * @end:    no more text will come, so that the last line needs no newline
 * @line:   without its end; set only on true
 *
 * Return: whether there is one
 * Spec:   NDJSON 1.0.0 section 3, FHIR R4 nd-json.html
 */
bool ndjson_next(struct ndjson *ndjson, struct str *rest, bool end, struct str *line);
