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
    { "keys init", cli_keys_init, "FILE...", "make key files" },
    { "keys status", cli_keys_status, "--config FILE [--json]",
      "how many keys each root key wraps" },
    { "audit list", cli_audit_list, "--config FILE [--patient SYSTEM|VALUE] ...",
      "what was recorded, newest first" },
    { "audit show", cli_audit_show, "RECORD --config FILE [--json]",
      "one record, opened, and how far it has come" },
    { "audit prove", cli_audit_prove, "RECORD --config FILE [--out FILE] ...",
      "the evidence of one record, for chartseal-verify" },
    { "audit denials", cli_audit_denials, "--config FILE [--from TIME] [--each] ...",
      "what was refused, and on what grounds" },
    { "audit shadow", cli_audit_shadow, "--config FILE [--from TIME] ...",
      "what routes in mode shadow would have refused" },
    { "audit key", cli_audit_key, "--config FILE", "the log's public key, for auditors" },
    { "break-glass list", cli_break_glass_list, "--config FILE [--all|--overdue] ...",
      "emergency accesses that wait for their review" },
    { "break-glass show", cli_break_glass_show, "ID --config FILE [--json]",
      "who broke the glass, why, and what was seen" },
    { "break-glass review", cli_break_glass_review, "ID --config FILE --outcome WORD ...",
      "what the review found" },
    { "consent explain", cli_consent_explain, "--config FILE --patient SYSTEM|VALUE ...",
      "what a patient's consents say of a request, and why" },
    { "consent simulate", cli_consent_simulate, "--config FILE --policy FILE ...",
      "what another policy of the tenant's would change" },
    { "fhir convert", cli_fhir_convert, "--to xml|json|ndjson [FILE|-] ...",
      "a resource in another format" },
    { "fhir path", cli_fhir_path, "EXPRESSION [FILE|-] ...",
      "what a FHIRPath expression finds in resources" },
    { "fhir validate", cli_fhir_validate, "[--profile URL]... [FILE|-]",
      "what is wrong with resources" },
    { "hl7 translate", cli_hl7_translate, "[FILE|-] ...", "a v2 message as a FHIR Bundle" },
    { "hl7 from-fhir", cli_hl7_from_fhir, "[FILE|-] ...", "a FHIR Bundle as a v2 message" },
    { "hl7 diff", cli_hl7_diff, "FILE|FOLDER... ...", "what a change of maps would change" },
    { "hl7 check-map", cli_hl7_check_map, "[FILE]...", "what is wrong with maps" },
    { "hl7 validate", cli_hl7_validate, "[FILE|-] ...", "what is wrong with v2 messages" },
    { "hl7 send", cli_hl7_send, "HOST:PORT [FILE|-] ...",
      "send v2 messages, and say what was answered" },
    { "hl7 listen", cli_hl7_listen, "HOST:PORT ...", "receive v2 messages, and write them" },
    { "hl7 outbox", cli_hl7_outbox, "--config FILE [--json]",
      "what waits for delivery, and what was stopped" },
    { "hl7 show", cli_hl7_show, "NUMBER|EXCHANGE --config FILE ...",
      "what came, what it becomes, where it is" },
    { "hl7 replay", cli_hl7_replay, "NUMBER --config FILE ...",
      "translate and decide stopped messages anew" },
    { "patient enrol", cli_patient_enrol, "--config FILE --patient SYSTEM|VALUE ...",
      "a code that links a patient's key to the record" },
    { "patient unlink", cli_patient_unlink, "--config FILE --patient SYSTEM|VALUE",
      "end what a patient logs in with" },
};

static void usage(FILE *out)
{
    (void)fprintf(out, "chartseal %s\n\n", CHARTSEAL_VERSION);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        (void)fprintf(out, "  chartseal %-14s %-42s %s\n", commands[i].name, commands[i].usage,
                      commands[i].help);
    }
}

/* How many words of @argv, from 1 on, are the command @name: 0, 1 or 2. */
static int matches(const char *name, int argc, char **argv)
{
    const char *second = strchr(name, ' ');
    size_t n = second ? (size_t)(second - name) : strlen(name);
    if (argc < 2 || strlen(argv[1]) != n || strncmp(argv[1], name, n) != 0) {
        return 0;
    }
    if (!second) {
        return 1;
    }
    return argc > 2 && strcmp(argv[2], second + 1) == 0 ? 2 : 0;
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
        int words = matches(commands[i].name, argc, argv);
        if (words == 0) {
            continue;
        }
        if (argc > words + 1 && strcmp(argv[words + 1], "--help") == 0) {
            (void)printf("usage: chartseal %s %s\n%s\n", commands[i].name, commands[i].usage,
                         commands[i].help);
            return EX_OK;
        }
        return commands[i].run(argc - words, argv + words);
    }
    usage(stderr);
    return EX_USAGE;
}
