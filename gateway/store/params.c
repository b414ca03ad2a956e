/*
 * PostgreSQL's binary formats, both ways.
 *
 * Integers are big-endian; a timestamptz counts microseconds since 2000-01-01; an array has a
 * header of five words (dimensions, has NULLs, type, length, first index), then for each
 * element its length and its bytes.
 */
#include "gateway/store/params.h"

#include "gateway/heap.h"

#include <assert.h>
#include <errno.h>
#include <libpq-fe.h>
#include <string.h>

enum {
    ARRAY_HEADER = 20,
    ARRAY_LIMIT = 1 << 28,
};

static const int64_t epoch_2000_ms = INT64_C(946684800000);

static void be_put(char *out, uint64_t value, int size)
{
    for (int i = size - 1; i >= 0; i--) {
        out[i] = (char)(value & 0xff);
        value >>= 8;
    }
}

static uint64_t be_get(const char *in, int size)
{
    uint64_t value = 0;
    for (int i = 0; i < size; i++) {
        value = value << 8 | (unsigned char)in[i];
    }
    return value;
}

static void put(struct db_params *p, const char *value, int length)
{
    assert(p->n < DB_PARAMS_MAX);
    p->value[p->n] = value;
    p->length[p->n] = length;
    p->n++;
}

static void put_number(struct db_params *p, uint64_t value, int size)
{
    assert(p->n < DB_PARAMS_MAX);
    char *at = p->scalar[p->n];
    be_put(at, value, size);
    put(p, at, size);
}

void db_put_null(struct db_params *p)
{
    put(p, NULL, 0);
}

void db_put_bool(struct db_params *p, bool value)
{
    put_number(p, value, 1);
}

void db_put_i16(struct db_params *p, int16_t value)
{
    put_number(p, (uint64_t)value, 2);
}

void db_put_i32(struct db_params *p, int32_t value)
{
    put_number(p, (uint64_t)value, 4);
}

void db_put_i64(struct db_params *p, int64_t value)
{
    put_number(p, (uint64_t)value, 8);
}

void db_put_time(struct db_params *p, int64_t utc_ms)
{
    db_put_i64(p, (utc_ms - epoch_2000_ms) * 1000);
}

void db_put_uuid(struct db_params *p, const uint8_t *id)
{
    if (!id) {
        db_put_null(p);
        return;
    }
    assert(p->n < DB_PARAMS_MAX);
    char *at = p->scalar[p->n];
    memcpy(at, id, DB_UUID_SIZE);
    put(p, at, DB_UUID_SIZE);
}

void db_put_bytes(struct db_params *p, struct str bytes)
{
    assert(bytes.n <= INT32_MAX);
    put(p, bytes.p, (int)bytes.n);
}

void db_array_init(struct db_array *a, enum db_type type)
{
    *a = (struct db_array){ .b = heap_buf(ARRAY_LIMIT), .type = type };
    db_array_clear(a);
}

void db_array_clear(struct db_array *a)
{
    a->n = 0;
    a->b.n = 0;
    a->b.failed = false;
    char *header = buf_extend(&a->b, ARRAY_HEADER);
    if (header) {
        memset(header, 0, ARRAY_HEADER);
    }
}

void db_array_free(struct db_array *a)
{
    heap_buf_free(&a->b);
    a->n = 0;
}

static void add_number(struct db_array *a, uint64_t value, uint32_t size)
{
    char bytes[4 + 8];
    be_put(bytes, size, 4);
    be_put(bytes + 4, value, (int)size);
    buf_put(&a->b, bytes, 4 + size);
    a->n++;
}

void db_array_null(struct db_array *a)
{
    buf_be32(&a->b, UINT32_MAX);
    a->n++;
}

void db_array_bool(struct db_array *a, bool value)
{
    add_number(a, value, 1);
}

void db_array_i16(struct db_array *a, int16_t value)
{
    add_number(a, (uint64_t)value, 2);
}

void db_array_i32(struct db_array *a, int32_t value)
{
    add_number(a, (uint64_t)value, 4);
}

void db_array_i64(struct db_array *a, int64_t value)
{
    add_number(a, (uint64_t)value, 8);
}

void db_array_time(struct db_array *a, int64_t utc_ms)
{
    db_array_i64(a, (utc_ms - epoch_2000_ms) * 1000);
}

void db_array_uuid(struct db_array *a, const uint8_t id[DB_UUID_SIZE])
{
    db_array_bytes(a, str_of(id, DB_UUID_SIZE));
}

void db_array_bytes(struct db_array *a, struct str bytes)
{
    if (!bytes.p) {
        db_array_null(a);
        return;
    }
    buf_be32(&a->b, (uint32_t)bytes.n);
    buf_str_put(&a->b, bytes);
    a->n++;
}

void db_array_items(struct db_array *a, enum db_type type, const void *items, size_t n,
                    size_t size)
{
    db_array_init(a, type);
    for (size_t i = 0; i < n; i++) {
        db_array_bytes(a, str_of((const char *)items + i * size, size));
    }
}

void db_put_array(struct db_params *p, struct db_array *a)
{
    if (db_array_failed(a)) {
        p->failed = true;
        db_put_null(p);
        return;
    }
    be_put(a->b.p, a->n ? 1 : 0, 4);
    be_put(a->b.p + 4, 1, 4); /* may hold NULLs */
    be_put(a->b.p + 8, (uint64_t)a->type, 4);
    be_put(a->b.p + 12, a->n, 4);
    be_put(a->b.p + 16, 1, 4);
    /* One without elements ends after its first three words. */
    put(p, a->b.p, (int)(a->n ? a->b.n : 12));
}

int db_count(const struct db_rows *rows)
{
    return PQntuples(rows->result);
}

int64_t db_changed(const struct db_rows *rows)
{
    const char *digits = PQcmdTuples(rows->result);
    int64_t n = 0;
    for (; *digits >= '0' && *digits <= '9'; digits++) {
        n = n * 10 + (*digits - '0');
    }
    return n;
}

bool db_null(const struct db_rows *rows, int row, int column)
{
    return PQgetisnull(rows->result, row, column) != 0;
}

static uint64_t number(const struct db_rows *rows, int row, int column, int size)
{
    if (db_null(rows, row, column)) {
        return 0;
    }
    assert(PQgetlength(rows->result, row, column) == size);
    return be_get(PQgetvalue(rows->result, row, column), size);
}

bool db_bool(const struct db_rows *rows, int row, int column)
{
    return number(rows, row, column, 1) != 0;
}

int32_t db_i16(const struct db_rows *rows, int row, int column)
{
    return (int16_t)number(rows, row, column, 2);
}

int32_t db_i32(const struct db_rows *rows, int row, int column)
{
    return (int32_t)number(rows, row, column, 4);
}

int64_t db_i64(const struct db_rows *rows, int row, int column)
{
    return (int64_t)number(rows, row, column, 8);
}

int64_t db_time(const struct db_rows *rows, int row, int column)
{
    if (db_null(rows, row, column)) {
        return 0;
    }
    int64_t us = db_i64(rows, row, column);
    int64_t ms = us / 1000 - (us % 1000 < 0);
    return ms + epoch_2000_ms;
}

struct str db_bytes(const struct db_rows *rows, int row, int column)
{
    if (db_null(rows, row, column)) {
        return (struct str){ 0 };
    }
    return str_of(PQgetvalue(rows->result, row, column),
                  (size_t)PQgetlength(rows->result, row, column));
}

void db_uuid(const struct db_rows *rows, int row, int column, uint8_t out[DB_UUID_SIZE])
{
    struct str id = db_bytes(rows, row, column);
    assert(!id.p || id.n == DB_UUID_SIZE);
    memset(out, 0, DB_UUID_SIZE);
    if (id.p) {
        memcpy(out, id.p, DB_UUID_SIZE);
    }
}

int db_fixed(const struct db_rows *rows, int row, int column, uint8_t *out, size_t n)
{
    struct str bytes = db_bytes(rows, row, column);
    if (!bytes.p || bytes.n != n) {
        return -EBADMSG;
    }
    memcpy(out, bytes.p, n);
    return 0;
}
