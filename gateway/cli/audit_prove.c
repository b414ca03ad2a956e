/*
 * chartseal audit prove: the evidence of one record, as one file for strangers.
 *
 * The record is proven against the checkpoint that was anchored, or while there is none,
 * against the oldest that covers it; so record and anchor never have different checkpoints.
 * What was put together is checked as an auditor would check it, with the blocks that our own
 * nodes confirm; an auditor asks others.
 */
#include "gateway/cli/cli.h"
#include "gateway/cli/event.h"
#include "gateway/cli/prove.h"

#include "anchor/checkpoint.h"
#include "anchor/eth_header.h"
#include "anchor/proof.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/id.h"
#include "gateway/ledger/anchor_proof.h"
#include "gateway/ledger/rpc.h"
#include "gateway/ledger/tree_proof.h"
#include "gateway/log_key.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    LOG_NUMBER = 0, /* the one tree */
    POLL_MS = 250,
    WAIT_MAX_S = 24 * 3600,
    REQUEST_MAX = 256,
    PROOF_MAX = 64 << 10,
};

struct proving {
    struct cli_session *session;
    struct rpc *rpc; /* owned; NULL: no node can be asked */
    const char *file;
    const char *out;
    long wait;
    bool closed; /* the opening stays here */
    uint8_t id[16];
    struct audit_record found;
    struct audit_place place;
    bool anchored;
    struct anchor_proof chain;
    struct evidence_anchor anchor;
    struct evidence_consent consents[RECORD_CONSENTS_MAX];
    struct evidence evidence;
    struct evidence_block blocks[1 + RECORD_CONSENTS_MAX];
    size_t block_count;
    struct buf package; /* owned */
    struct buf memory;  /* owned; of the check */
};

/* --- finding ------------------------------------------------------------------------------ */

static bool has_proof(const struct audit_place *place)
{
    return place->state >= AUDIT_ANCHORED;
}

/* Look until it is anchored or the time is over; fewer than @wait seconds say: don't wait. */
static int find_place(struct proving *p)
{
    struct cli_session *s = p->session;
    int64_t end = clock_mono_ms() + p->wait * 1000;
    int r = audit_place(s, &p->found, &p->place);
    while (r == 0 && !has_proof(&p->place) && clock_mono_ms() < end) {
        cli_pause(s, POLL_MS);
        r = audit_place(s, &p->found, &p->place);
    }
    return r;
}

static int find(struct proving *p)
{
    struct cli_session *s = p->session;
    int r = audit_find(s, p->id, &p->found);
    if (r == 0 && !p->closed) {
        r = audit_open(s, &p->found);
    }
    r = r == 0 ? find_place(p) : r;
    if (r < 0) {
        return cli_failed(s, "record", r);
    }
    if (p->place.checkpoint.head.size == 0) {
        return cli_complain(s, EX_TEMPFAIL, "no signed checkpoint covers the record yet");
    }
    p->anchored = has_proof(&p->place);
    return EX_OK;
}

/* --- putting together --------------------------------------------------------------------- */

struct path {
    struct cli_answer answer;
    struct merkle_proof *out;
};

static void on_path(void *owner, int r, const struct merkle_proof *found)
{
    struct path *path = owner;
    if (r == 0) {
        *path->out = *found;
    }
    cli_on_end(&path->answer, r);
}

/* The path of @leaf to the checkpoint's root, out of the stored tiles. */
static int find_path(struct proving *p, const struct merkle_hash *leaf,
                     struct merkle_proof *out)
{
    struct path path = { .out = out };
    const struct tree_leaf what = {
        .log = LOG_NUMBER,
        .index = (uint64_t)p->found.row.index,
        .leaf = *leaf,
        .head = p->place.checkpoint.head,
    };
    if (what.head.size == 1) {
        out->count = 0; /* the leaf is the root */
        return merkle_check_inclusion(leaf, 0, &what.head, out) ? 0 : -EBADMSG;
    }
    struct cli_session *s = p->session;
    return cli_wait(s, tree_proof_leaf(s->db, &what, on_path, &path), &path.answer);
}

static int put_inclusion(struct proving *p)
{
    struct cli_session *s = p->session;
    struct buf text = arena_buf(s->arena, PROOF_MAX);
    struct merkle_hash leaf;
    struct proof proof = {
        .index = (uint64_t)p->found.row.index,
        .note = p->place.checkpoint.note,
    };
    record_leaf(p->found.row.bytes, &leaf);
    int r = find_path(p, &leaf, &proof.path);
    if (r == 0) {
        proof_put(&proof, &text);
        r = buf_failed(&text) ? -ENOMEM : 0;
    }
    p->evidence.proof = buf_str(&text);
    return r;
}

static int put_anchor(struct proving *p)
{
    const struct store_anchor *row = &p->place.anchor;
    uint8_t hash[DIGEST_SIZE];
    if (!p->anchored) {
        return 0;
    }
    checkpoint_note_hash(p->place.checkpoint.note, hash);
    if (memcmp(hash, row->note_hash, sizeof(hash)) != 0 ||
        anchor_proof_read(row->proof, &p->chain) < 0) {
        return -EBADMSG;
    }
    p->anchor = (struct evidence_anchor){
        .chain = row->sending.chain,
        .receipt_index = p->chain.index,
        .header = p->chain.header,
        .receipt = { .nodes = p->chain.nodes, .count = p->chain.count },
        .note = p->place.checkpoint.note,
    };
    memcpy(p->anchor.contract, row->contract, sizeof(p->anchor.contract));
    p->evidence.anchor = &p->anchor;
    return 0;
}

/* A package without the consents' state says less, but what it says holds. */
static int put_consents(struct proving *p)
{
    struct cli_session *s = p->session;
    const struct record *record = &p->found.record;
    uint64_t near = p->anchored ? p->place.anchor.sending.block_number : 0;
    if (record->consent_count == 0) {
        return 0;
    }
    int r = p->rpc ? prove_consents(s, p->rpc, record, near, p->consents) : -EREMOTEIO;
    if (r == -EREMOTEIO) {
        (void)cli_complain(s, 0, "no ledger node proves the consents' state: left out");
        return 0;
    }
    p->evidence.consents = p->consents;
    p->evidence.consent_count = record->consent_count;
    return r;
}

static int build(struct proving *p)
{
    struct cli_session *s = p->session;
    p->evidence.record = p->found.row.bytes;
    p->evidence.opening = p->found.opening;
    if (!p->closed && p->found.opening.n == 0) {
        (void)fprintf(stderr, "chartseal %s: without opening: %s\n", s->command, p->found.why);
    }
    int r = put_inclusion(p);
    if (r < 0) {
        return cli_failed(s, "tree", r);
    }
    r = put_anchor(p);
    if (r < 0) {
        return cli_failed(s, "anchor", r);
    }
    r = put_consents(p);
    if (r < 0) {
        return cli_failed(s, "consents", r);
    }
    evidence_put(&p->evidence, &p->package);
    return buf_failed(&p->package) ? cli_failed(s, "package", -EMSGSIZE) : EX_OK;
}

/* --- handing over ------------------------------------------------------------------------- */

static int record_export(struct proving *p)
{
    static const uint8_t nobody[16];
    struct cli_session *s = p->session;
    char id[ID_TEXT_SIZE];
    struct buf request = arena_buf(s->arena, REQUEST_MAX);
    bool about = memcmp(p->found.patient, nobody, sizeof(nobody)) != 0;
    id_text(p->found.row.id, id);
    buf_fmt(&request, "audit prove %s%s", id, p->closed ? " --no-opening" : "");
    const struct cli_event event = {
        .what = RECORD_AUDIT_EXPORT,
        .log = RECORD_LOG_ACCESS,
        .patient = about ? p->found.patient : NULL,
        .request = buf_str(&request),
    };
    return cli_record(s, &event);
}

static int write_file(struct proving *p)
{
    const struct cli_session *s = p->session;
    if (!p->out) {
        return cli_print(s, &p->package);
    }
    int fd = open(p->out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return cli_failed(s, p->out, -errno);
    }
    bool good =
        write(fd, p->package.p, p->package.n) == (ssize_t)p->package.n && fsync(fd) == 0;
    if (close(fd) < 0 || !good) {
        return cli_complain(s, EX_IOERR, "the package can't be written");
    }
    return EX_OK;
}

/* --- checking ----------------------------------------------------------------------------- */

/* A block of the package, with the hash that our nodes give its number. */
static void add_block(struct proving *p, struct str header)
{
    struct eth_header read;
    if (!p->rpc || eth_header_read(header, &read) < 0) {
        return;
    }
    for (size_t i = 0; i < p->block_count; i++) {
        if (p->blocks[i].number == read.number) {
            return;
        }
    }
    p->block_count +=
        prove_block(p->session, p->rpc, read.number, &p->blocks[p->block_count]) == 0;
}

static void report(void *owner, const struct evidence_line *line)
{
    (void)owner;
    (void)fprintf(stderr, "%-12s%-11s%s%s%s\n", evidence_verdict_name(line->verdict),
                  evidence_part_name(line->part), line->member, *line->member ? ": " : "",
                  line->text);
}

static enum evidence_verdict check(struct proving *p)
{
    struct note_key key;
    bool known = log_key_read(p->session->config, NULL, &key) == 0;
    if (p->anchored) {
        add_block(p, p->anchor.header);
    }
    for (size_t i = 0; i < p->evidence.consent_count; i++) {
        add_block(p, p->consents[i].header);
    }
    char *room = buf_extend(&p->memory, p->package.n);
    if (!room) {
        return EVIDENCE_UNCONFIRMED;
    }
    struct buf memory = buf_fixed(room, p->package.n);
    const struct evidence_check what = {
        .key = known ? &key : NULL,
        .blocks = p->blocks,
        .block_count = p->block_count,
        .memory = &memory,
        .report = report,
    };
    return evidence_check(buf_str(&p->package), &what);
}

static int say(struct proving *p, enum evidence_verdict verdict)
{
    static const char *const texts[] = {
        [EVIDENCE_PROVEN] = "proven",
        [EVIDENCE_ABSENT] = "consistent, but something is missing from it yet",
        [EVIDENCE_UNCONFIRMED] = "consistent, but not all of it could be confirmed here",
        [EVIDENCE_FAILED] = "refused: this package proves nothing",
    };
    (void)fputs(texts[verdict], stderr);
    for (size_t i = 0; i < p->block_count; i++) {
        (void)fprintf(stderr, "%s %" PRIu64,
                      i ? "," : "; have others confirm the hash of block", p->blocks[i].number);
    }
    (void)fputc('\n', stderr);
    if (verdict == EVIDENCE_FAILED) {
        return EX_DATAERR;
    }
    return p->wait && !p->anchored ? EX_TEMPFAIL : EX_OK;
}

static int prove(struct proving *p)
{
    int code = cli_begin("audit prove", p->file, p->session);
    code = code == EX_OK ? cli_unlock(p->session) : code;
    code = code == EX_OK ? find(p) : code;
    if (code == EX_OK) {
        p->rpc = prove_nodes(p->session);
        code = build(p);
    }
    code = code == EX_OK ? record_export(p) : code;
    code = code == EX_OK ? write_file(p) : code;
    return code == EX_OK ? say(p, check(p)) : code;
}

static int read_wait(const char *text, long *out)
{
    char *end = NULL;
    *out = text ? strtol(text, &end, 10) : 0;
    return *out < 0 || *out > WAIT_MAX_S || (text && (*end || end == text)) ? -EINVAL : 0;
}

int cli_audit_prove(int argc, char **argv)
{
    struct cli_session session = { 0 };
    struct proving p = {
        .session = &session,
        .package = heap_buf(EVIDENCE_SIZE_MAX),
        .memory = heap_buf(EVIDENCE_SIZE_MAX),
    };
    struct cli_words words = { .n = 0 };
    const char *wait = NULL;
    const struct cli_arg args[] = {
        { .name = "--config", .value = &p.file },
        { .name = "--out", .value = &p.out },
        { .name = "--wait", .value = &wait },
        { .name = "--no-opening", .flag = &p.closed },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n != 1 ||
        read_wait(wait, &p.wait) < 0 || audit_id_read(words.p[0], p.id) < 0) {
        return cli_usage("audit prove RECORD --config FILE [--out FILE] [--wait SECONDS]"
                         " [--no-opening]");
    }
    int code = prove(&p);
    rpc_free(p.rpc);
    heap_buf_free(&p.package);
    heap_buf_free(&p.memory);
    cli_end(&session);
    return code;
}
