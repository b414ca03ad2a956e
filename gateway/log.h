/*
 * JSON log lines on standard error: a literal message, ids, counts and codes.
 *
 *     log_line(LOG_INFO, "listener open", LOG_Z("listener", name), LOG_I("port", port));
 *
 * No message content, ever: a value is a name from the configuration, an id of ours, a
 * number or a static code. What came from outside is not logged; say its kind and its length.
 */
#pragma once

#include "crypto/base/str.h"

#include <stddef.h>
#include <stdint.h>

enum log_level {
    LOG_DEBUG,
    LOG_INFO,
    LOG_WARN,
    LOG_ERROR,
};

struct log_field {
    const char *name;
    const char *text; /* NULL: the number */
    int64_t number;
};

static inline struct log_field log_field_z(const char *name, const char *text)
{
    return (struct log_field){ .name = name, .text = text ? text : "" };
}

#define LOG_Z(n, t) log_field_z((n), (t))
#define LOG_I(n, v) ((struct log_field){ .name = (n), .number = (int64_t)(v) })
#define LOG_ERRNO(r) LOG_Z("error", strerrorname_np((r) < 0 ? -(r) : (r)))

/* Lines below @level are left out. Not before any other call: LOG_INFO is the default. */
void log_set_level(enum log_level level);

/* What each line of this process says of itself: "worker", 2. @role is static text. */
void log_set_process(const char *role, int index);

void log_write(enum log_level level, const char *message, const struct log_field *fields,
               size_t n);

/* A message without fields. */
#define log_text(level, message) log_write((level), (message), NULL, 0)

/* A message with at least one field. */
#define log_line(level, message, ...)                                                          \
    log_write((level), (message), (const struct log_field[]){ __VA_ARGS__ },                   \
              sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))
