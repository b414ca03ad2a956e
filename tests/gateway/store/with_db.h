/* A group of tests with one connection to a migrated database, where there is one. */
#pragma once

#include "tests/gateway/store/store_test.h"

static struct db *db;

static inline int open_db(void **state)
{
    int r = store_group_setup(state);
    if (r == 0 && getenv("PGURL")) {
        db = store_connect();
    }
    return r;
}

static inline int close_db(void **state)
{
    db_free(db);
    return store_group_teardown(state);
}
