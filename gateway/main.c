/*
 * chartseal: one program, many commands. Each is a row of the table below.
 *
 * Exit codes are those of sysexits.h.
 */
#include "gateway/cli/cli.h"

#include "crypto/secret.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage;
    const char *help;
} commands[] = {
    { "serve", cli_serve, "--config FILE", "run the gateway" },
    { "check-config", cli_check_config, "FILE | --options",
      "check a configuration file, or list all options" },
    { "migrate", cli_migrate, "--config FILE", "bring the database to this version" },
    { "anchor", cli_anchor, "deploy|status …",
      "put the contracts on a chain; ask for the head" },
    { "keys", cli_keys, "init FILE...", "make key files" },
};

static void usage(FILE *out)
{
    (void)fprintf(out, "chartseal %s\n\n", CHARTSEAL_VERSION);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        (void)fprintf(out, "  chartseal %-14s %-28s %s\n", commands[i].name, commands[i].usage,
                      commands[i].help);
    }
}

int main(int argc, char **argv)
{
    if (secret_start() < 0) {
        (void)fputs("chartseal: libsodium can't be used here\n", stderr);
        return EX_OSERR;
    }
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--version") == 0) {
        (void)puts("chartseal " CHARTSEAL_VERSION);
        return EX_OK;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
        usage(stdout);
        return EX_OK;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            if (argc > 2 && strcmp(argv[2], "--help") == 0) {
                (void)printf("usage: chartseal %s %s\n%s\n", name, commands[i].usage,
                             commands[i].help);
                return EX_OK;
            }
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    usage(stderr);
    return EX_USAGE;
}
