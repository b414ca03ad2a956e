/* What the commands that read HL7 v2 messages have in common. No message content is said. */
#pragma once

#include "crypto/base/buf.h"
#include "fhir/base/issue.h"

#include <stdio.h>

/**
 * hl7_read() - a whole file
 * @command: "hl7 translate": for complaints
 * @path:    "-" reads standard input
 * @limit:   bytes it may have
 * @out:     its bytes; end it with heap_buf_free(), whatever this returned
 *
 * Return: EX_OK, or the code to exit with; why was said on standard error.
 */
MUST_USE int hl7_read(const char *command, const char *path, size_t limit, struct buf *out);

/* @text without the MLLP frame around it, if there is one. */
struct str hl7_unframed(struct str text);

/* Write @issues, one a line; information only if @all. */
void hl7_say_issues(FILE *to, const struct issues *issues, bool all);
