/* The commands. Each gets its own name as argv[0] and returns a sysexits code. */
#pragma once

#include "gateway/config/config.h"

int cli_anchor(int argc, char **argv);
int cli_serve(int argc, char **argv);
int cli_check_config(int argc, char **argv);
int cli_migrate(int argc, char **argv);
int cli_keys_init(int argc, char **argv);
int cli_keys_status(int argc, char **argv);
int cli_audit_list(int argc, char **argv);
int cli_audit_show(int argc, char **argv);
int cli_audit_prove(int argc, char **argv);
int cli_audit_denials(int argc, char **argv);
int cli_audit_shadow(int argc, char **argv);
int cli_audit_key(int argc, char **argv);
int cli_break_glass_list(int argc, char **argv);
int cli_break_glass_show(int argc, char **argv);
int cli_break_glass_review(int argc, char **argv);
int cli_consent_explain(int argc, char **argv);
int cli_consent_simulate(int argc, char **argv);
int cli_fhir_convert(int argc, char **argv);
int cli_fhir_path(int argc, char **argv);
int cli_fhir_validate(int argc, char **argv);
int cli_hl7_translate(int argc, char **argv);
int cli_hl7_from_fhir(int argc, char **argv);
int cli_hl7_diff(int argc, char **argv);
int cli_hl7_check_map(int argc, char **argv);
int cli_hl7_listen(int argc, char **argv);
int cli_hl7_send(int argc, char **argv);
int cli_hl7_validate(int argc, char **argv);
int cli_patient_enrol(int argc, char **argv);
int cli_patient_unlink(int argc, char **argv);
int cli_hl7_outbox(int argc, char **argv);
int cli_hl7_show(int argc, char **argv);
int cli_hl7_replay(int argc, char **argv);

/* The value after @option in @argv, NULL if it isn't there. */
const char *cli_option(int argc, char **argv, const char *option);

/* Whether @option stands in @argv. */
bool cli_flag(int argc, char **argv, const char *option);

/* Load the file after --config, or say why not on standard error; NULL after that. */
struct config *cli_config(int argc, char **argv);

/* The same for @file, NULL: it was not given. */
struct config *cli_config_file(const char *file);

/* Complain on standard error and return EX_USAGE. */
int cli_usage(const char *text);

enum {
    CLI_WORDS_MAX = 64,
    CLI_LIMIT_MAX = 10000, /* of what a list may hold */
};

/* How many to list at most: @text, or @usual if it is NULL. Return: 0, or -EINVAL: said on
 * standard error as a complaint of @command */
MUST_USE int cli_limit(const char *command, const char *text, int usual, int *out);

/* Words of a command line, borrowed. */
struct cli_words {
    const char *p[CLI_WORDS_MAX];
    size_t n;
};

/* An option, by exactly one of: @value: takes one; @flag: takes none; @many: may be repeated.
 */
struct cli_arg {
    const char *name;
    const char **value;
    bool *flag;
    struct cli_words *many;
};

/* Read @argv from 1 on; what is no option goes into @words. 0, or -EINVAL: unknown, incomplete,
 * given twice, or too many. */
MUST_USE int cli_args(int argc, char **argv, const struct cli_arg *args, size_t n,
                      struct cli_words *words);
