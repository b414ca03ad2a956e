/*
 * The record: the sentence that the log keeps about an exchange.
 *
 * It names nobody. Its text is canonical JSON, its leaf SHA-256(0x00 ‖ text) as in RFC 6962.
 * Members and values are written down in anchor/README.md; a change of any is a new version.
 */
#pragma once

#include "anchor/commitment.h"
#include "anchor/merkle.h"
#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    RECORD_VERSION = 1,
    RECORD_CONSENTS_MAX = 16,
    RECORD_NAME_MAX = 64,   /* bytes of gateway, route, basis, map */
    RECORD_SIZE_MAX = 8192, /* bytes of the text: room for RECORD_CONSENTS_MAX */
    RECORD_UUID_SIZE = 16,
};

enum record_log {
    RECORD_LOG_ACCESS,
    RECORD_LOG_CONFIG,
    RECORD_LOG_CONSENT,
    RECORD_LOG_KEYS,
};

enum record_mode {
    RECORD_ENFORCE,
    RECORD_OBSERVE,
    RECORD_SHADOW,
};

enum record_interaction {
    RECORD_AUDIT_EXPORT,       /* audit.export: evidence taken out */
    RECORD_AUDIT_READ,         /* audit.read */
    RECORD_BATCH,              /* batch */
    RECORD_BREAK_GLASS,        /* break-glass: somebody breaks the glass of a patient */
    RECORD_BREAK_GLASS_REVIEW, /* break-glass.review */
    RECORD_CAPABILITIES,       /* capabilities */
    RECORD_CONFIG_RELOAD,      /* config.reload */
    RECORD_CONFIG_START,       /* config.start */
    RECORD_CONSENT_FILE,       /* consent.file */
    RECORD_CONSENT_REVOKE,     /* consent.revoke */
    RECORD_CONSENT_ROTATE,     /* consent.rotate */
    RECORD_CREATE,             /* create */
    RECORD_DELETE,             /* delete */
    RECORD_DISCLOSURE,         /* disclosure: made elsewhere, and told of here */
    RECORD_HEARTBEAT,          /* heartbeat: nothing happened, and that is said */
    RECORD_HISTORY,            /* history */
    RECORD_KEYS_INIT,          /* keys.init */
    RECORD_KEYS_ROTATE,        /* keys.rotate */
    RECORD_KEYS_SHRED,         /* keys.shred */
    RECORD_LISTENER,    /* listener: what was refused before authentication, in a minute */
    RECORD_OPERATION,   /* operation: FHIR $… */
    RECORD_PATCH,       /* patch */
    RECORD_READ,        /* read */
    RECORD_RESOLVE,     /* resolve: pre-read to learn whom an id means */
    RECORD_SEARCH,      /* search */
    RECORD_TRANSACTION, /* transaction */
    RECORD_UPDATE,      /* update */
    RECORD_V2_DELIVER,  /* v2.deliver */
    RECORD_V2_RECEIVE,  /* v2.receive */
    RECORD_V2_REPLAY,   /* v2.replay */
    RECORD_VREAD,       /* vread */
};

enum record_outcome {
    RECORD_ACCEPTED,    /* accepted: stored and answered; delivery has its own record */
    RECORD_DELIVERED,   /* delivered */
    RECORD_DENY,        /* deny: consent or authority is missing */
    RECORD_DONE,        /* done: an event that decides nothing */
    RECORD_ERROR,       /* error: the destination refused or failed */
    RECORD_HELD,        /* held: not decidable now, decided before delivery */
    RECORD_INTENT,      /* intent: about to change another system; its outcome follows */
    RECORD_PARKED,      /* parked: for a person to see */
    RECORD_PARTIAL,     /* partial: some entries shown, some withheld */
    RECORD_PERMIT,      /* permit: shown */
    RECORD_REFUSED,     /* refused: unauthenticated, malformed or not offered */
    RECORD_RETRY,       /* retry: a try at delivery failed and will be repeated */
    RECORD_UNAVAILABLE, /* unavailable: grounds unknown, so closed */
    RECORD_UNKNOWN,     /* unknown: an intent whose outcome was lost */
    RECORD_WITHHELD,    /* withheld: stored, not delivered */
};

/* A consent that the decision relied on, as the chain held it. */
struct record_consent {
    uint8_t id[32];
    uint8_t commitment[32];
    uint8_t contract[20];
    uint64_t chain;
    uint64_t block; /* height of the state that was looked at */
    uint16_t version;
};

/*
 * @id:       UUIDv7
 * @exchange: UUIDv7 that joins the records of one exchange; has_exchange false: none
 * @instance: UUID, random at each start of a worker
 * @seq:      gap-free within @instance, from 1
 * @time:     milliseconds since 1970, UTC, never going back within @instance
 * @gateway, @route, @basis, @map: RECORD_NAME_MAX characters of [A-Za-z0-9._:/-]; borrowed;
 *            @route and @map may be empty, @map is the version of the mapping rows used
 * @released, @withheld, @refused: counts of entries (RECORD_LISTENER: requests); 0: not said
 * @consents: in the order in which they are written
 */
struct record {
    uint8_t id[RECORD_UUID_SIZE];
    uint8_t instance[RECORD_UUID_SIZE];
    uint8_t exchange[RECORD_UUID_SIZE];
    bool has_exchange;
    uint64_t seq;
    uint64_t time;
    enum record_log log;
    enum record_mode mode;
    enum record_interaction interaction;
    enum record_outcome outcome;
    struct str gateway;
    struct str route;
    struct str basis;
    struct str map;
    uint64_t released;
    uint64_t withheld;
    uint64_t refused;
    struct record_consent consents[RECORD_CONSENTS_MAX];
    size_t consent_count;
    bool committed[COMMITMENT_COUNT];
    uint8_t commitments[COMMITMENT_COUNT][DIGEST_SIZE];
};

/* Append the text of @record. What can't be said (a name too long, …) fails the buf. */
void record_write(const struct record *record, struct buf *b);

/**
 * record_read() - read a record
 * @text: exactly the canonical bytes; stays borrowed by @out's names
 * @why:  a literal that says what is wrong, set on failure; may be NULL
 *
 * Return: 0, or -EINVAL if @text is not what record_write() would write
 */
MUST_USE int record_read(struct str text, struct record *out, const char **why);

/* The leaf of the record whose text is @text. */
static inline void record_leaf(struct str text, struct merkle_hash *out)
{
    merkle_leaf(text, out);
}

/* Set commitment @kind of @record. */
void record_commit(struct record *record, enum commitment_kind kind,
                   const uint8_t salt[COMMITMENT_SALT_SIZE], struct str value);

/* Names as they stand in a record; static. */
const char *record_log_name(enum record_log log);
const char *record_mode_name(enum record_mode mode);
const char *record_interaction_name(enum record_interaction interaction);
const char *record_outcome_name(enum record_outcome outcome);

/* Does the outcome say that data was shown, passed on or about to be? */
bool record_released(const struct record *record);
