/* Written and verified by the same rules as everybody's tokens: gateway/identity/token.h. */
#include "gateway/identity/own_token.h"

#include "crypto/base/base64.h"
#include "fhir/format/json_write.h"

enum {
    CLAIMS_MAX = 4 << 10,
    KEYS_MAX = 256,
};

static void put_claims(struct buf *out, const struct own_token *token)
{
    char session[2 * sizeof(token->session)];
    struct buf id = buf_fixed(session, sizeof(session));
    buf_hex(&id, token->session, sizeof(token->session));
    struct json_writer w = json_writer(out);
    json_object(&w, NULL);
    json_string(&w, "iss", token->base);
    json_string(&w, "aud", token->base);
    json_string(&w, "sub", token->subject);
    json_string(&w, "jti", buf_str(&id));
    json_i64(&w, "iat", token->issued / 1000);
    json_i64(&w, "exp", token->expires / 1000);
    json_z(&w, "scope", OWN_TOKEN_SCOPE);
    json_z(&w, "purpose_of_use", OWN_TOKEN_PURPOSE);
    json_end(&w);
}

void own_token_put(struct buf *out, const struct own_token *token, const struct sign_key *key)
{
    char memory[CLAIMS_MAX];
    uint8_t signature[SIGN_SIZE];
    const struct str header = STR("{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"}");
    struct buf claims = buf_fixed(memory, sizeof(memory));
    put_claims(&claims, token);
    size_t from = out->n;
    base64_put(out, BASE64_URL, header.p, header.n);
    buf_c(out, '.');
    base64_put(out, BASE64_URL, claims.p, claims.n);
    if (buf_failed(&claims) || buf_failed(out)) {
        out->failed = true;
        return;
    }
    sign_make(key, str_slice(buf_str(out), from, out->n), signature);
    buf_c(out, '.');
    base64_put(out, BASE64_URL, signature, sizeof(signature));
}

int own_token_keys(const struct sign_key *key, struct jwks **out)
{
    char memory[KEYS_MAX];
    uint8_t public[SIGN_PUBLIC_SIZE];
    struct buf text = buf_fixed(memory, sizeof(memory));
    sign_public(key, public);
    buf_z(&text, "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\",\"x\":\"");
    base64_put(&text, BASE64_URL, public, sizeof(public));
    buf_z(&text, "\"}]}");
    return jwks_parse(buf_str(&text), out);
}
