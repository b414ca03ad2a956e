/*
 * Single values: text, numbers, durations, choices, files and secrets.
 *
 * A secret is never in the configuration itself, only the name of its file, which must be the
 * owner's alone and must not hold what the example held.
 */
#include "gateway/config/reader.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SECRET_MAX = 64 << 10,
};

const char *config_copy(struct config_reader *reader, const char *text)
{
    struct str kept = arena_str(reader->arena, str_z(text));
    reader->no_memory |= !kept.p;
    return kept.p;
}

int config_duration(const char *text, int64_t *milliseconds)
{
    static const struct {
        const char *unit;
        int64_t factor;
    } units[] = {
        { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 },
    };
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno || end == text || n < 0) {
        return -EINVAL;
    }
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        int64_t product;
        if (strcmp(end, units[i].unit) == 0 &&
            !__builtin_mul_overflow(n, units[i].factor, &product)) {
            *milliseconds = product;
            return 0;
        }
    }
    return -EINVAL;
}

static void read_number(struct config_reader *reader, const struct config_value *value,
                        const char *text)
{
    const struct config_option *option = value->option;
    int64_t n = 0;
    if (option->type == CONFIG_DURATION) {
        if (config_duration(text, &n) < 0) {
            config_error(reader->errors, value->line, value->path,
                         "\"%s\" is no duration; write a number with ms, s, m, h or d", text);
            return;
        }
    } else {
        char *end;
        errno = 0;
        n = strtoll(text, &end, 10);
        if (errno || end == text || *end) {
            config_error(reader->errors, value->line, value->path, "\"%s\" is no integer",
                         text);
            return;
        }
    }
    if ((option->least || option->most) && (n < option->least || n > option->most)) {
        config_error(reader->errors, value->line, value->path,
                     "%lld is out of range; choose from %lld to %lld", (long long)n,
                     (long long)option->least, (long long)option->most);
        return;
    }
    *(int64_t *)value->at = n;
}

static void read_choice(struct config_reader *reader, const struct config_value *value,
                        const char *text)
{
    char names[256];
    struct buf list = buf_fixed(names, sizeof(names) - 1);
    for (int i = 0; value->option->choices[i]; i++) {
        if (strcmp(value->option->choices[i], text) == 0) {
            *(int *)value->at = i;
            return;
        }
        buf_fmt(&list, "%s%s", i ? ", " : "", value->option->choices[i]);
    }
    names[list.n] = '\0';
    config_error(reader->errors, value->line, value->path, "\"%s\" is none of: %s", text,
                 names);
}

static void read_bool(struct config_reader *reader, const struct config_value *value,
                      const char *text)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
        config_error(reader->errors, value->line, value->path, "write true or false");
        return;
    }
    *(bool *)value->at = *text == 't';
}

/* Where an example says "put something here". */
static bool unfilled(const char *text)
{
    return *text == '<' || *text == '\0' || strstr(text, "…") != NULL;
}

/* What people leave in files they copied. */
static bool placeholder(const char *text)
{
    static const char *const words[] = { "changeme", "change-me", "change_me", "placeholder",
                                         "secret",   "password",  "todo",      "xxxx" };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasecmp(text, words[i]) == 0) {
            return true;
        }
    }
    return unfilled(text);
}

/* A secret's file: only its owner reads it, and somebody has filled it in. */
static void check_secret(struct config_reader *reader, const struct config_value *value,
                         const char *path)
{
    struct stat status;
    FILE *file = fopen(path, "rbe");
    if (!file || fstat(fileno(file), &status) < 0 || !S_ISREG(status.st_mode)) {
        config_error(reader->errors, value->line, value->path,
                     "secret file %s can't be read; create it, readable by this user only",
                     path);
    } else if (status.st_mode & (S_IRWXG | S_IRWXO)) {
        config_error(reader->errors, value->line, value->path,
                     "secret file %s is open to others; chmod 600 it", path);
    } else if (status.st_size == 0 || status.st_size > SECRET_MAX) {
        config_error(reader->errors, value->line, value->path,
                     "secret file %s is empty or larger than 64 KB", path);
    } else {
        char head[64];
        size_t n = fread(head, 1, sizeof(head) - 1, file);
        head[n] = '\0';
        head[strcspn(head, "\r\n")] = '\0';
        if (placeholder(head)) {
            config_error(reader->errors, value->line, value->path,
                         "secret file %s holds a placeholder; put the real secret there", path);
        }
        explicit_bzero(head, sizeof(head));
    }
    if (file) {
        (void)fclose(file);
    }
}

const char *config_path(struct config_reader *reader, const struct config_value *value,
                        const char *text)
{
    char joined[4096];
    if (*text == '/' || unfilled(text)) {
        (void)snprintf(joined, sizeof(joined), "%s", text);
    } else {
        (void)snprintf(joined, sizeof(joined), "%s/%s", reader->folder, text);
    }
    if (unfilled(text)) {
        config_error(reader->errors, value->line, value->path,
                     "\"%s\" is a placeholder; name a file", text);
    } else if (value->option->type == CONFIG_SECRET) {
        check_secret(reader, value, joined);
    } else if (access(joined, R_OK) < 0) {
        config_error(reader->errors, value->line, value->path, "file %s can't be read", joined);
    }
    return config_copy(reader, joined);
}

void config_read_scalar(struct config_reader *reader, const struct config_value *value,
                        const char *text)
{
    switch (value->option->type) {
    case CONFIG_STRING: *(const char **)value->at = config_copy(reader, text); return;
    case CONFIG_INTEGER:
    case CONFIG_DURATION: read_number(reader, value, text); return;
    case CONFIG_BOOL: read_bool(reader, value, text); return;
    case CONFIG_CHOICE: read_choice(reader, value, text); return;
    case CONFIG_PATH:
    case CONFIG_SECRET: *(const char **)value->at = config_path(reader, value, text); return;
    case CONFIG_STRINGS:
    case CONFIG_PATHS:
    case CONFIG_PAIRS:
    case CONFIG_SECTION:
    case CONFIG_LIST:
    case CONFIG_MAP: break;
    }
    assert(false && "not a scalar type");
}
