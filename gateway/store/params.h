/* What goes to PostgreSQL and what comes back: binary parameters, arrays, rows. */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DB_PARAMS_MAX = 20,
    DB_UUID_SIZE = 16,
};

/*
 * Parameters of one statement, in order; begins as { 0 }. Numbers and UUIDs are copied, spans
 * and arrays stay borrowed until the statement has been sent, which is before db_query()
 * returns. Not to be copied: values point into it.
 */
struct db_params {
    int n;
    bool failed; /* an array lacked memory: won't be sent */
    const char *value[DB_PARAMS_MAX];
    int length[DB_PARAMS_MAX];
    char scalar[DB_PARAMS_MAX][DB_UUID_SIZE];
};

void db_put_null(struct db_params *p);
void db_put_bool(struct db_params *p, bool value);
void db_put_i16(struct db_params *p, int16_t value);
void db_put_i32(struct db_params *p, int32_t value);
void db_put_i64(struct db_params *p, int64_t value);

/* timestamptz from milliseconds since 1970. */
void db_put_time(struct db_params *p, int64_t utc_ms);

/* @id: 16 bytes; NULL gives SQL's NULL. */
void db_put_uuid(struct db_params *p, const uint8_t *id);

/* bytea or text; p NULL gives SQL's NULL. */
void db_put_bytes(struct db_params *p, struct str bytes);

/* Element types of arrays; the values are PostgreSQL's numbers of the types. */
enum db_type {
    DB_BOOL = 16,
    DB_BYTEA = 17,
    DB_I64 = 20,
    DB_I16 = 21,
    DB_I32 = 23,
    DB_TEXT = 25,
    DB_TIME = 1184,
    DB_UUID = 2950,
};

/* An array parameter: init, add, put; free at the end or use again after db_array_clear(). */
struct db_array {
    struct buf b;
    uint32_t n;
    enum db_type type;
};

void db_array_init(struct db_array *a, enum db_type type);
void db_array_clear(struct db_array *a);
void db_array_free(struct db_array *a);

void db_array_null(struct db_array *a);
void db_array_bool(struct db_array *a, bool value);
void db_array_i16(struct db_array *a, int16_t value);
void db_array_i32(struct db_array *a, int32_t value);
void db_array_i64(struct db_array *a, int64_t value);
void db_array_time(struct db_array *a, int64_t utc_ms);
void db_array_uuid(struct db_array *a, const uint8_t id[DB_UUID_SIZE]);
void db_array_bytes(struct db_array *a, struct str bytes); /* p NULL: NULL */

/* Initialise @a with @n items of @size bytes each, one after the other in @items. */
void db_array_items(struct db_array *a, enum db_type type, const void *items, size_t n,
                    size_t size);

/* Did an addition fail for want of memory? Parameters it is put into fail then. */
static inline bool db_array_failed(const struct db_array *a)
{
    return buf_failed(&a->b);
}

void db_put_array(struct db_params *p, struct db_array *a);

struct pg_result;

/* Rows of one statement; live only during the completion that gets them. */
struct db_rows {
    struct pg_result *result;
};

/* Number of rows. */
int db_count(const struct db_rows *rows);
/* Rows that an INSERT, UPDATE or DELETE changed. */
int64_t db_changed(const struct db_rows *rows);

/* A value; asking for another type or size than the column has is a bug (assert). */
bool db_null(const struct db_rows *rows, int row, int column);
bool db_bool(const struct db_rows *rows, int row, int column);
int32_t db_i16(const struct db_rows *rows, int row, int column);
int32_t db_i32(const struct db_rows *rows, int row, int column);
int64_t db_i64(const struct db_rows *rows, int row, int column);
int64_t db_time(const struct db_rows *rows, int row, int column); /* ms since 1970 */

/* bytea or text; borrowed from @rows; NULL gives the empty span with p NULL. */
struct str db_bytes(const struct db_rows *rows, int row, int column);

/* 16 bytes into @out; NULL gives 16 zero bytes. */
void db_uuid(const struct db_rows *rows, int row, int column, uint8_t out[DB_UUID_SIZE]);

/* A bytea of exactly @n bytes into @out. Return: 0 or -EBADMSG, also if it is NULL */
MUST_USE int db_fixed(const struct db_rows *rows, int row, int column, uint8_t *out, size_t n);
