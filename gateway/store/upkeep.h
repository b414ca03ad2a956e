/* What somebody has to do now and then; the leading notary does, once an hour. */
#pragma once

#include "gateway/store/db.h"

enum {
    STORE_CONTROL_DAYS = 7,   /* how long control ids are kept */
    STORE_DELIVERED_DAYS = 7, /* how long delivered outbox rows are */
    STORE_CHANGE_DAYS = 2,    /* how long changes are; who is further behind loads all */
};

/* Make partitions ahead, remove what has expired. @now: ms since 1970. No rows. */
MUST_USE struct op *store_upkeep(struct db *db, int64_t now, db_done_fn done, void *arg);
