/*
 * Stages "parts" and "hold": messages that come in parts (DSC).
 *
 *   parts --no part--> next
 *         --first of several--> its patient --> hold
 *         --continues another--> find those before --> opened --more to come--> hold
 *                                     |                  +--the last--> joined: next, as one
 * message
 *                                     +--none, begins with ADD--> refused
 *                                     +--none, else--> next: many fill MSH-14 with something
 *   hold  --kept--> stop, held: stored, acknowledged, and not decided before it is whole
 *
 * A part is stored as a payload, recorded like any message, and acknowledged once that is
 * committed. All parts are sealed under the patient whom the first is about. The last one
 * brings the whole, which then is a message as if it had come so, recorded once more. A part
 * that is sent again takes its own place; the last one sent again is known by its
 * control id and digest, whatever waits under its pointer by then.
 *
 * Spec: HL7 v2.5.1 sections 2.10.2, 2.15.4
 */
#include "gateway/pipeline/v2_impl.h"

#include "fhir/v2/continuation.h"
#include "gateway/clock.h"
#include "gateway/id.h"
#include "gateway/net/mllp.h"
#include "gateway/sealed_payload.h"
#include "gateway/store/fragments.h"
#include "gateway/vault.h"
#include "gateway/worker.h"

#include <errno.h>

enum {
    SENDER_MAX = 4 << 10,
    PARTS_BYTES_MAX = MLLP_FRAME_MAX, /* of a message, joined */
};

/*
 * @fragment: what is kept of this part; ->before is set while it continues another
 * @parts:    those before, from the first on; @count of them
 * @about:    the patient whom the first is about; all 0: nobody
 */
struct v2_parts {
    struct store_fragment fragment;
    struct sealed_payload **parts;
    size_t count;
    uint8_t about[16];
};

static struct v2_exchange *received(struct exchange *ex)
{
    return ex->data;
}

static enum step refuse(struct exchange *ex, enum v2_ack_condition condition, const char *place,
                        const char *text)
{
    received(ex)->refusal = (struct v2_refusal){ condition, str_z(place), str_z(text) };
    return exchange_stop(ex, OUTCOME_BAD_REQUEST, "fragment");
}

static enum step unavailable(struct exchange *ex, int r)
{
    return exchange_stop(ex, OUTCOME_UNAVAILABLE, r == -ENOMEM ? "memory" : "database");
}

/* Where the part called @pointer waits: pointers are the sender's own, for a type of message.
 */
static int find_key(struct exchange *ex, struct str pointer, uint8_t out[32])
{
    const struct v2_case *v2 = ex->data;
    struct buf sender = arena_buf(ex->arena, SENDER_MAX);
    const struct str parts[] = { STR("part"),
                                 str_z(v2->sender->organization),
                                 v2->header.sending_application,
                                 v2->header.sending_facility,
                                 v2->header.type,
                                 v2->header.event };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        buf_str_put(&sender, parts[i]);
        buf_c(&sender, '\n');
    }
    vault_control_hash(v2->dossier.worker->vault, buf_str(&sender), pointer, out);
    return buf_failed(&sender) ? -ENOMEM : 0;
}

/* --- the last: all of them joined --------------------------------------------------------- */

static int join(struct exchange *ex, struct str *out)
{
    const struct v2_parts *parts = received(ex)->parts;
    struct v2_case *v2 = ex->data;
    struct v2_message whole;
    struct v2_message next;
    struct issues issues;
    struct str text = { 0 };
    issues_init(&issues, ex->arena);
    for (size_t i = 0; i <= parts->count; i++) {
        struct str part = v2->raw;
        int r = i == parts->count ? 0
                                  : sealed_payload_open(v2->dossier.worker->vault, ex->arena,
                                                        parts->parts[i], &part);
        r = r ? r : v2_parse(ex->arena, part, &issues, i ? &next : &whole);
        r = r || i == 0 ? r : v2_join_fragments(ex->arena, &whole, &next, &text);
        r = r || i == 0 ? r : v2_parse(ex->arena, text, &issues, &whole);
        if (r != 0 || text.n > PARTS_BYTES_MAX) {
            return r == -ENOMEM ? r : -EBADMSG;
        }
    }
    *out = text;
    return 0;
}

/* From here on it is one message; only the answer is about what came. */
static enum step take_whole(struct exchange *ex)
{
    struct v2_exchange *rx = received(ex);
    struct str text;
    int r = join(ex, &text);
    if (r == -ENOMEM) {
        return unavailable(ex, r);
    }
    if (r < 0) {
        return refuse(ex, V2_ACK_SEQUENCE, "MSH-14",
                      "the parts before this one don't make a message with it");
    }
    rx->asked = arena_alloc(ex->arena, sizeof(*rx->asked));
    if (!rx->asked) {
        return unavailable(ex, -ENOMEM);
    }
    *rx->asked = rx->v2.message;
    rx->last = rx->v2.raw;
    rx->v2.raw = text;
    rx->v2.dossier.payload = text;
    rx->whole = true;
    return v2_translate_enter(ex);
}

/* --- those before ------------------------------------------------------------------------- */

static void on_keys(void *arg, int r)
{
    struct exchange *ex = exchange_woken(arg);
    exchange_move(ex, r < 0 ? unavailable(ex, r) : take_whole(ex));
}

static enum step fetch_keys(struct exchange *ex)
{
    const struct v2_parts *parts = received(ex)->parts;
    struct worker *worker = dossier_of(ex)->worker;
    uint8_t ids[STORE_FRAGMENTS_MAX][16];
    for (size_t i = 0; i < parts->count; i++) {
        memcpy(ids[i], parts->parts[i]->keys[0], sizeof(ids[i]));
    }
    return exchange_wait(
        ex, vault_fetch_ids(worker->vault, worker->db, ids[0], parts->count, on_keys, ex));
}

/* Return: 0, -EBADMSG if they are no parts of one message of ours, -ENOMEM */
static int copy_parts(struct exchange *ex, const struct db_rows *rows)
{
    struct v2_parts *parts = received(ex)->parts;
    size_t n = (size_t)db_count(rows);
    size_t bytes = 0;
    int r = n == 0 || n >= STORE_FRAGMENTS_MAX ? -EBADMSG : 0;
    parts->parts = arena_calloc(ex->arena, n + 1, sizeof(struct sealed_payload *));
    if (!parts->parts) {
        return -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct store_sealed row;
        store_sealed_row(rows, (int)i, &row);
        bytes += row.ciphertext.n;
        r = bytes > PARTS_BYTES_MAX ? -EBADMSG
                                    : sealed_payload_copy(ex->arena, &row, &parts->parts[i]);
        if (i == 0) {
            memcpy(parts->about, row.patient, sizeof(parts->about));
        }
    }
    parts->count = n;
    return r ? r : store_fragment_digest(rows, (int)n - 1, parts->fragment.before_digest);
}

static void on_chain(void *arg, int r, const struct db_rows *rows)
{
    struct exchange *ex = exchange_woken(arg);
    if (r == 0 && db_count(rows) == 0 && v2_part_place(&received(ex)->v2.message).n == 0) {
        received(ex)->parts = NULL; /* MSH-14 of something else than a part */
        exchange_move(ex, STEP_NEXT);
        return;
    }
    r = r < 0 ? -EIO : copy_parts(ex, rows);
    if (r == -EBADMSG) {
        exchange_move(ex,
                      refuse(ex, V2_ACK_SEQUENCE, "MSH-14",
                             "there is no part that this one continues, or too many of them "
                             "or too long"));
        return;
    }
    bool last = v2_continues(&received(ex)->v2.message).n == 0;
    exchange_move(ex, r < 0 ? unavailable(ex, r) : last ? fetch_keys(ex) : STEP_NEXT);
}

enum step v2_parts_enter(struct exchange *ex)
{
    struct v2_exchange *rx = received(ex);
    struct str more = v2_continues(&rx->v2.message);
    struct str of = v2_continuation_of(&rx->v2.message);
    if (!more.n && !of.n) {
        return STEP_NEXT;
    }
    struct v2_parts *parts = arena_calloc(ex->arena, 1, sizeof(*parts));
    if (!parts || find_key(ex, more, parts->fragment.key) < 0 ||
        find_key(ex, of, parts->fragment.before) < 0) {
        return unavailable(ex, -ENOMEM);
    }
    rx->parts = parts;
    if (str_eq(more, of)) {
        return refuse(ex, V2_ACK_DATA_TYPE, "DSC-1",
                      "continues under the pointer that it came under itself");
    }
    parts->fragment.first = of.n == 0;
    return of.n ? exchange_wait(ex, store_fragment_chain(dossier_of(ex)->worker->db,
                                                         parts->fragment.before, on_chain, ex))
                : v2_case_resolve(ex);
}

/* --- hold --------------------------------------------------------------------------------- */

static void on_kept(void *arg, int r, const struct db_rows *rows)
{
    struct exchange *ex = exchange_woken(arg);
    struct dossier *dossier = dossier_of(ex);
    bool kept = r == 0 && store_fragment_kept(rows);
    dossier->keep = kept;
    dossier->has_stored = kept;
    exchange_move(ex, kept    ? exchange_stop(ex, OUTCOME_HELD, "fragment")
                      : r < 0 ? unavailable(ex, r)
                              : refuse(ex, V2_ACK_SEQUENCE, "DSC-1",
                                       "a part of another message waits under this pointer"));
}

/* Whom the first part is about: one patient, so that all parts go with that patient's keys. */
static enum step find_subject(struct exchange *ex)
{
    struct v2_exchange *rx = received(ex);
    struct v2_parts *parts = rx->parts;
    static const uint8_t nobody[16];
    size_t n = parts->fragment.first ? rx->v2.patients.count : 0;
    for (size_t i = 0; i < n && !rx->v2.nameless && !rx->v2.conflict; i++) {
        if (i && memcmp(rx->v2.numbers[i], parts->about, sizeof(parts->about)) != 0) {
            return refuse(ex, V2_ACK_UNSUPPORTED_TYPE, "DSC-1",
                          "parts of a message about several patients are not taken");
        }
        memcpy(parts->about, rx->v2.numbers[i], sizeof(parts->about));
    }
    bool somebody = memcmp(parts->about, nobody, sizeof(nobody)) != 0;
    return somebody && !dossier_subject(ex, parts->about) ? unavailable(ex, -ENOMEM)
                                                          : STEP_NEXT;
}

enum step v2_hold_enter(struct exchange *ex)
{
    struct v2_exchange *rx = received(ex);
    struct dossier *dossier = dossier_of(ex);
    if (!rx->parts || rx->whole) {
        return STEP_NEXT;
    }
    enum step step = find_subject(ex);
    if (step != STEP_NEXT) {
        return step;
    }
    struct store_fragment *fragment = &rx->parts->fragment;
    digest_sha256(rx->v2.raw, fragment->digest);
    id_new(clock_utc_ms(), dossier->stored.id);
    memcpy(fragment->payload, dossier->stored.id, sizeof(fragment->payload));
    return exchange_wait(ex, store_fragment_keep(dossier->worker->db, fragment, on_kept, ex));
}

/* --- joined ------------------------------------------------------------------------------- */

/* Whether that was written or not, the message is taken: the pointers are free a bit later. */
static void on_joined(void *arg, int r, const struct db_rows *rows)
{
    (void)r;
    (void)rows;
    exchange_move(exchange_woken(arg), STEP_NEXT);
}

enum step v2_joined_enter(struct exchange *ex)
{
    struct v2_exchange *rx = received(ex);
    struct op *op = rx->whole ? store_fragment_joined(dossier_of(ex)->worker->db,
                                                      rx->parts->fragment.before, on_joined, ex)
                              : NULL;
    return op ? exchange_wait(ex, op) : STEP_NEXT;
}
