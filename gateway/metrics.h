/*
 * Counters and gauges in memory that all processes of one gateway share.
 *
 * The supervisor maps one page for each child before it forks. A child writes its own page
 * only, and whoever is asked for /metrics adds the pages up: nobody waits for anybody. Names
 * and units follow OpenMetrics; no label ever carries a patient, a user or a URL.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"

#include <stddef.h>
#include <stdint.h>

enum metric {
    METRIC_HTTP_REQUESTS,
    METRIC_HTTP_REFUSED_EARLY, /* before authentication: counted, not recorded one by one */
    METRIC_HL7_MESSAGES,
    METRIC_HL7_REFUSED_EARLY, /* connections of nobody known */
    METRIC_HL7_ACK_AA,
    METRIC_HL7_ACK_AE,
    METRIC_HL7_ACK_AR,
    METRIC_HL7_WISH_UNHEEDED, /* in enhanced mode, of senders configured as original */
    METRIC_CONTROL_ID_REPEATED,
    METRIC_CONTROL_ID_REUSED,
    METRIC_HL7_TRANSLATED,
    METRIC_HL7_UNREAD, /* segments, fields and components that nothing came of */
    METRIC_VALID,
    METRIC_INVALID,
    METRIC_VALID_UNKNOWN, /* too long to be looked at */
    METRIC_DECISIONS_PERMIT,
    METRIC_DECISIONS_DENY,
    METRIC_ENTRIES_RELEASED,
    METRIC_ENTRIES_FILTERED,
    METRIC_EXCHANGES_RECORDED,
    METRIC_EXCHANGES_FAILED,
    METRIC_DELIVERED,
    METRIC_DELIVERY_RETRIED,
    METRIC_DELIVERY_PARKED,
    METRIC_DELIVERY_WITHHELD,
    METRIC_GLASS_BROKEN,
    METRIC_GLASS_OVERDUE,     /* gauge: reviews */
    METRIC_GLASS_UNTOLD,      /* tries to tell somebody that failed */
    METRIC_DIRECTORY_FAILED,  /* questions about actors */
    METRIC_CONSENTS_LOADED,   /* gauge */
    METRIC_CONSENT_EPOCH,     /* gauge */
    METRIC_LEDGER_SEEN_MS,    /* gauge: UTC milliseconds of the last agreed look */
    METRIC_LOG_SIZE,          /* gauge */
    METRIC_UNANCHORED_LEAVES, /* gauge */
    METRIC_ANCHORED_SIZE,     /* gauge */
    METRIC_LEDGER_REORGS,
    METRIC_REVOKED, /* the histogram of metrics_revocation(): buckets, count, sum */
    METRIC_REVOKED_BUCKETS_END = METRIC_REVOKED + 6,
    METRIC_REVOKED_COUNT,
    METRIC_REVOKED_SUM_MS,
    METRIC_DATABASE_UP, /* gauge: processes with a connection */
    METRIC_READY,       /* gauge: children that take traffic */
    METRIC_COUNT,
};

enum {
    METRICS_CHILDREN_MAX = 257, /* workers and the notary */
};

/* Shared memory for @children; 0 or -errno. Called once, before the first fork. */
MUST_USE int metrics_map(size_t children);

/* From now on this process writes page @child, which is cleared of gauges first. */
void metrics_use(size_t child);

/* The supervisor's word that child @child is gone: its gauges no longer hold. */
void metrics_ended(size_t child);

void metrics_add(enum metric metric, int64_t by);
void metrics_set(enum metric metric, int64_t value);

/* A revocation acts in this process, @ms after it was accepted. */
void metrics_revocation(int64_t ms);

/* The sum over all pages; for the gauges that name a moment or a size, the largest. */
int64_t metrics_value(enum metric metric);

/* OpenMetrics text, ended by "# EOF". */
void metrics_write(struct buf *out);
