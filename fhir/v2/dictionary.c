/*
 * Looking things up in the dictionary's rows.
 *
 * All lists that are searched are sorted by the generator, so everything is a binary search or
 * an index. What stays the same over several versions exists once, by reference.
 */
#include "fhir/v2/dictionary.h"

#include "fhir/v2/dictionary_rows.h"

static const char *const version_names[V2_VERSIONS] = {
    "2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1",
};

const char *v2_version_name(enum v2_version version)
{
    return version_names[version];
}

/* "2.8", "2.9.1": a minor number beyond those known. */
static bool later(struct str text)
{
    if (!str_starts(text, STR("2."))) {
        return false;
    }
    struct str minor = str_slice(text, 2, text.n);
    minor = str_cut(&minor, '.');
    bool digits = minor.n >= 1 && minor.n <= 2;
    for (size_t i = 0; i < minor.n; i++) {
        digits &= minor.p[i] >= '0' && minor.p[i] <= '9';
    }
    return digits && (minor.n == 2 ? minor.p[0] > '0' : minor.p[0] > '7');
}

enum v2_version_fit v2_version_find(struct str text, enum v2_version *out)
{
    for (int i = 0; i < V2_VERSIONS; i++) {
        if (str_eq(text, str_z(version_names[i]))) {
            *out = (enum v2_version)i;
            return V2_VERSION_KNOWN;
        }
    }
    bool beyond = later(text) || str_starts(text, STR("2.7."));
    *out = beyond ? V2_VERSION_LAST : V2_VERSION_USUAL;
    return beyond ? V2_VERSION_LATER : V2_VERSION_UNKNOWN;
}

static const char *text_at(uint32_t offset)
{
    return v2_texts + offset;
}

/* Row @name of @n sorted @rows, or NULL. */
static const struct v2_owner_row *owner(const struct v2_owner_row *rows, size_t n,
                                        struct str name)
{
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(name, str_z(rows[middle].name));
        if (order == 0) {
            return &rows[middle];
        }
        low = order > 0 ? middle + 1 : low;
        high = order > 0 ? high : middle;
    }
    return NULL;
}

static bool define(const struct v2_owner_row *row, enum v2_version version,
                   struct v2_definition *out)
{
    if (!row || !row->definitions[version]) {
        return false;
    }
    const struct v2_definition_row *definition = &v2_definition_rows[row->definitions[version]];
    *out = (struct v2_definition){
        .name = row->name,
        .text = text_at(row->text),
        .count = definition->count,
        .items = v2_item_refs + definition->items,
        .names = v2_item_names + row->names,
    };
    return true;
}

bool v2_segment_definition(enum v2_version version, struct str name, struct v2_definition *out)
{
    return define(owner(v2_segment_rows, v2_segment_rows_n, name), version, out);
}

bool v2_type_definition(enum v2_version version, struct str name, struct v2_definition *out)
{
    return define(owner(v2_type_rows, v2_type_rows_n, name), version, out);
}

bool v2_item(const struct v2_definition *definition, uint32_t number, struct v2_item *out)
{
    if (number == 0 || number > definition->count) {
        return false;
    }
    const struct v2_item_row *row = &v2_item_rows[definition->items[number - 1]];
    *out = (struct v2_item){
        .name = text_at(definition->names[number - 1]),
        .type = text_at(v2_type_names[row->type]),
        .use = (enum v2_use)(row->table >> V2_ITEM_USE_SHIFT),
        .repeat = row->repeat,
        .length = row->length,
        .table = row->table & V2_ITEM_TABLE,
    };
    return true;
}

/* --- structures --------------------------------------------------------------------------- */

const char *v2_node_name(const struct v2_node *node)
{
    switch (v2_node_kind(node)) {
    case V2_NODE_SEGMENT: return v2_segment_rows[node->id].name;
    case V2_NODE_GROUP: return text_at(v2_group_names[node->id - V2_NODE_GROUP_ID]);
    case V2_NODE_CHOICE: break;
    }
    return "";
}

uint16_t v2_segment_id(struct str name)
{
    const struct v2_owner_row *row = owner(v2_segment_rows, v2_segment_rows_n, name);
    return row ? (uint16_t)(row - v2_segment_rows) : V2_SEGMENT_ID_NONE;
}

const struct v2_node *v2_structure_root(enum v2_version version, struct str name)
{
    size_t low = 0;
    size_t high = v2_structure_rows_n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct v2_structure_row *row = &v2_structure_rows[middle];
        int order = str_cmp(name, str_z(row->name));
        if (order == 0) {
            return row->roots[version] ? &v2_nodes[row->roots[version] - 1] : NULL;
        }
        low = order > 0 ? middle + 1 : low;
        high = order > 0 ? high : middle;
    }
    return NULL;
}

/* --- tables ------------------------------------------------------------------------------- */

static const struct v2_table_row *table_row(uint32_t table)
{
    size_t low = 0;
    size_t high = v2_table_rows_n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct v2_table_row *row = &v2_table_rows[middle];
        if (row->number == table) {
            return row;
        }
        low = table > row->number ? middle + 1 : low;
        high = table > row->number ? high : middle;
    }
    return NULL;
}

const char *v2_table_name(uint32_t table)
{
    const struct v2_table_row *row = table_row(table);
    return row ? text_at(row->name) : NULL;
}

enum v2_coded v2_table_code(uint32_t table, struct str code, const char **name)
{
    const struct v2_table_row *row = table_row(table);
    if (!row || row->count == 0) {
        return V2_CODE_NO_TABLE;
    }
    size_t low = row->codes;
    size_t high = low + row->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(code, str_z(text_at(v2_code_rows[middle].code)));
        if (order == 0) {
            if (name) {
                *name = text_at(v2_code_rows[middle].name);
            }
            return V2_CODE_KNOWN;
        }
        low = order > 0 ? middle + 1 : low;
        high = order > 0 ? high : middle;
    }
    return V2_CODE_UNKNOWN;
}
