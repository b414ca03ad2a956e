/* Reading JSON: what is accepted, what is refused and why, and where values stand. */
#include "fhir/format/json.h"
#include "fhir/format/json_stream.h"
#include "tests/check.h"

#include <dirent.h>
#include <errno.h>

static int parse(struct arena *arena, struct str text, const char **reason,
                 const struct node **root)
{
    struct issues issues;
    issues_init(&issues, arena);
    int r = json_parse(arena, text, &issues, root);
    if (reason) {
        *reason = issues.first ? issues.first->text.p : NULL;
    }
    return r;
}

static void test_refused_with_reason(void **state)
{
    static const struct {
        struct str in;
        const char *reason;
    } cases[] = {
        { STR_INIT(""), "not JSON" },
        { STR_INIT(" "), "not JSON" },
        { STR_INIT("{\"a\":1,}"), "not JSON" },
        { STR_INIT("{\"a\":1}{}"), "not JSON" },
        { STR_INIT("[1\f]"), "not JSON" },
        { STR_INIT("[1\v]"), "not JSON" },
        { STR_INIT("[01]"), "not JSON" },
        { STR_INIT("[NaN]"), "not JSON" },
        { STR_INIT("[1,/* */2]"), "not JSON" },
        { STR_INIT("[\"a\tb\"]"), "not JSON" },
        { STR_INIT("\xEF\xBB\xBF{}"), "byte order mark" },
        { STR_INIT("[\"\xC0\x80\"]"), "not UTF-8" },
        { STR_INIT("[\"\xED\xA0\x80\"]"), "not UTF-8" },
        { STR_INIT("[\"\xF4\x90\x80\x80\"]"), "not UTF-8" },
        { STR_INIT("[\"\xE2\x82\"]"), "not UTF-8" },
        { STR_INIT("[\"\\ud800\"]"), "lone surrogate" },
        { STR_INIT("[\"\\udc00\"]"), "lone surrogate" },
        { STR_INIT("[\"\\ud800x\"]"), "lone surrogate" },
        { STR_INIT("[\"\\ud800\\ud800\\udc00\"]"), "lone surrogate" },
        { STR_INIT("{\"\\udc00\":1}"), "lone surrogate" },
        { STR_INIT("[\"a\\u0000b\"]"), "U+0000 in a string" },
        { STR_INIT("{\"\\u0000\":1}"), "U+0000 in a string" },
        { STR_INIT("{\"a\":1,\"a\":1}"), "duplicate member name" },
        { STR_INIT("{\"id\":1,\"\\u0069d\":1}"), "duplicate member name" },
        { STR_INIT("{\"\":1,\"\":1}"), "duplicate member name" },
        { STR_INIT("{\"x\":[{\"a\":1,\"b\":2,\"a\":1}]}"), "duplicate member name" },
        { STR_INIT("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,"
                   "\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"c\":1}"),
          "duplicate member name" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        const struct node *root = NULL;
        const char *reason;
        assert_int_equal(parse(arena, cases[i].in, &reason, &root), JSON_E_SYNTAX);
        assert_non_null(reason);
        assert_string_equal(reason, cases[i].reason);
        assert_null(root);
    }
}

static void test_accepted_text(void **state)
{
    static const struct {
        const char *in;
        enum node_kind kind;
        const char *text;
    } cases[] = {
        { "1.00", NODE_NUMBER, "1.00" },
        { " 12 ", NODE_NUMBER, "12" },
        { "-0.0", NODE_NUMBER, "-0.0" },
        { "1e999999999", NODE_NUMBER, "1e999999999" },
        { "\"\"", NODE_STRING, "" },
        { "\"a\\/b\\n\"", NODE_STRING, "a/b\n" },
        { "\"\\u00e4\"", NODE_STRING, "\xC3\xA4" },
        { "\"\\ud834\\udd1e\"", NODE_STRING, "\xF0\x9D\x84\x9E" },
        { "\"\\\\ud800\"", NODE_STRING, "\\ud800" },
        { "true", NODE_TRUE, "" },
        { "false", NODE_FALSE, "" },
        { "null", NODE_NULL, "" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        const struct node *root;
        assert_int_equal(parse(arena, str_z(cases[i].in), NULL, &root), 0);
        assert_int_equal(root->kind, cases[i].kind);
        assert_str(root->text, cases[i].text);
    }
}

static void test_offsets_are_the_source(void **state)
{
    (void)state;
    struct str text =
        STR(" {\"a\" : [ 1.50 , \"x\\ty\",{ } ], \"\\u0062\" :\ttrue, \"c\":null}\n");
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    const struct node *root;
    assert_int_equal(parse(arena, text, NULL, &root), 0);
    assert_int_equal(root->start, 1);
    assert_int_equal(root->end, text.n - 1);

    const struct node *a = node_get(root, "a");
    assert_str(str_slice(text, a->start, a->end), "[ 1.50 , \"x\\ty\",{ } ]");
    assert_str(str_slice(text, a->first->start, a->first->end), "1.50");
    const struct node *s = a->first->next;
    assert_str(str_slice(text, s->start, s->end), "\"x\\ty\"");
    assert_str(str_slice(text, s->next->start, s->next->end), "{ }");
    const struct node *b = node_get(root, "b");
    assert_str(str_slice(text, b->start, b->end), "true");
    assert_str(str_slice(text, b->next->start, b->next->end), "null");
    assert_ptr_equal(s->parent, a);
}

/* @n times @unit, then @tail, on the heap. */
static char *repeat(const char *unit, size_t n, const char *tail)
{
    size_t length = strlen(unit);
    char *text = malloc(n * length + strlen(tail) + 1);
    assert_non_null(text);
    for (size_t i = 0; i < n; i++) {
        memcpy(text + i * length, unit, length);
    }
    memcpy(text + n * length, tail, strlen(tail) + 1);
    return text;
}

static void test_limits(void **state)
{
    static const struct {
        const char *unit;
        size_t n;
        const char *tail, *reason; /* NULL: not told */
        int want;
    } cases[] = {
        { "[", 65, "", "nested too deep", JSON_E_SYNTAX },
        { "{\"a\":", 100000, "", "nested too deep", JSON_E_SYNTAX },
        { "1", 257, "", "number too long", JSON_E_SYNTAX },
        { "1", 256, "", NULL, 0 },
        { "1", 1 << 20, "", "number too long", JSON_E_SYNTAX },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        char *text = repeat(cases[i].unit, cases[i].n, cases[i].tail);
        const char *reason;
        const struct node *root;
        assert_int_equal(parse(arena, str_z(text), &reason, &root), cases[i].want);
        if (cases[i].reason) {
            assert_string_equal(reason, cases[i].reason);
        }
        free(text);
    }
}

static void test_many_names(void **state)
{
    (void)state;
    char *text = malloc(3 << 20);
    assert_non_null(text);
    for (int twice = 0; twice < 2; twice++) {
        int n = sprintf(text, "{\"x\":0");
        for (int i = 0; i < 100000; i++) {
            n += sprintf(text + n, ",\"key %d\":%d", twice && i == 99999 ? 5 : i, i);
        }
        n += sprintf(text + n, "}");
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        const struct node *root;
        int r = parse(arena, str_of(text, (size_t)n), NULL, &root);
        assert_int_equal(r, twice ? JSON_E_SYNTAX : 0);
    }
    free(text);
}

/* Verdict of the piecewise reader on @text cut into pieces of @size. */
static int ignore(void *owner, const struct json_event *event)
{
    (void)owner;
    (void)event;
    return 0;
}

static int by_pieces(struct str text, size_t size)
{
    struct json_stream_use use = { .event = ignore, .held = JSON_TEXT_MAX };
    CLEANUP(json_stream_freep) struct json_stream *s = json_stream_new(&use);
    assert_non_null(s);
    int r = 0;
    for (size_t at = 0; !r && at < text.n; at += size) {
        r = json_stream_push(s, str_slice(text, at, at + size));
    }
    return r ? r : json_stream_finish(s);
}

static void check_suite_file(const char *folder, const char *name)
{
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    size_t n;
    char *text = check_read(path, &n);
    assert_non_null(text);
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    const struct node *root;
    int r = parse(arena, str_of(text, n), NULL, &root);
    bool duplicate = strstr(name, "duplicated_key"); /* RFC 8259 lets a reader refuse these */
    bool nul = strstr(name, "null_escape") || strstr(name, "escaped_null");
    int want = name[0] == 'y' && !duplicate && !nul ? 0 : JSON_E_SYNTAX;
    if (name[0] != 'i' && r != want) {
        fail_msg("%s: %d", name, r);
    }
    if (!duplicate) {
        for (size_t size = 1; size < 9; size++) {
            assert_int_equal(by_pieces(str_of(text, n), size), r);
        }
    }
    free(text);
}

static void test_suite(void **state)
{
    (void)state;
    char folder[512];
    check_data("attack/json/test_parsing", folder, sizeof(folder));
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int count = 0;
    for (const struct dirent *entry; (entry = readdir(dir));) {
        if (strchr("yni", entry->d_name[0])) {
            check_suite_file(folder, entry->d_name);
            count++;
        }
    }
    (void)closedir(dir);
    assert_true(count > 300);
}

static void test_own_traps(void **state)
{
    static const char *const refused[] = {
        "bom.json",
        "comment.json",
        "deep_100k.json",
        "dup_key.json",
        "nul_escape.json",
        "overlong_utf8.json",
        "dup_key_escaped.json",
        "trailing.json",
        "resourcetype_twice.json",
        "surrogate_lone.json",
        "surrogate_utf8.json",
        NULL,
    };
    static const char *const accepted[] = {
        "bignum.json", "decimal.json",           "exp_bomb.json",          "neg_zero.json",
        "proto.json",  "resourcetype_case.json", "resourcetype_last.json", NULL,
    };
    (void)state;

    char folder[512];
    check_data("attack/json/own", folder, sizeof(folder));
    for (int ok = 0; ok < 2; ok++) {
        for (const char *const *name = ok ? accepted : refused; *name; name++) {
            char path[1024];
            (void)snprintf(path, sizeof(path), "%s/%s", folder, *name);
            size_t n;
            char *text = check_read(path, &n);
            assert_non_null(text);
            CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
            const struct node *root;
            int r = parse(arena, str_of(text, n), NULL, &root);
            if (r != (ok ? 0 : JSON_E_SYNTAX)) {
                fail_msg("%s: %d", *name, r);
            }
            free(text);
        }
    }
}

static void test_memory_bound(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(256);
    arena_limit(arena, 4096);
    char *text = repeat("11,", 1000, "1]");
    text[0] = '[';
    const struct node *root;
    assert_int_equal(parse(arena, str_z(text), NULL, &root), -ENOMEM);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_with_reason),
        cmocka_unit_test(test_accepted_text),
        cmocka_unit_test(test_offsets_are_the_source),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_suite),
        cmocka_unit_test(test_own_traps),
        cmocka_unit_test(test_memory_bound),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
