#include "tests/check.h"

#include "fhir/v2/message.h"

#include <dirent.h>
#include <errno.h>

#define HEADER "MSH|^~\\&|LAB|ST|EHR|GEN|20260102030405||ORU^R01^ORU_R01|42|P|2.5.1"

static void test_segments_and_fields(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    struct issues issues;
    issues_init(&issues, arena);
    struct v2_message m;
    assert_int_equal(
        v2_parse(arena, STR(HEADER "\rPID|1||7^^^LAB|\rZZZ\rOBX|1|ST\r"), &issues, &m), 0);
    assert_int_equal(issues.count, 0);
    assert_int_equal(m.count, 4);
    assert_string_equal(m.segments[1].name, "PID");
    assert_int_equal(v2_field_last(&m.segments[0]), 12);
    assert_int_equal(v2_field_last(&m.segments[1]), 4);
    assert_int_equal(v2_field_last(&m.segments[2]), 0);
    static const struct {
        size_t segment;
        uint32_t field;
        const char *want; /* NULL: absent */
    } cases[] = {
        { 0, 0, "MSH" }, { 0, 1, "|" },      { 0, 2, "^~\\&" },   { 0, 3, "LAB" },
        { 0, 8, "" },    { 0, 12, "2.5.1" }, { 0, 13, NULL },     { 1, 0, "PID" },
        { 1, 1, "1" },   { 1, 2, "" },       { 1, 3, "7^^^LAB" }, { 1, 4, "" },
        { 1, 5, NULL },  { 2, 1, NULL },     { 3, 2, "ST" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str got = v2_field(&m, &m.segments[cases[i].segment], cases[i].field);
        if (!cases[i].want) {
            assert_null(got.p);
            continue;
        }
        assert_non_null(got.p);
        assert_str(got, cases[i].want);
    }
    assert_int_equal(v2_find(&m, "OBX", 0), 3);
    assert_int_equal(v2_find(&m, "OBX", 4), 4);
}

static void test_header(void **state)
{
    static const struct {
        const char *text, *type, *event, *structure;
    } cases[] = {
        { HEADER, "ORU", "R01", "ORU_R01" },
        { "MSH|^~\\&|||||||ADT^A08", "ADT", "A08", "" },
        { "MSH|^~\\&|||||||ADT_A31|1", "ADT", "A31", "ADT_A31" },
        { "MSH|^~\\&|||||||ADT|1\rEVN|A04^x|2", "ADT", "A04", "" },
        { "MSH|^~\\&", "", "", "" },
        { "MSH$%~\\&$A$$$$$$ACK%A01", "ACK", "A01", "" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct issues issues;
        issues_init(&issues, arena);
        struct v2_message m;
        assert_int_equal(v2_parse(arena, str_z(cases[i].text), &issues, &m), 0);
        struct v2_header h;
        v2_header(&m, &h);
        assert_str(h.type, cases[i].type);
        assert_str(h.event, cases[i].event);
        assert_str(h.structure, cases[i].structure);
    }
}

static void test_tolerated_ends(void **state)
{
    static const struct {
        const char *text;
        size_t segments, issues;
        const char *last;
    } cases[] = {
        { "MSH|^~\\&|\rPID|1\r", 2, 0, "PID|1" },
        { "MSH|^~\\&|\nPID|1\n", 2, 1, "PID|1" },
        { "MSH|^~\\&|\r\nPID|1\r\n", 2, 1, "PID|1" },
        { "MSH|^~\\&|\rOBX|1|two\nlines\r", 2, 0, "OBX|1|two\nlines" },
        { "MSH|^~\\&|\rOBX|1\nOBX|2\r", 3, 1, "OBX|2" },
        { "MSH|^~\\&|\r\r\rPID|1\r", 2, 1, "PID|1" },
        { "\r\nMSH|^~\\&|\rPID", 2, 1, "PID" },
        { "\xef\xbb\xbfMSH|^~\\&|", 1, 1, "MSH|^~\\&|" },
        { "MSH|^~\\&|\rnot a segment\r", 2, 1, "not a segment" },
        { "MSH|^~\\&|\rPID|1\r\n\r\n", 2, 2, "PID|1" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct issues issues;
        issues_init(&issues, arena);
        struct v2_message m;
        assert_int_equal(v2_parse(arena, str_z(cases[i].text), &issues, &m), 0);
        assert_int_equal(m.count, cases[i].segments);
        assert_int_equal(issues.count, cases[i].issues);
        assert_str(m.segments[m.count - 1].text, cases[i].last);
        assert_false(issues_bad(&issues));
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        int want;
    } cases[] = {
        { "", V2_MESSAGE_E_HEADER },
        { "MSH", V2_MESSAGE_E_HEADER },
        { "MSH|", V2_MESSAGE_E_HEADER },
        { "MSH||", V2_MESSAGE_E_HEADER },
        { "PID|1", V2_MESSAGE_E_HEADER },
        { "MSH|^^\\&|", V2_MESSAGE_E_HEADER },
        { "MSH|^|\\&|", 0 }, /* MSH-2 ends early: the others are the usual ones */
        { "MSHA^~\\&A", V2_MESSAGE_E_HEADER },
        { "MSH|^~\\&#!|", V2_MESSAGE_E_HEADER },
        { "FHS|^~\\&|\rBHS|^~\\&|\rMSH|^~\\&|\r", V2_MESSAGE_E_BATCH },
        { "BHS|^~\\&|\r", V2_MESSAGE_E_BATCH },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct issues issues;
        issues_init(&issues, arena);
        struct v2_message m;
        assert_int_equal(v2_parse(arena, str_z(cases[i].text), &issues, &m), cases[i].want);
    }
}

static void test_delims(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "MSH|^~\\&|", "|^~\\&" }, { "MSH|^~\\&#|", "|^~\\&#" }, { "MSH#*~!$#", "#*~!$" },
        { "MSH|^|", "|^~\\&" },     { "MSH|^~|", "|^~\\&" },      { "FHS|^~\\&\r", "|^~\\&" },
        { "MSH|~^\\&|", "|~^\\&" }, { "MSH|^~\\\\&|", "|^~\\&" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct v2_delims d;
        assert_int_equal(v2_delims_read(str_z(cases[i].text), &d), 0);
        const char got[] = { d.field,        d.component,  d.repetition, d.escape,
                             d.subcomponent, d.truncation, '\0' };
        assert_string_equal(got, cases[i].want);
    }
}

static void test_too_many_segments(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    size_t n = 9 + (size_t)V2_SEGMENTS_MAX * 4;
    char *text = malloc(n);
    assert_non_null(text);
    memcpy(text, "MSH|^~\\&\r", 9);
    for (size_t i = 9; i < n; i += 4) {
        memcpy(text + i, "NTE\r", 4);
    }
    struct issues issues;
    issues_init(&issues, arena);
    struct v2_message m;
    assert_int_equal(v2_parse(arena, str_of(text, n), &issues, &m), V2_MESSAGE_E_LIMIT);
    assert_int_equal(v2_parse(arena, str_of(text, n - 4), &issues, &m), 0);
    assert_int_equal(m.count, V2_SEGMENTS_MAX);
    free(text);
}

static void test_memory_exhausted(void **state)
{
    (void)state;
    for (size_t limit = 16; limit < 600; limit += 16) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(256);
        arena_limit(arena, limit);
        struct issues issues;
        issues_init(&issues, arena);
        struct v2_message m;
        int r = v2_parse(arena, STR(HEADER "\rPID|1\rPV1|1\rOBX|1\rOBX|2\r"), &issues, &m);
        assert_true(r == 0 || r == -ENOMEM);
    }
}

/* Put the message together again from its fields. */
static void rebuild(const struct v2_message *m, struct buf *out)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct v2_segment *s = &m->segments[i];
        if (!s->name[0]) {
            buf_str_put(out, s->text);
            continue;
        }
        buf_str_put(out, v2_field(m, s, 0));
        bool header = strcmp(s->name, "MSH") == 0;
        for (uint32_t f = header ? 2 : 1; f <= v2_field_last(s); f++) {
            buf_c(out, m->delims.field);
            buf_str_put(out, v2_field(m, s, f));
        }
    }
}

/* All characters of @text but line ends. */
static size_t without_ends(const char *text, size_t n, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] != '\r' && text[i] != '\n') {
            out[used++] = text[i];
        }
    }
    return used;
}

static int check_message(const char *path)
{
    size_t n = 0;
    char *text = check_read(path, &n);
    assert_non_null(text);
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    struct issues issues;
    issues_init(&issues, arena);
    struct v2_message m;
    int r = v2_parse(arena, str_of(text, n), &issues, &m);
    if (r == 0) {
        assert_ptr_equal(m.text.p, text);
        struct buf again = arena_buf(arena, V2_MESSAGE_MAX);
        rebuild(&m, &again);
        char *plain = arena_alloc(arena, n);
        char *back = arena_alloc(arena, again.n);
        assert_int_equal(without_ends(text, n, plain), without_ends(again.p, again.n, back));
        assert_memory_equal(plain, back, without_ends(again.p, again.n, back));
    }
    free(text);
    return r;
}

/* Each message below @folder; returns how many, *refused of them with an error. */
static int check_folder(const char *folder, int *refused)
{
    char root[1024];
    check_data(folder, root, sizeof(root));
    DIR *top = opendir(root);
    assert_non_null(top);
    int count = 0;
    for (const struct dirent *type; (type = readdir(top));) {
        char sub[2048];
        (void)snprintf(sub, sizeof(sub), "%s/%s", root, type->d_name);
        DIR *dir = type->d_name[0] == '.' ? NULL : opendir(sub);
        for (const struct dirent *e; dir && (e = readdir(dir));) {
            char path[4096];
            (void)snprintf(path, sizeof(path), "%s/%s", sub, e->d_name);
            if (e->d_name[0] != '.') {
                *refused += check_message(path) != 0;
                count++;
            }
        }
        if (dir) {
            (void)closedir(dir);
        }
    }
    (void)closedir(top);
    return count;
}

static void test_all_known_messages_parse_and_come_back(void **state)
{
    (void)state;
    int refused = 0;
    assert_int_equal(check_folder("v2_messages", &refused), 407);
    assert_int_equal(refused, 0);
}

static void test_quirky_messages_are_answered(void **state)
{
    (void)state;
    int refused = 0;
    assert_true(check_folder("v2_quirky", &refused) >= 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments_and_fields),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_tolerated_ends),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_delims),
        cmocka_unit_test(test_too_many_segments),
        cmocka_unit_test(test_memory_exhausted),
        cmocka_unit_test(test_all_known_messages_parse_and_come_back),
        cmocka_unit_test(test_quirky_messages_are_answered),
    };
    return cmocka_run_group_tests_name("fhir/v2/message", tests, NULL, NULL);
}
