/* Reading of answers; nothing is kept of what doesn't fit whole. */
#include "gateway/ledger/answers.h"

#include "anchor/abi.h"
#include "anchor/eth_call.h"
#include "anchor/eth_header.h"
#include "anchor/eth_receipt.h"
#include "crypto/base/hex.h"
#include "crypto/digest.h"
#include "gateway/heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUANTITY_DIGITS = 16,
    FEE_BLOCKS_MAX = 64,
    EVENT_WORDS_MAX = 5, /* of events about consents */
};

static struct str text_of(const struct node *node)
{
    return node_is(node, NODE_STRING) ? node->text : (struct str){ 0 };
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int answers_quantity(const struct node *node, uint64_t *out)
{
    struct str text = text_of(node);
    if (text.n < 3 || text.n > 2 + QUANTITY_DIGITS || !str_starts(text, STR("0x"))) {
        return -EBADMSG;
    }
    uint64_t value = 0;
    for (size_t i = 2; i < text.n; i++) {
        int d = digit(text.p[i]);
        if (d < 0) {
            return -EBADMSG;
        }
        value = value << 4 | (uint64_t)d;
    }
    *out = value;
    return 0;
}

int answers_fixed(const struct node *node, uint8_t *out, size_t n)
{
    return hex_decode_0x(text_of(node), out, n) < 0 ? -EBADMSG : 0;
}

int answers_data(const struct node *node, struct buf *out)
{
    struct str text = text_of(node);
    if (text.n < 2 || text.n % 2) {
        return -EBADMSG;
    }
    size_t n = text.n / 2 - 1;
    char *p = buf_extend(out, n);
    if (buf_failed(out)) {
        return -ENOMEM;
    }
    return hex_decode_0x(text, (uint8_t *)p, n) < 0 ? -EBADMSG : 0;
}

int answers_block(const struct node *node, struct store_block *out)
{
    struct store_block got;
    if (answers_quantity(node_get(node, "number"), &got.number) < 0 ||
        answers_quantity(node_get(node, "timestamp"), &got.time) < 0 ||
        answers_fixed(node_get(node, "hash"), got.hash, sizeof(got.hash)) < 0 ||
        answers_fixed(node_get(node, "parentHash"), got.parent, sizeof(got.parent)) < 0 ||
        got.number > INT64_MAX || got.time > INT64_MAX) {
        return -EBADMSG;
    }
    *out = got;
    return 0;
}

int answers_header(const struct node *node, struct buf *out)
{
    struct str fields[ETH_HEADER_FIELDS_KNOWN];
    size_t count = 0;
    while (count < ETH_HEADER_FIELDS_KNOWN &&
           node_is(node_get(node, eth_header_fields[count].name), NODE_STRING)) {
        fields[count] = node_text(node, eth_header_fields[count].name);
        count++;
    }
    uint8_t want[DIGEST_SIZE];
    uint8_t got[DIGEST_SIZE];
    size_t start = out->n;
    if (count < ETH_HEADER_FIELDS_MIN || eth_header_put(fields, count, out) < 0 ||
        answers_fixed(node_get(node, "hash"), want, sizeof(want)) < 0) {
        return -EBADMSG;
    }
    if (buf_failed(out)) {
        return -ENOMEM;
    }
    digest_keccak256(str_slice(buf_str(out), start, out->n), got);
    return memcmp(got, want, sizeof(got)) == 0 ? 0 : -EBADMSG;
}

int answers_receipt(const struct node *node, struct answers_receipt *out)
{
    struct answers_receipt got = { 0 };
    uint64_t status;
    if (answers_quantity(node_get(node, "status"), &status) < 0 ||
        answers_quantity(node_get(node, "blockNumber"), &got.number) < 0 ||
        answers_quantity(node_get(node, "transactionIndex"), &got.index) < 0 ||
        answers_fixed(node_get(node, "blockHash"), got.block, sizeof(got.block)) < 0 ||
        answers_fixed(node_get(node, "transactionHash"), got.tx, sizeof(got.tx)) < 0 ||
        status > 1 || got.number > INT64_MAX) {
        return -EBADMSG;
    }
    const struct node *contract = node_get(node, "contractAddress");
    if (node_is(contract, NODE_STRING) &&
        answers_fixed(contract, got.contract, sizeof(got.contract)) < 0) {
        return -EBADMSG;
    }
    got.success = status == 1;
    *out = got;
    return 0;
}

/* Read the topics of a log; returns how many, or -EBADMSG. */
static int read_topics(const struct node *node, uint8_t out[ETH_TOPICS_MAX][32])
{
    int n = 0;
    const struct node *topics = node_get(node, "topics");
    if (!node_is(topics, NODE_ARRAY)) {
        return -EBADMSG;
    }
    for (const struct node *t = topics->first; t; t = t->next) {
        if (n == ETH_TOPICS_MAX || answers_fixed(t, out[n], 32) < 0) {
            return -EBADMSG;
        }
        n++;
    }
    return n;
}

static int put_log(const struct node *node, struct buf *scratch, struct buf *out)
{
    struct eth_log log = { 0 };
    int topics = read_topics(node, log.topics);
    scratch->n = 0;
    if (topics < 0 || answers_fixed(node_get(node, "address"), log.address, 20) < 0) {
        return -EBADMSG;
    }
    int r = answers_data(node_get(node, "data"), scratch);
    log.topic_count = (size_t)topics;
    log.data = buf_str(scratch);
    if (r == 0) {
        eth_log_put(&log, out);
    }
    return r;
}

int answers_receipt_put(const struct node *node, struct buf *out)
{
    uint8_t bloom[ETH_BLOOM_SIZE];
    uint64_t status;
    uint64_t type = 0;
    struct eth_receipt receipt = { .bloom = str_of(bloom, sizeof(bloom)) };
    const struct node *logs = node_get(node, "logs");
    if (answers_quantity(node_get(node, "status"), &status) < 0 ||
        answers_quantity(node_get(node, "cumulativeGasUsed"), &receipt.gas) < 0 ||
        answers_fixed(node_get(node, "logsBloom"), bloom, sizeof(bloom)) < 0 ||
        (node_get(node, "type") && answers_quantity(node_get(node, "type"), &type) < 0) ||
        !node_is(logs, NODE_ARRAY) || status > 1 || type > 0x7f) {
        return -EBADMSG;
    }
    struct buf scratch = heap_buf(out->limit);
    struct buf all = heap_buf(out->limit);
    int r = 0;
    for (const struct node *log = logs->first; log && r == 0; log = log->next) {
        r = put_log(log, &scratch, &all);
    }
    receipt.type = (uint8_t)type;
    receipt.success = status == 1;
    receipt.logs = buf_str(&all);
    if (r == 0) {
        eth_receipt_put(&receipt, out);
        r = buf_failed(&all) || buf_failed(out) ? -ENOMEM : 0;
    }
    heap_buf_free(&scratch);
    heap_buf_free(&all);
    return r;
}

static void set_event(const struct eth_consent_event *from, struct store_event *out)
{
    static const enum store_event_kind kinds[] = {
        [ETH_CONSENT_GRANTED] = STORE_EVENT_GRANTED,
        [ETH_CONSENT_REVOKED] = STORE_EVENT_REVOKED,
        [ETH_CONSENT_ROTATED] = STORE_EVENT_ROTATED,
    };
    out->kind = kinds[from->kind];
    out->version = from->state.version;
    out->valid_from = from->state.valid_from;
    out->valid_until = from->state.valid_until;
    out->source = from->attestor;
    memcpy(out->consent, from->id, sizeof(out->consent));
    memcpy(out->commitment, from->state.commitment, sizeof(out->commitment));
    memcpy(out->controller, from->state.controller, sizeof(out->controller));
}

static int read_place(const struct node *node, const struct answers_range *range,
                      struct store_event *out)
{
    uint64_t index;
    uint8_t address[20];
    if (answers_quantity(node_get(node, "blockNumber"), &out->block_number) < 0 ||
        answers_quantity(node_get(node, "logIndex"), &index) < 0 || index > INT32_MAX ||
        answers_fixed(node_get(node, "blockHash"), out->block_hash, 32) < 0 ||
        answers_fixed(node_get(node, "transactionHash"), out->tx_hash, 32) < 0 ||
        answers_fixed(node_get(node, "address"), address, sizeof(address)) < 0 ||
        memcmp(address, range->registry, sizeof(address)) != 0 ||
        out->block_number < range->from || out->block_number > range->to ||
        node_is(node_get(node, "removed"), NODE_TRUE)) {
        return -EBADMSG;
    }
    out->log_index = (uint32_t)index;
    return 0;
}

/* Return: 1: an event in @out; 0: one that isn't about consents; -EBADMSG */
static int read_event(const struct node *node, const struct answers_range *range,
                      struct store_event *out)
{
    char words[EVENT_WORDS_MAX * ABI_WORD];
    struct buf data = buf_fixed(words, sizeof(words));
    struct eth_log log = { 0 };
    struct eth_consent_event event;
    memset(out, 0, sizeof(*out));
    int topics = read_topics(node, log.topics);
    if (topics < 0 || read_place(node, range, out) < 0) {
        return -EBADMSG;
    }
    /* What doesn't fit isn't one of ours; one of ours without its data is refused below. */
    bool whole = answers_data(node_get(node, "data"), &data) == 0;
    log.topic_count = (size_t)topics;
    log.data = whole ? buf_str(&data) : (struct str){ 0 };
    int r = eth_consent_event_read(&log, &event);
    if (r < 0) {
        return r == -ENOENT ? 0 : -EBADMSG;
    }
    set_event(&event, out);
    return 1;
}

/* In the order of the chain, none twice. */
static bool follows(const struct store_event *a, const struct store_event *b)
{
    return a->block_number != b->block_number ? a->block_number < b->block_number
                                              : a->log_index < b->log_index;
}

int answers_events(const struct node *node, const struct answers_range *range,
                   struct store_event *out, size_t max, size_t *count)
{
    if (!node_is(node, NODE_ARRAY)) {
        return -EBADMSG;
    }
    size_t n = 0;
    for (const struct node *log = node->first; log; log = log->next) {
        struct store_event event;
        int r = read_event(log, range, &event);
        if (r < 0) {
            return r;
        }
        if (r == 0) {
            continue;
        }
        if (n == max) {
            return ANSWERS_E_TOO_MANY;
        }
        if (n && !follows(&out[n - 1], &event)) {
            return -EBADMSG;
        }
        out[n++] = event;
    }
    *count = n;
    return 0;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int answers_fees(const struct node *node, uint64_t *base, uint64_t *tip)
{
    uint64_t next = 0;
    uint64_t rewards[FEE_BLOCKS_MAX];
    size_t n = 0;
    const struct node *fees = node_get(node, "baseFeePerGas");
    if (!node_is(fees, NODE_ARRAY) || !fees->first) {
        return -EBADMSG;
    }
    for (const struct node *fee = fees->first; fee; fee = fee->next) {
        if (answers_quantity(fee, &next) < 0) {
            return -EBADMSG;
        }
    }
    const struct node *blocks = node_first(node_get(node, "reward"));
    for (; blocks && n < FEE_BLOCKS_MAX; blocks = blocks->next) {
        if (answers_quantity(node_first(blocks), &rewards[n++]) < 0) {
            return -EBADMSG;
        }
    }
    qsort(rewards, n, sizeof(rewards[0]), by_value);
    *base = next;
    *tip = n ? rewards[n / 2] : 0;
    return 0;
}
