/* Both kinds have the same columns for what is sent, in the same places of every answer. */
#include "gateway/store/sendings.h"

#define SENDING                                                                                \
    "id, state, chain, nonce, max_fee, tip, raw, hash, block_number, block_hash, reason, "     \
    "changed, older"
#define ANCHOR SENDING ", log, size, root, note_hash, contract, sender, proof"
#define RELAY SENDING ", consent, version, kind, call"
#define UPDATE_PARAMS                                                                          \
    "($1::bigint, $2::smallint, $3::bigint, $4::bigint, $5::bigint, $6::bytea, $7::bytea,"     \
    " $8::bigint, $9::bytea, $10::text)"

enum {
    OWN = 13, /* first column that isn't the sending's */
};

static const struct db_statement fence = { "sending_fence", "SELECT notary_fence($1::bigint)" };
static const struct db_statement plan_anchor = {
    "anchor_plan",
    "INSERT INTO anchor (log, size, root, note_hash, chain, contract, sender) SELECT "
    "$2::smallint,"
    " $3::bigint, $4::bytea, $5::bytea, $6::bigint, $7::bytea, $8::bytea"
    " FROM (SELECT notary_fence($1::bigint)) AS f RETURNING id",
};
static const struct db_statement plan_relay = {
    "relay_plan",
    "SELECT relay_plan($1::bytea, $2::integer, $3::smallint, $4::bigint, $5::bytea)",
};
static const struct db_statement update_anchor = { "anchor_update",
                                                   "SELECT anchor_update" UPDATE_PARAMS };
static const struct db_statement update_relay = { "relay_update",
                                                  "SELECT relay_update" UPDATE_PARAMS };
static const struct db_statement prove = {
    "anchor_prove",
    "UPDATE anchor SET proof = $2::bytea WHERE id = $1::bigint",
};
static const struct db_statement open_anchors = {
    "anchor_open",
    "SELECT " ANCHOR " FROM anchor WHERE chain = $1::bigint AND (state < 5 OR state = 7)"
    " ORDER BY id",
};
static const struct db_statement open_relays = {
    "relay_open",
    "SELECT " RELAY " FROM relay WHERE chain = $1::bigint AND (state < 5 OR state = 7)"
    " ORDER BY id LIMIT $2::integer",
};
static const struct db_statement covering = {
    "anchor_covering",
    "SELECT " ANCHOR " FROM anchor WHERE log = $1::smallint AND size >= $2::bigint"
    " AND state BETWEEN 3 AND 5 ORDER BY size, id LIMIT 1",
};
static const struct db_statement newest = {
    "anchor_newest",
    "SELECT " ANCHOR " FROM anchor WHERE log = $1::smallint AND state BETWEEN 3 AND 5"
    " ORDER BY size DESC, id DESC LIMIT 1",
};
static const struct db_statement relays_of = {
    "relay_of",
    "SELECT " RELAY " FROM relay WHERE consent = $1::bytea ORDER BY id DESC",
};

const char *store_sending_word(enum store_sending_state state)
{
    switch (state) {
    case STORE_PLANNED: return "planned";
    case STORE_SIGNED: return "signed";
    case STORE_BROADCAST: return "broadcast";
    case STORE_MINED: return "mined";
    case STORE_SAFE: return "safe";
    case STORE_FINALIZED: return "finalized";
    case STORE_REPLACED: return "replaced";
    case STORE_REORGED: return "reorged";
    case STORE_FAILED: return "failed";
    }
    return "unknown";
}

struct op *store_anchor_plan(struct db *db, uint64_t by, const struct store_anchor *a,
                             db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_i64(&p, (int64_t)by);
    db_put_i16(&p, a->log);
    db_put_i64(&p, (int64_t)a->size);
    db_put_bytes(&p, str_of(a->root, sizeof(a->root)));
    db_put_bytes(&p, str_of(a->note_hash, sizeof(a->note_hash)));
    db_put_i64(&p, (int64_t)a->sending.chain);
    db_put_bytes(&p, str_of(a->contract, sizeof(a->contract)));
    db_put_bytes(&p, str_of(a->sender, sizeof(a->sender)));
    return db_query(db, &plan_anchor, &p, done, arg);
}

struct op *store_relay_plan(struct db *db, const struct store_relay *relay, db_done_fn done,
                            void *arg)
{
    struct db_params p = { 0 };
    db_put_bytes(&p, str_of(relay->consent, sizeof(relay->consent)));
    db_put_i32(&p, relay->version);
    db_put_i16(&p, (int16_t)relay->kind);
    db_put_i64(&p, (int64_t)relay->sending.chain);
    db_put_bytes(&p, relay->call);
    return db_query(db, &plan_relay, &p, done, arg);
}

int64_t store_sending_id(const struct db_rows *rows)
{
    return db_i64(rows, 0, 0);
}

/* NULL where nothing is known yet. */
static void put_span(struct db_params *p, struct str s)
{
    db_put_bytes(p, s.n ? s : (struct str){ 0 });
}

static struct op *update(struct db *db, uint64_t by, const struct db_statement *statement,
                         const struct db_params *p, db_done_fn done, void *arg)
{
    struct db_params first = { 0 };
    db_put_i64(&first, (int64_t)by);
    const struct db_step steps[] = { { &fence, &first }, { statement, p } };
    return db_transaction(db, steps, ARRAY_LEN(steps), done, arg);
}

static void put_sending(struct db_params *p, const struct store_sending *s)
{
    db_put_i64(p, s->id);
    db_put_i16(p, (int16_t)s->state);
    db_put_i64(p, (int64_t)s->nonce);
    db_put_i64(p, (int64_t)s->max_fee);
    db_put_i64(p, (int64_t)s->tip);
    put_span(p, s->raw);
    put_span(p, s->hash);
    db_put_i64(p, (int64_t)s->block_number);
    put_span(p, s->block_hash);
    db_put_bytes(p, s->reason.p ? s->reason : STR(""));
}

struct op *store_anchor_update(struct db *db, uint64_t by, const struct store_sending *sending,
                               db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    put_sending(&p, sending);
    return update(db, by, &update_anchor, &p, done, arg);
}

struct op *store_relay_update(struct db *db, uint64_t by, const struct store_sending *sending,
                              db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    put_sending(&p, sending);
    return update(db, by, &update_relay, &p, done, arg);
}

struct op *store_anchor_prove(struct db *db, uint64_t by, int64_t id, struct str proof,
                              db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_i64(&p, id);
    db_put_bytes(&p, proof);
    return update(db, by, &prove, &p, done, arg);
}

struct op *store_anchor_open(struct db *db, uint64_t chain, db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_i64(&p, (int64_t)chain);
    return db_query(db, &open_anchors, &p, done, arg);
}

struct op *store_relay_open(struct db *db, uint64_t chain, int limit, db_done_fn done,
                            void *arg)
{
    struct db_params p = { 0 };
    db_put_i64(&p, (int64_t)chain);
    db_put_i32(&p, limit);
    return db_query(db, &open_relays, &p, done, arg);
}

struct op *store_anchor_covering(struct db *db, int16_t log, uint64_t size, db_done_fn done,
                                 void *arg)
{
    struct db_params p = { 0 };
    db_put_i16(&p, log);
    db_put_i64(&p, (int64_t)size);
    return db_query(db, &covering, &p, done, arg);
}

struct op *store_anchor_newest(struct db *db, int16_t log, db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_i16(&p, log);
    return db_query(db, &newest, &p, done, arg);
}

static void read_sending(const struct db_rows *rows, int i, struct store_sending *out)
{
    out->id = db_i64(rows, i, 0);
    out->state = (enum store_sending_state)db_i16(rows, i, 1);
    out->chain = (uint64_t)db_i64(rows, i, 2);
    out->nonce = (uint64_t)db_i64(rows, i, 3);
    out->max_fee = (uint64_t)db_i64(rows, i, 4);
    out->tip = (uint64_t)db_i64(rows, i, 5);
    out->raw = db_bytes(rows, i, 6);
    out->hash = db_bytes(rows, i, 7);
    out->block_number = (uint64_t)db_i64(rows, i, 8);
    out->block_hash = db_bytes(rows, i, 9);
    out->reason = db_bytes(rows, i, 10);
    out->changed = db_time(rows, i, 11);
    out->older = db_bytes(rows, i, 12);
}

int store_anchor_row(const struct db_rows *rows, int i, struct store_anchor *out)
{
    read_sending(rows, i, &out->sending);
    out->log = (int16_t)db_i16(rows, i, OWN);
    out->size = (uint64_t)db_i64(rows, i, OWN + 1);
    out->proof = db_bytes(rows, i, OWN + 6);
    int r = db_fixed(rows, i, OWN + 2, out->root, sizeof(out->root));
    r = r ? r : db_fixed(rows, i, OWN + 3, out->note_hash, sizeof(out->note_hash));
    r = r ? r : db_fixed(rows, i, OWN + 4, out->contract, sizeof(out->contract));
    return r ? r : db_fixed(rows, i, OWN + 5, out->sender, sizeof(out->sender));
}

int store_relay_row(const struct db_rows *rows, int i, struct store_relay *out)
{
    read_sending(rows, i, &out->sending);
    out->version = (uint16_t)db_i32(rows, i, OWN + 1);
    out->kind = (enum store_relay_kind)db_i16(rows, i, OWN + 2);
    out->call = db_bytes(rows, i, OWN + 3);
    return db_fixed(rows, i, OWN, out->consent, sizeof(out->consent));
}

struct op *store_relay_of(struct db *db, const uint8_t consent[32], db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_bytes(&p, str_of(consent, 32));
    return db_query(db, &relays_of, &p, done, arg);
}
