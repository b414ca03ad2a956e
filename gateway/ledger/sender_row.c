/* Rows outlive the answer of the database that they came from, so they are copied. */
#include "gateway/ledger/sender.h"

#include "anchor/rlp.h"
#include "gateway/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The data of a signed transaction: the eighth field behind the byte of its type. */
static struct str data_of(struct str raw)
{
    enum {
        FIELDS_BEFORE = 7,
    };
    struct str rest;
    struct rlp field = { 0 };
    if (raw.n == 0 || rlp_only_list(str_slice(raw, 1, raw.n), &rest) < 0) {
        return (struct str){ 0 };
    }
    for (int i = 0; i <= FIELDS_BEFORE; i++) {
        if (rest.n == 0 || rlp_next(&rest, &field) < 0) {
            return (struct str){ 0 };
        }
    }
    return field.list ? (struct str){ 0 } : field.body;
}

/* @s on the heap, or with p NULL if there is no memory. */
static struct str copy_of(struct str s)
{
    char *p = malloc(s.n + 1);
    if (p) {
        memcpy(p, s.n ? s.p : "", s.n);
    }
    return str_of(p, s.n);
}

int sender_row_init(struct sender_row *row, const struct store_sending *from,
                    const uint8_t to[20], struct str call)
{
    memset(row, 0, sizeof(*row));
    row->s = *from;
    memcpy(row->to, to, sizeof(row->to));
    row->call = copy_of(call.n ? call : data_of(from->raw));
    row->raw = copy_of(from->raw);
    row->older = copy_of(from->older);
    if (!row->call.p || !row->raw.p || !row->older.p) {
        sender_row_deinit(row);
        return -ENOMEM;
    }
    row->s.raw = row->raw;
    row->s.older = row->older;
    if (from->hash.n == sizeof(row->hash)) {
        memcpy(row->hash, from->hash.p, sizeof(row->hash));
        row->s.hash = str_of(row->hash, sizeof(row->hash));
    }
    if (from->block_hash.n == sizeof(row->block)) {
        memcpy(row->block, from->block_hash.p, sizeof(row->block));
        row->s.block_hash = str_of(row->block, sizeof(row->block));
    }
    row->s.reason = (struct str){ 0 };
    return 0;
}

static void free_str(struct str s)
{
    union {
        const char *in;
        char *out;
    } p = { s.p };
    free(p.out);
}

void sender_row_raw(struct sender_row *row, struct str raw)
{
    free_str(row->raw);
    row->raw = raw;
    row->s.raw = raw;
}

void sender_row_call(struct sender_row *row, struct str call)
{
    free_str(row->call);
    row->call = call;
}

void sender_row_deinit(struct sender_row *row)
{
    free_str(row->call);
    free_str(row->raw);
    free_str(row->older);
    row->call = (struct str){ 0 };
    row->raw = (struct str){ 0 };
    row->older = (struct str){ 0 };
}

bool sender_row_mined(const struct sender_row *row)
{
    return row->s.state == STORE_MINED || row->s.state == STORE_SAFE;
}

bool sender_row_open(const struct sender_row *row)
{
    switch (row->s.state) {
    case STORE_PLANNED:
    case STORE_SIGNED:
    case STORE_BROADCAST:
    case STORE_REORGED: return true;
    case STORE_MINED:
    case STORE_SAFE:
    case STORE_FINALIZED:
    case STORE_REPLACED:
    case STORE_FAILED: return false;
    }
    return false;
}

bool sender_row_stuck(const struct sender_row *row)
{
    return row->s.state == STORE_BROADCAST && clock_utc_ms() - row->s.changed > SENDER_STUCK_MS;
}
