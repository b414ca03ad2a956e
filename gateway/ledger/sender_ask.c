/* Structs are cleared before they are filled: their padding is compared among nodes. */
#include "gateway/ledger/sender_ask.h"

#include "gateway/ledger/answers.h"

#include <string.h>

void sender_put_call(struct buf *out, const uint8_t from[20], const uint8_t to[20],
                     struct str data)
{
    struct json_writer w = json_writer(out);
    json_array(&w, NULL);
    json_object(&w, NULL);
    if (from) {
        rpc_put_data(&w, "from", str_of(from, ETH_ADDRESS_SIZE));
    }
    if (to) {
        rpc_put_data(&w, "to", str_of(to, ETH_ADDRESS_SIZE));
    }
    rpc_put_data(&w, "data", data);
    json_end(&w);
    json_z(&w, NULL, "latest");
    json_end(&w);
}

void sender_put_one(struct buf *out, struct str bytes, const char *tag)
{
    struct json_writer w = json_writer(out);
    json_array(&w, NULL);
    rpc_put_data(&w, NULL, bytes);
    if (tag) {
        json_z(&w, NULL, tag);
    }
    json_end(&w);
}

int sender_read_u64(const void *arg, const struct node *result, struct buf *out)
{
    (void)arg;
    uint64_t value;
    int r = answers_quantity(result, &value);
    if (r == 0) {
        buf_put(out, &value, sizeof(value));
    }
    return r;
}

int sender_read_any(const void *arg, const struct node *result, struct buf *out)
{
    (void)arg;
    (void)result;
    (void)out;
    return 0;
}

int sender_read_receipt(const void *arg, const struct node *result, struct buf *out)
{
    (void)arg;
    struct answers_receipt receipt;
    if (node_is(result, NODE_NULL)) {
        return 0;
    }
    memset(&receipt, 0, sizeof(receipt));
    int r = answers_receipt(result, &receipt);
    if (r == 0) {
        buf_put(out, &receipt, sizeof(receipt));
    }
    return r;
}

int sender_read_block(const void *arg, const struct node *result, struct buf *out)
{
    (void)arg;
    struct store_block block;
    memset(&block, 0, sizeof(block));
    int r = answers_block(result, &block);
    if (r == 0) {
        buf_put(out, &block, sizeof(block));
    }
    return r;
}
