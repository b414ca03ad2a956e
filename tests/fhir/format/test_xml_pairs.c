/* The published examples in XML and JSON: each becomes the other, and what is written passes
 * the XML schema. */
#include "fhir/format/xml.h"

#include "fhir/format/json.h"
#include "fhir/format/json_node.h"
#include "tests/fhir/format/same.h"

#include <dirent.h>
#include <libxml/xmlschemas.h>

enum {
    TEXT_MAX = 16 << 20,
};

struct pair {
    char *json;
    char *xml;
    size_t json_n;
    size_t xml_n;
};

static void say(const char *name, const char *what, const struct issues *issues)
{
    const struct issue *last = issues->last;
    print_error("%s: %s: %.*s: %.*s\n", name, what, last ? (int)last->place.n : 0,
                last ? last->place.p : "", last ? (int)last->text.n : 0,
                last ? last->text.p : "");
}

static const struct node *read_xml(struct arena *arena, struct str text, const char *name)
{
    struct issues issues;
    issues_init(&issues, arena);
    const struct node *root = NULL;
    if (xml_parse(arena, &schema_r4, text, &issues, &root)) {
        say(name, "XML can't be read", &issues);
    }
    return root;
}

static const struct node *read_json(struct arena *arena, struct str text, const char *name)
{
    struct issues issues;
    issues_init(&issues, arena);
    const struct node *root = NULL;
    if (json_parse(arena, text, &issues, &root)) {
        say(name, "JSON can't be read", &issues);
    }
    return root;
}

static struct str write_xml(struct arena *arena, const struct node *root, const char *name)
{
    struct issues issues;
    issues_init(&issues, arena);
    struct buf out = arena_buf(arena, TEXT_MAX);
    if (xml_write(arena, &schema_r4, root, &issues, &out)) {
        say(name, "XML can't be written", &issues);
        return (struct str){ 0 };
    }
    return buf_str(&out);
}

static xmlSchemaPtr xsd;

static bool is_valid(struct str xml, const char *name)
{
    xmlDocPtr document = xmlReadMemory(xml.p, (int)xml.n, NULL, NULL, XML_PARSE_NOERROR);
    xmlSchemaValidCtxtPtr context = xmlSchemaNewValidCtxt(xsd);
    bool valid = document && context && xmlSchemaValidateDoc(context, document) == 0;
    xmlSchemaFreeValidCtxt(context);
    xmlFreeDoc(document);
    if (!valid) {
        print_error("%s: the XML schema refuses it\n", name);
    }
    return valid;
}

static bool check_pair(const struct pair *pair, const char *name)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
    struct str json = str_of(pair->json, pair->json_n);
    const struct node *from_json = read_json(arena, json, name);
    const struct node *from_xml = read_xml(arena, str_of(pair->xml, pair->xml_n), name);
    if (!from_json || !from_xml) {
        return false;
    }
    bool good = same_tree(from_xml, from_json);

    struct buf written = arena_buf(arena, TEXT_MAX);
    json_node(&written, from_xml);
    assert_false(buf_failed(&written));
    const struct node *json_again = read_json(arena, buf_str(&written), name);
    good = good && json_again && same_tree(json_again, from_json);

    struct str xml = write_xml(arena, from_json, name);
    const struct node *xml_again = xml.n ? read_xml(arena, xml, name) : NULL;
    return good && xml_again && same_tree(xml_again, from_json) && is_valid(xml, name);
}

/* Check each file of @folder, a path below the reference data; how many there were. */
static void check_folder(const char *folder, size_t want)
{
    char path[512];
    char file[1024];
    check_data(folder, path, sizeof(path));
    DIR *dir = opendir(path);
    assert_non_null(dir);
    size_t pairs = 0;
    size_t failed = 0;
    const struct dirent *entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe) */
    for (; entry; entry = readdir(dir)) {      /* NOLINT(concurrency-mt-unsafe) */
        struct str name = str_z(entry->d_name);
        if (!str_ends(name, STR(".json"))) {
            continue;
        }
        struct pair pair = { 0 };
        (void)snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        pair.json = check_read(file, &pair.json_n);
        (void)snprintf(file, sizeof(file), "%s/%.*sxml", path, (int)name.n - 4, name.p);
        pair.xml = check_read(file, &pair.xml_n);
        assert_non_null(pair.json);
        assert_non_null(pair.xml);
        if (!check_pair(&pair, entry->d_name)) {
            print_error("%s differs\n", entry->d_name);
            failed++;
        }
        pairs++;
        free(pair.json);
        free(pair.xml);
    }
    (void)closedir(dir);
    assert_int_equal(pairs, want);
    assert_int_equal(failed, 0);
}

static int load_schema(void **state)
{
    (void)state;
    const char *root = getenv("CHARTSEAL_DATA");
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/fhir_r4/xsd/fhir-single.xsd", root ? root : "");
    xmlSchemaParserCtxtPtr context = root ? xmlSchemaNewParserCtxt(path) : NULL;
    xsd = context ? xmlSchemaParse(context) : NULL;
    xmlSchemaFreeParserCtxt(context);
    return 0;
}

static int free_schema(void **state)
{
    (void)state;
    xmlSchemaFree(xsd);
    return 0;
}

static void test_derived_pairs_are_equal(void **state)
{
    (void)state;
    check_folder("fhir_r4/xml_json_pairs", 136);
}

static void test_published_xml_is_the_published_json(void **state)
{
    (void)state;
    check_folder("fhir_r4/original_xml_expected_json", 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_derived_pairs_are_equal),
        cmocka_unit_test(test_published_xml_is_the_published_json),
    };
    return cmocka_run_group_tests_name("fhir/format/xml_pairs", tests, load_schema,
                                       free_schema);
}
