/*
 * The life of an object that may be let go of while one of its own functions runs.
 *
 * A function called by the loop begins with life_enter() and ends with life_leave(). Whoever
 * ends the object meanwhile says life_over(); its memory goes when the last function is left.
 * After each call to an owner the object's functions look at @over.
 */
#pragma once

#include <stdbool.h>

/* Begin with zeros. @free: gives the memory back; NULL: free(). */
struct life {
    unsigned inside;
    bool over;
    void (*free)(void *object);
};

void life_enter(struct life *life);

/* @object, of which @life is a part, may be gone afterwards. */
void life_leave(struct life *life, void *object);
void life_over(struct life *life, void *object);
