/*
 * References looked up among the entries of the Bundle they stand in: keys for all that may
 * lead to an entry, sorted once. Of entries with the same key the first counts.
 */
#include "fhir/compartment/within.h"

#include "crypto/base/buf.h"

#include <errno.h>
#include <stdlib.h>

enum {
    URL_MAX = 2048, /* of an absolute reference that is looked up */
};

enum kind {
    KIND_URL,        /* @text: fullUrl */
    KIND_LOCAL,      /* @text/@more: type and id */
    KIND_IDENTIFIER, /* of a Patient; @text: system, @more: value */
};

/* @in: list that it was put into last */
struct place {
    const struct node *resource;
    const struct subject_list *in;
};

struct key {
    enum kind kind;
    struct str text;
    struct str more;
    struct place *place; /* in the order of entries */
};

struct within {
    struct place *places;
    size_t place_count;
    struct key *keys; /* sorted */
    size_t key_count;
    bool too_long;
};

static bool is_bundle(const struct node *root)
{
    return str_eq(node_text(root, "resourceType"), STR("Bundle"));
}

static bool is_patient(const struct node *resource)
{
    return str_eq(node_text(resource, "resourceType"), STR("Patient"));
}

bool subject_identifier(const struct node *patient, struct reference *out)
{
    const struct node *at = node_first(node_get(patient, "identifier"));
    for (; at; at = at->next) {
        struct reference found = {
            .form = REFERENCE_LOGICAL,
            .type = STR("Patient"),
            .system = node_text(at, "system"),
            .value = node_text(at, "value"),
        };
        if (found.system.n && found.value.n) {
            *out = found;
            return true;
        }
    }
    return false;
}

/* --- keys --------------------------------------------------------------------------------- */

static int compare(const struct key *a, const struct key *b)
{
    int r = (a->kind > b->kind) - (a->kind < b->kind);
    r = r ? r : str_cmp(a->text, b->text);
    return r ? r : str_cmp(a->more, b->more);
}

static int by_key(const void *a, const void *b)
{
    const struct key *x = a;
    const struct key *y = b;
    int r = compare(x, y);
    return r ? r : (x->place > y->place) - (x->place < y->place);
}

static size_t count_identifiers(const struct node *resource)
{
    const struct node *at = node_first(node_get(resource, "identifier"));
    size_t n = 0;
    for (; at; at = at->next) {
        n++;
    }
    return n;
}

static void add_key(struct within *within, const struct key *key)
{
    if (key->text.n || key->more.n) {
        within->keys[within->key_count++] = *key;
    }
}

/* Keys of the entry at @place, which stands under @url. */
static void add_keys(struct within *within, struct place *place, struct str url)
{
    const struct node *resource = place->resource;
    struct str id = node_text(resource, "id");
    add_key(within, &(struct key){ .kind = KIND_URL, .text = url, .place = place });
    if (id.n) {
        add_key(within, &(struct key){ .kind = KIND_LOCAL,
                                       .text = node_text(resource, "resourceType"),
                                       .more = id,
                                       .place = place });
    }
    const struct node *at = node_first(node_get(resource, "identifier"));
    for (; at && is_patient(resource); at = at->next) {
        if (node_text(at, "value").n) {
            add_key(within, &(struct key){ .kind = KIND_IDENTIFIER,
                                           .text = node_text(at, "system"),
                                           .more = node_text(at, "value"),
                                           .place = place });
        }
    }
}

int within_new(struct arena *arena, const struct node *root, struct within **out)
{
    struct within *within = arena_calloc(arena, 1, sizeof(*within));
    bool bundle = is_bundle(root);
    const struct node *first = bundle ? node_first(node_get(root, "entry")) : root;
    size_t entries = 0;
    size_t keys = 0;
    for (const struct node *at = first; at; at = bundle ? at->next : NULL) {
        entries++;
        keys += 2 + count_identifiers(bundle ? node_get(at, "resource") : at);
    }
    if (!within) {
        return -ENOMEM;
    }
    within->too_long = entries > WITHIN_ENTRIES_MAX;
    if (within->too_long) {
        *out = within;
        return 0;
    }
    within->places = arena_calloc(arena, entries + 1, sizeof(*within->places));
    within->keys = arena_calloc(arena, keys + 1, sizeof(*within->keys));
    if (!within->places || !within->keys) {
        return -ENOMEM;
    }
    for (const struct node *at = first; at; at = bundle ? at->next : NULL) {
        struct place *place = &within->places[within->place_count++];
        place->resource = bundle ? node_get(at, "resource") : at;
        if (place->resource) {
            add_keys(within, place, bundle ? node_text(at, "fullUrl") : STR(""));
        }
    }
    qsort(within->keys, within->key_count, sizeof(*within->keys), by_key);
    *out = within;
    return 0;
}

/* --- looking up --------------------------------------------------------------------------- */

/* The first entry with @key's texts. */
static struct place *find_key(const struct within *within, const struct key *key)
{
    size_t from = 0;
    size_t to = within->key_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (compare(&within->keys[middle], key) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    bool found = from < within->key_count && compare(&within->keys[from], key) == 0;
    return found ? within->keys[from].place : NULL;
}

/* The entry that @to leads to; NULL: none. */
static struct place *find(const struct within *within, const struct reference *to)
{
    char space[URL_MAX];
    struct buf url = buf_fixed(space, sizeof(space));
    struct key key = { .kind = KIND_URL };
    switch (to->form) {
    case REFERENCE_URN: key.text = to->id; break;
    case REFERENCE_RELATIVE:
        key = (struct key){ .kind = KIND_LOCAL, .text = to->type, .more = to->id };
        break;
    case REFERENCE_ABSOLUTE:
        buf_str_put(&url, to->base);
        buf_c(&url, '/');
        buf_str_put(&url, to->type);
        buf_c(&url, '/');
        buf_str_put(&url, to->id);
        key.text = buf_failed(&url) ? STR("") : buf_str(&url);
        break;
    case REFERENCE_LOGICAL:
        key = (struct key){ .kind = KIND_IDENTIFIER, .text = to->system, .more = to->value };
        break;
    case REFERENCE_NONE:
    case REFERENCE_CONTAINED:
    case REFERENCE_UNTYPED: return NULL;
    }
    return key.text.n || key.more.n ? find_key(within, &key) : NULL;
}

/* Put into @kept what of @list doesn't lead to an entry, and each Patient once, by its
 * identifier. */
static int settle(struct arena *arena, const struct within *within,
                  const struct subject_list *list, struct subject_list *kept)
{
    int r = 0;
    for (const struct subject_ref *ref = list->first; r == 0 && ref; ref = ref->next) {
        struct reference to = ref->to;
        struct place *found = find(within, &to);
        if (found && (!is_patient(found->resource) || found->in == kept)) {
            continue;
        }
        if (found) {
            found->in = kept;
            (void)subject_identifier(found->resource, &to);
        }
        r = subject_list_add(arena, kept, &to);
    }
    return r;
}

/* ->in is of lists that are no more: another may lie where one of them did. */
static void forget_lists(struct within *within)
{
    for (size_t i = 0; i < within->place_count; i++) {
        within->places[i].in = NULL;
    }
}

int subject_within(struct arena *arena, struct within *within, const struct node *resource,
                   struct subjects *subjects)
{
    struct subjects made = { .class = subjects->class, .why = subjects->why };
    if (within->too_long) {
        *subjects = (struct subjects){ .why = "a Bundle too long to look through" };
        return 0;
    }
    forget_lists(within);
    int r = settle(arena, within, &subjects->patients, &made.patients);
    r = r ? r : settle(arena, within, &subjects->participants, &made.participants);
    for (const struct subject_ref *ref = subjects->derived.first; r == 0 && ref;
         ref = ref->next) {
        r = find(within, &ref->to) ? 0 : subject_list_add(arena, &made.derived, &ref->to);
    }
    if (r < 0) {
        return r;
    }
    if (subjects->elsewhere && made.derived.count == 0) {
        made.class = made.participants.count ? SUBJECT_UNKNOWN : SUBJECT_NONE;
    } else if (made.class == SUBJECT_KNOWN && made.patients.count == 0) {
        made.class = made.derived.count ? SUBJECT_UNKNOWN
                                        : subject_of_type(node_text(resource, "resourceType"));
    }
    made.why = made.class == SUBJECT_UNKNOWN ? made.why ? made.why : "no subject" : NULL;
    made.elsewhere = made.class == SUBJECT_UNKNOWN && subjects->elsewhere;
    *subjects = made;
    return 0;
}
