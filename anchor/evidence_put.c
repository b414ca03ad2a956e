/*
 * Writing an evidence package.
 *
 * The trailer is the digest of all bytes before it. It proves nothing against a forger, but a
 * file cut or changed where no other check looks (a witness's signature) is noticed.
 */
#include "anchor/cjson.h"
#include "anchor/evidence.h"

static void put_nodes(struct cjson_out *out, const char *name,
                      const struct evidence_nodes *nodes)
{
    cjson_name(out, name);
    cjson_open(out, '[');
    for (size_t i = 0; i < nodes->count; i++) {
        cjson_put_hex(out, true, nodes->nodes[i].p, nodes->nodes[i].n);
    }
    cjson_close(out, ']');
}

static void put_anchor(struct cjson_out *out, const struct evidence_anchor *anchor)
{
    cjson_name(out, "anchor");
    cjson_open(out, '{');
    cjson_name(out, "chain");
    cjson_put_number(out, anchor->chain);
    cjson_name(out, "consistency");
    cjson_open(out, '[');
    for (size_t i = 0; i < anchor->consistency.count; i++) {
        cjson_put_hex(out, false, anchor->consistency.hash[i].b, MERKLE_HASH_SIZE);
    }
    cjson_close(out, ']');
    cjson_name(out, "contract");
    cjson_put_hex(out, true, anchor->contract, sizeof(anchor->contract));
    cjson_name(out, "header");
    cjson_put_hex(out, true, anchor->header.p, anchor->header.n);
    cjson_name(out, "index");
    cjson_put_number(out, anchor->receipt_index);
    cjson_name(out, "kind");
    cjson_put_string(out, STR("ethereum"));
    cjson_name(out, "note");
    cjson_put_string(out, anchor->note);
    put_nodes(out, "receipt", &anchor->receipt);
    cjson_close(out, '}');
}

static void put_consent(struct cjson_out *out, const struct evidence_consent *consent)
{
    cjson_open(out, '{');
    put_nodes(out, "account", &consent->account);
    cjson_name(out, "header");
    cjson_put_hex(out, true, consent->header.p, consent->header.n);
    put_nodes(out, "slot0", &consent->slots[0]);
    put_nodes(out, "slot1", &consent->slots[1]);
    cjson_close(out, '}');
}

void evidence_put(const struct evidence *evidence, struct buf *b)
{
    struct cjson_out out;
    size_t start = b->n;
    cjson_out_start(&out, b);
    cjson_open(&out, '{');
    if (evidence->anchor) {
        put_anchor(&out, evidence->anchor);
    }
    if (evidence->consent_count) {
        cjson_name(&out, "consents");
        cjson_open(&out, '[');
        for (size_t i = 0; i < evidence->consent_count; i++) {
            put_consent(&out, &evidence->consents[i]);
        }
        cjson_close(&out, ']');
    }
    cjson_name(&out, "format");
    cjson_put_string(&out, STR(EVIDENCE_FORMAT));
    if (evidence->opening.n) {
        cjson_name(&out, "opening");
        cjson_put_value(&out, evidence->opening);
    }
    cjson_name(&out, "proof");
    cjson_put_string(&out, evidence->proof);
    cjson_name(&out, "record");
    cjson_put_value(&out, evidence->record);
    if (buf_failed(b)) {
        return;
    }
    uint8_t digest[DIGEST_SIZE];
    digest_sha256(str_of(b->p + start, b->n - start), digest);
    cjson_name(&out, "trailer");
    cjson_put_hex(&out, false, digest, sizeof(digest));
    cjson_close(&out, '}');
}
