/* What schema.c and scalar.c share: the reader and a value on its way. */
#pragma once

#include "gateway/config/schema.h"

#include <yaml.h>

/* What a value is read with: the walk's fixed part. */
struct config_reader {
    struct arena *arena;
    yaml_document_t *document;
    struct config_errors *errors;
    const char *folder; /* of the file, for relative paths */
    bool no_memory;
};

/* A value on its way: where it stands and what the table says of it. */
struct config_value {
    const struct config_option *option;
    const char *path;
    yaml_node_t *node;
    int line;
    void *at;
};

/* A terminated copy in the reader's arena. */
const char *config_copy(struct config_reader *reader, const char *text);

/* The name of file @text, relative to the configuration's folder, or report why it is none. */
const char *config_path(struct config_reader *reader, const struct config_value *value,
                        const char *text);

/* Read a single value by its type into value->at, or report why not. */
void config_read_scalar(struct config_reader *reader, const struct config_value *value,
                        const char *text);
