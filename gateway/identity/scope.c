/*
 * Scopes, one after the other: each grants rights in one context, or nothing.
 *
 * The rights of all scopes of a context are joined before they are compared, so that
 * a right to read all types and one to search observations permit both on observations.
 */
#include "gateway/identity/scope.h"

#include "fhir/rest/interaction.h"

enum {
    CONTEXTS = 3,
    SCOPE_ALL = SCOPE_CREATE | SCOPE_READ | SCOPE_UPDATE | SCOPE_DELETE | SCOPE_SEARCH,
};

static const struct {
    const char *name;
    enum scope_context context;
} contexts[CONTEXTS] = {
    { "patient", SCOPE_PATIENT },
    { "user", SCOPE_USER },
    { "system", SCOPE_SYSTEM },
};

/* What follows the dot in version 1. */
static const struct {
    const char *name;
    unsigned rights;
} words[] = {
    { "read", SCOPE_READ | SCOPE_SEARCH },
    { "write", SCOPE_CREATE | SCOPE_UPDATE | SCOPE_DELETE },
    { "*", SCOPE_ALL },
};

/* Letters of version 2, in the order in which they must come. */
static const struct {
    char letter;
    enum scope_right right;
} letters[] = {
    { 'c', SCOPE_CREATE }, { 'r', SCOPE_READ },   { 'u', SCOPE_UPDATE },
    { 'd', SCOPE_DELETE }, { 's', SCOPE_SEARCH },
};

/* Rights of letters such as "rs"; 0 if they aren't in order or one is foreign. */
static unsigned rights_of_letters(struct str text)
{
    unsigned rights = 0;
    size_t at = 0;
    for (size_t i = 0; i < ARRAY_LEN(letters) && at < text.n; i++) {
        if (text.p[at] == letters[i].letter) {
            rights |= letters[i].right;
            at++;
        }
    }
    return at == text.n ? rights : 0;
}

static unsigned rights_of(struct str text)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eq(text, str_z(words[i].name))) {
            return words[i].rights;
        }
    }
    return rights_of_letters(text);
}

/* Rights on @type that @scope grants, and in which context (an index); 0: none. */
static unsigned granted(struct str scope, struct str type, size_t *context)
{
    struct str rest = scope;
    struct str name = str_cut(&rest, '/');
    struct str of_type = str_cut(&rest, '.');
    bool every = str_eq(of_type, STR("*"));
    if (!every && (type.n == 0 || !str_eq(of_type, type))) {
        return 0;
    }
    for (size_t i = 0; i < CONTEXTS; i++) {
        if (str_eq(name, str_z(contexts[i].name))) {
            *context = i;
            return rights_of(rest);
        }
    }
    return 0;
}

unsigned scope_contexts(struct str scopes, struct str type, unsigned rights)
{
    unsigned have[CONTEXTS] = { 0 };
    while (scopes.n) {
        struct str scope = str_cut(&scopes, ' ');
        size_t context = 0;
        unsigned more = granted(scope, type, &context);
        have[context] |= more;
    }
    unsigned found = 0;
    for (size_t i = 0; rights && i < CONTEXTS; i++) {
        if ((have[i] & rights) == rights) {
            found |= (unsigned)contexts[i].context;
        }
    }
    return found;
}

bool scope_allows(struct str scopes, enum scope_context context, struct str type,
                  unsigned rights)
{
    return (scope_contexts(scopes, type, rights) & (unsigned)context) != 0;
}

unsigned scope_rights(const struct interaction *interaction)
{
    unsigned search = interaction->conditional ? SCOPE_SEARCH : 0;
    switch (interaction->kind) {
    case INTERACTION_READ:
    case INTERACTION_VREAD:
    case INTERACTION_HISTORY_INSTANCE: return SCOPE_READ | search;
    case INTERACTION_SEARCH: return SCOPE_SEARCH;
    case INTERACTION_CREATE: return SCOPE_CREATE | search;
    case INTERACTION_UPDATE:
    case INTERACTION_PATCH: return SCOPE_UPDATE | search;
    case INTERACTION_DELETE: return SCOPE_DELETE | search;
    case INTERACTION_REFUSED:
    case INTERACTION_CAPABILITIES:
    case INTERACTION_BATCH:
    case INTERACTION_OPERATION: return 0;
    }
    return 0;
}
