/*
 * An HL7 v2 message as both pipelines see it, when it is received and when it is delivered:
 * parsed, its patients found, its destinations decided.
 */
#pragma once

#include "fhir/consent/belonging.h"
#include "fhir/consent/evaluate.h"
#include "fhir/translate/to_fhir.h"
#include "fhir/v2/message.h"
#include "fhir/v2/patient_ids.h"
#include "gateway/config/config.h"
#include "gateway/pipeline/dossier.h"

#include <stdbool.h>

/*
 * First member of the data of every v2 exchange.
 *
 * @raw:      as received; in the arena
 * @message:  the same in UTF-8; set if @readable
 * @site:     what is known of the sender, by configuration and maps; set if @readable
 * @numbers:  of the message's patients, in their order
 * @conflict: identifiers of one patient lead to two numbers
 * @nameless: a patient has no usable identifier
 * @doubtful: not known to be valid FHIR, and taken all the same
 * @facts:    of the resources that it was translated to, for decisions; NULL: not known yet
 * @nobodys:  they are of types without patients
 */
struct v2_case {
    struct dossier dossier;
    const struct config_sender *sender;
    struct str raw;
    struct v2_message message;
    struct v2_header header;
    struct translate_site site;
    struct issues issues;
    bool readable;
    struct v2_patients patients;
    uint8_t (*numbers)[16];
    uint8_t *hashes;
    size_t resolved;
    bool conflict;
    bool nameless;
    bool doubtful;
    const struct consent_facts *facts;
    size_t fact_count;
    bool nobodys;
};

/* In the order of strictness: the worst over all patients and resources counts. */
enum v2_verdict {
    V2_PERMIT,
    V2_HELD, /* can't be decided now, or needs what only translation tells */
    V2_DENY,
};

enum {
    V2_CASE_E_TYPE = 100, /* beside V2_MESSAGE_E_…: no type in MSH-9 */
};

/* Parse ->raw, sent by ->sender; ->issues says what is wrong. Return: 0, V2_MESSAGE_E_…,
 * V2_CASE_E_TYPE, -ENOMEM */
MUST_USE int v2_case_parse(struct exchange *ex);

/**
 * v2_case_translate() - ->message to FHIR by the maps of the route
 * @accepted: when it was taken, so that a repetition says the same; ms since 1970
 *
 * The maps go into ->site, their version into the dossier.
 *
 * Return: 0, TRANSLATE_E_… or -ENOMEM; @out is set only on 0.
 */
MUST_USE int v2_case_translate(struct exchange *ex, int64_t accepted,
                               struct translate_result *out);

/* From here on an exchange, of whatever kind, may take as much memory as the configuration
 * gives a message. */
void v2_case_bound(struct exchange *ex);

/* From here on it may take what it needs. Return: whether it wanted more than v2_case_bound().
 */
bool v2_case_unbound(struct exchange *ex);

/* In a stage: find the patients and their numbers, making those not yet known, and join those
 * that the message merges. Needs ->message and ->sender. */
enum step v2_case_resolve(struct exchange *ex);

/* @request: borrows ->actors */
struct v2_asks {
    struct str actors[1 + BELONGING_NAMES_MAX];
    struct consent_request request;
};

/* What an exchange of whatever kind asks consents so that @to gets it: for its organization and
 * those above, for the route's purpose, the action "disclose". */
void v2_case_asks(struct exchange *ex, const struct config_destination *to,
                  struct v2_asks *out);

/**
 * v2_case_decide() - may destination @to get it?
 * @basis: word for the record, of the strictest answer
 *
 * As v2_case_asks() says. Every patient of
 * the message must permit every resource of it. A message without patients may go if what it
 * became is about nobody: beds, staff. Adds the subjects to the dossier.
 */
enum v2_verdict v2_case_decide(struct exchange *ex, const struct config_destination *to,
                               const char **basis);
