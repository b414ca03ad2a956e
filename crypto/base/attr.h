/* Compiler attributes and small macros used everywhere. */
#pragma once

#define MUST_USE __attribute__((warn_unused_result))
#define CLEANUP(f) __attribute__((cleanup(f)))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* Of a function: seldom called, so kept out of the way of its caller. */
#define RARE __attribute__((noinline, cold))

/* Of a variable: not cleared, as the others are; it is large, and written before it is read. */
#define UNINITIALIZED __attribute__((uninitialized))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
