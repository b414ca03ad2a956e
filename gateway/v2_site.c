/* Filling in struct translate_site. */
#include "gateway/v2_site.h"

#include "crypto/digest.h"
#include "fhir/translate/sender.h"
#include "gateway/zone.h"

#include <errno.h>
#include <time.h>

enum {
    INSTANT_TEXT_SIZE = 32,
};

int v2_site_know(struct arena *arena, const struct config_sender *sender,
                 const struct rules *rules, const struct v2_message *message,
                 struct translate_site *out)
{
    const struct config_pairs *pairs = &sender->assigners;
    struct v2_assigner *list = arena_calloc(arena, pairs->n, sizeof(*list));
    if (!list) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < pairs->n; i++) {
        list[i] = (struct v2_assigner){ .authority = str_z(pairs->items[i].name),
                                        .system = str_z(pairs->items[i].value) };
    }
    struct translate_site site = {
        .rules = rules,
        .sender = str_z(sender->organization),
        .zone = str_z(sender->zone),
        .zone_offset = zone_offset,
        .assigners = { .list = list, .count = pairs->n },
    };
    int r = translate_sender(arena, message, &site);
    if (r == 0) {
        *out = site;
    }
    return r;
}

/* The words that sender and route ask maps for. */
static int put_options(struct arena *arena, const struct v2_taken *taken,
                       struct translate_site *site)
{
    const struct config_strings *lists[] = { &taken->sender->options, &taken->route->options };
    struct str *all = arena_calloc(arena, lists[0]->n + lists[1]->n, sizeof(*all));
    size_t n = 0;
    if (!all) {
        return -ENOMEM;
    }
    for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
        for (size_t i = 0; i < lists[l]->n; i++) {
            all[n++] = str_z(lists[l]->items[i]);
        }
    }
    site->options = all;
    site->option_count = n;
    return 0;
}

struct str v2_site_instant(struct arena *arena, int64_t ms)
{
    char *text = arena_alloc(arena, INSTANT_TEXT_SIZE);
    time_t seconds = ms / 1000;
    struct tm tm;
    if (!text) {
        return STR("");
    }
    (void)gmtime_r(&seconds, &tm);
    size_t n = strftime(text, INSTANT_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return str_of(text, n);
}

int v2_site_take(struct arena *arena, const struct v2_taken *taken, struct translate_site *site)
{
    uint8_t *digest = arena_alloc(arena, DIGEST_SIZE);
    /* The time of acceptance, so that a repetition says the same. */
    struct str recorded = v2_site_instant(arena, taken->accepted);
    if (!digest || !recorded.n || put_options(arena, taken, site) < 0) {
        return -ENOMEM;
    }
    digest_sha256(taken->raw, digest);
    site->rules = taken->rules;
    site->gateway = str_z(taken->gateway);
    site->recorded = recorded;
    site->digest = digest;
    return 0;
}

void v2_became_put(struct buf *out, const char *form, struct str text)
{
    uint8_t digest[DIGEST_SIZE];
    digest_sha256(text, digest);
    buf_z(out, form);
    buf_c(out, ' ');
    buf_hex(out, digest, sizeof(digest));
}
