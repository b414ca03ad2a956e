/* CLOCK_REALTIME held monotonic, and CLOCK_MONOTONIC. */
#include "gateway/clock.h"

#include <time.h>

static int64_t microseconds(clockid_t id)
{
    struct timespec now;
    (void)clock_gettime(id, &now); /* can't fail for these two */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_utc_ms(void)
{
    static int64_t latest;
    int64_t now = microseconds(CLOCK_REALTIME) / 1000;
    latest = now > latest ? now : latest;
    return latest;
}

int64_t clock_mono_ms(void)
{
    return microseconds(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_mono_us(void)
{
    return microseconds(CLOCK_MONOTONIC);
}

void clock_v2(int64_t ms, char out[CLOCK_V2_SIZE])
{
    time_t seconds = ms / 1000;
    struct tm tm;
    (void)gmtime_r(&seconds, &tm);
    (void)strftime(out, CLOCK_V2_SIZE, "%Y%m%d%H%M%S+0000", &tm);
}

void clock_utc_put(struct buf *b, int64_t ms)
{
    char text[CLOCK_UTC_SIZE];
    time_t seconds = ms / 1000;
    struct tm tm;
    (void)gmtime_r(&seconds, &tm);
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    buf_fmt(b, "%s.%03dZ", text, (int)(ms % 1000));
}
