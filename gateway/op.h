/*
 * An asynchronous operation under way.
 *
 * Whoever starts one gets it back, or NULL if it couldn't be started. It ends in exactly one
 * of two ways: its completion is called, from the event loop and never inside the call that
 * started it, or op_cancel() is called and the completion never is. Either way the pointer is
 * dead afterwards.
 */
#pragma once

struct op {
    void (*cancel)(struct op *op); /* ends it and frees it */
};

static inline void op_cancel(struct op *op)
{
    if (op) {
        op->cancel(op);
    }
}
