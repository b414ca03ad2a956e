/* Hostile documents, large ones, and the W3C's: refused or read right, in little time. */
#include "fhir/format/xml_sax.h"

#include "fhir/format/json_node.h"
#include "tests/check.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/uri.h>
#include <libxml/xmlmemory.h>
#include <time.h>

enum {
    CPU_MS = 50, /* for one document, in the usual build */
    MEMORY_MAX = 16 << 20,
    W3C_TESTS = 2200,
};

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
enum { SLOWER = 10 };
#else
enum { SLOWER = 1 };
static void __lsan_disable(void)
{
}
static void __lsan_enable(void)
{
}
#endif

/* What libxml2 holds, and held at most. */
static size_t held;
static size_t most;

/* The allocation that fails, counted from now; 0: none does. */
static size_t failing;

static void *take(size_t n)
{
    bool fails = failing && --failing == 0;
    size_t *p = fails ? NULL : malloc(n + 2 * sizeof(size_t));
    if (!p) {
        return NULL;
    }
    *p = n;
    held += n;
    most = held > most ? held : most;
    return p + 2;
}

static void give(void *p)
{
    if (p) {
        size_t *start = (size_t *)p - 2;
        held -= *start;
        free(start);
    }
}

static void *more(void *p, size_t n)
{
    void *out = take(n);
    if (out && p) {
        size_t before = *((size_t *)p - 2);
        memcpy(out, p, before < n ? before : n);
        give(p);
    }
    return out;
}

static char *copy(const char *z)
{
    size_t n = strlen(z) + 1;
    void *out = take(n);
    return out ? memcpy(out, z, n) : NULL;
}

static int on_start(void *owner, const struct xml_element *element)
{
    size_t *depth = owner;
    (void)element;
    return ++*depth > 512 ? XML_E_FORM : 0;
}

static int on_end(void *owner, size_t after)
{
    size_t *depth = owner;
    (void)after;
    --*depth;
    return 0;
}

static int on_text(void *owner, struct str text)
{
    (void)owner;
    (void)text;
    return 0;
}

static void on_aside(void *owner, const char *what, size_t line)
{
    (void)owner;
    (void)what;
    (void)line;
}

static int read_any(struct str text, struct xml_fault *fault)
{
    size_t depth = 0;
    const struct xml_sax_use use = {
        .start = on_start, .end = on_end, .text = on_text, .aside = on_aside, .owner = &depth
    };
    return xml_sax(text, &use, fault);
}

/* Read @text and say what became of it, within the limits of time and memory. */
static int read_bounded(struct str text, struct xml_fault *fault)
{
    most = held;
    clock_t began = clock();
    int r = read_any(text, fault);
    double ms = (double)(clock() - began) * 1000 / CLOCKS_PER_SEC;
    if (ms > CPU_MS * SLOWER || most - held > MEMORY_MAX) {
        print_error("%.0f ms, %zu bytes\n", ms, most - held);
        fail();
    }
    return r;
}

static void test_hostile_documents(void **state)
{
    static const struct {
        const char *name, *why; /* NULL: is harmless so far, and read */
    } cases[] = {
        { "attr_entity", "document type declaration" },
        { "bad_utf8", "bytes that aren't UTF-8" },
        { "billion_laughs", "document type declaration" },
        { "cdata_split", NULL },
        { "charref_nul", "character that XML doesn't allow" },
        { "charref_surr", "character that XML doesn't allow" },
        { "comment_split_id", NULL },
        { "dup_attr", "attribute given twice" },
        { "ebcdic", "bytes that aren't UTF-8" },
        { "latin1_decl", "another encoding than UTF-8" },
        { "narrative_script", NULL },
        { "no_ns", NULL },
        { "pi", NULL },
        { "prefix_ns", NULL },
        { "quadratic_blowup", "document type declaration" },
        { "two_roots", "something after the end of the document" },
        { "utf16", "bytes that aren't UTF-8" },
        { "utf7_xxe", "another encoding than UTF-8" },
        { "wrong_ns", NULL },
        { "xinclude", NULL },
        { "xxe_dtd", "document type declaration" },
        { "xxe_file", "document type declaration" },
        { "xxe_http", "document type declaration" },
        { "xxe_param", "document type declaration" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char path[512];
        char name[128];
        (void)snprintf(name, sizeof(name), "attack/xml/%s.xml", cases[i].name);
        check_data(name, path, sizeof(path));
        size_t n;
        char *text = check_read(path, &n);
        assert_non_null(text);
        struct xml_fault fault = { .reason = "" };
        int r = read_bounded(str_of(text, n), &fault);
        free(text);
        assert_int_equal(r, cases[i].why ? XML_E_SYNTAX : 0);
        if (cases[i].why) {
            assert_string_equal(fault.reason, cases[i].why);
        }
    }
}

/* As a FHIR resource those of other namespaces are refused as well. */
static void test_hostile_resources(void **state)
{
    static const struct {
        const char *name, *why;
    } cases[] = {
        { "no_ns", "another namespace than http://hl7.org/fhir" },
        { "wrong_ns", "another namespace than http://hl7.org/fhir" },
        { "xinclude", "unknown element" },
        { "prefix_ns", NULL },
        { "pi", NULL },
        { "comment_split_id", NULL },
        { "cdata_split", NULL },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char path[512];
        char name[128];
        (void)snprintf(name, sizeof(name), "attack/xml/%s.xml", cases[i].name);
        check_data(name, path, sizeof(path));
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct issues issues;
        const struct node *root;
        issues_init(&issues, arena);
        size_t n;
        char *text = check_read(path, &n);
        assert_non_null(text);
        int r = xml_parse(arena, &schema_r4, str_of(text, n), &issues, &root);
        assert_int_equal(r, cases[i].why ? XML_E_FORM : 0);
        if (cases[i].why) {
            assert_str(issues.last->text, cases[i].why);
        }
        free(text);
    }
}

/* @n times @part, numbered as an attribute if that is asked for, between @head and @tail. */
struct large {
    const char *head, *part, *tail;
    size_t n;
    bool numbered;
    const char *why; /* "": is read; NULL: the user of the events ends it */
};

/* On the heap. */
static char *make(const struct large *large, size_t *n)
{
    size_t part = strlen(large->part) + 16;
    size_t room = strlen(large->head) + large->n * part + strlen(large->tail) + 1;
    char *text = malloc(room);
    assert_non_null(text);
    struct buf b = buf_fixed(text, room);
    buf_z(&b, large->head);
    for (size_t i = 0; i < large->n; i++) {
        buf_z(&b, large->part);
        if (large->numbered) {
            buf_fmt(&b, "%zu=\"\"", i);
        }
    }
    buf_z(&b, large->tail);
    assert_false(buf_failed(&b));
    *n = b.n;
    return text;
}

static void test_large_documents(void **state)
{
    static const struct large cases[] = {
        { "<a>", "x", "</a>", 11 << 20, false, "a value larger than 10,000,000 bytes" },
        { "<a b=\"", "x", "\"/>", 11 << 20, false, "a value larger than 10,000,000 bytes" },
        { "<a", " a", "/>", 50000, true, "too many attributes" },
        { "<a", " xmlns:a", "/>", 20000, true, "too many attributes" },
        { "<", "a", "/>", 300 << 10, false, "tag too long" },
        { "<a ", "b", "=\"\"/>", 300 << 10, false, "tag too long" },
        { "", "<a>", "", 100000, false, NULL },
        { "<a>", "<!-- -->", "", 100000, false, "the document ends inside of an element" },
        { "<a>", "&amp;", "</a>", 1000000, false, "" },
        { "<a b=\"", "&#65;", "\"/>", 1000000, false, "" },
        { "<a>", "<b/>", "</a>", 50000, false, "" },
        { "<a b='", "<", "'/>", 100000, false, "not well-formed" },
        { "<a", " ", "", 8000, false, "not well-formed" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t n;
        char *text = make(&cases[i], &n);
        struct xml_fault fault = { .reason = NULL };
        int r = read_bounded(str_of(text, n), &fault);
        free(text);
        if (!cases[i].why) {
            assert_int_equal(r, XML_E_FORM);
        } else {
            assert_int_equal(r, *cases[i].why ? XML_E_SYNTAX : 0);
            assert_string_equal(fault.reason ? fault.reason : "", cases[i].why);
        }
    }
}

/* Whichever allocation of libxml2's fails, the resource is read whole or not at all. */
static void test_no_memory_for_the_parser(void **state)
{
    static const char text[] =
        "<Patient xmlns=\"http://hl7.org/fhir\" xmlns:h=\"http://www.w3.org/1999/xhtml\">"
        "<id value=\"a&amp;b&#65;\"/><text><status value=\"generated\"/><h:div a='1' b='2'>"
        "<h:p>c</h:p></h:div></text><extension url=\"u\" id=\"e\"><valueCode value=\"d\"/>"
        "</extension><name><given value=\"A\"/><given value=\"B\"/></name></Patient>";
    static const char want[] =
        "{\"resourceType\":\"Patient\",\"id\":\"a&bA\",\"text\":{\"status\":\"generated\","
        "\"div\":\"<h:div xmlns:h=\\\"http://www.w3.org/1999/xhtml\\\" a='1' b='2'><h:p>c</h:p>"
        "</h:div>\"},\"extension\":[{\"id\":\"e\",\"url\":\"u\",\"valueCode\":\"d\"}],"
        "\"name\":[{\"given\":[\"A\",\"B\"]}]}";
    size_t refused = 0;
    (void)state;

    for (size_t n = 1; n < 200; n++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct issues issues;
        const struct node *root = NULL;
        struct buf json = arena_buf(arena, 4096);
        issues_init(&issues, arena);
        failing = n;
        __lsan_disable(); /* what libxml2 forgets when it can't make a parser */
        int r = xml_parse(arena, &schema_r4, STR(text), &issues, &root);
        __lsan_enable();
        bool reached = failing == 0;
        failing = 0;
        assert_true(r || root);
        if (root) {
            json_node(&json, root);
            assert_str(buf_str(&json), want);
        }
        refused += r != 0;
        if (!reached) {
            break;
        }
    }
    assert_true(refused > 10);
}

/* ---- the W3C's suite ---- */

static bool has(xmlNodePtr test, const char *name, const char *part)
{
    xmlChar *value = xmlGetProp(test, (const xmlChar *)name);
    bool found = value && strstr((const char *)value, part);
    xmlFree(value);
    return found;
}

/* Whether edition 5 of XML 1.0, which we read, has an opinion. */
static bool applies(xmlNodePtr test)
{
    return !xmlHasProp(test, (const xmlChar *)"EDITION") || has(test, "EDITION", "5");
}

static char *file_of(xmlNodePtr test, size_t *n)
{
    xmlChar *uri = xmlGetProp(test, (const xmlChar *)"URI");
    xmlChar *base = xmlNodeGetBase(test->doc, test);
    xmlChar *path = xmlBuildURI(uri, base);
    char *text = check_read((const char *)path, n);
    xmlFree(uri);
    xmlFree(base);
    xmlFree(path);
    return text;
}

static bool has_doctype(const char *text, size_t n)
{
    int options = XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET | XML_PARSE_RECOVER;
    xmlDocPtr document = xmlReadMemory(text, (int)n, NULL, NULL, options);
    bool found = document && document->intSubset;
    xmlFreeDoc(document);
    return found;
}

struct tally {
    size_t seen;
    size_t wrong;
};

/* What isn't well-formed is refused, what is and has no document type declaration is read. */
static void judge(xmlNodePtr test, struct tally *tally)
{
    size_t n = 0;
    char *text = applies(test) ? file_of(test, &n) : NULL;
    if (!text) {
        return;
    }
    struct xml_fault fault = { .reason = "" };
    int r = read_any(str_of(text, n), &fault);
    bool ours = strstr(fault.reason, "another ") || strstr(fault.reason, "UTF-8");
    bool may_fail = ours || has_doctype(text, n) || has(test, "NAMESPACE", "no");
    bool must_fail = has_doctype(text, n) || has(test, "TYPE", "not-wf");
    bool good = r ? may_fail || must_fail : !must_fail;
    if (!good) {
        xmlChar *id = xmlGetProp(test, (const xmlChar *)"ID");
        print_error("%s: %d %s\n", (const char *)id, r, fault.reason);
        xmlFree(id);
        tally->wrong++;
    }
    tally->seen++;
    free(text);
}

static void judge_all(xmlNodePtr at, struct tally *tally)
{
    for (; at; at = at->next) {
        if (at->type == XML_ELEMENT_NODE && xmlStrEqual(at->name, (const xmlChar *)"TEST")) {
            judge(at, tally);
        }
        judge_all(at->children, tally);
    }
}

/* libxml2's tree, with which the tests look at documents, has much to say about them. */
static void say_nothing(void *owner, const char *format, ...)
{
    (void)owner;
    (void)format;
}

static const char *suite;

static void test_w3c_suite(void **state)
{
    char path[512];
    (void)state;

    (void)snprintf(path, sizeof(path), "%s/xmlconf.xml", suite);
    xmlDocPtr catalogue = xmlReadFile(path, NULL, XML_PARSE_NOENT | XML_PARSE_NOERROR);
    if (!catalogue) {
        print_message("skipped: no W3C suite in %s\n", suite);
        skip();
    }
    struct tally tally = { .seen = 0 };
    judge_all(xmlDocGetRootElement(catalogue), &tally);
    xmlFreeDoc(catalogue);
    print_message("%zu documents of the W3C's suite\n", tally.seen);
    assert_true(tally.seen > W3C_TESTS);
    assert_int_equal(tally.wrong, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_documents),
        cmocka_unit_test(test_hostile_resources),
        cmocka_unit_test(test_large_documents),
        cmocka_unit_test(test_no_memory_for_the_parser),
        cmocka_unit_test(test_w3c_suite),
    };
    suite = argc > 1 ? argv[1] : "";
    xmlSetGenericErrorFunc(NULL, say_nothing);
    (void)xmlMemSetup(give, take, more, copy);
    return cmocka_run_group_tests_name("fhir/format/xml_sax", tests, NULL, NULL);
}
