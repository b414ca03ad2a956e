/*
 * The evidence package: one file that proves one record to a stranger.
 *
 * Canonical JSON, described in anchor/README.md: record, opening, inclusion proof with signed
 * checkpoint, anchor on chain, state of each consent on chain. Written by the gateway, checked
 * here without any network; what a checker must know from elsewhere is the log's public key
 * and the hashes of the blocks.
 */
#pragma once

#include "anchor/eth_tx.h"
#include "anchor/merkle.h"
#include "anchor/note.h"
#include "anchor/record.h"
#include "anchor/trie.h"
#include "crypto/base/attr.h"
#include "crypto/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    EVIDENCE_SIZE_MAX = 1 << 22,
    EVIDENCE_BLOCKS_MAX = 64, /* that a checker confirms */
    EVIDENCE_CONTRACTS_MAX = 8,
};

#define EVIDENCE_FORMAT "chartseal-evidence/1"

/* RLP nodes of a trie proof, root first. Borrowed. */
struct evidence_nodes {
    const struct str *nodes;
    size_t count;
};

/* @note: the checkpoint that was anchored. @consistency: from the record's checkpoint to it. */
struct evidence_anchor {
    uint64_t chain;
    uint8_t contract[20];
    uint64_t receipt_index; /* of the transaction in its block */
    struct str header;      /* RLP */
    struct evidence_nodes receipt;
    struct str note;
    struct merkle_proof consistency;
};

/* The state of one consent of the record; same order as record.consents. */
struct evidence_consent {
    struct str header; /* RLP of a block not before the one that the record names */
    struct evidence_nodes account;
    struct evidence_nodes slots[2];
};

/* @record, @opening: their text; @opening may be empty. @proof: text of anchor/proof.h. */
struct evidence {
    struct str record;
    struct str opening;
    struct str proof;
    const struct evidence_anchor *anchor;    /* NULL: not anchored yet */
    const struct evidence_consent *consents; /* as many as the record has, or none */
    size_t consent_count;
};

void evidence_put(const struct evidence *evidence, struct buf *b);

/* What a line of the report is about, in the order of the checks. */
enum evidence_part {
    EVIDENCE_PACKAGE,    /* form of the file */
    EVIDENCE_RECORD,     /* form of the record */
    EVIDENCE_OPENING,    /* opens the record's commitments */
    EVIDENCE_INCLUSION,  /* record is in the tree of the checkpoint */
    EVIDENCE_CHECKPOINT, /* signed by the log's key */
    EVIDENCE_ANCHOR,     /* on chain: header, receipt, event, consistency */
    EVIDENCE_CONSENT,    /* state of a consent on chain */
    EVIDENCE_TRAILER,    /* digest of the file */
};

enum evidence_verdict {
    EVIDENCE_PROVEN,
    EVIDENCE_ABSENT,      /* the package doesn't hold it */
    EVIDENCE_UNCONFIRMED, /* consistent, but what it rests on was not confirmed from outside */
    EVIDENCE_FAILED,
};

/* @member: where in the package. @text: what was found, terminated, valid in the call. */
struct evidence_line {
    enum evidence_part part;
    enum evidence_verdict verdict;
    const char *member;
    const char *text;
};

typedef void (*evidence_report_fn)(void *owner, const struct evidence_line *line);

/* A block of which the checker knows the hash from a source of its own. */
struct evidence_block {
    uint64_t number;
    uint8_t hash[32];
};

/* A contract by its address. */
struct evidence_contract {
    uint8_t address[20];
};

/*
 * @key:       NULL if not known
 * @contracts: those that the checker knows as the true ones; none: any contract will do
 * @memory:    fixed, as large as the package
 * @report:    may be NULL
 */
struct evidence_check {
    const struct note_key *key;
    const struct evidence_block *blocks;
    size_t block_count;
    const struct evidence_contract *contracts;
    size_t contract_count;
    struct buf *memory;
    evidence_report_fn report;
    void *owner;
};

/**
 * evidence_check() - does the package prove its record?
 *
 * Stops at the first check that fails. Return: the worst verdict of all checks; only
 * EVIDENCE_PROVEN is proof.
 */
MUST_USE enum evidence_verdict evidence_check(struct str package,
                                              const struct evidence_check *check);

const char *evidence_part_name(enum evidence_part part);
const char *evidence_verdict_name(enum evidence_verdict verdict);
