#include "gateway/net/timer.h"

int timer_add(struct event_base *base, struct event *event, int ms)
{
    struct timeval delay = { .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };
    const struct timeval *common = event_base_init_common_timeout(base, &delay);
    return event_add(event, common ? common : &delay);
}
