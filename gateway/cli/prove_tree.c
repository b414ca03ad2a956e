/*
 * A proof out of stored tiles. Which are needed is found by trying: each attempt stops at the
 * first tile that isn't there yet, which is then loaded. A path needs one tile a level, or two.
 */
#include "gateway/cli/prove.h"

#include "anchor/tiles.h"

#include <errno.h>

enum {
    LOG_NUMBER = 0,              /* the one tree */
    TILES_MAX = 4 * TILE_LEVELS, /* more than any path needs */
};

struct loaded {
    struct tile_id id;
    struct str hashes;
};

struct tiles {
    struct cli_session *session;
    struct loaded loaded[TILES_MAX];
    size_t count;
    bool missing;
    struct tile_id wanted;
};

static int give(void *owner, const struct tile_id *id, struct merkle_hash *out)
{
    struct tiles *tiles = owner;
    for (size_t i = 0; i < tiles->count; i++) {
        const struct loaded *tile = &tiles->loaded[i];
        if (tile->id.level == id->level && tile->id.index == id->index) {
            size_t size = id->width * sizeof(*out);
            if (tile->hashes.n < size) {
                return -EBADMSG;
            }
            memcpy(out, tile->hashes.p, size);
            return 0;
        }
    }
    tiles->missing = true;
    tiles->wanted = *id;
    return -ENOENT;
}

static int take_tile(void *owner, const struct db_rows *rows)
{
    struct tiles *tiles = owner;
    if (db_count(rows) != 1 || tiles->count == TILES_MAX) {
        return -EBADMSG;
    }
    struct loaded *tile = &tiles->loaded[tiles->count];
    int16_t level;
    struct str hashes;
    store_tile_row(rows, 0, &level, &tile->id.index, &hashes);
    tile->id.level = (unsigned)level;
    tile->hashes = arena_str(tiles->session->arena, hashes);
    tiles->count++;
    return tile->hashes.p ? 0 : -ENOMEM;
}

static int load_wanted(struct tiles *tiles)
{
    struct cli_session *s = tiles->session;
    const int16_t level = (int16_t)tiles->wanted.level;
    const struct store_tiles what = {
        .log = LOG_NUMBER,
        .levels = &level,
        .indexes = &tiles->wanted.index,
        .n = 1,
    };
    struct cli_answer answer = { .read = take_tile, .owner = tiles };
    tiles->missing = false;
    return cli_wait(s, store_tiles(s->db, &what, cli_on_rows, &answer), &answer);
}

int prove_inclusion(struct cli_session *s, const struct merkle_hash *leaf, uint64_t index,
                    const struct merkle_head *head, struct merkle_proof *out)
{
    struct tile_reader *reader = arena_alloc(s->arena, sizeof(*reader));
    struct tiles *tiles = arena_calloc(s->arena, 1, sizeof(*tiles));
    int r = reader && tiles ? -ENOENT : -ENOMEM;
    if (r == -ENOENT) {
        tiles->session = s;
    }
    while (r == -ENOENT) {
        tile_reader_init(reader, head->size, give, tiles);
        struct merkle_reader nodes = tile_nodes(reader);
        r = merkle_prove_inclusion(&nodes, index, head->size, out);
        if (r == -ENOENT && tiles->missing) {
            r = load_wanted(tiles);
            r = r == 0 ? -ENOENT : r;
        }
    }
    return r == 0 && !merkle_check_inclusion(leaf, index, head, out) ? -EBADMSG : r;
}
