/* Patients by number: open addressing, grown when it is half full. Numbers are random. */
#include "gateway/pipeline/fhir_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
    SIZE_FIRST = 256, /* a power of two, as all sizes after it */
};

static const uint8_t nobody[16];

/* The slot where @number is, or where it belongs. */
static struct fhir_shown *slot(struct fhir_shown *set, size_t size, const uint8_t number[16])
{
    size_t at;
    assert(set);
    memcpy(&at, number, sizeof(at));
    for (at &= size - 1;; at = (at + 1) & (size - 1)) {
        if (memcmp(set[at].number, nobody, 16) == 0 ||
            memcmp(set[at].number, number, 16) == 0) {
            return &set[at];
        }
    }
}

struct fhir_shown *fhir_named(const struct fhir_answer *answer, const uint8_t number[16])
{
    if (!answer->named) {
        return NULL;
    }
    struct fhir_shown *found = slot(answer->named, answer->named_size, number);
    return memcmp(found->number, number, 16) == 0 ? found : NULL;
}

static int grow(struct fhir_answer *answer)
{
    size_t size = answer->named_size ? 2 * answer->named_size : SIZE_FIRST;
    struct fhir_shown *set = calloc(size, sizeof(*set));
    if (!set) {
        return -ENOMEM;
    }
    for (size_t i = 0; answer->named && i < answer->named_size; i++) {
        if (memcmp(answer->named[i].number, nobody, 16) != 0) {
            *slot(set, size, answer->named[i].number) = answer->named[i];
        }
    }
    free(answer->named);
    answer->named = set;
    answer->named_size = size;
    return 0;
}

int fhir_name(struct fhir_answer *answer, const uint8_t number[16],
              const struct type_set *types)
{
    struct fhir_shown *shown = fhir_named(answer, number);
    if (!shown) {
        if (2 * (answer->named_count + 1) > answer->named_size && grow(answer) < 0) {
            return -ENOMEM;
        }
        assert(answer->named);
        shown = slot(answer->named, answer->named_size, number);
        memcpy(shown->number, number, 16);
        answer->named_count++;
    }
    type_set_join(&shown->recorded, types);
    return 0;
}

int fhir_named_later(struct exchange *ex)
{
    struct dossier *dossier = dossier_of(ex);
    const struct fhir_answer *answer = &fhir_of(ex)->answer;
    dossier->later = arena_calloc(ex->arena, answer->named_count, sizeof(*dossier->later));
    dossier->later_count = 0;
    if (answer->named_count && !dossier->later) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < answer->named_size; i++) {
        const struct fhir_shown *shown = &answer->named[i];
        struct type_set later = shown->later;
        if (type_set_without(&later, &shown->recorded)) {
            struct dossier_later *out = &dossier->later[dossier->later_count++];
            memcpy(out->patient, shown->number, sizeof(out->patient));
            out->types = later;
        }
    }
    return 0;
}
