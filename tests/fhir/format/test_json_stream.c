/* JSON in pieces: the same events wherever it is cut, in proportionate time and memory. */
#include "fhir/format/json_stream.h"

#include "crypto/base/buf.h"
#include "fhir/format/json_tree.h"
#include "tests/check.h"

#include <errno.h>
#include <time.h>

/* What was heard, as text. */
struct heard {
    struct buf text;
    int stop_at; /* of this many events; 0: never */
    int count;
};

static int on_event(void *owner, const struct json_event *event)
{
    static const char marks[] = "nftds[{]}";
    struct heard *h = owner;
    buf_fmt(&h->text, "%c%zu %zu-%zu ", marks[event->kind], event->depth, event->start,
            event->end);
    buf_str_put(&h->text, event->name);
    buf_c(&h->text, '=');
    buf_str_put(&h->text, event->text);
    buf_c(&h->text, '\n');
    return ++h->count == h->stop_at ? -ECANCELED : 0;
}

static int hear(struct str text, size_t first, size_t size, struct heard *h)
{
    struct json_stream_use use = { .event = on_event, .owner = h, .held = 4096 };
    CLEANUP(json_stream_freep) struct json_stream *s = json_stream_new(&use);
    assert_non_null(s);
    int r = 0;
    for (size_t at = 0, n = first; at < text.n && !r; at += n, n = size) {
        r = json_stream_push(s, str_slice(text, at, at + n));
    }
    return r ? r : json_stream_finish(s);
}

static void test_any_cut_gives_the_same_events(void **state)
{
    static const char *const texts[] = {
        ("{\"a\":[1.00,-2e5 , \"x\"],\"\\u0062\\n\" : {\"c\":\"\\\\\\\"\"} "
         ",\"d\":[true,false,null]}"),
        " [ \"\xC3\xA4\xF0\x9D\x84\x9E\" , \"\\ud834\\udd1e\", {}, [], \"\" ] \n",
        "12",
        "\"\\\\\"",
        "null ",
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        static char want_memory[4096];
        static char got_memory[4096];
        struct str text = str_z(texts[i]);
        struct heard want = { .text = buf_fixed(want_memory, sizeof(want_memory)) };
        assert_int_equal(hear(text, text.n, text.n, &want), 0);
        for (size_t first = 1; first < text.n; first++) {
            for (size_t size = 1; size < 6; size++) {
                struct heard got = { .text = buf_fixed(got_memory, sizeof(got_memory)) };
                assert_int_equal(hear(text, first, size, &got), 0);
                assert_int_equal(got.text.n, want.text.n);
                assert_memory_equal(got.text.p, want.text.p, want.text.n);
            }
        }
    }
}

static void test_events_tell_name_place_and_depth(void **state)
{
    (void)state;
    char memory[512];
    struct heard h = { .text = buf_fixed(memory, sizeof(memory)) };
    struct str text = STR("{\"a\": [1, \"x\\t\"], \"b\":true}");
    assert_int_equal(hear(text, 3, 3, &h), 0);
    assert_str(buf_str(&h.text), "{0 0-1 =\n"
                                 "[1 6-7 a=\n"
                                 "d2 7-8 =1\n"
                                 "s2 10-15 =x\t\n"
                                 "]1 15-16 =\n"
                                 "t1 22-26 b=\n"
                                 "}0 26-27 =\n");
}

static void test_a_listener_can_stop_it(void **state)
{
    (void)state;
    char memory[512];
    struct heard h = { .text = buf_fixed(memory, sizeof(memory)), .stop_at = 2 };
    struct json_stream_use use = { .event = on_event, .owner = &h, .held = 64 };
    CLEANUP(json_stream_freep) struct json_stream *s = json_stream_new(&use);
    assert_int_equal(json_stream_push(s, STR("[1,2,3]")), -ECANCELED);
    assert_int_equal(json_stream_push(s, STR("[1,2,3]")), -ECANCELED);
    assert_int_equal(json_stream_finish(s), -ECANCELED);
    assert_int_equal(h.count, 2);
}

static int ignore(void *owner, const struct json_event *event)
{
    (void)owner;
    (void)event;
    return 0;
}

static void test_window_is_bounded(void **state)
{
    (void)state;
    struct json_stream_use use = { .event = ignore, .held = 4096 };
    CLEANUP(json_stream_freep) struct json_stream *s = json_stream_new(&use);
    assert_int_equal(json_stream_push(s, STR("[0")), 0);
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(json_stream_push(s, STR(",\"a value of some length\" ")), 0);
        assert_true(json_stream_held(s) <= 4096);
    }
    assert_int_equal(json_stream_push(s, STR("]")), 0);
    assert_int_equal(json_stream_finish(s), 0);

    json_stream_freep(&s);
    s = json_stream_new(&use);
    int r = json_stream_push(s, STR("[\""));
    for (int i = 0; i < 10000 && !r; i++) {
        r = json_stream_push(s, STR("a string without an end "));
    }
    assert_int_equal(r, JSON_E_SYNTAX);
    assert_string_equal(json_stream_reason(s), "a part is larger than may be held");
}

/* Members of the document, each in a tree of its own, told as they become whole. */
struct members {
    struct json_stream *stream;
    struct arena *arena; /* of all trees */
    struct json_tree tree;
    struct buf text;
    size_t tell;
    size_t tree_at;
};

static int on_member(void *owner, const struct json_event *event)
{
    struct members *m = owner;
    if (event->depth == 1) {
        m->tree_at = event->start;
        json_tree_init(&m->tree, m->arena, event->start);
        m->tree.tell = m->tell;
        json_stream_keep(m->stream, event->start);
        json_stream_build(m->stream, &m->tree);
    }
    return 0;
}

static void on_moved(void *owner, struct str from, struct str to)
{
    struct members *m = owner;
    json_tree_moved(&m->tree, from, to);
}

static int on_built(void *owner, const struct node *node)
{
    struct members *m = owner;
    size_t at = m->tree_at;
    buf_str_put(&m->text, node->name);
    buf_c(&m->text, '=');
    buf_str_put(&m->text, node->text);
    buf_c(&m->text, '/');
    buf_str_put(&m->text, json_stream_bytes(m->stream, at + node->start, at + node->end));
    for (const struct node *child = node->first; child; child = child->next) {
        buf_c(&m->text, '|');
        buf_str_put(&m->text, child->name);
        buf_c(&m->text, ':');
        buf_str_put(&m->text, child->text);
    }
    buf_c(&m->text, '\n');
    return 0;
}

static int read_members(struct members *m, struct str text, size_t size)
{
    struct json_stream_use use = {
        .event = on_member, .built = on_built, .moved = on_moved, .owner = m, .held = 256
    };
    CLEANUP(arena_freep) struct arena *arena = arena_new(256);
    CLEANUP(json_stream_freep) struct json_stream *s = json_stream_new(&use);
    assert_non_null(s);
    assert_non_null(arena);
    m->stream = s;
    m->arena = arena;
    json_tree_init(&m->tree, arena, 0);
    int r = 0;
    for (size_t at = 0; at < text.n && !r; at += size) {
        r = json_stream_push(s, str_slice(text, at, at + size));
    }
    return r ? r : json_stream_finish(s);
}

static void test_a_listener_starts_trees(void **state)
{
    static const char want_roots[] = "a=/{\"x\": 1.50, \"\\u0079\":\"\\t\"}|x:1.50|y:\t\n"
                                     "b\n=z\n/\"z\\n\"\n"
                                     "c=/[1,\"two\"]|:1|:two\n"
                                     "d=/null\n";
    static const char want_deep[] = "x=1.50/1.50\n"
                                    "y=\t/\"\\t\"\n"
                                    "a=/{\"x\": 1.50, \"\\u0079\":\"\\t\"}|x:1.50|y:\t\n"
                                    "b\n=z\n/\"z\\n\"\n"
                                    "=1/1\n"
                                    "=two/\"two\"\n"
                                    "c=/[1,\"two\"]|:1|:two\n"
                                    "d=/null\n";
    (void)state;

    struct str text = STR("{\"a\": {\"x\": 1.50, \"\\u0079\":\"\\t\"},\"b\\n\":\"z\\n\" ,"
                          "\"c\":[1,\"two\"], \"d\" :null }");
    for (size_t tell = 0; tell < 2; tell++) {
        for (size_t size = 1; size <= text.n; size++) {
            char memory[512];
            struct members m = { .text = buf_fixed(memory, sizeof(memory)), .tell = tell };
            assert_int_equal(read_members(&m, text, size), 0);
            assert_str(buf_str(&m.text), tell ? want_deep : want_roots);
        }
    }
}

/* An object of @n members; the last is called as the one at @twice, if there is one. */
static size_t put_object(char *text, int n, int twice)
{
    int length = sprintf(text, "{");
    for (int i = 0; i < n; i++) {
        int name = i == n - 1 && twice >= 0 ? twice : i;
        length +=
            sprintf(text + length, "%s\"name%c%d\":0", i ? "," : "", 'a' + name % 7, name);
    }
    return (size_t)length + (size_t)sprintf(text + length, "}");
}

static void test_duplicate_names_in_trees(void **state)
{
    static const int sizes[] = { 2, 3, 23, 24, 25, 26, 27, 60, 300 };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        for (int twice = -1; twice < sizes[i] - 1; twice++) {
            char text[8192];
            size_t n = put_object(text, sizes[i], twice);
            CLEANUP(arena_freep) struct arena *arena = arena_new(256);
            CLEANUP(json_stream_freep)
            struct json_stream *s = json_stream_new(&(struct json_stream_use){ .held = 0 });
            struct json_tree tree;
            json_tree_init(&tree, arena, 0);
            json_stream_build(s, &tree);
            int r = json_stream_whole(s, str_of(text, n));
            assert_int_equal(r, twice < 0 ? 0 : JSON_E_SYNTAX);
            if (r) {
                assert_string_equal(json_stream_reason(s), "duplicate member name");
            }
        }
    }
}

static double cpu_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double time_pieces(struct str text, size_t size)
{
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        struct json_stream_use use = { .event = ignore, .held = 32 << 20 };
        CLEANUP(json_stream_freep) struct json_stream *s = json_stream_new(&use);
        double before = cpu_seconds();
        for (size_t at = 0; at < text.n; at += size) {
            assert_int_equal(json_stream_push(s, str_slice(text, at, at + size)), 0);
        }
        assert_int_equal(json_stream_finish(s), 0);
        double took = cpu_seconds() - before;
        best = took < best ? took : best;
    }
    return best;
}

static void test_long_string_in_small_pieces(void **state)
{
    (void)state;
    static char text[8 << 20];
    memset(text, 'A', sizeof(text));
    memcpy(text, "{\"data\":\"", 9);
    text[sizeof(text) - 2] = '"';
    text[sizeof(text) - 1] = '}';
    struct str all = str_of(text, sizeof(text));
    double one = time_pieces(all, all.n);
    double small = time_pieces(all, 1460);
    print_message("8 MB string: %.1f ms in one piece, %.2f times that in pieces of 1460\n",
                  one * 1e3, small / one);
    assert_true(small < one * 4); /* a quadratic reader needs hundreds of times */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_cut_gives_the_same_events),
        cmocka_unit_test(test_events_tell_name_place_and_depth),
        cmocka_unit_test(test_a_listener_can_stop_it),
        cmocka_unit_test(test_a_listener_starts_trees),
        cmocka_unit_test(test_duplicate_names_in_trees),
        cmocka_unit_test(test_window_is_bounded),
        cmocka_unit_test(test_long_string_in_small_pieces),
    };
    return cmocka_run_group_tests_name("json_stream", tests, NULL, NULL);
}
