/*
 * Stage "filter": the answer on its way through the decisions.
 *
 * A small answer is held: read, decided, written anew, then sealed, recorded and released. On
 * a changed epoch all of that is done again from what was received.
 *
 * A long one goes round and round, a look-ahead at a time:
 *
 *   filter: read on, gather entries, find their patients, decide
 *     --> seal, record: those patients whom no record of this exchange names yet
 *     --> respond: release what was decided --> filter
 *   until nothing is left: then the record with digest and counts, and the last bytes.
 *
 * Nothing decided is released under another epoch than that of its record, and a round has
 * memory of its own, so a long answer needs no more than its longest entry and the look-ahead.
 */
#include "gateway/pipeline/fhir_impl.h"

#include "fhir/rest/outcome.h"
#include "gateway/consents.h"
#include "gateway/heap.h"
#include "gateway/metrics.h"

#include <errno.h>
#include <stdlib.h>

enum {
    NOTICE_MAX = 1 << 10,
    ROUND_ARENA = 64 << 10,
    OUT_MAX = 80 << 20,
    ITEMS_MIN = 64,
};

static enum step stop_memory(struct exchange *ex)
{
    return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
}

static enum step stop_invalid(struct exchange *ex)
{
    return fhir_refuse(ex, OUTCOME_UPSTREAM, "upstream-invalid", 502,
                       "the FHIR server's answer can't be read");
}

static enum step stop_undecidable(struct exchange *ex)
{
    return fhir_refuse(ex, OUTCOME_UNAVAILABLE,
                       consents_state_name(consents_state(dossier_of(ex)->worker->consents)),
                       503, "consents can't be checked at the moment");
}

static bool decidable(struct exchange *ex)
{
    const struct dossier *dossier = dossier_of(ex);
    return dossier->mode != RECORD_ENFORCE || fhir_decidable(ex);
}

/* --- the filter itself -------------------------------------------------------------------- */

/* Links below the upstream's base become ours; others lead past us and are left out. */
static bool link_url(void *owner, struct str relation, struct str url, struct buf *out)
{
    const struct fhir_exchange *fx = owner;
    struct url_map map = { .from = fx->out->base_url, .to = fx->base };
    (void)relation;
    if (!url_map_covers(&map, url)) {
        return false;
    }
    buf_str_put(out, map.to);
    buf_str_put(out, str_slice(url, map.from.n, url.n));
    return true;
}

/* The same for every answer, whether something was removed or not. */
static struct str notice(struct exchange *ex)
{
    static const struct rest_outcome said = {
        .severity = ISSUE_INFORMATION,
        .code = "suppressed",
        .diagnostics = FHIR_NOTICE_TEXT,
    };
    struct buf text = arena_buf(ex->arena, NOTICE_MAX);
    outcome_write_entry(&said, &text);
    return buf_failed(&text) ? STR("") : buf_str(&text);
}

static int open_filter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct fhir_answer *answer = &fx->answer;
    struct bundle_filter_options options = {
        .map = { .from = fx->out->base_url, .to = fx->base },
        .link = link_url,
        .owner = fx,
        .notice = notice(ex),
        .held = BUNDLE_HELD_USUAL,
    };
    if (options.notice.n == 0) {
        return -ENOMEM;
    }
    answer->out.limit = OUT_MAX;
    answer->out.grow = heap_grow;
    answer->out.n = 0;
    answer->filter = bundle_filter_new(&options, &answer->out);
    return answer->filter ? 0 : -ENOMEM;
}

void fhir_filter_close(struct exchange *ex)
{
    struct fhir_answer *answer = &fhir_of(ex)->answer;
    bundle_filter_freep(&answer->filter);
    heap_buf_free(&answer->held);
    heap_buf_free(&answer->out);
    free(answer->named);
    answer->named = NULL;
    if (answer->base) {
        ex->arena = answer->base;
        arena_freep(&answer->round);
    }
}

/* Answer the filter for the entries decided; those left over move to the front. */
int fhir_filter_release(struct exchange *ex)
{
    struct fhir_answer *answer = &fhir_of(ex)->answer;
    int r = 0;
    for (size_t i = 0; r == 0 && i < answer->decided; i++) {
        struct fhir_item *item = &answer->items[i];
        answer->released += item->release;
        answer->withheld += !item->release && !item->silent;
        metrics_add(item->release ? METRIC_ENTRIES_RELEASED : METRIC_ENTRIES_FILTERED, 1);
        enum bundle_verdict verdict = item->release ? BUNDLE_RELEASE : BUNDLE_REMOVE;
        struct str text = STR("");
        if (item->release && item->obligations) {
            verdict = BUNDLE_REPLACE;
            r = fhir_entry_oblige(ex, item, &text);
        }
        r = r ? r : bundle_filter_answer(answer->filter, item->entry, verdict, text);
    }
    size_t left = answer->item_count - answer->decided;
    if (left) {
        memmove(answer->items, answer->items + answer->decided, left * sizeof(*answer->items));
    }
    answer->item_count = left;
    answer->decided = 0;
    return r;
}

/* Room for one more item; NULL: no memory. */
static struct fhir_item *next_item(struct exchange *ex)
{
    struct fhir_answer *answer = &fhir_of(ex)->answer;
    if (answer->item_count == answer->item_room) {
        size_t room = answer->item_room ? 2 * answer->item_room : ITEMS_MIN;
        struct fhir_item *items = arena_calloc(ex->arena, room, sizeof(*items));
        if (!items) {
            return NULL;
        }
        if (answer->item_count) {
            memcpy(items, answer->items, answer->item_count * sizeof(*items));
        }
        answer->items = items;
        answer->item_room = room;
    }
    return &answer->items[answer->item_count];
}

/* Take up to @most entries that the filter has ready. */
static int gather(struct exchange *ex, size_t most)
{
    struct fhir_answer *answer = &fhir_of(ex)->answer;
    while (answer->item_count < most) {
        const struct bundle_entry *entry = bundle_filter_next(answer->filter);
        if (!entry) {
            return 0;
        }
        struct fhir_item *item = next_item(ex);
        int r = item ? fhir_entry_read(ex, entry, item) : -ENOMEM;
        if (r < 0) {
            return r;
        }
        answer->item_count++;
    }
    return 0;
}

static int name_items(struct exchange *ex)
{
    struct fhir_answer *answer = &fhir_of(ex)->answer;
    int r = 0;
    fhir_people_clear(ex);
    for (size_t i = 0; r == 0 && i < answer->item_count; i++) {
        r = fhir_entry_name(ex, &answer->items[i]);
    }
    return r;
}

/* --- a small answer ----------------------------------------------------------------------- */

static enum step stream_enter(struct exchange *ex);

/* More patients than one commit names: in rounds, then. */
static enum step go_streaming(struct exchange *ex)
{
    struct fhir_answer *answer = &fhir_of(ex)->answer;
    bundle_filter_freep(&answer->filter);
    answer->streaming = true;
    answer->item_count = 0;
    answer->denied = NULL;
    dossier_of(ex)->subject_count = 0;
    return stream_enter(ex);
}

/* The one resource that was read isn't shown: as if there were none. */
static enum step deny_whole(struct exchange *ex)
{
    const char *basis = fhir_of(ex)->answer.denied;
    return exchange_stop(ex, OUTCOME_DENY, basis ? basis : "not-found");
}

static enum step finish_small(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct fhir_answer *answer = &fx->answer;
    bool whole = answer->item_count == 1 && answer->items[0].entry->whole;
    bool shown = !whole || answer->items[0].release;
    if (whole && answer->items[0].obligations) {
        answer->etag = STR(""); /* that of other bytes than are shown */
    }
    answer->decided = answer->item_count;
    answer->released = 0;
    answer->withheld = 0;
    if (fhir_filter_release(ex) < 0) {
        return stop_memory(ex);
    }
    fx->dossier.released = answer->released;
    fx->dossier.withheld = answer->withheld;
    if (!shown) {
        return deny_whole(ex);
    }
    if (!bundle_filter_done(answer->filter) || buf_failed(&answer->out)) {
        return stop_invalid(ex);
    }
    fx->dossier.payload = buf_str(&answer->out);
    fx->result = fx->dossier.payload;
    fx->status = 200;
    if (answer->released == 0 && answer->withheld > 0) {
        return exchange_stop(ex, OUTCOME_DENY, answer->denied);
    }
    ex->outcome = OUTCOME_PERMIT;
    ex->basis = fhir_permit_basis(ex);
    return STEP_NEXT;
}

static enum step decide_small(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct fhir_answer *answer = &fx->answer;
    if (!decidable(ex)) {
        return stop_undecidable(ex);
    }
    fx->dossier.epoch = consents_epoch(fx->dossier.worker->consents);
    fx->dossier.decide_again = "filter";
    for (size_t i = 0; i < answer->item_count; i++) {
        if (!fhir_entry_decide(ex, &answer->items[i])) {
            return go_streaming(ex);
        }
    }
    return finish_small(ex);
}

/* What an earlier pass, under another epoch, made ready counts no more. */
static void begin_pass(struct fhir_exchange *fx)
{
    bundle_filter_freep(&fx->answer.filter);
    fx->answer.item_count = 0;
    fx->answer.denied = NULL;
    fx->dossier.payload = (struct str){ 0 };
    fx->result = (struct str){ 0 };
    fx->status = 0;
}

static enum step small_enter(struct exchange *ex)
{
    struct fhir_answer *answer = &fhir_of(ex)->answer;
    begin_pass(fhir_of(ex));
    if (open_filter(ex) < 0) {
        return stop_memory(ex);
    }
    int r = bundle_filter_push(answer->filter, buf_str(&answer->held));
    if (r == 0) {
        r = bundle_filter_finish(answer->filter);
    }
    if (r > 0) {
        return stop_invalid(ex);
    }
    if (r == 0) {
        r = gather(ex, SIZE_MAX);
    }
    if (r == 0) {
        r = name_items(ex);
    }
    return r < 0 ? stop_memory(ex) : fhir_people_resolve(ex, decide_small);
}

/* --- a long answer ------------------------------------------------------------------------ */

/* Memory of the round before is free. */
static int begin_round(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct fhir_answer *answer = &fx->answer;
    if (!answer->base) {
        answer->round = arena_new(ROUND_ARENA);
        if (!answer->round) {
            return -ENOMEM;
        }
        answer->base = ex->arena;
        ex->arena = answer->round;
        digest_start(&answer->digest);
    }
    arena_reset(answer->round);
    fx->dossier.subjects = NULL;
    fx->dossier.subject_count = 0;
    fx->people.pre_reads = 0;
    return 0;
}

/* Nothing is left but the last bytes: they are summed up before they leave. */
static enum step last_round(struct exchange *ex)
{
    struct fhir_answer *answer = &fhir_of(ex)->answer;
    if (begin_round(ex) < 0) {
        return stop_memory(ex);
    }
    if (!bundle_filter_done(answer->filter) || buf_failed(&answer->out)) {
        return stop_invalid(ex);
    }
    answer->last = true;
    answer->sealed_round = true;
    digest_put(&answer->digest, buf_str(&answer->out));
    fhir_filter_sum(ex);
    dossier_of(ex)->decide_again = NULL;
    dossier_of(ex)->epoch = BATCH_EPOCH_ANY;
    dossier_of(ex)->committed = false;
    ex->outcome = OUTCOME_PERMIT;
    ex->basis = fhir_permit_basis(ex);
    return STEP_NEXT;
}

void fhir_filter_sum(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct fhir_answer *answer = &fx->answer;
    digest_end(&answer->digest, answer->digest_bytes);
    fx->dossier.payload_digest = str_of(answer->digest_bytes, DIGEST_SIZE);
    fx->dossier.released = answer->released;
    fx->dossier.withheld = answer->withheld;
}

static enum step decide_round(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct fhir_answer *answer = &fx->answer;
    if (!decidable(ex)) {
        return stop_undecidable(ex);
    }
    fx->dossier.epoch = consents_epoch(fx->dossier.worker->consents);
    fx->dossier.decide_again = "filter";
    answer->decided = 0;
    while (answer->decided < answer->item_count &&
           fhir_entry_decide(ex, &answer->items[answer->decided])) {
        answer->decided++;
    }
    answer->sealed_round = fx->dossier.subject_count > 0 || !answer->begun;
    fx->dossier.committed &= !answer->sealed_round;
    ex->outcome = OUTCOME_PERMIT;
    ex->basis = fx->glass.asked ? "break-glass" : "permit";
    return STEP_NEXT;
}

/* Give the filter what has come. Return as bundle_filter_push(). */
static int feed(struct exchange *ex)
{
    struct fhir_answer *answer = &fhir_of(ex)->answer;
    int r = 0;
    if (answer->held.n) {
        r = bundle_filter_push(answer->filter, buf_str(&answer->held));
        answer->held.n = 0;
    }
    if (r == 0 && answer->ended && !answer->finished) {
        answer->finished = true;
        r = bundle_filter_finish(answer->filter);
    }
    return r;
}

static enum step stream_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct fhir_answer *answer = &fx->answer;
    if (!answer->filter && open_filter(ex) < 0) {
        return stop_memory(ex);
    }
    if (!fx->req) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "client-gone");
    }
    int r = gather(ex, FHIR_ROUND_MAX);
    if (r == 0 && answer->item_count == 0) {
        if (answer->fail) {
            return fhir_refuse(ex, OUTCOME_UPSTREAM, "upstream-cut", 502,
                               "the FHIR server's answer broke off");
        }
        r = feed(ex);
        if (r > 0) {
            return stop_invalid(ex);
        }
        r = r < 0 ? r : gather(ex, FHIR_ROUND_MAX);
    }
    if (r < 0) {
        return stop_memory(ex);
    }
    if (answer->item_count == 0) {
        return answer->finished ? last_round(ex) : fhir_upstream_more(ex);
    }
    r = begin_round(ex);
    if (r == 0) {
        r = name_items(ex);
    }
    return r < 0 ? stop_memory(ex) : fhir_people_resolve(ex, decide_round);
}

enum step fhir_filter_enter(struct exchange *ex)
{
    return fhir_of(ex)->answer.streaming ? stream_enter(ex) : small_enter(ex);
}
