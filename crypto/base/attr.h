/* Compiler attributes and small macros used everywhere. */
#pragma once

#define MUST_USE __attribute__((warn_unused_result))
#define CLEANUP(f) __attribute__((cleanup(f)))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
