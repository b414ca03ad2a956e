/*
 * What a FHIR server has of the resources that a message speaks of.
 *
 *   look up --nothing left to ask--> join
 *      +--one, or no batches--> GET   --answer--> look up
 *      +--several-------------> batch --answer--> look up
 *
 * Several are asked for in one batch, so that a delivery costs two requests whatever its
 * message speaks of. A server that says it takes none is asked one by one from then on.
 */
#include "gateway/pipeline/deliver_fhir_impl.h"

#include "fhir/format/json.h"
#include "fhir/format/json_write.h"
#include "gateway/way_out.h"

enum {
    BATCH_MAX = 64, /* entries asked for at once */
    FOUND_MAX = 10, /* resources asked for by one identifier */
};

/* Whether @entry is joined with what is stored. */
static bool is_joined(const struct translate_entry *entry)
{
    bool yields = entry->defaults || entry->withdrawn.n;
    return entry->id.n ? entry->shared || yields : entry->identifier_count > 0;
}

/* The first entry from @i on that is looked up; the number of entries if there is none. */
static size_t joined_from(const struct deliver_exchange *deliver, size_t i)
{
    while (i < deliver->bundle.count && !is_joined(&deliver->bundle.entries[i])) {
        i++;
    }
    return i;
}

/* --- what an answer says -------------------------------------------------------------------
 */

static bool is_type(const struct node *resource, const char *type)
{
    return str_eq(node_text(resource, "resourceType"), str_z(type));
}

/* Whether another patient took the place of this one. */
static bool replaced(const struct node *resource)
{
    const struct node *link = node_first(node_get(resource, "link"));
    while (link && !str_eq(node_text(link, "type"), STR("replaced-by"))) {
        link = link->next;
    }
    return link != NULL;
}

/*
 * The stored resource that an entry is about, or NULL. After a merge the patient that stayed
 * may bear the number of the one that went: then the message tells which of both it means.
 */
static const struct node *choose(const struct node *bundle, const char *type,
                                 const struct node *said, bool *ambiguous)
{
    const struct node *any = NULL;
    const struct node *alike = NULL;
    size_t count = 0;
    size_t count_alike = 0;
    for (const struct node *e = node_first(node_get(bundle, "entry")); e; e = e->next) {
        const struct node *resource = node_get(e, "resource");
        if (!is_type(resource, type)) {
            continue; /* an outcome, or something included */
        }
        any = resource;
        count++;
        if (replaced(resource) == replaced(said)) {
            alike = resource;
            count_alike++;
        }
    }
    *ambiguous = count > 1 && count_alike != 1;
    return count > 1 ? alike : any;
}

/*
 * What the server has for entry @i: @status and @root of the answer to its read or search,
 * which stands in @text. STEP_NEXT, or why the delivery ends here.
 */
static enum step take(struct exchange *ex, size_t i, int status, const struct node *root,
                      struct str text)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    const struct translate_entry *entry = &deliver->bundle.entries[i];
    struct deliver_entry *ready = &deliver->ready[i];
    if (entry->id.n && (status == 404 || status == 410)) {
        return STEP_NEXT; /* nothing is stored under that id */
    }
    enum step step = deliver_fhir_judge(ex, status);
    if (step != STEP_NEXT) {
        return step;
    }
    if (!is_type(root, entry->id.n ? entry->type : "Bundle")) {
        return deliver_retry(ex, "answer-unreadable");
    }
    bool ambiguous = false;
    const struct node *resource =
        entry->id.n ? root : choose(root, entry->type, entry->tree, &ambiguous);
    if (ambiguous) {
        return deliver_park(ex, "ambiguous-identifier");
    }
    if (resource) {
        ready->stored_id = node_text(resource, "id");
        ready->version = node_text(node_get(resource, "meta"), "versionId");
        ready->stored = str_slice(text, resource->start, resource->end);
    }
    ready->gone = replaced(entry->tree);
    return STEP_NEXT;
}

/* The body of @answer, read; what it is read from in @text. */
static const struct node *read_body(struct exchange *ex, const struct http_answer *answer,
                                    struct str *text)
{
    const struct node *root;
    *text = arena_str(ex->arena, answer->body);
    bool read = text->p && json_parse(ex->arena, *text, &deliver_of(ex)->v2.issues, &root) == 0;
    return read ? root : NULL;
}

/* --- one by one -----------------------------------------------------------------------------
 */

static enum step take_one(struct exchange *ex, const struct http_answer *answer)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    struct str text = { 0 };
    int status = answer->head->status;
    const struct node *root =
        status >= 200 && status < 300 ? read_body(ex, answer, &text) : NULL;
    enum step step = take(ex, deliver->entry_at, status, root, text);
    deliver->entry_at++;
    return step == STEP_NEXT ? deliver_fhir_look_up(ex) : step;
}

static void on_one(void *owner, const struct http_answer *answer)
{
    struct exchange *ex = exchange_woken(owner);
    exchange_move(ex,
                  answer->fail ? deliver_fhir_failed(ex, answer->fail) : take_one(ex, answer));
}

/* "Patient?identifier=…", "Practitioner/…" */
static void put_target(struct buf *out, const struct translate_entry *entry)
{
    buf_z(out, entry->type);
    if (entry->id.n) {
        buf_c(out, '/');
        buf_str_put(out, entry->id);
    } else {
        buf_c(out, '?');
        buf_str_put(out, deliver_fhir_query(entry));
        buf_fmt(out, "&_count=%d", FOUND_MAX);
    }
}

static enum step ask_one(struct exchange *ex)
{
    const struct deliver_exchange *deliver = deliver_of(ex);
    struct buf target = arena_buf(ex->arena, DELIVER_TARGET_MAX);
    buf_str_put(&target, deliver->out->base_path);
    buf_c(&target, '/');
    put_target(&target, &deliver->bundle.entries[deliver->entry_at]);
    if (buf_failed(&target)) {
        return deliver_park(ex, "identifier-too-long");
    }
    return deliver_fhir_ask(
        ex, &(struct deliver_ask){ .target = buf_str(&target), .reads = true, .done = on_one });
}

/* --- all at once ----------------------------------------------------------------------------
 */

/* Whether an answer to a batch says that there are none here, whatever it asks for. */
static bool refuses_batches(int status)
{
    return status == 400 || status == 403 || status == 404 || status == 405 || status == 415 ||
           status == 422 || status == 501;
}

/* Answers stand in the order of what was asked. */
static enum step take_all(struct exchange *ex, const struct http_answer *answer)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    if (refuses_batches(answer->head->status)) {
        deliver->out->no_batches = true;
        return deliver_fhir_look_up(ex);
    }
    enum step step = deliver_fhir_judge(ex, answer->head->status);
    if (step != STEP_NEXT) {
        return step;
    }
    struct str text = { 0 };
    const struct node *root = read_body(ex, answer, &text);
    const struct node *at = node_first(node_get(root, "entry"));
    size_t i = deliver->entry_at;
    for (size_t n = 0; i < deliver->bundle.count && n < BATCH_MAX; n++) {
        if (!at) {
            return deliver_retry(ex, "answer-unreadable");
        }
        step = take(ex, i, deliver_fhir_entry_status(at), node_get(at, "resource"), text);
        if (step != STEP_NEXT) {
            return step;
        }
        at = at->next;
        i = joined_from(deliver, i + 1);
    }
    deliver->entry_at = i;
    return deliver_fhir_look_up(ex);
}

static void on_all(void *owner, const struct http_answer *answer)
{
    struct exchange *ex = exchange_woken(owner);
    exchange_move(ex,
                  answer->fail ? deliver_fhir_failed(ex, answer->fail) : take_all(ex, answer));
}

static struct str write_batch(struct exchange *ex)
{
    const struct deliver_exchange *deliver = deliver_of(ex);
    struct buf text = arena_buf(ex->arena, (size_t)BATCH_MAX * DELIVER_TARGET_MAX);
    struct json_writer w = json_writer(&text);
    json_object(&w, NULL);
    json_z(&w, "resourceType", "Bundle");
    json_z(&w, "type", "batch");
    json_array(&w, "entry");
    size_t i = deliver->entry_at;
    for (size_t n = 0; i < deliver->bundle.count && n < BATCH_MAX; n++) {
        struct buf url = arena_buf(ex->arena, DELIVER_TARGET_MAX);
        put_target(&url, &deliver->bundle.entries[i]);
        if (buf_failed(&url)) {
            return (struct str){ 0 };
        }
        json_object(&w, NULL);
        json_object(&w, "request");
        json_z(&w, "method", "GET");
        json_string(&w, "url", buf_str(&url));
        json_end(&w);
        json_end(&w);
        i = joined_from(deliver, i + 1);
    }
    json_end(&w);
    json_end(&w);
    return buf_failed(&text) ? (struct str){ 0 } : buf_str(&text);
}

static enum step ask_all(struct exchange *ex)
{
    const struct deliver_ask ask = { .body = write_batch(ex), .reads = true, .done = on_all };
    return ask.body.n ? deliver_fhir_ask(ex, &ask) : deliver_park(ex, "identifier-too-long");
}

enum step deliver_fhir_look_up(struct exchange *ex)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    size_t count = deliver->bundle.count;
    deliver->entry_at = joined_from(deliver, deliver->entry_at);
    if (deliver->entry_at == count) {
        return deliver_fhir_join(ex);
    }
    if (!deliver_stands(ex)) { /* looking up says an identifier */
        return deliver_withdraw(ex);
    }
    bool several = joined_from(deliver, deliver->entry_at + 1) < count;
    return several && !deliver->out->no_batches ? ask_all(ex) : ask_one(ex);
}
