/*
 * Tiles.
 *
 * Appending walks up as merkle_append() does; whenever it completes a node of a level that is a
 * multiple of eight, that node is the next hash of a tile. So tiles cost no hashing of their
 * own. A partial tile is written once for each call, however many leaves it got.
 */
#include "anchor/tiles.h"

#include <assert.h>
#include <errno.h>

void tile_path_put(const struct tile_id *id, struct buf *b)
{
    assert(id->width >= 1 && id->width <= TILE_WIDTH);
    buf_fmt(b, "tile/%u", id->level);
    unsigned groups = 1;
    for (uint64_t rest = id->index / 1000; rest; rest /= 1000) {
        groups++;
    }
    while (groups > 0) {
        groups--;
        uint64_t part = id->index;
        for (unsigned i = 0; i < groups; i++) {
            part /= 1000;
        }
        buf_fmt(b, groups ? "/x%03u" : "/%03u", (unsigned)(part % 1000));
    }
    if (id->width < TILE_WIDTH) {
        buf_fmt(b, ".p/%u", id->width);
    }
}

/* A number of at most three digits that is all of @s. */
static int small_number(struct str s, unsigned *out)
{
    unsigned value = 0;
    if (s.n == 0 || s.n > 3) {
        return -EINVAL;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return -EINVAL;
        }
        value = value * 10 + (unsigned)(s.p[i] - '0');
    }
    *out = value;
    return 0;
}

/* Read @path leniently; the caller compares with the one way to write it. */
static int path_parse(struct str path, struct tile_id *id)
{
    struct str level;
    unsigned part = 0;
    if (!str_starts(path, STR("tile/"))) {
        return -EINVAL;
    }
    path = str_slice(path, 5, path.n);
    level = str_cut(&path, '/');
    if (small_number(level, &id->level) < 0) {
        return -EINVAL;
    }
    id->index = 0;
    id->width = TILE_WIDTH;
    for (bool more = true; more;) {
        struct str piece = str_cut(&path, '/');
        more = str_starts(piece, STR("x"));
        piece = str_slice(piece, more ? 1 : 0, piece.n);
        bool partial = str_ends(piece, STR(".p"));
        piece.n -= partial ? 2 : 0;
        if (small_number(piece, &part) < 0 || id->index > UINT64_MAX / 1000 - 1) {
            return -EINVAL;
        }
        id->index = id->index * 1000 + part;
        if (partial && (more || small_number(path, &id->width) < 0)) {
            return -EINVAL;
        }
        if (!more && !partial && path.n) {
            return -EINVAL;
        }
    }
    return 0;
}

int tile_path_read(struct str path, struct tile_id *out)
{
    struct tile_id id;
    char text[TILE_PATH_MAX];
    struct buf b = buf_fixed(text, sizeof(text));
    if (path_parse(path, &id) < 0 || id.level >= TILE_LEVELS || id.width < 1 ||
        id.width > TILE_WIDTH) {
        return -EINVAL;
    }
    tile_path_put(&id, &b);
    if (buf_failed(&b) || !str_eq(buf_str(&b), path)) {
        return -EINVAL;
    }
    *out = id;
    return 0;
}

unsigned tile_width(unsigned level, uint64_t index, uint64_t size)
{
    uint64_t nodes = size >> (TILE_HEIGHT * level);
    uint64_t full = nodes / TILE_WIDTH;
    if (index < full) {
        return TILE_WIDTH;
    }
    return index == full ? (unsigned)(nodes % TILE_WIDTH) : 0;
}

/* Frontier nodes of @level's eight heights, from the hashes of its partial tile. */
static void frontier_from(struct tile_edge *edge, unsigned level, unsigned width)
{
    unsigned begin = 0;
    for (int height = TILE_HEIGHT - 1; height >= 0; height--) {
        struct merkle_frontier part = { 0 };
        unsigned count = 1U << height;
        if (!(width & count)) {
            continue;
        }
        for (unsigned i = 0; i < count; i++) {
            merkle_append(&part, &edge->partial[level][begin + i]);
        }
        merkle_root(&part, &edge->frontier.node[TILE_HEIGHT * level + (unsigned)height]);
        begin += count;
    }
}

int tile_edge_load(struct tile_edge *edge, uint64_t size, tile_read_fn source, void *owner)
{
    if (size >> MERKLE_LEVELS) {
        return -ERANGE;
    }
    edge->frontier = (struct merkle_frontier){ .size = size };
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        struct tile_id id = {
            .level = level,
            .index = size >> (TILE_HEIGHT * level) >> TILE_HEIGHT,
        };
        id.width = tile_width(level, id.index, size);
        if (id.width == 0) {
            continue;
        }
        int r = source(owner, &id, edge->partial[level]);
        if (r < 0) {
            return r;
        }
        frontier_from(edge, level, id.width);
    }
    return 0;
}

/* Node @hash of @level × 8 takes its place in its tile; hand the tile out if it is full. */
static int keep(struct tile_edge *edge, unsigned level, const struct merkle_hash *hash,
                tile_write_fn sink, void *owner)
{
    uint64_t node = edge->frontier.size >> (TILE_HEIGHT * level);
    edge->partial[level][node % TILE_WIDTH] = *hash;
    if (node % TILE_WIDTH != TILE_WIDTH - 1) {
        return 0;
    }
    struct tile_id id = { .level = level, .index = node / TILE_WIDTH, .width = TILE_WIDTH };
    return sink(owner, &id, edge->partial[level]);
}

static int append_one(struct tile_edge *edge, const struct merkle_hash *leaf,
                      tile_write_fn sink, void *owner)
{
    struct merkle_frontier *frontier = &edge->frontier;
    struct merkle_hash hash = *leaf;
    for (unsigned level = 0;; level++) {
        if (level % TILE_HEIGHT == 0) {
            int r = keep(edge, level / TILE_HEIGHT, &hash, sink, owner);
            if (r < 0) {
                return r;
            }
        }
        if (!(frontier->size >> level & 1)) {
            frontier->node[level] = hash;
            frontier->size++;
            return 0;
        }
        merkle_node(&frontier->node[level], &hash, &hash);
    }
}

int tile_append(struct tile_edge *edge, const struct merkle_hash *leaves, size_t count,
                tile_write_fn sink, void *owner)
{
    uint64_t before = edge->frontier.size;
    if (count > ((uint64_t)1 << MERKLE_LEVELS) - 1 - before) {
        return -ERANGE;
    }
    for (size_t i = 0; i < count; i++) {
        int r = append_one(edge, &leaves[i], sink, owner);
        if (r < 0) {
            return r;
        }
    }
    uint64_t after = edge->frontier.size;
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        unsigned bits = TILE_HEIGHT * level;
        struct tile_id id = { .level = level, .index = after >> bits >> TILE_HEIGHT };
        id.width = tile_width(level, id.index, after);
        if (id.width == 0 || before >> bits == after >> bits) {
            continue;
        }
        int r = sink(owner, &id, edge->partial[level]);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

void tile_reader_init(struct tile_reader *reader, uint64_t size, tile_read_fn source,
                      void *owner)
{
    reader->size = size;
    reader->source = source;
    reader->owner = owner;
    memset(reader->held, 0, sizeof(reader->held));
}

static int read_node(void *owner, unsigned level, uint64_t index, struct merkle_hash *out)
{
    struct tile_reader *reader = owner;
    unsigned at = level / TILE_HEIGHT;
    unsigned height = level % TILE_HEIGHT;
    uint64_t first = index << height; /* the node covers 2^height hashes of the tile */
    struct tile_id id = { .level = at, .index = first / TILE_WIDTH };
    id.width = tile_width(at, id.index, reader->size);
    unsigned offset = (unsigned)(first % TILE_WIDTH);
    if (offset + (1U << height) > id.width) {
        return -ERANGE;
    }
    struct tile_id *held = &reader->held[at];
    if (held->width != id.width || held->index != id.index) {
        held->width = 0;
        int r = reader->source(reader->owner, &id, reader->tile[at]);
        if (r < 0) {
            return r;
        }
        *held = id;
    }
    struct merkle_frontier part = { 0 };
    for (unsigned i = 0; i < 1U << height; i++) {
        merkle_append(&part, &reader->tile[at][offset + i]);
    }
    merkle_root(&part, out);
    return 0;
}

struct merkle_reader tile_nodes(struct tile_reader *reader)
{
    return (struct merkle_reader){ .fetch = read_node, .owner = reader };
}
