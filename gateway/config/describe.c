/* The reference of all options, printed from the table. */
#include "gateway/config/schema.h"

#include <stdio.h>

enum {
    PATH_MAX_BYTES = 512,
};

static const char *type_name(enum config_type type)
{
    static const char *const names[] = {
        [CONFIG_STRING] = "text",
        [CONFIG_INTEGER] = "integer",
        [CONFIG_DURATION] = "duration",
        [CONFIG_BOOL] = "true/false",
        [CONFIG_CHOICE] = "choice",
        [CONFIG_PATH] = "file",
        [CONFIG_SECRET] = "secret file",
        [CONFIG_STRINGS] = "list of texts",
        [CONFIG_PATHS] = "list of files",
        [CONFIG_PAIRS] = "names and texts",
        [CONFIG_SECTION] = "section",
        [CONFIG_LIST] = "list",
        [CONFIG_MAP] = "map",
    };
    return names[type];
}

static void describe(struct buf *out, const struct config_option *options, const char *path)
{
    for (const struct config_option *option = options; option->name; option++) {
        char full[PATH_MAX_BYTES];
        (void)snprintf(full, sizeof(full), "%s%s%s", path, *path ? "." : "", option->name);
        buf_fmt(out, "| `%s` | %s", full, type_name(option->type));
        for (int i = 0; option->choices && option->choices[i]; i++) {
            buf_fmt(out, "%s%s", i ? ", " : ": ", option->choices[i]);
        }
        bool required = option->flags & CONFIG_REQUIRED;
        buf_fmt(out, " | %s | %s |\n",
                required           ? "required"
                : option->fallback ? option->fallback
                                   : "",
                option->help);
        if (option->options) {
            bool named = option->type == CONFIG_MAP;
            bool listed = option->type == CONFIG_LIST;
            (void)snprintf(full + strlen(full), sizeof(full) - strlen(full), "%s",
                           named    ? ".NAME"
                           : listed ? "[]"
                                    : "");
            describe(out, option->options, full);
        }
    }
}

void config_describe(struct buf *out, const struct config_option *options)
{
    buf_z(out, "| option | type | default | meaning |\n|---|---|---|---|\n");
    describe(out, options, "");
}
