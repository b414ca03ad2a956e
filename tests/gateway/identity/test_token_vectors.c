/*
 * Tokens made by others: the project's collection of hostile ones, and Wycheproof's.
 */
#include "tests/check.h"

#include "crypto/digest.h"
#include "fhir/format/json.h"
#include "gateway/identity/token.h"
#include "tests/crypto/issuer.h"

#include <openssl/pem.h>

#define NOW_MS 1800000000000

static struct issuer es256;
static struct issuer rs256;
static struct jwks *keys;
static struct arena *arena;

static int check_now(struct str token)
{
    const struct token_issuer issuer = { .issuer = STR("https://idp.example"),
                                         .audience = STR("https://gw.example/fhir"),
                                         .keys = keys };
    const struct token_rules rules = { .issuers = &issuer, .count = 1, .leeway_ms = 30000 };
    struct claims claims;
    arena_reset(arena);
    return token_check(arena, &rules, token, NOW_MS, &claims);
}

/* The key in the forms in which others have taken it for a secret. */
static void confuse(struct str input, int form, struct buf *b)
{
    char key[4096];
    struct buf text = buf_fixed(key, sizeof(key));
    unsigned char *der = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    int n = i2d_PUBKEY(rs256.pkey, &der);
    assert_true(n > 0 && bio);
    if (form == 0) {
        char *pem = NULL;
        assert_int_equal(PEM_write_bio_PUBKEY(bio, rs256.pkey), 1);
        long size = BIO_get_mem_data(bio, &pem);
        buf_put(&text, pem, (size_t)size);
    } else if (form == 1) {
        buf_put(&text, der, (size_t)n);
    } else {
        issuer_jwk_json(&rs256, "rs", &text);
    }
    uint8_t mac[DIGEST_SIZE];
    digest_hmac_sha256(buf_str(&text), input, mac);
    base64_put(b, BASE64_URL, mac, sizeof(mac));
    OPENSSL_free(der);
    BIO_free(bio);
}

/* One case of the hostile tokens, in all the ways its last part can be made. */
static void run_case(const struct node *test)
{
    static char made[2 << 20];
    struct str token = node_text(test, "token");
    bool hmac = str_ends(token, STR("@HMAC-with-public-key-PEM@"));
    bool valid = str_ends(token, STR("@VALID@"));
    for (int form = 0; form < (hmac ? 3 : 1); form++) {
        struct buf b = buf_fixed(made, sizeof(made));
        struct str body = token;
        if (hmac || valid) {
            body.n = (size_t)((const char *)memrchr(token.p, '.', token.n) - token.p);
        }
        buf_str_put(&b, body);
        if (hmac || valid) {
            buf_c(&b, '.');
        }
        if (hmac) {
            confuse(body, form, &b);
        } else if (valid) {
            uint8_t signature[1024];
            size_t n = issuer_sign(&es256, JWS_ES256, body, signature);
            base64_put(&b, BASE64_URL, signature, n);
        }
        assert_false(buf_failed(&b));
        int got = check_now(buf_str(&b));
        if ((got == 0) != str_eq(node_text(test, "expect"), STR("accept"))) {
            print_error("%.*s: %d\n", (int)node_text(test, "id").n, node_text(test, "id").p,
                        got);
            fail();
        }
    }
}

static void test_hostile_tokens(void **state)
{
    (void)state;
    char path[512];
    check_data("attack/jwt/jwt_cases.jsonl", path, sizeof(path));
    size_t n = 0;
    char *text = check_read(path, &n);
    assert_non_null(text);
    struct arena *lines = arena_new(1 << 20);
    int count = 0;
    for (struct str rest = str_of(text, n); rest.n;) {
        struct str line = str_cut(&rest, '\n');
        struct issues issues;
        issues_init(&issues, lines);
        const struct node *test = NULL;
        if (json_parse(lines, line, &issues, &test) == 0) {
            run_case(test);
            count++;
        } else if (line.n) {
            /* Our reader refuses the one that holds U+0000; crypto/test_jws has it. */
            assert_non_null(memmem(line.p, line.n, "\\u0000", 6));
        }
    }
    assert_true(count >= 38);
    arena_free(lines);
    free(text);
}

/* Read a file of vectors into a tree in @lines. */
static const struct node *vectors(const char *name, struct arena *tree, char **text)
{
    char path[512];
    char file[256];
    (void)snprintf(file, sizeof(file), "attack/wycheproof/testvectors_v1/%s_test.json", name);
    check_data(file, path, sizeof(path));
    size_t n = 0;
    *text = check_read(path, &n);
    assert_non_null(*text);
    struct issues issues;
    issues_init(&issues, tree);
    const struct node *root = NULL;
    assert_int_equal(json_parse(tree, str_of(*text, n), &issues, &root), 0);
    return root;
}

/* The key set of a group: its text in the file, as a set if it is a single key. */
static struct jwks *group_keys(const struct node *group, const char *text)
{
    const struct node *key = node_get(group, "public");
    key = key ? key : node_get(group, "private");
    static char document[64 << 10];
    struct buf b = buf_fixed(document, sizeof(document));
    bool set = node_get(key, "keys") != NULL;
    buf_z(&b, set ? "" : "{\"keys\":[");
    buf_put(&b, text + key->start, key->end - key->start);
    buf_z(&b, set ? "" : "]}");
    assert_false(buf_failed(&b));
    struct jwks *made = NULL;
    assert_int_equal(jwks_parse(buf_str(&b), &made), 0);
    return made;
}

/* As token.c does it, but for the payload, which isn't JSON in these vectors. */
static bool accepts(const struct jwks *set, struct str token)
{
    static uint8_t memory[JWS_MAX];
    struct jws jws;
    const struct node *header = NULL;
    arena_reset(arena);
    struct issues issues;
    issues_init(&issues, arena);
    if (jws_split(token, memory, &jws) ||
        json_parse(arena, jws.header, &issues, &header) != 0) {
        return false;
    }
    struct str kid = node_text(header, "kid");
    enum jws_alg alg = jws_alg(node_text(header, "alg"));
    const struct jwks_key *key = NULL;
    while ((key = jwks_next(set, kid, alg, key))) {
        if (jws_verify(&key->key, alg, jws.input, jws.signature) == 0) {
            return true;
        }
    }
    return false;
}

/* What the vectors accept and we refuse on purpose. */
static bool beyond_us(const struct jwks *set, struct str token)
{
    /* A key for an algorithm that we don't use, or one whose "alg" isn't the token's. */
    static uint8_t memory[JWS_MAX];
    struct jws jws;
    const struct node *header = NULL;
    struct issues issues;
    issues_init(&issues, arena);
    if (jws_split(token, memory, &jws) ||
        json_parse(arena, jws.header, &issues, &header) != 0) {
        return true; /* the JSON form of a token */
    }
    return !jwks_next(set, node_text(header, "kid"), jws_alg(node_text(header, "alg")), NULL);
}

static void run(const char *name, int want)
{
    struct arena *tree = arena_new(1 << 20);
    char *text = NULL;
    const struct node *root = vectors(name, tree, &text);
    int accepted = 0;
    int wrong = 0;
    const struct node *group = node_first(node_get(root, "testGroups"));
    for (; group; group = group->next) {
        struct jwks *set = group_keys(group, text);
        const struct node *test = node_first(node_get(group, "tests"));
        for (; test; test = test->next) {
            struct str token = node_text(test, "jws");
            bool valid = str_eq(node_text(test, "result"), STR("valid"));
            bool got = accepts(set, token);
            accepted += got;
            if (got != valid && (got || !beyond_us(set, token))) {
                struct str comment = node_text(test, "comment");
                struct str id = node_get(test, "tcId")->text;
                print_error("%s %.*s: %.*s is %s\n", name, (int)id.n, id.p, (int)comment.n,
                            comment.p, got ? "accepted" : "refused");
                wrong++;
            }
        }
        jwks_free(set);
    }
    print_message("%s: %d accepted\n", name, accepted);
    assert_int_equal(wrong, 0);
    assert_int_equal(accepted, want);
    arena_free(tree);
    free(text);
}

static void test_wycheproof_tokens(void **state)
{
    (void)state;
    check_data_needed("attack/wycheproof");
    /* How many are valid, and of an algorithm that we use. */
    run("json_web_signature", 24);
    run("json_web_key", 1);
    run("json_web_crypto", 2);
}

static int setup(void **state)
{
    (void)state;
    es256 = issuer_new(JWS_ES256);
    rs256 = issuer_new(JWS_RS256);
    char text[4096];
    struct buf b = buf_fixed(text, sizeof(text));
    buf_z(&b, "{\"keys\":[");
    issuer_jwk_json(&es256, "es", &b);
    buf_c(&b, ',');
    issuer_jwk_json(&rs256, "rs", &b);
    buf_z(&b, "]}");
    arena = arena_new(1 << 16);
    return !arena || secret_start() < 0 || jwks_parse(buf_str(&b), &keys) != 0;
}

static int teardown(void **state)
{
    (void)state;
    jwks_free(keys);
    arena_free(arena);
    issuer_free(&es256);
    issuer_free(&rs256);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_tokens),
        cmocka_unit_test(test_wycheproof_tokens),
    };
    return cmocka_run_group_tests_name("gateway/identity/token_vectors", tests, setup,
                                       teardown);
}
