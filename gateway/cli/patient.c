#include "gateway/cli/patient.h"

#include "gateway/store/patients.h"
#include "gateway/vault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum {
    LINE_MAX_BYTES = 4096, /* of standard input: an identifier */
};

static int take_patient(void *owner, const struct db_rows *rows)
{
    int outcome = store_patient_outcome(rows, 0, owner);
    return outcome == STORE_PATIENT_FOUND      ? 0
           : outcome == STORE_PATIENT_CONFLICT ? -EEXIST
                                               : -ENOENT;
}

int cli_patient(struct cli_session *s, const char *text, uint8_t out[16])
{
    char line[LINE_MAX_BYTES];
    uint8_t hash[STORE_HASH_SIZE];
    if (strcmp(text, "-") == 0) {
        text = fgets(line, sizeof(line), stdin) ? line : "";
        line[strcspn(line, "\r\n")] = '\0';
    }
    struct str value = str_z(text);
    struct str system = str_cut(&value, '|');
    if (system.n == 0 || value.n == 0) {
        return cli_complain(s, EX_USAGE, "a patient is SYSTEM|VALUE");
    }
    struct cli_answer answer = { .read = take_patient, .owner = out };
    vault_identifier_hash(s->vault, system, value, hash);
    int r = cli_wait(s, store_patient_find(s->db, hash, 1, cli_on_rows, &answer), &answer);
    if (r == -ENOENT || r == -EEXIST) {
        return cli_complain(s, EX_NOINPUT,
                            r == -ENOENT ? "no patient is known by that identifier"
                                         : "that identifier leads to two patients");
    }
    return r < 0 ? cli_failed(s, "patient", r) : EX_OK;
}
