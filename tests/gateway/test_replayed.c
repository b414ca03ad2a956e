/* What a record and its opening ask consents again; and what they don't. */
#include "tests/check.h"

#include "fhir/consent/action.h"
#include "fhir/consent/purpose.h"
#include "gateway/replayed.h"

static struct config_listener listeners[] = {
    { .place.name = "fhir", .protocol = PROTOCOL_FHIR, .base = "https://gw.example/fhir/" },
    { .place.name = "lab", .protocol = PROTOCOL_MLLP },
};
static struct config_destination destinations[] = {
    { .place.name = "ward", .organization = "urn:oid:1.2.3" },
};
static const char *to_ward[] = { "ward" };
static struct config_route routes[] = {
    { .from = "fhir", .to = { to_ward, 1 }, .index = 0 },
    { .from = "lab", .to = { to_ward, 1 }, .index = 1, .purpose = "TREAT" },
    { .from = "lab", .index = 2, .purpose = "TREAT" }, /* leads nowhere */
};
static const struct config config = {
    .listeners = { listeners, ARRAY_LEN(listeners) },
    .destinations = { destinations, ARRAY_LEN(destinations) },
    .routes = { routes, ARRAY_LEN(routes) },
};

#define SUBJECT "00112233445566778899aabbccddeeff"
#define DOCTOR                                                                                 \
    "{\"listener\":\"fhir\",\"organization\":\"urn:oid:9\",\"issuer\":\"https://i\","          \
    "\"subject\":\"dr\",\"client\":\"app\",\"user\":\"https://gw.example/fhir/Practitioner/"   \
    "1\","                                                                                     \
    "\"roles\":[{\"system\":\"urn:r\",\"code\":\"nurse\"},{\"code\":\"x\"}],"                  \
    "\"purposes\":[{\"code\":\"TREAT\"},{\"system\":\"urn:p\",\"code\":\"q\"}]}"
#define BELONGS                                                                                \
    "{\"organization\":\"urn:oid:9\",\"purposes\":[{\"code\":\"TREAT\"}],"                     \
    "\"belongs\":[\"CareTeam/1\",\"urn:oid:8\"],\"belongsUnknown\":true}"
#define EMERGENCY                                                                              \
    "{\"organization\":\"urn:oid:9\",\"purposes\":[{\"code\":\"TREAT\"},{\"code\":\"BTG\"}]}"

/* The actors of @it, with spaces between. */
static const char *actors(const struct replayed *it)
{
    static char memory[512];
    struct buf b = buf_fixed(memory, sizeof(memory) - 1);
    for (size_t i = 0; i < it->request.n_actors; i++) {
        buf_z(&b, i ? " " : "");
        buf_str_put(&b, it->request.actors[i]);
    }
    memory[b.n] = '\0';
    return memory;
}

static void test_questions(void **state)
{
    static const struct {
        enum record_interaction what;
        const char *route, *subject, *actor;
        int want;
        const char *actors;
        const char *purposes; /* of v3, by name, one */
        size_t others;
        enum action action;
    } cases[] = {
        { RECORD_READ, "fhir:0", SUBJECT, DOCTOR, 0,
          "urn:oid:9 Practitioner/1 https://i|dr https://i|app urn:r|nurse x", "TREAT", 1,
          ACTION_ACCESS },
        { RECORD_CREATE, "fhir:0", SUBJECT, DOCTOR, 0,
          "urn:oid:9 Practitioner/1 https://i|dr https://i|app urn:r|nurse x", "TREAT", 1,
          ACTION_COLLECT },
        { RECORD_READ, "fhir:0", SUBJECT, BELONGS, 0, "urn:oid:9 CareTeam/1 urn:oid:8", "TREAT",
          0, ACTION_ACCESS },
        { RECORD_READ, "fhir:0", SUBJECT, EMERGENCY, 0, "urn:oid:9", "BTG", 0, ACTION_ACCESS },
        { RECORD_BREAK_GLASS, "fhir:0", SUBJECT, EMERGENCY, 0, "urn:oid:9", "BTG", 0,
          ACTION_ACCESS },
        { RECORD_V2_RECEIVE, "lab:1", SUBJECT, "{}", 0, "urn:oid:1.2.3", "TREAT", 0,
          ACTION_DISCLOSE },
        { RECORD_V2_DELIVER, "lab:1", SUBJECT, "{}", 0, "urn:oid:1.2.3", "TREAT", 0,
          ACTION_DISCLOSE },
        { RECORD_V2_DELIVER, "lab:2", SUBJECT, "{}", REPLAYED_E_FORM, "", "", 0, ACTION_NONE },
        { RECORD_READ, "gone:0", SUBJECT, DOCTOR, REPLAYED_E_FORM, "", "", 0, ACTION_NONE },
        { RECORD_READ, "fhir:0", NULL, DOCTOR, REPLAYED_E_FORM, "", "", 0, ACTION_NONE },
        { RECORD_READ, "fhir:0", SUBJECT, NULL, REPLAYED_E_FORM, "", "", 0, ACTION_NONE },
        { RECORD_READ, "fhir:0", "00", DOCTOR, REPLAYED_E_FORM, "", "", 0, ACTION_NONE },
        { RECORD_READ, "fhir:0", SUBJECT, "[]", REPLAYED_E_FORM, "", "", 0, ACTION_NONE },
        { RECORD_READ, "fhir:0", SUBJECT, "{", REPLAYED_E_FORM, "", "", 0, ACTION_NONE },
        { RECORD_AUDIT_READ, "fhir:0", SUBJECT, DOCTOR, REPLAYED_E_FORM, "", "", 0,
          ACTION_NONE },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct record record = { .interaction = cases[i].what,
                                 .route = str_z(cases[i].route),
                                 .time = 77 };
        struct opening opening = { 0 };
        struct replayed got;
        opening.has[COMMITMENT_SUBJECT] = cases[i].subject;
        opening.has[COMMITMENT_ACTOR] = cases[i].actor;
        opening.value[COMMITMENT_SUBJECT] = str_z(cases[i].subject ? cases[i].subject : "");
        opening.value[COMMITMENT_ACTOR] = str_z(cases[i].actor ? cases[i].actor : "");
        assert_int_equal(replayed_read(arena, &config, &record, &opening, &got), cases[i].want);
        if (cases[i].want) {
            continue;
        }
        assert_string_equal(actors(&got), cases[i].actors);
        assert_true(got.request.purposes == purpose_bit(str_z(cases[i].purposes)));
        assert_int_equal(got.request.n_other_purposes, cases[i].others);
        assert_int_equal(got.request.action, cases[i].action);
        assert_int_equal(got.request.actors_unknown,
                         str_eq(str_z(cases[i].actor), STR(BELONGS)));
        assert_int_equal(got.request.now, 77);
        assert_int_equal(got.patient[15], 0xff);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_questions) };
    return cmocka_run_group_tests_name("gateway/replayed", tests, NULL, NULL);
}
