/*
 * The generator of proofs reads nodes by calls that return at once, and the database doesn't:
 * so it is run, notes the tile that it misses, and is run again when that tile is there. A
 * proof touches a few tiles of each level.
 */
#include "gateway/ledger/tree_proof.h"

#include "anchor/tiles.h"
#include "gateway/store/audit.h"

#include <errno.h>
#include <stdlib.h>

enum {
    TILES_MAX = 64,
};

struct tile {
    unsigned level;
    uint64_t index;
    unsigned width;
    struct merkle_hash hashes[TILE_WIDTH];
};

/* Of a span from @span.from to @span.to, or of @leaf in @span.to. */
struct load {
    struct op op;
    struct db *db;
    struct tree_span span;
    bool of_leaf;
    uint64_t index;
    struct merkle_hash leaf;
    struct op *query;
    tree_proof_fn done;
    void *owner;
    struct tile_id missing;
    size_t count;
    struct tile *tiles[TILES_MAX]; /* owned */
    struct tile_reader reader;
    struct merkle_proof proof;
};

static int run(struct load *l);

static void load_free(struct load *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free(l->tiles[i]);
    }
    free(l);
}

static void on_cancel(struct op *op)
{
    struct load *l = (struct load *)op;
    op_cancel(l->query);
    load_free(l);
}

static void finish(struct load *l, int r)
{
    l->done(l->owner, r, r ? NULL : &l->proof);
    load_free(l);
}

static int read_tile(void *owner, const struct tile_id *id, struct merkle_hash *out)
{
    struct load *l = owner;
    for (size_t i = 0; i < l->count; i++) {
        const struct tile *tile = l->tiles[i];
        if (tile->level == id->level && tile->index == id->index) {
            if (tile->width < id->width) {
                return -EBADMSG;
            }
            memcpy(out, tile->hashes, id->width * sizeof(out[0]));
            return 0;
        }
    }
    l->missing = *id;
    return -EAGAIN;
}

static void on_tile(void *arg, int r, const struct db_rows *rows)
{
    struct load *l = arg;
    l->query = NULL;
    struct str hashes;
    int16_t level;
    uint64_t index;
    if (r < 0 || db_count(rows) != 1 || l->count == TILES_MAX) {
        finish(l, r < 0 ? r : -EBADMSG);
        return;
    }
    store_tile_row(rows, 0, &level, &index, &hashes);
    struct tile *tile = calloc(1, sizeof(*tile));
    if (!tile || hashes.n > sizeof(tile->hashes)) {
        free(tile);
        finish(l, -ENOMEM);
        return;
    }
    tile->level = l->missing.level;
    tile->index = l->missing.index;
    tile->width = (unsigned)(hashes.n / sizeof(tile->hashes[0]));
    memcpy(tile->hashes, hashes.p, hashes.n);
    l->tiles[l->count++] = tile;
    r = run(l);
    if (r != -EINPROGRESS) {
        finish(l, r);
    }
}

static int generate(struct load *l)
{
    struct merkle_reader nodes = tile_nodes(&l->reader);
    const struct merkle_head *to = &l->span.to;
    bool good;
    int r;
    if (l->of_leaf) {
        r = merkle_prove_inclusion(&nodes, l->index, to->size, &l->proof);
        good = r == 0 && merkle_check_inclusion(&l->leaf, l->index, to, &l->proof);
    } else {
        r = merkle_prove_consistency(&nodes, l->span.from.size, to->size, &l->proof);
        good = r == 0 && merkle_check_consistency(&l->span.from, to, &l->proof);
    }
    return r == 0 && !good ? -EBADMSG : r;
}

/* Return: 0: the proof is there; -EINPROGRESS: a tile is being read; -errno */
static int run(struct load *l)
{
    int r = generate(l);
    if (r != -EAGAIN) {
        return r;
    }
    int16_t level = (int16_t)l->missing.level;
    struct store_tiles what = {
        .log = l->span.log, .levels = &level, .indexes = &l->missing.index, .n = 1
    };
    l->query = store_tiles(l->db, &what, on_tile, l);
    return l->query ? -EINPROGRESS : -EAGAIN;
}

static struct load *load_new(struct db *db, const struct tree_span *span, tree_proof_fn done,
                             void *owner)
{
    struct load *l = calloc(1, sizeof(*l));
    if (l) {
        l->op.cancel = on_cancel;
        l->db = db;
        l->span = *span;
        l->done = done;
        l->owner = owner;
        tile_reader_init(&l->reader, span->to.size, read_tile, l);
    }
    return l;
}

/* Nothing is in memory yet, so the first run always misses a tile. */
static struct op *begin(struct load *l, bool sensible)
{
    if (!l || !sensible || run(l) != -EINPROGRESS) {
        if (l) {
            load_free(l);
        }
        return NULL;
    }
    return &l->op;
}

struct op *tree_proof_load(struct db *db, const struct tree_span *span, tree_proof_fn done,
                           void *owner)
{
    struct load *l = load_new(db, span, done, owner);
    return begin(l, span->from.size > 0 && span->from.size < span->to.size);
}

struct op *tree_proof_leaf(struct db *db, const struct tree_leaf *leaf, tree_proof_fn done,
                           void *owner)
{
    const struct tree_span span = { .log = leaf->log, .to = leaf->head };
    struct load *l = load_new(db, &span, done, owner);
    if (l) {
        l->of_leaf = true;
        l->index = leaf->index;
        l->leaf = leaf->leaf;
    }
    return begin(l, leaf->head.size > 1);
}
