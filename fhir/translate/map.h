/*
 * Maps: text files that say what HL7 v2 becomes in FHIR, compiled to the tables of rules.h.
 *
 * schemas/map/README.md has the language. The maps that belong to the program are in it as
 * text; they are compiled by the same code as anybody else's.
 */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/base/issue.h"
#include "fhir/translate/rules.h"

enum {
    MAP_E_WRONG = 1, /* there are mistakes; the issues say where and which */
};

enum {
    MAP_FILE_MAX = 8 << 20, /* bytes of a file */
    MAP_FILES_MAX = 256,
    MAP_LINE_MAX = 8192,   /* bytes of a line */
    MAP_ROWS_MAX = 200000, /* of all files, codes of tables included */
};

/*
 * @name:  for messages to people: "segments.map"
 * @text:  borrowed by what is compiled from it
 * @layer: a file changes what files of lower layers say; the shipped ones are layer 0, and
 *         layers never decrease from file to file
 */
struct map_file {
    const char *name;
    struct str text;
    uint16_t layer;
};

/* The maps that belong to the program, in order. */
extern const struct map_file map_shipped[];
extern const size_t map_shipped_count;

/**
 * map_compile() - tables from map files
 * @arena:  memory for the tables, about three times the text
 * @files:  @count of them, in order
 * @issues: told each mistake, as errors whose place is "FILE:LINE"
 * @out:    the tables; they borrow from @files
 *
 * Return: 0, MAP_E_WRONG or -ENOMEM; @out is set only on 0.
 */
MUST_USE int map_compile(struct arena *arena, const struct map_file *files, size_t count,
                         struct issues *issues, const struct rules **out);
