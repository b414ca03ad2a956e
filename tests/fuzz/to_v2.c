/* A Bundle from outside, made into messages of several events, versions and delimiters; and
 * whose data its resources are. */
#include "fhir/translate/to_v2.h"
#include "fhir/compartment/within.h"
#include "fhir/format/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/shipped.h"

#include <errno.h>

enum {
    MEMORY = 64 << 20,
};

static const struct rules *rules(void)
{
    static const struct rules *once;
    once = once ? once : shipped_rules(arena_new(1 << 20));
    return once;
}

/* A message can be read again, and nothing in it ends a frame. */
static void check(struct arena *arena, struct str text, struct issues *issues)
{
    struct v2_message message;
    for (size_t i = 0; i < text.n; i++) {
        fuzz_expect(text.p[i] == '\r' || text.p[i] == '\t' || (unsigned char)text.p[i] >= ' ');
    }
    int r = v2_parse(arena, text, issues, &message);
    fuzz_expect(r == 0 || r == -ENOMEM);
}

/* Who isn't told is nobody, by a reason. */
static void check_whose(struct arena *arena, struct within *within, const struct node *resource)
{
    struct subjects found;
    if (subject_find(arena, resource, &found) < 0 ||
        subject_within(arena, within, resource, &found) < 0) {
        return;
    }
    fuzz_expect((found.class == SUBJECT_UNKNOWN) == (found.why != NULL));
    fuzz_expect(found.class != SUBJECT_KNOWN || found.patients.count > 0);
    fuzz_expect(found.class != SUBJECT_NONE || found.patients.count + found.derived.count == 0);
}

static void whose(struct arena *arena, const struct node *root)
{
    struct within *within;
    const struct node *entry = node_first(node_get(root, "entry"));
    if (within_new(arena, root, &within) < 0) {
        return;
    }
    check_whose(arena, within, root);
    for (; entry; entry = entry->next) {
        const struct node *resource = node_get(entry, "resource");
        if (resource) {
            check_whose(arena, within, resource);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct translate_receiver receivers[] = {
        { .version = V2_2_5_1, .delims = { '|', '^', '~', '\\', '&', 0 } },
        { .event = STR_INIT("ORU^R01"),
          .version = V2_2_3,
          .delims = { '#', '*', '!', '%', '@', 0 } },
        { .event = STR_INIT("ADT^A01"),
          .version = V2_2_7_1,
          .delims = { '|', '^', '~', '\\', '&', '$' },
          .charset = STR_INIT("8859/1") },
        { .event = STR_INIT("ADT^A40"),
          .version = V2_2_4,
          .delims = { '|', '^', '~', '\\', '&', 0 } },
    };
    struct arena *arena = arena_new(4096);
    if (!arena) {
        return 0;
    }
    arena_limit(arena, MEMORY);
    struct issues issues;
    const struct node *root;
    issues_init(&issues, arena);
    int r = json_parse(arena, str_of(data, size), &issues, &root);
    if (r == 0) {
        whose(arena, root);
    }
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(receivers); i++) {
        struct translate_receiver to = receivers[i];
        struct translate_message message;
        to.rules = rules();
        if (translate_to_v2(arena, root, &to, &message, &issues) == 0) {
            check(arena, message.text, &issues);
        }
    }
    arena_free(arena);
    return 0;
}
