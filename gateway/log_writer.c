/*
 * Ordering, hashing, committing, signing.
 *
 *   resting --lead--> loading --head and edge agree--> looking --unread--> reading leaves
 *                        |                               ^  ^                    |
 *                        | they don't                    |  |               appending
 *                        v                               |  |                    |
 *                     refusing                           |  +--signing <--read back
 *                                                        +------ nothing new ----+
 *
 * Whatever fails on the way leads back to loading: what is in the database counts, not what
 * is in memory. The order of an append is by instance; within one its numbers have no gaps.
 */
#include "gateway/log_writer_impl.h"

#include "anchor/checkpoint.h"
#include "gateway/clock.h"
#include "gateway/log.h"
#include "gateway/log_key.h"
#include "gateway/metrics.h"
#include "gateway/net/timer.h"

#include <errno.h>
#include <stdlib.h>

enum {
    LOOK_MS = 50, /* pause between two looks for new records */
    RETRY_MS = 500,
    SIGN_MS = 200, /* least time between two checkpoints */
    NOTE_MAX = 1024,
};

static void again(struct log_writer *writer, int ms)
{
    (void)timer_once(writer->timer, ms);
}

void log_writer_start_over(struct log_writer *writer, int r)
{
    if (r == -EPERM) {
        log_text(LOG_WARN, "another notary leads, or the head has moved");
    } else {
        log_line(LOG_WARN, "log not written", LOG_ERRNO(r));
    }
    writer->loaded = false;
    again(writer, RETRY_MS);
}

void log_writer_refuse(struct log_writer *writer, const char *why)
{
    log_line(LOG_ERROR, "the log is not what it was: nothing is signed", LOG_Z("reason", why));
    writer->refusing = true;
}

void log_writer_went(struct log_writer *writer, struct op *op)
{
    writer->op = op;
    if (!op) {
        log_writer_start_over(writer, -ENOTCONN);
    }
}

/* --- signing ------------------------------------------------------------------------------ */

static bool due(const struct log_writer *writer)
{
    return writer->head.size > writer->signed_size &&
           clock_mono_ms() - writer->signed_at >= SIGN_MS;
}

static void on_stored(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct log_writer *writer = arg;
    writer->op = NULL;
    /* Signing is deterministic, so one that is there already says the same. */
    if (r < 0 && r != -EEXIST) {
        log_writer_start_over(writer, r);
        return;
    }
    writer->signed_size = writer->head.size;
    writer->signed_at = clock_mono_ms();
    writer->signed_fn(writer->arg);
    log_writer_look(writer);
}

/* Reads nodes from the edge's partial tiles: a second way to the root, apart from the frontier.
 */
static int edge_tile(void *owner, const struct tile_id *id, struct merkle_hash *out)
{
    const struct tile_edge *edge = owner;
    memcpy(out, edge->partial[id->level], id->width * sizeof(*out));
    return 0;
}

static bool root_agrees(struct log_writer *writer)
{
    static struct tile_reader reader;
    struct merkle_hash by_frontier;
    struct merkle_hash by_tiles;
    merkle_root(&writer->edge.frontier, &by_frontier);
    tile_reader_init(&reader, writer->head.size, edge_tile, &writer->edge);
    struct merkle_reader nodes = tile_nodes(&reader);
    return merkle_same(&by_frontier, &writer->head.root) &&
           merkle_root_at(&nodes, writer->head.size, &by_tiles) == 0 &&
           merkle_same(&by_tiles, &writer->head.root);
}

/* Sign the committed head, which was read back just now. */
static void sign(struct log_writer *writer)
{
    char memory[NOTE_MAX];
    struct buf note = buf_fixed(memory, sizeof(memory));
    struct checkpoint checkpoint = { .origin = str_z(writer->config->log->origin),
                                     .head = writer->head };
    uint8_t signature[NOTE_SIGNATURE_SIZE];
    checkpoint_put(&checkpoint, &note);
    sign_make(writer->key, buf_str(&note), signature);
    note_put_blank(&note);
    note_put_signature(&note, &writer->name, signature);

    struct note read;
    if (buf_failed(&note) || note_read(buf_str(&note), &read) < 0 ||
        note_check(&read, &writer->name) != 0) {
        log_writer_refuse(writer, "own signature does not verify");
        return;
    }
    struct store_checkpoint stored = {
        .head = writer->head,
        .note = buf_str(&note),
        .signed_at = clock_utc_ms(),
    };
    log_writer_went(writer, store_checkpoint_put(writer->db, writer->fence, LOG_WRITER_LOG,
                                                 &stored, on_stored, writer));
}

static void on_read_back(void *arg, int r, const struct db_rows *rows)
{
    struct log_writer *writer = arg;
    struct store_head head;
    writer->op = NULL;
    r = r < 0 ? r : store_head_row(rows, &head);
    if (r < 0) {
        log_writer_start_over(writer, r);
        return;
    }
    if (head.head.size != writer->head.size ||
        !merkle_same(&head.head.root, &writer->head.root)) {
        log_writer_start_over(writer, -EPERM);
        return;
    }
    if (!root_agrees(writer)) {
        log_writer_refuse(writer, "the root differs on a second path");
        return;
    }
    sign(writer);
}

/* --- appending ---------------------------------------------------------------------------- */

static int keep_tile(void *owner, const struct tile_id *id, const struct merkle_hash *hashes)
{
    struct log_writer *writer = owner;
    if (writer->tile_count == LOG_WRITER_TILES_MAX) {
        return -ENOSPC;
    }
    struct log_writer_tile *copy = &writer->tiles[writer->tile_count++];
    copy->id = *id;
    memcpy(copy->hashes, hashes, id->width * sizeof(*hashes));
    return 0;
}

static void on_appended(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct log_writer *writer = arg;
    writer->op = NULL;
    if (r < 0) {
        log_writer_start_over(writer, r);
        return;
    }
    writer->edge = writer->ahead;
    writer->head.size = writer->edge.frontier.size;
    merkle_root(&writer->edge.frontier, &writer->head.root);
    metrics_set(METRIC_LOG_SIZE, (int64_t)writer->head.size);
    log_writer_look(writer);
}

static void append(struct log_writer *writer)
{
    static struct store_tile tiles[LOG_WRITER_TILES_MAX];
    char frontier[MERKLE_LEVELS * MERKLE_HASH_SIZE];
    struct buf nodes = buf_fixed(frontier, sizeof(frontier));
    writer->ahead = writer->edge;
    writer->tile_count = 0;
    int r = tile_append(&writer->ahead, writer->leaves, writer->leaf_count, keep_tile, writer);
    if (r < 0) {
        log_writer_start_over(writer, r);
        return;
    }
    for (size_t i = 0; i < writer->tile_count; i++) {
        const struct log_writer_tile *copy = &writer->tiles[i];
        tiles[i] = (struct store_tile){ .level = (int16_t)copy->id.level,
                                        .index = copy->id.index,
                                        .hashes = copy->hashes,
                                        .width = copy->id.width };
    }
    for (unsigned level = 0; level < MERKLE_LEVELS; level++) {
        if (writer->ahead.frontier.size >> level & 1) {
            buf_put(&nodes, writer->ahead.frontier.node[level].b, MERKLE_HASH_SIZE);
        }
    }
    struct store_append step = {
        .fence = writer->fence,
        .log = LOG_WRITER_LOG,
        .from = writer->head,
        .to = { .size = writer->ahead.frontier.size },
        .frontier = buf_str(&nodes),
        .runs = writer->runs,
        .run_count = writer->run_count,
        .tiles = tiles,
        .tile_count = writer->tile_count,
    };
    merkle_root(&writer->ahead.frontier, &step.to.root);
    log_writer_went(writer, store_log_append(writer->db, &step, on_appended, writer));
}

/* --- reading leaves ----------------------------------------------------------------------- */

static void read_next(struct log_writer *writer);

static void on_leaves(void *arg, int r, const struct db_rows *rows)
{
    struct log_writer *writer = arg;
    const struct store_unread *unread = &writer->unread[writer->reading];
    writer->op = NULL;
    int n = r == 0 ? db_count(rows) : 0;
    for (int i = 0; r == 0 && i < n; i++) {
        uint64_t seq;
        r = store_leaf_row(rows, i, &seq, &writer->leaves[writer->leaf_count + (size_t)i]);
        if (r == 0 && seq != unread->read + 1 + (uint64_t)i) {
            log_writer_refuse(writer, "committed records are missing");
            return;
        }
    }
    if (r < 0) {
        log_writer_start_over(writer, r);
        return;
    }
    if (n) {
        struct store_run *run = &writer->runs[writer->run_count++];
        *run = (struct store_run){ .first_seq = unread->read + 1, .count = (uint64_t)n };
        memcpy(run->instance, unread->instance, sizeof(run->instance));
        writer->leaf_count += (size_t)n;
    }
    writer->reading++;
    read_next(writer);
}

static void read_next(struct log_writer *writer)
{
    size_t room = LOG_WRITER_LEAVES_MAX - writer->leaf_count;
    if (writer->reading == writer->unread_count || room == 0) {
        append(writer);
        return;
    }
    log_writer_went(writer, store_log_leaves(writer->db, &writer->unread[writer->reading],
                                             (int)room, on_leaves, writer));
}

static void on_unread(void *arg, int r, const struct db_rows *rows)
{
    struct log_writer *writer = arg;
    writer->op = NULL;
    if (r < 0) {
        log_writer_start_over(writer, r);
        return;
    }
    writer->unread_count = 0;
    for (int i = 0; i < db_count(rows) && writer->unread_count < LOG_WRITER_RUNS_MAX; i++) {
        store_unread_row(rows, i, &writer->unread[writer->unread_count++]);
    }
    writer->reading = 0;
    writer->run_count = 0;
    writer->leaf_count = 0;
    if (writer->unread_count) {
        read_next(writer);
    } else {
        again(writer, LOOK_MS);
    }
}

void log_writer_look(struct log_writer *writer)
{
    if (!writer->fence || writer->refusing) {
        return;
    }
    if (due(writer)) {
        log_writer_went(writer, store_head(writer->db, LOG_WRITER_LOG, on_read_back, writer));
        return;
    }
    log_writer_went(writer, store_log_unread(writer->db, on_unread, writer));
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct log_writer *writer = arg;
    if (!writer->fence || writer->refusing || writer->op) {
        return;
    }
    if (writer->loaded) {
        log_writer_look(writer);
    } else {
        log_writer_load(writer);
    }
}

/* --- life --------------------------------------------------------------------------------- */

struct log_writer *log_writer_new(struct event_base *loop, const struct config *config,
                                  struct db *db, log_writer_fn signed_fn, void *arg)
{
    struct log_writer *writer = calloc(1, sizeof(*writer));
    if (!writer) {
        return NULL;
    }
    writer->loop = loop;
    writer->config = config;
    writer->db = db;
    writer->signed_fn = signed_fn;
    writer->arg = arg;
    writer->timer = event_new(loop, -1, 0, on_timer, writer);
    if (!writer->timer || secret_slab_init(&writer->slab, sizeof(*writer->key)) < 0) {
        log_writer_free(writer);
        return NULL;
    }
    writer->key = (struct sign_key *)(void *)writer->slab.p;
    if (log_key_read(config, writer->key, &writer->name) != 0) {
        log_text(LOG_ERROR, "keys.checkpoint or log.origin can't be used");
        log_writer_free(writer);
        return NULL;
    }
    return writer;
}

void log_writer_free(struct log_writer *writer)
{
    if (writer) {
        op_cancel(writer->op);
        if (writer->timer) {
            event_free(writer->timer);
        }
        secret_slab_deinit(&writer->slab);
        free(writer);
    }
}

void log_writer_lead(struct log_writer *writer, uint64_t fence)
{
    writer->fence = fence;
    writer->loaded = false;
    writer->refusing = false;
    writer->signed_size = 0;
    again(writer, 1);
}

void log_writer_rest(struct log_writer *writer)
{
    writer->fence = 0;
    op_cancel(writer->op);
    writer->op = NULL;
    (void)event_del(writer->timer);
}
