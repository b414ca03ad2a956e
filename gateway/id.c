/*
 * UUIDv7: 48 bits of time, a counter in the 12 bits after it, 62 random bits.
 *
 * The counter keeps ids of one process in ascending order within a millisecond; if it runs
 * over, the id's time moves one millisecond ahead.
 */
#include "gateway/id.h"

#include "gateway/random.h"

#include <stdio.h>

void id_new(int64_t time, uint8_t out[ID_SIZE])
{
    static int64_t latest;
    static unsigned counter;
    if (time > latest) {
        latest = time;
        counter = 0;
    } else if (++counter > 0xfff) {
        latest++;
        counter = 0;
    }
    random_bytes(out, ID_SIZE);
    for (int i = 0; i < 6; i++) {
        out[i] = (uint8_t)(latest >> (40 - 8 * i));
    }
    out[6] = (uint8_t)(0x70 | counter >> 8);
    out[7] = (uint8_t)counter;
    out[8] = (uint8_t)(0x80 | (out[8] & 0x3f));
}

void id_random(uint8_t out[ID_SIZE])
{
    random_bytes(out, ID_SIZE);
}

void id_text(const uint8_t id[ID_SIZE], char out[ID_TEXT_SIZE])
{
    (void)snprintf(out, ID_TEXT_SIZE,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                   id[0], id[1], id[2], id[3], id[4], id[5], id[6], id[7], id[8], id[9], id[10],
                   id[11], id[12], id[13], id[14], id[15]);
}
