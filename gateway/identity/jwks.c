/*
 * Key sets, held in one arena: the document's text isn't kept, only what the keys need.
 *
 * The tree of the document lives in a second arena that ends with the reading.
 */
#include "gateway/identity/jwks.h"

#include "fhir/format/json.h"

#include <errno.h>

enum {
    ARENA_FIRST = 4096,
    NODES_LIMIT = 16 << 20, /* bytes of the tree of a document of JWKS_TEXT_MAX */
};

struct jwks {
    struct arena *arena; /* owned; holds this struct too */
    size_t count;
    size_t skipped;
    struct jwks_key keys[JWKS_KEYS_MAX + 1]; /* the last one is never used */
};

/* Members that only a private or symmetric key has. Spec: RFC 7518 section 6 */
static const char *const private_members[] = { "d", "p", "q", "dp", "dq", "qi", "oth", "k" };

static bool is_private(const struct node *node)
{
    for (size_t i = 0; i < ARRAY_LEN(private_members); i++) {
        if (node_get(node, private_members[i])) {
            return true;
        }
    }
    return false;
}

static bool is_operation(const struct node *list, const char *name)
{
    for (const struct node *item = node_first(list); item; item = item->next) {
        if (node_is(item, NODE_STRING) && str_eq(item->text, str_z(name))) {
            return true;
        }
    }
    return false;
}

/* Is the key meant to verify signatures, as far as the document says? */
static bool is_for_verifying(const struct node *node)
{
    const struct node *use = node_get(node, "use");
    const struct node *operations = node_get(node, "key_ops");
    return (!use || str_eq(node_text(node, "use"), STR("sig"))) &&
           (!operations || is_operation(operations, "verify"));
}

/* The algorithm that the key is restricted to. Return: whether the member is one we know. */
static bool read_alg(const struct node *node, enum jws_alg *out)
{
    *out = JWS_REFUSED;
    if (!node_get(node, "alg")) {
        return true;
    }
    *out = jws_alg(node_text(node, "alg"));
    return *out != JWS_REFUSED;
}

static bool read_kid(struct arena *arena, const struct node *node, struct str *out)
{
    const struct node *kid = node_get(node, "kid");
    if (!kid) {
        return true;
    }
    if (!node_is(kid, NODE_STRING) || kid->text.n == 0 || kid->text.n > JWKS_KID_MAX) {
        return false;
    }
    *out = arena_str(arena, kid->text);
    return out->p != NULL;
}

/* Whether @node was added as a key. */
static bool add(struct jwks *set, const struct node *node)
{
    struct jwks_key *key = &set->keys[set->count];
    *key = (struct jwks_key){ 0 };
    if (set->count == JWKS_KEYS_MAX || !node_is(node, NODE_OBJECT) || is_private(node) ||
        !is_for_verifying(node) || !read_alg(node, &key->alg) ||
        !read_kid(set->arena, node, &key->kid)) {
        return false;
    }
    const struct jws_jwk jwk = {
        .kty = node_text(node, "kty"),
        .crv = node_text(node, "crv"),
        .x = node_text(node, "x"),
        .y = node_text(node, "y"),
        .n = node_text(node, "n"),
        .e = node_text(node, "e"),
    };
    if (jws_key_init(&key->key, &jwk) != 0) {
        return false;
    }
    if (key->alg != JWS_REFUSED && !jws_key_allows(&key->key, key->alg)) {
        jws_key_deinit(&key->key);
        return false;
    }
    set->count++;
    return true;
}

static struct jwks *set_new(void)
{
    struct arena *arena = arena_new(sizeof(struct jwks) + ARENA_FIRST);
    struct jwks *set = arena ? arena_calloc(arena, 1, sizeof(*set)) : NULL;
    if (!set) {
        arena_free(arena);
        return NULL;
    }
    set->arena = arena;
    return set;
}

/* The array of keys in the document, with its tree in @arena. */
static int read_document(struct arena *arena, struct str text, const struct node **out)
{
    struct issues issues;
    issues_init(&issues, arena);
    const struct node *root = NULL;
    int r = json_parse(arena, text, &issues, &root);
    if (r < 0) {
        return r;
    }
    const struct node *keys = r ? NULL : node_get(root, "keys");
    if (!node_is(keys, NODE_ARRAY)) {
        return JWKS_E_FORM;
    }
    *out = keys;
    return 0;
}

int jwks_parse(struct str text, struct jwks **out)
{
    if (text.n > JWKS_TEXT_MAX) {
        return JWKS_E_FORM;
    }
    CLEANUP(arena_freep) struct arena *tree = arena_new(ARENA_FIRST);
    if (!tree) {
        return -ENOMEM;
    }
    arena_limit(tree, NODES_LIMIT);
    const struct node *keys = NULL;
    int r = read_document(tree, text, &keys);
    if (r) {
        return r;
    }
    struct jwks *set = set_new();
    if (!set) {
        return -ENOMEM;
    }
    for (const struct node *node = node_first(keys); node; node = node->next) {
        set->skipped += !add(set, node);
    }
    *out = set;
    return 0;
}

void jwks_free(struct jwks *set)
{
    if (!set) {
        return;
    }
    for (size_t i = 0; i < set->count; i++) {
        jws_key_deinit(&set->keys[i].key);
    }
    arena_free(set->arena);
}

size_t jwks_count(const struct jwks *set)
{
    return set->count;
}

size_t jwks_skipped(const struct jwks *set)
{
    return set->skipped;
}

static bool may_verify(const struct jwks_key *key, struct str kid, enum jws_alg alg)
{
    return (!kid.p || str_eq(key->kid, kid)) && (key->alg == JWS_REFUSED || key->alg == alg) &&
           jws_key_allows(&key->key, alg);
}

const struct jwks_key *jwks_next(const struct jwks *set, struct str kid, enum jws_alg alg,
                                 const struct jwks_key *previous)
{
    if (!set) {
        return NULL;
    }
    const struct jwks_key *end = set->keys + set->count;
    for (const struct jwks_key *key = previous ? previous + 1 : set->keys; key < end; key++) {
        if (may_verify(key, kid, alg)) {
            return key;
        }
    }
    return NULL;
}
