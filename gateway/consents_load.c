/*
 * Chunks of rows, then the keys they are sealed under, then the index.
 *
 *   all:      links --> [rows --> keys --> index]… until a chunk is short
 *   patient:  group --> the same, of these numbers
 *   changes:  [ids --> rows --> keys --> index]… then [patient --> group --> merge]…
 *
 * That a policy opens the commitment is checked here, once, so that deciding is only looking
 * up. A row that doesn't open is put in all the same: it denies.
 */
#include "gateway/consents_load.h"

#include "anchor/eip712.h"
#include "crypto/seal.h"
#include "gateway/log.h"
#include "gateway/store/patients.h"
#include "gateway/vault.h"

#include <errno.h>
#include <stdlib.h>

enum {
    CHUNK = VAULT_TOGETHER_MAX,
    LINKS_CHUNK = 1000,
    SECONDS_A_DAY = 86400,
};

/* A row kept until its key is there. */
struct kept_row {
    struct store_consent row;
    char *sealed; /* owned */
};

struct consents_load {
    struct db *db;
    struct vault *vault;
    struct consent_index *index;
    consents_load_fn done;
    void *arg;
    struct op *op;
    bool all;
    struct kept_row rows[CHUNK];
    size_t count;
    struct store_consent_page page;
    uint8_t last_link[16];
    uint8_t (*ids)[32]; /* owned; changed consents */
    size_t id_count;
    size_t id_from;          /* asked for: from here … */
    size_t id_at;            /* … to here */
    uint8_t (*patients)[16]; /* owned; changed links, or the numbers of the one patient */
    size_t patient_count;
    size_t patient_at;
};

static void drop_rows(struct consents_load *load)
{
    for (size_t i = 0; i < load->count; i++) {
        free(load->rows[i].sealed);
    }
    load->count = 0;
}

void consents_load_cancel(struct consents_load *load)
{
    if (load) {
        op_cancel(load->op);
        drop_rows(load);
        free(load->ids);
        free(load->patients);
        free(load);
    }
}

static void end(struct consents_load *load, int r)
{
    consents_load_fn done = load->done;
    void *arg = load->arg;
    struct consent_index *index = load->index;
    load->op = NULL;
    consents_load_cancel(load);
    done(arg, r, index);
}

/* Go on with the operation just begun, or end if it couldn't be. */
static void went(struct consents_load *load, struct op *op)
{
    load->op = op;
    if (!op) {
        end(load, -ENOTCONN);
    }
}

static uint32_t day(uint64_t seconds)
{
    uint64_t days = seconds / SECONDS_A_DAY;
    return days < CONSENT_DAY_OPEN ? (uint32_t)days : CONSENT_DAY_OPEN;
}

static struct consent_chain_state chain_state(const struct store_consent_chain *from)
{
    if (!from->known) {
        return (struct consent_chain_state){ .state = CONSENT_CHAIN_ABSENT };
    }
    uint64_t until = from->valid_until;
    struct consent_chain_state chain = {
        .state = from->revoked ? CONSENT_CHAIN_REVOKED
                 : from->safe  ? CONSENT_CHAIN_SAFE
                               : CONSENT_CHAIN_GRANTED,
        .version = from->granted,
        .valid_from = day(from->valid_from),
        .valid_until = until && until < CONSENT_OPEN_END ? day(until) : CONSENT_DAY_OPEN,
        .block = from->block_number,
    };
    memcpy(chain.commitment, from->commitment, sizeof(chain.commitment));
    return chain;
}

/* Decrypt in place and check that it opens the commitment; the policy's text or empty. */
static struct str open_row(struct consents_load *load, struct kept_row *kept, bool *opened)
{
    const struct store_consent *row = &kept->row;
    const struct vault_key *key = vault_cached_id(load->vault, row->key);
    *opened = false;
    if (!key || memcmp(key->patient, row->patient, sizeof(row->patient)) != 0) {
        return (struct str){ 0 };
    }
    struct seal_about about = vault_about(load->vault, key, SEAL_CONSENT, row->id);
    uint8_t *plain = (uint8_t *)kept->sealed;
    if (row->sealed.n < CONSENT_SEALED_POLICY + SEAL_TAG_SIZE ||
        seal_open(key->secret, &about, row->nonce, str_of(kept->sealed, row->sealed.n),
                  plain)) {
        return (struct str){ 0 };
    }
    struct str text = str_of(plain + CONSENT_SEALED_POLICY,
                             row->sealed.n - SEAL_TAG_SIZE - CONSENT_SEALED_POLICY);
    struct consent_opening opening = { .schema = CONSENT_SCHEMA };
    uint8_t commitment[32];
    memcpy(opening.salt, plain + CONSENT_SEALED_SALT, sizeof(opening.salt));
    memcpy(opening.statement, plain + CONSENT_SEALED_STATEMENT, sizeof(opening.statement));
    digest_sha256(text, opening.policy);
    consent_commitment(&opening, commitment);
    *opened = memcmp(opening.policy, row->policy_hash, sizeof(opening.policy)) == 0 &&
              memcmp(commitment, row->commitment, sizeof(commitment)) == 0;
    return text;
}

static int put_row(struct consents_load *load, struct kept_row *kept)
{
    const struct store_consent *row = &kept->row;
    struct consent_entry entry = {
        .version = row->version,
        .chain = chain_state(&row->on_chain),
    };
    memcpy(entry.id, row->id, sizeof(entry.id));
    memcpy(entry.patient, row->patient, sizeof(entry.patient));
    memcpy(entry.commitment, row->commitment, sizeof(entry.commitment));
    memcpy(entry.policy_hash, row->policy_hash, sizeof(entry.policy_hash));
    struct str text = open_row(load, kept, &entry.opened);
    if (!entry.opened) {
        log_text(LOG_ERROR, "a stored consent does not open its commitment: it denies");
    }
    return consent_index_put(load->index, &entry, text);
}

/*
 * Of several versions those that the chain holds count: the one in force, and one whose grant
 * isn't safe yet; one filed ahead of the chain only if there is no other.
 */
static bool counts(const struct consents_load *load, size_t i)
{
    const struct store_consent *row = &load->rows[i].row;
    if (!row->on_chain.known || row->on_chain.granted == row->version) {
        return true;
    }
    bool first = i == 0 ? memcmp(load->page.after, row->id, sizeof(row->id)) != 0
                        : memcmp(load->rows[i - 1].row.id, row->id, sizeof(row->id)) != 0;
    return first;
}

/* Those asked for: what rows there are of them comes anew. */
static void remove_asked(struct consents_load *load)
{
    for (size_t i = load->id_from; i < load->id_at; i++) {
        consent_index_remove(load->index, load->ids[i]);
    }
}

static void next_rows(struct consents_load *load);

static void on_keys(void *arg, int r)
{
    struct consents_load *load = arg;
    load->op = NULL;
    if (r == 0 && !load->all) {
        remove_asked(load);
    }
    for (size_t i = 0; r == 0 && i < load->count; i++) {
        if (load->rows[i].row.status == STORE_CONSENT_FILED && counts(load, i)) {
            r = put_row(load, &load->rows[i]);
        }
    }
    if (r != 0) {
        end(load, r < 0 ? r : -EIO);
        return;
    }
    bool more = load->all && load->count == CHUNK;
    if (load->count) {
        memcpy(load->page.after, load->rows[load->count - 1].row.id, sizeof(load->page.after));
        load->page.after_version = load->rows[load->count - 1].row.version;
    }
    drop_rows(load);
    if (load->all && !more) {
        end(load, 0);
        return;
    }
    next_rows(load);
}

static int keep_rows(struct consents_load *load, const struct db_rows *rows)
{
    if (db_count(rows) > CHUNK) {
        return -EOVERFLOW;
    }
    for (int i = 0; i < db_count(rows); i++) {
        struct kept_row *kept = &load->rows[load->count];
        int r = store_consent_row(rows, i, &kept->row);
        if (r < 0) {
            return r;
        }
        kept->sealed = malloc(kept->row.sealed.n + 1);
        if (!kept->sealed) {
            return -ENOMEM;
        }
        memcpy(kept->sealed, kept->row.sealed.p, kept->row.sealed.n);
        load->count++;
    }
    return 0;
}

static void on_rows(void *arg, int r, const struct db_rows *rows)
{
    struct consents_load *load = arg;
    load->op = NULL;
    r = r < 0 ? r : keep_rows(load, rows);
    if (r < 0) {
        end(load, r);
        return;
    }
    uint8_t keys[CHUNK][16];
    size_t n = 0;
    for (size_t i = 0; i < load->count; i++) {
        if (!vault_cached_id(load->vault, load->rows[i].row.key)) {
            memcpy(keys[n++], load->rows[i].row.key, 16);
        }
    }
    if (n == 0) {
        on_keys(load, 0);
        return;
    }
    went(load, vault_fetch_ids(load->vault, load->db, keys[0], n, on_keys, load));
}

static void next_group(struct consents_load *load);

static void on_group(void *arg, int r, const struct db_rows *rows)
{
    struct consents_load *load = arg;
    load->op = NULL;
    uint8_t first[16];
    for (int i = 0; r == 0 && i < db_count(rows); i++) {
        uint8_t patient[16];
        store_patient_row(rows, i, patient);
        if (i == 0) {
            memcpy(first, patient, sizeof(first));
        } else {
            r = consent_index_merge(load->index, first, patient);
        }
    }
    if (r < 0) {
        end(load, r);
        return;
    }
    load->patient_at++;
    next_group(load);
}

static void next_group(struct consents_load *load)
{
    if (load->patient_at == load->patient_count) {
        end(load, 0);
        return;
    }
    const uint8_t *patient = load->patients[load->patient_at];
    consent_index_unmerge(load->index, patient);
    went(load, store_patient_group(load->db, patient, on_group, load));
}

/* The next chunk: of the table, or of the ids that changed. */
static void next_rows(struct consents_load *load)
{
    if (load->all) {
        went(load, store_consent_load(load->db, &load->page, on_rows, load));
        return;
    }
    size_t n = load->id_count - load->id_at;
    n = n < CHUNK / 4 ? n : CHUNK / 4; /* an id may have several versions */
    if (n == 0) {
        next_group(load);
        return;
    }
    const uint8_t *ids = load->ids[load->id_at];
    load->id_from = load->id_at;
    load->id_at += n;
    memset(load->page.after, 0, sizeof(load->page.after));
    went(load, store_consent_by_id(load->db, ids, n, on_rows, load));
}

static void on_links(void *arg, int r, const struct db_rows *rows)
{
    struct consents_load *load = arg;
    load->op = NULL;
    int n = r == 0 ? db_count(rows) : 0;
    for (int i = 0; r == 0 && i < n; i++) {
        uint8_t target[16];
        store_patient_link_row(rows, i, load->last_link, target);
        r = consent_index_merge(load->index, load->last_link, target);
    }
    if (r < 0) {
        end(load, r);
    } else if (n == LINKS_CHUNK) {
        went(load, store_patient_links(load->db, load->last_link, LINKS_CHUNK, on_links, load));
    } else {
        next_rows(load);
    }
}

static struct consents_load *load_new(struct db *db, struct vault *vault,
                                      struct consent_index *index, consents_load_fn done,
                                      void *arg)
{
    struct consents_load *load = calloc(1, sizeof(*load));
    if (load) {
        load->db = db;
        load->vault = vault;
        load->index = index;
        load->page.limit = CHUNK;
        load->done = done;
        load->arg = arg;
    }
    return load;
}

struct consents_load *consents_load_all(struct db *db, struct vault *vault,
                                        struct consent_index *index, consents_load_fn done,
                                        void *arg)
{
    struct consents_load *load = load_new(db, vault, index, done, arg);
    if (!load) {
        return NULL;
    }
    load->all = true;
    load->op = store_patient_links(db, load->last_link, LINKS_CHUNK, on_links, load);
    if (!load->op) {
        consents_load_cancel(load);
        return NULL;
    }
    return load;
}

/* All numbers of the patient: their consents apply to each. */
static void on_numbers(void *arg, int r, const struct db_rows *rows)
{
    struct consents_load *load = arg;
    load->op = NULL;
    size_t n = r == 0 ? (size_t)db_count(rows) : 0;
    load->patients = calloc(n + 1, sizeof(*load->patients));
    r = r < 0 ? r : load->patients ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < n; i++) {
        store_patient_row(rows, (int)i, load->patients[i]);
        r = consent_index_merge(load->index, load->patients[0], load->patients[i]);
    }
    if (r < 0) {
        end(load, r);
        return;
    }
    load->page.patients = load->patients[0];
    load->page.n_patients = n;
    next_rows(load);
}

struct consents_load *consents_load_patient(struct db *db, struct vault *vault,
                                            struct consent_index *index,
                                            const uint8_t patient[16], consents_load_fn done,
                                            void *arg)
{
    struct consents_load *load = load_new(db, vault, index, done, arg);
    if (!load) {
        return NULL;
    }
    load->all = true;
    load->op = store_patient_group(db, patient, on_numbers, load);
    if (!load->op) {
        consents_load_cancel(load);
        return NULL;
    }
    return load;
}

static void take_change(struct consents_load *load, const struct store_change *change)
{
    switch (change->kind) {
    case STORE_CHANGE_CONSENT:
    case STORE_CHANGE_CHAIN:
        if (change->ref.n == 32) {
            memcpy(load->ids[load->id_count++], change->ref.p, 32);
        }
        return;
    case STORE_CHANGE_LINK:
        if (change->ref.n == 16) {
            memcpy(load->patients[load->patient_count++], change->ref.p, 16);
        }
        return;
    case STORE_CHANGE_KEY:
        if (change->ref.n == 16) {
            vault_forget(load->vault, (const uint8_t *)change->ref.p);
        }
        return;
    case STORE_CHANGE_TOKEN: return;
    }
}

/* Begins with a question whatever the changes are, so that the completion comes later. */
struct consents_load *consents_load_changes(struct db *db, struct vault *vault,
                                            struct consent_index *index,
                                            const struct db_rows *changes,
                                            consents_load_fn done, void *arg)
{
    struct consents_load *load = load_new(db, vault, index, done, arg);
    size_t n = (size_t)db_count(changes);
    if (load) {
        load->ids = calloc(n + 1, sizeof(*load->ids));
        load->patients = calloc(n + 1, sizeof(*load->patients));
    }
    if (!load || !load->ids || !load->patients) {
        consents_load_cancel(load);
        return NULL;
    }
    for (int i = 0; i < db_count(changes); i++) {
        struct store_change change;
        store_change_row(changes, i, &change);
        take_change(load, &change);
    }
    size_t first = load->id_count < CHUNK / 4 ? load->id_count : CHUNK / 4;
    load->id_at = first;
    load->op = store_consent_by_id(db, load->ids[0], first, on_rows, load);
    if (!load->op) {
        consents_load_cancel(load);
        return NULL;
    }
    return load;
}
