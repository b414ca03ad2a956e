/* The two clocks, read in gateway/ only. */
#pragma once

#include <stdint.h>

/* Milliseconds since 1970-01-01T00:00:00Z. Never goes back within a process. */
int64_t clock_utc_ms(void);

/* Milliseconds of a clock that nobody sets; for time-outs and durations. */
int64_t clock_mono_ms(void);

/* The same clock in microseconds; for measuring. */
int64_t clock_mono_us(void);
