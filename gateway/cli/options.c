/* What commands have in common. */
#include "gateway/cli/cli.h"

#include "gateway/heap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
    REPORT_MAX = 64 << 10,
};

const char *cli_option(int argc, char **argv, const char *option)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], option) == 0) {
            return argv[i + 1];
        }
    }
    return NULL;
}

bool cli_flag(int argc, char **argv, const char *option)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], option) == 0) {
            return true;
        }
    }
    return false;
}

int cli_usage(const char *text)
{
    (void)fprintf(stderr, "usage: chartseal %s\n", text);
    return EX_USAGE;
}

static int put_word(struct cli_words *words, const char *word)
{
    if (words->n == CLI_WORDS_MAX) {
        return -EINVAL;
    }
    words->p[words->n++] = word;
    return 0;
}

/* Set @arg from its following word, if it takes one; the number of words used, or -EINVAL. */
static int set_arg(const struct cli_arg *arg, const char *next)
{
    if (arg->flag) {
        *arg->flag = true;
        return 1;
    }
    if (next && arg->many) {
        return put_word(arg->many, next) < 0 ? -EINVAL : 2;
    }
    if (!next || !arg->value || *arg->value) {
        return -EINVAL;
    }
    *arg->value = next;
    return 2;
}

int cli_args(int argc, char **argv, const struct cli_arg *args, size_t n,
             struct cli_words *words)
{
    bool plain = false; /* after "--" */
    for (int i = 1; i < argc;) {
        if (!plain && strcmp(argv[i], "--") == 0) {
            plain = true;
            i++;
            continue;
        }
        int used = -EINVAL;
        if (plain || strncmp(argv[i], "--", 2) != 0) {
            used = put_word(words, argv[i]) < 0 ? -EINVAL : 1;
        }
        for (size_t k = 0; used < 0 && !plain && k < n; k++) {
            if (strcmp(argv[i], args[k].name) == 0) {
                used = set_arg(&args[k], i + 1 < argc ? argv[i + 1] : NULL);
            }
        }
        if (used < 0) {
            (void)fprintf(stderr, "chartseal: \"%s\" is not understood here\n", argv[i]);
            return used;
        }
        i += used;
    }
    return 0;
}

struct config *cli_config(int argc, char **argv)
{
    return cli_config_file(cli_option(argc, argv, "--config"));
}

struct config *cli_config_file(const char *file)
{
    if (!file) {
        (void)fputs("chartseal: --config FILE is missing\n", stderr);
        return NULL;
    }
    struct buf report = heap_buf(REPORT_MAX);
    struct config *config = NULL;
    if (config_load(file, &report, &config) < 0) {
        (void)fwrite(report.p, 1, report.n, stderr);
    }
    heap_buf_free(&report);
    return config;
}

int cli_limit(const char *command, const char *text, int usual, int *out)
{
    char *end = NULL;
    long n = text ? strtol(text, &end, 10) : usual;
    if (n < 1 || n > CLI_LIMIT_MAX || (end && *end)) {
        (void)fprintf(stderr, "chartseal %s: --limit is a number up to %d\n", command,
                      CLI_LIMIT_MAX);
        return -EINVAL;
    }
    *out = (int)n;
    return 0;
}
