#include "gateway/labelling.h"

#include "fhir/format/json.h"
#include "gateway/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARENA_FIRST = 1 << 20,
};

struct labelling {
    struct arena *arena; /* owned; all is in it */
    struct labeller labeller;
};

void labelling_free(struct labelling *labelling)
{
    if (labelling) {
        arena_free(labelling->arena);
        free(labelling);
    }
}

const struct labeller *labelling_labeller(const struct labelling *labelling)
{
    return labelling ? &labelling->labeller : NULL;
}

static int take(struct labelling *labelling, const char *name, struct str text,
                struct buf *report)
{
    struct issues issues;
    const struct node *root;
    issues_init(&issues, labelling->arena);
    int r = json_parse(labelling->arena, text, &issues, &root);
    r = r ? r : labeller_add(&labelling->labeller, root, &issues);
    for (const struct issue *issue = issues.first; issue; issue = issue->next) {
        buf_fmt(report, "%s: %.*s: %.*s\n", name, (int)issue->place.n, issue->place.p,
                (int)issue->text.n, issue->text.p);
    }
    return r > 0 ? -EINVAL : r;
}

static int take_file(struct labelling *labelling, const char *path, struct buf *report)
{
    struct str text;
    int r = file_read(labelling->arena, AT_FDCWD, path, LABELLING_FILE_MAX, &text);
    if (r < 0 && r != -ENOMEM) {
        buf_fmt(report, "%s: can't be read: %s\n", path, strerror(-r));
        return -EINVAL;
    }
    return r < 0 ? r : take(labelling, path, text, report);
}

static int take_all(struct labelling *labelling, const struct config_labeller *config,
                    struct buf *report)
{
    int r = 0;
    for (size_t i = 0; r == 0 && config->shipped && i < labeller_shipped_count; i++) {
        const struct labeller_text *shipped = &labeller_shipped[i];
        r = take(labelling, shipped->name, shipped->text, report);
    }
    for (size_t i = 0; r != -ENOMEM && i < config->value_sets.n; i++) {
        int one = take_file(labelling, config->value_sets.items[i], report);
        r = one < 0 ? one : r;
    }
    labeller_finish(&labelling->labeller);
    return r;
}

int labelling_load(const struct config *config, struct buf *report, struct labelling **out)
{
    if (!config->labeller) {
        *out = NULL;
        return 0;
    }
    struct labelling *labelling = calloc(1, sizeof(*labelling));
    int r = -ENOMEM;
    if (labelling) {
        labelling->arena = arena_new(ARENA_FIRST);
    }
    if (labelling && labelling->arena) {
        labeller_init(&labelling->labeller, labelling->arena);
        r = take_all(labelling, config->labeller, report);
    }
    if (r < 0) {
        labelling_free(labelling);
        return r;
    }
    *out = labelling;
    return 0;
}
