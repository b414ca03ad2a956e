/* Filtering Bundles: what leaves, what doesn't, and that what leaves is as it came. */
#include "fhir/bundle/filter.h"

#include "fhir/base/arena.h"
#include "fhir/format/json.h"
#include "tests/check.h"

#include <zlib.h>

#define UP "http://up/fhir"
#define NOTICE "{\"search\":{\"mode\":\"outcome\"}}"

enum {
    OUT_MAX = 64 << 20,
};

static char out_memory[OUT_MAX];

/* How entries are answered in a test: by a digit in the id of the resource, or all alike. */
enum rule { RULE_BY_ID, RULE_ALL, RULE_NONE };

/*
 * RULE_BY_ID: an id that ends in x is removed, one in r is replaced.
 */
static int answer(struct bundle_filter *f, const struct bundle_entry *entry, enum rule rule)
{
    struct str id = node_text(entry->resource, "id");
    enum bundle_verdict verdict = BUNDLE_RELEASE;
    if (rule == RULE_NONE || (rule == RULE_BY_ID && str_ends(id, STR("x")))) {
        verdict = BUNDLE_REMOVE;
    } else if (rule == RULE_BY_ID && str_ends(id, STR("r"))) {
        verdict = BUNDLE_REPLACE;
    }
    return bundle_filter_answer(f, entry, verdict, STR("{\"new\":1}"));
}

static int answer_all(struct bundle_filter *f, enum rule rule, size_t *shown)
{
    const struct bundle_entry *entry;
    int r = 0;
    while (!r && (entry = bundle_filter_next(f))) {
        *shown += 1;
        r = answer(f, entry, rule);
    }
    return r;
}

struct run {
    struct bundle_filter_options options;
    enum rule rule;
    size_t piece; /* 0: in one */
    size_t cut;   /* of the first piece; 0: as the others */
    size_t shown; /* out */
    struct str out;
};

static int run(struct run *run, struct str text)
{
    struct buf out = buf_fixed(out_memory, sizeof(out_memory));
    if (!run->options.held) {
        run->options.held = BUNDLE_HELD_USUAL;
    }
    CLEANUP(bundle_filter_freep)
    struct bundle_filter *f = bundle_filter_new(&run->options, &out);
    assert_non_null(f);
    run->shown = 0;
    size_t size = run->cut ? run->cut : run->piece ? run->piece : text.n;
    int r = 0;
    for (size_t at = 0; at < text.n && !r;
         at += size, size = run->piece ? run->piece : text.n) {
        r = bundle_filter_push(f, str_slice(text, at, at + size));
        r = r ? r : answer_all(f, run->rule, &run->shown);
    }
    r = r ? r : bundle_filter_finish(f);
    r = r ? r : answer_all(f, run->rule, &run->shown);
    assert_int_equal(bundle_filter_done(f), r == 0);
    run->out = buf_str(&out);
    return r;
}

#define RT "\"resourceType\":\"Bundle\",\"type\":\"searchset\""
#define ENTRY(id) "{\"resource\":{\"resourceType\":\"Basic\",\"id\":\"" id "\"}}"

static void test_cases(void **state)
{
    static const struct {
        const char *in, *want; /* want NULL: as it came */
        bool notice;
    } cases[] = {
        { "{" RT "}", NULL, false },
        { " {" RT ",\"entry\":[" ENTRY("1") " , " ENTRY("2") "\n] }\n ", NULL, false },
        { "{" RT ",\"entry\":[" ENTRY("1x") "," ENTRY("2") "]}",
          "{" RT ",\"entry\":[" ENTRY("2") "]}", false },
        { "{" RT ",\"entry\":[ " ENTRY("1") " , " ENTRY("2x") " , " ENTRY("3") " ]}",
          "{" RT ",\"entry\":[ " ENTRY("1") " , " ENTRY("3") " ]}", false },
        { "{" RT ",\"entry\":[" ENTRY("1") "," ENTRY("2x") "]}",
          "{" RT ",\"entry\":[" ENTRY("1") "]}", false },
        { "{" RT ",\"entry\":[" ENTRY("1x") "]}", "{" RT ",\"entry\":[" NOTICE "]}", true },
        { "{" RT ",\"entry\":[" ENTRY("1") "]}",
          "{" RT ",\"entry\":[" ENTRY("1") "," NOTICE "]}", true },
        { "{" RT ",\"entry\":[]}", "{" RT ",\"entry\":[" NOTICE "]}", true },
        { "{" RT " }", "{" RT ",\"entry\":[" NOTICE "] }", true },
        { "{" RT ",\"entry\":[" ENTRY("1r") "," ENTRY("2") "]}",
          "{" RT ",\"entry\":[{\"new\":1}," ENTRY("2") "]}", false },
        { "{\"total\":7 , " RT ",\"entry\":[]}", "{ " RT ",\"entry\":[]}", false },
        { "{" RT ", \"total\":7, \"id\":\"b\"}", "{" RT ", \"id\":\"b\"}", false },
        { "{" RT ",\"total\":7}", "{" RT "}", false },
        { "{" RT ",\"signature\":{\"who\":{\"reference\":\"Patient/1\"}},\"x\":1}", "{" RT "}",
          false },
        /* What it is comes late. */
        { "{\"entry\":[" ENTRY("1x") "," ENTRY("2") "],\"total\":2," RT "}",
          "{\"entry\":[" ENTRY("2") "]," RT "}", false },
        { "{\"type\":\"history\",\"total\":2,\"entry\":[" ENTRY("1x") "],\"resourceType\":"
                                                                      "\"Bundle\" }\n",
          "{\"type\":\"history\",\"entry\":[" NOTICE "],\"resourceType\":\"Bundle\" }\n",
          true },
        /* Not to be cut up. */
        { "{\"resourceType\":\"Bundle\",\"type\":\"document\",\"entry\":[" ENTRY("1x") "]} ",
          NULL, false },
        { " {\"id\":\"1\", \"resourceType\" : \"Patient\",\"x\":1.00}\n", NULL, true },
        { "{\"resourceType\":\"Patient\",\"id\":\"1x\"}", "", true },
        { "{\"resourceType\":\"Patient\",\"id\":\"1r\"}", "{\"new\":1}", true },
        { "{\"resourceType\":\"List\",\"entry\":[{\"item\":{}}],\"id\":\"1\"}", NULL, true },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str in = str_z(cases[i].in);
        for (size_t piece = 0; piece <= in.n; piece++) {
            struct run r = { .piece = piece };
            r.options.notice = cases[i].notice ? STR(NOTICE) : (struct str){ 0 };
            assert_int_equal(run(&r, in), 0);
            assert_str(r.out, cases[i].want ? cases[i].want : cases[i].in);
        }
    }
}

static void test_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "[]",
        "1",
        "{}",
        "{\"resourceType\":1}",
        "{\"resourcetype\":\"Patient\"}",
        "{" RT ",\"entry\":[" ENTRY("1") ",",
        "{" RT ",\"entry\":[" ENTRY("1") "]",
        "{" RT ",\"entry\":[" ENTRY("1") "]}}",
        "{" RT ",\"entry\":[1]}",
        "{" RT ",\"entry\":[[]]}",
        "{" RT ",\"entry\":{}}",
        "{" RT ",\"entry\":[{\"resource\":1}]}",
        "{" RT ",\"entry\":[],\"entry\":[" ENTRY("1") "]}",
        "{" RT ",\"resourceType\":\"Patient\"}",
        "{" RT ",\"\\u0074ype\":\"searchset\"}",
        "{" RT ",\"link\":{}}",
        "{" RT ",\"entry\":[{\"a\":1,\"a\":2}]}",
        "{" RT ",\"entry\":[{\"a\":\"\xC0\x80\"}]}",
        "{\"resourceType\":\"Patient\",\"resourceType\":\"Bundle\"}",
        "{\"resourceType\":\"Patient\",\"id\":\"1\"",
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str in = str_z(cases[i]);
        for (size_t piece = 0; piece <= in.n; piece++) {
            struct run r = { .piece = piece };
            if (run(&r, in) != BUNDLE_E_SYNTAX) {
                fail_msg("accepted: %s", cases[i]);
            }
        }
    }
}

static void test_nothing_leaves_after_a_fault(void **state)
{
    (void)state;
    struct str good = STR("{" RT ",\"entry\":[" ENTRY("1") ",");
    struct buf out = buf_fixed(out_memory, sizeof(out_memory));
    struct bundle_filter_options options = { .held = 4096 };
    CLEANUP(bundle_filter_freep)
    struct bundle_filter *f = bundle_filter_new(&options, &out);
    assert_int_equal(bundle_filter_push(f, good), 0);
    const struct bundle_entry *entry = bundle_filter_next(f);
    assert_non_null(entry);
    size_t before = out.n;
    assert_int_equal(bundle_filter_push(f, STR("}")), BUNDLE_E_SYNTAX);
    assert_int_equal(bundle_filter_answer(f, entry, BUNDLE_RELEASE, STR("")), BUNDLE_E_SYNTAX);
    assert_null(bundle_filter_next(f));
    assert_int_equal(bundle_filter_finish(f), BUNDLE_E_SYNTAX);
    assert_int_equal(out.n, before);
    assert_string_equal(bundle_filter_reason(f), "not JSON");
}

static void test_answers_later_and_in_any_order(void **state)
{
    (void)state;
    struct str text = STR("{" RT ",\"entry\":[" ENTRY("1") "," ENTRY("2") "," ENTRY("3") "]}");
    struct buf out = buf_fixed(out_memory, sizeof(out_memory));
    struct bundle_filter_options options = { .held = 4096 };
    CLEANUP(bundle_filter_freep)
    struct bundle_filter *f = bundle_filter_new(&options, &out);
    for (size_t i = 0; i < text.n; i++) {
        assert_int_equal(bundle_filter_push(f, str_slice(text, i, i + 1)), 0);
    }
    assert_int_equal(bundle_filter_finish(f), 0);
    const struct bundle_entry *entries[3];
    for (size_t i = 0; i < 3; i++) {
        entries[i] = bundle_filter_next(f);
        assert_non_null(entries[i]);
        assert_int_equal(entries[i]->index, i);
    }
    assert_null(bundle_filter_next(f));
    size_t before = out.n;
    assert_int_equal(bundle_filter_answer(f, entries[2], BUNDLE_RELEASE, STR("")), 0);
    assert_int_equal(bundle_filter_answer(f, entries[1], BUNDLE_REMOVE, STR("")), 0);
    assert_int_equal(out.n, before); /* the first holds them back */
    assert_false(bundle_filter_done(f));
    assert_str(node_text(entries[0]->resource, "id"), "1");
    assert_str(entries[0]->bytes, ENTRY("1"));
    assert_int_equal(bundle_filter_answer(f, entries[0], BUNDLE_RELEASE, STR("")), 0);
    assert_true(bundle_filter_done(f));
    assert_str(buf_str(&out), "{" RT ",\"entry\":[" ENTRY("1") "," ENTRY("3") "]}");
}

static void test_held_is_bounded(void **state)
{
    (void)state;
    struct run r = { .piece = 100, .options.held = 1000 };
    char text[4096];
    (void)snprintf(text, sizeof(text), "{" RT ",\"entry\":[{\"x\":\"%01500d\"}]}", 0);
    assert_int_equal(run(&r, str_z(text)), BUNDLE_E_SYNTAX);

    /* Many entries that are let go each fit. */
    size_t n = (size_t)snprintf(text, sizeof(text), "{" RT ",\"entry\":[{\"x\":\"%0500d\"}", 0);
    for (int i = 0; i < 5; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, ",{\"x\":\"%0500d\"}", i);
    }
    (void)snprintf(text + n, sizeof(text) - n, "]}");
    r = (struct run){ .piece = 100, .options.held = 1000 };
    assert_int_equal(run(&r, str_z(text)), 0);
    assert_str(r.out, text);
}

static bool map_link(void *owner, struct str relation, struct str url, struct buf *out)
{
    (void)owner;
    if (str_eq(relation, STR("last"))) {
        return false;
    }
    buf_z(out, "http://gw/?");
    buf_u64(out, url.n);
    return true;
}

static void test_links_and_urls(void **state)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        { "{" RT ",\"link\":[{\"relation\":\"self\",\"url\":\"" UP "?a\"},{\"relation\":"
          "\"last\",\"url\":\"x\"},{\"relation\":\"next\",\"url\":\"y\"}],\"entry\":[]}",
          "{" RT ",\"link\":[{\"relation\":\"self\",\"url\":\"http://gw/?16\"},{\"relation\":"
          "\"next\",\"url\":\"http://gw/?1\"}],\"entry\":[]}" },
        { "{" RT ", \"link\":[{\"relation\":\"last\",\"url\":\"x\"}],\"id\":\"1\"}",
          "{" RT ",\"id\":\"1\"}" },
        { "{" RT ",\"entry\":[{\"fullUrl\":\"" UP "/Basic/1\",\"resource\":{\"text\":\"" UP
          "/Basic/1\",\"subject\":{ \"reference\" : \"http:\\/\\/up/fhir/Patient/1\" }}}]}",
          "{" RT ",\"entry\":[{\"fullUrl\":\"http://gw/Basic/1\",\"resource\":{\"text\":\"" UP
          "/Basic/1\",\"subject\":{ \"reference\" : \"http://gw/Patient/1\" }}}]}" },
        { "{\"resourceType\":\"Patient\",\"photo\":[{\"url\":\"" UP "/Binary/1\"}],"
          "\"extension\":[{\"url\":\"" UP "/x\",\"valueAttachment\":{\"url\":\"" UP
          "/Binary/2\"}}],\"x\":{\"reference\":\"" UP "x/Patient/1\"}}",
          "{\"resourceType\":\"Patient\",\"photo\":[{\"url\":\"http://gw/Binary/1\"}],"
          "\"extension\":[{\"url\":\"" UP "/x\",\"valueAttachment\":{\"url\":\"http://gw"
          "/Binary/2\"}}],\"x\":{\"reference\":\"" UP "x/Patient/1\"}}" },
        { "{\"resourceType\":\"Bundle\",\"type\":\"batch-response\",\"entry\":[{\"response\":{"
          "\"status\":\"201\",\"location\":\"" UP "/Basic/1/_history/1\"}}]}",
          "{\"resourceType\":\"Bundle\",\"type\":\"batch-response\",\"entry\":[{\"response\":{"
          "\"status\":\"201\",\"location\":\"http://gw/Basic/1/_history/1\"}}]}" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str in = str_z(cases[i].in);
        for (size_t cut = 0; cut < in.n; cut++) {
            struct run r = { .cut = cut, .options.link = map_link };
            r.options.map = (struct url_map){ STR(UP), STR("http://gw") };
            assert_int_equal(run(&r, in), 0);
            assert_str(r.out, cases[i].want);
        }
    }
}

/* ---- random Bundles ---- */

struct random {
    uint64_t state;
};

static uint32_t draw(struct random *r, uint32_t below)
{
    r->state = r->state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(r->state >> 33) % below;
}

static void put_space(struct random *r, struct buf *b)
{
    for (uint32_t n = draw(r, 4) ? 0 : draw(r, 4); n; n--) {
        buf_c(b, " \n\t\r"[draw(r, 4)]);
    }
}

static void put_random_value(struct random *r, struct buf *b, int depth)
{
    static const char *const scalars[] = {
        "1.00",
        "-0.0",
        "1e5",
        "0.10000000000000000000001",
        "true",
        "false",
        "null",
        "\"\"",
        "\"plain text\"",
        "\"\\\"\\\\\"",
        "\"\\u00e9\\ud83d\\ude00 \\/\"",
        "\"\xC3\xA4[{,]}\"",
        "\"\\\\\"",
        "12345678901234567890",
        "{}",
        "[]",
        "\"a, \\\"b\\\": [\"",
    };
    uint32_t kind = depth ? draw(r, 6) : 2;
    put_space(r, b);
    if (kind > 1) {
        buf_z(b, scalars[draw(r, ARRAY_LEN(scalars))]);
    } else {
        buf_c(b, kind ? '[' : '{');
        for (uint32_t i = 0, n = draw(r, 5); i < n; i++) {
            buf_z(b, i ? "," : "");
            put_space(r, b);
            if (!kind) {
                buf_fmt(b, i % 2 ? "\"n%u\"" : "\"\\u00e9%u\"", i);
                put_space(r, b);
                buf_c(b, ':');
            }
            put_random_value(r, b, depth - 1);
        }
        buf_c(b, kind ? ']' : '}');
    }
    put_space(r, b);
}

/* A random Bundle on @in; what must leave of it, RULE_BY_ID, on @want. */
static void put_random_bundle(struct random *r, struct buf *in, struct buf *want)
{
    size_t head = in->n;
    buf_z(in, "{");
    put_space(r, in);
    buf_z(in, RT ",");
    put_space(r, in);
    buf_z(in, "\"meta\":");
    put_random_value(r, in, 3);
    buf_z(in, ",\"entry\":[");
    buf_put(want, in->p + head, in->n - head);
    bool first = true;
    for (uint32_t i = 0, n = draw(r, 8); i < n; i++) {
        bool keep = draw(r, 3);
        size_t comma = in->n;
        buf_z(in, i ? "," : "");
        size_t start = in->n;
        put_space(r, in);
        buf_fmt(in, "{\"resource\":{\"resourceType\":\"Basic\",\"id\":\"%u%s\",\"v\":", i,
                keep ? "" : "x");
        put_random_value(r, in, 5);
        buf_z(in, "}}");
        if (keep) {
            size_t from = first ? start : comma;
            buf_put(want, in->p + from, in->n - from);
            first = false;
        }
    }
    buf_z(in, " ]}\n");
    buf_z(want, " ]}\n");
}

static void test_random_bundles(void **state)
{
    (void)state;
    struct random r = { 42 };
    static char in_memory[1 << 20];
    static char want_memory[1 << 20];
    for (int i = 0; i < 10000; i++) {
        struct buf in = buf_fixed(in_memory, sizeof(in_memory));
        struct buf want = buf_fixed(want_memory, sizeof(want_memory));
        put_random_bundle(&r, &in, &want);
        assert_false(buf_failed(&in) || buf_failed(&want));
        struct run once = { .piece = 1 + draw(&r, 200), .cut = 1 + draw(&r, 50) };
        if (run(&once, buf_str(&in))) {
            fail_msg("bundle %d refused: %.*s", i, (int)in.n, in.p);
        }
        if (!str_eq(once.out, buf_str(&want))) {
            fail_msg("bundle %d: got %.*s want %.*s", i, (int)once.out.n, once.out.p,
                     (int)want.n, want.p);
        }
    }
}

static void test_every_cut(void **state)
{
    (void)state;
    struct random r = { 7 };
    static char in_memory[1 << 16];
    static char want_memory[1 << 16];
    for (int i = 0; i < 20; i++) {
        struct buf in = buf_fixed(in_memory, sizeof(in_memory));
        struct buf want = buf_fixed(want_memory, sizeof(want_memory));
        put_random_bundle(&r, &in, &want);
        for (size_t cut = 1; cut < in.n; cut++) {
            struct run once = { .cut = cut };
            assert_int_equal(run(&once, buf_str(&in)), 0);
            assert_true(str_eq(once.out, buf_str(&want)));
        }
        /* Cut off anywhere, it is refused, and what has left is a beginning of the whole. */
        for (size_t n = 0; n + 1 < in.n; n += 1 + n / 64) {
            struct run once = { .piece = 16 };
            if (n + 2 < in.n) {
                assert_int_equal(run(&once, str_of(in.p, n)), BUNDLE_E_SYNTAX);
                assert_true(str_starts(buf_str(&want), once.out));
            }
        }
    }
}

/* ---- real data ---- */

static struct str unzip(const char *name)
{
    char path[1024];
    check_data(name, path, sizeof(path));
    gzFile file = gzopen(path, "rb");
    assert_non_null(file);
    static char text[32 << 20];
    int n = gzread(file, text, sizeof(text));
    assert_true(n > 0);
    (void)gzclose(file);
    return str_of(text, (size_t)n);
}

static void test_synthea(void **state)
{
    (void)state;
    struct str text =
        unzip("synthea_r4/Max_Dicki_d9f8849f-e4a7-4ced-b057-c618db16a117.json.gz");
    struct run whole = { .piece = 65536 };
    assert_int_equal(run(&whole, text), 0);
    assert_int_equal(whole.shown, 1); /* a transaction isn't cut up */
    assert_true(str_eq(whole.out, text));

    char *type = memmem(text.p, text.n, "\"transaction\"", 13);
    assert_non_null(type);
    memcpy(type, "\"searchset\"  ", 13);
    static const size_t pieces[] = { 1460, 4096, 65536 };
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct run r = { .piece = pieces[i] };
        assert_int_equal(run(&r, text), 0);
        assert_true(r.shown > 50);
        assert_true(str_eq(r.out, text));
        r.rule = RULE_NONE;
        assert_int_equal(run(&r, text), 0);
        assert_true(r.out.n < 300);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nothing_leaves_after_a_fault),
        cmocka_unit_test(test_answers_later_and_in_any_order),
        cmocka_unit_test(test_held_is_bounded),
        cmocka_unit_test(test_links_and_urls),
        cmocka_unit_test(test_random_bundles),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_synthea),
    };
    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
