/*
 * SMART scopes: what a token may do to which resource type.
 *
 * Both forms are read: version 1 "patient/Observation.read", version 2 "user/Observation.rs".
 * A scope with search parameters ("…rs?category=…") grants nothing, as does anything not
 * understood: what can't be enforced is not granted.
 *
 * Spec: SMART App Launch 2.2, scopes-and-launch-context; 1.0.0 for version 1
 */
#pragma once

#include "crypto/base/str.h"

#include <stdbool.h>

struct interaction;

enum scope_context {
    SCOPE_PATIENT = 1, /* only the patient of the launch context */
    SCOPE_USER = 2,    /* whatever the user may see */
    SCOPE_SYSTEM = 4,  /* whatever the client may see, without a user */
};

enum scope_right {
    SCOPE_CREATE = 1,
    SCOPE_READ = 2,
    SCOPE_UPDATE = 4,
    SCOPE_DELETE = 8,
    SCOPE_SEARCH = 16,
};

/**
 * scope_contexts() - in which contexts a right is granted
 * @scopes: names with single spaces between, as in the claim "scope"
 * @type:   resource type; empty: of all types, which only "*" grants
 * @rights: enum scope_right, joined; all of them must be granted in a context, not
 *          necessarily by one scope
 *
 * Return: enum scope_context, joined; 0: nowhere
 */
unsigned scope_contexts(struct str scopes, struct str type, unsigned rights);

/* Whether @context grants all of @rights on @type. */
bool scope_allows(struct str scopes, enum scope_context context, struct str type,
                  unsigned rights);

/*
 * The rights that @interaction needs: of conditional ones searching too. 0 if scopes have no
 * word for it: a batch, whose entries need their own, and operations, which need a rule.
 */
unsigned scope_rights(const struct interaction *interaction);
