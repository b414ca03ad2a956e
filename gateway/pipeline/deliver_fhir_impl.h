/* What the files of delivery to a FHIR server share. */
#pragma once

#include "gateway/net/http_client.h"
#include "gateway/pipeline/deliver_impl.h"

enum {
    DELIVER_TARGET_MAX = 8 << 10, /* bytes of a request's target */
};

/* Look up what is stored of the entries from ->entry_at on, then join. */
enum step deliver_fhir_look_up(struct exchange *ex);

/* Each resource as it will be written: references resolved, joined with what is stored. */
enum step deliver_fhir_join(struct exchange *ex);

/* What an entry is recognised by: "identifier=SYSTEM|VALUE", encoded. */
struct str deliver_fhir_query(const struct translate_entry *entry);

/*
 * What the destination is asked.
 *
 * @target: empty: its base
 * @body:   lasts until the answer; empty: none, so it is a GET
 * @reads:  it changes nothing: if the connection breaks it may be asked again at once
 */
struct deliver_ask {
    struct str target;
    struct str body;
    bool reads;
    http_fetch_fn done;
};

enum step deliver_fhir_ask(struct exchange *ex, const struct deliver_ask *what);

/* What an HTTP status means for a delivery; STEP_NEXT if it is a success. */
enum step deliver_fhir_judge(struct exchange *ex, int status);

/* The status of an entry of a Bundle that answers; 599 if it has none. */
int deliver_fhir_entry_status(const struct node *entry);

/* There was no answer. */
enum step deliver_fhir_failed(struct exchange *ex, enum http_fail fail);
