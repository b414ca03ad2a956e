/* One write(2) for each line, so lines of several processes don't mix. */
#include "gateway/log.h"

#include "crypto/base/buf.h"

#include <time.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 2048,
};

static enum log_level least = LOG_INFO;
static const char *process_role = "main";
static int process_index = -1;

void log_set_level(enum log_level level)
{
    least = level;
}

void log_set_process(const char *role, int index)
{
    process_role = role;
    process_index = index;
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_DEBUG: return "debug";
    case LOG_INFO: return "info";
    case LOG_WARN: return "warn";
    case LOG_ERROR: return "error";
    }
    return "error";
}

static void put_time(struct buf *line)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    struct tm tm;
    (void)gmtime_r(&now.tv_sec, &tm);
    buf_fmt(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
            tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(now.tv_nsec / 1000000));
}

/* Names from the configuration may hold anything printable; all else becomes '?'. */
static void put_text(struct buf *line, const char *text)
{
    buf_c(line, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\') {
            buf_c(line, '\\');
        }
        buf_c(line, *p >= ' ' && *p < 127 ? *p : '?');
    }
    buf_c(line, '"');
}

void log_write(enum log_level level, const char *message, const struct log_field *fields,
               size_t n)
{
    if (level < least) {
        return;
    }

    char memory[LINE_MAX_BYTES];
    struct buf line = buf_fixed(memory, sizeof(memory) - 2);
    buf_z(&line, "{\"time\":\"");
    put_time(&line);
    buf_fmt(&line, "\",\"level\":\"%s\",\"process\":\"%s\"", level_name(level), process_role);
    if (process_index >= 0) {
        buf_fmt(&line, ",\"index\":%d", process_index);
    }
    buf_z(&line, ",\"msg\":");
    put_text(&line, message);
    for (size_t i = 0; i < n; i++) {
        buf_c(&line, ',');
        put_text(&line, fields[i].name);
        buf_c(&line, ':');
        if (fields[i].text) {
            put_text(&line, fields[i].text);
        } else {
            buf_i64(&line, fields[i].number);
        }
    }
    line.limit = line.cap = sizeof(memory);
    line.failed = false;
    buf_z(&line, "}\n");
    (void)!write(STDERR_FILENO, line.p, line.n);
}
