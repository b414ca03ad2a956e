/* Notes, verifier keys, checkpoints, proofs and tile paths. */
#include "anchor/note.h"
#include "anchor/checkpoint.h"
#include "anchor/proof.h"
#include "anchor/tiles.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

static void same(struct str in, const struct buf *b)
{
    if (buf_failed(b) || !str_eq(buf_str(b), in)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_of(data, size);
    static char text[1 << 20];
    struct buf b = buf_fixed(text, sizeof(text));
    struct note_key key;
    struct note note;
    struct checkpoint checkpoint;
    struct proof proof;
    struct tile_id tile;
    if (note_key_read(in, &key) == 0) {
        (void)!note_check(&(struct note){ .text = in }, &key);
    }
    if (note_read(in, &note) == 0) {
        (void)!checkpoint_read(note.text, &checkpoint);
    }
    if (checkpoint_read(in, &checkpoint) == 0) {
        checkpoint_put(&checkpoint, &b);
        same(in, &b);
    }
    b.n = 0;
    if (proof_read(in, &proof) == 0) {
        proof_put(&proof, &b);
        same(in, &b);
    }
    b.n = 0;
    if (tile_path_read(in, &tile) == 0) {
        tile_path_put(&tile, &b);
        same(in, &b);
    }
    return 0;
}
