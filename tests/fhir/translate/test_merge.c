#include "tests/check.h"

#include "fhir/format/json.h"
#include "fhir/translate/merge.h"

#include <errno.h>

/* A list of paths from words in @text. */
static const struct translate_path *paths(struct arena *arena, const char *text)
{
    struct translate_path *list = NULL;
    struct str rest = str_z(text);
    while (rest.n) {
        struct translate_path *path = arena_alloc(arena, sizeof(*path));
        assert_non_null(path);
        *path = (struct translate_path){ .path = str_cut(&rest, ' '), .next = list };
        list = path;
    }
    return list;
}

static int merge(struct arena *arena, const char *stored, struct translate_entry *entry,
                 struct buf *out)
{
    struct issues issues;
    issues_init(&issues, arena);
    const struct node *tree;
    assert_int_equal(json_parse(arena, str_z(stored), &issues, &tree), 0);
    return translate_merge(arena, tree, str_z(stored), entry, out);
}

#define P "{\"resourceType\":\"Patient\""
#define LINK(to, type) "{\"other\":{\"reference\":\"Patient/" to "\"},\"type\":\"" type "\"}"

static void test_members(void **state)
{
    static const struct {
        const char *stored, *said, *deletes, *defaults, *want;
    } cases[] = {
        /* absent keeps, byte for byte; present replaces */
        { P ",\"id\":\"1\",\"meta\":{\"versionId\":\"3\"},\"x\":[ 1.00, {\"a\" : 1e1} ]}",
          P ",\"id\":\"no\",\"gender\":\"male\"}", "", "",
          P ",\"id\":\"1\",\"meta\":{\"versionId\":\"3\"},\"x\":[ 1.00, {\"a\" : 1e1} ],"
            "\"gender\":\"male\"}" },
        { P ",\"birthDate\":\"1970\",\"name\":[{\"family\":\"A\"}]}",
          P ",\"name\":[{\"family\":\"B\"}]}", "", "",
          P ",\"birthDate\":\"1970\",\"name\":[{\"family\":\"B\"}]}" },
        /* deletes */
        { P ",\"birthDate\":\"1970\",\"_birthDate\":{\"id\":\"b\"},\"gender\":\"male\"}", P "}",
          "birthDate", "", P ",\"gender\":\"male\"}" },
        { P ",\"gender\":\"male\"}", P "}", "address", "", P ",\"gender\":\"male\"}" },
        /* but not what others may have said: an empty race isn't an end of all extensions */
        { P ",\"extension\":[{\"url\":\"a\"}]}", P "}", "extension", "",
          P ",\"extension\":[{\"url\":\"a\"}]}" },
        /* the extension of a value goes with it */
        { P ",\"birthDate\":\"1970\",\"_birthDate\":{\"id\":\"b\"}}",
          P ",\"birthDate\":\"1971\"}", "", "", P ",\"birthDate\":\"1971\"}" },
        /* one type of a choice takes the place of another */
        { P ",\"deceasedBoolean\":false}", P ",\"deceasedDateTime\":\"2020\"}", "", "",
          P ",\"deceasedDateTime\":\"2020\"}" },
        { P ",\"medicationCodeableConcept\":{\"text\":\"a\"}}",
          P ",\"medicationReference\":{\"reference\":\"b\"}}", "", "",
          P ",\"medicationReference\":{\"reference\":\"b\"}}" },
        /* a default yields */
        { P ",\"gender\":\"male\"}", P ",\"gender\":\"unknown\"}", "", "gender",
          P ",\"gender\":\"male\"}" },
        { P "}", P ",\"gender\":\"unknown\"}", "", "gender", P ",\"gender\":\"unknown\"}" },
        /* lists that are united */
        { P ",\"identifier\":[{\"system\":\"a\",\"value\":\"1\",\"use\":\"old\"}]}",
          P ",\"identifier\":[{\"system\":\"a\",\"value\":\"1\"},{\"system\":\"a\",\"value\":"
            "\"2\"}]}",
          "", "",
          P ",\"identifier\":[{\"system\":\"a\",\"value\":\"1\",\"use\":\"old\"},"
            "{\"system\":\"a\",\"value\":\"2\"}]}" },
        { P ",\"extension\":[{\"url\":\"a\",\"valueCode\":\"1\"},{\"url\":\"b\"}]}",
          P ",\"extension\":[{\"url\":\"a\",\"valueCode\":\"2\"}]}", "", "",
          P ",\"extension\":[{\"url\":\"b\"},{\"url\":\"a\",\"valueCode\":\"2\"}]}" },
        { P ",\"meta\":{\"versionId\":\"3\"}}",
          P ",\"meta\":{\"security\":[{\"code\":\"R\"}]}}", "", "",
          P ",\"meta\":{\"versionId\":\"3\",\"security\":[{\"code\":\"R\"}]}}" },
        { P ",\"meta\":{\"security\":[{\"code\":\"V\"}]}}",
          P ",\"meta\":{\"security\":[{\"code\":\"R\"}]}}", "", "",
          P ",\"meta\":{\"security\":[{\"code\":\"V\"},{\"code\":\"R\"}]}}" },
        { P "}", P ",\"meta\":{\"security\":[{\"code\":\"R\"}]}}", "", "",
          P ",\"meta\":{\"security\":[{\"code\":\"R\"}]}}" },
        { P ",\"link\":[{\"other\":{\"reference\":\"Patient/1\"},\"type\":\"replaces\"}]}",
          P ",\"link\":[{\"other\":{\"reference\":\"Patient/1\"},\"type\":\"replaces\"},"
            "{\"other\":{\"reference\":\"Patient/2\"},\"type\":\"replaces\"}]}",
          "", "",
          P ",\"link\":[{\"other\":{\"reference\":\"Patient/1\"},\"type\":\"replaces\"},"
            "{\"other\":{\"reference\":\"Patient/2\"},\"type\":\"replaces\"}]}" },
        /* nobody is linked to itself */
        { P ",\"id\":\"1\"}", P ",\"link\":[" LINK("1", "replaces") "]}", "", "",
          P ",\"id\":\"1\"}" },
        { P ",\"id\":\"1\"}",
          P ",\"link\":[" LINK("1", "replaces") "," LINK("2", "seealso") "]}", "", "",
          P ",\"id\":\"1\",\"link\":[" LINK("2", "seealso") "]}" },
        { P ",\"id\":\"1\",\"link\":[" LINK("2", "seealso") "]}",
          P ",\"link\":[" LINK("1", "replaces") "]}", "", "",
          P ",\"id\":\"1\",\"link\":[" LINK("2", "seealso") "]}" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct translate_entry entry = { .resource = str_z(cases[i].said),
                                         .deletes = paths(arena, cases[i].deletes),
                                         .defaults = paths(arena, cases[i].defaults) };
        struct buf out = arena_buf(arena, 100000);
        assert_int_equal(merge(arena, cases[i].stored, &entry, &out), 0);
        assert_str(buf_str(&out), cases[i].want);

        /* Saying the same again changes nothing. */
        struct buf again = arena_buf(arena, 100000);
        char *stored = arena_alloc(arena, out.n + 1);
        memcpy(stored, out.p, out.n);
        stored[out.n] = '\0';
        assert_int_equal(merge(arena, stored, &entry, &again), 0);
        {
            assert_str(buf_str(&again), stored);
        }
    }
}

/* Only what is withdrawn goes, and with the last item the list. */
static void test_withdrawn(void **state)
{
    static const struct {
        const char *stored, *said, *withdrawn, *want;
    } cases[] = {
        { P ",\"link\":[" LINK("1", "seealso") "," LINK("2", "replaces") "]}", P "}",
          "{\"link\":[" LINK("1", "seealso") "]}", P ",\"link\":[" LINK("2", "replaces") "]}" },
        { P ",\"link\":[" LINK("1", "seealso") "]}", P "}",
          "{\"link\":[" LINK("1", "seealso") "]}", P "}" },
        { P ",\"link\":[" LINK("1", "replaces") "]}", P "}",
          "{\"link\":[" LINK("1", "seealso") "]}", P ",\"link\":[" LINK("1", "replaces") "]}" },
        { P ",\"link\":[" LINK("1", "seealso") "]}", P ",\"link\":[" LINK("2", "seealso") "]}",
          "{\"link\":[" LINK("1", "seealso") "]}", P ",\"link\":[" LINK("2", "seealso") "]}" },
        { P "}", P "}", "{\"link\":[" LINK("1", "seealso") "]}", P "}" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct translate_entry entry = { .resource = str_z(cases[i].said),
                                         .withdrawn = str_z(cases[i].withdrawn) };
        struct buf out = arena_buf(arena, 100000);
        assert_int_equal(merge(arena, cases[i].stored, &entry, &out), 0);
        assert_str(buf_str(&out), cases[i].want);
    }
}

static void test_another_type_refused(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    struct translate_entry entry = { .resource = STR(P "}") };
    struct buf out = arena_buf(arena, 1000);
    assert_int_equal(merge(arena, "{\"resourceType\":\"Group\"}", &entry, &out), -EINVAL);
    assert_int_equal(merge(arena, "[]", &entry, &out), -EINVAL);
    entry.resource = STR("{");
    assert_int_equal(merge(arena, P "}", &entry, &out), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_withdrawn),
        cmocka_unit_test(test_another_type_refused),
    };
    return cmocka_run_group_tests_name("fhir/translate/merge", tests, NULL, NULL);
}
