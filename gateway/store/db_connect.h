/* Making of a connection: what libpq is told. */
#pragma once

#include "crypto/base/attr.h"

struct pg_conn;

/* @url, @hostaddr, @name: owned; hostaddr NULL where the URL names none to resolve */
struct db_target {
    char *url;
    char *hostaddr;
    char *name;
};

/* Resolve the hosts of @url, once. Return: 0, -EINVAL, -ENXIO or -ENOMEM */
MUST_USE int db_target_init(struct db_target *target, const char *url, const char *name);
void db_target_deinit(struct db_target *target);

/* Begin to connect; NULL: no memory. */
struct pg_conn *db_target_connect(const struct db_target *target);
