/* The commands. Each gets its own name as argv[0] and returns a sysexits code. */
#pragma once

#include "gateway/config/config.h"

int cli_anchor(int argc, char **argv);
int cli_serve(int argc, char **argv);
int cli_check_config(int argc, char **argv);
int cli_migrate(int argc, char **argv);
int cli_keys(int argc, char **argv);

/* The value after @option in @argv, NULL if it isn't there. */
const char *cli_option(int argc, char **argv, const char *option);

/* Whether @option stands in @argv. */
bool cli_flag(int argc, char **argv, const char *option);

/* Load the file after --config, or say why not on standard error; NULL after that. */
struct config *cli_config(int argc, char **argv);

/* Complain on standard error and return EX_USAGE. */
int cli_usage(const char *text);
