/*
 * chartseal patient enrol, unlink: what links a patient's key to the record, and what ends it.
 *
 * A code is shown once and kept as a keyed hash. Both are recorded before anything is shown.
 */
#include "gateway/cli/cli.h"
#include "gateway/cli/event.h"
#include "gateway/cli/patient.h"

#include "fhir/format/json_write.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/identity/enrol_code.h"
#include "gateway/random.h"
#include "gateway/store/logins.h"
#include "gateway/vault.h"

#include <errno.h>
#include <sodium.h>
#include <sysexits.h>

enum {
    OUTPUT_MAX = 4 << 10,
    TRIES = 8, /* at a name that no other code has */
};

#define EXPIRES_USUAL (INT64_C(7) * 24 * 60 * 60 * 1000)
#define EXPIRES_MOST (INT64_C(90) * 24 * 60 * 60 * 1000)

static int record(struct cli_session *s, const uint8_t patient[16], struct str request)
{
    const struct cli_event event = {
        .what = RECORD_OPERATION,
        .log = RECORD_LOG_ACCESS,
        .patient = patient,
        .request = request,
    };
    return cli_record(s, &event);
}

/* --- enrol -------------------------------------------------------------------------------- */

/* Make a code for @patient and keep its hash. */
static int make_code(struct cli_session *s, const uint8_t patient[16], int64_t expires,
                     char text[ENROL_CODE_TEXT])
{
    int r = -EEXIST;
    for (int i = 0; r == -EEXIST && i < TRIES; i++) {
        uint8_t random[ENROL_CODE_SIZE];
        char plain[ENROL_CODE_SIZE];
        struct cli_answer answer = { 0 };
        struct store_login_code code = { .expires = expires };
        randombytes_buf(random, sizeof(random));
        enrol_code_make(random, text);
        if (enrol_code_read(str_of(text, ENROL_CODE_TEXT), plain) < 0) {
            return cli_failed(s, "code", -EINVAL);
        }
        code.name = str_of(plain, ENROL_CODE_NAME);
        memcpy(code.patient, patient, sizeof(code.patient));
        vault_login_hash(s->vault, STR("code"), str_of(plain, sizeof(plain)), code.hash);
        r = cli_wait(s, store_login_code(s->db, &code, cli_on_rows, &answer), &answer);
        secret_wipe(plain, sizeof(plain));
        secret_wipe(random, sizeof(random));
    }
    return r < 0 ? cli_failed(s, "code", r) : EX_OK;
}

static int show_code(struct cli_session *s, struct str code, int64_t expires, bool json)
{
    struct buf out = heap_buf(OUTPUT_MAX);
    if (json) {
        struct json_writer w = json_writer(&out);
        json_object(&w, NULL);
        json_string(&w, "code", code);
        json_i64(&w, "expires", expires);
        json_end(&w);
        buf_c(&out, '\n');
    } else {
        buf_str_put(&out, code);
        buf_z(&out, "\ngood once, until ");
        clock_utc_put(&out, expires);
        buf_c(&out, '\n');
    }
    int r = cli_print(s, &out);
    heap_buf_free(&out);
    return r;
}

static int enrol(struct cli_session *s, const char *patient, int64_t expires, bool json)
{
    uint8_t number[16];
    char text[ENROL_CODE_TEXT];
    int code = cli_patient(s, patient, number);
    code = code == EX_OK ? record(s, number, STR("patient enrol")) : code;
    code = code == EX_OK ? make_code(s, number, expires, text) : code;
    code = code == EX_OK ? show_code(s, str_of(text, sizeof(text)), expires, json) : code;
    secret_wipe(text, sizeof(text));
    return code;
}

int cli_patient_enrol(int argc, char **argv)
{
    const char *file = NULL;
    const char *patient = NULL;
    const char *lasts = NULL;
    bool json = false;
    int64_t ms = EXPIRES_USUAL;
    struct cli_session session = { 0 };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--config", .value = &file },
        { .name = "--patient", .value = &patient },
        { .name = "--lasts", .value = &lasts },
        { .name = "--json", .flag = &json },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n > 0 || !patient ||
        (lasts && (config_duration(lasts, &ms) < 0 || ms <= 0 || ms > EXPIRES_MOST))) {
        return cli_usage("patient enrol --config FILE --patient SYSTEM|VALUE [--lasts 7d] "
                         "[--json]; at most 90d");
    }
    int code = cli_begin("patient enrol", file, &session);
    code = code == EX_OK ? cli_unlock(&session) : code;
    code = code == EX_OK ? enrol(&session, patient, clock_utc_ms() + ms, json) : code;
    cli_end(&session);
    return code;
}

/* --- unlink ------------------------------------------------------------------------------- */

static int take_count(void *owner, const struct db_rows *rows)
{
    *(int64_t *)owner = store_login_count(rows);
    return 0;
}

static int unlink_all(struct cli_session *s, const char *patient)
{
    uint8_t number[16];
    char memory[64];
    int64_t count = 0;
    struct cli_answer answer = { .read = take_count, .owner = &count };
    int code = cli_patient(s, patient, number);
    code = code == EX_OK ? record(s, number, STR("patient unlink")) : code;
    if (code != EX_OK) {
        return code;
    }
    int r = cli_wait(s, store_login_forget(s->db, number, cli_on_rows, &answer), &answer);
    if (r < 0) {
        return cli_failed(s, "logins", r);
    }
    struct buf out = buf_fixed(memory, sizeof(memory));
    buf_fmt(&out, "%lld unlinked\n", (long long)count);
    return cli_print(s, &out);
}

int cli_patient_unlink(int argc, char **argv)
{
    const char *file = NULL;
    const char *patient = NULL;
    struct cli_session session = { 0 };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--config", .value = &file },
        { .name = "--patient", .value = &patient },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n > 0 || !patient) {
        return cli_usage("patient unlink --config FILE --patient SYSTEM|VALUE");
    }
    int code = cli_begin("patient unlink", file, &session);
    code = code == EX_OK ? cli_unlock(&session) : code;
    code = code == EX_OK ? unlink_all(&session, patient) : code;
    cli_end(&session);
    return code;
}
