/*
 * Pages of 64-bit values, each page written by one process with relaxed atomics.
 */
#include "gateway/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>

enum kind {
    COUNTER,
    GAUGE_SUM,
    GAUGE_MAX,
    BUCKET,
    COUNT,
    SUM_MS,
};

enum {
    MS = 1000, /* of a second */
};

/* What follows the name of the family, and its type. */
static const struct {
    const char *suffix;
    const char *type;
} kinds[] = {
    [COUNTER] = { "_total", "counter" }, [GAUGE_SUM] = { "", "gauge" },
    [GAUGE_MAX] = { "", "gauge" },       [BUCKET] = { "_bucket", "histogram" },
    [COUNT] = { "_count", "histogram" }, [SUM_MS] = { "_sum", "histogram" },
};

#define REVOCATION "chartseal_consent_revocation_effective_seconds"

/* Bounds of the buckets, in ms; the last has none. */
static const int64_t revocation_bounds[] = { 50, 100, 250, 500, 1000, 2500, INT64_MAX };
_Static_assert(METRIC_REVOKED + ARRAY_LEN(revocation_bounds) == METRIC_REVOKED_BUCKETS_END + 1,
               "each bucket has a place");

static const struct {
    enum kind kind;
    const char *family;
    const char *labels;
    const char *help; /* at the first of a family only */
} table[METRIC_COUNT] = {
    [METRIC_HTTP_REQUESTS] = { COUNTER, "chartseal_http_requests", "", "FHIR requests taken" },
    [METRIC_HTTP_REFUSED_EARLY] = { COUNTER, "chartseal_http_refused_early", "",
                                    "requests refused before authentication" },
    [METRIC_HL7_MESSAGES] = { COUNTER, "chartseal_hl7_received", "", "HL7 v2 messages taken" },
    [METRIC_HL7_REFUSED_EARLY] = { COUNTER, "chartseal_hl7_refused_early", "",
                                   "MLLP connections of nobody known" },
    [METRIC_HL7_ACK_AA] = { COUNTER, "chartseal_hl7_messages", "{ack=\"AA\"}",
                            "acknowledgements sent" },
    [METRIC_HL7_ACK_AE] = { COUNTER, "chartseal_hl7_messages", "{ack=\"AE\"}", NULL },
    [METRIC_HL7_ACK_AR] = { COUNTER, "chartseal_hl7_messages", "{ack=\"AR\"}", NULL },
    [METRIC_HL7_WISH_UNHEEDED] = { COUNTER, "chartseal_hl7_ack_wishes_unheeded", "",
                                   "messages that ask for enhanced mode of senders that are "
                                   "answered in original mode" },
    [METRIC_CONTROL_ID_REPEATED] = { COUNTER, "chartseal_hl7_control_id_repeated", "",
                                     "messages seen before, answered as then" },
    [METRIC_CONTROL_ID_REUSED] = { COUNTER, "chartseal_hl7_control_id_reused", "",
                                   "control ids used again for another message" },
    [METRIC_HL7_TRANSLATED] = { COUNTER, "chartseal_hl7_translated", "",
                                "v2 messages translated to FHIR, each time" },
    [METRIC_HL7_UNREAD] = { COUNTER, "chartseal_hl7_unread_fields", "",
                            "fields of translated messages that nothing came of" },
    [METRIC_VALID] = { COUNTER, "chartseal_validations", "{result=\"valid\"}",
                       "messages and writes that routes validate" },
    [METRIC_INVALID] = { COUNTER, "chartseal_validations", "{result=\"invalid\"}", NULL },
    [METRIC_VALID_UNKNOWN] = { COUNTER, "chartseal_validations", "{result=\"too-long\"}",
                               NULL },
    [METRIC_DECISIONS_PERMIT] = { COUNTER, "chartseal_decisions", "{effect=\"permit\"}",
                                  "consent decisions" },
    [METRIC_DECISIONS_DENY] = { COUNTER, "chartseal_decisions", "{effect=\"deny\"}", NULL },
    [METRIC_ENTRIES_RELEASED] = { COUNTER, "chartseal_entries_released", "",
                                  "Bundle entries released" },
    [METRIC_ENTRIES_FILTERED] = { COUNTER, "chartseal_entries_filtered", "",
                                  "Bundle entries held back" },
    [METRIC_EXCHANGES_RECORDED] = { COUNTER, "chartseal_exchanges", "{outcome=\"recorded\"}",
                                    "exchanges that ended" },
    [METRIC_EXCHANGES_FAILED] = { COUNTER, "chartseal_exchanges", "{outcome=\"failed\"}",
                                  NULL },
    [METRIC_DELIVERED] = { COUNTER, "chartseal_deliveries", "{outcome=\"delivered\"}",
                           "deliveries from the outbox" },
    [METRIC_DELIVERY_RETRIED] = { COUNTER, "chartseal_deliveries", "{outcome=\"retried\"}",
                                  NULL },
    [METRIC_DELIVERY_PARKED] = { COUNTER, "chartseal_deliveries", "{outcome=\"parked\"}",
                                 NULL },
    [METRIC_DELIVERY_WITHHELD] = { COUNTER, "chartseal_deliveries", "{outcome=\"withheld\"}",
                                   NULL },
    [METRIC_GLASS_BROKEN] = { COUNTER, "chartseal_break_glass", "",
                              "times that somebody broke the glass" },
    [METRIC_GLASS_OVERDUE] = { GAUGE_MAX, "chartseal_break_glass_reviews_overdue", "",
                               "broken glasses whose review is overdue" },
    [METRIC_GLASS_UNTOLD] = { COUNTER, "chartseal_break_glass_notices_failed", "",
                              "tries to tell of a broken glass that failed" },
    [METRIC_DIRECTORY_FAILED] = { COUNTER, "chartseal_directory_failed", "",
                                  "questions about actors that were not answered" },
    [METRIC_CONSENTS_LOADED] = { GAUGE_MAX, "chartseal_consents_loaded", "",
                                 "consents in a worker's memory" },
    [METRIC_CONSENT_EPOCH] = { GAUGE_MAX, "chartseal_consent_epoch", "",
                               "consent epoch in force" },
    [METRIC_LEDGER_SEEN_MS] = { GAUGE_MAX, "chartseal_ledger_seen_milliseconds", "",
                                "UTC time of the last look at the ledger" },
    [METRIC_LOG_SIZE] = { GAUGE_MAX, "chartseal_audit_log_size", "", "records in the tree" },
    [METRIC_UNANCHORED_LEAVES] = { GAUGE_MAX, "chartseal_audit_unanchored_leaves", "",
                                   "records not yet in an anchored tree" },
    [METRIC_ANCHORED_SIZE] = { GAUGE_MAX, "chartseal_anchored_size", "",
                               "tree size of the last final anchor" },
    [METRIC_LEDGER_REORGS] = { COUNTER, "chartseal_ledger_reorgs", "",
                               "blocks that a reorganisation took back" },
    [METRIC_REVOKED] = { BUCKET, REVOCATION, "{le=\"0.05\"}",
                         "from the acceptance of a revocation until it acts in a worker" },
    [METRIC_REVOKED + 1] = { BUCKET, REVOCATION, "{le=\"0.1\"}", NULL },
    [METRIC_REVOKED + 2] = { BUCKET, REVOCATION, "{le=\"0.25\"}", NULL },
    [METRIC_REVOKED + 3] = { BUCKET, REVOCATION, "{le=\"0.5\"}", NULL },
    [METRIC_REVOKED + 4] = { BUCKET, REVOCATION, "{le=\"1\"}", NULL },
    [METRIC_REVOKED + 5] = { BUCKET, REVOCATION, "{le=\"2.5\"}", NULL },
    [METRIC_REVOKED_BUCKETS_END] = { BUCKET, REVOCATION, "{le=\"+Inf\"}", NULL },
    [METRIC_REVOKED_COUNT] = { COUNT, REVOCATION, "", NULL },
    [METRIC_REVOKED_SUM_MS] = { SUM_MS, REVOCATION, "", NULL },
    [METRIC_DATABASE_UP] = { GAUGE_SUM, "chartseal_database_up", "",
                             "processes with a connection to PostgreSQL" },
    [METRIC_READY] = { GAUGE_SUM, "chartseal_ready", "", "workers that take traffic" },
};

struct page {
    _Atomic int64_t values[METRIC_COUNT];
};

static struct page *pages;
static size_t page_count;
static struct page *own;

int metrics_map(size_t children)
{
    void *memory = mmap(NULL, children * sizeof(struct page), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    pages = memory;
    page_count = children;
    own = pages;
    return 0;
}

void metrics_ended(size_t child)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        if (table[i].kind == GAUGE_SUM || table[i].kind == GAUGE_MAX) {
            atomic_store_explicit(&pages[child].values[i], 0, memory_order_relaxed);
        }
    }
}

void metrics_use(size_t child)
{
    own = &pages[child];
    metrics_ended(child);
}

void metrics_add(enum metric metric, int64_t by)
{
    if (own) {
        (void)atomic_fetch_add_explicit(&own->values[metric], by, memory_order_relaxed);
    }
}

void metrics_set(enum metric metric, int64_t value)
{
    if (own) {
        atomic_store_explicit(&own->values[metric], value, memory_order_relaxed);
    }
}

void metrics_revocation(int64_t ms)
{
    for (size_t i = 0; i < ARRAY_LEN(revocation_bounds); i++) {
        metrics_add((enum metric)(METRIC_REVOKED + i), ms <= revocation_bounds[i]);
    }
    metrics_add(METRIC_REVOKED_COUNT, 1);
    metrics_add(METRIC_REVOKED_SUM_MS, ms);
}

int64_t metrics_value(enum metric metric)
{
    int64_t sum = 0;
    for (size_t i = 0; i < page_count; i++) {
        int64_t value = atomic_load_explicit(&pages[i].values[metric], memory_order_relaxed);
        if (table[metric].kind == GAUGE_MAX) {
            sum = value > sum ? value : sum;
        } else {
            sum += value;
        }
    }
    return sum;
}

void metrics_write(struct buf *out)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        enum kind kind = table[i].kind;
        int64_t value = metrics_value((enum metric)i);
        if (table[i].help) {
            buf_fmt(out, "# TYPE %s %s\n# HELP %s %s.\n", table[i].family, kinds[kind].type,
                    table[i].family, table[i].help);
        }
        buf_fmt(out, "%s%s%s ", table[i].family, kinds[kind].suffix, table[i].labels);
        if (kind == SUM_MS) {
            buf_fmt(out, "%" PRId64 ".%03d\n", value / MS, (int)(value % MS));
        } else {
            buf_fmt(out, "%" PRId64 "\n", value);
        }
    }
    buf_fmt(out,
            "# TYPE chartseal_build info\n# HELP chartseal_build Version.\n"
            "chartseal_build_info{version=\"%s\"} 1\n# EOF\n",
            CHARTSEAL_VERSION);
}
