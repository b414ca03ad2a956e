/* Narratives: formatting, links and images, nothing that acts. */
#include "fhir/format/xhtml.h"
#include "tests/check.h"

#define DIV(inner) "<div xmlns=\"http://www.w3.org/1999/xhtml\">" inner "</div>"

static void test_narratives(void **state)
{
    static const struct {
        const char *text;
        int want;
    } cases[] = {
        { DIV("a"), 0 },
        { DIV("<p class=\"x\" style=\"color: red\" lang=\"en\" xml:lang=\"en\">a<br/>b</p>"),
          0 },
        { DIV("<a href=\"#x\" name=\"y\">a</a><img src=\"#i\" alt=\"i\"/>"), 0 },
        { DIV("<table border=\"1\"><tbody><tr><td colspan=\"2\">a</td></tr></tbody></table>"),
          0 },
        { DIV("<img src=\"a.png\"/>"), 0 },
        { DIV("&lt;script&gt;"), 0 },
        { "<div>a</div>", 0 },
        { DIV(""), XHTML_E_EMPTY },
        { DIV(" \n<p/>"), XHTML_E_EMPTY },
        { DIV("<script>a</script>"), XHTML_E_FORM },
        { DIV("<p onclick=\"a()\">a</p>"), XHTML_E_FORM },
        { DIV("<form>a</form>"), XHTML_E_FORM },
        { DIV("<iframe src=\"x\"/>a"), XHTML_E_FORM },
        { DIV("<object/>a"), XHTML_E_FORM },
        { DIV("<p href=\"x\">a</p>"), XHTML_E_FORM },
        { DIV("<p xmlns=\"urn:x\">a</p>"), XHTML_E_FORM },
        { "<p xmlns=\"http://www.w3.org/1999/xhtml\">a</p>", XHTML_E_FORM },
        { DIV("&nbsp;a"), XHTML_E_FORM },
        { DIV("<p>a"), XHTML_E_FORM },
        { "a", XHTML_E_FORM },
        { "", XHTML_E_FORM },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int r = xhtml_check(str_z(cases[i].text));
        if (r != cases[i].want) {
            fail_msg("%s: %d", cases[i].text, r);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_narratives),
    };
    return cmocka_run_group_tests_name("fhir/format/xhtml", tests, NULL, NULL);
}
