/*
 * The filter of Bundles against bare yajl (yardstick Y6) on the same bytes.
 *
 *   json_bench FILE [SECONDS] [PIECE]
 *
 * Turn by turn, in pieces of PIECE bytes (16,384 if not given) as the network gives them:
 * yajl with callbacks that do nothing, the filter releasing all, the filter removing every
 * second entry, and reading into a tree in one. Prints CPU microseconds for a document, the
 * least of its turns, as one line of JSON. The heap keeps what is freed, as a worker's does.
 */
#include "fhir/base/arena.h"
#include "fhir/bundle/filter.h"
#include "fhir/format/json.h"
#include "gateway/heap.h"
#include "tests/bench/cpu.h"

#include <string.h>
#include <yajl/yajl_parse.h>

enum {
    PIECE = 16 << 10,
    TURN_US = 20000, /* a turn lasts at least this long */
};

static struct str text;
static size_t piece = PIECE;
static char *out_memory;
static size_t out_max;

/* --- bare yajl ---------------------------------------------------------------------------- */

static int on_string(void *ctx, const unsigned char *p, size_t n)
{
    (void)p;
    *(size_t *)ctx += n;
    return 1;
}

static int on_number(void *ctx, const char *p, size_t n)
{
    (void)p;
    *(size_t *)ctx += n;
    return 1;
}

static int on_mark(void *ctx)
{
    *(size_t *)ctx += 1;
    return 1;
}

static int on_boolean(void *ctx, int value)
{
    *(size_t *)ctx += (size_t)value;
    return 1;
}

static void bare(void)
{
    static const yajl_callbacks calls = {
        .yajl_null = on_mark,
        .yajl_boolean = on_boolean,
        .yajl_number = on_number,
        .yajl_string = on_string,
        .yajl_start_map = on_mark,
        .yajl_map_key = on_string,
        .yajl_end_map = on_mark,
        .yajl_start_array = on_mark,
        .yajl_end_array = on_mark,
    };
    size_t seen = 0;
    yajl_handle handle = yajl_alloc(&calls, NULL, &seen);
    yajl_status status = yajl_status_ok;
    for (size_t at = 0; at < text.n && status == yajl_status_ok; at += piece) {
        struct str part = str_slice(text, at, at + piece);
        status = yajl_parse(handle, (const unsigned char *)part.p, part.n);
    }
    if (status != yajl_status_ok || yajl_complete_parse(handle) != yajl_status_ok) {
        (void)fprintf(stderr, "json_bench: yajl refuses it\n");
        exit(1);
    }
    yajl_free(handle);
}

/* --- ours --------------------------------------------------------------------------------- */

static size_t shown;
static size_t written;

static int answer(struct bundle_filter *filter, bool remove)
{
    const struct bundle_entry *entry;
    int r = 0;
    while (!r && (entry = bundle_filter_next(filter))) {
        bool out = remove && entry->index % 2;
        shown++;
        r = bundle_filter_answer(filter, entry, out ? BUNDLE_REMOVE : BUNDLE_RELEASE, STR(""));
    }
    return r;
}

static void filter(bool remove)
{
    struct buf out = buf_fixed(out_memory, out_max);
    const struct bundle_filter_options options = { .held = BUNDLE_HELD_USUAL,
                                                   .totals = !remove };
    struct bundle_filter *f = bundle_filter_new(&options, &out);
    int r = f ? 0 : -1;
    for (size_t at = 0; at < text.n && !r; at += piece) {
        r = bundle_filter_push(f, str_slice(text, at, at + piece));
        r = r ? r : answer(f, remove);
    }
    r = r ? r : bundle_filter_finish(f);
    r = r ? r : answer(f, remove);
    if (r || !bundle_filter_done(f)) {
        (void)fprintf(stderr, "json_bench: the filter fails\n");
        exit(1);
    }
    written = out.n;
    bundle_filter_free(f);
}

static void inspected(void)
{
    filter(false);
}

static void spliced(void)
{
    filter(true);
}

static void tree(void)
{
    static struct arena *arena;
    arena = arena ? arena : arena_new(1 << 20);
    struct issues issues;
    const struct node *root;
    arena_reset(arena);
    issues_init(&issues, arena);
    if (json_parse(arena, text, &issues, &root) != 0) {
        (void)fprintf(stderr, "json_bench: no tree\n");
        exit(1);
    }
}

/* ------------------------------------------------------------------------------------------ */

static double turn(void (*work)(void))
{
    double began = cpu_us();
    double took = 0;
    int n = 0;
    do {
        work();
        n++;
        took = cpu_us() - began;
    } while (took < TURN_US);
    return took / n;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*work)(void);
    } works[] = {
        { "yajl_us", bare },
        { "inspected_us", inspected },
        { "spliced_us", spliced },
        { "tree_us", tree },
    };
    double best[ARRAY_LEN(works)] = { 0 };
    if (argc < 2) {
        (void)fprintf(stderr, "usage: json_bench FILE [SECONDS] [PIECE]\n");
        return 64;
    }
    heap_keep_freed();
    double seconds = argc > 2 ? atof(argv[2]) : 1;
    text.p = file_text(argv[1], &text.n);
    piece = argc > 3 ? strtoull(argv[3], NULL, 10) : piece;
    piece = piece ? piece : text.n;
    out_max = text.n + 4096;
    out_memory = malloc(out_max);
    inspected();
    if (!str_eq(str_of(out_memory, written), text)) {
        (void)fprintf(stderr, "json_bench: released isn't received\n");
        return 1;
    }
    double end = cpu_us() + seconds * 1e6;
    do {
        for (size_t i = 0; i < ARRAY_LEN(works); i++) {
            double took = turn(works[i].work);
            best[i] = best[i] == 0 || took < best[i] ? took : best[i];
        }
    } while (cpu_us() < end);
    printf("{\"bytes\":%zu", text.n);
    for (size_t i = 0; i < ARRAY_LEN(works); i++) {
        printf(",\"%s\":%.1f", works[i].name, best[i]);
    }
    printf("}\n");
    return 0;
}
