/*
 * Schema: applying migrations, and checking what is there. These block; they are for commands
 * and for the start of the supervisor, before there is an event loop.
 */
#pragma once

#include "crypto/base/attr.h"

#include <stddef.h>

enum {
    MIGRATE_E_OLDER = 1,   /* schema is older than this program: run chartseal migrate */
    MIGRATE_E_NEWER = 2,   /* newer by more than one: this program is too old */
    MIGRATE_E_TENANT = 3,  /* the database belongs to another tenant */
    MIGRATE_E_CHANGED = 4, /* an applied migration differs from the one in this program */
    MIGRATE_E_EMPTY = 5,   /* no schema at all */
};

enum {
    MIGRATE_MONTHS_AHEAD = 3,
};

/*
 * @number: schema number found or reached
 * @applied: how many migrations were applied
 * @why:    what PostgreSQL said, for a person; terminated
 */
struct migrate_result {
    int number;
    int applied;
    char why[512];
};

/**
 * migrate_apply() - apply the migrations that are missing, each in a transaction of its own
 * @tenant: written into a new database; an existing one must bear it
 *
 * Two at a time wait for each other. Makes the months' partitions too.
 * Return: 0, MIGRATE_E_…, -ECONNREFUSED (no connection) or -EIO; @result is always set
 */
MUST_USE int migrate_apply(const char *url, const char *tenant, struct migrate_result *result);

/**
 * migrate_check() - may this program run on that schema?
 *
 * Older is refused; newer by one is fine, so that nodes are replaced one by one.
 * Return: as migrate_apply()
 */
MUST_USE int migrate_check(const char *url, const char *tenant, struct migrate_result *result);

/* What a MIGRATE_E_… means and what to do, in one sentence. */
const char *migrate_text(int r);

/* Schema number of this program. */
int migrate_number(void);
