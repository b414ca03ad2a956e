/*
 * One record with one opening, sealed under the key of the patient it is about, in a batch of
 * this command's own: its instance has this record and perhaps a few more, without gaps.
 */
#include "gateway/cli/event.h"

#include "anchor/opening.h"
#include "crypto/seal.h"
#include "fhir/format/json_write.h"
#include "gateway/clock.h"
#include "gateway/id.h"
#include "gateway/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sodium.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    ACTOR_MAX = 1024,
    OPENING_MAX = 8 << 10,
    HEX_SIZE = 33,
};

struct entry {
    const struct cli_session *session;
    struct record record;
    struct opening opening;
    char hex[HEX_SIZE];
    char text[RECORD_SIZE_MAX];
};

static int fill(void *owner, size_t index, const struct batch_place *place,
                struct batch_record *out)
{
    (void)index;
    struct entry *entry = owner;
    struct record *record = &entry->record;
    memcpy(record->instance, place->instance, sizeof(record->instance));
    record->seq = place->seq;
    record->time = (uint64_t)clock_utc_ms();
    struct buf text = buf_fixed(entry->text, sizeof(entry->text));
    record_write(record, &text);
    if (buf_failed(&text)) {
        return -EINVAL;
    }
    struct merkle_hash leaf;
    record_leaf(buf_str(&text), &leaf);
    *out = (struct batch_record){
        .log = (int16_t)record->log,
        .time = (int64_t)record->time,
        .bytes = buf_str(&text),
    };
    memcpy(out->id, record->id, sizeof(out->id));
    memcpy(out->exchange, record->has_exchange ? record->exchange : record->id,
           sizeof(out->exchange));
    memcpy(out->leaf, leaf.b, sizeof(out->leaf));
    return 0;
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

/* Canonical JSON: members in order. */
static struct str actor_of(const struct cli_session *s)
{
    struct buf text = arena_buf(s->arena, ACTOR_MAX);
    struct json_writer w = json_writer(&text);
    uid_t login;
    json_object(&w, NULL);
    json_z(&w, "command", s->command);
    if (login_user(&login)) {
        put_user(&w, "login", login);
    }
    put_user(&w, "user", getuid());
    json_end(&w);
    return buf_str(&text);
}

static void commit_to(struct entry *entry, enum commitment_kind kind, struct str value)
{
    randombytes_buf(entry->opening.salt[kind], COMMITMENT_SALT_SIZE);
    entry->opening.has[kind] = true;
    entry->opening.value[kind] = value;
    record_commit(&entry->record, kind, entry->opening.salt[kind], value);
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
                     struct entry *entry)
{
    struct record *record = &entry->record;
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
    commit_to(entry, COMMITMENT_ACTOR, actor_of(s));
    commit_to(entry, COMMITMENT_REQUEST, event->request);
    if (named) {
        struct buf hex = buf_fixed(entry->hex, sizeof(entry->hex));
        buf_hex(&hex, event->patient, 16);
        commit_to(entry, COMMITMENT_SUBJECT, buf_str(&hex));
    }
}

static int seal_opening(struct cli_session *s, const struct entry *entry,
                        const struct vault_key *key, struct batch_opening *out)
{
    struct buf plain = arena_buf(s->arena, OPENING_MAX);
    opening_write(&entry->opening, &plain);
    uint8_t *sealed = arena_alloc(s->arena, plain.n + SEAL_TAG_SIZE);
    if (buf_failed(&plain) || !sealed) {
        return -ENOMEM;
    }
    struct seal_about about = vault_about(s->vault, key, SEAL_OPENING, entry->record.id);
    randombytes_buf(out->nonce, sizeof(out->nonce));
    seal_close(key->secret, &about, out->nonce, buf_str(&plain), sealed);
    secret_wipe(plain.p, plain.n);
    memcpy(out->record, entry->record.id, sizeof(out->record));
    memcpy(out->key, key->id, sizeof(out->key));
    out->ciphertext = str_of(sealed, plain.n + SEAL_TAG_SIZE);
    return 0;
}

static int commit(struct cli_session *s, const struct cli_event *event)
{
    const struct vault_key *key;
    struct batch_opening opening;
    struct cli_answer answer = { 0 };
    struct entry *entry = arena_calloc(s->arena, 1, sizeof(*entry));
    int r = entry ? find_key(s, event, &key) : -ENOMEM;
    if (r < 0) {
        return r;
    }
    bool named = event->patient && memcmp(key->patient, event->patient, 16) == 0;
    describe(s, event, named, entry);
    r = seal_opening(s, entry, key, &opening);
    if (r < 0) {
        return r;
    }
    struct batch_access access = { .time = clock_utc_ms() };
    memcpy(access.record, entry->record.id, sizeof(access.record));
    memcpy(access.exchange, event->exchange ? event->exchange : entry->record.id,
           sizeof(access.exchange));
    if (named) {
        memcpy(access.patient, event->patient, sizeof(access.patient));
    }
    const struct batch_entry what = {
        .epoch = BATCH_EPOCH_ANY,
        .owner = entry,
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
