/* The two clocks, read in gateway/ only. */
#pragma once

#include "crypto/base/buf.h"

#include <stdint.h>

/* Milliseconds since 1970-01-01T00:00:00Z. Never goes back within a process. */
int64_t clock_utc_ms(void);

enum {
    CLOCK_V2_SIZE = 32, /* room for clock_v2(), its terminator included */
};

/* @ms of clock_utc_ms() as HL7 v2 writes it, "20261122180000+0000". */
void clock_v2(int64_t ms, char out[CLOCK_V2_SIZE]);

enum {
    CLOCK_UTC_SIZE = 32, /* room for clock_utc_put() */
};

/* Append @ms of clock_utc_ms() as "2026-11-22T18:00:00.123Z". */
void clock_utc_put(struct buf *b, int64_t ms);

/* Milliseconds of a clock that nobody sets; for time-outs and durations. */
int64_t clock_mono_ms(void);

/* The same clock in microseconds; for measuring. */
int64_t clock_mono_us(void);
