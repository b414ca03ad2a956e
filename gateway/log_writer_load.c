/*
 * Loading: head, edge and newest checkpoint from the database, which must agree.
 */
#include "gateway/log_writer_impl.h"

#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/store/audit.h"

#include <errno.h>
#include <string.h>

static int loaded_tile(void *owner, const struct tile_id *id, struct merkle_hash *out)
{
    const struct log_writer *writer = owner;
    for (size_t i = 0; i < writer->loaded_count; i++) {
        const struct log_writer_tile *copy = &writer->loaded_tiles[i];
        if (copy->id.level == id->level && copy->id.index == id->index &&
            copy->id.width >= id->width) {
            memcpy(out, copy->hashes, id->width * sizeof(*out));
            return 0;
        }
    }
    return -ENOENT;
}

static void on_checkpoint(void *arg, int r, const struct db_rows *rows)
{
    struct log_writer *writer = arg;
    writer->op = NULL;
    if (r < 0) {
        log_writer_start_over(writer, r);
        return;
    }
    if (db_count(rows) == 1) {
        struct store_checkpoint newest;
        r = store_checkpoint_row(rows, 0, &newest);
        if (r < 0 || newest.head.size > writer->head.size ||
            (newest.head.size == writer->head.size &&
             !merkle_same(&newest.head.root, &writer->head.root))) {
            log_writer_refuse(writer, "a signed checkpoint is ahead of the tree");
            return;
        }
        writer->signed_size = newest.head.size;
    }
    writer->loaded = true;
    metrics_set(METRIC_LOG_SIZE, (int64_t)writer->head.size);
    log_line(LOG_INFO, "log loaded", LOG_I("size", writer->head.size));
    log_writer_look(writer);
}

/* Return: 0 or -EBADMSG: wider than a tile can be */
static int take_tile(struct log_writer *writer, const struct db_rows *rows, int i)
{
    struct log_writer_tile *copy = &writer->loaded_tiles[writer->loaded_count];
    int16_t level;
    struct str hashes;
    store_tile_row(rows, i, &level, &copy->id.index, &hashes);
    if (hashes.n > sizeof(copy->hashes)) {
        return -EBADMSG;
    }
    copy->id.level = (unsigned)level;
    copy->id.width = (unsigned)(hashes.n / MERKLE_HASH_SIZE);
    memcpy(copy->hashes, hashes.p, copy->id.width * sizeof(copy->hashes[0]));
    writer->loaded_count++;
    return 0;
}

static void on_edge(void *arg, int r, const struct db_rows *rows)
{
    struct log_writer *writer = arg;
    writer->op = NULL;
    writer->loaded_count = 0;
    for (int i = 0; r == 0 && i < db_count(rows) && writer->loaded_count < TILE_LEVELS; i++) {
        r = take_tile(writer, rows, i);
    }
    if (r < 0) {
        log_writer_start_over(writer, r);
        return;
    }
    struct merkle_hash root;
    r = tile_edge_load(&writer->edge, writer->head.size, loaded_tile, writer);
    merkle_root(&writer->edge.frontier, &root);
    if (r < 0 || !merkle_same(&root, &writer->head.root)) {
        log_writer_refuse(writer, "the tiles don't add up to the head");
        return;
    }
    log_writer_went(writer, store_checkpoint_newest(writer->db, LOG_WRITER_LOG, UINT64_MAX,
                                                    on_checkpoint, writer));
}

static void on_head(void *arg, int r, const struct db_rows *rows)
{
    struct log_writer *writer = arg;
    struct store_head head;
    writer->op = NULL;
    r = r < 0 ? r : store_head_row(rows, &head);
    if (r < 0) {
        log_writer_start_over(writer, r);
        return;
    }
    writer->head = head.head;
    int16_t levels[TILE_LEVELS];
    uint64_t indexes[TILE_LEVELS];
    size_t n = 0;
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        uint64_t nodes = writer->head.size >> (TILE_HEIGHT * level);
        if (nodes % TILE_WIDTH) {
            levels[n] = (int16_t)level;
            indexes[n++] = nodes / TILE_WIDTH;
        }
    }
    const struct store_tiles what = {
        .log = LOG_WRITER_LOG,
        .levels = levels,
        .indexes = indexes,
        .n = n,
    };
    log_writer_went(writer, store_tiles(writer->db, &what, on_edge, writer));
}

void log_writer_load(struct log_writer *writer)
{
    log_writer_went(writer, store_head(writer->db, LOG_WRITER_LOG, on_head, writer));
}
