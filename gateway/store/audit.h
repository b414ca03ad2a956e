/* Reading what was recorded: lists, records with opening and payload, places in the log. */
#pragma once

#include "gateway/store/db.h"

/* Spans are borrowed from the rows. @index: -1 while not sequenced. */
struct store_record {
    uint8_t id[16];
    uint8_t exchange[16];
    uint8_t instance[16];
    uint64_t seq;
    int16_t log;
    int64_t time; /* ms since 1970 */
    uint8_t leaf[32];
    int64_t index;
    struct str bytes;
};

MUST_USE int store_record_row(const struct db_rows *rows, int i, struct store_record *out);

/*
 * What to list, newest first.
 * @patient: NULL: all
 * @from, @to: ms since 1970; 0: no bound
 * @before: id of the last record got, NULL at first
 */
struct store_filter {
    const uint8_t *patient;
    int64_t from;
    int64_t to;
    const uint8_t *before;
    int limit;
};

/* Rows: store_record_row() */
MUST_USE struct op *store_audit_list(struct db *db, const struct store_filter *filter,
                                     db_done_fn done, void *arg);

/* Those that something was refused by: nothing was given on, or not all of it; of routes that
 * enforce. Rows: store_record_row() */
MUST_USE struct op *store_audit_refused(struct db *db, const struct store_filter *filter,
                                        db_done_fn done, void *arg);

/*
 * How exchanges of one kind ended. Spans are words of records, borrowed.
 * @exchanges: how many; of what was refused before authentication: requests
 * @withheld:  entries of them
 * @newest:    the last record of one
 */
struct store_ending {
    struct str mode;
    struct str outcome;
    struct str basis;
    struct str route;
    int64_t exchanges;
    int64_t withheld;
    uint8_t newest[16];
};

/* The most frequent first; filter->patient and ->before don't count. Reads every record of the
 * time. Rows: store_ending_row() */
MUST_USE struct op *store_audit_endings(struct db *db, const struct store_filter *filter,
                                        db_done_fn done, void *arg);
void store_ending_row(const struct db_rows *rows, int i, struct store_ending *out);

/* One record, or those of an exchange. Rows: store_record_row() */
MUST_USE struct op *store_audit_record(struct db *db, const uint8_t id[16], db_done_fn done,
                                       void *arg);
MUST_USE struct op *store_audit_exchange(struct db *db, const uint8_t exchange[16],
                                         db_done_fn done, void *arg);

/* A sealed thing with the number of the patient whose key it is under. */
struct store_sealed {
    uint8_t id[16]; /* of the payload, or of the record that the opening belongs to */
    int16_t kind;   /* of a payload */
    uint8_t key[16];
    uint8_t patient[16];
    struct str nonce;
    struct str outer; /* further layers: key id (16 bytes), nonce (24) each */
    struct str ciphertext;
};

/* Rows: none or one, store_sealed_row() */
MUST_USE struct op *store_audit_opening(struct db *db, const uint8_t record[16],
                                        db_done_fn done, void *arg);
MUST_USE struct op *store_payload(struct db *db, const uint8_t id[16], db_done_fn done,
                                  void *arg);
/* Those of @n ids, 16 bytes each, that there are; the ciphertext of one that is longer than
 * @longest is left out: its span has no bytes. Rows: store_sealed_row() */
MUST_USE struct op *store_payloads(struct db *db, const uint8_t *ids, size_t n, int longest,
                                   db_done_fn done, void *arg);
/* All payloads of an exchange, in the order of their ids. */
MUST_USE struct op *store_payloads_of(struct db *db, const uint8_t exchange[16],
                                      db_done_fn done, void *arg);
void store_sealed_row(const struct db_rows *rows, int i, struct store_sealed *out);

struct store_access {
    uint8_t record[16];
    uint8_t exchange[16];
    int64_t time;
    int64_t recipient;
    struct str types; /* two bytes each, big-endian */
    bool released;
};

/* Who saw a patient's data, newest first; filter->patient is needed. Rows: store_access_row()
 */
MUST_USE struct op *store_audit_access(struct db *db, const struct store_filter *filter,
                                       db_done_fn done, void *arg);
/* Of @record alone. Rows: none or one */
MUST_USE struct op *store_access_of(struct db *db, const uint8_t patient[16],
                                    const uint8_t record[16], db_done_fn done, void *arg);
void store_access_row(const struct db_rows *rows, int i, struct store_access *out);

/* The number of a recipient; @sealed (key, nonce, ciphertext) is kept if it is new.
 * Rows: store_recipient_number() */
MUST_USE struct op *store_recipient(struct db *db, const uint8_t hash[32],
                                    const struct store_sealed *sealed, db_done_fn done,
                                    void *arg);
int64_t store_recipient_number(const struct db_rows *rows);

/* What recipient numbers mean. Rows: number, then store_sealed_row()'s columns without outer.
 */
MUST_USE struct op *store_recipients(struct db *db, const int64_t *numbers, size_t n,
                                     db_done_fn done, void *arg);
int64_t store_recipient_row(const struct db_rows *rows, int i, struct store_sealed *out);

/* Which tiles; borrowed for the call. */
struct store_tiles {
    int16_t log;
    const int16_t *levels;
    const uint64_t *indexes;
    size_t n;
};

/* Stored tiles, those that there are, in any order. One may be wider than its name in a smaller
 * tree says: what it held then is its front. Rows: store_tile_row() */
MUST_USE struct op *store_tiles(struct db *db, const struct store_tiles *what, db_done_fn done,
                                void *arg);
void store_tile_row(const struct db_rows *rows, int i, int16_t *level, uint64_t *index,
                    struct str *hashes);
