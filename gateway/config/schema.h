/*
 * A configuration file read by a table of options.
 *
 * The table is the whole truth about an option: its name, type, place in the C struct, default,
 * bounds and the sentence that explains it. Reading, checking, printing and the reference
 * page (chartseal check-config --options) all go by it.
 */
#pragma once

#include "fhir/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_type {
    CONFIG_STRING,   /* const char * */
    CONFIG_INTEGER,  /* int64_t */
    CONFIG_DURATION, /* int64_t, milliseconds; written 500ms, 10s, 15m, 2h, 7d */
    CONFIG_BOOL,     /* bool */
    CONFIG_CHOICE,   /* int, index into choices */
    CONFIG_PATH,     /* const char *, of a file that can be read; relative to the config file */
    CONFIG_SECRET,   /* const char *, of a file that only its owner can read */
    CONFIG_STRINGS,  /* struct config_strings */
    CONFIG_PATHS,    /* struct config_strings, each as CONFIG_PATH */
    CONFIG_PAIRS,    /* struct config_pairs: free names, string values */
    CONFIG_SECTION,  /* pointer to a struct that begins with struct config_place */
    CONFIG_LIST,     /* struct config_list of such structs */
    CONFIG_MAP,      /* struct config_list; the names are the keys */
};

enum {
    CONFIG_REQUIRED = 1 << 0,
};

/* Where a section, or an element of a list or map, stands in the file. */
struct config_place {
    const char *name; /* key of a map's element, else the path */
    int line;
};

struct config_strings {
    const char **items;
    size_t n;
};

struct config_pair {
    const char *name;
    const char *value;
};

struct config_pairs {
    struct config_pair *items;
    size_t n;
};

struct config_list {
    void *items;
    size_t n;
};

/*
 * @offset:   of the value in the struct
 * @fallback: the default, as it would be written; NULL: zero or absent
 * @least, @most: bounds of integers and durations (in milliseconds); both 0: none
 * @choices:  names, ended by NULL
 * @options:  of a section or an element, ended by an option without name
 * @size:     of the struct of a section or an element
 */
struct config_option {
    const char *name;
    enum config_type type;
    size_t offset;
    unsigned flags;
    const char *fallback;
    const char *help;
    int64_t least;
    int64_t most;
    const char *const *choices;
    const struct config_option *options;
    size_t size;
};

enum {
    CONFIG_ERRORS_MAX = 50, /* reported; reading goes on to find them all */
    CONFIG_FILE_MAX = 1 << 20,
};

/* What is wrong, a line each: "file:line: path: reason and what to do". */
struct config_errors {
    struct buf *out; /* borrowed; the lines */
    const char *file;
    int count;
};

void config_error(struct config_errors *errors, int line, const char *path, const char *format,
                  ...) PRINTF_LIKE(4, 5);

/**
 * config_read() - read a YAML file into a struct
 * @arena:   memory for all values
 * @file:    path of the file
 * @options: the table
 * @out:     the struct, filled as far as possible
 * @errors:  told each thing that is wrong
 *
 * Return: 0; -EINVAL if anything was reported; -ENOMEM
 */
MUST_USE int config_read(struct arena *arena, const char *file,
                         const struct config_option *options, void *out,
                         struct config_errors *errors);

/* The reference of all options as Markdown rows: path, type, default, help. */
void config_describe(struct buf *out, const struct config_option *options);

/* Parse "250ms", "10s", "15m", "2h" or "7d"; 0 or -EINVAL. */
MUST_USE int config_duration(const char *text, int64_t *milliseconds);
