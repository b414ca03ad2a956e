/*
 * Blocking libpq, in the simple protocol, since a migration is many statements.
 *
 * schema_migration is made here, not by a migration: it says which of them were applied.
 */
#include "gateway/store/migrate.h"

#include "crypto/base/buf.h"
#include "gateway/heap.h"
#include "sql_migrations.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MIGRATION_MAX = 1 << 20,
    DIGITS = 2 * 32 + 1,
};

static void say(struct migrate_result *result, const char *what)
{
    (void)snprintf(result->why, sizeof(result->why), "%s", what);
    size_t n = strlen(result->why);
    while (n && result->why[n - 1] == '\n') {
        result->why[--n] = '\0';
    }
}

static int run(PGconn *conn, const char *sql, struct migrate_result *result)
{
    PGresult *answer = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(answer);
    PQclear(answer);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
        return 0;
    }
    say(result, PQerrorMessage(conn));
    return -EIO;
}

/* The first value that @sql gives into @out, empty if there is none. */
static int ask(PGconn *conn, const char *sql, const char *param, char *out, size_t size,
               struct migrate_result *result)
{
    PGresult *answer = PQexecParams(conn, sql, param ? 1 : 0, NULL, &param, NULL, NULL, 0);
    int r = 0;
    if (PQresultStatus(answer) != PGRES_TUPLES_OK) {
        say(result, PQerrorMessage(conn));
        r = -EIO;
    } else {
        (void)snprintf(out, size, "%s", PQntuples(answer) ? PQgetvalue(answer, 0, 0) : "");
    }
    PQclear(answer);
    return r;
}

static void digest_text(const struct sql_migration *migration, char out[DIGITS])
{
    struct buf digits = buf_fixed(out, DIGITS);
    buf_hex(&digits, migration->sha256, sizeof(migration->sha256));
    buf_c(&digits, '\0');
}

/* Are the first @number migrations those of this program? */
static int compare(PGconn *conn, int number, struct migrate_result *result)
{
    for (int i = 0; i < number && i < migrate_number(); i++) {
        char digits[DIGITS];
        char name[16];
        char found[DIGITS];
        digest_text(&sql_migrations[i], digits);
        (void)snprintf(name, sizeof(name), "%d", i + 1);
        int r = ask(conn,
                    "SELECT encode(sha256, 'hex') FROM schema_migration"
                    " WHERE number = $1::integer",
                    name, found, sizeof(found), result);
        if (r < 0) {
            return r;
        }
        if (strcmp(found, digits) != 0) {
            return MIGRATE_E_CHANGED;
        }
    }
    return 0;
}

/* Schema number, 0 for none. */
static int find_number(PGconn *conn, struct migrate_result *result)
{
    char found[64];
    int r =
        ask(conn, "SELECT to_regclass('schema_migration')", NULL, found, sizeof(found), result);
    if (r < 0 || !*found) {
        result->number = 0;
        return r;
    }
    r = ask(conn, "SELECT coalesce(max(number), 0) FROM schema_migration", NULL, found,
            sizeof(found), result);
    if (r == 0) {
        result->number = (int)strtol(found, NULL, 10);
    }
    return r;
}

static int check_tenant(PGconn *conn, const char *tenant, struct migrate_result *result)
{
    char found[8];
    int r =
        ask(conn, "SELECT name = $1::text FROM tenant", tenant, found, sizeof(found), result);
    if (r < 0) {
        return r;
    }
    return strcmp(found, "t") == 0 ? 0 : MIGRATE_E_TENANT;
}

static int apply_one(PGconn *conn, const struct sql_migration *migration,
                     struct migrate_result *result)
{
    char digits[DIGITS];
    digest_text(migration, digits);
    struct buf sql = heap_buf(MIGRATION_MAX);
    buf_z(&sql, "BEGIN;\n");
    buf_z(&sql, migration->text);
    buf_fmt(&sql,
            "INSERT INTO schema_migration (number, name, sha256)"
            " VALUES (%d, '%s', decode('%s', 'hex'));\nCOMMIT;",
            migration->number, migration->name, digits);
    buf_c(&sql, '\0');
    int r = buf_failed(&sql) ? -ENOMEM : run(conn, sql.p, result);
    heap_buf_free(&sql);
    if (r == 0) {
        result->number = migration->number;
        result->applied++;
    } else {
        char why[sizeof(result->why)];
        (void)snprintf(why, sizeof(why), "%s: %.400s", migration->name, result->why);
        say(result, why);
        PQclear(PQexec(conn, "ROLLBACK"));
    }
    return r;
}

static int set_tenant(PGconn *conn, const char *tenant, struct migrate_result *result)
{
    char found[8];
    int r =
        ask(conn,
            "WITH new AS (INSERT INTO tenant (name) SELECT $1::text"
            " WHERE NOT EXISTS (SELECT FROM tenant) RETURNING name) SELECT count(*) FROM new",
            tenant, found, sizeof(found), result);
    return r < 0 ? r : check_tenant(conn, tenant, result);
}

static int apply_all(PGconn *conn, const char *tenant, struct migrate_result *result)
{
    /* The session's lock: two migrations at a time wait for each other. */
    int r = run(conn,
                "SELECT pg_advisory_lock(7237000);"
                "CREATE TABLE IF NOT EXISTS schema_migration (number integer PRIMARY KEY,"
                " name text NOT NULL, sha256 bytea NOT NULL,"
                " applied timestamptz NOT NULL DEFAULT now())",
                result);
    r = r < 0 ? r : find_number(conn, result);
    if (r < 0) {
        return r;
    }
    /* A database of another tenant is left as it is. */
    r = result->number ? check_tenant(conn, tenant, result) : 0;
    r = r ? r : compare(conn, result->number, result);
    for (int i = result->number; r == 0 && i < migrate_number(); i++) {
        r = apply_one(conn, &sql_migrations[i], result);
    }
    r = r ? r : set_tenant(conn, tenant, result);
    if (r == 0) {
        char sql[64];
        (void)snprintf(sql, sizeof(sql), "SELECT make_partitions(now(), %d)",
                       MIGRATE_MONTHS_AHEAD);
        r = run(conn, sql, result);
    }
    return r;
}

static PGconn *connect_to(const char *url, struct migrate_result *result)
{
    *result = (struct migrate_result){ 0 };
    PGconn *conn = PQconnectdb(url);
    if (PQstatus(conn) != CONNECTION_OK) {
        say(result, PQerrorMessage(conn));
        PQfinish(conn);
        return NULL;
    }
    PQclear(PQexec(conn, "SET client_min_messages = warning"));
    return conn;
}

int migrate_apply(const char *url, const char *tenant, struct migrate_result *result)
{
    PGconn *conn = connect_to(url, result);
    if (!conn) {
        return -ECONNREFUSED;
    }
    int r = apply_all(conn, tenant, result);
    PQfinish(conn);
    return r;
}

static int check(PGconn *conn, const char *tenant, struct migrate_result *result)
{
    int r = find_number(conn, result);
    if (r < 0) {
        return r;
    }
    if (result->number == 0) {
        return MIGRATE_E_EMPTY;
    }
    r = check_tenant(conn, tenant, result);
    if (r) {
        return r;
    }
    if (result->number < migrate_number()) {
        return MIGRATE_E_OLDER;
    }
    if (result->number > migrate_number() + 1) {
        return MIGRATE_E_NEWER;
    }
    return compare(conn, result->number, result);
}

int migrate_check(const char *url, const char *tenant, struct migrate_result *result)
{
    PGconn *conn = connect_to(url, result);
    if (!conn) {
        return -ECONNREFUSED;
    }
    int r = check(conn, tenant, result);
    PQfinish(conn);
    return r;
}

const char *migrate_text(int r)
{
    switch (r) {
    case MIGRATE_E_OLDER: return "the schema is older than this program; run chartseal migrate";
    case MIGRATE_E_NEWER:
        return "the schema is newer than this program can work with; install the new program";
    case MIGRATE_E_TENANT:
        return "the database belongs to another tenant; check database.url_file";
    case MIGRATE_E_CHANGED:
        return "a migration applied to the database differs from this program's; "
               "database and program are of different builds";
    case MIGRATE_E_EMPTY: return "the database is empty; run chartseal migrate";
    default: return "the database can't be used";
    }
}

int migrate_number(void)
{
    return (int)sql_migrations_n;
}
