/*
 * Reading and compiling maps, and finding those for a sender and route.
 *
 * A sender's own maps, without any route, say who sends (assigners, zone): receiving and
 * delivering must agree on whom a message is about. So a route's files may not speak of
 * senders.
 */
#include "gateway/maps.h"

#include "fhir/translate/to_fhir.h"
#include "fhir/translate/to_v2.h"
#include "gateway/file.h"
#include "gateway/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ARENA_FIRST = 1 << 20,
    LINE_MAX_BYTES = 1024,
};

/* A file, read once. */
struct map_text {
    const char *path;
    struct str text;
    struct map_text *next;
};

/* Files over the shipped maps, and what comes of them; NULL after a mistake. */
struct map_set {
    const char *const *paths;
    size_t count;
    const struct rules *rules;
    struct map_set *next;
};

/* Whose set it is; @route is NULL for the sender's own, @sender for what FHIR clients write. */
struct map_use {
    const struct config_sender *sender;
    const struct config_route *route;
    const struct rules *rules;
};

struct maps {
    struct arena *arena; /* owned; all below is in it */
    struct map_text *texts;
    struct map_set *sets;
    struct map_use *uses; /* by sender, then route */
    size_t use_count;
};

void maps_free(struct maps *maps)
{
    if (maps) {
        arena_free(maps->arena);
        free(maps);
    }
}

static struct maps *maps_new(void)
{
    struct maps *maps = calloc(1, sizeof(*maps));
    if (maps) {
        maps->arena = arena_new(ARENA_FIRST);
    }
    if (maps && !maps->arena) {
        free(maps);
        return NULL;
    }
    return maps;
}

/* Append a line to @report unless it is there already: files are in several sets. */
static void say(struct buf *report, const char *format, ...) PRINTF_LIKE(2, 3);

static void say(struct buf *report, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    struct buf b = buf_fixed(line, sizeof(line));
    va_list args;
    va_start(args, format);
    buf_vfmt(&b, format, args);
    va_end(args);
    buf_c(&b, '\n');
    if (!report->n || !memmem(report->p, report->n, b.p, b.n)) {
        buf_str_put(report, buf_str(&b));
    }
}

/* --- files ----------------------------------------------------------------------------- */

/* The text of file @path, read if it wasn't yet. */
static int text_of(struct maps *maps, const char *path, struct buf *report, struct str *out)
{
    for (const struct map_text *t = maps->texts; t; t = t->next) {
        if (strcmp(t->path, path) == 0) {
            *out = t->text;
            return 0;
        }
    }
    struct map_text *text = arena_calloc(maps->arena, 1, sizeof(*text));
    struct str name = arena_str(maps->arena, str_z(path));
    if (!text || !name.p) {
        return -ENOMEM;
    }
    int r = file_read(maps->arena, AT_FDCWD, path, MAP_FILE_MAX, &text->text);
    if (r < 0) {
        say(report, "%s: can't be read: %s", path, strerror(-r));
        return r == -ENOMEM ? r : -EINVAL;
    }
    text->path = name.p;
    text->next = maps->texts;
    maps->texts = text;
    *out = text->text;
    return 0;
}

/* --- sets ------------------------------------------------------------------------------ */

static bool zones_known(const struct rules *rules, struct buf *report)
{
    static const struct tm noon = { .tm_year = 100, .tm_mday = 1, .tm_hour = 12 };
    bool good = true;
    for (uint16_t i = 0; i < rules->sender_count; i++) {
        int minutes;
        struct str zone = rules->senders[i].zone;
        if (zone.n && zone_offset(NULL, zone, &noon, &minutes) != 0) {
            say(report, "maps: the time zone %.*s isn't known here", (int)zone.n, zone.p);
            good = false;
        }
    }
    return good;
}

static int compile(struct maps *maps, struct map_set *set, struct buf *report)
{
    size_t n = map_shipped_count + set->count;
    struct map_file *files = arena_calloc(maps->arena, n, sizeof(*files));
    struct issues issues;
    if (!files) {
        return -ENOMEM;
    }
    memcpy(files, map_shipped, map_shipped_count * sizeof(*files));
    for (size_t i = 0; i < set->count; i++) {
        struct map_file *file = &files[map_shipped_count + i];
        file->name = set->paths[i];
        file->layer = (uint16_t)(i + 1);
        int r = text_of(maps, set->paths[i], report, &file->text);
        if (r < 0) {
            return r;
        }
    }
    issues_init(&issues, maps->arena);
    int r = map_compile(maps->arena, files, n, &issues, &set->rules);
    for (const struct issue *issue = issues.first; issue; issue = issue->next) {
        say(report, "%.*s: %.*s", (int)issue->place.n, issue->place.p, (int)issue->text.n,
            issue->text.p);
    }
    if (r != 0) {
        return r == MAP_E_WRONG ? -EINVAL : r;
    }
    return zones_known(set->rules, report) ? 0 : -EINVAL;
}

static bool same_paths(const struct map_set *set, const char *const *paths, size_t count)
{
    bool same = set->count == count;
    for (size_t i = 0; same && i < count; i++) {
        same = strcmp(set->paths[i], paths[i]) == 0;
    }
    return same;
}

/* The tables of @count files, compiled if they weren't yet; *out is NULL after a mistake. */
static int set_of(struct maps *maps, const char *const *paths, size_t count, struct buf *report,
                  const struct rules **out)
{
    for (const struct map_set *s = maps->sets; s; s = s->next) {
        if (same_paths(s, paths, count)) {
            *out = s->rules;
            return s->rules ? 0 : -EINVAL;
        }
    }
    struct map_set *set = arena_calloc(maps->arena, 1, sizeof(*set));
    if (!set) {
        return -ENOMEM;
    }
    *set = (struct map_set){ .paths = paths, .count = count, .next = maps->sets };
    maps->sets = set;
    int r = compile(maps, set, report);
    if (r < 0) {
        set->rules = NULL;
    }
    *out = set->rules;
    return r;
}

/* --- uses ------------------------------------------------------------------------------ */

/* Whether the maps of @use know what its route asks for, or without one its sender. */
static bool options_known(const struct config *config, const struct map_use *use,
                          struct buf *report)
{
    const struct config_strings *options =
        use->route ? &use->route->options : &use->sender->options;
    int line = use->route ? use->route->place.line : use->sender->place.line;
    bool good = true;
    for (size_t i = 0; i < options->n; i++) {
        if (!translate_has_option(use->rules, str_z(options->items[i]))) {
            say(report, "%s:%d: no map knows the option %s", config->file, line,
                options->items[i]);
            good = false;
        }
    }
    return good;
}

/* Whether the maps of @use make the messages that its receivers ask for. */
static bool events_known(const struct config *config, const struct map_use *use,
                         struct buf *report)
{
    bool good = true;
    for (size_t i = 0; !use->sender && i < use->route->to.n; i++) {
        const struct config_destination *to =
            config_destination_named(config, use->route->to.items[i]);
        const char *event = to->receiver ? to->receiver->event : NULL;
        if (event && !to_v2_makes(use->rules, str_z(event))) {
            say(report, "%s:%d: no map makes the message %s", config->file,
                to->receiver->place.line, event);
            good = false;
        }
    }
    return good;
}

static int add_use(struct maps *maps, const struct config *config,
                   const struct config_listener *from, const struct map_use *use,
                   struct buf *report)
{
    static const struct config_strings none;
    const struct config_strings *lists[] = { &from->maps,
                                             use->sender ? &use->sender->maps : &none,
                                             use->route ? &use->route->maps : &none };
    size_t n = 0;
    const char **paths = arena_calloc(maps->arena, lists[0]->n + lists[1]->n + lists[2]->n,
                                      sizeof(const char *));
    if (!paths) {
        return -ENOMEM;
    }
    for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
        for (size_t i = 0; i < lists[l]->n; i++) {
            paths[n++] = lists[l]->items[i];
        }
    }
    struct map_use *made = &maps->uses[maps->use_count];
    *made = *use;
    int r = set_of(maps, paths, n, report, &made->rules);
    if (r == 0 &&
        (!options_known(config, made, report) || !events_known(config, made, report))) {
        r = -EINVAL;
    }
    if (r == 0) {
        maps->use_count++;
    }
    return r;
}

/* The sender's own maps, then those of its routes, which may say nothing of senders. */
static int add_sender(struct maps *maps, const struct config *config,
                      const struct config_listener *from, const struct config_sender *sender,
                      struct buf *report)
{
    struct map_use use = { .sender = sender };
    int worst = add_use(maps, config, from, &use, report);
    const struct rules *own = worst == 0 ? maps->uses[maps->use_count - 1].rules : NULL;
    for (size_t i = 0; i < config->routes.n && worst != -ENOMEM; i++) {
        use.route = config_route(config, i);
        if (strcmp(use.route->from, from->place.name) != 0) {
            continue;
        }
        int r = add_use(maps, config, from, &use, report);
        if (r == 0 && own &&
            maps->uses[maps->use_count - 1].rules->sender_count != own->sender_count) {
            say(report,
                "%s:%d: maps of a route can't speak of senders; name them at the sender",
                config->file, use.route->place.line);
            r = -EINVAL;
        }
        worst = r < 0 ? r : worst;
    }
    return worst;
}

/* What clients of a FHIR listener write for v2 receivers. */
static int add_written(struct maps *maps, const struct config *config,
                       const struct config_listener *from, struct buf *report)
{
    int worst = 0;
    for (size_t i = 0; i < config->routes.n && worst != -ENOMEM; i++) {
        const struct map_use use = { .route = config_route(config, i) };
        if (strcmp(use.route->from, from->place.name) == 0 &&
            config_leads_to_v2(config, use.route)) {
            int r = add_use(maps, config, from, &use, report);
            worst = r < 0 ? r : worst;
        }
    }
    return worst;
}

static int by_use(const void *a, const void *b)
{
    const struct map_use *x = a;
    const struct map_use *y = b;
    if (x->sender != y->sender) {
        return x->sender < y->sender ? -1 : 1;
    }
    return x->route == y->route ? 0 : x->route < y->route ? -1 : 1;
}

static int add_all(struct maps *maps, const struct config *config, struct buf *report)
{
    size_t senders = 0;
    for (size_t i = 0; i < config->listeners.n; i++) {
        senders += config_listener(config, i)->senders.n;
    }
    maps->uses = arena_calloc(maps->arena, senders * (config->routes.n + 1) + config->routes.n,
                              sizeof(*maps->uses));
    int worst = maps->uses ? 0 : -ENOMEM;
    for (size_t i = 0; i < config->listeners.n && worst != -ENOMEM; i++) {
        const struct config_listener *from = config_listener(config, i);
        const struct config_sender *list = from->senders.items;
        for (size_t s = 0; s < from->senders.n && worst != -ENOMEM; s++) {
            int r = add_sender(maps, config, from, &list[s], report);
            worst = r < 0 ? r : worst;
        }
        int r = from->protocol == PROTOCOL_FHIR && worst != -ENOMEM
                    ? add_written(maps, config, from, report)
                    : 0;
        worst = r < 0 ? r : worst;
    }
    if (worst == 0 && maps->use_count) {
        qsort(maps->uses, maps->use_count, sizeof(*maps->uses), by_use);
    }
    return worst;
}

int maps_load(const struct config *config, struct buf *report, struct maps **out)
{
    struct maps *maps = maps_new();
    int r = maps ? add_all(maps, config, report) : -ENOMEM;
    if (r != 0) {
        maps_free(maps);
        return r;
    }
    *out = maps;
    return 0;
}

int maps_load_files(const char *const *files, size_t count, struct buf *report,
                    struct maps **out)
{
    struct maps *maps = maps_new();
    const struct rules *rules;
    int r = maps ? set_of(maps, files, count, report, &rules) : -ENOMEM;
    if (r != 0) {
        maps_free(maps);
        return r;
    }
    *out = maps;
    return 0;
}

const struct rules *maps_rules(const struct maps *maps)
{
    return maps->sets->rules;
}

const struct rules *maps_of(const struct maps *maps, const struct config_sender *sender,
                            const struct config_route *route)
{
    const struct map_use key = { .sender = sender, .route = route };
    const struct map_use *use =
        maps->use_count ? bsearch(&key, maps->uses, maps->use_count, sizeof(key), by_use)
                        : NULL;
    return use ? use->rules : NULL;
}
