/*
 * The root key wraps; the tenant's key finds; patients' keys seal.
 *
 * A new patient gets its key together with its number (gateway/newcomers.h). Fetching is one
 * statement for the patients asked for, then one insert for each that has no key. Two workers
 * that make one at the same time both insert, and the database says which came first: that one
 * is used by both.
 */
#include "gateway/vault.h"

#include "gateway/id.h"
#include "gateway/log.h"
#include "gateway/store/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ROOT_FILE_MAX = 512,
};

struct vault {
    const char *tenant;
    struct secret_slab slab; /* root's wrap key, and those derived from the tenant's */
    uint8_t root_id[KEYRING_ROOT_ID_SIZE];
    struct key_cache *cache; /* owned */
    struct vault_key tenant_key;
};

/* Places in the slab. */
enum {
    AT_WRAP,
    AT_TENANT,
    AT_IDENTIFIERS,
    AT_CONTROL,
    AT_RECIPIENTS,
    AT_TOKENS,
    AT_LOGIN,
    AT_COUNT,
};

static uint8_t *at(const struct vault *vault, size_t place)
{
    return vault->slab.p + place * SECRET_SIZE;
}

static int read_root(const char *file, uint8_t root[SECRET_SIZE])
{
    char text[ROOT_FILE_MAX];
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    int r = n < 0 ? -errno : keyring_root_parse(str_of(text, (size_t)n), root);
    if (fd >= 0) {
        (void)close(fd);
    }
    secret_wipe(text, sizeof(text));
    return r;
}

/* As many keys as may be locked: less memory costs look-ups, not safety. */
static struct key_cache *largest_cache(void)
{
    struct key_cache *cache = NULL;
    for (size_t max = VAULT_KEYS_MAX; !cache && max >= VAULT_KEYS_LEAST; max /= 4) {
        cache = key_cache_new(max);
    }
    return cache;
}

int vault_new(const char *root_file, const char *tenant, struct vault **out)
{
    struct vault *vault = calloc(1, sizeof(*vault));
    if (!vault) {
        return -ENOMEM;
    }
    vault->tenant = tenant;
    vault->cache = largest_cache();
    uint8_t root[SECRET_SIZE];
    int r =
        vault->cache ? secret_slab_init(&vault->slab, (size_t)AT_COUNT * SECRET_SIZE) : -ENOMEM;
    if (r == 0) {
        r = read_root(root_file, root);
    }
    if (r != 0) {
        vault_free(vault);
        return r;
    }
    keyring_root_id(root, vault->root_id);
    keyring_derive(root, KEYRING_WRAP, str_z(tenant), at(vault, AT_WRAP));
    secret_wipe(root, sizeof(root));
    *out = vault;
    return 0;
}

void vault_free(struct vault *vault)
{
    if (vault) {
        key_cache_free(vault->cache);
        secret_slab_deinit(&vault->slab);
        free(vault);
    }
}

static struct keyring_owner owner_of(const struct vault *vault, const uint8_t patient[16],
                                     const uint8_t id[16])
{
    struct keyring_owner owner = { .tenant = str_z(vault->tenant) };
    memcpy(owner.patient, patient, sizeof(owner.patient));
    memcpy(owner.key_id, id, sizeof(owner.key_id));
    return owner;
}

/* Unwrap what a row holds. -ENOKEY: destroyed; -EBADMSG: not wrapped by this root. */
static int unwrap(const struct vault *vault, const struct store_key *row,
                  uint8_t secret[SECRET_SIZE])
{
    if (!row->wrapped.p) {
        return -ENOKEY;
    }
    struct keyring_owner owner = owner_of(vault, row->patient, row->id);
    int r = keyring_unwrap(at(vault, AT_WRAP), &owner, row->wrapped, secret);
    if (r < 0) {
        log_text(LOG_ERROR, "a stored key does not open under this root key");
    }
    return r;
}

void vault_new_key(const struct vault *vault, const uint8_t patient[16],
                   uint8_t wrapped[KEYRING_WRAPPED_SIZE], struct store_key *out)
{
    uint8_t secret[SECRET_SIZE];
    uint8_t nonce[SEAL_NONCE_SIZE];
    struct store_key key = { .root = str_of(vault->root_id, sizeof(vault->root_id)) };
    id_random(key.id);
    memcpy(key.patient, patient, sizeof(key.patient));
    randombytes_buf(secret, sizeof(secret));
    randombytes_buf(nonce, sizeof(nonce));
    struct keyring_owner owner = owner_of(vault, patient, key.id);
    keyring_wrap(at(vault, AT_WRAP), &owner, nonce, secret, wrapped);
    secret_wipe(secret, sizeof(secret));
    key.wrapped = str_of(wrapped, KEYRING_WRAPPED_SIZE);
    *out = key;
}

static int keep(struct vault *vault, const struct store_key *row, bool newest)
{
    uint8_t secret[SECRET_SIZE];
    int r = unwrap(vault, row, secret);
    if (r == 0) {
        (void)key_cache_put(vault->cache, row->id, row->patient, secret, newest);
    }
    secret_wipe(secret, sizeof(secret));
    return r;
}

void vault_made(struct vault *vault, const struct store_key *key)
{
    (void)keep(vault, key, true); /* if it can't be kept, it is fetched */
}

/* The tenant's key is known: derive what follows from it. */
static int take_tenant(struct vault *vault, const struct store_key *row)
{
    static const struct {
        int place;
        enum keyring_use use;
    } derived[] = {
        { AT_IDENTIFIERS, KEYRING_IDENTIFIERS },
        { AT_CONTROL, KEYRING_CONTROL_IDS },
        { AT_RECIPIENTS, KEYRING_RECIPIENTS },
        { AT_TOKENS, KEYRING_TOKENS },
        { AT_LOGIN, KEYRING_LOGIN },
    };
    uint8_t secret[SECRET_SIZE];
    int r = unwrap(vault, row, secret);
    if (r == 0) {
        keyring_derive(secret, KEYRING_SEAL, str_z(vault->tenant), at(vault, AT_TENANT));
        for (size_t i = 0; i < ARRAY_LEN(derived); i++) {
            keyring_derive(secret, derived[i].use, str_z(vault->tenant),
                           at(vault, (size_t)derived[i].place));
        }
        memcpy(vault->tenant_key.id, row->id, sizeof(vault->tenant_key.id));
        vault->tenant_key.secret = at(vault, AT_TENANT);
    }
    secret_wipe(secret, sizeof(secret));
    return r;
}

/* --- asking the database ---------------------------------------------------------------- */

struct fetch {
    struct op op;
    struct vault *vault;
    struct db *db;
    struct op *step; /* the statement under way */
    uint8_t patients[VAULT_TOGETHER_MAX][16];
    size_t n;
    size_t at; /* next to make */
    union {
        vault_ready_fn ready;
        vault_done_fn done;
    } call;
    void *arg;
};

static void cancel(struct op *op)
{
    struct fetch *fetch = (struct fetch *)(void *)op;
    op_cancel(fetch->step);
    free(fetch);
}

static struct fetch *fetch_new(struct vault *vault, struct db *db, void *arg)
{
    struct fetch *fetch = calloc(1, sizeof(*fetch));
    if (fetch) {
        fetch->op.cancel = cancel;
        fetch->vault = vault;
        fetch->db = db;
        fetch->arg = arg;
    }
    return fetch;
}

/* Begun, or freed if the first statement couldn't be sent. */
static struct op *begun(struct fetch *fetch)
{
    if (fetch && !fetch->step) {
        free(fetch);
        return NULL;
    }
    return fetch ? &fetch->op : NULL;
}

static void on_tenant(void *arg, int r, const struct db_rows *rows)
{
    struct fetch *fetch = arg;
    struct store_key row;
    if (r == 0 && db_count(rows) == 1) {
        store_key_row(rows, 0, &row);
        r = take_tenant(fetch->vault, &row);
    } else if (r == 0) {
        r = -ENOKEY;
    }
    vault_ready_fn ready = fetch->call.ready;
    void *to = fetch->arg;
    free(fetch);
    ready(to, r);
}

struct op *vault_start(struct vault *vault, struct db *db, vault_ready_fn done, void *arg)
{
    struct fetch *fetch = fetch_new(vault, db, arg);
    if (fetch) {
        static const uint8_t nobody[16];
        uint8_t wrapped[KEYRING_WRAPPED_SIZE];
        struct store_key key;
        vault_new_key(vault, nobody, wrapped, &key);
        fetch->call.ready = done;
        fetch->step = store_key_insert(db, &key, true, on_tenant, fetch);
    }
    return begun(fetch);
}

static void end(struct fetch *fetch, int r)
{
    vault_done_fn done = fetch->call.done;
    void *to = fetch->arg;
    free(fetch);
    done(to, r);
}

static void make_next(struct fetch *fetch);

static void on_made(void *arg, int r, const struct db_rows *rows)
{
    struct fetch *fetch = arg;
    fetch->step = NULL;
    if (r == 0 && db_count(rows) == 1) {
        struct store_key row;
        store_key_row(rows, 0, &row);
        r = keep(fetch->vault, &row, true);
    }
    if (r < 0) {
        end(fetch, r);
        return;
    }
    fetch->at++;
    make_next(fetch);
}

/* Make a key for the next patient that has none; end if all have one. */
static void make_next(struct fetch *fetch)
{
    while (fetch->at < fetch->n &&
           key_cache_patient(fetch->vault->cache, fetch->patients[fetch->at])) {
        fetch->at++;
    }
    if (fetch->at == fetch->n) {
        end(fetch, 0);
        return;
    }
    uint8_t wrapped[KEYRING_WRAPPED_SIZE];
    struct store_key key;
    vault_new_key(fetch->vault, fetch->patients[fetch->at], wrapped, &key);
    fetch->step = store_key_insert(fetch->db, &key, true, on_made, fetch);
    if (!fetch->step) {
        end(fetch, -ENOTCONN);
    }
}

static void on_newest(void *arg, int r, const struct db_rows *rows)
{
    struct fetch *fetch = arg;
    fetch->step = NULL;
    for (int i = 0; r == 0 && i < db_count(rows); i++) {
        struct store_key row;
        store_key_row(rows, i, &row);
        r = keep(fetch->vault, &row, true);
    }
    if (r < 0) {
        end(fetch, r);
        return;
    }
    make_next(fetch);
}

struct op *vault_fetch(struct vault *vault, struct db *db, const uint8_t *patients, size_t n,
                       vault_done_fn done, void *arg)
{
    struct fetch *fetch = n <= VAULT_TOGETHER_MAX ? fetch_new(vault, db, arg) : NULL;
    if (fetch) {
        memcpy(fetch->patients, patients, n * 16);
        fetch->n = n;
        fetch->call.done = done;
        fetch->step = store_key_newest(db, patients, n, on_newest, fetch);
    }
    return begun(fetch);
}

static void on_by_id(void *arg, int r, const struct db_rows *rows)
{
    struct fetch *fetch = arg;
    static const uint8_t nobody[16];
    for (int i = 0; r == 0 && i < db_count(rows); i++) {
        struct store_key row;
        store_key_row(rows, i, &row);
        if (memcmp(row.patient, nobody, sizeof(nobody)) != 0) {
            int kept = keep(fetch->vault, &row, false);
            r = kept == -ENOKEY ? 0 : kept;
        }
    }
    end(fetch, r);
}

struct op *vault_fetch_ids(struct vault *vault, struct db *db, const uint8_t *ids, size_t n,
                           vault_done_fn done, void *arg)
{
    struct fetch *fetch = n <= VAULT_TOGETHER_MAX ? fetch_new(vault, db, arg) : NULL;
    if (fetch) {
        fetch->call.done = done;
        fetch->step = store_key_by_id(db, ids, n, on_by_id, fetch);
    }
    return begun(fetch);
}

/* --- memory ----------------------------------------------------------------------------- */

const uint8_t *vault_root_id(const struct vault *vault)
{
    return vault->root_id;
}

const struct vault_key *vault_tenant(struct vault *vault)
{
    return vault->tenant_key.secret ? &vault->tenant_key : NULL;
}

const struct vault_key *vault_cached(struct vault *vault, const uint8_t patient[16])
{
    return key_cache_patient(vault->cache, patient);
}

const struct vault_key *vault_cached_id(struct vault *vault, const uint8_t key[16])
{
    if (vault->tenant_key.secret && memcmp(vault->tenant_key.id, key, 16) == 0) {
        return &vault->tenant_key;
    }
    return key_cache_id(vault->cache, key);
}

bool vault_has_ids(struct vault *vault, const uint8_t *ids, size_t n)
{
    size_t i = 0;
    while (i < n && vault_cached_id(vault, ids + 16 * i)) {
        i++;
    }
    return i == n;
}

void vault_forget(struct vault *vault, const uint8_t *id)
{
    key_cache_forget(vault->cache, id);
}

void vault_identifier_hash(const struct vault *vault, struct str system, struct str value,
                           uint8_t out[32])
{
    keyring_lookup(at(vault, AT_IDENTIFIERS), system, value, out);
}

void vault_control_hash(const struct vault *vault, struct str sender, struct str control_id,
                        uint8_t out[32])
{
    keyring_lookup(at(vault, AT_CONTROL), sender, control_id, out);
}

void vault_recipient_hash(const struct vault *vault, struct str text, uint8_t out[32])
{
    keyring_lookup(at(vault, AT_RECIPIENTS), STR("recipient"), text, out);
}

void vault_login_hash(const struct vault *vault, struct str domain, struct str value,
                      uint8_t out[32])
{
    keyring_lookup(at(vault, AT_LOGIN), domain, value, out);
}

void vault_token_key(const struct vault *vault, struct sign_key *out)
{
    sign_key_from_seed(out, at(vault, AT_TOKENS));
}

struct seal_about vault_about(const struct vault *vault, const struct vault_key *key,
                              enum seal_kind kind, const uint8_t id[16])
{
    struct seal_about about = { .tenant = str_z(vault->tenant), .kind = kind, .version = 1 };
    memcpy(about.patient, key->patient, sizeof(about.patient));
    memcpy(about.key_id, key->id, sizeof(about.key_id));
    memcpy(about.id, id, sizeof(about.id));
    return about;
}
