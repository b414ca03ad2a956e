/*
 * From a YAML document to C structs, by the table.
 *
 * The document is loaded whole (it is at most 1 MB), then walked along the table. A key that
 * the table doesn't know is an error with the nearest known name: a misspelt option that is
 * silently ignored opens gates.
 */
#include "gateway/config/reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

enum {
    PATH_MAX_BYTES = 512,
};

void config_error(struct config_errors *errors, int line, const char *path, const char *format,
                  ...)
{
    if (errors->count++ >= CONFIG_ERRORS_MAX) {
        return;
    }
    buf_fmt(errors->out, "%s:%d: %s%s", errors->file, line, path, *path ? ": " : "");
    va_list args;
    va_start(args, format);
    buf_vfmt(errors->out, format, args);
    va_end(args);
    buf_c(errors->out, '\n');
}

static void *zeroed(struct config_reader *reader, size_t n, size_t size)
{
    void *p = arena_calloc(reader->arena, n ? n : 1, size);
    reader->no_memory |= !p;
    return p;
}

static int line_of(const yaml_node_t *node)
{
    return (int)node->start_mark.line + 1;
}

static const char *scalar(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static void read_strings(struct config_reader *reader, const struct config_value *value)
{
    yaml_node_item_t *first = value->node->data.sequence.items.start;
    size_t n = (size_t)(value->node->data.sequence.items.top - first);
    struct config_strings *list = value->at;
    list->items = zeroed(reader, n, sizeof(*list->items));
    for (size_t i = 0; list->items && i < n; i++) {
        yaml_node_t *item = yaml_document_get_node(reader->document, first[i]);
        const char *text = scalar(item);
        if (!text) {
            config_error(reader->errors, line_of(item), value->path, "each must be a text");
            continue;
        }
        bool file = value->option->type == CONFIG_PATHS;
        list->items[list->n++] =
            file ? config_path(reader, value, text) : config_copy(reader, text);
    }
}

static void read_pairs(struct config_reader *reader, const struct config_value *value)
{
    yaml_node_pair_t *first = value->node->data.mapping.pairs.start;
    size_t n = (size_t)(value->node->data.mapping.pairs.top - first);
    struct config_pairs *list = value->at;
    list->items = zeroed(reader, n, sizeof(*list->items));
    for (size_t i = 0; list->items && i < n; i++) {
        const char *name = scalar(yaml_document_get_node(reader->document, first[i].key));
        yaml_node_t *item = yaml_document_get_node(reader->document, first[i].value);
        const char *text = scalar(item);
        if (!name || !text) {
            config_error(reader->errors, line_of(item), value->path,
                         "each must be a name with a text");
            continue;
        }
        list->items[list->n++] =
            (struct config_pair){ config_copy(reader, name), config_copy(reader, text) };
    }
}

static void read_mapping(struct config_reader *reader, const struct config_option *options,
                         const char *path, yaml_node_t *node, char *out);

static void *new_place(struct config_reader *reader, const struct config_value *value,
                       const char *name)
{
    struct config_place *place = zeroed(reader, 1, value->option->size);
    if (place) {
        *place =
            (struct config_place){ .name = config_copy(reader, name), .line = value->line };
    }
    return place;
}

static void read_section(struct config_reader *reader, const struct config_value *value)
{
    void *section = new_place(reader, value, value->path);
    if (section) {
        read_mapping(reader, value->option->options, value->path, value->node, section);
        *(void **)value->at = section;
    }
}

/* One element of a list or map into its slot. */
static void read_element(struct config_reader *reader, const struct config_value *value,
                         yaml_node_t *node, const char *name, struct config_list *list)
{
    char path[PATH_MAX_BYTES];
    (void)snprintf(path, sizeof(path), "%s.%s", value->path, name);
    if (node->type != YAML_MAPPING_NODE) {
        config_error(reader->errors, line_of(node), path, "must be a mapping");
        return;
    }
    char *slot = (char *)list->items + list->n++ * value->option->size;
    *(struct config_place *)(void *)slot =
        (struct config_place){ .name = config_copy(reader, name), .line = line_of(node) };
    read_mapping(reader, value->option->options, path, node, slot);
}

static void read_list(struct config_reader *reader, const struct config_value *value)
{
    yaml_node_item_t *first = value->node->data.sequence.items.start;
    size_t n = (size_t)(value->node->data.sequence.items.top - first);
    struct config_list *list = value->at;
    list->items = zeroed(reader, n, value->option->size);
    for (size_t i = 0; list->items && i < n; i++) {
        char name[24];
        (void)snprintf(name, sizeof(name), "%zu", i);
        read_element(reader, value, yaml_document_get_node(reader->document, first[i]), name,
                     list);
    }
}

static bool name_ok(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");
    return n > 0 && n <= 64 && name[n] == '\0';
}

static void read_map(struct config_reader *reader, const struct config_value *value)
{
    yaml_node_pair_t *first = value->node->data.mapping.pairs.start;
    size_t n = (size_t)(value->node->data.mapping.pairs.top - first);
    struct config_list *list = value->at;
    list->items = zeroed(reader, n, value->option->size);
    for (size_t i = 0; list->items && i < n; i++) {
        yaml_node_t *key = yaml_document_get_node(reader->document, first[i].key);
        const char *name = scalar(key);
        if (!name || !name_ok(name)) {
            config_error(reader->errors, line_of(key), value->path,
                         "names are a-z, 0-9, - and _, at most 64");
            continue;
        }
        read_element(reader, value, yaml_document_get_node(reader->document, first[i].value),
                     name, list);
    }
}

static void read_value(struct config_reader *reader, const struct config_value *value)
{
    static const struct {
        yaml_node_type_t node;
        const char *wanted;
        void (*read)(struct config_reader *reader, const struct config_value *value);
    } kinds[] = {
        [CONFIG_STRINGS] = { YAML_SEQUENCE_NODE, "a list of texts", read_strings },
        [CONFIG_PATHS] = { YAML_SEQUENCE_NODE, "a list of files", read_strings },
        [CONFIG_PAIRS] = { YAML_MAPPING_NODE, "a mapping of names to texts", read_pairs },
        [CONFIG_SECTION] = { YAML_MAPPING_NODE, "a mapping", read_section },
        [CONFIG_LIST] = { YAML_SEQUENCE_NODE, "a list of mappings", read_list },
        [CONFIG_MAP] = { YAML_MAPPING_NODE, "a mapping of names to mappings", read_map },
    };
    enum config_type type = value->option->type;
    bool compound = type < ARRAY_LEN(kinds) && kinds[type].read;
    if (!compound) {
        const char *text = scalar(value->node);
        if (!text) {
            config_error(reader->errors, value->line, value->path, "must be a single value");
            return;
        }
        config_read_scalar(reader, value, text);
        return;
    }
    if (value->node->type != kinds[type].node) {
        config_error(reader->errors, value->line, value->path, "must be %s",
                     kinds[type].wanted);
        return;
    }
    kinds[type].read(reader, value);
}

/* How many letters differ at the same place, plus the difference in length: enough for typos.
 */
static size_t distance(const char *a, const char *b)
{
    size_t i = 0;
    size_t j = 0;
    size_t differ = 0;
    while (a[i] && b[j]) {
        if (a[i] == b[j]) {
            i++;
            j++;
        } else if (a[i] == b[j + 1]) {
            differ++;
            j++;
        } else if (a[i + 1] == b[j]) {
            differ++;
            i++;
        } else {
            differ++;
            i++;
            j++;
        }
    }
    return differ + strlen(a + i) + strlen(b + j);
}

static void report_unknown(struct config_reader *reader, const struct config_option *options,
                           const char *path, const char *name, int line)
{
    const char *nearest = NULL;
    size_t best = 3;
    for (const struct config_option *option = options; option->name; option++) {
        size_t d = distance(name, option->name);
        if (d < best) {
            best = d;
            nearest = option->name;
        }
    }
    if (nearest) {
        config_error(reader->errors, line, path, "unknown key \"%s\"; did you mean \"%s\"?",
                     name, nearest);
    } else {
        config_error(reader->errors, line, path,
                     "unknown key \"%s\"; chartseal check-config --options lists all", name);
    }
}

static yaml_node_t *find(struct config_reader *reader, yaml_node_t *mapping, const char *name,
                         int *count)
{
    yaml_node_t *found = NULL;
    *count = 0;
    for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        const char *key = scalar(yaml_document_get_node(reader->document, pair->key));
        if (key && strcmp(key, name) == 0) {
            found = yaml_document_get_node(reader->document, pair->value);
            (*count)++;
        }
    }
    return found;
}

static void read_option(struct config_reader *reader, const struct config_option *option,
                        const char *path, yaml_node_t *mapping, char *out)
{
    char full[PATH_MAX_BYTES];
    (void)snprintf(full, sizeof(full), "%s%s%s", path, *path ? "." : "", option->name);
    int count;
    struct config_value value = {
        .option = option,
        .path = full,
        .node = find(reader, mapping, option->name, &count),
        .at = out + option->offset,
    };
    if (count > 1) {
        config_error(reader->errors, line_of(value.node), full, "given %d times", count);
        return;
    }
    if (value.node) {
        value.line = line_of(value.node);
        read_value(reader, &value);
        return;
    }
    value.line = line_of(mapping);
    if (option->flags & CONFIG_REQUIRED) {
        config_error(reader->errors, value.line, full, "is missing; %s", option->help);
    } else if (option->fallback) {
        config_read_scalar(reader, &value, option->fallback);
    }
}

static void read_mapping(struct config_reader *reader, const struct config_option *options,
                         const char *path, yaml_node_t *node, char *out)
{
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);
        const char *name = scalar(key);
        const struct config_option *option = options;
        while (option->name && (!name || strcmp(option->name, name) != 0)) {
            option++;
        }
        if (!option->name) {
            report_unknown(reader, options, path, name ? name : "(no text)", line_of(key));
        }
    }
    for (const struct config_option *option = options; option->name; option++) {
        read_option(reader, option, path, node, out);
    }
}

static int load_document(FILE *file, yaml_document_t *document, struct config_errors *errors)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        return -ENOMEM;
    }
    yaml_parser_set_input_file(&parser, file);
    int r = 0;
    if (!yaml_parser_load(&parser, document)) {
        config_error(errors, (int)parser.problem_mark.line + 1, "", "%s",
                     parser.problem ? parser.problem : "not YAML");
        r = -EINVAL;
    }
    yaml_parser_delete(&parser);
    return r;
}

static void read_document(struct config_reader *reader, const struct config_option *options,
                          void *out)
{
    yaml_node_t *root = yaml_document_get_root_node(reader->document);
    if (!root || root->type != YAML_MAPPING_NODE) {
        config_error(reader->errors, 1, "", "the file must be a mapping of options");
        return;
    }
    read_mapping(reader, options, "", root, out);
}

int config_read(struct arena *arena, const char *file, const struct config_option *options,
                void *out, struct config_errors *errors)
{
    errors->file = file;
    struct stat status;
    FILE *stream = fopen(file, "rbe");
    if (!stream || fstat(fileno(stream), &status) < 0 || status.st_size > CONFIG_FILE_MAX) {
        config_error(errors, 0, "", "can't be read, or is larger than 1 MB");
        if (stream) {
            (void)fclose(stream);
        }
        return -EINVAL;
    }

    char folder[4096];
    const char *slash = strrchr(file, '/');
    (void)snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - file) : 1,
                   slash ? file : ".");
    yaml_document_t document;
    struct config_reader reader = {
        .arena = arena, .document = &document, .errors = errors, .folder = folder
    };
    int r = load_document(stream, &document, errors);
    (void)fclose(stream);
    if (r < 0) {
        return r;
    }
    read_document(&reader, options, out);
    yaml_document_delete(&document);
    if (reader.no_memory) {
        return -ENOMEM;
    }
    return errors->count ? -EINVAL : 0;
}
