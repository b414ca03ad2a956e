/* Looking up rows; types are sorted. */
#include "fhir/compartment/table.h"

#include "crypto/base/attr.h"
#include "fhir_subjects.h"

#include <stdlib.h>

static int by_name(const void *key, const void *row)
{
    const struct table_type *type = row;
    return str_cmp(*(const struct str *)key, type->name);
}

const struct table_type *table_find(struct str type)
{
    return bsearch(&type, type_rows, ARRAY_LEN(type_rows), sizeof(type_rows[0]), by_name);
}

unsigned table_number(const struct table_type *type)
{
    return type ? (unsigned)(type - type_rows) + 1 : 0;
}

const struct table_type *table_of_number(unsigned number)
{
    return number && number <= ARRAY_LEN(type_rows) ? &type_rows[number - 1] : NULL;
}

const struct table_path *table_paths(const struct table_type *type)
{
    return &path_rows[type->first];
}

enum table_says table_role(const struct table_type *type, struct str path)
{
    const struct table_path *rows = table_paths(type);
    for (size_t i = 0; i < type->count; i++) {
        if (rows[i].says < TABLE_WHEN && str_eq(path, rows[i].path)) {
            return rows[i].says;
        }
    }
    return TABLE_OTHER;
}
