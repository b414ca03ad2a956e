/* What commands have in common. */
#include "gateway/cli/cli.h"

#include "gateway/heap.h"

#include <stdio.h>
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

struct config *cli_config(int argc, char **argv)
{
    const char *file = cli_option(argc, argv, "--config");
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
