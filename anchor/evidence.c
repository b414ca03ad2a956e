/*
 * Checking an evidence package: what needs no chain.
 *
 * First the file is taken apart, then each part is checked in the order of enum evidence_part,
 * each check building on those before it. The first failure ends the run, so that what is
 * named is the cause. The trailer comes last: it would say only that something changed.
 */
#include "anchor/evidence.h"

#include "anchor/cjson.h"
#include "anchor/evidence_check.h"
#include "anchor/opening.h"
#include "anchor/proof.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

enum {
    LINE_MAX = 320,
};

static const char *const part_names[] = {
    [EVIDENCE_PACKAGE] = "package",       [EVIDENCE_RECORD] = "record",
    [EVIDENCE_OPENING] = "opening",       [EVIDENCE_INCLUSION] = "inclusion",
    [EVIDENCE_CHECKPOINT] = "checkpoint", [EVIDENCE_ANCHOR] = "anchor",
    [EVIDENCE_CONSENT] = "consent",       [EVIDENCE_TRAILER] = "trailer",
};
static const char *const verdict_names[] = {
    [EVIDENCE_PROVEN] = "ok",
    [EVIDENCE_ABSENT] = "absent",
    [EVIDENCE_UNCONFIRMED] = "unconfirmed",
    [EVIDENCE_FAILED] = "FAILED",
};

const char *evidence_part_name(enum evidence_part part)
{
    assert(part < ARRAY_LEN(part_names));
    return part_names[part];
}

const char *evidence_verdict_name(enum evidence_verdict verdict)
{
    assert(verdict < ARRAY_LEN(verdict_names));
    return verdict_names[verdict];
}

bool evidence_say(struct evidence_run *run, const struct evidence_line *line,
                  const char *format, ...)
{
    char text[LINE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    bool optional = line->part == EVIDENCE_OPENING && line->verdict == EVIDENCE_ABSENT;
    if (line->verdict > run->worst && !optional) {
        run->worst = line->verdict;
    }
    if (run->check->report) {
        struct evidence_line full = *line;
        full.text = text;
        run->check->report(run->check->owner, &full);
    }
    return line->verdict != EVIDENCE_FAILED;
}

bool evidence_fail(struct evidence_run *run, enum evidence_part part, const char *member,
                   const char *why)
{
    struct evidence_line line = { part, EVIDENCE_FAILED, member, NULL };
    (void)evidence_say(run, &line, "%s", why);
    return false;
}

/* One member of the package. */
static void read_member(struct cjson *c, struct str name, struct evidence_parts *parts)
{
    if (str_eq(name, STR("anchor"))) {
        parts->anchor = cjson_value(c);
    } else if (str_eq(name, STR("consents"))) {
        parts->consents = cjson_value(c);
    } else if (str_eq(name, STR("format"))) {
        if (!str_eq(cjson_plain(c), STR(EVIDENCE_FORMAT))) {
            cjson_refuse(c, "not of the format " EVIDENCE_FORMAT);
        }
    } else if (str_eq(name, STR("opening"))) {
        parts->opening = cjson_value(c);
    } else if (str_eq(name, STR("proof"))) {
        parts->proof = cjson_value(c);
    } else if (str_eq(name, STR("record"))) {
        parts->record = cjson_value(c);
        parts->trailer_at = c->at;
    } else if (str_eq(name, STR("trailer"))) {
        cjson_hex(c, false, parts->trailer, sizeof(parts->trailer));
    } else {
        cjson_refuse(c, "member that this program doesn't know");
    }
}

static bool check_package(struct evidence_run *run, struct str package)
{
    static const char *const musts[] = { "format", "proof", "record", "trailer" };
    struct cjson c;
    struct str name;
    size_t seen = 0;
    cjson_start(&c, package);
    if (package.n == 0) {
        cjson_refuse(&c, "empty file");
    } else if (package.n > EVIDENCE_SIZE_MAX) {
        cjson_refuse(&c, "too large for a package");
    }
    cjson_object(&c);
    while (cjson_member(&c, &name)) {
        seen += seen < ARRAY_LEN(musts) && str_eq(name, str_z(musts[seen])) ? 1 : 0;
        read_member(&c, name, &run->parts);
    }
    if (cjson_finish(&c) < 0) {
        struct evidence_line line = { EVIDENCE_PACKAGE, EVIDENCE_FAILED, "", NULL };
        return evidence_say(run, &line, "%s, at byte %zu", c.error, c.at);
    }
    if (seen < ARRAY_LEN(musts)) {
        return evidence_fail(run, EVIDENCE_PACKAGE, musts[seen], "missing");
    }
    struct evidence_line line = { EVIDENCE_PACKAGE, EVIDENCE_PROVEN, "", NULL };
    return evidence_say(run, &line, "%zu bytes of " EVIDENCE_FORMAT, package.n);
}

static bool check_record(struct evidence_run *run)
{
    const char *why = NULL;
    if (record_read(run->parts.record, &run->record, &why) < 0) {
        return evidence_fail(run, EVIDENCE_RECORD, "record", why);
    }
    const struct record *r = &run->record;
    struct evidence_line line = { EVIDENCE_RECORD, EVIDENCE_PROVEN, "record", NULL };
    return evidence_say(run, &line, "%s, outcome %s, basis %.*s, mode %s, time %llu ms",
                        record_interaction_name(r->interaction),
                        record_outcome_name(r->outcome), (int)r->basis.n, r->basis.p,
                        record_mode_name(r->mode), (unsigned long long)r->time);
}

static bool check_opening(struct evidence_run *run)
{
    static const char *const members[COMMITMENT_COUNT] = {
        [COMMITMENT_ACTOR] = "opening.actor",       [COMMITMENT_AUDIT] = "opening.audit",
        [COMMITMENT_DECISION] = "opening.decision", [COMMITMENT_PAYLOAD] = "opening.payload",
        [COMMITMENT_REQUEST] = "opening.request",   [COMMITMENT_SUBJECT] = "opening.subject",
    };
    struct evidence_line line = { EVIDENCE_OPENING, EVIDENCE_ABSENT, "opening", NULL };
    struct opening opening;
    const char *why = NULL;
    enum commitment_kind kind;
    size_t count = 0;
    struct buf *memory = run->check->memory;
    if (run->parts.opening.n == 0) {
        return evidence_say(run, &line, "none, so whom and what it concerns isn't shown");
    }
    memory->n = 0;
    if (opening_read(run->parts.opening, memory, &opening, &why) < 0) {
        return evidence_fail(run, EVIDENCE_OPENING, "opening", why ? why : "no memory left");
    }
    if (opening_check(&opening, &run->record, &kind)) {
        return evidence_fail(run, EVIDENCE_OPENING, members[kind],
                             "doesn't open the record's commitment");
    }
    for (kind = 0; kind < COMMITMENT_COUNT; kind++) {
        count += opening.has[kind] ? 1 : 0;
    }
    line.verdict = EVIDENCE_PROVEN;
    return evidence_say(run, &line, "opens %zu commitments of the record", count);
}

const char *evidence_signed(const struct evidence_run *run, const struct note *note,
                            struct str origin)
{
    const struct note_key *key = run->check->key;
    if (!key) {
        return NULL;
    }
    if (!str_eq(key->name, origin)) {
        return "checkpoint of another log than the key's";
    }
    switch (note_check(note, key)) {
    case 0: return NULL;
    case NOTE_E_UNSIGNED: return "not signed by the log's key";
    default: return "signature doesn't verify";
    }
}

/* The proof's text lies in memory from here to the end of this check. */
static bool check_inclusion(struct evidence_run *run)
{
    struct buf *memory = run->check->memory;
    struct evidence_line line = { EVIDENCE_INCLUSION, EVIDENCE_PROVEN, "proof", NULL };
    struct cjson c;
    struct proof proof;
    struct note note;
    struct merkle_hash leaf;
    memory->n = 0;
    cjson_start(&c, run->parts.proof);
    struct str text = cjson_string(&c, memory);
    if (cjson_finish(&c) < 0 || proof_read(text, &proof) < 0) {
        return evidence_fail(run, EVIDENCE_INCLUSION, "proof", "not an inclusion proof");
    }
    if (note_read(proof.note, &note) < 0 || checkpoint_read(note.text, &run->checkpoint) < 0) {
        return evidence_fail(run, EVIDENCE_CHECKPOINT, "proof", "not a signed checkpoint");
    }
    record_leaf(run->parts.record, &leaf);
    const struct merkle_head *head = &run->checkpoint.head;
    if (!merkle_check_inclusion(&leaf, proof.index, head, &proof.path)) {
        return evidence_fail(run, EVIDENCE_INCLUSION, "proof",
                             "doesn't lead from the record to the checkpoint's root");
    }
    (void)evidence_say(run, &line, "record is entry %llu of %llu",
                       (unsigned long long)proof.index, (unsigned long long)head->size);
    const char *why = evidence_signed(run, &note, run->checkpoint.origin);
    if (why) {
        return evidence_fail(run, EVIDENCE_CHECKPOINT, "proof", why);
    }
    line.part = EVIDENCE_CHECKPOINT;
    line.verdict = run->check->key ? EVIDENCE_PROVEN : EVIDENCE_UNCONFIRMED;
    return evidence_say(run, &line,
                        run->check->key ? "log %.*s signed it"
                                        : "log %.*s: consistency only, as its key is not known",
                        (int)run->checkpoint.origin.n, run->checkpoint.origin.p);
}

static bool check_trailer(struct evidence_run *run, struct str package)
{
    struct evidence_line line = { EVIDENCE_TRAILER, EVIDENCE_PROVEN, "trailer", NULL };
    uint8_t digest[DIGEST_SIZE];
    digest_sha256(str_slice(package, 0, run->parts.trailer_at), digest);
    if (memcmp(digest, run->parts.trailer, sizeof(digest)) != 0) {
        return evidence_fail(run, EVIDENCE_TRAILER, "trailer", "not the digest of the file");
    }
    return evidence_say(run, &line, "digest of the file");
}

enum evidence_verdict evidence_check(struct str package, const struct evidence_check *check)
{
    assert(!check->memory->grow);
    struct evidence_run run = { .check = check };
    bool ok = check_package(&run, package) && check_record(&run) && check_opening(&run) &&
              check_inclusion(&run);
    /* The origin lies in memory behind what the next checks use: keep it apart. */
    char origin[CHECKPOINT_ORIGIN_MAX];
    if (ok) {
        memcpy(origin, run.checkpoint.origin.p, run.checkpoint.origin.n);
        run.checkpoint.origin.p = origin;
    }
    (void)(ok && evidence_check_anchor(&run) && evidence_check_consents(&run) &&
           check_trailer(&run, package));
    return run.worst;
}
