/* chartseal serve, and check-config, which says beforehand what serve would say. */
#include "gateway/cli/cli.h"

#include "gateway/heap.h"
#include "gateway/setup.h"
#include "gateway/supervisor.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum {
    TEXT_MAX = 256 << 10,
};

int cli_serve(int argc, char **argv)
{
    const char *file = cli_option(argc, argv, "--config");
    return file ? supervisor_run(file) : cli_usage("serve --config FILE");
}

int cli_check_config(int argc, char **argv)
{
    if (argc != 2) {
        return cli_usage("check-config FILE | --options");
    }
    struct buf text = heap_buf(TEXT_MAX);
    struct setup setup = { 0 };
    int code = EX_OK;
    if (strcmp(argv[1], "--options") == 0) {
        config_describe(&text, config_options);
    } else if (setup_load(argv[1], &text, &setup) < 0) {
        code = EX_CONFIG;
    } else {
        buf_fmt(&text, "%s: good\n", argv[1]);
    }
    (void)fwrite(text.p, 1, text.n, code == EX_OK ? stdout : stderr);
    heap_buf_free(&text);
    setup_free(&setup);
    return code;
}
