/*
 * chartseal hl7 diff: what a change of maps would change, over files and folders of messages.
 *
 * Each message is translated twice, by the maps of --before and of --after; what differs is
 * written to standard output, by file and message.
 */
#include "gateway/cli/hl7_bundle.h"
#include "gateway/cli/hl7_compare.h"
#include "gateway/cli/input.h"
#include "gateway/heap.h"

#include "fhir/v2/batch.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>

enum {
    ARENA_FIRST = 1 << 20,
    FILE_MAX = 1 << 30, /* bytes */
    DEPTH_MAX = 16,     /* of folders */
    PATH_SIZE = 4096,
};

static const char COMMAND[] = "hl7 diff";

struct diffing {
    struct hl7_sender sender;
    struct cli_words before; /* files of maps */
    struct cli_words after;
    struct maps *maps[2];
    struct arena *arena;
    struct hl7_compare compare;
    size_t messages;
    size_t differ;
    size_t untranslated;
};

static int translate(struct diffing *d, const struct maps *maps, struct str text,
                     struct translate_result *out)
{
    struct issues issues;
    issues_init(&issues, d->arena);
    return hl7_bundle(d->arena, &d->sender, maps_rules(maps), text, &issues, out);
}

/* "FILE" or "FILE message 2" */
static void say_name(const char *path, size_t number, const char *what)
{
    if (number > 1) {
        (void)printf("%s message %zu%s\n", path, number, what);
    } else {
        (void)printf("%s%s\n", path, what);
    }
}

static int diff_message(struct diffing *d, const char *path, size_t number, struct str text)
{
    struct translate_result results[2];
    int codes[2];
    arena_reset(d->arena);
    d->messages++;
    for (size_t i = 0; i < 2; i++) {
        codes[i] = translate(d, d->maps[i], text, &results[i]);
        if (codes[i] < 0) {
            return EX_OSERR;
        }
    }
    if (codes[0] && codes[1]) {
        d->untranslated++;
        return EX_OK;
    }
    if (codes[0] || codes[1]) {
        d->differ++;
        say_name(path, number,
                 codes[0] ? ": translated only after" : ": translated only before");
        return EX_OK;
    }
    char *lines = NULL;
    size_t size = 0;
    d->compare.to = open_memstream(&lines, &size);
    if (!d->compare.to) {
        return EX_OSERR;
    }
    int r = hl7_compare(&d->compare, d->arena, &results[0], &results[1]);
    (void)fclose(d->compare.to);
    if (r > 0) {
        d->differ++;
        say_name(path, number, "");
        (void)fwrite(lines, 1, size, stdout);
    }
    free(lines);
    return r < 0 ? EX_OSERR : EX_OK;
}

static int diff_file(struct diffing *d, const char *path)
{
    struct buf text;
    struct v2_batch_part part;
    struct issues issues;
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    int code = cli_read(COMMAND, path, FILE_MAX, &text);
    if (code == EX_OK && !arena) {
        code = EX_OSERR;
    }
    if (code == EX_OK) {
        size_t number = 0;
        issues_init(&issues, arena);
        struct v2_batch batch = v2_batch(buf_str(&text), &issues);
        while (code == EX_OK && v2_batch_next(&batch, &part)) {
            if (part.kind == V2_BATCH_MESSAGE) {
                code = diff_message(d, path, ++number, part.text);
            }
        }
    }
    heap_buf_free(&text);
    return code;
}

static int diff_path(struct diffing *d, const char *path, int depth);

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int diff_folder(struct diffing *d, const char *path, int depth)
{
    struct dirent **entries;
    int n = scandir(path, &entries, visible, alphasort);
    int code = EX_OK;
    if (n < 0) {
        (void)fprintf(stderr, "chartseal %s: %s: %s\n", COMMAND, path, strerror(errno));
        return EX_NOINPUT;
    }
    for (int i = 0; i < n; i++) {
        char child[PATH_SIZE];
        int length = snprintf(child, sizeof(child), "%s/%s", path, entries[i]->d_name);
        if (code == EX_OK && length > 0 && length < PATH_SIZE) {
            code = diff_path(d, child, depth + 1);
        }
        free(entries[i]);
    }
    free(entries);
    return code;
}

static int diff_path(struct diffing *d, const char *path, int depth)
{
    struct stat status;
    bool folder = strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    if (folder && depth == DEPTH_MAX) {
        (void)fprintf(stderr, "chartseal %s: %s: too deep\n", COMMAND, path);
        return EX_NOINPUT;
    }
    return folder ? diff_folder(d, path, depth) : diff_file(d, path);
}

/* 1 if something differs, as diff does. */
static int summary(const struct diffing *d)
{
    (void)printf("%zu messages: %zu differ, %zu are not translated by either; "
                 "%zu elements added, %zu removed, %zu changed\n",
                 d->messages, d->differ, d->untranslated, d->compare.added, d->compare.removed,
                 d->compare.changed);
    return fflush(stdout) != 0 ? EX_IOERR : d->differ ? 1 : EX_OK;
}

static int run(struct diffing *d, const struct cli_words *paths)
{
    int code = hl7_maps(&d->before, &d->maps[0]);
    code = code == EX_OK ? hl7_maps(&d->after, &d->maps[1]) : code;
    if (code == EX_OK && !hl7_options_known(&d->sender, d->maps, 2, COMMAND)) {
        code = EX_USAGE;
    }
    d->arena = arena_new(ARENA_FIRST);
    code = code == EX_OK && !d->arena ? EX_OSERR : code;
    for (size_t i = 0; i < paths->n && code == EX_OK; i++) {
        code = diff_path(d, paths->p[i], 0);
    }
    code = code == EX_OK ? summary(d) : code;
    arena_free(d->arena);
    maps_free(d->maps[0]);
    maps_free(d->maps[1]);
    return code;
}

int cli_hl7_diff(int argc, char **argv)
{
    struct diffing d = { 0 };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--before", .many = &d.before },
        { .name = "--after", .many = &d.after },
        { .name = "--values", .flag = &d.compare.values },
        { .name = "--sender", .value = &d.sender.organization },
        { .name = "--zone", .value = &d.sender.zone },
        { .name = "--charset", .value = &d.sender.charset },
        { .name = "--assigner", .many = &d.sender.assigners },
        { .name = "--option", .many = &d.sender.options },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n == 0) {
        return cli_usage("hl7 diff [--before MAP]... [--after MAP]... [--values] [--sender URI]"
                         " [--zone ZONE] [--charset NAME] [--assigner NAME=SYSTEM]..."
                         " [--option NAME]... FILE|FOLDER...");
    }
    return hl7_sender_good(&d.sender, COMMAND) ? run(&d, &words) : EX_USAGE;
}
