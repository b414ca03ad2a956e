/*
 * Tiles: the tree in pieces of 256 hashes, each stored once.
 *
 * Tile (level, index) holds the nodes (8 × level, index × 256 …). Full tiles never change; the
 * rightmost of each level may be partial, its width is part of its name. An edge is what an
 * appender needs: the frontier and the partial tiles, 68 KB.
 *
 * Spec: https://c2sp.org/tlog-tiles
 */
#pragma once

#include "anchor/merkle.h"
#include "crypto/base/buf.h"

enum {
    TILE_HEIGHT = 8,
    TILE_WIDTH = 256,
    TILE_LEVELS = 8, /* levels 0 to 7: 2^63 leaves */
    TILE_PATH_MAX = 64,
};

/* @width: hashes in it, 1 to TILE_WIDTH */
struct tile_id {
    unsigned level;
    uint64_t index;
    unsigned width;
};

/* Give the @id->width hashes of a tile in @out; return 0 or -errno, which is passed on. */
typedef int (*tile_read_fn)(void *owner, const struct tile_id *id, struct merkle_hash *out);

/* Keep the @id->width hashes at @hashes; return 0 or -errno, which is passed on. */
typedef int (*tile_write_fn)(void *owner, const struct tile_id *id,
                             const struct merkle_hash *hashes);

/* Append "tile/L/N" or "tile/L/N.p/W" to @b. */
void tile_path_put(const struct tile_id *id, struct buf *b);

/* Read such a path. Return: 0 or -EINVAL */
MUST_USE int tile_path_read(struct str path, struct tile_id *out);

/* Width that tile @index of @level has in a tree of @size leaves: 0 (none) to TILE_WIDTH. */
unsigned tile_width(unsigned level, uint64_t index, uint64_t size);

struct tile_edge {
    struct merkle_frontier frontier;
    struct merkle_hash partial[TILE_LEVELS][TILE_WIDTH];
};

/**
 * tile_edge_load() - make ready to append to a tree of @size leaves
 * @source: gives the partial tiles of that tree, and no other
 *
 * Return: 0 or -errno of @source. The caller compares merkle_root(&edge->frontier) with its
 * head.
 */
MUST_USE int tile_edge_load(struct tile_edge *edge, uint64_t size, tile_read_fn source,
                            void *owner);

/**
 * tile_append() - append leaf hashes, and hand out each tile that is new or wider
 * @edge:  where the tree stands; after a failure load it again
 * @sink:  called once for each tile completed, in order, then once for each partial tile that
 *         has changed
 *
 * Return: 0, -ERANGE if the tree would get too large, or -errno of @sink
 */
MUST_USE int tile_append(struct tile_edge *edge, const struct merkle_hash *leaves, size_t count,
                         tile_write_fn sink, void *owner);

/*
 * Nodes out of tiles, for proofs in a tree of @size leaves. Keeps the last tile of each level,
 * so that a proof reads each tile it needs about once.
 */
struct tile_reader {
    uint64_t size;
    tile_read_fn source;
    void *owner;                      /* borrowed */
    struct tile_id held[TILE_LEVELS]; /* width 0: none */
    struct merkle_hash tile[TILE_LEVELS][TILE_WIDTH];
};

void tile_reader_init(struct tile_reader *reader, uint64_t size, tile_read_fn source,
                      void *owner);

/* @reader as source of nodes for merkle_prove_…(); borrowed. */
struct merkle_reader tile_nodes(struct tile_reader *reader);
