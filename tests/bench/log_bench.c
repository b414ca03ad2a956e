/*
 * The log in memory: leaf hashes appended to the tree, with all tiles handed out.
 *
 *   log_bench [SECONDS] [BATCH]
 *
 * Prints leaves a second of CPU, and records of 1,000 bytes hashed to leaves, as one line of
 * JSON.
 */
#include "anchor/tiles.h"
#include "tests/bench/cpu.h"

#include <string.h>

enum {
    BATCH_USUAL = 1024,
    RECORD = 1000,
};

static uint64_t tiles;

static int sink(void *owner, const struct tile_id *id, const struct merkle_hash *hashes)
{
    (void)owner;
    (void)id;
    tiles += hashes[0].b[0] | 1;
    return 0;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    size_t batch = argc > 2 ? strtoull(argv[2], NULL, 10) : BATCH_USUAL;
    struct merkle_hash *leaves = calloc(batch, sizeof(*leaves));
    static struct tile_edge edge;
    static char record[RECORD];
    uint64_t n = 0;
    double took = 0;
    double began = cpu_us();
    for (; took < seconds * 1e6; took = cpu_us() - began) {
        for (size_t i = 0; i < batch; i++) {
            memcpy(leaves[i].b, &n, sizeof(n));
            n++;
        }
        if (tile_append(&edge, leaves, batch, sink, NULL) != 0) {
            return 1;
        }
    }
    uint64_t hashed = 0;
    double hash_us = 0;
    for (began = cpu_us(); hash_us < seconds * 1e6 / 4; hash_us = cpu_us() - began) {
        for (int i = 0; i < 1000; i++) {
            memcpy(record, &hashed, sizeof(hashed));
            merkle_leaf(str_of(record, sizeof(record)), &leaves[0]);
            hashed++;
        }
    }
    printf("{\"leaves_per_s\":%.0f,\"records_hashed_per_s\":%.0f}\n", (double)n / took * 1e6,
           (double)hashed / hash_us * 1e6);
    free(leaves);
    return tiles == 0;
}
