/* Parameters: what operations of the FHIR port are asked with and answer with. */
#pragma once

#include "fhir/format/json_write.h"
#include "fhir/model/node.h"

/* The text of parameter @name, whatever its type; empty if it isn't there. @root may be NULL.
 */
struct str fhir_given(const struct node *root, const char *name);

/* The value of parameter @name as it stands, NULL if it isn't there. */
const struct node *fhir_given_part(const struct node *root, const char *name);

/* The resource that parameter @name is, NULL if it isn't there. */
const struct node *fhir_given_resource(const struct node *root, const char *name);

/* Whether parameter @name is the boolean true. */
bool fhir_given_true(const struct node *root, const char *name);

/* Answers: begin, put, end; a failure is in the buf. */
struct json_writer fhir_params_begin(struct buf *out);
void fhir_params_word(struct json_writer *w, const char *name, const char *word);
void fhir_params_count(struct json_writer *w, const char *name, uint64_t value);
void fhir_params_text(struct json_writer *w, const char *name, struct str value);
void fhir_params_time(struct json_writer *w, const char *name, int64_t utc_ms);
void fhir_params_flag(struct json_writer *w, const char *name, bool value);
void fhir_params_end(struct json_writer *w);
