/* Broken glasses as a privacy officer looks at them. */
#pragma once

#include "gateway/cli/session.h"
#include "gateway/store/glass.h"

/**
 * break_glass_find() - one of them
 * @text: its id
 * @out:  its spans are in the session's arena
 *
 * Return: EX_OK, or the code to exit with; why was said on standard error
 */
MUST_USE int break_glass_find(struct cli_session *s, const char *text, struct store_glass *out);

/* Keep the spans of @glass in the session's arena. Return: 0 or -ENOMEM */
MUST_USE int break_glass_keep(struct cli_session *s, struct store_glass *glass);

/* "outstanding", "overdue", or what the review found. */
struct str break_glass_review_word(const struct store_glass *glass, int64_t now);

/* The row as JSON. */
void break_glass_json(struct buf *out, const struct store_glass *glass, int64_t now);
