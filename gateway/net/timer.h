/*
 * Time-outs of an event loop. Those of one duration share a queue, so that setting one costs
 * the same however many there are; a loop has room for 256 durations.
 */
#pragma once

#include <event2/event.h>
#include <stdint.h>

/* event_add() of a time-out of its own, for what is rare: @ms milliseconds from now. */
int timer_once(struct event *event, int64_t ms);

/* event_add() with a time-out of @ms milliseconds. */
int timer_add(struct event_base *base, struct event *event, int ms);
