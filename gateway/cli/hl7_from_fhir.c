/*
 * chartseal hl7 from-fhir: what a FHIR resource or Bundle becomes in HL7 v2, without a gateway.
 *
 * Each resource of the input gives one message. The messages go to standard output, what there
 * is to say about them to standard error: places and rules, no content.
 */
#include "crypto/digest.h"
#include "fhir/format/json.h"
#include "fhir/format/json_node.h"
#include "fhir/translate/to_v2.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/fhir_input.h"
#include "gateway/cli/hl7_bundle.h"
#include "gateway/heap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum {
    DELIMS_MIN = 5, /* characters of MSH-1 and MSH-2: |^~\& */
    DELIMS_MAX = 6,
    CONTROL_BYTES = 10, /* of a digest, so that MSH-10 fits into 20 characters */
    CONTROL_SIZE = 2 * CONTROL_BYTES + 1,
};

static const char COMMAND[] = "hl7 from-fhir";

struct writing {
    struct hl7_sender names; /* assigners */
    struct cli_words maps;   /* files */
    const char *event;
    const char *version;
    const char *charset;
    const char *delims;
    const char *control;
    bool explain;
    struct translate_receiver to;
    struct v2_assigner assigners[CLI_WORDS_MAX];
    struct fhir_input input;
};

static bool complain(const char *text)
{
    (void)fprintf(stderr, "chartseal %s: %s\n", COMMAND, text);
    return false;
}

/* The delimiters "|^~\&", with or without a fifth encoding character. */
static bool read_delims(const char *text, struct v2_delims *out)
{
    char header[3 + DELIMS_MAX + 2];
    size_t n = strlen(text);
    if (n < DELIMS_MIN || n > DELIMS_MAX) {
        return false;
    }
    int length = snprintf(header, sizeof(header), "MSH%s%c", text, text[0]);
    return v2_delims_read(str_of(header, (size_t)length), out) == 0;
}

/* The receiver that the options describe; false, and told, if they don't. */
static bool describe(struct writing *w)
{
    w->to.version = V2_VERSION_USUAL;
    w->to.delims = V2_DELIMS_USUAL;
    if (w->version && v2_version_find(str_z(w->version), &w->to.version) != V2_VERSION_KNOWN) {
        return complain("--version is one of 2.1 to 2.7.1");
    }
    if (w->delims && !read_delims(w->delims, &w->to.delims)) {
        return complain("--delimiters are those of MSH-1 and MSH-2, such as |^~\\&");
    }
    if (w->charset && v2_charset_find(str_z(w->charset)) <= V2_CHARSET_OTHER) {
        return complain("--charset is a name of table 0211, such as 8859/1");
    }
    for (size_t i = 0; i < w->names.assigners.n; i++) {
        w->assigners[i].system = str_z(w->names.assigners.p[i]);
        w->assigners[i].authority = str_cut(&w->assigners[i].system, '=');
    }
    w->to.event = str_z(w->event ? w->event : "");
    w->to.charset = str_z(w->charset ? w->charset : "");
    w->to.recorded = str_z(hl7_now());
    w->to.assigners = (struct v2_assigners){ w->assigners, w->names.assigners.n };
    return hl7_sender_good(&w->names, COMMAND);
}

/* The same resource always has the same id. Return: 0 or -ENOMEM. */
static int control_of(struct arena *arena, const struct node *root, char *out)
{
    uint8_t digest[DIGEST_SIZE];
    struct buf text = arena_buf(arena, JSON_TEXT_MAX);
    struct buf b = buf_fixed(out, CONTROL_SIZE - 1);
    json_node(&text, root);
    if (buf_failed(&text)) {
        return -ENOMEM;
    }
    digest_sha256(buf_str(&text), digest);
    buf_hex(&b, digest, CONTROL_BYTES);
    out[b.n] = '\0';
    return 0;
}

static int write_one(struct writing *w, const struct rules *rules, const struct node *root)
{
    char control[CONTROL_SIZE];
    struct translate_receiver to = w->to;
    struct issues issues;
    struct translate_message message;
    issues_init(&issues, w->input.arena);
    to.rules = rules;
    int r = w->control ? 0 : control_of(w->input.arena, root, control);
    to.control = str_z(w->control ? w->control : control);
    r = r ? r : translate_to_v2(w->input.arena, root, &to, &message, &issues);
    cli_say_issues(stderr, &issues, w->explain);
    if (r != 0) {
        (void)complain(to_v2_why(r));
        return r < 0 ? EX_OSERR : EX_DATAERR;
    }
    bool good = fwrite(message.text.p, 1, message.text.n, stdout) == message.text.n;
    return good ? EX_OK : EX_IOERR;
}

static int run(struct writing *w, const char *path)
{
    struct maps *maps = NULL;
    const struct node *root = NULL;
    int code = hl7_maps(&w->maps, &maps);
    if (code != EX_OK) {
        return code;
    }
    code = fhir_input_open(&w->input, COMMAND, path, fhir_input_schema(NULL));
    code = code == EX_OK ? fhir_input_next(&w->input, &root) : code;
    while (code == EX_OK && root) {
        code = write_one(w, maps_rules(maps), root);
        code = code == EX_OK ? fhir_input_next(&w->input, &root) : code;
    }
    if (fflush(stdout) != 0 && code == EX_OK) {
        code = EX_IOERR;
    }
    fhir_input_close(&w->input);
    maps_free(maps);
    return code;
}

int cli_hl7_from_fhir(int argc, char **argv)
{
    static struct writing w;
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--event", .value = &w.event },
        { .name = "--version", .value = &w.version },
        { .name = "--charset", .value = &w.charset },
        { .name = "--delimiters", .value = &w.delims },
        { .name = "--control", .value = &w.control },
        { .name = "--assigner", .many = &w.names.assigners },
        { .name = "--map", .many = &w.maps },
        { .name = "--beyond", .flag = &w.to.beyond },
        { .name = "--explain", .flag = &w.explain },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n > 1) {
        return cli_usage("hl7 from-fhir [--event TYPE^EVENT] [--version VERSION] [--beyond]"
                         " [--charset NAME] [--delimiters |^~\\&] [--control ID]"
                         " [--assigner NAME=SYSTEM]... [--map FILE]... [--explain] [FILE|-]");
    }
    return describe(&w) ? run(&w, words.n ? words.p[0] : "-") : EX_USAGE;
}
