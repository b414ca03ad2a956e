/* chartseal anchor: put the contracts on a chain; ask how far the log is anchored. */
#include "gateway/cli/cli.h"

#include "crypto/secp.h"
#include "gateway/heap.h"
#include "gateway/ledger/deploy.h"

#include "fhir/format/json_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
    TEXT_MAX = 8192,
    ADMIN_DELAY = 86400,
};

static const char usage_text[] =
    "anchor deploy --endpoint URL --keystore FILE --password FILE --origin ORIGIN\n"
    "                        [--relayer ADDRESS] [--operator ADDRESS] [--dry-run] [--json]\n"
    "       chartseal anchor status --config FILE [--json]";

/* "  consent: 0x…" and its kin. */
struct line {
    const char *name;
    const char *text; /* NULL: the number */
    uint64_t number;
};

static void print(const struct line *lines, size_t n, bool json)
{
    struct buf out = heap_buf(TEXT_MAX);
    struct json_writer w = json_writer(&out);
    if (json) {
        json_object(&w, NULL);
    }
    for (size_t i = 0; i < n; i++) {
        if (json && lines[i].text) {
            json_z(&w, lines[i].name, lines[i].text);
        } else if (json) {
            json_u64(&w, lines[i].name, lines[i].number);
        } else if (lines[i].text) {
            buf_fmt(&out, "  %s: \"%s\"\n", lines[i].name, lines[i].text);
        } else {
            buf_fmt(&out, "  %s: %" PRIu64 "\n", lines[i].name, lines[i].number);
        }
    }
    if (json) {
        json_end(&w);
        buf_c(&out, '\n');
    }
    (void)fwrite(out.p, 1, out.n, stdout);
    heap_buf_free(&out);
}

/* An address as terminated text. */
static const char *address_text_of(const uint8_t address[20], char out[SECP_ADDRESS_TEXT + 1])
{
    secp_address_text(address, out);
    out[SECP_ADDRESS_TEXT] = '\0';
    return out;
}

/* The address after @option into @out. Return: false: there is one, and it's wrong */
static bool address_option(int argc, char **argv, const char *option, uint8_t out[20],
                           const uint8_t **found)
{
    const char *text = cli_option(argc, argv, option);
    *found = text ? out : NULL;
    if (text && secp_address_parse(str_z(text), out) < 0) {
        (void)fprintf(stderr, "%s: not an Ethereum address\n", option);
        return false;
    }
    return true;
}

static int deploy(int argc, char **argv)
{
    uint8_t relayer[20];
    uint8_t operator_[20];
    char why[DEPLOY_WHY_MAX] = "";
    struct config_account account = {
        .keystore = cli_option(argc, argv, "--keystore"),
        .password = cli_option(argc, argv, "--password"),
    };
    struct deploy what = {
        .endpoint = cli_option(argc, argv, "--endpoint"),
        .account = &account,
        .origin = cli_option(argc, argv, "--origin"),
        .admin_delay = ADMIN_DELAY,
        .dry_run = cli_flag(argc, argv, "--dry-run"),
    };
    if (!what.endpoint || !account.keystore || !account.password || !what.origin ||
        !address_option(argc, argv, "--relayer", relayer, &what.relayer) ||
        !address_option(argc, argv, "--operator", operator_, &what.operator_)) {
        return cli_usage(usage_text);
    }
    struct deploy_result got;
    if (deploy_run(&what, &got, why) < 0) {
        (void)fprintf(stderr, "chartseal: not deployed: %s\n", why);
        return EX_UNAVAILABLE;
    }
    char registry[SECP_ADDRESS_TEXT + 1];
    char anchor[SECP_ADDRESS_TEXT + 1];
    const struct line lines[] = {
        { .name = "chain_id", .number = got.chain },
        { .name = "consent", .text = address_text_of(got.registry, registry) },
        { .name = "anchor", .text = address_text_of(got.anchor, anchor) },
        { .name = "deployed_block", .number = got.block },
    };
    print(lines, ARRAY_LEN(lines), cli_flag(argc, argv, "--json"));
    if (what.dry_run) {
        (void)fprintf(stderr, "nothing was sent; creating both takes about %" PRIu64 " gas\n",
                      got.gas);
    }
    return EX_OK;
}

static int status(int argc, char **argv)
{
    uint8_t anchor[20];
    char why[DEPLOY_WHY_MAX] = "";
    struct deploy_status got;
    struct config *config = cli_config(argc, argv);
    if (!config) {
        return EX_CONFIG;
    }
    const struct config_ledger *ledger = config->ledger;
    if (!ledger || !config->log || !config->log->origin ||
        secp_address_parse(str_z(ledger->anchor), anchor) < 0) {
        (void)fputs("chartseal: the configuration has no ledger or no log\n", stderr);
        config_free(config);
        return EX_CONFIG;
    }
    int r = deploy_look(ledger->endpoints.items[0], anchor, config->log->origin, &got, why);
    config_free(config);
    if (r < 0) {
        (void)fprintf(stderr, "chartseal: %s\n", why);
        return EX_UNAVAILABLE;
    }
    char root_text[2 * sizeof(got.at.head.root) + 1] = "";
    struct buf root = buf_fixed(root_text, sizeof(root_text) - 1);
    buf_hex(&root, got.at.head.root.b, sizeof(got.at.head.root));
    const struct line lines[] = {
        { .name = "chain_id", .number = got.chain },
        { .name = "size", .number = got.at.head.size },
        { .name = "root", .text = root_text },
        { .name = "anchors", .number = got.at.seq },
        { .name = "time", .number = got.at.time },
        { .name = "registered", .text = got.at.mode & 1 ? "yes" : "no" },
        { .name = "strict", .text = got.at.mode & 2 ? "yes" : "no" },
        { .name = "frozen", .text = got.at.mode & 4 ? "yes" : "no" },
    };
    print(lines, ARRAY_LEN(lines), cli_flag(argc, argv, "--json"));
    return EX_OK;
}

int cli_anchor(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "deploy") == 0) {
        return deploy(argc - 1, argv + 1);
    }
    if (argc > 1 && strcmp(argv[1], "status") == 0) {
        return status(argc - 1, argv + 1);
    }
    return cli_usage(usage_text);
}
