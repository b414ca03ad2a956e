/*
 * What the files of the FHIR pipelines share.
 *
 *   fhir.c          the listener's side, and the tables
 *   fhir_request.c  receive, authenticate, collect, authorize
 *   fhir_people.c   patients named by references and identifiers
 *   fhir_glass.c    glass: whether it is broken for who asks; fhir_break.c: breaking it
 *   fhir_consent.c  subjects, consent: what the request alone tells
 *   fhir_upstream.c forward: the call to the FHIR server
 *   fhir_entry.c    the decision about one resource
 *   fhir_filter.c   filter: the answer, whole or as it streams
 *   fhir_respond.c  respond
 *   fhir_explain.c  $consent-explain
 *   fhir_validate.c $validate, and what is written where its route is validated
 *   fhir_write.c    what changes the FHIR server
 *   fhir_to_v2.c    what is written for v2 receivers
 *   fhir_file.c     filing a consent; fhir_grant.c: granting and revoking it
 *   fhir_disclose.c disclosures made elsewhere
 *   fhir_login.c    patients log in, and out
 */
#pragma once

#include "fhir/base/issue.h"
#include "fhir/bundle/filter.h"
#include "fhir/compartment/facts.h"
#include "fhir/consent/evaluate.h"
#include "fhir/rest/interaction.h"
#include "gateway/identity/asker.h"
#include "gateway/pipeline/dossier.h"
#include "gateway/way_in.h"

#include <stdbool.h>

/* Said in every answer that consents may have filtered, whether something was removed or not.
 */
#define FHIR_NOTICE_TEXT "Information that the patient's consent doesn't permit is left out."

enum {
    FHIR_SMALL_MAX = 256 << 10, /* an answer up to this is held whole */
    FHIR_FORM_MAX = 64 << 10,   /* bytes of a posted search */
    FHIR_ROUND_MAX = 64,        /* entries decided together while streaming */
    FHIR_PRE_READS_MAX = 64,    /* of patients not known yet, in one exchange */
    FHIR_GLASS_MAX = 16,        /* patients for whom one user has broken the glass */
};

/* A wait for something that no operation brings: a body, a piece, room to write. */
struct fhir_wait {
    struct op op;
    bool waiting;
};

enum fhir_person_state {
    FHIR_PERSON_NEW,     /* not looked for yet */
    FHIR_PERSON_KNOWN,   /* has a number */
    FHIR_PERSON_UNKNOWN, /* leads to nobody, or to more than one: never a permit */
};

/*
 * Somebody a request or an answer names, found by one keyed hash.
 *
 * @id:       logical id at the upstream; empty if it is an identifier
 * @resource: the Patient itself, of which more identifiers are learnt; NULL: none
 */
struct fhir_person {
    uint8_t hash[32];
    struct str id;
    const struct node *resource;
    enum fhir_person_state state;
    bool pre_read; /* the upstream has been asked about it */
    bool make;     /* give it a number if it has none */
    uint8_t number[16];
    struct fhir_person *next;
};

/* Everybody named in what is decided together. */
struct fhir_people {
    struct fhir_person *first;
    struct fhir_person **last;
    size_t count;
    struct fhir_person *at; /* being resolved */
    enum step (*then)(struct exchange *ex);
    size_t pre_reads;
    uint8_t *hashes; /* of one Patient: id and identifiers */
};

/* An entry of the answer, or the answer itself, that is being decided. */
struct fhir_item {
    const struct bundle_entry *entry;
    struct resource_facts facts;
    struct consent_facts asked;
    bool release;
    bool silent;          /* removed without being counted: it is nobody's data */
    uint32_t obligations; /* of the tenant's policy, under which it is released */
};

/* A patient whom a record of this exchange names: with the types it knew of, and others since.
 */
struct fhir_shown {
    uint8_t number[16];
    struct type_set recorded;
    struct type_set later;
};

/* The answer's way from upstream through the filter. */
struct fhir_answer {
    struct http_call *call; /* NULL: over */
    struct fhir_wait wait;
    int status;          /* of the upstream */
    bool readable;       /* its body is of a kind that is read here */
    enum http_fail fail; /* 0: none */
    bool ended;
    bool paused;
    struct str etag;
    struct str modified;
    struct str location;
    struct buf held; /* received and not yet filtered; of a small answer all of it */
    struct buf out;  /* filtered and not yet released */
    struct bundle_filter *filter;
    bool finished; /* the filter has had everything */
    bool streaming;
    struct fhir_item *items;
    size_t item_count;
    size_t item_room;
    size_t decided;
    const char *denied; /* basis of the first removal */
    uint64_t released;
    uint64_t withheld;
    struct digest digest; /* of what left, while streaming */
    uint8_t digest_bytes[DIGEST_SIZE];
    bool begun;               /* the head was sent */
    bool last;                /* this round ends the answer */
    bool sealed_round;        /* this round writes a record */
    struct arena *base;       /* the exchange's, while a round has its own */
    struct arena *round;      /* owned */
    struct fhir_shown *named; /* patients with a record, open addressing; heap */
    size_t named_size;
    size_t named_count;
};

/* The glass broken for one patient; @until in ms since 1970. */
struct fhir_broken {
    uint8_t id[16];
    uint8_t patient[16];
    int64_t until;
};

/* @asked: the request breaks the glass: nothing else of its purposes counts */
struct fhir_glass {
    bool asked;
    size_t n;
    struct fhir_broken held[FHIR_GLASS_MAX];
};

/* A kind of request: its stages, the size of its data and of its body. */
struct fhir_kind {
    const struct stage *pipeline;
    size_t size;
    size_t body_max;
};

struct fhir_exchange {
    struct dossier dossier;
    struct way_in *way;
    struct http_req *req; /* NULL: answered, or the client is gone */
    struct way_out *out;
    struct str base;   /* our base URL, without '/' at the end */
    struct str server; /* base URL whose ids are meant: the upstream's, else ours */
    struct str method;
    struct str path; /* below the base */
    struct str query;
    struct str content_type;
    struct str if_none_exist;
    struct str if_none_match;
    struct str if_match;
    struct str prefer;
    struct str accept;
    struct str authorization; /* as received */
    struct str request_id;
    bool head; /* HEAD: answered as GET, without body */

    struct buf body; /* heap */
    size_t body_max;
    bool body_done;
    bool body_broken;
    struct fhir_wait body_wait;

    struct claims claims;
    struct interaction interaction;
    unsigned rights;   /* enum scope_right that each shown resource needs */
    bool only_patient; /* the token's context allows one patient */
    uint8_t own[16];   /* that patient's number, if */
    bool has_own;      /* it is known */
    bool logged_in;    /* a patient who logged in here: own is known by the session alone */
    uint8_t session[16];
    struct fhir_person *own_person;
    struct asker asker;
    struct belonging belonging; /* what the directory says of who asks */
    struct consent_request asks;

    struct fhir_glass glass;
    struct fhir_people people;
    struct fhir_answer answer;
    struct fhir_wait drain;
    struct issues issues;

    /* The answer to give. */
    int status;
    const char *code; /* of the OperationOutcome; NULL: by status */
    const char *text; /* its diagnostics */
    int64_t login;    /* of a 401: the user has to log in again within so many ms; 0: no */
    struct str what;
    struct str place;  /* FHIRPath */
    bool bare;         /* done, and nothing of it is shown */
    bool sent;         /* a change is on its way: it isn't called off any more */
    struct str result; /* a whole body instead of an OperationOutcome */
};

static inline struct fhir_exchange *fhir_of(struct exchange *ex)
{
    return ex->data;
}

/* --- fhir.c ------------------------------------------------------------------------------- */

/* In a stage: wait until somebody calls fhir_wake() for @wait. */
enum step fhir_wait(struct exchange *ex, struct fhir_wait *wait);

/* Whether @ex was waiting for @wait; then the caller goes on with exchange_move(). */
bool fhir_woken(struct exchange *ex, struct fhir_wait *wait);

/* Refused before authentication: counted for the listener's record of the minute. */
void fhir_count_refused(struct way_in *way);

extern const struct fhir_kind fhir_write_kind;    /* fhir_write.c */
extern const struct fhir_kind fhir_validate_kind; /* fhir_validate.c */
extern const struct fhir_kind fhir_break_kind;    /* fhir_break.c */
extern const struct fhir_kind fhir_explain_kind;  /* fhir_explain.c */
extern const struct fhir_kind fhir_to_v2_kind;    /* fhir_to_v2.c */

/* Closing stages, left out for whom we don't know. */
enum step fhir_seal_enter(struct exchange *ex);
enum step fhir_record_enter(struct exchange *ex);

/* --- fhir_capability.c -------------------------------------------------------------------- */

/* Answer what anybody may ask; false: it isn't that. */
bool fhir_answer_openly(struct way_in *way, struct http_req *req);

/* The OperationOutcome of a message that was refused before it was read. */
void fhir_refusal_write(int status, const char *reason, struct buf *body);

/* --- fhir_request.c ----------------------------------------------------------------------- */

enum step fhir_receive_enter(struct exchange *ex);
enum step fhir_authenticate_enter(struct exchange *ex);
enum step fhir_collect_enter(struct exchange *ex);
enum step fhir_authorize_enter(struct exchange *ex);

/* In a stage: nobody we know, for the reason @why (NULL: no token). */
enum step fhir_unauthenticated(struct exchange *ex, int status, const char *why);

/* Parts of "authorize": what is asked of whom; and whether scopes (enum scope_right) and roles
 * (enum role_class) allow it. */
enum step fhir_understand(struct exchange *ex);
enum step fhir_allow(struct exchange *ex, unsigned rights, unsigned classes);

/* The same for resources of @type; and whether the token says what for. */
enum step fhir_allow_type(struct exchange *ex, struct str type, unsigned rights,
                          unsigned classes);
enum step fhir_purposed(struct exchange *ex);

/* The listener's one route; the configuration has exactly one for each. NULL: it has none */
const struct config_route *fhir_route(const struct way_in *way);

/* Whether what is written there leaves as messages of HL7 v2. */
bool fhir_leads_to_v2(const struct way_in *way);

/* The part of @path below the listener's base; false if it isn't below. */
bool fhir_below(struct str path, struct str base, struct str *out);

/* Calls of the request's body. */
void fhir_on_body(void *owner, struct str piece);
void fhir_on_end(void *owner);

/* Stop with an HTTP status and words of our own. */
enum step fhir_refuse(struct exchange *ex, enum outcome outcome, const char *basis, int status,
                      const char *text);

/* --- fhir_login.c ------------------------------------------------------------------------- */

extern const struct fhir_kind fhir_login_kind;
extern const struct fhir_kind fhir_logout_kind;

/* Answer who asks for a challenge; false: it isn't that. */
bool fhir_login_challenge(struct way_in *way, struct http_req *req);

/* --- fhir_validate.c ---------------------------------------------------------------------- */

/* In a stage: what is to be written, the whole body, against the route's wishes. @doubtful: not
 * known to be valid, and taken all the same. */
enum step fhir_validate_written(struct exchange *ex, const struct node *resource,
                                bool *doubtful);

/* --- fhir_write.c ------------------------------------------------------------------------- */

/* In a stage: whether the body @root is what the path of a create or update says. */
enum step fhir_written_fits(struct exchange *ex, const struct node *root);

/* --- fhir_actor.c ------------------------------------------------------------------------- */

/* Who asks and why, for the consents and for the record. Return: 0 or -ENOMEM */
MUST_USE int fhir_actor_set(struct exchange *ex);

/* Stage "actor": ask the directory who that is besides, where there is one. */
enum step fhir_actor_enter(struct exchange *ex);

/* --- fhir_people.c ------------------------------------------------------------------------ */

/* Forget everybody; memory for the next comes from ex->arena. */
void fhir_people_clear(struct exchange *ex);

/**
 * fhir_person() - who a reference leads to
 * @resource: the Patient itself if that is at hand
 * @out:      the person; NULL if the reference can't lead to a patient of ours
 *
 * Return: 0 or -ENOMEM
 */
MUST_USE int fhir_person(struct exchange *ex, const struct reference *to,
                         const struct node *resource, struct fhir_person **out);

/* The patient whom the token is for becomes one of them, and ->own_person. 0 or -ENOMEM */
MUST_USE int fhir_person_own(struct exchange *ex);

/* In a stage: find the numbers of all, then go on with @then. */
enum step fhir_people_resolve(struct exchange *ex, enum step (*then)(struct exchange *ex));

/* For @then: note the number of the token's patient, if it has one. */
enum step fhir_person_own_known(struct exchange *ex);

/* Whoever was found is told by the record that somebody tried. */
void fhir_people_tell(struct exchange *ex);

/* After that: is @number the token's patient? */
bool fhir_is_own(const struct exchange *ex, const uint8_t number[16]);

/* --- fhir_glass.c ------------------------------------------------------------------------- */

/* Only who may break the glass, and has, goes on with a purpose that does. */
enum step fhir_glass_enter(struct exchange *ex);

/* The request is for breaking the glass alone. Return: whether it is */
bool fhir_glass_only(struct exchange *ex);

/* Whether the glass is broken for @patient at this moment. */
bool fhir_glass_broken(const struct exchange *ex, const uint8_t patient[16]);

/* The basis of what is shown: "break-glass" or "permit"; where something is left out of it, or
 * would be if this route enforced, why. */
const char *fhir_permit_basis(const struct exchange *ex);

/* --- fhir_consent.c ----------------------------------------------------------------------- */

/*
 * Whether consents can be asked at this moment. With an old view of the ledger only for what
 * breaks the glass.
 */
bool fhir_decidable(struct exchange *ex);

enum step fhir_subjects_enter(struct exchange *ex);
enum step fhir_consent_enter(struct exchange *ex);

/* --- fhir_upstream.c ---------------------------------------------------------------------- */

enum step fhir_forward_enter(struct exchange *ex);

/* Append the fields that every request upstream has. Return their number. */
size_t fhir_upstream_fields(struct exchange *ex, struct http_field fields[4]);

/* Whether the body of an answer is JSON, and as it is: nobody asked for compression. */
bool fhir_upstream_readable(const struct http_head *head);

/* Read on, and wait for the next piece. */
enum step fhir_upstream_more(struct exchange *ex);

/* End the call, if it is still under way. */
void fhir_upstream_close(struct exchange *ex);

/* --- fhir_entry.c ------------------------------------------------------------------------- */

/* Read the facts of an entry. Return: 0 or -ENOMEM */
MUST_USE int fhir_entry_read(struct exchange *ex, const struct bundle_entry *entry,
                             struct fhir_item *out);

/* Note whom it names, to be resolved. Return: 0 or -ENOMEM */
MUST_USE int fhir_entry_name(struct exchange *ex, const struct fhir_item *item);

/* Decide it; false: no room for its patients in this round. */
bool fhir_entry_decide(struct exchange *ex, struct fhir_item *item);

/*
 * Decide whether it may be written: whether it may be released whole. Who is shown a resource
 * under obligations hasn't seen all of it, so what they would write isn't all of it either.
 */
bool fhir_entry_permitted(struct exchange *ex, struct fhir_item *item);

/* The entry as it is released under its obligations, URLs mapped. Return: 0 or -ENOMEM */
MUST_USE int fhir_entry_oblige(struct exchange *ex, const struct fhir_item *item,
                               struct str *out);

/* --- fhir_filter.c ------------------------------------------------------------------------ */

enum step fhir_filter_enter(struct exchange *ex);

/* Answer the filter for what was decided; -EINVAL if it failed. */
MUST_USE int fhir_filter_release(struct exchange *ex);

/* What left so far goes into the next record: digest and counts. */
void fhir_filter_sum(struct exchange *ex);

/* Free all that the arena doesn't hold. */
void fhir_filter_close(struct exchange *ex);

/* --- fhir_named.c ------------------------------------------------------------------------- */

/* The patient, if a record of this exchange names it already; NULL: none does. */
struct fhir_shown *fhir_named(const struct fhir_answer *answer, const uint8_t number[16]);

/* From now on one does, and knows of @types. Return: 0 or -ENOMEM */
MUST_USE int fhir_name(struct fhir_answer *answer, const uint8_t number[16],
                       const struct type_set *types);

/* The answer is over: types that records didn't know of become the dossier's. 0 or -ENOMEM */
MUST_USE int fhir_named_later(struct exchange *ex);

/* --- fhir_respond.c ----------------------------------------------------------------------- */

enum step fhir_respond_enter(struct exchange *ex);

/* Whether an answer that ended so may have a body made of resources. */
bool fhir_may_show(enum outcome outcome, enum interaction_kind kind);
void fhir_on_drain(void *owner);
