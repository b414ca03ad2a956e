/* In a file of its own, so that no caller's code depends on when memory goes. */
#include "gateway/net/life.h"

#include <assert.h>
#include <stdlib.h>

static void release(const struct life *life, void *object)
{
    if (life->over && life->inside == 0) {
        if (life->free) {
            life->free(object);
        } else {
            free(object);
        }
    }
}

void life_enter(struct life *life)
{
    life->inside++;
}

void life_leave(struct life *life, void *object)
{
    assert(life->inside);
    life->inside--;
    release(life, object);
}

void life_over(struct life *life, void *object)
{
    assert(!life->over);
    life->over = true;
    release(life, object);
}
