/*
 * MLLP over gateway/net and fhir/v2, nothing stored: each message is parsed, its header
 * validated, its patients found, and acknowledged. Stands beside mllp_acker and simple-hl7.
 *
 *   mllp_pass ADDRESS
 */
#include "fhir/v2/ack.h"
#include "fhir/v2/patient_ids.h"
#include "fhir/v2/read.h"
#include "gateway/clock.h"
#include "gateway/net/listener.h"
#include "gateway/net/mllp_server.h"

#include <stdio.h>

enum {
    ARENA = 64 << 10,
    ACK_MAX = 16 << 10,
};

static struct arena *arena;

/* Whether the gateway could take it: readable, typed, about somebody. */
static bool valid(struct str bytes, struct v2_message *out)
{
    static const struct v2_assigner any = { .system = { "urn:oid:1.2.3.4", 15 } };
    static const struct v2_assigners assigners = { &any, 1 };
    struct issues issues;
    struct v2_header header;
    struct v2_patients patients;
    issues_init(&issues, arena);
    if (v2_read(arena, bytes, V2_CHARSET_NONE, &issues, out) != 0) {
        return false;
    }
    v2_header(out, &header);
    return header.type.n && header.control_id.n &&
           v2_patients(arena, out, &assigners, &issues, &patients) == 0 && patients.count;
}

static void on_message(void *owner, struct mllp_msg *msg, struct str bytes)
{
    static char text[ACK_MAX];
    static uint64_t count;
    struct v2_message message = { .count = 0 };
    char id[24];
    (void)owner;
    arena_reset(arena);
    struct v2_ack ack = {
        .code = valid(bytes, &message) ? V2_ACK_ACCEPT : V2_ACK_ERROR,
        .control_id =
            str_of(id, (size_t)snprintf(id, sizeof(id), "%llu", (unsigned long long)++count)),
        .time = STR("20260101000000+0000"),
        .condition = V2_ACK_REQUIRED,
    };
    struct buf out = buf_fixed(text, sizeof(text));
    if (v2_ack_write(arena, message.count ? &message : NULL, &ack, &out) != 0) {
        mllp_close(msg);
        return;
    }
    mllp_reply(msg, buf_str(&out));
}

int main(int argc, char **argv)
{
    struct addresses at;
    if (argc != 2 || address_resolve(str_z(argv[1]), 0, &at) != 0) {
        (void)fprintf(stderr, "usage: mllp_pass ADDRESS\n");
        return 64;
    }
    struct event_base *base = event_base_new();
    struct mllp_server_config server = { .base = base, .on_message = on_message };
    arena = arena_new(ARENA);
    if (!arena || listener_open(&at.each[0], true, &server.fd) < 0 ||
        !mllp_server_new(&server)) {
        perror("mllp_pass");
        return 1;
    }
    event_base_dispatch(base);
    return 0;
}
