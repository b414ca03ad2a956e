/* Doubly linked, since an op may be cancelled wherever its member stands. */
#include "gateway/store/batch_member.h"

#include <stdlib.h>
#include <string.h>

enum {
    RECORD_BYTES = 1024, /* a record's size before it is made */
    ROW_BYTES = 128,     /* a row without its content */
};

void batch_list_append(struct batch_list *list, struct batch_member *m)
{
    m->list = list;
    m->next = NULL;
    m->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = m;
    list->last = m;
    list->count++;
    list->urgent += !m->can_wait;
}

void batch_list_prepend(struct batch_list *list, struct batch_member *m)
{
    m->list = list;
    m->previous = NULL;
    m->next = list->first;
    *(list->first ? &list->first->previous : &list->last) = m;
    list->first = m;
    list->count++;
    list->urgent += !m->can_wait;
}

void batch_list_remove(struct batch_member *m)
{
    *(m->previous ? &m->previous->next : &m->list->first) = m->next;
    *(m->next ? &m->next->previous : &m->list->last) = m->previous;
    m->list->count--;
    m->list->urgent -= !m->can_wait;
    m->list = NULL;
}

void batch_list_drop(struct batch_member *m)
{
    batch_list_remove(m);
    free(m);
}

size_t batch_entry_bytes(const struct batch_entry *e)
{
    size_t n = e->records * RECORD_BYTES;
    n += ROW_BYTES * (e->access_count + e->outbox_count + e->mark_count);
    for (size_t i = 0; i < e->payload_count; i++) {
        n += ROW_BYTES + e->payloads[i].ciphertext.n + e->payloads[i].outer.n;
    }
    for (size_t i = 0; i < e->opening_count; i++) {
        n += ROW_BYTES + e->openings[i].ciphertext.n;
    }
    return n;
}

static int compare(const struct batch_control *a, const struct batch_control *b)
{
    int r = memcmp(a->key, b->key, sizeof(a->key));
    return r ? r : memcmp(a->digest, b->digest, sizeof(a->digest));
}

/* By message, then by place, which first_seq holds meanwhile. */
static int by_message(const void *a, const void *b)
{
    const struct batch_member *x = *(struct batch_member *const *)a;
    const struct batch_member *y = *(struct batch_member *const *)b;
    int r = compare(x->entry->control, y->entry->control);
    uint64_t p = x->result.first_seq;
    uint64_t q = y->result.first_seq;
    return r ? r : (p > q) - (p < q);
}

struct batch_member *batch_list_repeated(struct batch_list *list)
{
    struct batch_member *with[BATCH_MEMBERS_MAX];
    size_t n = 0;
    for (struct batch_member *m = list->first; m; m = m->next) {
        if (m->entry->control) {
            m->result.first_seq = n;
            with[n++] = m;
        }
    }
    qsort(with, n, sizeof(struct batch_member *), by_message);
    struct batch_member *first = NULL;
    for (size_t i = 1; i < n; i++) {
        bool same = compare(with[i - 1]->entry->control, with[i]->entry->control) == 0;
        if (same && (!first || with[i]->result.first_seq < first->result.first_seq)) {
            first = with[i];
        }
    }
    return first;
}

bool batch_entry_takes(const struct batch_entry *entry, struct str key, struct str digest)
{
    const struct batch_control *c = entry ? entry->control : NULL;
    return c && str_eq(key, str_of(c->key, sizeof(c->key))) &&
           (!digest.p || str_eq(digest, str_of(c->digest, sizeof(c->digest))));
}
