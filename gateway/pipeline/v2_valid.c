/*
 * Validation of what a message became, and what of it the sender is told.
 *
 * An issue names an element of an entry; translation, asked to explain itself, names for each
 * element that it made the part of the message it is from (fhir/translate/origin.h).
 */
#include "gateway/pipeline/v2_valid.h"

#include "fhir/translate/origin.h"
#include "gateway/worker.h"

#include <errno.h>
#include <stdlib.h>

enum {
    TEXT_MAX = 2 << 10,
};

int v2_valid_look(struct exchange *ex, const struct translate_result *bundle,
                  struct issues *issues, enum v2_validity *out)
{
    const struct v2_case *v2 = ex->data;
    if (bundle->bundle.n > VALIDATION_BYTES_MAX) {
        *out = V2_TOO_LONG;
        return 0;
    }
    const struct validation_ask ask = { .route = v2->dossier.route, .now = ex->time };
    int r = validation_look(v2->dossier.worker->child->validation, ex->arena, bundle->tree,
                            &ask, issues);
    if (r == 0) {
        *out = issues_bad(issues) ? V2_INVALID : V2_VALID;
    }
    return r;
}

/* --- places ------------------------------------------------------------------------------- */

/* An element's place: "Bundle.entry[2].resource.name[0].family" is in entry 2, and there. */
struct element_place {
    size_t entry;
    struct str path;
};

static bool read_place(struct str place, struct element_place *out)
{
    static const struct str before = STR_INIT("Bundle.entry[");
    static const struct str after = STR_INIT(".resource");
    if (!str_starts(place, before)) {
        return false;
    }
    struct str rest = str_slice(place, before.n, place.n);
    struct str number = str_cut(&rest, ']');
    size_t entry = 0;
    for (size_t i = 0; i < number.n && i < 9; i++) {
        entry = entry * 10 + (size_t)(number.p[i] - '0');
    }
    bool inside = str_starts(rest, after);
    rest = str_slice(rest, inside ? after.n : rest.n, rest.n);
    *out = (struct element_place){ entry, str_slice(rest, rest.n > 0, rest.n) };
    return inside;
}

/* The element with its type instead of the Bundle that it is in, and what is wrong with it. */
static int put_text(struct arena *arena, const struct issue *issue,
                    const struct translate_result *bundle, const struct element_place *at,
                    struct str *out)
{
    struct buf text = arena_buf(arena, TEXT_MAX);
    if (at->entry < bundle->count) {
        buf_z(&text, bundle->entries[at->entry].type);
        buf_z(&text, at->path.n ? "." : "");
        buf_str_put(&text, at->path);
    } else {
        buf_str_put(&text, issue->place);
    }
    buf_z(&text, ": ");
    buf_str_put(&text, issue->text);
    *out = buf_str(&text);
    return buf_failed(&text) ? -ENOMEM : 0;
}

int v2_valid_breach(struct exchange *ex, int64_t accepted, const struct issues *issues,
                    struct v2_breach *out)
{
    struct v2_case *v2 = ex->data;
    struct translate_result explained = { 0 };
    const struct issue *issue = issues->first;
    while (issue && issue->severity < ISSUE_ERROR) {
        issue = issue->next;
    }
    if (!issue) {
        return -ENOMEM; /* that is why it isn't there */
    }
    v2->site.explain = true;
    int r = v2_case_translate(ex, accepted, &explained);
    v2->site.explain = false;
    struct element_place at;
    bool known = r == 0 && read_place(issue->place, &at) && at.entry < explained.count;
    if (!known) {
        at = (struct element_place){ .entry = SIZE_MAX };
    }
    struct v2_breach breach = { .code = issue->code };
    breach.place = known ? translate_origin_of(&explained, at.entry, at.path) : STR("");
    r = r < 0 ? r : put_text(ex->arena, issue, &explained, &at, &breach.text);
    if (r == 0) {
        *out = breach;
    }
    return r;
}
