/*
 * What operators do with records is recorded too: each reading of openings and each export is
 * a record of its own, committed before its output is written.
 */
#pragma once

#include "anchor/record.h"
#include "gateway/cli/session.h"

/*
 * @exchange: that it belongs to, 16 bytes; NULL: none
 * @patient: whose openings were opened, 16 bytes; NULL: nobody's
 * @request: what was asked for; names no patient by anything but ids of ours
 */
struct cli_event {
    enum record_interaction what;
    enum record_log log;
    const uint8_t *exchange;
    const uint8_t *patient;
    struct str request;
};

/* The name of who runs this command: who logged in, where that is known; empty: has none. In
 * the session's arena. */
struct str cli_operator_name(const struct cli_session *s);

/* Commit the record of @event. Needs cli_unlock(). Return: EX_OK, or the code to exit with;
 * nothing may be shown then. */
MUST_USE int cli_record(struct cli_session *s, const struct cli_event *event);
