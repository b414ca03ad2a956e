/* Records, openings and evidence packages: one spelling each. */
#include "anchor/record.h"
#include "anchor/evidence.h"
#include "anchor/opening.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

static void opening(struct str in)
{
    char *memory = malloc(in.n + 1);
    char *again = malloc(in.n + 1);
    struct opening got;
    if (memory && again) {
        struct buf m = buf_fixed(memory, in.n);
        struct buf b = buf_fixed(again, in.n);
        if (opening_read(in, &m, &got, NULL) == 0) {
            opening_write(&got, &b);
            if (buf_failed(&b) || !str_eq(buf_str(&b), in)) {
                abort();
            }
        }
    }
    free(memory);
    free(again);
}

static void package(struct str in)
{
    static const struct note_key key = { .id = 1 };
    char *memory = malloc(in.n + 1);
    if (!memory) {
        return;
    }
    struct buf m = buf_fixed(memory, in.n + 1);
    const struct evidence_check without = { .memory = &m };
    const struct evidence_check with = { .memory = &m, .key = &key };
    if (evidence_check(in, &without) == EVIDENCE_PROVEN ||
        evidence_check(in, &with) == EVIDENCE_PROVEN) {
        abort(); /* nothing is proven by a package alone */
    }
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_of(data, size);
    struct record record;
    char text[RECORD_SIZE_MAX];
    struct buf b = buf_fixed(text, sizeof(text));
    if (record_read(in, &record, NULL) == 0) {
        record_write(&record, &b);
        if (buf_failed(&b) || !str_eq(buf_str(&b), in)) {
            abort();
        }
    }
    opening(in);
    package(in);
    return 0;
}
