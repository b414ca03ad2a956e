/*
 * did:web:HOST is at /.well-known/did.json, did:web:HOST:a:b at /a/b/did.json; a port is
 * written with %3A. Everything else that could lead the way elsewhere is refused: other
 * escapes, dots alone, empty parts.
 */
#include "gateway/identity/did_web.h"

#include "crypto/base/base58.h"
#include "crypto/base/base64.h"
#include "fhir/format/json.h"

#include <errno.h>

enum {
    TARGET_MAX = DID_TEXT_MAX + 32,
    NUMBER_SIZE = 32,
};

static bool made_of(struct str text, const char *set)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                     (c >= 'A' && c <= 'Z') || (c && strchr(set, c));
        if (!plain) {
            return false;
        }
    }
    return text.n > 0;
}

/* HOST or HOST%3APORT, as HOST[:PORT]. */
static int put_host(struct str text, struct buf *out)
{
    const char *at = text.n ? memmem(text.p, text.n, "%3A", 3) : NULL;
    struct str host = at ? str_slice(text, 0, (size_t)(at - text.p)) : text;
    if (!made_of(host, "-.") || str_starts(host, STR(".")) || str_ends(host, STR("."))) {
        return DID_WEB_E_FORM;
    }
    buf_str_put(out, host);
    if (!at) {
        return 0;
    }
    struct str port = str_slice(text, host.n + 3, text.n);
    for (size_t i = 0; i < port.n; i++) {
        if (port.p[i] < '0' || port.p[i] > '9') {
            return DID_WEB_E_FORM;
        }
    }
    buf_c(out, ':');
    buf_str_put(out, port);
    return port.n > 0 && port.n <= 5 ? 0 : DID_WEB_E_FORM;
}

int did_web_place(struct arena *arena, struct str did, struct did_web_place *out)
{
    const struct str before = STR("did:web:");
    struct buf host = arena_buf(arena, DID_TEXT_MAX);
    struct buf target = arena_buf(arena, TARGET_MAX);
    if (!str_starts(did, before) || did.n > DID_TEXT_MAX || str_ends(did, STR(":"))) {
        return DID_WEB_E_FORM;
    }
    struct str rest = str_slice(did, before.n, did.n);
    int r = put_host(str_cut(&rest, ':'), &host);
    bool alone = rest.n == 0;
    while (r == 0 && rest.n) {
        struct str part = str_cut(&rest, ':');
        bool dots = str_eq(part, STR(".")) || str_eq(part, STR(".."));
        r = !made_of(part, "-._~") || dots ? DID_WEB_E_FORM : 0;
        buf_c(&target, '/');
        buf_str_put(&target, part);
    }
    buf_z(&target, alone ? "/.well-known/did.json" : "/did.json");
    if (r == 0 && (buf_failed(&host) || buf_failed(&target))) {
        r = -ENOMEM;
    }
    if (r == 0) {
        *out = (struct did_web_place){ buf_str(&host), buf_str(&target) };
    }
    return r;
}

/* --- the document ------------------------------------------------------------------------- */

static bool take_number(const struct node *jwk, const char *name, uint8_t out[NUMBER_SIZE])
{
    size_t n = 0;
    return base64_decode(BASE64_URL, node_text(jwk, name), out, NUMBER_SIZE, &n) == 0 &&
           n == NUMBER_SIZE;
}

/* A key as a JWK. Spec: RFC 7517, RFC 8037, RFC 8812 */
static bool read_jwk(const struct node *jwk, struct did_key *out)
{
    uint8_t x[NUMBER_SIZE];
    uint8_t y[NUMBER_SIZE];
    struct str crv = node_text(jwk, "crv");
    if (node_get(jwk, "d") || !take_number(jwk, "x", x)) {
        return false; /* one that shows its private part is everybody's */
    }
    if (str_eq(crv, STR("Ed25519"))) {
        *out = (struct did_key){ .kind = DID_KEY_ED25519 };
        memcpy(out->bytes, x, sizeof(x));
        return true;
    }
    if (!take_number(jwk, "y", y)) {
        return false;
    }
    if (str_eq(crv, STR("P-256"))) {
        return did_key_of_p256(str_of(x, sizeof(x)), str_of(y, sizeof(y)), out) == 0;
    }
    uint8_t point[SECP_COMPRESSED_SIZE] = { (uint8_t)(2 + (y[NUMBER_SIZE - 1] & 1)) };
    memcpy(point + 1, x, sizeof(x));
    struct did_key key = { .kind = DID_KEY_SECP256K1 };
    if (!str_eq(crv, STR("secp256k1")) || secp_public_parse(point, key.bytes) < 0 ||
        memcmp(key.bytes + 1 + NUMBER_SIZE, y, sizeof(y)) != 0) {
        return false;
    }
    *out = key;
    return true;
}

/* A verification method, if its key is of a kind that is used. */
static bool read_method(const struct node *method, struct did_key *out)
{
    uint8_t bytes[BASE58_TEXT_MAX];
    size_t n = 0;
    struct str text = node_text(method, "publicKeyMultibase");
    if (node_get(method, "publicKeyJwk")) {
        return read_jwk(node_get(method, "publicKeyJwk"), out);
    }
    return str_starts(text, STR("z")) &&
           base58_decode(str_slice(text, 1, text.n), bytes, sizeof(bytes), &n) == 0 &&
           did_key_read(str_of(bytes, n), out) == 0;
}

/* Whether @id, of a method, is what @named says: the same, or its fragment alone. */
static bool is_named(struct str id, struct str named, struct str did)
{
    bool ours = str_starts(id, did) && id.n > did.n && id.p[did.n] == '#';
    struct str fragment = str_starts(id, STR("#")) ? id
                          : ours                   ? str_slice(id, did.n, id.n)
                                                   : STR("");
    bool whole = str_starts(named, did);
    struct str wanted = whole ? str_slice(named, did.n, named.n) : named;
    return fragment.n > 1 && str_eq(fragment, wanted);
}

/* The method that an entry of "authentication" is, or names. */
static const struct node *method_of(const struct node *root, const struct node *entry,
                                    struct str did)
{
    if (entry->kind == NODE_OBJECT) {
        return entry;
    }
    const struct node *at = node_first(node_get(root, "verificationMethod"));
    while (at &&
           !(entry->kind == NODE_STRING && is_named(node_text(at, "id"), entry->text, did))) {
        at = at->next;
    }
    return at;
}

int did_web_read(struct arena *arena, struct str text, struct str did, struct did_web_keys *out)
{
    struct issues issues;
    const struct node *root = NULL;
    struct did_web_keys found = { .count = 0 };
    issues_init(&issues, arena);
    int r = json_parse(arena, text, &issues, &root);
    if (r || !node_is(root, NODE_OBJECT) || !str_eq(node_text(root, "id"), did)) {
        return r < 0 ? r : DID_WEB_E_FORM;
    }
    const struct node *entry = node_first(node_get(root, "authentication"));
    for (size_t i = 0; entry && i < DID_WEB_KEYS_MAX; entry = entry->next, i++) {
        const struct node *method = method_of(root, entry, did);
        found.count += method && read_method(method, &found.keys[found.count]);
    }
    *out = found;
    return 0;
}
