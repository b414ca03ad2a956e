/* Consents from the database into an index: all of them, or what changes name. */
#pragma once

#include "fhir/consent/compiled.h"
#include "gateway/store/consents.h"

struct consents_load;
struct vault;

/* @index: the one given; on success it holds what was to be loaded */
typedef void (*consents_load_fn)(void *arg, int r, struct consent_index *index);

/* NULL: not begun. The completion comes from the loop; the load is over and freed by then. */
MUST_USE struct consents_load *consents_load_all(struct db *db, struct vault *vault,
                                                 struct consent_index *index,
                                                 consents_load_fn done, void *arg);

/* Those of one patient, by whichever of the numbers merged with @patient. */
MUST_USE struct consents_load *consents_load_patient(struct db *db, struct vault *vault,
                                                     struct consent_index *index,
                                                     const uint8_t patient[16],
                                                     consents_load_fn done, void *arg);

/* @changes: rows of store_changes(); copied */
MUST_USE struct consents_load *consents_load_changes(struct db *db, struct vault *vault,
                                                     struct consent_index *index,
                                                     const struct db_rows *changes,
                                                     consents_load_fn done, void *arg);

/* End it without completion; NULL is fine. */
void consents_load_cancel(struct consents_load *load);

#define CONSENT_OPEN_END ((UINT64_C(1) << 40) - 1) /* as valid_until on chain: no end */

/*
 * What a consent's row seals: salt (32 bytes), statement hash (32 bytes), policy text.
 * The commitment on chain covers all three.
 */
enum {
    CONSENT_SCHEMA = 1, /* of the policy's encoding, in the commitment */
    CONSENT_SEALED_SALT = 0,
    CONSENT_SEALED_STATEMENT = 32,
    CONSENT_SEALED_POLICY = 64,
};
