/* Finding a record, opening what it commits to, and telling where it stands. */
#include "gateway/cli/audit.h"

#include "crypto/base/hex.h"
#include "fhir/base/instant.h"
#include "fhir/compartment/subject.h"
#include "gateway/recipient.h"
#include "gateway/sealed_record.h"
#include "gateway/vault.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>

enum {
    LOG_NUMBER = 0, /* the one tree */
    TYPES_TEXT_MAX = 16 << 10,
};

int audit_span_read(const char *command, const char *from, const char *to, int64_t out[2])
{
    struct instant_span first = { 0 };
    struct instant_span last = { 0 };
    if ((from && !instant_span(str_z(from), &first)) ||
        (to && !instant_span(str_z(to), &last)) || first.from < 0 || last.until < 0) {
        (void)fprintf(stderr,
                      "chartseal %s: a time is 2026, 2026-11-22 or 2026-11-22T18:00:00Z\n",
                      command);
        return -EINVAL;
    }
    out[0] = first.from;
    out[1] = last.until;
    return 0;
}

int audit_id_read(const char *text, uint8_t out[16])
{
    char digits[33];
    size_t n = 0;
    for (; *text && n < sizeof(digits) - 1; text++) {
        if (*text != '-') {
            digits[n++] = *text;
        }
    }
    return *text ? -EINVAL : hex_decode(str_of(digits, n), out, 16);
}

const char *audit_state_name(enum audit_state state)
{
    static const char *const names[] = {
        [AUDIT_RECORDED] = "recorded",   [AUDIT_SEQUENCED] = "sequenced",
        [AUDIT_PUBLISHED] = "published", [AUDIT_ANCHORED] = "anchored",
        [AUDIT_FINALIZED] = "finalized",
    };
    return names[state];
}

/* --- finding ------------------------------------------------------------------------------ */

int audit_take(struct cli_session *s, const struct db_rows *rows, int i,
               struct audit_record *out)
{
    *out = (struct audit_record){ .why = "" };
    int r = store_record_row(rows, i, &out->row);
    if (r < 0) {
        return r;
    }
    out->row.bytes = arena_str(s->arena, out->row.bytes);
    if (!out->row.bytes.p) {
        return -ENOMEM;
    }
    /* The row's columns are for searching; what counts is what the leaf is the hash of. */
    struct merkle_hash leaf;
    record_leaf(out->row.bytes, &leaf);
    if (memcmp(leaf.b, out->row.leaf, sizeof(leaf.b)) != 0 ||
        record_read(out->row.bytes, &out->record, NULL) < 0 ||
        memcmp(out->record.id, out->row.id, sizeof(out->row.id)) != 0) {
        return -EBADMSG;
    }
    return 0;
}

struct find {
    struct cli_session *session;
    struct audit_record *out;
};

static int take_one(void *owner, const struct db_rows *rows)
{
    const struct find *find = owner;
    return db_count(rows) == 0 ? -ENOENT : audit_take(find->session, rows, 0, find->out);
}

int audit_find(struct cli_session *s, const uint8_t id[16], struct audit_record *out)
{
    struct find find = { .session = s, .out = out };
    struct cli_answer answer = { .read = take_one, .owner = &find };
    return cli_wait(s, store_audit_record(s->db, id, cli_on_rows, &answer), &answer);
}

/* --- opening ------------------------------------------------------------------------------ */

struct sealed {
    struct cli_session *session;
    bool found;
    struct store_sealed row; /* its spans in the session's arena */
};

static int take_sealed(void *owner, const struct db_rows *rows)
{
    struct sealed *sealed = owner;
    struct arena *arena = sealed->session->arena;
    if (db_count(rows) == 0) {
        return 0;
    }
    store_sealed_row(rows, 0, &sealed->row);
    sealed->row.nonce = arena_str(arena, sealed->row.nonce);
    sealed->row.ciphertext = arena_str(arena, sealed->row.ciphertext);
    sealed->found = true;
    return sealed->row.nonce.p && sealed->row.ciphertext.p ? 0 : -ENOMEM;
}

static int open_sealed(struct cli_session *s, const struct sealed *sealed,
                       struct audit_record *record)
{
    int r = sealed_record_open(s->vault, s->arena, &sealed->row, &record->opening);
    if (r == 0) {
        const struct vault_key *key = vault_cached_id(s->vault, sealed->row.key);
        memcpy(record->patient, key->patient, sizeof(record->patient));
    }
    record->why = r == -ENOKEY ? "key destroyed" : r == -EBADMSG ? "damaged" : "";
    return r == -ENOMEM ? r : 0;
}

int audit_open(struct cli_session *s, struct audit_record *record)
{
    struct sealed sealed = { .session = s };
    struct cli_answer answer = { .read = take_sealed, .owner = &sealed };
    int r =
        cli_wait(s, store_audit_opening(s->db, record->row.id, cli_on_rows, &answer), &answer);
    if (r < 0) {
        return r;
    }
    if (!sealed.found) {
        record->why = "none kept";
        return 0;
    }
    if (!vault_cached_id(s->vault, sealed.row.key)) {
        answer = (struct cli_answer){ 0 };
        r = cli_wait(s,
                     vault_fetch_ids(s->vault, s->db, sealed.row.key, 1, cli_on_end, &answer),
                     &answer);
    }
    return r < 0 ? r : open_sealed(s, &sealed, record);
}

int audit_values(struct cli_session *s, const struct audit_record *record, struct opening *out)
{
    char *p = arena_alloc(s->arena, record->opening.n);
    if (!p) {
        return -ENOMEM;
    }
    struct buf memory = buf_fixed(p, record->opening.n);
    bool good = opening_read(record->opening, &memory, out, NULL) == 0 &&
                opening_check(out, &record->record, NULL) == 0;
    return good ? 0 : -EBADMSG;
}

/* --- access ------------------------------------------------------------------------------- */

struct access {
    int64_t recipient;
    struct buf types;
};

void audit_types_put(struct str bytes, struct buf *out)
{
    for (size_t i = 0; i + 1 < bytes.n; i += 2) {
        unsigned number =
            (unsigned)(uint8_t)bytes.p[i] << 8 | (unsigned)(uint8_t)bytes.p[i + 1];
        const char *name = subject_type_name(number);
        buf_z(out, i ? " " : "");
        buf_z(out, name ? name : "?");
    }
}

static int take_access(void *owner, const struct db_rows *rows)
{
    struct access *access = owner;
    if (db_count(rows)) {
        struct store_access row;
        store_access_row(rows, 0, &row);
        access->recipient = row.recipient;
        audit_types_put(row.types, &access->types);
    }
    return buf_failed(&access->types) ? -ENOMEM : 0;
}

struct meaning {
    struct cli_session *session;
    struct str text;
};

static int take_meaning(void *owner, const struct db_rows *rows)
{
    struct meaning *meaning = owner;
    struct cli_session *s = meaning->session;
    struct store_sealed sealed;
    if (db_count(rows) == 0) {
        return -ENOENT;
    }
    (void)store_recipient_row(rows, 0, &sealed);
    return recipient_open(s->vault, s->arena, &sealed, &meaning->text);
}

int audit_recipient(struct cli_session *s, int64_t number, struct str *out)
{
    struct meaning meaning = { .session = s };
    struct cli_answer answer = { .read = take_meaning, .owner = &meaning };
    int r = cli_wait(s, store_recipients(s->db, &number, 1, cli_on_rows, &answer), &answer);
    *out = meaning.text;
    return r;
}

int audit_access(struct cli_session *s, const struct audit_record *record,
                 struct audit_access *out)
{
    struct access access = { .recipient = RECIPIENT_NOBODY,
                             .types = arena_buf(s->arena, TYPES_TEXT_MAX) };
    struct cli_answer answer = { .read = take_access, .owner = &access };
    *out = (struct audit_access){ 0 };
    int r = cli_wait(
        s, store_access_of(s->db, record->patient, record->row.id, cli_on_rows, &answer),
        &answer);
    out->types = buf_str(&access.types);
    if (r < 0 || access.recipient == RECIPIENT_NOBODY) {
        return r;
    }
    return audit_recipient(s, access.recipient, &out->recipient);
}

/* --- its place ---------------------------------------------------------------------------- */

struct finding {
    struct cli_session *session;
    struct audit_place *place;
};

static int take_anchor(void *owner, const struct db_rows *rows)
{
    const struct finding *finding = owner;
    struct store_anchor *anchor = &finding->place->anchor;
    if (db_count(rows) == 0) {
        return 0;
    }
    int r = store_anchor_row(rows, 0, anchor);
    struct arena *arena = finding->session->arena;
    anchor->proof = arena_str(arena, anchor->proof);
    anchor->sending.hash = arena_str(arena, anchor->sending.hash);
    anchor->sending.block_hash = arena_str(arena, anchor->sending.block_hash);
    anchor->sending.raw = str_z("");
    anchor->sending.reason = str_z("");
    return r < 0 ? r : anchor->proof.p && anchor->sending.hash.p ? 0 : -ENOMEM;
}

static int take_checkpoint(void *owner, const struct db_rows *rows)
{
    const struct finding *finding = owner;
    struct store_checkpoint *checkpoint = &finding->place->checkpoint;
    if (db_count(rows) == 0) {
        return 0;
    }
    int r = store_checkpoint_row(rows, 0, checkpoint);
    checkpoint->note = arena_str(finding->session->arena, checkpoint->note);
    return r < 0 ? r : checkpoint->note.p ? 0 : -ENOMEM;
}

static enum audit_state state_of(const struct audit_place *place)
{
    if (place->checkpoint.head.size == 0) {
        return AUDIT_SEQUENCED;
    }
    if (place->anchor.proof.n == 0) {
        return AUDIT_PUBLISHED; /* its proof is fetched once its block is safe */
    }
    switch (place->anchor.size ? place->anchor.sending.state : STORE_PLANNED) {
    case STORE_SAFE: return AUDIT_ANCHORED;
    case STORE_FINALIZED: return AUDIT_FINALIZED;
    case STORE_PLANNED:
    case STORE_SIGNED:
    case STORE_BROADCAST:
    case STORE_MINED:
    case STORE_REPLACED:
    case STORE_REORGED:
    case STORE_FAILED: return AUDIT_PUBLISHED;
    }
    return AUDIT_PUBLISHED;
}

int audit_place(struct cli_session *s, struct audit_record *record, struct audit_place *out)
{
    struct finding finding = { .session = s, .place = out };
    *out = (struct audit_place){ .state = AUDIT_RECORDED };
    if (record->row.index < 0) {
        struct audit_record now;
        int r = audit_find(s, record->row.id, &now);
        if (r < 0 || now.row.index < 0) {
            return r;
        }
        record->row.index = now.row.index;
    }
    uint64_t size = (uint64_t)record->row.index + 1;
    struct cli_answer answer = { .read = take_anchor, .owner = &finding };
    int r = cli_wait(s, store_anchor_covering(s->db, LOG_NUMBER, size, cli_on_rows, &answer),
                     &answer);
    if (r < 0) {
        return r;
    }
    /* Of an anchored tree its own checkpoint: then nothing has to lead from one to the other.
     */
    size = out->anchor.size ? out->anchor.size : size;
    answer = (struct cli_answer){ .read = take_checkpoint, .owner = &finding };
    r = cli_wait(s, store_checkpoint_covering(s->db, LOG_NUMBER, size, cli_on_rows, &answer),
                 &answer);
    if (r == 0) {
        out->state = state_of(out);
    }
    return r;
}
