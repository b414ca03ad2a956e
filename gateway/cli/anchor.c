/* chartseal anchor: put the contracts on a chain; ask how far the log is anchored. */
#include "gateway/cli/cli.h"

#include "crypto/secp.h"
#include "gateway/heap.h"
#include "gateway/ledger/deploy.h"
#include "gateway/ledger/wallet.h"

#include "fhir/format/json_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
    TEXT_MAX = 8192,
    ADMIN_DELAY = 86400,
    WEI_MAX = 24, /* digits of 64 bits */
};

static const char usage_text[] =
    "anchor deploy --endpoint URL --origin ORIGIN\n"
    "                        --keystore FILE --password FILE | --signer URL --address ADDRESS\n"
    "                        [--chain local|sepolia|hoodi|mainnet|ID] [--relayer ADDRESS]\n"
    "                        [--operator ADDRESS] [--dry-run] [--json]\n"
    "       chartseal anchor status --config FILE [--json]";

static const struct {
    const char *name;
    uint64_t id;
} chains[] = {
    { "local", DEPLOY_CHAIN_LOCAL },
    { "sepolia", 11155111 },
    { "hoodi", 560048 },
    { "mainnet", 1 },
};

/* "  consent: 0x…" and its kin. */
struct line {
    const char *name;
    const char *text; /* NULL: the number */
    uint64_t number;
};

static void put_lines(struct json_writer *w, const struct line *lines, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (lines[i].text) {
            json_z(w, lines[i].name, lines[i].text);
        } else {
            json_u64(w, lines[i].name, lines[i].number);
        }
    }
}

static void print(const struct line *lines, size_t n)
{
    struct buf out = heap_buf(TEXT_MAX);
    for (size_t i = 0; i < n; i++) {
        if (lines[i].text) {
            buf_fmt(&out, "  %s: \"%s\"\n", lines[i].name, lines[i].text);
        } else {
            buf_fmt(&out, "  %s: %" PRIu64 "\n", lines[i].name, lines[i].number);
        }
    }
    (void)fwrite(out.p, 1, out.n, stdout);
    heap_buf_free(&out);
}

static void print_json(struct buf *out, struct json_writer *w)
{
    json_end(w);
    buf_c(out, '\n');
    (void)fwrite(out->p, 1, out->n, stdout);
    heap_buf_free(out);
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

/* The chain that @text names; NULL: the local one. Return: false: it names none */
static bool chain_option(const char *text, uint64_t *out)
{
    char *end;
    *out = DEPLOY_CHAIN_LOCAL;
    if (!text) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(chains); i++) {
        if (strcmp(text, chains[i].name) == 0) {
            *out = chains[i].id;
            return true;
        }
    }
    *out = strtoull(text, &end, 10);
    if (*text < '1' || *text > '9' || *end) {
        (void)fputs("--chain: local, sepolia, hoodi, mainnet or a number\n", stderr);
        return false;
    }
    return true;
}

/* Wei as ether, rounded up to a gwei. */
static void put_ether(struct buf *out, uint64_t wei)
{
    uint64_t gwei = wei / WALLET_GWEI + (wei % WALLET_GWEI > 0);
    buf_fmt(out, "%" PRIu64 ".%09" PRIu64 " ether", gwei / WALLET_GWEI, gwei % WALLET_GWEI);
}

/* As text: JSON's numbers end before wei do. */
static void put_wei(struct json_writer *w, const char *name, uint64_t wei)
{
    char text[WEI_MAX];
    (void)snprintf(text, sizeof(text), "%" PRIu64, wei);
    json_z(w, name, text);
}

/* What would be sent, to standard error. */
static void tell_plan(const struct deploy_result *got)
{
    struct buf out = heap_buf(TEXT_MAX);
    char to[SECP_ADDRESS_TEXT + 1];
    for (size_t i = 0; i < got->count; i++) {
        const struct deploy_step *step = &got->steps[i];
        buf_fmt(&out, "%zu. %s%s %s: %zu bytes, at most %" PRIu64 " gas, ", i + 1, step->what,
                step->creates ? " at" : ", calling", address_text_of(step->to, to), step->size,
                step->gas);
        put_ether(&out, step->cost);
        buf_c(&out, '\n');
    }
    buf_fmt(&out, "in all at most %" PRIu64 " gas, ", got->gas);
    put_ether(&out, got->cost);
    buf_fmt(&out, "; account %s has %s", address_text_of(got->account, to),
            got->balance == UINT64_MAX ? "more than " : "");
    put_ether(&out, got->balance);
    buf_fmt(&out, "%s\n", got->balance < got->cost ? ": too little" : "");
    (void)fwrite(out.p, 1, out.n, stderr);
    heap_buf_free(&out);
}

static void print_deployed(const struct deploy_result *got, const struct line *lines, size_t n)
{
    struct buf out = heap_buf(TEXT_MAX);
    struct json_writer w = json_writer(&out);
    char to[SECP_ADDRESS_TEXT + 1];
    json_object(&w, NULL);
    put_lines(&w, lines, n);
    json_u64(&w, "gas", got->gas);
    put_wei(&w, "cost_wei", got->cost);
    json_array(&w, "transactions");
    for (size_t i = 0; i < got->count; i++) {
        const struct deploy_step *step = &got->steps[i];
        json_object(&w, NULL);
        json_z(&w, "what", step->what);
        json_z(&w, step->creates ? "creates" : "calls", address_text_of(step->to, to));
        json_u64(&w, "bytes", step->size);
        json_u64(&w, "gas", step->gas);
        put_wei(&w, "cost_wei", step->cost);
        json_end(&w);
    }
    json_end(&w);
    print_json(&out, &w);
}

static int deploy(int argc, char **argv)
{
    uint8_t relayer[20];
    uint8_t operator_[20];
    char why[DEPLOY_WHY_MAX] = "";
    struct config_account account = {
        .keystore = cli_option(argc, argv, "--keystore"),
        .password = cli_option(argc, argv, "--password"),
        .signer = cli_option(argc, argv, "--signer"),
        .address = cli_option(argc, argv, "--address"),
    };
    struct deploy what = {
        .endpoint = cli_option(argc, argv, "--endpoint"),
        .account = &account,
        .origin = cli_option(argc, argv, "--origin"),
        .admin_delay = ADMIN_DELAY,
        .dry_run = cli_flag(argc, argv, "--dry-run"),
    };
    bool here = account.keystore && account.password;
    bool elsewhere = account.signer && account.address;
    if (!what.endpoint || here == elsewhere || !what.origin ||
        !address_option(argc, argv, "--relayer", relayer, &what.relayer) ||
        !address_option(argc, argv, "--operator", operator_, &what.operator_) ||
        !chain_option(cli_option(argc, argv, "--chain"), &what.chain)) {
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
    tell_plan(&got);
    if (cli_flag(argc, argv, "--json")) {
        print_deployed(&got, lines, ARRAY_LEN(lines));
    } else {
        print(lines, ARRAY_LEN(lines));
    }
    (void)fputs(what.dry_run ? "nothing was sent\n" : "all of it was sent and mined\n", stderr);
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
    if (cli_flag(argc, argv, "--json")) {
        struct buf out = heap_buf(TEXT_MAX);
        struct json_writer w = json_writer(&out);
        json_object(&w, NULL);
        put_lines(&w, lines, ARRAY_LEN(lines));
        print_json(&out, &w);
    } else {
        print(lines, ARRAY_LEN(lines));
    }
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
