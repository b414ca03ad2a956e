/* A site's map over another: compiled, and if it is one, translated by. */
#include "fhir/translate/map.h"
#include "fhir/translate/to_fhir.h"
#include "tests/fuzz/fuzz.h"

enum {
    MEMORY = 64 << 20,
};

static const char BASE[] = "table CodingSystems\n"
                           "    LN -> http://loinc.org\n"
                           "table T urn:t from urn:f\n"
                           "    A -> a \"Aha\"\n"
                           "    * -> b\n"
                           "resource Patient trusted\n"
                           "    Observation* -> link[] {\n"
                           "        $it -> other : reference\n"
                           "        OBX-3 -> code : CWE T\n"
                           "    }\n"
                           "resource Observation event\n"
                           "    Patient -> subject : reference\n"
                           "resource Practitioner identity\n"
                           "datatype CWE\n"
                           "    .1 -> coding[] : coding given\n"
                           "    .2 if .1 -> text : string\n"
                           "datatype XCN\n"
                           "    format \"{.3} {.2}\" -> $display : string\n"
                           "    .1 -> identifier[].value : string\n"
                           "structure s\n"
                           "    message: MSH EVN\n"
                           "        patient: PID PV1 => Patient\n"
                           "            key PID-3\n"
                           "            result: OBX NTE* ZL1* => Observation\n"
                           "                key with above OBX-3 else OBX-4\n"
                           "message ORU^R01 s\n"
                           "segment PID Patient\n"
                           "    PID-3 each -> identifier[] {\n"
                           "        .1 -> value : string\n"
                           "    }\n"
                           "    PID-5 -> name[].text : string\n"
                           "segment OBX Observation\n"
                           "    OBX-3 -> code : CWE T\n"
                           "    if OBX-2 = NM {\n"
                           "        OBX-5 if OBX-5 number -> valueDecimal : decimal\n"
                           "    }\n"
                           "    OBX-16 each -> performer[] : Practitioner(XCN)\n";

static const char MESSAGE[] =
    "MSH|^~\\&|A|B|||20260102||ORU^R01|7|P|2.5\rEVN||2026\r"
    "PID|1||7^^^LAB~8||Doe^Jane||19700203|F|||a^b~c\rPV1|1|I|W^2\r"
    "OBX|1|NM|A^Aha^LN||1.5|mg||||F|||||||1^Who^Doc~2^Doc\rNTE|1||one~two\rZL1|x|y&z\r"
    "OBX|2|ST|B||text\rZL1|1~2~3\r";

static void translate(struct arena *arena, const struct rules *rules, struct issues *issues)
{
    const struct translate_site site = { .rules = rules, .sender = STR("urn:oid:9|lab") };
    struct v2_message message;
    struct translate_result result;
    if (v2_parse(arena, str_z(MESSAGE), issues, &message) == 0) {
        (void)!translate_to_fhir(arena, &message, &site, &result, issues);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1 << 16);
    if (!arena) {
        return 0;
    }
    arena_limit(arena, MEMORY);
    struct issues issues;
    issues_init(&issues, arena);
    const struct map_file files[] = { { "base.map", str_z(BASE), 0 },
                                      { "site.map", str_of(data, size), 1 } };
    const struct rules *rules;
    if (map_compile(arena, files, ARRAY_LEN(files), &issues, &rules) == 0) {
        translate(arena, rules, &issues);
    }
    arena_free(arena);
    return 0;
}
