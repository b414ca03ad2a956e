#include "gateway/pipeline/grounds.h"

#include "fhir/format/json_write.h"
#include "gateway/explained.h"

#include <string.h>

enum {
    RULE_TEXT_MAX = 256,
};

static bool is_same(const struct consent_evidence *a, const struct consent_evidence *b)
{
    const struct consent_path *path = &a->verdict.path;
    return a->verdict.basis == b->verdict.basis && a->has_consent == b->has_consent &&
           a->obligations == b->obligations && a->version == b->version &&
           memcmp(a->id, b->id, sizeof(a->id)) == 0 && path->n == b->verdict.path.n &&
           memcmp(path->steps, b->verdict.path.steps, path->n) == 0;
}

void grounds_add(struct grounds *grounds, const struct consent_evidence *evidence)
{
    for (size_t i = 0; i < grounds->count; i++) {
        if (is_same(&grounds->at[i], evidence)) {
            return;
        }
    }
    if (grounds->count == GROUNDS_MAX) {
        grounds->more = true;
        return;
    }
    grounds->at[grounds->count++] = *evidence;
}

static void put_hex(struct json_writer *w, const char *name, const char *prefix,
                    const uint8_t bytes[32])
{
    char memory[2 + 64];
    struct buf hex = buf_fixed(memory, sizeof(memory));
    buf_z(&hex, prefix);
    buf_hex(&hex, bytes, 32);
    json_string(w, name, buf_str(&hex));
}

static void put_obligations(struct json_writer *w, uint32_t obligations)
{
    if (!obligations) {
        return;
    }
    json_array(w, "obligations");
    for (unsigned i = 0; i < CONSENT_TENANT_OBLIGATIONS_MAX; i++) {
        if (obligations >> i & 1) {
            json_u64(w, NULL, i);
        }
    }
    json_end(w);
}

static void put_ground(struct json_writer *w, const struct consent_evidence *it)
{
    char memory[RULE_TEXT_MAX];
    struct buf rule = buf_fixed(memory, sizeof(memory));
    const char *reading = consent_reading_name(it->reading);
    explained_path_put(&rule, &it->verdict);

    json_object(w, NULL);
    json_z(w, "basis", consent_basis_name(it->verdict.basis));
    if (it->has_consent) {
        put_hex(w, "consent", "0x", it->id);
    }
    put_obligations(w, it->obligations);
    if (it->has_consent && *reading) {
        put_hex(w, "policy", "", it->policy_hash);
        json_z(w, "reading", reading);
    }
    if (rule.n) {
        json_string(w, "rule", buf_str(&rule));
    }
    if (it->has_consent) {
        json_bool(w, "safe", it->safe);
        json_u64(w, "version", it->version);
    }
    json_end(w);
}

void grounds_write(const struct grounds *grounds, struct buf *b)
{
    static const uint8_t none[CONSENT_TENANT_DIGEST_SIZE];
    if (grounds->count == 0) {
        return;
    }
    const struct consent_evidence *first = &grounds->at[0];
    struct json_writer w = json_writer(b);
    json_object(&w, NULL);
    json_u64(&w, "engine", first->engine);
    json_array(&w, "grounds");
    for (size_t i = 0; i < grounds->count; i++) {
        put_ground(&w, &grounds->at[i]);
    }
    json_end(&w);
    if (grounds->more) {
        json_bool(&w, "more", true);
    }
    if (memcmp(first->tenant, none, sizeof(none)) != 0) {
        put_hex(&w, "tenant", "", first->tenant);
    }
    json_end(&w);
}
