/* One message to a Bundle, by what the command line says of its sender. */
#include "gateway/cli/hl7_bundle.h"

#include "crypto/digest.h"
#include "fhir/translate/sender.h"
#include "fhir/v2/read.h"
#include "gateway/cli/hl7.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/zone.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

enum {
    RECORDED_SIZE = 32,
    REPORT_MAX = 64 << 10,
};

bool hl7_sender_good(const struct hl7_sender *sender, const char *command)
{
    for (size_t i = 0; i < sender->assigners.n; i++) {
        const char *equals = strchr(sender->assigners.p[i], '=');
        if (!equals || !equals[1]) {
            (void)fprintf(stderr, "chartseal %s: --assigner is NAME=SYSTEM\n", command);
            return false;
        }
    }
    return true;
}

bool hl7_options_known(const struct hl7_sender *sender, struct maps *const *maps, size_t count,
                       const char *command)
{
    for (size_t i = 0; i < sender->options.n; i++) {
        bool known = false;
        for (size_t m = 0; m < count && !known; m++) {
            known = translate_has_option(maps_rules(maps[m]), str_z(sender->options.p[i]));
        }
        if (!known) {
            (void)fprintf(stderr, "chartseal %s: no map knows the option %s\n", command,
                          sender->options.p[i]);
            return false;
        }
    }
    return true;
}

int hl7_maps(const struct cli_words *files, struct maps **out)
{
    struct buf report = heap_buf(REPORT_MAX);
    int r = maps_load_files(files->p, files->n, &report, out);
    if (report.n) {
        (void)fwrite(report.p, 1, report.n, stderr);
    }
    heap_buf_free(&report);
    return r == 0 ? EX_OK : r == -EINVAL ? EX_CONFIG : EX_OSERR;
}

const char *hl7_now(void)
{
    static char recorded[RECORDED_SIZE];
    time_t now = clock_utc_ms() / 1000;
    struct tm tm;
    if (!recorded[0]) {
        (void)gmtime_r(&now, &tm);
        (void)strftime(recorded, sizeof(recorded), "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
    return recorded;
}

int hl7_bundle(struct arena *arena, const struct hl7_sender *sender, const struct rules *rules,
               struct str text, struct issues *issues, struct translate_result *out)
{
    struct v2_assigner assigners[CLI_WORDS_MAX];
    struct str options[CLI_WORDS_MAX];
    struct v2_message message;
    uint8_t digest[DIGEST_SIZE];
    for (size_t i = 0; i < sender->assigners.n; i++) {
        assigners[i].system = str_z(sender->assigners.p[i]);
        assigners[i].authority = str_cut(&assigners[i].system, '=');
    }
    for (size_t i = 0; i < sender->options.n; i++) {
        options[i] = str_z(sender->options.p[i]);
    }
    text = hl7_unframed(text);
    digest_sha256(text, digest);
    struct translate_site site = {
        .rules = rules,
        .sender = str_z(sender->organization ? sender->organization : ""),
        .zone = str_z(sender->zone ? sender->zone : ""),
        .zone_offset = zone_offset,
        .assigners = { .list = assigners, .count = sender->assigners.n },
        .gateway = STR("chartseal"),
        .recorded = str_z(hl7_now()),
        .digest = digest,
        .options = options,
        .option_count = sender->options.n,
        .explain = sender->explain,
    };
    enum v2_charset charset =
        sender->charset ? v2_charset_find(str_z(sender->charset)) : V2_CHARSET_NONE;
    int r = v2_read(arena, text, charset, issues, &message);
    if (r > 0) {
        return HL7_BUNDLE_E_MESSAGE;
    }
    r = r ? r : translate_sender(arena, &message, &site);
    if (r) {
        return r;
    }
    r = translate_to_fhir(arena, &message, &site, out, issues);
    return r == TRANSLATE_E_TYPE ? HL7_BUNDLE_E_TYPE : r > 0 ? HL7_BUNDLE_E_SIZE : r;
}

const char *hl7_bundle_why(int r)
{
    switch (r) {
    case HL7_BUNDLE_E_MESSAGE: return "not a readable HL7 v2 message";
    case HL7_BUNDLE_E_TYPE: return "no map for this message type";
    case HL7_BUNDLE_E_SIZE: return "it would become too large";
    default: return "no memory";
    }
}
