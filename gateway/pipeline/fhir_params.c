/* One value each, by name; parts and resources are whoever wants them's own. */
#include "gateway/pipeline/fhir_params.h"

#include "gateway/clock.h"

/* NULL if it isn't there. */
static const struct node *parameter(const struct node *root, const char *name)
{
    const struct node *at = node_first(node_get(root, "parameter"));
    while (at && !str_eq(node_text(at, "name"), str_z(name))) {
        at = at->next;
    }
    return at;
}

const struct node *fhir_given_part(const struct node *root, const char *name)
{
    const struct node *value = node_first(parameter(root, name));
    while (value && !str_starts(value->name, STR("value"))) {
        value = value->next;
    }
    return value;
}

struct str fhir_given(const struct node *root, const char *name)
{
    const struct node *value = fhir_given_part(root, name);
    return value ? value->text : STR("");
}

const struct node *fhir_given_resource(const struct node *root, const char *name)
{
    return node_get(parameter(root, name), "resource");
}

bool fhir_given_true(const struct node *root, const char *name)
{
    return node_is(fhir_given_part(root, name), NODE_TRUE);
}

struct json_writer fhir_params_begin(struct buf *out)
{
    struct json_writer w = json_writer(out);
    json_object(&w, NULL);
    json_z(&w, "resourceType", "Parameters");
    json_array(&w, "parameter");
    return w;
}

static void begin(struct json_writer *w, const char *name)
{
    json_object(w, NULL);
    json_z(w, "name", name);
}

void fhir_params_word(struct json_writer *w, const char *name, const char *word)
{
    begin(w, name);
    json_z(w, "valueCode", word);
    json_end(w);
}

void fhir_params_count(struct json_writer *w, const char *name, uint64_t value)
{
    begin(w, name);
    json_u64(w, "valueInteger", value);
    json_end(w);
}

void fhir_params_text(struct json_writer *w, const char *name, struct str value)
{
    begin(w, name);
    json_string(w, "valueString", value);
    json_end(w);
}

void fhir_params_time(struct json_writer *w, const char *name, int64_t utc_ms)
{
    char memory[CLOCK_UTC_SIZE];
    struct buf text = buf_fixed(memory, sizeof(memory));
    clock_utc_put(&text, utc_ms);
    begin(w, name);
    json_string(w, "valueInstant", buf_str(&text));
    json_end(w);
}

void fhir_params_flag(struct json_writer *w, const char *name, bool value)
{
    begin(w, name);
    json_bool(w, "valueBoolean", value);
    json_end(w);
}

void fhir_params_end(struct json_writer *w)
{
    json_end(w);
    json_end(w);
}
