#include "gateway/net/timer.h"

static struct timeval timeval_of(int64_t ms)
{
    return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

int timer_once(struct event *event, int64_t ms)
{
    struct timeval delay = timeval_of(ms);
    return event_add(event, &delay);
}

int timer_add(struct event_base *base, struct event *event, int ms)
{
    struct timeval delay = timeval_of(ms);
    const struct timeval *common = event_base_init_common_timeout(base, &delay);
    return event_add(event, common ? common : &delay);
}
