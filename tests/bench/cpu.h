/* CPU time of this process, and files, for the benchmarks in memory. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Microseconds of CPU this process has had. */
static inline double cpu_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* The content of a file, terminated; ends the program without it. */
static inline char *file_text(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) < 0) {
        perror(path);
        exit(66);
    }
    *n = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*n + 1);
    if (!text || fread(text, 1, *n, file) != *n) {
        perror(path);
        exit(66);
    }
    text[*n] = '\0';
    (void)fclose(file);
    return text;
}
