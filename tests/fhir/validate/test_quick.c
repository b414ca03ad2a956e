/* What is known of invariants without running them is what running them gives. */
#include "tests/check.h"

#include "fhir/format/json.h"
#include "fhir/validate/invariants.h"

struct quick_case {
    const char *key;
    const char *object;
    enum quick_answer want;
};

static const struct invariant *row_of(const char *key)
{
    for (size_t i = 0; i < invariants_r4.count; i++) {
        if (strcmp(invariants_r4.rows[i].key, key) == 0) {
            return &invariants_r4.rows[i];
        }
    }
    fail_msg("no invariant %s", key);
    return NULL;
}

/* Whether the expression itself says no. */
static bool is_broken(struct arena *arena, const struct invariant *row, const struct node *node)
{
    struct issues issues;
    const struct path *path = NULL;
    struct path_list list;
    static const struct path_env env;
    issues_init(&issues, arena);
    const struct path_source source = { .text = str_z(row->expression),
                                        .schema = &schema_r4,
                                        .flags = PATH_AS_FILTERS };
    assert_int_equal(path_compile(arena, &source, &issues, &path), 0);
    struct path_value input =
        path_element(&schema_r4, node, schema_type(&schema_r4, str_z(row->path)));
    int r = path_run(path_machine_new(arena, &env), path, &input, &issues, &list);
    assert_true(r >= 0);
    return r == 0 && list.n == 1 && list.items[0].kind == PATH_BOOLEAN &&
           !list.items[0].boolean;
}

static void test_answers(void **state)
{
    static const struct quick_case cases[] = {
        { "bdl-1", "{'resourceType':'Bundle','type':'batch'}", QUICK_HOLDS },
        { "bdl-1", "{'resourceType':'Bundle','type':'batch','total':1}", QUICK_ASK },
        { "bdl-2", "{'resourceType':'Bundle','entry':[{'fullUrl':'a'}]}", QUICK_HOLDS },
        { "bdl-2", "{'resourceType':'Bundle','entry':[{'search':{'mode':'match'}}]}",
          QUICK_ASK },
        { "bdl-3", "{'resourceType':'Bundle','type':'batch','entry':[{'request':{'url':'a'}}]}",
          QUICK_HOLDS },
        { "bdl-3", "{'resourceType':'Bundle','type':'batch','entry':[{'fullUrl':'a'}]}",
          QUICK_ASK },
        { "bdl-3", "{'resourceType':'Bundle','type':'collection','entry':[{'fullUrl':'a'}]}",
          QUICK_HOLDS },
        { "bdl-3", "{'resourceType':'Bundle','type':'collection','entry':[{'request':{}}]}",
          QUICK_ASK },
        { "bdl-3", "{'resourceType':'Bundle','type':'batch'}", QUICK_HOLDS },
        { "bdl-3", "{'resourceType':'Bundle','entry':[{'fullUrl':'a'}]}", QUICK_ASK },
        { "bdl-4", "{'resourceType':'Bundle','type':'history','entry':[{'response':{'a':1}}]}",
          QUICK_HOLDS },
        { "bdl-4", "{'resourceType':'Bundle','type':'batch-response','entry':[{}]}",
          QUICK_ASK },
        { "bdl-5", "{'resource':{'resourceType':'Basic'}}", QUICK_HOLDS },
        { "bdl-5", "{'fullUrl':'a'}", QUICK_ASK },
        { "bdl-7", "{'resourceType':'Bundle','entry':[{'fullUrl':'a'},{'fullUrl':'b'}]}",
          QUICK_HOLDS },
        { "bdl-7", "{'resourceType':'Bundle','entry':[{'fullUrl':'a'},{'fullUrl':'a'}]}",
          QUICK_ASK },
        { "bdl-7", "{'resourceType':'Bundle','entry':[{'request':{}}]}", QUICK_ASK },
        { "bdl-8", "{'fullUrl':'http://x/Patient/1'}", QUICK_HOLDS },
        { "bdl-8", "{'fullUrl':'http://x/Patient/1/_history/2'}", QUICK_ASK },
        { "bdl-9", "{'resourceType':'Bundle','type':'batch'}", QUICK_HOLDS },
        { "bdl-9", "{'resourceType':'Bundle','type':'document'}", QUICK_ASK },
        { "bdl-10", "{'resourceType':'Bundle'}", QUICK_ASK },
        { "bdl-11", "{'resourceType':'Bundle','type':'message'}", QUICK_HOLDS },
        { "bdl-12", "{'resourceType':'Bundle','type':'message'}", QUICK_ASK },
        { "bdl-12", "{'resourceType':'Bundle','type':'document'}", QUICK_HOLDS },
        { "cpt-2", "{'use':'home'}", QUICK_HOLDS },
        { "cpt-2", "{'value':'1','system':'phone'}", QUICK_HOLDS },
        { "cpt-2", "{'value':'1'}", QUICK_ASK },
        { "cpt-2", "{'_value':{'id':'a'}}", QUICK_ASK },
        { "dom-2", "{'resourceType':'Basic','contained':[{'resourceType':'Basic'}]}",
          QUICK_HOLDS },
        { "dom-2",
          "{'resourceType':'Basic','contained':[{'resourceType':'Basic',"
          "'contained':[{'resourceType':'Basic'}]}]}",
          QUICK_ASK },
        { "dom-3",
          "{'resourceType':'Basic','contained':[{'resourceType':'Patient','id':'p'}],"
          "'subject':{'reference':'#p'}}",
          QUICK_HOLDS },
        { "dom-3",
          "{'resourceType':'Basic','contained':[{'resourceType':'Patient','id':'p'}],"
          "'subject':{'reference':'#q','display':'#p'}}",
          QUICK_ASK },
        { "dom-3", "{'resourceType':'Basic','contained':[{'resourceType':'Patient','id':'p'}]}",
          QUICK_ASK },
        { "dom-3",
          "{'resourceType':'Basic','contained':[{'resourceType':'Patient'}],"
          "'subject':{'reference':'#'}}",
          QUICK_ASK },
        { "dom-4", "{'resourceType':'Basic','contained':[{'resourceType':'Basic'}]}",
          QUICK_HOLDS },
        { "dom-4",
          "{'resourceType':'Basic','contained':[{'resourceType':'Basic'},"
          "{'resourceType':'Basic','meta':{'versionId':'1'}}]}",
          QUICK_ASK },
        { "dom-5",
          "{'resourceType':'Basic','contained':[{'resourceType':'Basic',"
          "'meta':{'security':[{'code':'R'}]}}]}",
          QUICK_ASK },
        { "dom-6", "{'resourceType':'Basic','text':{'div':'<div/>'}}", QUICK_HOLDS },
        { "dom-6", "{'resourceType':'Basic'}", QUICK_BREAKS },
        { "dom-6", "{'resourceType':'Basic','text':{'status':'empty'}}", QUICK_ASK },
        { "ext-1", "{'url':'a','valueCode':'b'}", QUICK_HOLDS },
        { "ext-1", "{'url':'a','extension':[{'url':'b','valueCode':'c'}]}", QUICK_HOLDS },
        { "ext-1", "{'url':'a','extension':[{'url':'b'}],'valueCode':'c'}", QUICK_ASK },
        { "ext-1", "{'url':'a'}", QUICK_ASK },
        { "ext-1", "{'url':'a','_valueCode':{'extension':[{'url':'b'}]}}", QUICK_ASK },
        { "obs-3", "{'text':'a'}", QUICK_HOLDS },
        { "obs-3", "{'low':{'value':1}}", QUICK_HOLDS },
        { "obs-3", "{'appliesTo':[{'text':'a'}]}", QUICK_ASK },
        { "obs-6", "{'resourceType':'Observation','valueString':'a'}", QUICK_HOLDS },
        { "obs-6", "{'resourceType':'Observation','dataAbsentReason':{'text':'a'}}",
          QUICK_HOLDS },
        { "obs-6",
          "{'resourceType':'Observation','valueString':'a','dataAbsentReason':{'text':'b'}}",
          QUICK_ASK },
        { "obs-7", "{'resourceType':'Observation','valueString':'a'}", QUICK_HOLDS },
        { "obs-7",
          "{'resourceType':'Observation','valueString':'a','component':[{'code':{'text':'b'}}]"
          "}",
          QUICK_ASK },
        { "per-1", "{'start':'2026'}", QUICK_HOLDS },
        { "per-1", "{'start':'2026','end':'2025'}", QUICK_ASK },
        { "per-1", "{'start':'2026-01-02','end':'2026-01-02'}", QUICK_HOLDS },
        { "per-1", "{'start':'2026-01-02','end':'2026-01'}", QUICK_ASK },
        { "per-1", "{'start':'2026-01-02T10:00:00+02:00','end':'2026-01-02T09:00:00Z'}",
          QUICK_HOLDS },
        { "per-1", "{'start':'soon','end':'later'}", QUICK_ASK },
        { "sqty-1", "{'value':1}", QUICK_HOLDS },
        { "sqty-1", "{'value':1,'comparator':'<'}", QUICK_ASK },
        { "pat-1", "{'name':{'text':'a'}}", QUICK_HOLDS },
        { "pat-1", "{'gender':'other'}", QUICK_ASK },
        { "qty-3", "{'value':1}", QUICK_HOLDS },
        { "qty-3", "{'code':'g','system':'http://unitsofmeasure.org'}", QUICK_HOLDS },
        { "qty-3", "{'code':'g'}", QUICK_ASK },
        { "ref-1", "{'reference':'Patient/1'}", QUICK_HOLDS },
        { "ref-1", "{'reference':'#a'}", QUICK_ASK },
        { "ref-1", "{'display':'a'}", QUICK_HOLDS },
        { "ref-1", "{'_reference':{'id':'a'}}", QUICK_ASK },
        { "org-1", "{'resourceType':'Organization','name':'a'}", QUICK_HOLDS },
        { "org-1", "{'resourceType':'Organization','identifier':[{'value':'a'}]}",
          QUICK_HOLDS },
        { "org-1", "{'resourceType':'Organization','active':true}", QUICK_ASK },
        { "org-2", "{'city':'a'}", QUICK_HOLDS },
        { "org-2", "{'use':'home','city':'a'}", QUICK_ASK },
        { "org-3", "{'system':'phone','use':'work'}", QUICK_HOLDS },
        { "org-3", "{'system':'phone','_use':{'id':'a'}}", QUICK_ASK },
        { "prr-1", "{'resourceType':'ServiceRequest','intent':'order'}", QUICK_HOLDS },
        { "prr-1", "{'resourceType':'ServiceRequest','orderDetail':[{'text':'a'}]}",
          QUICK_ASK },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct issues issues;
        const struct node *node = NULL;
        char text[256];
        (void)snprintf(text, sizeof(text), "%s", cases[i].object);
        for (char *p = text; *p; p++) {
            *p = *p == '\'' ? '"' : *p;
        }
        issues_init(&issues, arena);
        assert_int_equal(json_parse(arena, str_z(text), &issues, &node), 0);
        quick_fn quick = quick_find(str_z(cases[i].key));
        assert_non_null(quick);
        enum quick_answer got = quick(node);
        bool broken = is_broken(arena, row_of(cases[i].key), node);
        if (got != cases[i].want || (got != QUICK_ASK && (got == QUICK_BREAKS) != broken)) {
            fail_msg("%s of %s: %d, and it is %s", cases[i].key, text, got,
                     broken ? "broken" : "not");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
    };
    return cmocka_run_group_tests_name("fhir/validate/quick", tests, NULL, NULL);
}
