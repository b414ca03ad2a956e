/*
 * Checking an evidence package: what stands on chain.
 *
 * Both checks go from a block's header inwards: receipts root, receipt, event; state root,
 * account, storage. What remains to be known from outside is the hash of that block.
 */
#include "anchor/cjson.h"
#include "anchor/contracts/contracts_generated.h"
#include "anchor/eth_call.h"
#include "anchor/eth_receipt.h"
#include "anchor/evidence.h"
#include "anchor/evidence_check.h"
#include "anchor/trie.h"

#include <stdio.h>

#define OTHER_CONTRACT "not one of the contracts that you named"
#define OTHER_BLOCK "not the block of that number that you confirmed"

enum {
    MEMBER_MAX = 40,
    CLOCK_SLACK = 300, /* seconds that a gateway's clock may run before the chain's */
};

enum evidence_verdict evidence_known_block(const struct evidence_run *run,
                                           const struct eth_header *header)
{
    enum evidence_verdict verdict = EVIDENCE_UNCONFIRMED;
    for (size_t i = 0; i < run->check->block_count; i++) {
        const struct evidence_block *block = &run->check->blocks[i];
        if (block->number != header->number) {
            continue;
        }
        if (memcmp(block->hash, header->hash, sizeof(block->hash)) != 0) {
            return EVIDENCE_FAILED;
        }
        verdict = EVIDENCE_PROVEN;
    }
    return verdict;
}

/* May the package rest on the contract at @address? */
static bool known_contract(const struct evidence_run *run, const uint8_t address[20])
{
    const struct evidence_check *check = run->check;
    for (size_t i = 0; i < check->contract_count; i++) {
        if (memcmp(check->contracts[i].address, address, 20) == 0) {
            return true;
        }
    }
    return check->contract_count == 0;
}

/* Nodes of a proof, decoded into the checker's memory. */
struct nodes {
    struct str at[TRIE_NODES_MAX];
    size_t count;
};

static void read_nodes(struct cjson *c, struct buf *memory, struct nodes *nodes)
{
    nodes->count = 0;
    cjson_array(c);
    while (cjson_item(c)) {
        if (nodes->count == TRIE_NODES_MAX) {
            cjson_refuse(c, "too many nodes in a proof");
            return;
        }
        nodes->at[nodes->count++] = cjson_hex_bytes(c, memory);
    }
}

/* Member "anchor", read. */
struct anchor {
    uint64_t chain;
    uint64_t index;
    uint8_t contract[20];
    struct str header;
    struct str note;
    struct nodes receipt;
    struct merkle_proof consistency;
    unsigned seen;
};

static void read_consistency(struct cjson *c, struct merkle_proof *proof)
{
    proof->count = 0;
    cjson_array(c);
    while (cjson_item(c)) {
        if (proof->count == MERKLE_PROOF_MAX) {
            cjson_refuse(c, "too many hashes in a proof");
            return;
        }
        cjson_hex(c, false, proof->hash[proof->count++].b, MERKLE_HASH_SIZE);
    }
}

static void read_anchor_member(struct cjson *c, struct str name, struct buf *memory,
                               struct anchor *anchor)
{
    if (str_eq(name, STR("chain"))) {
        anchor->chain = cjson_number(c);
    } else if (str_eq(name, STR("consistency"))) {
        read_consistency(c, &anchor->consistency);
    } else if (str_eq(name, STR("contract"))) {
        cjson_hex(c, true, anchor->contract, sizeof(anchor->contract));
    } else if (str_eq(name, STR("header"))) {
        anchor->header = cjson_hex_bytes(c, memory);
    } else if (str_eq(name, STR("index"))) {
        anchor->index = cjson_number(c);
    } else if (str_eq(name, STR("kind"))) {
        if (!str_eq(cjson_plain(c), STR("ethereum"))) {
            cjson_refuse(c, "anchor of a kind that this program doesn't know");
        }
    } else if (str_eq(name, STR("note"))) {
        anchor->note = cjson_string(c, memory);
    } else if (str_eq(name, STR("receipt"))) {
        read_nodes(c, memory, &anchor->receipt);
    } else {
        cjson_refuse(c, "unknown member");
    }
    anchor->seen++;
}

/* Members can't repeat, so their number tells whether all are there. */
static const char *read_anchor(struct evidence_run *run, struct anchor *anchor)
{
    enum {
        MEMBERS = 8,
    };
    struct cjson c;
    struct str name;
    run->check->memory->n = 0;
    cjson_start(&c, run->parts.anchor);
    cjson_object(&c);
    while (cjson_member(&c, &name)) {
        read_anchor_member(&c, name, run->check->memory, anchor);
    }
    if (anchor->seen != MEMBERS) {
        cjson_refuse(&c, "member missing");
    }
    return cjson_finish(&c) < 0 ? c.error : NULL;
}

/* The note is of the same log, signed, and continues the record's checkpoint. */
static bool check_note(struct evidence_run *run, const struct anchor *anchor,
                       struct checkpoint *checkpoint)
{
    struct note note;
    if (note_read(anchor->note, &note) < 0 || checkpoint_read(note.text, checkpoint) < 0) {
        return evidence_fail(run, EVIDENCE_ANCHOR, "anchor.note", "not a signed checkpoint");
    }
    if (!str_eq(checkpoint->origin, run->checkpoint.origin)) {
        return evidence_fail(run, EVIDENCE_ANCHOR, "anchor.note", "checkpoint of another log");
    }
    const char *why = evidence_signed(run, &note, checkpoint->origin);
    if (why) {
        return evidence_fail(run, EVIDENCE_ANCHOR, "anchor.note", why);
    }
    if (!merkle_check_consistency(&run->checkpoint.head, &checkpoint->head,
                                  &anchor->consistency)) {
        return evidence_fail(run, EVIDENCE_ANCHOR, "anchor.consistency",
                             "doesn't show that the anchored log continues the record's");
    }
    return true;
}

/* The event stands in a receipt of the block, and says what the note says. */
static bool check_event(struct evidence_run *run, const struct anchor *anchor,
                        const struct eth_header *header, const struct checkpoint *checkpoint)
{
    uint8_t key[9];
    uint8_t log_id[DIGEST_SIZE];
    uint8_t note_hash[DIGEST_SIZE];
    struct str value;
    struct eth_receipt receipt;
    struct eth_anchored event;
    size_t n = trie_index_key(anchor->index, key);
    if (trie_check(header->receipts_root, str_of(key, n), anchor->receipt.at,
                   anchor->receipt.count, &value)) {
        return evidence_fail(run, EVIDENCE_ANCHOR, "anchor.receipt",
                             "doesn't lead from the block's receipts root to a receipt");
    }
    checkpoint_log_id(checkpoint->origin, log_id);
    checkpoint_note_hash(anchor->note, note_hash);
    if (eth_receipt_read(value, &receipt) < 0 ||
        eth_receipt_anchored(&receipt, anchor->contract, log_id, &event)) {
        return evidence_fail(run, EVIDENCE_ANCHOR, "anchor.contract",
                             "receipt holds no event of this contract for this log");
    }
    if (event.size != checkpoint->head.size ||
        memcmp(event.root, checkpoint->head.root.b, MERKLE_HASH_SIZE) != 0 ||
        memcmp(event.note_hash, note_hash, DIGEST_SIZE) != 0) {
        return evidence_fail(run, EVIDENCE_ANCHOR, "anchor.note",
                             "not the checkpoint that was anchored");
    }
    return true;
}

/* "0x" and digits of @bytes. */
static void hex(const uint8_t *bytes, size_t n, char *out, size_t size)
{
    struct buf b = buf_fixed(out, size);
    buf_z(&b, "0x");
    buf_hex(&b, bytes, n);
    buf_c(&b, '\0');
}

bool evidence_check_anchor(struct evidence_run *run)
{
    struct evidence_line line = { EVIDENCE_ANCHOR, EVIDENCE_ABSENT, "anchor", NULL };
    struct anchor anchor = { 0 };
    struct checkpoint checkpoint = { 0 };
    struct eth_header header;
    char contract[64];
    char hash[80];
    if (run->parts.anchor.n == 0) {
        return evidence_say(run, &line,
                            "none, so the log's operator alone vouches for its order");
    }
    const char *why = read_anchor(run, &anchor);
    if (why) {
        return evidence_fail(run, EVIDENCE_ANCHOR, "anchor", why);
    }
    if (!known_contract(run, anchor.contract)) {
        return evidence_fail(run, EVIDENCE_ANCHOR, "anchor.contract", OTHER_CONTRACT);
    }
    if (eth_header_read(anchor.header, &header) < 0) {
        return evidence_fail(run, EVIDENCE_ANCHOR, "anchor.header", "not a block header");
    }
    if (!check_note(run, &anchor, &checkpoint) ||
        !check_event(run, &anchor, &header, &checkpoint)) {
        return false;
    }
    if (run->record.time / 1000 > header.timestamp + CLOCK_SLACK) {
        return evidence_fail(run, EVIDENCE_ANCHOR, "record",
                             "dated after the block that anchors it");
    }
    line.verdict = evidence_known_block(run, &header);
    if (line.verdict == EVIDENCE_FAILED) {
        return evidence_fail(run, EVIDENCE_ANCHOR, "anchor.header", OTHER_BLOCK);
    }
    bool confirmed = line.verdict == EVIDENCE_PROVEN;
    hex(anchor.contract, sizeof(anchor.contract), contract, sizeof(contract));
    hex(header.hash, sizeof(header.hash), hash, sizeof(hash));
    return evidence_say(
        run, &line, "%s block %llu %s, time %llu s, contract %s, chain %llu, %llu entries",
        confirmed ? "in" : "in a block that you did not confirm:",
        (unsigned long long)header.number, hash, (unsigned long long)header.timestamp, contract,
        (unsigned long long)anchor.chain, (unsigned long long)checkpoint.head.size);
}

/* One item of "consents", read. */
struct consent {
    struct str header;
    struct nodes account;
    struct nodes slots[2];
    unsigned seen;
};

static void read_consent(struct cjson *c, struct buf *memory, struct consent *consent)
{
    enum {
        MEMBERS = 4,
    };
    struct str name;
    cjson_object(c);
    while (cjson_member(c, &name)) {
        if (str_eq(name, STR("account"))) {
            read_nodes(c, memory, &consent->account);
        } else if (str_eq(name, STR("header"))) {
            consent->header = cjson_hex_bytes(c, memory);
        } else if (str_eq(name, STR("slot0"))) {
            read_nodes(c, memory, &consent->slots[0]);
        } else if (str_eq(name, STR("slot1"))) {
            read_nodes(c, memory, &consent->slots[1]);
        } else {
            cjson_refuse(c, "unknown member");
        }
        consent->seen++;
    }
    if (consent->seen != MEMBERS) {
        cjson_refuse(c, "member missing");
    }
}

/* What the header's state holds for the consent that the record claims. */
static const char *read_state(const struct record_consent *claim, const struct consent *consent,
                              const struct eth_header *header, struct eth_consent *state)
{
    struct eth_account account;
    uint8_t slot[32];
    uint8_t words[2][32];
    if (trie_check_account(header->state_root, claim->contract, consent->account.at,
                           consent->account.count, &account)) {
        return "account: doesn't lead from the block's state root to the contract";
    }
    trie_mapping_slot(claim->id, CONTRACTS_REGISTRY_SLOT_RECORDS, 0, slot);
    if (trie_check_slot(account.storage_root, slot, consent->slots[0].at,
                        consent->slots[0].count, words[0]) < 0) {
        return "slot0: doesn't lead from the contract's storage root to the consent";
    }
    trie_mapping_slot(claim->id, CONTRACTS_REGISTRY_SLOT_RECORDS, 1, slot);
    if (trie_check_slot(account.storage_root, slot, consent->slots[1].at,
                        consent->slots[1].count, words[1]) < 0) {
        return "slot1: doesn't lead from the contract's storage root to the consent";
    }
    eth_consent_from_slots(words[0], words[1], state);
    return NULL;
}

/* What speaks against the consent having permitted what the record says; NULL: nothing. */
static const char *objection(const struct record *record, const struct record_consent *claim,
                             const struct eth_consent *state)
{
    uint64_t seconds = record->time / 1000;
    if (state->version != claim->version) {
        return "has another version than the record says";
    }
    if (memcmp(state->commitment, claim->commitment, sizeof(state->commitment)) != 0) {
        return "commits to another policy than the record says";
    }
    if (state->revoked) {
        return "is revoked";
    }
    if (seconds < state->valid_from || seconds >= state->valid_until) {
        return "was not valid at the record's time";
    }
    return NULL;
}

static bool check_consent(struct evidence_run *run, size_t at, const struct consent *consent)
{
    const struct record *record = &run->record;
    const struct record_consent *claim = &record->consents[at];
    struct eth_header header;
    struct eth_consent state;
    char member[MEMBER_MAX];
    (void)snprintf(member, sizeof(member), "consents[%zu]", at);
    struct evidence_line line = { EVIDENCE_CONSENT, EVIDENCE_FAILED, member, NULL };
    if (!known_contract(run, claim->contract)) {
        return evidence_say(run, &line, "contract: %s", OTHER_CONTRACT);
    }
    if (eth_header_read(consent->header, &header) < 0) {
        return evidence_say(run, &line, "header: not a block header");
    }
    if (header.number < claim->block) {
        return evidence_say(run, &line, "header: block before the one that was decided on");
    }
    const char *why = read_state(claim, consent, &header, &state);
    if (why) {
        return evidence_say(run, &line, "%s", why);
    }
    const char *against = objection(record, claim, &state);
    unsigned long long block = header.number;
    if (against && record_released(record) && record->mode == RECORD_ENFORCE) {
        return evidence_say(run, &line, "consent %s, at block %llu", against, block);
    }
    line.verdict = evidence_known_block(run, &header);
    if (line.verdict == EVIDENCE_FAILED) {
        return evidence_say(run, &line, "header: %s", OTHER_BLOCK);
    }
    bool confirmed = line.verdict == EVIDENCE_PROVEN;
    char hash[80];
    hex(header.hash, sizeof(header.hash), hash, sizeof(hash));
    return evidence_say(run, &line, "version %u %s, at block %llu %s%s", state.version,
                        against ? against : "active", block, hash,
                        confirmed ? "" : ", which you did not confirm");
}

bool evidence_check_consents(struct evidence_run *run)
{
    struct evidence_line line = { EVIDENCE_CONSENT, EVIDENCE_FAILED, "consents", NULL };
    size_t count = run->record.consent_count;
    if (run->parts.consents.n == 0) {
        line.verdict = EVIDENCE_ABSENT;
        return count == 0 || evidence_say(run, &line,
                                          "the record relies on consents that the "
                                          "package doesn't prove");
    }
    struct cjson c;
    size_t at = 0;
    cjson_start(&c, run->parts.consents);
    cjson_array(&c);
    while (cjson_item(&c)) {
        struct consent consent = { 0 };
        run->check->memory->n = 0;
        read_consent(&c, run->check->memory, &consent);
        if (c.error || at == count) {
            cjson_refuse(&c, "more consents than the record has");
            break;
        }
        if (!check_consent(run, at, &consent)) {
            return false;
        }
        at++;
    }
    if (cjson_finish(&c) < 0) {
        return evidence_say(run, &line, "%s", c.error);
    }
    return at == count || evidence_say(run, &line, "fewer consents than the record has");
}
