/* A site's map over another: compiled, and if it is one, translated by. */
#include "fhir/translate/map.h"
#include "fhir/format/json.h"
#include "fhir/translate/to_fhir.h"
#include "fhir/translate/to_v2.h"
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
                           "    OBX-16 each -> performer[] : Practitioner(XCN)\n"
                           "structure b from Bundle\n"
                           "    message: MSH <= Bundle\n"
                           "        patient: PID NTE* <= Patient required\n"
                           "            result: OBX <= Observation with subject if code\n"
                           "                also Practitioner in performer\n"
                           "message ORU^R01 from b if Observation\n"
                           "datatype Number from Identifier\n"
                           "    .1 if unset .1 <- value : string\n"
                           "    .2+ <- system : assigner\n"
                           "segment PID from Patient\n"
                           "    PID-3 each <- identifier[use!=old,system][1+] : Number\n"
                           "    format \"{PID-5.1} {PID-5.2}\" <- name[].text : string\n"
                           "segment NTE from Patient.note[]\n"
                           "    NTE-3 lines <- text : string\n"
                           "segment OBX from Observation\n"
                           "    OBX-3 <- code.coding[!$given] {\n"
                           "        .1 <- code : string\n"
                           "        .3 <- system : codesystem given\n"
                           "    }\n";

static const char MESSAGE[] =
    "MSH|^~\\&|A|B|||20260102||ORU^R01|7|P|2.5\rEVN||2026\r"
    "PID|1||7^^^LAB~8||Doe^Jane||19700203|F|||a^b~c\rPV1|1|I|W^2\r"
    "OBX|1|NM|A^Aha^LN||1.5|mg||||F|||||||1^Who^Doc~2^Doc\rNTE|1||one~two\rZL1|x|y&z\r"
    "OBX|2|ST|B||text\rZL1|1~2~3\r";

static const char RESOURCES[] =
    "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\","
    "\"id\":"
    "\"p\",\"identifier\":[{\"system\":\"urn:oid:1\",\"value\":\"7\"},{\"use\":\"old\"}],"
    "\"name\":"
    "[{\"text\":\"Jo Doe\"}],\"note\":[{\"text\":\"a\\nb\"}]}},{\"resource\":{\"resourceType\":"
    "\"Observation\",\"subject\":{\"reference\":\"Patient/"
    "p\"},\"code\":{\"coding\":[{\"system\":"
    "\"http://"
    "loinc.org\",\"code\":\"A\"},{\"code\":\"b\"}]},\"performer\":[{\"reference\":\"#d\"}],"
    "\"contained\":[{\"resourceType\":\"Practitioner\",\"id\":\"d\"}]}}]}";

static void translate_back(struct arena *arena, const struct rules *rules,
                           struct issues *issues)
{
    const struct translate_receiver to = { .rules = rules,
                                           .version = V2_2_5,
                                           .delims = V2_DELIMS_USUAL };
    const struct node *root;
    struct translate_message message;
    if (json_parse(arena, str_z(RESOURCES), issues, &root) == 0) {
        (void)!translate_to_v2(arena, root, &to, &message, issues);
    }
}

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
        translate_back(arena, rules, &issues);
    }
    arena_free(arena);
    return 0;
}
