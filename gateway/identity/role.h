/*
 * Roles: what a token's bearer must be, besides what its scopes grant.
 *
 * An issuer's configuration may ask for one of several roles, for each class of interactions.
 * A role is written as tokens write codes; "CODE" alone is only one that the token gives
 * without a system.
 */
#pragma once

#include "gateway/config/config.h"
#include "gateway/identity/claims.h"

#include <stdbool.h>

/* Classes of interactions, joined. */
enum role_class {
    ROLE_READ = 1,
    ROLE_SEARCH = 2,
    ROLE_WRITE = 4,
    ROLE_CONSENT = 8,      /* consents are filed, granted, revoked, or asked for their state */
    ROLE_BREAK_GLASS = 16, /* nobody has it unless roles are named for it */
    ROLE_EXPLAIN = 32,     /* $consent-explain; the same */
    ROLE_ATTEST = 64,      /* taking a consent back on a patient's word; the same */
};

/* Is @text a role as configurations name them? */
bool role_known_form(const char *text);

/* The classes whose interactions need these rights of enum scope_right. */
unsigned role_classes(unsigned rights);

/* Does @borne have one of the roles asked for, in each of @classes? @asked NULL: nothing is. A
 * class for which no roles are named is everybody's, but ROLE_BREAK_GLASS and those after it:
 * ROLE_EXPLAIN nobody's. */
bool role_allows(const struct config_roles *asked, const struct claims_codes *borne,
                 unsigned classes);
