/* What requests mean, and which are refused. */
#include "fhir/rest/interaction.h"

#include "tests/check.h"

#define JSON "application/fhir+json"
#define FORM "application/x-www-form-urlencoded"

/* Split "GET /Patient/1?x=y" and classify it. */
static void classify(struct arena *arena, const char *line, const char *content,
                     const char *form, struct interaction *out)
{
    struct str rest = str_z(line);
    struct interaction_request request = { .content_type = str_z(content),
                                           .form = str_z(form) };
    request.method = str_cut(&rest, ' ');
    request.path = str_cut(&rest, '?');
    request.query = rest;
    assert_int_equal(interaction_classify(arena, &request, out), 0);
}

static void show_patients(const struct interaction *in, char *out, size_t size)
{
    struct buf b = buf_fixed(out, size);
    for (const struct subject_ref *ref = in->patients.first; ref; ref = ref->next) {
        buf_z(&b, b.n ? " " : "");
        buf_str_put(&b, ref->to.id);
        if (ref->to.form == REFERENCE_LOGICAL) {
            buf_str_put(&b, ref->to.system);
            buf_c(&b, '|');
            buf_str_put(&b, ref->to.value);
        }
    }
    buf_c(&b, '\0');
}

static void test_meanings(void **state)
{
    static const struct {
        const char *line, *content, *form;
        enum interaction_kind kind;
        const char *type, *id, *patients;
    } cases[] = {
        { "GET /metadata", "", "", INTERACTION_CAPABILITIES, "", "", "" },
        { "GET /Patient/1", "", "", INTERACTION_READ, "Patient", "1", "1" },
        { "HEAD /Patient/1", "", "", INTERACTION_READ, "Patient", "1", "1" },
        { "GET /Observation/a-b.C?_format=json", "", "", INTERACTION_READ, "Observation",
          "a-b.C", "" },
        { "GET /Patient/1/_history/2", "", "", INTERACTION_VREAD, "Patient", "1", "1" },
        { "GET /Patient/1/_history?_count=5", "", "", INTERACTION_HISTORY_INSTANCE, "Patient",
          "1", "1" },
        { "GET /Observation", "", "", INTERACTION_SEARCH, "Observation", "", "" },
        { "GET /Observation?patient=1&code=x", "", "", INTERACTION_SEARCH, "Observation", "",
          "1" },
        { "GET /Observation?patient=Patient/1,2", "", "", INTERACTION_SEARCH, "Observation", "",
          "1 2" },
        { "GET /Observation?subject=Patient%2F1", "", "", INTERACTION_SEARCH, "Observation", "",
          "1" },
        { "GET /Observation?subject:Patient=1", "", "", INTERACTION_SEARCH, "Observation", "",
          "1" },
        { "GET /Observation?subject=1", "", "", INTERACTION_SEARCH, "Observation", "", "" },
        { "GET /Observation?subject=Group/1", "", "", INTERACTION_SEARCH, "Observation", "",
          "" },
        { "GET /Observation?performer=Patient/1", "", "", INTERACTION_SEARCH, "Observation", "",
          "" },
        { "GET /Observation?p%61tient=1", "", "", INTERACTION_SEARCH, "Observation", "", "1" },
        { "GET /Observation?patient=1&patient=2", "", "", INTERACTION_SEARCH, "Observation", "",
          "1 2" },
        { "GET /Observation?patient:identifier=s%7Cv", "", "", INTERACTION_SEARCH,
          "Observation", "", "s|v" },
        { "GET /Patient?_id=1,2&_count=5&_sort=-birthdate", "", "", INTERACTION_SEARCH,
          "Patient", "", "1 2" },
        { "GET /Patient?identifier=http://s|v", "", "", INTERACTION_SEARCH, "Patient", "",
          "http://s|v" },
        { "GET /Patient?name:exact=A%20B&_total=accurate", "", "", INTERACTION_SEARCH,
          "Patient", "", "" },
        { "GET /Patient/1/Observation?code=x", "", "", INTERACTION_SEARCH, "Observation", "1",
          "1" },
        { "POST /Patient/1/Observation/_search", FORM, "code=x", INTERACTION_SEARCH,
          "Observation", "1", "1" },
        { "POST /Observation/_search?code=x", FORM "; charset=UTF-8", "patient=7",
          INTERACTION_SEARCH, "Observation", "", "7" },
        { "GET /Organization?whatever=1", "", "", INTERACTION_SEARCH, "Organization", "", "" },
        { "POST /Observation", JSON, "", INTERACTION_CREATE, "Observation", "", "" },
        { "POST /Observation", "application/json; charset=utf-8", "", INTERACTION_CREATE,
          "Observation", "", "" },
        { "PUT /Patient/1", JSON, "", INTERACTION_UPDATE, "Patient", "1", "1" },
        { "PUT /Patient?identifier=s|v", JSON, "", INTERACTION_UPDATE, "Patient", "", "s|v" },
        { "PATCH /Patient/1", "application/json-patch+json", "", INTERACTION_PATCH, "Patient",
          "1", "1" },
        { "DELETE /Patient/1", "", "", INTERACTION_DELETE, "Patient", "1", "1" },
        { "POST /", JSON, "", INTERACTION_BATCH, "", "", "" },
        { "POST ", JSON, "", INTERACTION_BATCH, "", "", "" },
        { "GET /Patient/1/$everything", "", "", INTERACTION_OPERATION, "Patient", "1", "1" },
        { "POST /Consent/$file-consent", JSON, "", INTERACTION_OPERATION, "Consent", "", "" },
        { "POST /$graphql", JSON, "", INTERACTION_OPERATION, "", "", "" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct interaction got;
        classify(arena, cases[i].line, cases[i].content, cases[i].form, &got);
        char patients[128];
        show_patients(&got, patients, sizeof(patients));
        if (got.kind != cases[i].kind || !str_eq(got.type, str_z(cases[i].type)) ||
            !str_eq(got.id, str_z(cases[i].id)) || strcmp(patients, cases[i].patients) != 0) {
            fail_msg("%s: %s, patients %s, %s", cases[i].line, interaction_name(&got), patients,
                     got.why ? got.why : "");
        }
    }
}

static void test_refusals(void **state)
{
    static const struct {
        const char *line, *content;
        int status;
    } cases[] = {
        { "TRACE /Patient/1", "", 405 },
        { "get /Patient/1", "", 405 },
        { "GET /patient/1", "", 501 },
        { "GET /Unheard/1", "", 404 },
        { "GET //Patient/1", "", 404 },
        { "GET /Patient/", "", 404 },
        { "GET /Patient//1", "", 404 },
        { "GET /Patient/..", "", 404 },
        { "GET /Patient/../Patient/1", "", 404 },
        { "GET /Patient/%31", "", 404 },
        { "GET /P%61tient/1", "", 404 },
        { "GET /Patient/1/_history/2/3", "", 404 },
        { "GET /Patient/1/_history/..", "", 404 },
        { "GET /Patient/1/2/3/4/5", "", 404 },
        { "GET /Patient/1;x", "", 404 },
        { "GET /", "", 501 },
        { "GET /_history", "", 501 },
        { "GET /Patient/_history", "", 501 },
        { "POST /_search", FORM, 501 },
        { "GET /Patient/1/*", "", 501 },
        { "GET /Encounter/1/Observation", "", 501 },
        { "GET /Observation?_include=Observation:subject", "", 501 },
        { "GET /Observation?_%69nclude=Observation:subject", "", 501 },
        { "GET /Observation?_include:iterate=Observation:subject", "", 501 },
        { "GET /Patient?_revinclude=Observation:focus", "", 501 },
        { "GET /Patient?_has:Observation:patient:code=x", "", 501 },
        { "GET /Observation?subject.name=x", "", 501 },
        { "GET /Observation?subject:Patient.name=x", "", 501 },
        { "GET /Observation?_filter=x", "", 501 },
        { "GET /Observation?_query=x", "", 501 },
        { "GET /Observation?_list=x", "", 501 },
        { "GET /Observation?_text=x", "", 501 },
        { "GET /Observation?_content=x", "", 501 },
        { "GET /Observation?_elements=id", "", 501 },
        { "GET /Observation?_summary=count", "", 501 },
        { "GET /Observation?_format=xml", "", 406 },
        { "GET /Observation?_format=text/html", "", 406 },
        { "GET /Observation/1?_format=xml", "", 406 },
        { "GET /Observation/1?_elements=id", "", 400 },
        { "GET /Observation?unheard=1", "", 400 },
        { "GET /Observation?code:unheard=1", "", 400 },
        { "GET /Observation?_sort=unheard", "", 400 },
        { "GET /Observation?_sort=subject.name", "", 400 },
        { "GET /Observation?code=%", "", 400 },
        { "GET /Observation?code=%4", "", 400 },
        { "GET /Observation?code=%zz", "", 400 },
        { "GET /Observation?code=%00", "", 400 },
        { "GET /Observation?code=%0a", "", 400 },
        { "GET /Observation?code=%c0%80", "", 400 },
        { "GET /Observation?=x", "", 400 },
        { "GET /Observation?code:=x", "", 400 },
        { "POST /Observation/_search", JSON, 415 },
        { "POST /Observation", "application/fhir+xml", 415 },
        { "POST /Observation", "", 415 },
        { "PUT /Patient", JSON, 400 },
        { "PUT /Patient/1/2", JSON, 404 },
        { "DELETE /Patient?name=x", "", 501 },
        { "PUT /", JSON, 405 },
        { "POST /metadata", JSON, 405 },
        { "GET /Patient/$", "", 404 },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct interaction got;
        classify(arena, cases[i].line, cases[i].content, "", &got);
        if (got.kind != INTERACTION_REFUSED || got.status != cases[i].status) {
            fail_msg("%s: %s, status %d", cases[i].line, interaction_name(&got), got.status);
        }
        assert_non_null(got.why);
        assert_non_null(got.code);
    }
}

static void test_query_is_encoded_anew(void **state)
{
    static const struct {
        const char *line, *want;
    } cases[] = {
        { "GET /Observation", "_total=none" },
        { "GET /Observation?_total=accurate&_format=json", "_total=none" },
        { "GET /Observation?p%61tient=1&&code=http://x|a,b+c&_count=5",
          "patient=1&code=http%3A%2F%2Fx%7Ca%2Cb%20c&_count=5&_total=none" },
        { "GET /Patient?name:exact=%C3%A4%26b=c", "name:exact=%C3%A4%26b%3Dc&_total=none" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct interaction got;
        classify(arena, cases[i].line, "", "", &got);
        char memory[256];
        struct buf out = buf_fixed(memory, sizeof(memory));
        interaction_query(&got, &out);
        assert_str(buf_str(&out), cases[i].want);
    }
}

static void test_conditional_create_searches(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    struct interaction_request request = {
        .method = STR("POST"),
        .path = STR("/Patient"),
        .content_type = STR(JSON),
        .if_none_exist = STR("?identifier=s|v"),
    };
    struct interaction got;
    assert_int_equal(interaction_classify(arena, &request, &got), 0);
    assert_int_equal(got.kind, INTERACTION_CREATE);
    assert_true(got.conditional);
    assert_str(got.patients.first->to.value, "v");

    request.if_none_exist = STR("_has:Observation:patient:code=x");
    assert_int_equal(interaction_classify(arena, &request, &got), 0);
    assert_int_equal(got.status, 501);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meanings),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_query_is_encoded_anew),
        cmocka_unit_test(test_conditional_create_searches),
    };
    return cmocka_run_group_tests_name("interaction", tests, NULL, NULL);
}
