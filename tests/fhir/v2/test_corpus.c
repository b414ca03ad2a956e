/* Each message of the reference corpus: nothing of it is lost, nothing hangs, one answer. */
#include "fhir/v2/ack.h"
#include "fhir/v2/address.h"
#include "fhir/v2/group.h"
#include "fhir/v2/read.h"
#include "fhir/v2/validate.h"
#include "tests/check.h"

#include <ftw.h>

enum {
    DEPTH = 8, /* open folders of the walk */
    MEMORY = 32 << 20,
};

static struct arena *arena;
static size_t seen;

/* Put together from the index: segments, fields and what was between them. */
static void check_written_back(const struct v2_message *m)
{
    struct buf out = arena_buf(arena, m->text.n + 1);
    const char *end = m->text.p;
    for (size_t i = 0; i < m->count; i++) {
        const struct v2_segment *segment = &m->segments[i];
        buf_put(&out, end, (size_t)(segment->text.p - end));
        struct str name = str_of(segment->text.p, segment->text.n);
        buf_str_put(&out, str_cut(&name, m->delims.field));
        bool header = v2_field_last(segment) != segment->fields;
        for (uint32_t f = header ? 2 : 1; f <= v2_field_last(segment); f++) {
            buf_c(&out, m->delims.field);
            buf_str_put(&out, v2_field(m, segment, f));
        }
        end = segment->text.p + segment->text.n;
    }
    buf_put(&out, end, (size_t)(m->text.p + m->text.n - end));
    assert_true(str_eq(buf_str(&out), m->text));
}

/* Groups hold each segment once, each within one that was made before it. */
static void check_groups(const struct v2_message *m, struct issues *issues)
{
    struct v2_groups groups;
    assert_int_equal(v2_group_segments(arena, m, issues, &groups), 0);
    for (size_t i = 0; i < m->count; i++) {
        assert_true(groups.of[i] < groups.count);
    }
    for (size_t i = 1; i < groups.count; i++) {
        assert_true(groups.list[i].parent < i);
    }
    v2_validate(m, groups.structure.version, issues);
}

static void check_answer(const struct v2_message *about)
{
    static const struct v2_ack refusal = { .code = V2_ACK_ERROR,
                                           .control_id = STR_INIT("1"),
                                           .time = STR_INIT("2026"),
                                           .condition = V2_ACK_REQUIRED,
                                           .place = STR_INIT("PID-3"),
                                           .text = STR_INIT("why") };
    struct buf out = arena_buf(arena, 65536);
    struct issues issues;
    struct v2_message ack;
    struct v2_header header;
    struct str id = { 0 };
    issues_init(&issues, arena);
    v2_header(about, &header);
    assert_int_equal(v2_ack_write(arena, about, &refusal, &out), 0);
    assert_int_equal(v2_parse(arena, buf_str(&out), &issues, &ack), 0);
    assert_int_equal(ack.count, 3);
    (void)v2_get_z(&ack, "MSA-2", &id);
    assert_true(str_eq(v2_part(header.control_id, about->delims.repetition, 1), id));
    assert_int_equal(v2_find(&ack, "ERR", 0), 2);
}

static void check_message(struct str text)
{
    struct issues issues;
    struct v2_message raw;
    struct v2_message message;
    arena_reset(arena);
    issues_init(&issues, arena);
    assert_int_equal(v2_parse(arena, text, &issues, &raw), 0);
    check_written_back(&raw);
    assert_int_equal(v2_read(arena, text, V2_CHARSET_8859_1, &issues, &message), 0);
    check_groups(&message, &issues);
    check_answer(&message);
}

static int visit(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status;
    (void)at;
    struct str name = str_z(path);
    if (kind != FTW_F || !str_ends(name, STR(".hl7"))) {
        return 0;
    }
    size_t n;
    char *text = check_read(path, &n);
    assert_non_null(text);
    check_message(str_of(text, n));
    free(text);
    seen++;
    return 0;
}

static void walk(const char *folder, size_t least)
{
    char path[4096];
    check_data(folder, path, sizeof(path));
    arena = arena_new(1 << 20);
    assert_non_null(arena);
    arena_limit(arena, MEMORY);
    seen = 0;
    assert_int_equal(nftw(path, visit, DEPTH, FTW_PHYS), 0);
    assert_true(seen >= least);
    arena_free(arena);
}

static void test_messages(void **state)
{
    (void)state;
    walk("v2_messages", 407);
}

static void test_quirky_ones(void **state)
{
    (void)state;
    walk("v2_quirky", 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_quirky_ones),
    };
    return cmocka_run_group_tests_name("fhir/v2/corpus", tests, NULL, NULL);
}
