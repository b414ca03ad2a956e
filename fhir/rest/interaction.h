/*
 * What an HTTP request means in FHIR's REST interface, before anything is done about it.
 *
 * What can't be enforced yet is classed here so that it can be refused, with the status and
 * the words to refuse it with. Nothing is guessed: unknown is refused.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "fhir/base/arena.h"
#include "fhir/compartment/subject.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    INTERACTION_PARAMS_MAX = 200, /* search parameters of one request; more: 400 */
};

enum interaction_kind {
    INTERACTION_REFUSED, /* see status */
    INTERACTION_CAPABILITIES,
    INTERACTION_READ,
    INTERACTION_VREAD,
    INTERACTION_SEARCH, /* of one type, by GET, HEAD or POST _search */
    INTERACTION_CREATE,
    INTERACTION_UPDATE,
    INTERACTION_PATCH,
    INTERACTION_DELETE,
    INTERACTION_BATCH, /* a batch or transaction: only the body tells which */
    INTERACTION_HISTORY_INSTANCE,
    INTERACTION_OPERATION,
};

/*
 * @name:     base name, decoded; "_id", "patient"
 * @modifier: after the colon, decoded: "exact", "Patient", "missing"; or empty
 * @value:    decoded; several values stay joined by commas
 */
struct search_param {
    struct str name;
    struct str modifier;
    struct str value;
    struct search_param *next;
};

/*
 * @path:          below the base, starting with a slash or empty; still percent-encoded
 * @query:         after the question mark, still encoded; empty if there is none
 * @form:          body of application/x-www-form-urlencoded, if it is that
 * @content_type:  of the body; empty if there is none
 * @if_none_exist: header, as received; empty if there is none
 */
struct interaction_request {
    struct str method;
    struct str path;
    struct str query;
    struct str form;
    struct str content_type;
    struct str if_none_exist;
};

/*
 * @type:        resource type; empty for system interactions
 * @id:          logical id; empty if there is none, as in conditional interactions
 * @version:     of a vread
 * @operation:   name without the dollar sign
 * @conditional: the resource is found by @params
 * @posted:      search parameters came in a body
 * @params:      in the order received, query first, then form
 * @patients:    whom the request names by id or identifier: Patient/x, ?patient=x,
 *               ?subject=Patient/x, Patient?_id=x, Patient?identifier=s|v, compartment
 * @compartment: searched by Patient/x/Type: the one patient of @patients
 * @status:      HTTP status of a refusal: 400, 404, 405 or 501
 * @code:        OperationOutcome issue type of it; static text
 * @why:         diagnostics; static text
 * @what:        the parameter or path part meant, from the request; may be empty
 */
struct interaction {
    enum interaction_kind kind;
    struct str type;
    struct str id;
    struct str version;
    struct str operation;
    bool conditional;
    bool posted;
    bool compartment;
    struct search_param *params;
    size_t param_count;
    struct subject_list patients;
    int status;
    const char *code;
    const char *why;
    struct str what;
};

/**
 * interaction_classify() - what a request means
 * @arena:   memory for decoded texts
 * @request: the request; spans must outlive @out
 * @out:     the interaction; INTERACTION_REFUSED with a status if it is none we carry out
 *
 * Return: 0 or -ENOMEM; @out is set only on 0
 * Spec:   FHIR R4 http.html; enforcement.md 6.2, 6.4
 */
MUST_USE int interaction_classify(struct arena *arena,
                                  const struct interaction_request *request,
                                  struct interaction *out);

/* "read", "search-type", "batch" …: FHIR's code of the interaction. */
const char *interaction_name(const struct interaction *interaction);

/* Whether it changes what the upstream holds. */
bool interaction_writes(const struct interaction *interaction);

/* The first parameter called @name, or NULL. */
const struct search_param *interaction_param(const struct interaction *interaction,
                                             const char *name);

/**
 * interaction_query() - the parameters as a query to send upstream
 * @interaction: a search or conditional interaction
 * @out:         "name=value&…", freshly encoded, with _total=none at its end
 *
 * A form is sent as this, too. What the client asked by _total, _summary=count or _format is
 * left out.
 */
void interaction_query(const struct interaction *interaction, struct buf *out);
