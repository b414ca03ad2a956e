/* A set of patient numbers: open addressing, grown when it is half full. Numbers are random. */
#include "gateway/pipeline/fhir_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
    SIZE_FIRST = 256, /* a power of two, as all sizes after it */
};

static const uint8_t nobody[16];

/* The slot where @number is, or where it belongs. */
static uint8_t *slot(uint8_t (*set)[16], size_t size, const uint8_t number[16])
{
    size_t at;
    assert(set);
    memcpy(&at, number, sizeof(at));
    for (at &= size - 1;; at = (at + 1) & (size - 1)) {
        if (memcmp(set[at], nobody, 16) == 0 || memcmp(set[at], number, 16) == 0) {
            return set[at];
        }
    }
}

bool fhir_named(const struct fhir_answer *answer, const uint8_t number[16])
{
    return answer->named &&
           memcmp(slot(answer->named, answer->named_size, number), number, 16) == 0;
}

static int grow(struct fhir_answer *answer)
{
    size_t size = answer->named_size ? 2 * answer->named_size : SIZE_FIRST;
    uint8_t(*set)[16] = calloc(size, sizeof(*set));
    if (!set) {
        return -ENOMEM;
    }
    for (size_t i = 0; answer->named && i < answer->named_size; i++) {
        if (memcmp(answer->named[i], nobody, 16) != 0) {
            memcpy(slot(set, size, answer->named[i]), answer->named[i], 16);
        }
    }
    free(answer->named);
    answer->named = set;
    answer->named_size = size;
    return 0;
}

int fhir_name(struct fhir_answer *answer, const uint8_t number[16])
{
    if (fhir_named(answer, number)) {
        return 0;
    }
    if (2 * (answer->named_count + 1) > answer->named_size && grow(answer) < 0) {
        return -ENOMEM;
    }
    assert(answer->named);
    memcpy(slot(answer->named, answer->named_size, number), number, 16);
    answer->named_count++;
    return 0;
}
