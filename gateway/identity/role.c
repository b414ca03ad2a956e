/* Comparison is exact, as codes are: no case folding, no default system. */
#include "gateway/identity/role.h"

#include "gateway/identity/scope.h"

#include <string.h>

enum {
    NAMED_ONLY =
        ROLE_BREAK_GLASS | ROLE_EXPLAIN | ROLE_ATTEST, /* without roles named: nobody's */
};

bool role_known_form(const char *text)
{
    struct claims_code role = claims_code(str_z(text));
    bool halved = role.system.p && role.system.n == 0;
    return role.code.n > 0 && !halved && text[strcspn(text, " \t\r\n")] == '\0';
}

unsigned role_classes(unsigned rights)
{
    unsigned writes = rights & (SCOPE_CREATE | SCOPE_UPDATE | SCOPE_DELETE);
    return (rights & SCOPE_READ ? ROLE_READ : 0U) | (rights & SCOPE_SEARCH ? ROLE_SEARCH : 0U) |
           (writes ? ROLE_WRITE : 0U);
}

static bool bears(const struct claims_codes *borne, const char *asked)
{
    struct claims_code role = claims_code(str_z(asked));
    for (size_t i = 0; i < borne->count; i++) {
        if (str_eq(borne->items[i].code, role.code) &&
            str_eq(borne->items[i].system, role.system)) {
            return true;
        }
    }
    return false;
}

bool role_allows(const struct config_roles *asked, const struct claims_codes *borne,
                 unsigned classes)
{
    if (!asked) {
        return !(classes & NAMED_ONLY);
    }
    const struct {
        enum role_class class;
        const struct config_strings *roles;
    } lists[] = {
        { ROLE_READ, &asked->read },
        { ROLE_SEARCH, &asked->search },
        { ROLE_WRITE, &asked->write },
        { ROLE_CONSENT, &asked->consent },
        { ROLE_BREAK_GLASS, &asked->break_glass },
        { ROLE_EXPLAIN, &asked->explain },
        { ROLE_ATTEST, &asked->attest },
    };
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        bool unnamed = lists[i].roles->n == 0 && !(lists[i].class & NAMED_ONLY);
        bool has = !(classes & lists[i].class) || unnamed;
        for (size_t n = 0; !has && n < lists[i].roles->n; n++) {
            has = bears(borne, lists[i].roles->items[n]);
        }
        if (!has) {
            return false;
        }
    }
    return true;
}
