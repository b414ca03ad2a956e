/* What a directory's resources say of an actor, and what they leave unknown. */
#include "fhir/consent/belonging.h"

#include "fhir/base/instant.h"
#include "fhir/format/json.h"
#include "tests/check.h"

#define BASE "https://dir.example/fhir"
#define PRACTITIONER "\"Practitioner/1\""

static const struct belonging_place near = { { BASE, sizeof(BASE) - 1 }, true };
static const struct belonging_place far = { { BASE, sizeof(BASE) - 1 }, false };

static const struct node *parse(struct arena *arena, const char *text)
{
    const struct node *root = NULL;
    struct issues issues;
    issues_init(&issues, arena);
    if (json_parse(arena, str_z(text), &issues, &root) != 0) {
        fail_msg("not JSON: %s", text);
    }
    return root;
}

/* All names with a space between them, and "?" if there may be more. */
static struct str told(struct arena *arena, const struct belonging *names)
{
    struct buf b = arena_buf(arena, 64 << 10);
    for (size_t i = 0; i < names->n; i++) {
        buf_z(&b, i ? " " : "");
        buf_str_put(&b, names->at[i]);
    }
    buf_z(&b, names->unknown ? "?" : "");
    assert_false(buf_failed(&b));
    return buf_str(&b);
}

static int64_t at(const char *text)
{
    struct instant_span span;
    assert_true(instant_span(str_z(text), &span));
    return span.from;
}

/* --- members ------------------------------------------------------------------------------ */

#define SET(resource) "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":" resource "}]}"
#define TEAM(more) SET("{\"resourceType\":\"CareTeam\",\"id\":\"t\"," more "}")
#define GROUP(more) SET("{\"resourceType\":\"Group\",\"id\":\"g\"," more "}")
#define ROLE(more) SET("{\"resourceType\":\"PractitionerRole\",\"id\":\"r\"," more "}")
#define ACTIVE "\"status\":\"active\","
#define IN "{\"reference\":" PRACTITIONER "}"

/* Practitioner/1, who is also urn:s|7, on 2026-05-01. */
static const struct {
    const char *rule;
    const char *set;
    const char *want;
} members[] = {
    { "member of an active team", TEAM(ACTIVE "\"participant\":[{\"member\":" IN "}]"),
      "CareTeam/t" },
    { "by all its names",
      TEAM(ACTIVE "\"identifier\":[{\"system\":\"urn:t\",\"value\":\"5\"},{\"use\":\"old\"}],"
                  "\"participant\":[{\"member\":" IN "}]"),
      "CareTeam/t urn:t|5" },
    { "named by URL",
      TEAM(ACTIVE "\"participant\":[{\"member\":{\"reference\":\"" BASE "/Practitioner/1\"}}]"),
      "CareTeam/t" },
    { "named by identifier beside another reference",
      TEAM(ACTIVE "\"participant\":[{\"member\":{\"reference\":\"Practitioner/2\","
                  "\"identifier\":{\"system\":\"urn:s\",\"value\":\"7\"}}}]"),
      "CareTeam/t" },
    { "somebody else's",
      TEAM(ACTIVE "\"participant\":[{\"member\":{\"reference\":\"Practitioner/2\"}}]"), "" },
    { "a team without status", TEAM("\"participant\":[{\"member\":" IN "}]"), "" },
    { "a proposed team", TEAM("\"status\":\"proposed\",\"participant\":[{\"member\":" IN "}]"),
      "" },
    { "a team that has ended",
      TEAM(ACTIVE "\"period\":{\"end\":\"2026-04-30\"},\"participant\":[{\"member\":" IN "}]"),
      "" },
    { "the last day counts",
      TEAM(ACTIVE "\"period\":{\"end\":\"2026-05-01\"},\"participant\":[{\"member\":" IN "}]"),
      "CareTeam/t" },
    { "has left it",
      TEAM(ACTIVE "\"participant\":[{\"period\":{\"end\":\"2026-04\"},\"member\":" IN "}]"),
      "" },
    { "not in it yet",
      TEAM(ACTIVE "\"participant\":[{\"period\":{\"start\":\"2026-05-02\"},\"member\":" IN
                  "}]"),
      "" },
    { "was in it, and is again",
      TEAM(ACTIVE "\"participant\":[{\"period\":{\"end\":\"2025\"},\"member\":" IN
                  "},{\"member\":" IN "}]"),
      "CareTeam/t" },
    { "an unreadable period is unknown",
      TEAM(ACTIVE "\"participant\":[{\"period\":{\"end\":\"soon\"},\"member\":" IN "}]"), "?" },
    { "of the team as well",
      TEAM(ACTIVE "\"period\":{\"start\":7},\"participant\":[{\"member\":" IN "}]"), "?" },
    { "an unreadable period of others is none of ours",
      TEAM(ACTIVE "\"participant\":[{\"period\":{\"end\":\"soon\"},\"member\":{\"reference\":"
                  "\"Practitioner/2\"}}]"),
      "" },
    { "of a start as well",
      TEAM(ACTIVE "\"period\":{\"start\":\"soon\"},\"participant\":[{\"member\":" IN "}]"),
      "?" },
    { "of an end that is no text",
      TEAM(ACTIVE "\"period\":{\"end\":7},\"participant\":[{\"member\":" IN "}]"), "?" },
    { "named by identifier alone",
      TEAM(ACTIVE
           "\"participant\":[{\"member\":{\"identifier\":{\"system\":\"urn:s\",\"value\":"
           "\"7\"}}}]"),
      "CareTeam/t" },
    { "somebody else's identifier",
      TEAM(ACTIVE
           "\"participant\":[{\"member\":{\"reference\":\"Practitioner/2\",\"identifier\":{"
           "\"value\":\"8\"}}}]"),
      "" },
    { "nobody named", TEAM(ACTIVE "\"participant\":[{\"member\":{\"display\":\"Dr X\"}}]"),
      "" },
    { "once is enough",
      TEAM(ACTIVE "\"participant\":[{\"member\":" IN "},{\"period\":{\"end\":7},\"member\":" IN
                  "}]"),
      "CareTeam/t" },
    { "group, active unless it says otherwise", GROUP("\"member\":[{\"entity\":" IN "}]"),
      "Group/g" },
    { "a group no more", GROUP("\"active\":false,\"member\":[{\"entity\":" IN "}]"), "" },
    { "out of the group", GROUP("\"member\":[{\"inactive\":true,\"entity\":" IN "}]"), "" },
    { "role", ROLE("\"practitioner\":" IN), "PractitionerRole/r" },
    { "a role that is over", ROLE("\"period\":{\"end\":\"2025\"},\"practitioner\":" IN), "" },
    { "a role no more", ROLE("\"active\":false,\"practitioner\":" IN), "" },
    { "a resource of another kind", SET("{\"resourceType\":\"Patient\",\"id\":\"p\"}"), "" },
    { "nothing found", "{\"resourceType\":\"Bundle\"}", "" },
    { "more pages",
      "{\"resourceType\":\"Bundle\",\"link\":[{\"relation\":\"self\",\"url\":\"a\"},"
      "{\"relation\":\"next\",\"url\":\"b\"}]}",
      "?" },
    { "no searchset", "{\"resourceType\":\"OperationOutcome\"}", "?" },
    { "no resource", "[]", "?" },
};

static void test_members(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        const struct belonging who = { .at = { STR("Practitioner/1"), STR("urn:s|7") },
                                       .n = 2 };
        struct belonging names = { 0 };
        belonging_members(arena, &near, parse(arena, members[i].set), &who, at("2026-05-01"),
                          &names);
        struct str got = told(arena, &names);
        if (!str_eq(got, str_z(members[i].want))) {
            print_error("%s\n", members[i].rule);
        }
        assert_str(got, members[i].want);
    }
}

static void test_elsewhere_names_are_urls(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    const struct belonging who = { .at = { STR(BASE "/Practitioner/1") }, .n = 1 };
    const struct belonging other = { .at = { STR("Practitioner/1") }, .n = 1 };
    const struct node *set = parse(arena, ROLE("\"practitioner\":" IN));
    struct belonging names = { 0 };
    belonging_members(arena, &far, set, &other, 0, &names);
    assert_str(told(arena, &names), "");
    belonging_members(arena, &far, set, &who, 0, &names);
    assert_str(told(arena, &names), BASE "/PractitionerRole/r");
}

/* --- organizations ------------------------------------------------------------------------ */

#define ORG(more) "{\"resourceType\":\"Organization\",\"id\":\"o\"" more "}"
#define CALLED ",\"identifier\":[{\"system\":\"urn:s\",\"value\":\"7\"}]"

static const struct {
    const char *rule;
    const char *root;
    const char *name;
    const char *want;
    const char *above;
} organizations[] = {
    { "found by identifier", SET(ORG(CALLED)), "urn:s|7", "Organization/o urn:s|7", "" },
    { "read by id", ORG(""), "Organization/o", "Organization/o", "" },
    { "part of another", ORG(",\"partOf\":{\"reference\":\"Organization/p\"}"),
      "Organization/o", "Organization/o", "Organization/p" },
    { "part of one called so",
      ORG(",\"partOf\":{\"identifier\":{\"system\":\"urn:s\",\"value\":\"8\"}}"),
      "Organization/o", "Organization/o", "urn:s|8" },
    { "part of something", ORG(",\"partOf\":{\"display\":\"The Trust\"}"), "Organization/o",
      "Organization/o?", "" },
    { "another than was asked for", SET(ORG("")), "urn:s|7", "?", "" },
    { "without an id", SET("{\"resourceType\":\"Organization\"" CALLED "}"), "urn:s|7",
      "urn:s|7", "" },
    { "beside an outcome",
      "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":"
      "\"OperationOutcome\"}},{\"resource\":" ORG(CALLED) "}]}",
      "urn:s|7", "Organization/o urn:s|7", "" },
    { "two of that name",
      "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":" ORG(
          CALLED) "},{\"resource\":" ORG(CALLED) "}]}",
      "urn:s|7", "?", "" },
    { "none", "{\"resourceType\":\"Bundle\"}", "urn:s|7", "?", "" },
    { "of another kind", "{\"resourceType\":\"Location\",\"id\":\"o\"}", "Location/o", "?",
      "" },
};

static void test_organizations(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(organizations); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct belonging names = { 0 };
        struct reference above;
        bool found = belonging_organization(arena, &near, parse(arena, organizations[i].root),
                                            str_z(organizations[i].name), &names, &above);
        if (!str_eq(told(arena, &names), str_z(organizations[i].want))) {
            print_error("%s\n", organizations[i].rule);
        }
        assert_str(told(arena, &names), organizations[i].want);
        assert_int_equal(found, names.n > 0);
        assert_str(belonging_name(arena, &near, &above), organizations[i].above);
    }
}

/* --- names -------------------------------------------------------------------------------- */

static void test_what_the_directory_is_asked_by(void **state)
{
    (void)state;
    static const struct {
        const char *name, *near, *far;
    } cases[] = {
        { "Practitioner/1", "Practitioner/1", "" },
        { BASE "/Practitioner/1", "Practitioner/1", "Practitioner/1" },
        { "https://other.example/Practitioner/1", "", "" },
        { BASE "x/Practitioner/1", "", "" },
        { "urn:s|Practitioner/1", "", "" },
        { "urn:oid:1.2", "", "" },
        { "Practitioner/1/_history/2", "", "" },
        { "", "", "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_str(belonging_local(&near, str_z(cases[i].name)), cases[i].near);
        assert_str(belonging_local(&far, str_z(cases[i].name)), cases[i].far);
    }
}

/* Without memory for a name nothing is taken for known. */
static void test_memory(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    const struct node *root = parse(arena, ORG(CALLED));
    struct belonging names = { 0 };
    struct reference above;
    arena_limit(arena, arena_used(arena));
    assert_false(belonging_organization(arena, &near, root, STR("urn:s|7"), &names, &above));
    assert_int_equal(names.n, 0);
    assert_true(names.unknown);
}

static void test_limit(void **state)
{
    (void)state;
    static char texts[BELONGING_NAMES_MAX + 1][8];
    struct belonging names = { 0 };
    for (size_t i = 0; i <= BELONGING_NAMES_MAX; i++) {
        assert_false(names.unknown);
        (void)snprintf(texts[i], sizeof(texts[i]), "n%zu", i);
        belonging_add(&names, str_z(texts[i]));
        belonging_add(&names, str_z(texts[0])); /* again */
    }
    assert_int_equal(names.n, BELONGING_NAMES_MAX);
    assert_true(names.unknown);
    struct belonging none = { 0 };
    belonging_add(&none, (struct str){ 0 });
    assert_int_equal(none.n, 0);
    assert_true(none.unknown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_elsewhere_names_are_urls),
        cmocka_unit_test(test_organizations),
        cmocka_unit_test(test_what_the_directory_is_asked_by),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests_name("fhir/consent/belonging", tests, NULL, NULL);
}
