/*
 * One record with one opening, sealed under the key of the patient it is about, in a batch of
 * this command's own: its instance has this record and perhaps a few more, without gaps.
 */
#include "gateway/cli/event.h"

#include "fhir/format/json_write.h"
#include "gateway/clock.h"
#include "gateway/id.h"
#include "gateway/recipient.h"
#include "gateway/sealed_record.h"
#include "gateway/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    ACTOR_MAX = 1024,
};

static int fill(void *owner, size_t index, const struct batch_place *place,
                struct batch_record *out)
{
    (void)index;
    return sealed_record_fill(owner, place, out);
}

static void put_user(struct json_writer *w, const char *name, uid_t uid)
{
    struct passwd *user = getpwuid(uid);
    if (user) {
        json_z(w, name, user->pw_name);
    } else {
        json_u64(w, name, uid);
    }
}

/* Who logged in, which sudo and su leave as it was; false where nobody did. */
static bool login_user(uid_t *out)
{
    char text[16] = "";
    int fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0) {
        (void)close(fd);
    }
    *out = n > 0 ? (uid_t)strtoul(text, NULL, 10) : (uid_t)-1;
    return *out != (uid_t)-1;
}

struct str cli_operator_name(const struct cli_session *s)
{
    uid_t login;
    struct passwd *user = getpwuid(login_user(&login) ? login : getuid());
    return user ? arena_str(s->arena, str_z(user->pw_name)) : STR("");
}

/* Canonical JSON: members in order. @command: NULL: whatever they do */
static struct str operator_text(const struct cli_session *s, const char *command)
{
    struct buf text = arena_buf(s->arena, ACTOR_MAX);
    struct json_writer w = json_writer(&text);
    uid_t login;
    json_object(&w, NULL);
    if (command) {
        json_z(&w, "command", command);
    }
    if (login_user(&login)) {
        put_user(&w, "login", login);
    }
    put_user(&w, "user", getuid());
    json_end(&w);
    return buf_str(&text);
}

/* The key to seal under; a patient whose keys were destroyed is not named any more. */
static int find_key(struct cli_session *s, const struct cli_event *event,
                    const struct vault_key **out)
{
    struct cli_answer answer = { 0 };
    *out = vault_tenant(s->vault);
    if (!event->patient) {
        return 0;
    }
    int r = cli_wait(s, vault_fetch(s->vault, s->db, event->patient, 1, cli_on_end, &answer),
                     &answer);
    if (r < 0) {
        return r == -ENOKEY ? 0 : r;
    }
    *out = vault_cached(s->vault, event->patient);
    return *out ? 0 : -ENOKEY;
}

static void describe(struct cli_session *s, const struct cli_event *event, bool named,
                     struct sealed_record *sealed)
{
    struct record *record = &sealed->record;
    id_new(clock_utc_ms(), record->id);
    record->log = event->log;
    record->mode = RECORD_ENFORCE;
    record->interaction = event->what;
    record->outcome = RECORD_DONE;
    record->gateway = str_z(s->config->gateway);
    record->basis = STR("operator");
    record->has_exchange = event->exchange != NULL;
    if (event->exchange) {
        memcpy(record->exchange, event->exchange, sizeof(record->exchange));
    }
    sealed_record_commit(sealed, COMMITMENT_ACTOR, operator_text(s, s->command));
    sealed_record_commit(sealed, COMMITMENT_REQUEST, event->request);
    if (named) {
        sealed_record_subject(sealed, event->patient);
    }
}

static int take_number(void *owner, const struct db_rows *rows)
{
    *(int64_t *)owner = store_recipient_number(rows);
    return 0;
}

/* The operator's number in access rows. */
static int number_operator(struct cli_session *s, int64_t *out)
{
    struct recipient operator_;
    struct cli_answer answer = { .read = take_number, .owner = out };
    int r = recipient_seal(s->vault, s->arena, operator_text(s, NULL), &operator_);
    return r < 0 ? r
                 : cli_wait(s,
                            store_recipient(s->db, operator_.hash, &operator_.sealed,
                                            cli_on_rows, &answer),
                            &answer);
}

static int commit(struct cli_session *s, const struct cli_event *event)
{
    struct batch_opening opening;
    struct cli_answer answer = { 0 };
    struct sealed_record *sealed = arena_calloc(s->arena, 1, sizeof(*sealed));
    int r = sealed ? find_key(s, event, &sealed->key) : -ENOMEM;
    if (r < 0) {
        return r;
    }
    bool named = event->patient && memcmp(sealed->key->patient, event->patient, 16) == 0;
    describe(s, event, named, sealed);
    r = sealed_record_close(sealed, s->vault, s->arena);
    if (r < 0) {
        return r;
    }
    sealed_record_opening(sealed, &opening);
    struct batch_access access = { .time = clock_utc_ms() };
    memcpy(access.record, sealed->record.id, sizeof(access.record));
    memcpy(access.exchange, event->exchange ? event->exchange : sealed->record.id,
           sizeof(access.exchange));
    if (named) {
        memcpy(access.patient, event->patient, sizeof(access.patient));
        r = number_operator(s, &access.recipient);
        if (r < 0) {
            return r;
        }
    }
    const struct batch_entry what = {
        .epoch = BATCH_EPOCH_ANY,
        .owner = sealed,
        .fill = fill,
        .records = 1,
        .openings = &opening,
        .opening_count = 1,
        .accesses = &access,
        .access_count = named,
    };
    return cli_wait(s, batch_submit(s->batch, &what, cli_on_batch, &answer), &answer);
}

int cli_record(struct cli_session *s, const struct cli_event *event)
{
    int code = cli_open_batch(s);
    if (code != EX_OK) {
        return code;
    }
    int r = commit(s, event);
    return r == 0 ? EX_OK : cli_failed(s, "this reading could not be recorded", r);
}
