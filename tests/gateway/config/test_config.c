#include "tests/check.h"

#include "gateway/config/config.h"
#include "gateway/heap.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/chartseal-config-XXXXXX";

static void write_file(const char *name, const char *text, mode_t mode)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static const char *const good =
    "tenant: st-elsewhere\n"
    "listeners:\n"
    "  lab-feed:\n"
    "    protocol: mllp\n"
    "    address: 127.0.0.1:2575\n"
    "    senders:\n"
    "      - { address: 127.0.0.1, organization: \"urn:oid:1.2.3\", zone: Europe/Berlin,\n"
    "          assigners: { LAB: \"urn:oid:1.2.3.4\" } }\n"
    "destinations:\n"
    "  ward: { protocol: mllp, address: \"127.0.0.1:2600\", organization: \"urn:oid:1.2.9\" }\n"
    "routes:\n"
    "  - { from: lab-feed, when: { message: \"ORU^R01\" }, to: [ward], purpose: TREAT }\n"
    "ledger: { endpoints: [\"http://127.0.0.1:8545\"], chain_id: 31337, consent: \"0x1\",\n"
    "          anchor: \"0x2\", max_staleness: 10s }\n"
    "database: { url_file: url }\n"
    "keys: { root: root.key, checkpoint: checkpoint.key }\n"
    "admin: { address: \"127.0.0.1:9090\" }\n"
    "log: { origin: log.example/access }\n";

static int setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    write_file("url", "postgresql:///x\n", 0600);
    write_file("root.key", "aa", 0600);
    write_file("checkpoint.key", "bb", 0600);
    write_file("open.key", "cc", 0644);
    write_file("placeholder.key", "changeme\n", 0600);
    write_file("empty.key", "", 0600);
    return 0;
}

/* The good file with @from replaced by @to; its report in @report. */
static int load_with(const char *from, const char *to, struct buf *report, struct config **out)
{
    static char text[8192];
    const char *at = strstr(good, from);
    assert_non_null(at);
    (void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good, to,
                   at + strlen(from));
    write_file("chartseal.yaml", text, 0644);
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/chartseal.yaml", folder);
    return config_load(path, report, out);
}

static void test_a_good_file_is_read(void **state)
{
    (void)state;
    struct buf report = heap_buf(1 << 16);
    struct config *config = NULL;
    assert_int_equal(load_with("tenant", "tenant", &report, &config), 0);
    assert_int_equal(report.n, 0);
    assert_string_equal(config->tenant, "st-elsewhere");
    assert_int_equal(config->ledger->max_staleness, 10000);
    assert_int_equal(config->drain_timeout, 30000); /* the default */
    const struct config_listener *listener = config_listener(config, 0);
    assert_string_equal(listener->place.name, "lab-feed");
    const struct config_sender *sender = listener->senders.items;
    assert_string_equal(sender->assigners.items[0].value, "urn:oid:1.2.3.4");
    assert_int_equal(config_route(config, 0)->mode, MODE_ENFORCE);
    assert_non_null(config_destination_named(config, "ward"));
    assert_null(config_destination_named(config, "nobody"));
    config_free(config);
    heap_buf_free(&report);
}

/* A listener of FHIR whose issuer has its keys as @keys says. */
#define WEB(keys)                                                                              \
    "  web: { protocol: fhir, address: 127.0.0.1:8080, base: \"http://gw/fhir\",\n"            \
    "         issuers: [{ issuer: a, audience: b, " keys " }] }\ndestinations:"

/* What FHIR clients write, and how messages are written for those who get it. */
static void test_from_fhir_to_v2_receivers(void **state)
{
#define BEGIN                                                                                  \
    WEB("jwks_file: url") "\n  ehr: { protocol: fhir, url: \"http://e/\", organization: o"
#define WARD " }\n  ward: { protocol: mllp, address: \"127.0.0.1:2600\", organization: o"
#define ROUTE " }\nroutes:\n  - { from: web, purpose: TREAT, to: [ward] }\n"
    static const struct {
        const char *to;
        const char *why;
    } cases[] = {
        { BEGIN WARD ROUTE, NULL },
        { BEGIN WARD ", receiver: { }" ROUTE, NULL },
        { BEGIN WARD ", receiver: { version: 2.3, charset: 8859/1, beyond: true,"
                     " event: \"ORU^R01\", assigners: { LAB: \"urn:lab\" } }" ROUTE,
          NULL },
        { BEGIN WARD ", receiver: { version: 2.9 }" ROUTE, "version" },
        { BEGIN WARD ", receiver: { charset: KOI8 }" ROUTE, "no character set \"KOI8\"" },
        { BEGIN WARD ", receiver: { charset: UNICODE UTF-16 }" ROUTE, "no character set" },
        { BEGIN ", receiver: { }" WARD ROUTE, "no v2 receiver" },
        { BEGIN WARD " }\nroutes:\n  - { from: web, to: [ward] }\n", "needs a purpose" },
        { BEGIN WARD " }\nroutes:\n  - { from: web, purpose: TREAT, to: [ehr, ward] }\n",
          "exactly one FHIR destination, or to v2 receivers" },
        { BEGIN WARD " }\nroutes:\n  - { from: web, purpose: TREAT, to: [ward],"
                     " validate: reject }\n",
          NULL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf report = heap_buf(1 << 16);
        struct config *config = NULL;
        int r = load_with("destinations:\n  ward: { protocol: mllp, address: "
                          "\"127.0.0.1:2600\", organization: \"urn:oid:1.2.9\" }\nroutes:\n",
                          cases[i].to, &report, &config);
        buf_c(&report, '\0');
        if (r != (cases[i].why ? -EINVAL : 0) ||
            (cases[i].why && !strstr(report.p, cases[i].why))) {
            fail_msg("case %zu: %s", i, report.p);
        }
        config_free(config);
        heap_buf_free(&report);
    }
#undef BEGIN
#undef WARD
#undef ROUTE
}

static void test_what_is_wrong_is_named_with_its_line(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        const char *want;
    } cases[] = {
        { "address: 127.0.0.1:2575", "adress: 127.0.0.1:2575",
          ":5: listeners.lab-feed: unknown key \"adress\"; did you mean \"address\"?" },
        { "tenant: st-elsewhere\n", "", "tenant: is missing" },
        { "protocol: mllp\n", "protocol: smtp\n",
          ":4: listeners.lab-feed.protocol: \"smtp\" is none of: mllp, fhir" },
        { "max_staleness: 10s", "max_staleness: 10", "is no duration" },
        { "max_staleness: 10s", "max_staleness: 99d", "is out of range" },
        { "chain_id: 31337", "chain_id: many", "is no integer" },
        { "to: [ward]", "to: ward", "must be a list of texts" },
        { "to: [ward]", "to: [icu]", ":12: routes: no destination is called \"icu\"" },
        { "from: lab-feed", "from: lab", "no listener is called \"lab\"" },
        { ", purpose: TREAT", "", "needs a purpose" },
        { "root: root.key", "root: missing.key", "secret file" },
        { "root: root.key", "root: open.key", "is open to others; chmod 600 it" },
        { "root: root.key", "root: placeholder.key", "holds a placeholder" },
        { "root: root.key", "root: empty.key", "is empty" },
        { "root: root.key", "root: <path>", "is a placeholder" },
        { "zone: Europe/Berlin", "maps: [missing.map]", "missing.map can't be read" },
        { "zone: Europe/Berlin", "maps: lab.map", "must be a list of files" },
        { "tenant: st-elsewhere\n", "tenant: a\ntenant: b\n", "given 2 times" },
        { "tenant: st-elsewhere\n", "tenant: [a]\n", ":1: tenant: must be a single value" },
        { "tenant: st-elsewhere\n", "tenant: a\nconsent: { directory: ward }\n",
          ":2: consent: directory names no FHIR destination" },
        { "tenant: st-elsewhere\n", "tenant: a\nconsent: { directory: nobody }\n",
          ":2: consent: directory names no FHIR destination" },
        { "tenant: st-elsewhere\n", "tenant: a\nconsent: { directory_age: 11m }\n",
          "is out of range" },
        { "destinations:\n",
          "consent: { directory: ehr }\ndestinations:\n  ehr: { protocol: fhir, "
          "url: \"http://e/fhir\", organization: \"urn:oid:9\", auth: { kind: pass } }\n",
          "consent: directory is asked by the gateway itself: there is nothing to pass on" },
        { "  lab-feed:\n", "  Lab Feed:\n", "names are a-z" },
        { "tenant: st-elsewhere\n", "tenant: {\n", "chartseal.yaml:" },
        { "address: 127.0.0.1, organization", "organization", "a certificate or an address" },
        { "10s }", "10s, relayer: { keystore: url } }", "needs both keystore and password" },
        { "10s }", "10s, relayer: { signer: \"http://s\" } }", "ledger.relayer: needs signer" },
        { "10s }", "10s, anchoring: { address: \"0x1\", signer: \"http://s\" } }",
          "ledger.anchoring: needs signer" },
        { "10s }", "10s, relayer: { keystore: url, password: url, signer: \"http://s\" } }",
          "needs either keystore and password, or signer and address" },
        { "destinations:", WEB("organization: c"),
          ":10: web: issuer 0 needs either jwks_file or jwks_url" },
        { "destinations:", WEB("jwks_file: url, jwks_url: \"https://idp/keys\""),
          "issuer 0 needs either" },
        { "destinations:", WEB("jwks_url: \"ftp://idp/keys\""),
          "jwks_url of issuer 0 is no http or https URL" },
        { "destinations:", WEB("jwks_url: \"http://idp/keys\", tls: { clients: url }"),
          "issuer 0 has tls, but no jwks_url with https" },
        { "destinations:", WEB("jwks_file: url, tls: { clients: url }"),
          "issuer 0 has tls, but" },
        { "destinations:", WEB("jwks_url: \"https://idp/\", tls: { certificate: url }"),
          "needs certificate and key together" },
        { "protocol: mllp, address: \"127.0.0.1:2600\"", "protocol: fhir, url: \"ehr/fhir\"",
          "url is no http or https URL" },
        { "address: 127.0.0.1, organization",
          "address: 127.0.0.1, charset: EBCDIC, organization",
          "no character set \"EBCDIC\" to fall back on" },
        { "address: 127.0.0.1, organization",
          "address: 127.0.0.1, charset: UNICODE UTF-16, organization", "to fall back on" },
        { "purpose: TREAT", "purpose: TREAT, validate: reject",
          ":12: routes: validate looks at FHIR, and this route leads to no FHIR destination" },
        { "purpose: TREAT", "purpose: TREAT, profiles: [\"urn:p\"]",
          ":12: routes: profiles of messages need validate: warn or reject" },
        { "tenant: st-elsewhere\n", "tenant: a\npackages: [us-core]\n",
          "us-core can't be read" },
        { "address: 127.0.0.1, organization", "address: 127.0.0.1, ack: both, organization",
          "\"both\" is none of: original, enhanced" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf report = heap_buf(1 << 16);
        struct config *config = NULL;
        assert_int_equal(load_with(cases[i].from, cases[i].to, &report, &config), -EINVAL);
        buf_c(&report, '\0');
        if (!strstr(report.p, cases[i].want)) {
            print_error("case %zu: got\n%swant %s\n", i, report.p, cases[i].want);
            fail();
        }
        heap_buf_free(&report);
    }
}

static void test_issuers_and_their_roles(void **state)
{
    static const struct {
        const char *issuers, *want; /* NULL: good */
    } cases[] = {
        { "{ ISSUER, roles: { read: [\"urn:r#nurse\", doctor], write: [doctor] } }", NULL },
        { "{ ISSUER, roles: { } }", NULL },
        { "{ ISSUER, roles: { read: [] } }", "a list names no role" },
        { "{ ISSUER, roles: { read: [\"\"] } }", "\"\" is no role" },
        { "{ ISSUER, roles: { consent: [\"urn:r|\"] } }", "\"urn:r|\" is no role" },
        { "{ ISSUER, roles: { break_glass: [doctor] } }", NULL },
        { "{ ISSUER, roles: { break_glass: [] } }", "a list names no role" },
        { "{ ISSUER, roles: { reads: [a] } }", "did you mean \"read\"?" },
        { "{ ISSUER, roles: { read: nurse } }", "must be a list of texts" },
        { "{ ISSUER }, { ISSUER }", "issuer \"https://a\" is named twice" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[2048];
        struct buf b = buf_fixed(text, sizeof(text) - 1);
        struct str rest = str_z(cases[i].issuers);
        buf_z(&b, "listeners:\n  api: { protocol: fhir, address: \"127.0.0.1:1\", base: "
                  "\"http://a/fhir\", issuers: [");
        while (rest.n) { /* ISSUER stands for what each needs */
            const char *at = memmem(rest.p, rest.n, "ISSUER", 6);
            size_t n = at ? (size_t)(at - rest.p) : rest.n;
            buf_put(&b, rest.p, n);
            buf_z(&b, at ? "issuer: \"https://a\", audience: b, jwks_file: url" : "");
            rest = str_slice(rest, at ? n + 6 : n, rest.n);
        }
        buf_z(&b, "] }\n");
        text[b.n] = '\0';
        struct buf report = heap_buf(1 << 16);
        struct config *config = NULL;
        int r = load_with("listeners:\n", text, &report, &config);
        buf_c(&report, '\0');
        if (r != (cases[i].want ? -EINVAL : 0) ||
            (cases[i].want && !strstr(report.p, cases[i].want))) {
            print_error("case %zu: got %d\n%s", i, r, report.p);
            fail();
        }
        config_free(config);
        heap_buf_free(&report);
    }
}

static void test_where_patients_log_in(void **state)
{
    static const struct {
        const char *issuer, *login, *want; /* NULL: good */
    } cases[] = {
        { "https://a", "origins: [\"https://portal.example\"]", NULL },
        { "https://a", "origins: [\"http://localhost:8080\"], challenge: 1m, token: 1h", NULL },
        { "https://a", "token: 5m", "origins: is missing" },
        { "https://a", "origins: []", "origins names none" },
        { "https://a", "origins: [portal.example]", "\"portal.example\" is no origin" },
        { "https://a", "origins: [\"https://portal.example/\"]", "is no origin" },
        { "https://a", "origins: [\"https://portal.example\"], token: 2h", "token" },
        { "https://a", "origins: [\"https://portal.example\"], rp_id: portal.example", NULL },
        { "https://a", "origins: [\"https://my.portal.example:8443\"], rp_id: portal.example",
          NULL },
        { "https://a", "origins: [\"https://myportal.example\"], rp_id: portal.example",
          "rp_id isn't the domain" },
        { "https://a", "origins: [\"https://portal.example\"], rp_id: my.portal.example",
          "rp_id isn't the domain" },
        { "http://a/fhir", "origins: [\"https://portal.example\"]", "named as another's" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[2048];
        struct buf report = heap_buf(1 << 16);
        struct config *config = NULL;
        (void)snprintf(text, sizeof(text),
                       "listeners:\n  api: { protocol: fhir, address: \"127.0.0.1:1\", base: "
                       "\"http://a/fhir/\", issuers: [{ issuer: \"%s\", audience: b, "
                       "jwks_file: url }], login: { %s } }\n",
                       cases[i].issuer, cases[i].login);
        int r = load_with("listeners:\n", text, &report, &config);
        if (cases[i].want) {
            assert_int_equal(r, -EINVAL);
            assert_non_null(memmem(report.p, report.n, cases[i].want, strlen(cases[i].want)));
        } else {
            assert_int_equal(r, 0);
        }
        config_free(config);
        heap_buf_free(&report);
    }
}

static void test_modes_that_do_not_enforce_are_said(void **state)
{
    (void)state;
    struct buf report = heap_buf(1 << 16);
    struct config *config = NULL;
    assert_int_equal(
        load_with("purpose: TREAT", "purpose: TREAT, mode: shadow", &report, &config), 0);
    config_warnings(config, &report);
    buf_c(&report, '\0');
    assert_non_null(strstr(report.p, "runs in mode shadow"));
    config_free(config);
    heap_buf_free(&report);
}

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t want;
    } cases[] = {
        { "250ms", 250 },
        { "10s", 10000 },
        { "15m", 900000 },
        { "2h", 7200000 },
        { "7d", 604800000 },
        { "0s", 0 },
        { "10", -1 },
        { "s", -1 },
        { "-1s", -1 },
        { "1 s", -1 },
        { "1S", -1 },
        { "99999999999999999999s", -1 },
        { "9223372036854775807d", -1 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t got = -1;
        int r = config_duration(cases[i].text, &got);
        assert_int_equal(r, cases[i].want < 0 ? -EINVAL : 0);
        assert_int_equal(got, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_file_is_read),
        cmocka_unit_test(test_from_fhir_to_v2_receivers),
        cmocka_unit_test(test_what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(test_issuers_and_their_roles),
        cmocka_unit_test(test_where_patients_log_in),
        cmocka_unit_test(test_modes_that_do_not_enforce_are_said),
        cmocka_unit_test(test_durations),
    };
    return cmocka_run_group_tests_name("gateway/config", tests, setup, NULL);
}
