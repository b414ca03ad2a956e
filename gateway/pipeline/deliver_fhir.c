/*
 * Stage "forward" to a FHIR server.
 *
 *   look up what is shared or yields --all known--> join --> transaction
 *
 * Patient, Encounter, Practitioner, Organization and Location are shared with others: what is
 * stored is read by identifier (or, for want of one, by an id computed from what tells it),
 * joined with what the message says (an absent field keeps) and written back with If-Match, so
 * that somebody else's change in between makes us look again.
 * What the message reports is written under ids computed from it; only where something in it
 * yields to what is stored (the content of a document, in a message that hasn't any) that is
 * read, by its id. So every entry is safe to repeat, in a transaction or alone.
 */
#include "gateway/pipeline/deliver_fhir_impl.h"

#include "fhir/format/json.h"
#include "fhir/format/json_write.h"
#include "fhir/translate/merge.h"
#include "gateway/way_out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const struct http_field accept_json = { .name = { "Accept", 6 },
                                               .value = { "application/fhir+json", 21 } };

struct str deliver_fhir_query(const struct translate_entry *entry)
{
    struct str query = entry->url;
    (void)str_cut(&query, '?');
    return query;
}

enum step deliver_fhir_ask(struct exchange *ex, const struct deliver_ask *what)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    struct http_field fields[3] = { accept_json };
    size_t n = 1;
    struct str authorization = way_out_authorization(deliver->out, ex->arena);
    if (authorization.n) {
        fields[n++] =
            (struct http_field){ .name = STR("Authorization"), .value = authorization };
    }
    if (what->body.n) {
        fields[n++] = (struct http_field){ .name = STR("Content-Type"),
                                           .value = STR("application/fhir+json") };
    }
    struct str base = deliver->out->base_path.n ? deliver->out->base_path : STR("/");
    struct http_ask ask = {
        .method = what->body.n ? STR("POST") : STR("GET"),
        .target = what->target.n ? what->target : base,
        .fields = fields,
        .n_fields = n,
        .body = what->body,
        .repeatable = what->reads,
        .still = deliver_stands,
    };
    return exchange_wait(
        ex, http_fetch(deliver->out->http, &ask, DELIVER_ANSWER_MAX, what->done, ex));
}

enum step deliver_fhir_judge(struct exchange *ex, int status)
{
    static char words[600][16];
    if (status >= 200 && status < 300) {
        return STEP_NEXT;
    }
    if (status < 100 || status >= 600) {
        return deliver_retry(ex, "http-status");
    }
    (void)snprintf(words[status], sizeof(words[status]), "http-%d", status);
    bool passing = status >= 500 || status == 408 || status == 409 || status == 412 ||
                   status == 425 || status == 429;
    return passing ? deliver_retry(ex, words[status]) : deliver_park(ex, words[status]);
}

/* --- the transaction ------------------------------------------------------------------------
 */

int deliver_fhir_entry_status(const struct node *entry)
{
    struct str status = node_text(node_get(entry, "response"), "status");
    return status.n < 3
               ? 599
               : (status.p[0] - '0') * 100 + (status.p[1] - '0') * 10 + (status.p[2] - '0');
}

/* Status of the first entry that failed; 0: none did. */
static int worst_entry(const struct node *bundle)
{
    for (const struct node *entry = node_first(node_get(bundle, "entry")); entry;
         entry = entry->next) {
        int status = deliver_fhir_entry_status(entry);
        if (status < 200 || status >= 300) {
            return status;
        }
    }
    return 0;
}

enum step deliver_fhir_failed(struct exchange *ex, enum http_fail fail)
{
    return fail == HTTP_FAIL_WITHDRAWN ? deliver_withdraw(ex)
                                       : deliver_retry(ex, http_fail_text(fail));
}

static enum step answered(struct exchange *ex, const struct http_answer *answer)
{
    if (answer->fail) {
        return deliver_fhir_failed(ex, answer->fail);
    }
    enum step step = deliver_fhir_judge(ex, answer->head->status);
    if (step != STEP_NEXT) {
        return step;
    }
    const struct node *bundle;
    struct str body = arena_str(ex->arena, answer->body);
    if (!body.p || json_parse(ex->arena, body, &deliver_of(ex)->v2.issues, &bundle) != 0) {
        return deliver_retry(ex, "answer-unreadable");
    }
    int worst = worst_entry(bundle);
    step = worst ? deliver_fhir_judge(ex, worst) : STEP_NEXT;
    return step == STEP_NEXT ? deliver_done(ex) : step;
}

static void on_answer(void *owner, const struct http_answer *answer)
{
    struct exchange *ex = exchange_woken(owner);
    exchange_move(ex, answered(ex, answer));
}

static void put_request(struct json_writer *w, struct exchange *ex, size_t i)
{
    const struct deliver_exchange *deliver = deliver_of(ex);
    const struct translate_entry *entry = &deliver->bundle.entries[i];
    const struct deliver_entry *ready = &deliver->ready[i];
    struct buf url = arena_buf(ex->arena, DELIVER_TARGET_MAX);
    json_object(w, "request");
    buf_z(&url, entry->type);
    if (entry->id.n || ready->stored_id.n) {
        buf_c(&url, '/');
        buf_str_put(&url, entry->id.n ? entry->id : ready->stored_id);
        json_z(w, "method", "PUT");
        json_string(w, "url", buf_str(&url));
        if (ready->version.n) {
            struct buf match = arena_buf(ex->arena, DELIVER_TARGET_MAX);
            buf_z(&match, "W/\"");
            buf_str_put(&match, ready->version);
            buf_c(&match, '"');
            json_string(w, "ifMatch", buf_str(&match));
        }
    } else {
        json_z(w, "method", "POST");
        json_string(w, "url", buf_str(&url));
        json_string(w, "ifNoneExist", deliver_fhir_query(entry));
    }
    json_end(w);
}

static struct str write_bundle(struct exchange *ex)
{
    const struct deliver_exchange *deliver = deliver_of(ex);
    struct buf text = arena_buf(ex->arena, SIZE_MAX);
    struct json_writer w = json_writer(&text);
    json_object(&w, NULL);
    json_z(&w, "resourceType", "Bundle");
    json_z(&w, "type", "transaction");
    json_array(&w, "entry");
    for (size_t i = 0; i < deliver->bundle.count; i++) {
        if (deliver->ready[i].unchanged) {
            continue;
        }
        json_object(&w, NULL);
        json_string(&w, "fullUrl", deliver->bundle.entries[i].full_url);
        json_raw(&w, "resource", deliver->ready[i].resource);
        put_request(&w, ex, i);
        json_end(&w);
    }
    json_end(&w);
    json_end(&w);
    return buf_failed(&text) ? (struct str){ 0 } : buf_str(&text);
}

static enum step send_bundle(struct exchange *ex)
{
    if (!deliver_stands(ex)) {
        return deliver_withdraw(ex);
    }
    struct str body = write_bundle(ex);
    if (!body.n) {
        return deliver_retry(ex, "memory");
    }
    return deliver_fhir_ask(ex, &(struct deliver_ask){ .body = body, .done = on_answer });
}

/* --- joining --------------------------------------------------------------------------------
 */

static int by_url(const void *a, const void *b)
{
    const struct translate_entry *const *x = a;
    const struct translate_entry *const *y = b;
    return str_cmp((*x)->full_url, (*y)->full_url);
}

/* Entries of what is there already, in the order of their URLs. */
static bool list_stored(struct exchange *ex)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    size_t count = deliver->bundle.count;
    deliver->stored =
        arena_calloc(ex->arena, count + 1, sizeof(const struct translate_entry *));
    if (!deliver->stored) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (deliver->ready[i].stored_id.n) {
            deliver->stored[deliver->stored_count++] = &deliver->bundle.entries[i];
        }
    }
    if (deliver->stored_count) {
        qsort(deliver->stored, deliver->stored_count, sizeof(const struct translate_entry *),
              by_url);
    }
    return true;
}

/* The entry of what is there whose URL is @quoted, with its quotes; NULL if it is none's. */
static const struct translate_entry *stored_entry(const struct deliver_exchange *deliver,
                                                  struct str quoted)
{
    const struct translate_entry key = { .full_url = str_slice(quoted, 1,
                                                               quoted.n ? quoted.n - 1 : 0) };
    const struct translate_entry *sought = &key;
    const struct translate_entry **found =
        deliver->stored_count ? bsearch(&sought, deliver->stored, deliver->stored_count,
                                        sizeof(const struct translate_entry *), by_url)
                              : NULL;
    return found ? *found : NULL;
}

/* Every string that is the full URL of a stored resource becomes Type/id. */
static struct str resolved(struct exchange *ex, struct str resource)
{
    const struct deliver_exchange *deliver = deliver_of(ex);
    struct buf out = arena_buf(ex->arena, SIZE_MAX);
    size_t taken = 0;
    const char *at = resource.p;
    for (;;) {
        size_t from = (size_t)(at - resource.p);
        at = memmem(at, resource.n - from, "\"urn:uuid:", 10);
        const char *end =
            at ? memchr(at + 1, '"', resource.n - (size_t)(at + 1 - resource.p)) : NULL;
        if (!end) {
            break;
        }
        struct str quoted = str_of(at, (size_t)(end - at) + 1);
        const struct translate_entry *entry = stored_entry(deliver, quoted);
        at = end;
        if (entry) {
            buf_put(&out, resource.p + taken, (size_t)(quoted.p - resource.p) - taken);
            buf_fmt(&out, "\"%s/", entry->type);
            buf_str_put(&out, deliver->ready[entry - deliver->bundle.entries].stored_id);
            buf_c(&out, '"');
            taken = (size_t)(end + 1 - resource.p);
        }
    }
    if (taken == 0) {
        return resource;
    }
    buf_put(&out, resource.p + taken, resource.n - taken);
    return buf_failed(&out) ? (struct str){ 0 } : buf_str(&out);
}

/* The first entry that is about the same stored resource as entry @i. */
static size_t first_about(const struct deliver_exchange *deliver, size_t i)
{
    size_t k = 0;
    while (k < i &&
           !(str_eq(deliver->ready[k].stored_id, deliver->ready[i].stored_id) &&
             strcmp(deliver->bundle.entries[k].type, deliver->bundle.entries[i].type) == 0)) {
        k++;
    }
    return k;
}

/* Join what @entry, the @i th, says with the resource as it is there by now. */
static bool join_stored(struct exchange *ex, size_t i, const struct translate_entry *entry)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    size_t first = first_about(deliver, i);
    struct deliver_entry *ready = &deliver->ready[first];
    if (first < i) {
        deliver->ready[i].unchanged = true;
        if (deliver->ready[i].gone) {
            return true; /* its number was that of the one that stays already */
        }
    }
    struct str before = first < i ? ready->resource : ready->stored;
    const struct node *tree;
    struct buf merged = arena_buf(ex->arena, SIZE_MAX);
    int r = json_parse(ex->arena, before, &deliver->v2.issues, &tree);
    if (r == 0) {
        r = translate_merge(ex->arena, tree, before, entry, &merged);
    }
    ready->resource = buf_str(&merged);
    ready->unchanged = str_eq(ready->resource, ready->stored);
    return r == 0 && !buf_failed(&merged);
}

enum step deliver_fhir_join(struct exchange *ex)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    if (!list_stored(ex)) {
        return deliver_retry(ex, "memory");
    }
    for (size_t i = 0; i < deliver->bundle.count; i++) {
        struct translate_entry entry = deliver->bundle.entries[i];
        entry.resource = resolved(ex, entry.resource);
        entry.withdrawn = entry.withdrawn.n ? resolved(ex, entry.withdrawn) : entry.withdrawn;
        if (!entry.resource.n) {
            return deliver_retry(ex, "memory");
        }
        if (!deliver->ready[i].stored_id.n) {
            deliver->ready[i].resource = entry.resource;
        } else if (!join_stored(ex, i, &entry)) {
            return deliver_retry(ex, "merge");
        }
    }
    return send_bundle(ex);
}

enum step deliver_fhir_enter(struct exchange *ex)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    deliver->ready =
        arena_calloc(ex->arena, deliver->bundle.count + 1, sizeof(*deliver->ready));
    return deliver->ready ? deliver_fhir_look_up(ex) : deliver_retry(ex, "memory");
}
