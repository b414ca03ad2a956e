/* Receipts: rlp([status, gas, bloom, [log…]]), with a type byte before it since EIP-2718. */
#include "anchor/eth_receipt.h"

#include "anchor/abi.h"
#include "anchor/rlp.h"

#include <errno.h>

enum {
    TYPE_MAX = 0x7f, /* EIP-2718; anything above begins an untyped receipt */
    ANCHORED_TOPICS = 3,
    ANCHORED_DATA = 3 * ABI_WORD,
};

int eth_receipt_read(struct str bytes, struct eth_receipt *out)
{
    struct eth_receipt receipt = { 0 };
    struct str rest;
    uint64_t status;
    if (bytes.n && (unsigned char)bytes.p[0] <= TYPE_MAX) {
        receipt.type = (uint8_t)bytes.p[0];
        bytes = str_slice(bytes, 1, bytes.n);
        if (receipt.type == 0) {
            return -EINVAL;
        }
    }
    if (rlp_only_list(bytes, &rest) < 0 || rlp_u64(&rest, &status) < 0 || status > 1 ||
        rlp_u64(&rest, &receipt.gas) < 0 || rlp_string(&rest, &receipt.bloom) < 0 ||
        receipt.bloom.n != ETH_BLOOM_SIZE || rlp_list(&rest, &receipt.logs) < 0 || rest.n) {
        return -EINVAL;
    }
    receipt.success = status == 1;
    *out = receipt;
    return 0;
}

int eth_log_next(struct str *rest, struct eth_log *out)
{
    struct eth_log log = { 0 };
    struct str body;
    struct str topics;
    if (rlp_list(rest, &body) < 0 || rlp_fixed(&body, log.address, sizeof(log.address)) < 0 ||
        rlp_list(&body, &topics) < 0 || rlp_string(&body, &log.data) < 0 || body.n) {
        return -EINVAL;
    }
    for (; topics.n; log.topic_count++) {
        if (log.topic_count == ETH_TOPICS_MAX ||
            rlp_fixed(&topics, log.topics[log.topic_count], 32) < 0) {
            return -EINVAL;
        }
    }
    *out = log;
    return 0;
}

void eth_log_put(const struct eth_log *log, struct buf *b)
{
    size_t list = rlp_open(b);
    rlp_put(b, log->address, sizeof(log->address));
    size_t topics = rlp_open(b);
    for (size_t i = 0; i < log->topic_count; i++) {
        rlp_put(b, log->topics[i], sizeof(log->topics[i]));
    }
    rlp_close(b, topics);
    rlp_put_str(b, log->data);
    rlp_close(b, list);
}

void eth_receipt_put(const struct eth_receipt *receipt, struct buf *b)
{
    if (receipt->type) {
        buf_c(b, (char)receipt->type);
    }
    size_t list = rlp_open(b);
    rlp_put_u64(b, receipt->success);
    rlp_put_u64(b, receipt->gas);
    rlp_put_str(b, receipt->bloom);
    size_t logs = rlp_open(b);
    buf_str_put(b, receipt->logs);
    rlp_close(b, logs);
    rlp_close(b, list);
}

int eth_anchored_read(const struct eth_log *log, struct eth_anchored *out)
{
    uint8_t topic[DIGEST_SIZE];
    struct eth_anchored event;
    abi_topic(ETH_ANCHORED_SIGNATURE, topic);
    if (log->topic_count != ANCHORED_TOPICS || memcmp(log->topics[0], topic, 32) != 0 ||
        log->data.n != ANCHORED_DATA ||
        abi_u64(str_of(log->topics[2], 32), 0, &event.seq) < 0 ||
        abi_u64(log->data, 0, &event.size) < 0 || abi_word(log->data, 1, event.root) < 0 ||
        abi_word(log->data, 2, event.note_hash) < 0) {
        return -EINVAL;
    }
    memcpy(event.log_id, log->topics[1], sizeof(event.log_id));
    *out = event;
    return 0;
}

int eth_receipt_anchored(const struct eth_receipt *receipt, const uint8_t contract[20],
                         const uint8_t log_id[32], struct eth_anchored *out)
{
    int r = -ENOENT;
    if (!receipt->success) {
        return r;
    }
    for (struct str rest = receipt->logs; rest.n;) {
        struct eth_log log;
        struct eth_anchored event;
        if (eth_log_next(&rest, &log) < 0) {
            return -EINVAL;
        }
        if (memcmp(log.address, contract, sizeof(log.address)) == 0 &&
            eth_anchored_read(&log, &event) == 0 && memcmp(event.log_id, log_id, 32) == 0) {
            *out = event;
            r = 0;
        }
    }
    return r;
}
