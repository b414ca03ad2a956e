/* One trip each. Whoever is merged since is found under the number that stands for both. */
#include "gateway/store/glass.h"

static const struct db_statement open = {
    "glass_open",
    "INSERT INTO break_glass (id, patient, recipient, reason, opened, until, review_by)"
    " VALUES ($1::uuid, $2::uuid, $3::bigint, $4::text, $5::timestamptz, $6::timestamptz,"
    " $7::timestamptz)",
};
static const struct db_statement notify = {
    "glass_notify",
    "INSERT INTO break_glass_notice (id, whom, next_at)"
    " VALUES ($1::uuid, 1, $2::timestamptz), ($1::uuid, 2, $3::timestamptz)",
};
static const struct db_statement held = {
    "glass_held",
    "SELECT b.id, patient_root(b.patient), b.until FROM recipient r"
    " JOIN break_glass b ON b.recipient = r.number"
    " WHERE r.hash = $1::bytea AND b.until > $2::timestamptz AND b.patient IS NOT NULL"
    " ORDER BY b.until DESC LIMIT $3::integer",
};
static const struct db_statement list = {
    "glass_list",
    "SELECT b.id, b.patient, b.recipient, b.reason, b.opened, b.until, b.review_by, b.reviewed,"
    " b.outcome, o.told, p.told, CASE WHEN p.told IS NULL THEN p.next_at END"
    " FROM break_glass b"
    " LEFT JOIN break_glass_notice o ON o.id = b.id AND o.whom = 1"
    " LEFT JOIN break_glass_notice p ON p.id = b.id AND p.whom = 2"
    " WHERE ($1::uuid IS NULL OR b.id = $1::uuid) AND (NOT $2::boolean OR b.reviewed IS NULL)"
    " AND ($3::timestamptz IS NULL OR (b.reviewed IS NULL AND b.review_by < $3::timestamptz))"
    " AND ($4::timestamptz IS NULL OR b.opened >= $4::timestamptz)"
    " AND ($5::timestamptz IS NULL OR b.opened < $5::timestamptz)"
    " ORDER BY b.id DESC LIMIT $6::integer",
};
static const struct db_statement review = {
    "glass_review",
    "UPDATE break_glass SET reviewed = $2::timestamptz, outcome = $3::text,"
    " until = least(until, $2::timestamptz) WHERE id = $1::uuid AND reviewed IS NULL",
};
static const struct db_statement due = {
    "glass_due",
    "SELECT id, whom, reason, opened, until, review_by"
    " FROM break_glass_due($1::timestamptz, $2::integer)",
};
static const struct db_statement told = {
    "glass_told",
    "UPDATE break_glass_notice SET told = $3::timestamptz"
    " WHERE id = $1::uuid AND whom = $2::smallint",
};
static const struct db_statement overdue = {
    "glass_overdue",
    "SELECT count(*) FROM break_glass WHERE reviewed IS NULL AND review_by < $1::timestamptz",
};

/* A time, or SQL's NULL where it is none. */
static void put_bound(struct db_params *p, int64_t utc_ms)
{
    if (utc_ms) {
        db_put_time(p, utc_ms);
    } else {
        db_put_null(p);
    }
}

struct op *store_glass_open(struct db *db, const struct store_glass *glass, db_done_fn done,
                            void *arg)
{
    struct db_params row = { 0 };
    db_put_uuid(&row, glass->id);
    db_put_uuid(&row, glass->patient);
    db_put_i64(&row, glass->recipient);
    db_put_bytes(&row, glass->reason);
    db_put_time(&row, glass->opened);
    db_put_time(&row, glass->until);
    db_put_time(&row, glass->review_by);
    struct db_params notices = { 0 };
    db_put_uuid(&notices, glass->id);
    db_put_time(&notices, glass->opened);
    db_put_time(&notices, glass->patient_due);
    const struct db_step steps[] = { { &open, &row }, { &notify, &notices } };
    return db_transaction(db, steps, ARRAY_LEN(steps), done, arg);
}

struct op *store_glass_held(struct db *db, const uint8_t recipient[32], int64_t now, int most,
                            db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_bytes(&p, str_of(recipient, 32));
    db_put_time(&p, now);
    db_put_i32(&p, most);
    return db_query(db, &held, &p, done, arg);
}

void store_glass_held_row(const struct db_rows *rows, int i, uint8_t id[16],
                          uint8_t patient[16], int64_t *until)
{
    db_uuid(rows, i, 0, id);
    db_uuid(rows, i, 1, patient);
    *until = db_time(rows, i, 2);
}

struct op *store_glass_list(struct db *db, const struct store_glass_filter *filter,
                            db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_uuid(&p, filter->id);
    db_put_bool(&p, filter->unreviewed);
    put_bound(&p, filter->overdue_at);
    put_bound(&p, filter->from);
    put_bound(&p, filter->to);
    db_put_i32(&p, filter->limit);
    return db_query(db, &list, &p, done, arg);
}

void store_glass_row(const struct db_rows *rows, int i, struct store_glass *out)
{
    db_uuid(rows, i, 0, out->id);
    db_uuid(rows, i, 1, out->patient);
    out->recipient = db_i64(rows, i, 2);
    out->reason = db_bytes(rows, i, 3);
    out->opened = db_time(rows, i, 4);
    out->until = db_time(rows, i, 5);
    out->review_by = db_time(rows, i, 6);
    out->reviewed = db_time(rows, i, 7);
    out->outcome = db_bytes(rows, i, 8);
    out->officer_told = db_time(rows, i, 9);
    out->patient_told = db_time(rows, i, 10);
    out->patient_due = db_time(rows, i, 11);
}

struct op *store_glass_review(struct db *db, const uint8_t id[16], int64_t at,
                              struct str outcome, db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_uuid(&p, id);
    db_put_time(&p, at);
    db_put_bytes(&p, outcome);
    return db_query(db, &review, &p, done, arg);
}

struct op *store_glass_due(struct db *db, int64_t now, int most, db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_time(&p, now);
    db_put_i32(&p, most);
    return db_query(db, &due, &p, done, arg);
}

void store_glass_due_row(const struct db_rows *rows, int i, struct store_glass *out,
                         enum store_glass_whom *whom)
{
    *out = (struct store_glass){ .reason = db_bytes(rows, i, 2) };
    db_uuid(rows, i, 0, out->id);
    *whom = (enum store_glass_whom)db_i16(rows, i, 1);
    out->opened = db_time(rows, i, 3);
    out->until = db_time(rows, i, 4);
    out->review_by = db_time(rows, i, 5);
}

struct op *store_glass_told(struct db *db, const uint8_t id[16], enum store_glass_whom whom,
                            int64_t at, db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_uuid(&p, id);
    db_put_i16(&p, (int16_t)whom);
    db_put_time(&p, at);
    return db_query(db, &told, &p, done, arg);
}

struct op *store_glass_overdue(struct db *db, int64_t now, db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_time(&p, now);
    return db_query(db, &overdue, &p, done, arg);
}

int64_t store_glass_overdue_row(const struct db_rows *rows)
{
    return db_i64(rows, 0, 0);
}
