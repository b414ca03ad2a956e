/*
 * Records: writing, reading, names.
 *
 * One text for each record: what was read is written again and must give the same bytes. So
 * the reader below may be plain, and no second spelling of a record can ever pass.
 */
#include "anchor/record.h"

#include "anchor/cjson.h"

#include <assert.h>
#include <errno.h>

static const char *const logs[] = { "access", "config", "consent", "keys" };
static const char *const modes[] = { "enforce", "observe", "shadow" };
static const char *const interactions[] = {
    [RECORD_AUDIT_EXPORT] = "audit.export",
    [RECORD_AUDIT_READ] = "audit.read",
    [RECORD_BATCH] = "batch",
    [RECORD_BREAK_GLASS] = "break-glass",
    [RECORD_BREAK_GLASS_REVIEW] = "break-glass.review",
    [RECORD_CAPABILITIES] = "capabilities",
    [RECORD_CONFIG_RELOAD] = "config.reload",
    [RECORD_CONFIG_START] = "config.start",
    [RECORD_CONSENT_FILE] = "consent.file",
    [RECORD_CONSENT_REVOKE] = "consent.revoke",
    [RECORD_CONSENT_ROTATE] = "consent.rotate",
    [RECORD_CREATE] = "create",
    [RECORD_DELETE] = "delete",
    [RECORD_DISCLOSURE] = "disclosure",
    [RECORD_HEARTBEAT] = "heartbeat",
    [RECORD_HISTORY] = "history",
    [RECORD_KEYS_INIT] = "keys.init",
    [RECORD_KEYS_ROTATE] = "keys.rotate",
    [RECORD_KEYS_SHRED] = "keys.shred",
    [RECORD_LISTENER] = "listener",
    [RECORD_OPERATION] = "operation",
    [RECORD_PATCH] = "patch",
    [RECORD_READ] = "read",
    [RECORD_RESOLVE] = "resolve",
    [RECORD_SEARCH] = "search",
    [RECORD_TRANSACTION] = "transaction",
    [RECORD_UPDATE] = "update",
    [RECORD_V2_DELIVER] = "v2.deliver",
    [RECORD_V2_RECEIVE] = "v2.receive",
    [RECORD_V2_REPLAY] = "v2.replay",
    [RECORD_VREAD] = "vread",
};
static const char *const outcomes[] = {
    [RECORD_ACCEPTED] = "accepted",
    [RECORD_DELIVERED] = "delivered",
    [RECORD_DENY] = "deny",
    [RECORD_DONE] = "done",
    [RECORD_ERROR] = "error",
    [RECORD_HELD] = "held",
    [RECORD_INTENT] = "intent",
    [RECORD_PARKED] = "parked",
    [RECORD_PARTIAL] = "partial",
    [RECORD_PERMIT] = "permit",
    [RECORD_REFUSED] = "refused",
    [RECORD_RETRY] = "retry",
    [RECORD_UNAVAILABLE] = "unavailable",
    [RECORD_UNKNOWN] = "unknown",
    [RECORD_WITHHELD] = "withheld",
};

const char *record_log_name(enum record_log log)
{
    assert(log < ARRAY_LEN(logs));
    return logs[log];
}

const char *record_mode_name(enum record_mode mode)
{
    assert(mode < ARRAY_LEN(modes));
    return modes[mode];
}

const char *record_interaction_name(enum record_interaction interaction)
{
    assert(interaction < ARRAY_LEN(interactions));
    return interactions[interaction];
}

const char *record_outcome_name(enum record_outcome outcome)
{
    assert(outcome < ARRAY_LEN(outcomes));
    return outcomes[outcome];
}

bool record_released(const struct record *record)
{
    switch (record->outcome) {
    case RECORD_ACCEPTED:
    case RECORD_DENY:
    case RECORD_DONE:
    case RECORD_HELD:
    case RECORD_PARKED:
    case RECORD_REFUSED:
    case RECORD_UNAVAILABLE:
    case RECORD_WITHHELD: return false;
    case RECORD_DELIVERED:
    case RECORD_ERROR:
    case RECORD_INTENT:
    case RECORD_PARTIAL:
    case RECORD_PERMIT:
    case RECORD_RETRY:
    case RECORD_UNKNOWN: return true;
    }
    return true; /* what we can't name needs grounds too */
}

void record_commit(struct record *record, enum commitment_kind kind,
                   const uint8_t salt[COMMITMENT_SALT_SIZE], struct str value)
{
    commitment_make(kind, salt, value, record->commitments[kind]);
    record->committed[kind] = true;
}

/* Characters of gateway, route, basis and map. */
static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';
        if (!letter && !digit && !(c && strchr("._:/-", c))) {
            return false;
        }
    }
    return s.n <= RECORD_NAME_MAX;
}

/* Can a text hold all of @record? */
static bool sayable(const struct record *record)
{
    return record->gateway.n && record->basis.n && is_name(record->gateway) &&
           is_name(record->basis) && is_name(record->route) && is_name(record->map) &&
           record->consent_count <= RECORD_CONSENTS_MAX && record->seq > 0;
}

static void put_uuid(struct cjson_out *out, const uint8_t uuid[RECORD_UUID_SIZE])
{
    static const uint8_t groups[] = { 4, 2, 2, 2, 6 };
    char text[36];
    struct buf b = buf_fixed(text, sizeof(text));
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (i > 0) {
            buf_c(&b, '-');
        }
        buf_hex(&b, uuid, groups[i]);
        uuid += groups[i];
    }
    cjson_put_string(out, buf_str(&b));
}

static void put_name(struct cjson_out *out, const char *name, struct str value)
{
    if (value.n) {
        cjson_name(out, name);
        cjson_put_string(out, value);
    }
}

static void put_count(struct cjson_out *out, const char *name, uint64_t value)
{
    if (value) {
        cjson_name(out, name);
        cjson_put_number(out, value);
    }
}

static void put_commitments(struct cjson_out *out, const struct record *record)
{
    cjson_name(out, "commitments");
    cjson_open(out, '{');
    for (enum commitment_kind kind = 0; kind < COMMITMENT_COUNT; kind++) {
        if (record->committed[kind]) {
            cjson_name(out, commitment_name(kind));
            cjson_put_hex(out, false, record->commitments[kind], DIGEST_SIZE);
        }
    }
    cjson_close(out, '}');
}

static void put_consent(struct cjson_out *out, const struct record_consent *consent)
{
    cjson_open(out, '{');
    cjson_name(out, "block");
    cjson_put_number(out, consent->block);
    cjson_name(out, "chain");
    cjson_put_number(out, consent->chain);
    cjson_name(out, "commitment");
    cjson_put_hex(out, true, consent->commitment, sizeof(consent->commitment));
    cjson_name(out, "contract");
    cjson_put_hex(out, true, consent->contract, sizeof(consent->contract));
    cjson_name(out, "id");
    cjson_put_hex(out, true, consent->id, sizeof(consent->id));
    cjson_name(out, "version");
    cjson_put_number(out, consent->version);
    cjson_close(out, '}');
}

/* Members from "id" on, in order. */
static void put_rest(struct cjson_out *out, const struct record *record)
{
    cjson_name(out, "id");
    put_uuid(out, record->id);
    cjson_name(out, "instance");
    put_uuid(out, record->instance);
    cjson_name(out, "interaction");
    cjson_put_string(out, str_z(record_interaction_name(record->interaction)));
    cjson_name(out, "log");
    cjson_put_string(out, str_z(record_log_name(record->log)));
    put_name(out, "map", record->map);
    cjson_name(out, "mode");
    cjson_put_string(out, str_z(record_mode_name(record->mode)));
    cjson_name(out, "outcome");
    cjson_put_string(out, str_z(record_outcome_name(record->outcome)));
    put_count(out, "refused", record->refused);
    put_count(out, "released", record->released);
    put_name(out, "route", record->route);
    cjson_name(out, "seq");
    cjson_put_number(out, record->seq);
    cjson_name(out, "time");
    cjson_put_number(out, record->time);
    cjson_name(out, "v");
    cjson_put_number(out, RECORD_VERSION);
    put_count(out, "withheld", record->withheld);
}

void record_write(const struct record *record, struct buf *b)
{
    if (!sayable(record)) {
        b->failed = true;
        return;
    }
    struct cjson_out out;
    cjson_out_start(&out, b);
    cjson_open(&out, '{');
    put_name(&out, "basis", record->basis);
    put_commitments(&out, record);
    cjson_name(&out, "consents");
    cjson_open(&out, '[');
    for (size_t i = 0; i < record->consent_count; i++) {
        put_consent(&out, &record->consents[i]);
    }
    cjson_close(&out, ']');
    if (record->has_exchange) {
        cjson_name(&out, "exchange");
        put_uuid(&out, record->exchange);
    }
    put_name(&out, "gateway", record->gateway);
    put_rest(&out, record);
    cjson_close(&out, '}');
}

/* Where in @names the string is that comes next; 0 and a refusal if it is none of them. */
static unsigned read_enum(struct cjson *c, const char *const *names, size_t count)
{
    struct str got = cjson_plain(c);
    for (unsigned i = 0; i < count; i++) {
        if (str_eq(got, str_z(names[i]))) {
            return i;
        }
    }
    cjson_refuse(c, "unknown word in a record");
    return 0;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void read_uuid(struct cjson *c, uint8_t out[RECORD_UUID_SIZE])
{
    struct str s = cjson_plain(c);
    size_t at = 0;
    for (size_t i = 0; s.n == 36 && i < RECORD_UUID_SIZE; i++, at += 2) {
        at += s.p[at] == '-' ? 1 : 0;
        int high = hex_value(s.p[at]);
        int low = hex_value(s.p[at + 1]);
        if (high < 0 || low < 0) {
            break;
        }
        out[i] = (uint8_t)(high * 16 + low);
    }
    if (at != 36) {
        cjson_refuse(c, "not a UUID");
    }
}

static void read_commitments(struct cjson *c, struct record *record)
{
    struct str name;
    cjson_object(c);
    while (cjson_member(c, &name)) {
        enum commitment_kind kind = commitment_kind(name);
        if (kind == COMMITMENT_COUNT) {
            cjson_refuse(c, "unknown commitment");
            return;
        }
        cjson_hex(c, false, record->commitments[kind], DIGEST_SIZE);
        record->committed[kind] = true;
    }
}

static void read_consent(struct cjson *c, struct record_consent *consent)
{
    struct str name;
    cjson_object(c);
    while (cjson_member(c, &name)) {
        if (str_eq(name, STR("block"))) {
            consent->block = cjson_number(c);
        } else if (str_eq(name, STR("chain"))) {
            consent->chain = cjson_number(c);
        } else if (str_eq(name, STR("commitment"))) {
            cjson_hex(c, true, consent->commitment, sizeof(consent->commitment));
        } else if (str_eq(name, STR("contract"))) {
            cjson_hex(c, true, consent->contract, sizeof(consent->contract));
        } else if (str_eq(name, STR("id"))) {
            cjson_hex(c, true, consent->id, sizeof(consent->id));
        } else if (str_eq(name, STR("version"))) {
            consent->version = (uint16_t)cjson_number(c);
        } else {
            cjson_refuse(c, "unknown member of a consent");
        }
    }
}

static void read_consents(struct cjson *c, struct record *record)
{
    cjson_array(c);
    while (cjson_item(c)) {
        if (record->consent_count == RECORD_CONSENTS_MAX) {
            cjson_refuse(c, "too many consents");
            return;
        }
        read_consent(c, &record->consents[record->consent_count++]);
    }
}

enum member {
    MEMBER_BASIS,
    MEMBER_COMMITMENTS,
    MEMBER_CONSENTS,
    MEMBER_EXCHANGE,
    MEMBER_GATEWAY,
    MEMBER_ID,
    MEMBER_INSTANCE,
    MEMBER_INTERACTION,
    MEMBER_LOG,
    MEMBER_MAP,
    MEMBER_MODE,
    MEMBER_OUTCOME,
    MEMBER_REFUSED,
    MEMBER_RELEASED,
    MEMBER_ROUTE,
    MEMBER_SEQ,
    MEMBER_TIME,
    MEMBER_V,
    MEMBER_WITHHELD,
    MEMBER_COUNT,
};

static const char *const members[MEMBER_COUNT] = {
    "basis",       "commitments", "consents", "exchange", "gateway",  "id",      "instance",
    "interaction", "log",         "map",      "mode",     "outcome",  "refused", "released",
    "route",       "seq",         "time",     "v",        "withheld",
};

static enum member member_of(struct str name)
{
    enum member member = 0;
    while (member < MEMBER_COUNT && !str_eq(name, str_z(members[member]))) {
        member++;
    }
    return member;
}

static void read_member(struct cjson *c, enum member member, struct record *r)
{
    switch (member) {
    case MEMBER_BASIS: r->basis = cjson_plain(c); break;
    case MEMBER_COMMITMENTS: read_commitments(c, r); break;
    case MEMBER_CONSENTS: read_consents(c, r); break;
    case MEMBER_EXCHANGE:
        read_uuid(c, r->exchange);
        r->has_exchange = true;
        break;
    case MEMBER_GATEWAY: r->gateway = cjson_plain(c); break;
    case MEMBER_ID: read_uuid(c, r->id); break;
    case MEMBER_INSTANCE: read_uuid(c, r->instance); break;
    case MEMBER_INTERACTION:
        r->interaction = read_enum(c, interactions, ARRAY_LEN(interactions));
        break;
    case MEMBER_LOG: r->log = read_enum(c, logs, ARRAY_LEN(logs)); break;
    case MEMBER_MAP: r->map = cjson_plain(c); break;
    case MEMBER_MODE: r->mode = read_enum(c, modes, ARRAY_LEN(modes)); break;
    case MEMBER_OUTCOME: r->outcome = read_enum(c, outcomes, ARRAY_LEN(outcomes)); break;
    case MEMBER_REFUSED: r->refused = cjson_number(c); break;
    case MEMBER_RELEASED: r->released = cjson_number(c); break;
    case MEMBER_ROUTE: r->route = cjson_plain(c); break;
    case MEMBER_SEQ: r->seq = cjson_number(c); break;
    case MEMBER_TIME: r->time = cjson_number(c); break;
    case MEMBER_V:
        if (cjson_number(c) != RECORD_VERSION) {
            cjson_refuse(c, "record of an unknown version");
        }
        break;
    case MEMBER_WITHHELD: r->withheld = cjson_number(c); break;
    case MEMBER_COUNT: cjson_refuse(c, "unknown member of a record"); break;
    }
}

int record_read(struct str text, struct record *out, const char **why)
{
    struct record record = { 0 };
    struct cjson c;
    struct str name;
    cjson_start(&c, text);
    cjson_object(&c);
    while (cjson_member(&c, &name)) {
        read_member(&c, member_of(name), &record);
    }
    int r = cjson_finish(&c);
    if (r == 0) {
        char again[RECORD_SIZE_MAX];
        struct buf b = buf_fixed(again, sizeof(again));
        record_write(&record, &b);
        if (buf_failed(&b) || !str_eq(buf_str(&b), text)) {
            cjson_refuse(&c, "not the one way to write such a record");
            r = -EINVAL;
        }
    }
    if (r == 0) {
        *out = record;
    } else if (why) {
        *why = c.error;
    }
    return r;
}
