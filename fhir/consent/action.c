/* Actions: five names, and what interactions amount to. */
#include "fhir/consent/action.h"

#include "crypto/base/attr.h"

#include <assert.h>

static const char *const names[ACTION_COUNT] = {
    "access", "collect", "correct", "disclose", "use",
};

static const struct {
    const char *interaction;
    enum action action;
} interactions[] = {
    { "read", ACTION_ACCESS },          { "vread", ACTION_ACCESS },
    { "search", ACTION_ACCESS },        { "search-type", ACTION_ACCESS },
    { "search-system", ACTION_ACCESS }, { "search-compartment", ACTION_ACCESS },
    { "history", ACTION_ACCESS },       { "history-instance", ACTION_ACCESS },
    { "history-type", ACTION_ACCESS },  { "history-system", ACTION_ACCESS },
    { "create", ACTION_COLLECT },       { "update", ACTION_CORRECT },
    { "patch", ACTION_CORRECT },        { "delete", ACTION_CORRECT },
    { "operation", ACTION_DISCLOSE },
};

enum action action_of(struct str code)
{
    for (unsigned i = 0; i < ACTION_COUNT; i++) {
        if (str_eq(code, str_z(names[i]))) {
            return (enum action)(1U << i);
        }
    }
    return ACTION_NONE;
}

const char *action_name(unsigned index)
{
    assert(index < ACTION_COUNT);
    return names[index];
}

enum action action_of_interaction(struct str interaction)
{
    for (size_t i = 0; i < ARRAY_LEN(interactions); i++) {
        if (str_eq(interaction, str_z(interactions[i].interaction))) {
            return interactions[i].action;
        }
    }
    return ACTION_NONE;
}
