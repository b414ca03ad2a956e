/* Reading what a command is given, whole or piece by piece, and saying what is wrong with it.
 */
#pragma once

#include "crypto/base/buf.h"
#include "fhir/base/issue.h"

#include <stdbool.h>
#include <stdio.h>

/*
 * A file that is read in pieces.
 *
 * @text:  what was read and not dropped with buf_drop()
 * @limit: bytes that @text may have
 * @end:   there is no more
 */
struct cli_input {
    const char *command; /* "hl7 translate": for complaints */
    const char *path;    /* "-" reads standard input */
    size_t limit;
    FILE *file;
    struct buf text; /* owned, on the heap */
    bool end;
};

/* Begin. Each returns EX_OK or the code to exit with; why was said on standard error. */
MUST_USE int cli_input_open(struct cli_input *input, const char *command, const char *path,
                            size_t limit);

/* Read a piece more. */
MUST_USE int cli_input_more(struct cli_input *input);

/* Read all there is. */
MUST_USE int cli_input_all(struct cli_input *input);

/* Whatever cli_input_open() returned. */
void cli_input_close(struct cli_input *input);

/**
 * cli_read() - a whole file
 * @out: its bytes; end it with heap_buf_free(), whatever this returned
 *
 * The other parameters, and what is returned, are cli_input_open()'s.
 */
MUST_USE int cli_read(const char *command, const char *path, size_t limit, struct buf *out);

/* Write @issues, one a line; information only if @all. */
void cli_say_issues(FILE *to, const struct issues *issues, bool all);
