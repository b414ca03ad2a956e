/* Tables read backwards. */
#include "fhir/translate/rules.h"

/* Where the first code of @table that becomes @code stands, or would. */
static size_t first_of(const struct rule_table *table, struct str code)
{
    size_t low = 0;
    size_t high = table->back_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        bool before = str_cmp(table->back[middle].code, code) < 0;
        low = before ? middle + 1 : low;
        high = before ? high : middle;
    }
    return low;
}

const struct rule_code *rule_table_back(const struct rule_table *table, struct str system,
                                        struct str code)
{
    size_t i = first_of(table, code);
    for (; i < table->back_count && str_eq(table->back[i].code, code); i++) {
        const struct rule_code *found = &table->back[i];
        struct str of = found->system.n ? found->system : table->system;
        if (!system.n || str_eq(system, of)) {
            return found;
        }
    }
    return NULL;
}
