/*
 * A statement for each table, an array for each of its columns.
 *
 * The columns stand in one list, in the order of the statements' parameters; a table is a run
 * of them. Empty tables are left out of the transaction.
 */
#include "gateway/store/batch_rows.h"

#include "gateway/store/outbox.h"

#include <errno.h>
#include <stdlib.h>

enum {
    COLUMNS_MAX = 64,
};

enum table {
    TABLE_CONTROL, /* first, so that a repeated message costs least */
    TABLE_RECORD,
    TABLE_PAYLOAD,
    TABLE_OPENING,
    TABLE_ACCESS,
    TABLE_OUTBOX,
    TABLE_MARK,
    TABLES,
};

static const struct {
    struct db_statement statement;
    enum db_type types[12]; /* 0: no more */
} tables[TABLES] = {
    [TABLE_CONTROL] = { { "batch_control",
                          "SELECT control_enter($1::bytea[], $2::bytea[], $3::text[],"
                          " $4::timestamptz[])" },
                        { DB_BYTEA, DB_BYTEA, DB_TEXT, DB_TIME } },
    [TABLE_RECORD] = { { "batch_record",
                         "INSERT INTO record (id, exchange, instance, seq, log, time, leaf, "
                         "bytes)"
                         " SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], "
                         "$4::bigint[],"
                         " $5::smallint[], $6::timestamptz[], $7::bytea[], $8::bytea[])" },
                       { DB_UUID, DB_UUID, DB_UUID, DB_I64, DB_I16, DB_TIME, DB_BYTEA,
                         DB_BYTEA } },
    [TABLE_PAYLOAD] = { { "batch_payload",
                          "INSERT INTO payload (id, exchange, kind, key, nonce, outer_layers,"
                          " ciphertext) SELECT * FROM unnest($1::uuid[], $2::uuid[],"
                          " $3::smallint[], $4::uuid[], $5::bytea[], $6::bytea[], "
                          "$7::bytea[])" },
                        { DB_UUID, DB_UUID, DB_I16, DB_UUID, DB_BYTEA, DB_BYTEA, DB_BYTEA } },
    [TABLE_OPENING] = { { "batch_opening",
                          "INSERT INTO opening (record, key, nonce, ciphertext) SELECT * FROM"
                          " unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[])" },
                        { DB_UUID, DB_UUID, DB_BYTEA, DB_BYTEA } },
    [TABLE_ACCESS] = { { "batch_access",
                         "INSERT INTO access (record, exchange, time, patient, recipient, "
                         "types,"
                         " released) SELECT * FROM unnest($1::uuid[], $2::uuid[],"
                         " $3::timestamptz[], $4::uuid[], $5::bigint[], $6::bytea[],"
                         " $7::boolean[])" },
                       { DB_UUID, DB_UUID, DB_TIME, DB_UUID, DB_I64, DB_BYTEA, DB_BOOL } },
    [TABLE_OUTBOX] = { { "batch_outbox",
                         "INSERT INTO outbox (shard, destination, patient, exchange, payload,"
                         " route, state, blocks, created, next_at, reason)"
                         " SELECT shard, destination, patient, exchange, payload, route, state,"
                         " blocks, created, next_at, reason"
                         " FROM unnest($1::smallint[], $2::text[], $3::uuid[], $4::uuid[],"
                         " $5::uuid[], $6::text[], $7::smallint[], $8::boolean[],"
                         " $9::timestamptz[], $10::timestamptz[], $11::text[]) WITH ORDINALITY"
                         " AS o (shard, destination, patient, exchange, payload, route, state,"
                         " blocks, created, next_at, reason, place) ORDER BY place" },
                       { DB_I16, DB_TEXT, DB_UUID, DB_UUID, DB_UUID, DB_TEXT, DB_I16, DB_BOOL,
                         DB_TIME, DB_TIME, DB_TEXT } },
    [TABLE_MARK] = { { "batch_mark",
                       "SELECT outbox_mark($1::uuid, $2::bigint[], $3::bigint[], "
                       "$4::smallint[],"
                       " $5::boolean[], $6::integer[], $7::timestamptz[], $8::text[])" },
                     { DB_I64, DB_I64, DB_I16, DB_BOOL, DB_I32, DB_TIME, DB_TEXT } },
};

static const struct db_statement begin = {
    "batch_begin",
    "SELECT batch_begin($1::uuid, $2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::bigint)",
};

static const struct db_statement look_up = {
    "batch_look_up",
    "SELECT c.key, c.digest, c.ack, c.time FROM control_id c"
    " JOIN unnest($1::bytea[], $2::bytea[]) AS w (key, digest)"
    " ON c.key = w.key AND c.digest = w.digest",
};

struct batch_rows {
    struct db_array columns[COLUMNS_MAX];
    size_t first[TABLES];
    size_t width[TABLES];
    struct batch_record *records; /* of one entry, owned */
    size_t room;
};

struct batch_rows *batch_rows_new(void)
{
    struct batch_rows *rows = calloc(1, sizeof(*rows));
    if (!rows) {
        return NULL;
    }
    size_t column = 0;
    for (size_t t = 0; t < TABLES; t++) {
        rows->first[t] = column;
        for (size_t i = 0; i < ARRAY_LEN(tables[t].types) && tables[t].types[i]; i++) {
            db_array_init(&rows->columns[column++], tables[t].types[i]);
        }
        rows->width[t] = column - rows->first[t];
    }
    return rows;
}

void batch_rows_free(struct batch_rows *rows)
{
    if (rows) {
        for (size_t i = 0; i < COLUMNS_MAX; i++) {
            db_array_free(&rows->columns[i]);
        }
        free(rows->records);
        free(rows);
    }
}

static size_t used(const struct batch_rows *rows)
{
    return rows->first[TABLES - 1] + rows->width[TABLES - 1];
}

void batch_rows_clear(struct batch_rows *rows)
{
    for (size_t i = 0; i < used(rows); i++) {
        db_array_clear(&rows->columns[i]);
    }
}

/* Empty, not NULL: for columns that must hold something. */
static struct str filled(struct str s)
{
    return s.p ? s : STR("");
}

static void add_record(struct db_array *c, const struct batch_record *r,
                       const struct batch_place *place)
{
    db_array_uuid(&c[0], r->id);
    db_array_uuid(&c[1], r->exchange);
    db_array_uuid(&c[2], place->instance);
    db_array_i64(&c[3], (int64_t)place->seq);
    db_array_i16(&c[4], r->log);
    db_array_time(&c[5], r->time);
    db_array_bytes(&c[6], str_of(r->leaf, sizeof(r->leaf)));
    db_array_bytes(&c[7], filled(r->bytes));
}

static void add_payload(struct db_array *c, const struct batch_payload *p)
{
    db_array_uuid(&c[0], p->id);
    db_array_uuid(&c[1], p->exchange);
    db_array_i16(&c[2], p->kind);
    db_array_uuid(&c[3], p->key);
    db_array_bytes(&c[4], str_of(p->nonce, sizeof(p->nonce)));
    db_array_bytes(&c[5], p->outer.n ? p->outer : (struct str){ 0 });
    db_array_bytes(&c[6], filled(p->ciphertext));
}

static void add_opening(struct db_array *c, const struct batch_opening *o)
{
    db_array_uuid(&c[0], o->record);
    db_array_uuid(&c[1], o->key);
    db_array_bytes(&c[2], str_of(o->nonce, sizeof(o->nonce)));
    db_array_bytes(&c[3], filled(o->ciphertext));
}

static void add_access(struct db_array *c, const struct batch_access *a)
{
    db_array_uuid(&c[0], a->record);
    db_array_uuid(&c[1], a->exchange);
    db_array_time(&c[2], a->time);
    db_array_uuid(&c[3], a->patient);
    db_array_i64(&c[4], a->recipient);
    db_array_bytes(&c[5], filled(a->types));
    db_array_bool(&c[6], a->released);
}

static void add_outbox(struct db_array *c, const struct batch_outbox *o)
{
    db_array_i16(&c[0], store_outbox_shard(o->destination, o->patient));
    db_array_bytes(&c[1], filled(o->destination));
    db_array_uuid(&c[2], o->patient);
    db_array_uuid(&c[3], o->exchange);
    db_array_uuid(&c[4], o->payload);
    db_array_bytes(&c[5], filled(o->route));
    db_array_i16(&c[6], o->state);
    db_array_bool(&c[7], o->blocks);
    db_array_time(&c[8], o->created);
    db_array_time(&c[9], o->next_at);
    db_array_bytes(&c[10], filled(o->reason));
}

static void add_mark(struct db_array *c, const struct batch_mark *m)
{
    db_array_i64(&c[0], m->number);
    db_array_i64(&c[1], m->lease);
    db_array_i16(&c[2], m->state);
    db_array_bool(&c[3], m->blocks);
    db_array_i32(&c[4], m->attempts);
    db_array_time(&c[5], m->next_at);
    db_array_bytes(&c[6], filled(m->reason));
}

static void add_control(struct db_array *c, const struct batch_control *control)
{
    db_array_bytes(&c[0], str_of(control->key, sizeof(control->key)));
    db_array_bytes(&c[1], str_of(control->digest, sizeof(control->digest)));
    db_array_bytes(&c[2], filled(control->ack));
    db_array_time(&c[3], control->time);
}

static struct db_array *columns(struct batch_rows *rows, enum table table)
{
    return &rows->columns[rows->first[table]];
}

/* Make the records of @entry, all before any is added: the last may fail. */
static int fill(struct batch_rows *rows, const struct batch_entry *entry,
                const struct batch_place *first)
{
    if (entry->records > rows->room) {
        void *more = realloc(rows->records, entry->records * sizeof(*rows->records));
        if (!more) {
            return -ENOMEM;
        }
        rows->records = more;
        rows->room = entry->records;
    }
    for (size_t i = 0; i < entry->records; i++) {
        struct batch_place place = { .instance = first->instance, .seq = first->seq + i };
        int r = entry->fill(entry->owner, i, &place, &rows->records[i]);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

int batch_rows_add(struct batch_rows *rows, const struct batch_entry *entry,
                   const struct batch_place *first)
{
    int r = fill(rows, entry, first);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < entry->records; i++) {
        struct batch_place place = { .instance = first->instance, .seq = first->seq + i };
        add_record(columns(rows, TABLE_RECORD), &rows->records[i], &place);
    }
    for (size_t i = 0; i < entry->payload_count; i++) {
        add_payload(columns(rows, TABLE_PAYLOAD), &entry->payloads[i]);
    }
    for (size_t i = 0; i < entry->opening_count; i++) {
        add_opening(columns(rows, TABLE_OPENING), &entry->openings[i]);
    }
    for (size_t i = 0; i < entry->access_count; i++) {
        add_access(columns(rows, TABLE_ACCESS), &entry->accesses[i]);
    }
    for (size_t i = 0; i < entry->outbox_count; i++) {
        add_outbox(columns(rows, TABLE_OUTBOX), &entry->outboxes[i]);
    }
    for (size_t i = 0; i < entry->mark_count; i++) {
        add_mark(columns(rows, TABLE_MARK), &entry->marks[i]);
    }
    if (entry->control) {
        add_control(columns(rows, TABLE_CONTROL), entry->control);
    }
    return 0;
}

static void put_head(struct db_params *p, const struct batch_head *head)
{
    db_put_uuid(p, head->instance);
    db_put_i64(p, head->generation);
    db_put_i64(p, head->number);
    db_put_i64(p, head->seq);
    db_put_i64(p, head->count);
    db_put_i64(p, head->epoch);
}

struct op *batch_rows_send(struct batch_rows *rows, struct db *db,
                           const struct batch_head *head, db_done_fn done, void *arg)
{
    struct db_params params[TABLES + 1] = { 0 };
    struct db_step steps[TABLES + 1];
    size_t n = 0;
    put_head(&params[n], head);
    steps[n] = (struct db_step){ .statement = &begin, .params = &params[n] };
    n++;
    for (size_t t = 0; t < TABLES; t++) {
        struct db_array *column = columns(rows, (enum table)t);
        if (column->n == 0) {
            continue;
        }
        if (t == TABLE_MARK) {
            db_put_uuid(&params[n], head->instance);
        }
        for (size_t i = 0; i < rows->width[t]; i++) {
            db_put_array(&params[n], &column[i]);
        }
        steps[n] = (struct db_step){ .statement = &tables[t].statement, .params = &params[n] };
        n++;
    }
    return db_transaction(db, steps, n, done, arg);
}

bool batch_rows_controls(const struct batch_rows *rows)
{
    return rows->columns[rows->first[TABLE_CONTROL]].n > 0;
}

struct op *batch_rows_look_up(struct batch_rows *rows, struct db *db, db_done_fn done,
                              void *arg)
{
    struct db_params params = { 0 };
    db_put_array(&params, &columns(rows, TABLE_CONTROL)[0]);
    db_put_array(&params, &columns(rows, TABLE_CONTROL)[1]);
    return db_query(db, &look_up, &params, done, arg);
}
