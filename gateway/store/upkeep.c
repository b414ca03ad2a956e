#include "gateway/store/upkeep.h"

#include "gateway/store/migrate.h"

static const struct db_statement upkeep = {
    "upkeep",
    "SELECT upkeep($1::timestamptz, $2::integer, make_interval(days => $3::integer),"
    " make_interval(days => $4::integer), make_interval(days => $5::integer))",
};

struct op *store_upkeep(struct db *db, int64_t now, db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_time(&p, now);
    db_put_i32(&p, MIGRATE_MONTHS_AHEAD);
    db_put_i32(&p, STORE_CONTROL_DAYS);
    db_put_i32(&p, STORE_DELIVERED_DAYS);
    db_put_i32(&p, STORE_CHANGE_DAYS);
    return db_query(db, &upkeep, &p, done, arg);
}
