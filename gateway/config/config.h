/*
 * The configuration: what chartseal.yaml says, checked.
 *
 * Read once by the supervisor and handed to its children by fork; a reload builds a new one,
 * checks it whole and swaps it. Everything is owned by the configuration's arena.
 */
#pragma once

#include "gateway/config/schema.h"

enum config_protocol {
    PROTOCOL_MLLP,
    PROTOCOL_FHIR,
};

enum config_mode {
    MODE_ENFORCE,
    MODE_SHADOW,  /* decide and record, do not block */
    MODE_OBSERVE, /* record only */
};

enum config_payload {
    PAYLOAD_BY_KIND, /* full for v2 and FHIR writes, digest for reads */
    PAYLOAD_FULL,
    PAYLOAD_DIGEST,
};

enum config_park {
    PARK_WAIT, /* later messages of the patient wait behind a parked one */
    PARK_SKIP,
};

enum config_validate {
    VALIDATE_OFF,
    VALIDATE_WARN,   /* what isn't valid FHIR is counted and goes on */
    VALIDATE_REJECT, /* it is refused */
};

enum config_auth {
    AUTH_NONE,
    AUTH_PASS,   /* the client's Authorization goes on to the destination */
    AUTH_BEARER, /* a token from a file */
};

enum config_ack {
    ACK_ORIGINAL, /* one answer to each message */
    ACK_ENHANCED, /* what MSH-15 and MSH-16 ask for */
};

/* @clients: authorities whose client certificates are asked for; NULL: none are */
struct config_tls {
    struct config_place place;
    const char *certificate;
    const char *key;
    const char *clients;
    bool require_client;
    int least; /* 0: TLS 1.2, 1: TLS 1.3 */
};

/* Who may send v2 messages: known by certificate or by address. */
struct config_sender {
    struct config_place place;
    const char *certificate; /* file; NULL: any */
    const char *address;     /* numeric, may end in /BITS; NULL: any */
    const char *organization;
    const char *zone;
    const char *charset;
    int ack;                       /* enum config_ack */
    struct config_pairs assigners; /* namespace or universal id -> system URI */
    struct config_strings maps;    /* files */
    struct config_strings options; /* of the maps */
};

/* Of which a token must bear one, for each class of interactions; empty: none is asked for. */
struct config_roles {
    struct config_place place;
    struct config_strings read;
    struct config_strings search;
    struct config_strings write;
    struct config_strings consent;
    struct config_strings break_glass; /* empty: nobody may; so too: */
    struct config_strings explain;
    struct config_strings attest;
};

struct config_issuer {
    struct config_place place;
    const char *issuer;
    const char *audience;
    const char *jwks_file;
    const char *jwks_url;
    const struct config_tls *tls; /* towards @jwks_url */
    const char *organization;     /* of its users, where the token names none */
    const struct config_roles *roles;
};

/* A host whose did:web documents are read. */
struct config_did_web {
    struct config_place place;
    const char *host; /* HOST[:PORT] */
    const struct config_tls *tls;
};

/* Patients log in at the gateway itself. Times in ms */
struct config_login {
    struct config_place place;
    struct config_strings origins;
    const char *rp_id; /* of passkeys; NULL: there are none */
    bool contract_accounts;
    struct config_list did_web; /* struct config_did_web */
    int64_t challenge;
    int64_t token;
};

struct config_listener {
    struct config_place place;
    int protocol; /* enum config_protocol */
    const char *address;
    const char *base;
    const struct config_tls *tls;
    struct config_list senders; /* struct config_sender */
    struct config_list issuers; /* struct config_issuer */
    const struct config_login *login;
    struct config_strings maps; /* files */
    int64_t connections;
};

struct config_destination_auth {
    struct config_place place;
    int kind; /* enum config_auth */
    const char *token_file;
};

/* How messages that are made of FHIR are written for a v2 receiver. */
struct config_receiver {
    struct config_place place;
    const char *event; /* "ORU^R01"; NULL: what the maps make of it */
    int version;       /* enum v2_version */
    bool beyond;       /* what later versions have is written all the same */
    const char *charset;
    struct config_pairs assigners; /* its name of an authority -> system URI */
};

struct config_destination {
    struct config_place place;
    int protocol;
    const char *url;     /* FHIR base */
    const char *address; /* MLLP */
    const char *organization;
    const struct config_tls *tls;
    const struct config_destination_auth *auth;
    const struct config_receiver *receiver; /* NULL: the usual */
    int64_t connections;
    int64_t timeout;
    int64_t retry_least;
    int64_t retry_most;
};

struct config_when {
    struct config_place place;
    const char *message; /* "ORU^R01", "ADT^*" */
};

struct config_route {
    struct config_place place;
    const char *from;
    const struct config_when *when;
    struct config_strings to;
    struct config_strings maps;    /* files */
    struct config_strings options; /* of the maps */
    const char *purpose;
    int mode;
    int payload;
    int on_park;
    int validate; /* enum config_validate */
    struct config_strings profiles;
    int index; /* into config.routes; its name in records is "FROM:INDEX" */
};

struct config_account {
    struct config_place place;
    const char *keystore; /* with @password; or @signer with @address */
    const char *password;
    const char *signer;
    const char *address;
};

struct config_ledger {
    struct config_place place;
    struct config_strings endpoints;
    int64_t chain_id;
    const char *consent;
    const char *anchor;
    int64_t deployed_block;
    int64_t max_staleness;
    int64_t poll;
    int64_t confirmations; /* 0: the chain's safe tag */
    int64_t anchor_every;
    int64_t anchor_leaves;
    const struct config_account *relayer;
    const struct config_account *anchoring;
};

struct config_database {
    struct config_place place;
    const char *url_file;
};

struct config_keys {
    struct config_place place;
    const char *root;
    const char *checkpoint;
};

struct config_admin {
    struct config_place place;
    const char *address;
};

/*
 * @policy: file; NULL: consents decide alone. @policy_key: who signs it
 * @directory: a FHIR destination; NULL: an actor is what its token says. @directory_age: in ms
 */
struct config_consent {
    struct config_place place;
    int64_t lease;
    const char *directory;
    int64_t directory_age;
    const char *policy;
    const char *policy_key;
};

/* Of whom the glass is broken, who hears of it and when; times in ms. */
struct config_break_glass {
    struct config_place place;
    struct config_strings reasons;
    const char *notify; /* a FHIR destination */
    int64_t lasts;
    int64_t login;
    int64_t review_within;
    int64_t patient_after;
};

/* @shipped: the program's own value sets count too */
struct config_labeller {
    struct config_place place;
    bool shipped;
    struct config_strings value_sets; /* files */
};

struct config_log {
    struct config_place place;
    const char *origin; /* of the transparency log, as in checkpoints */
    int level;
};

struct config {
    const char *tenant;
    const char *gateway;
    int64_t workers;
    int64_t drain_timeout;
    int64_t message_memory;          /* MB */
    struct config_list listeners;    /* struct config_listener */
    struct config_list destinations; /* struct config_destination */
    struct config_list routes;       /* struct config_route */
    struct config_strings packages;  /* folders */
    const struct config_ledger *ledger;
    const struct config_database *database;
    const struct config_keys *keys;
    const struct config_admin *admin;
    const struct config_consent *consent;
    const struct config_break_glass *break_glass; /* NULL: nobody breaks it */
    const struct config_labeller *labeller;       /* NULL: nothing is labelled */
    const struct config_log *log;

    struct arena *arena;      /* owned */
    const char *file;         /* absolute path */
    unsigned char digest[32]; /* SHA-256 of the file */
};

extern const struct config_option config_options[];

/**
 * config_load() - read and check a configuration file
 * @file:   its path
 * @report: told every error, a line each
 * @out:    owned by the caller, config_free()
 *
 * Return: 0; -EINVAL with the reasons in @report; -ENOMEM
 */
MUST_USE int config_load(const char *file, struct buf *report, struct config **out);
void config_free(struct config *config);

const struct config_listener *config_listener(const struct config *config, size_t i);
const struct config_destination *config_destination(const struct config *config, size_t i);
const struct config_route *config_route(const struct config *config, size_t i);

/* Of @listener; NULL if there is none. */
const struct config_issuer *config_issuer(const struct config_listener *listener,
                                          struct str issuer);

/* By name; NULL if there is none. */
const struct config_listener *config_listener_named(const struct config *config,
                                                    const char *name);

/* Whether all its destinations are v2 receivers. */
bool config_leads_to_v2(const struct config *config, const struct config_route *route);

/* The base URL of a FHIR listener, without '/' at its end. */
struct str config_base(const struct config_listener *listener);

/* By name; NULL if there is none. */
const struct config_destination *config_destination_named(const struct config *config,
                                                          const char *name);

/* Lines that say which routes don't enforce; empty if all do. */
void config_warnings(const struct config *config, struct buf *out);

/* The database URL from its file, without line end. Return: 0 or -EINVAL */
MUST_USE int config_database_url(const struct config *config, char *url, size_t size);
