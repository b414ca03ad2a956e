/* Files are read in pieces of 64 KB; a limit is passed by one piece at most. */
#include "gateway/cli/input.h"

#include "gateway/heap.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

enum {
    PIECE = 64 << 10,
};

static int complain(const struct cli_input *input, int code, const char *why)
{
    (void)fprintf(stderr, "chartseal %s: %s: %s\n", input->command, input->path, why);
    return code;
}

int cli_input_open(struct cli_input *input, const char *command, const char *path, size_t limit)
{
    *input = (struct cli_input){ .command = command, .path = path, .limit = limit };
    input->text = heap_buf(limit + PIECE);
    input->file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
    return input->file ? EX_OK : complain(input, EX_NOINPUT, strerror(errno));
}

int cli_input_more(struct cli_input *input)
{
    char *p = buf_extend(&input->text, PIECE);
    size_t n = p ? fread(p, 1, PIECE, input->file) : 0;
    input->text.n -= p ? PIECE - n : 0;
    input->end = n == 0;
    if (buf_failed(&input->text) || input->text.n > input->limit) {
        return complain(input, EX_DATAERR, "longer than it may be");
    }
    return ferror(input->file) ? complain(input, EX_IOERR, "can't be read") : EX_OK;
}

int cli_input_all(struct cli_input *input)
{
    int code = EX_OK;
    while (code == EX_OK && !input->end) {
        code = cli_input_more(input);
    }
    return code;
}

void cli_input_close(struct cli_input *input)
{
    if (input->file && input->file != stdin) {
        (void)fclose(input->file);
    }
    heap_buf_free(&input->text);
}

int cli_read(const char *command, const char *path, size_t limit, struct buf *out)
{
    struct cli_input input;
    int code = cli_input_open(&input, command, path, limit);
    code = code == EX_OK ? cli_input_all(&input) : code;
    *out = input.text;
    input.text = heap_buf(0);
    cli_input_close(&input);
    return code;
}

void cli_say_issues(FILE *to, const struct issues *issues, bool all)
{
    size_t kept = 0;
    for (const struct issue *issue = issues->first; issue; issue = issue->next) {
        kept++;
        if (issue->severity != ISSUE_INFORMATION || all) {
            (void)fprintf(to, "%s: %.*s: %.*s (%s)\n", issue_severity_name(issue->severity),
                          (int)issue->place.n, issue->place.p, (int)issue->text.n,
                          issue->text.p, issue->code);
        }
    }
    if (issues->count > kept) {
        (void)fprintf(to, "and %zu more\n", issues->count - kept);
    }
}
