/*
 * chartseal-verify: does an evidence package prove its record?
 *
 * A program for strangers: it reads one file, talks to no network and trusts nobody but the
 * key and the block hashes it is given. Exit 0: proven. 1: consistent, but something it rests
 * on is missing or was not confirmed. 2: refused, or used wrongly.
 */
#include "anchor/evidence.h"
#include "crypto/base/hex.h"
#include "crypto/secp.h"
#include "crypto/secret.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    EXIT_PROVEN = 0,
    EXIT_NOT_PROVEN = 1,
    EXIT_REFUSED = 2,
    KEY_TEXT_MAX = 1024,
};

static const char usage[] =
    "Usage: chartseal-verify PACKAGE [--key FILE|TEXT] [--block NUMBER:HASH]...\n"
    "                        [--headers FILE] [--contract ADDRESS]... [--json]\n"
    "\n"
    "Check one evidence package, offline. \"-\" reads standard input.\n"
    "\n"
    "  --key FILE|TEXT      the log's public key, name+hash+key, from a source of your own\n"
    "  --block NUMBER:HASH  a block of the chain as your own node knows it\n"
    "  --headers FILE       such lines, one block each\n"
    "  --contract ADDRESS   a contract that the package may rest on; none: any\n"
    "  --json               a line of JSON for each check\n"
    "  --version, --help\n"
    "\n"
    "Exit: 0 proven; 1 consistent, but not all of it confirmed; 2 refused or used wrongly.\n";

static const char limits[] =
    "Not proven: that the gateway recorded truly what it did, that the patient understood the\n"
    "consent, that data didn't leave by another way, or who holds the keys.\n";

struct options {
    const char *package;
    const char *key;
    bool json;
    struct evidence_block blocks[EVIDENCE_BLOCKS_MAX];
    size_t block_count;
    struct evidence_contract contracts[EVIDENCE_CONTRACTS_MAX];
    size_t contract_count;
};

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "chartseal-verify: %s: %s\n", what, why);
    exit(EXIT_REFUSED);
}

/* All of a file, at most @max bytes, on the heap. */
static char *slurp(const char *path, size_t max, size_t *n)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (!file) {
        die(path, strerror(errno));
    }
    char *text = malloc(max + 1);
    if (!text) {
        die(path, "no memory");
    }
    *n = fread(text, 1, max + 1, file);
    if (ferror(file)) {
        die(path, "can't be read");
    }
    if (*n > max) {
        die(path, "too large");
    }
    if (file != stdin) {
        (void)fclose(file);
    }
    text[*n] = '\0';
    return text;
}

/* "NUMBER:HASH", the hash with or without 0x. */
static void add_block(struct options *options, struct str text)
{
    struct str digits = str_cut(&text, ':');
    uint64_t number = 0;
    if (options->block_count == EVIDENCE_BLOCKS_MAX) {
        die("--block", "too many");
    }
    struct evidence_block *block = &options->blocks[options->block_count++];
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9' || digits.n > 18) {
            die("--block", "must be NUMBER:HASH, the number decimal");
        }
        number = number * 10 + (uint64_t)(digits.p[i] - '0');
    }
    block->number = number;
    text = str_starts(text, STR("0x")) ? str_slice(text, 2, text.n) : text;
    if (digits.n == 0 || hex_decode(text, block->hash, sizeof(block->hash)) < 0) {
        die("--block", "must be NUMBER:HASH, the hash 64 hexadecimal digits");
    }
}

static void add_blocks(struct options *options, const char *path)
{
    size_t n;
    char *text = slurp(path, (size_t)EVIDENCE_BLOCKS_MAX * 128, &n);
    for (struct str rest = str_of(text, n); rest.n;) {
        struct str line = str_cut(&rest, '\n');
        if (line.n && line.p[0] != '#') {
            add_block(options, line);
        }
    }
    free(text);
}

static void add_contract(struct options *options, struct str text)
{
    if (options->contract_count == EVIDENCE_CONTRACTS_MAX) {
        die("--contract", "too many");
    }
    uint8_t *address = options->contracts[options->contract_count++].address;
    if (secp_address_parse(text, address) < 0) {
        die("--contract", "not an address, or one mistyped");
    }
}

static void read_options(int argc, char **argv, struct options *options)
{
    static const struct option longs[] = {
        { "key", required_argument, NULL, 'k' },      { "block", required_argument, NULL, 'b' },
        { "headers", required_argument, NULL, 'H' },  { "json", no_argument, NULL, 'j' },
        { "contract", required_argument, NULL, 'c' }, { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'v' },        { 0 },
    };
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        switch (c) {
        case 'k': options->key = optarg; break;
        case 'b': add_block(options, str_z(optarg)); break;
        case 'H': add_blocks(options, optarg); break;
        case 'c': add_contract(options, str_z(optarg)); break;
        case 'j': options->json = true; break;
        case 'h': (void)fputs(usage, stdout); exit(EXIT_PROVEN);
        case 'v': (void)puts("chartseal-verify " CHARTSEAL_VERSION); exit(EXIT_PROVEN);
        default: (void)fputs(usage, stderr); exit(EXIT_REFUSED);
        }
    }
    if (optind + 1 != argc) {
        (void)fputs(usage, stderr);
        exit(EXIT_REFUSED);
    }
    options->package = argv[optind];
}

/* The key itself has two plus signs; anything else is a file that holds one. */
static void read_key(const char *text, char memory[KEY_TEXT_MAX], struct note_key *key)
{
    struct str s = str_z(text);
    if (note_key_read(s, key) == 0) {
        return;
    }
    size_t n;
    char *file = slurp(text, KEY_TEXT_MAX, &n);
    memcpy(memory, file, n);
    free(file);
    s = str_of(memory, n);
    while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r')) {
        s.n--;
    }
    if (note_key_read(s, key) < 0) {
        die("--key", "not a verifier key name+hash+key");
    }
}

static void print_line(void *owner, const struct evidence_line *line)
{
    (void)owner;
    (void)printf("%-12s%-11s%s%s%s\n", evidence_verdict_name(line->verdict),
                 evidence_part_name(line->part), line->member, *line->member ? ": " : "",
                 line->text);
}

/* Texts are ours, without quotes or control characters; an origin may hold anything else. */
static void print_json_string(const char *s)
{
    (void)putchar('"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c < ' ' || c == '"' || c == '\\') {
            (void)printf("\\u%04x", c);
        } else {
            (void)putchar(c);
        }
    }
    (void)putchar('"');
}

static void print_json(void *owner, const struct evidence_line *line)
{
    (void)owner;
    (void)printf("{\"check\":\"%s\",\"member\":", evidence_part_name(line->part));
    print_json_string(line->member);
    (void)printf(",\"text\":");
    print_json_string(line->text);
    (void)printf(",\"verdict\":\"%s\"}\n", evidence_verdict_name(line->verdict));
}

static void print_verdict(const struct options *options, enum evidence_verdict verdict)
{
    static const char *const words[] = {
        [EVIDENCE_PROVEN] = "PROVEN",
        [EVIDENCE_ABSENT] = "NOT PROVEN: the package doesn't hold all that proof needs",
        [EVIDENCE_UNCONFIRMED] = "NOT PROVEN: consistent, but not confirmed from outside",
        [EVIDENCE_FAILED] = "REFUSED",
    };
    if (options->json) {
        (void)printf("{\"proven\":%s}\n", verdict == EVIDENCE_PROVEN ? "true" : "false");
        return;
    }
    (void)puts(words[verdict]);
    if (verdict == EVIDENCE_PROVEN) {
        (void)fputs(limits, stdout);
    }
}

int main(int argc, char **argv)
{
    static struct options options;
    static char key_memory[KEY_TEXT_MAX];
    struct note_key key;
    size_t n;
    if (secret_start() < 0) {
        die("libsodium", "can't be used");
    }
    read_options(argc, argv, &options);
    if (options.key) {
        read_key(options.key, key_memory, &key);
    }
    char *package = slurp(options.package, EVIDENCE_SIZE_MAX, &n);
    char *memory = malloc(n + 1);
    if (!memory) {
        die(options.package, "no memory");
    }
    struct buf scratch = buf_fixed(memory, n + 1);
    const struct evidence_check check = {
        .key = options.key ? &key : NULL,
        .blocks = options.blocks,
        .block_count = options.block_count,
        .contracts = options.contracts,
        .contract_count = options.contract_count,
        .memory = &scratch,
        .report = options.json ? print_json : print_line,
    };
    enum evidence_verdict verdict = evidence_check(str_of(package, n), &check);
    print_verdict(&options, verdict);
    free(memory);
    free(package);
    if (fflush(stdout) != 0) {
        return EXIT_REFUSED;
    }
    return verdict == EVIDENCE_PROVEN   ? EXIT_PROVEN
           : verdict == EVIDENCE_FAILED ? EXIT_REFUSED
                                        : EXIT_NOT_PROVEN;
}
