/* Reading messages from files, and saying what is wrong with them. */
#include "gateway/cli/hl7.h"

#include "gateway/heap.h"
#include "gateway/net/mllp.h"

#include <errno.h>
#include <sysexits.h>

enum {
    CHUNK = 64 << 10,
};

int hl7_read(const char *command, const char *path, size_t limit, struct buf *out)
{
    *out = heap_buf(limit + CHUNK);
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
    if (!file) {
        (void)fprintf(stderr, "chartseal %s: %s: %s\n", command, path, strerror(errno));
        return EX_NOINPUT;
    }
    size_t n = 1;
    while (n && !buf_failed(out) && out->n <= limit) {
        char *p = buf_extend(out, CHUNK);
        n = p ? fread(p, 1, CHUNK, file) : 0;
        out->n -= p ? CHUNK - n : 0;
    }
    int code = buf_failed(out) || out->n > limit ? EX_DATAERR : ferror(file) ? EX_IOERR : EX_OK;
    if (code != EX_OK) {
        (void)fprintf(stderr, "chartseal %s: %s: %s\n", command, path,
                      code == EX_DATAERR ? "longer than it may be" : "can't be read");
    }
    if (file != stdin) {
        (void)fclose(file);
    }
    return code;
}

struct str hl7_unframed(struct str text)
{
    if (text.n && text.p[0] == MLLP_START) {
        text = str_slice(text, 1, text.n);
    }
    const char *end = text.n ? memrchr(text.p, MLLP_END, text.n) : NULL;
    return end && text.n - (size_t)(end - text.p) <= 3 ? str_of(text.p, (size_t)(end - text.p))
                                                       : text;
}

void hl7_say_issues(FILE *to, const struct issues *issues, bool all)
{
    for (const struct issue *issue = issues->first; issue; issue = issue->next) {
        if (issue->severity != ISSUE_INFORMATION || all) {
            (void)fprintf(to, "%s: %.*s: %.*s (%s)\n", issue_severity_name(issue->severity),
                          (int)issue->place.n, issue->place.p, (int)issue->text.n,
                          issue->text.p, issue->code);
        }
    }
    if (issues->count > ISSUES_MAX) {
        (void)fprintf(to, "and %zu more\n", issues->count - ISSUES_MAX);
    }
}
