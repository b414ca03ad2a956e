#include "fhir/consent/words.h"

#include "fhir/consent/action.h"
#include "fhir/consent/labels.h"
#include "fhir/consent/purpose.h"
#include "fhir/format/json_write.h"

#include <time.h>

enum {
    TIME_SIZE = sizeof("-2147483648-01-01T00:00:00Z"),
    NUMBER_MAX = 64,
};

/* How each list is said before its values. */
static const char *const list_words[POLICY_LISTS] = {
    [POLICY_ACTORS] = "by",
    [POLICY_CUSTODIANS] = "of data held by",
    [POLICY_CLASSES] = "of the kind",
    [POLICY_CODES] = "coded",
    [POLICY_OTHER_LABELS] = "labelled",
    [POLICY_OTHER_PURPOSES] = "for",
    [POLICY_INSTANCES] = "namely",
    [POLICY_RELATED] = "referring to",
    [POLICY_DEPENDENTS] = "being or referring to",
    [POLICY_AUTHORED_BY] = "written by",
};

static const char *levels_name(unsigned index)
{
    return labels_confidentiality_name((enum confidentiality)index);
}

static void put_time(struct buf *out, int64_t ms)
{
    char text[TIME_SIZE];
    time_t seconds = (time_t)((ms - (ms % 1000 + 1000) % 1000) / 1000);
    struct tm tm;
    (void)gmtime_r(&seconds, &tm);
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    buf_z(out, text);
}

/* Whether @text can't be taken for words of ours, nor for the end of a line. */
static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] <= ' ' || text.p[i] > '~' || text.p[i] == ';' || text.p[i] == '"') {
            return false;
        }
    }
    return true;
}

/* As it is; what could be taken for more than a value between quotes, with % and two digits for
 * each byte that isn't printable ASCII: whoever files a consent must not write the sentence. */
static void put_value(struct buf *out, struct str text)
{
    if (is_plain(text)) {
        buf_str_put(out, text);
        return;
    }
    buf_c(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] >= ' ' && text.p[i] <= '~') {
            json_escape(out, str_slice(text, i, i + 1));
        } else {
            buf_c(out, '%');
            buf_hex(out, text.p + i, 1);
        }
    }
    buf_c(out, '"');
}

static void put_list(struct buf *out, const char *word, const struct policy_texts *texts)
{
    for (size_t i = 0; i < texts->n; i++) {
        buf_fmt(out, i ? " or " : "; %s ", word);
        put_value(out, texts->at[i]);
    }
}

static void put_set(struct buf *out, const char *word, uint64_t set,
                    const char *(*name_of)(unsigned index))
{
    const char *before = "; ";
    for (unsigned i = 0; i < 64; i++) {
        if (set >> i & 1) {
            buf_fmt(out, "%s%s%s%s", before, *before == ';' ? word : "",
                    *before == ';' ? " " : "", name_of(i));
            before = " or ";
        }
    }
}

static void put_span(struct buf *out, const char *word, bool has,
                     const struct instant_span *span)
{
    if (!has) {
        return;
    }
    buf_fmt(out, "; %s", word);
    if (span->from != INSTANT_LEAST) {
        buf_z(out, " from ");
        put_time(out, span->from);
    }
    if (span->until != INSTANT_MOST) {
        buf_z(out, " until before ");
        put_time(out, span->until);
    }
}

/* All that @when asks for; nothing if it asks for nothing. */
static void put_criteria(struct buf *out, const struct policy_criteria *when)
{
    for (int i = 0; i < POLICY_LISTS; i++) {
        put_list(out, list_words[i], &when->lists[i]);
    }
    put_set(out, "for", when->purposes, purpose_name);
    put_set(out, "to", when->actions, action_name);
    put_set(out, "of confidentiality", when->confidentiality, levels_name);
    put_set(out, "of sensitivity", when->sensitivity, labels_name);
    put_span(out, "in the time", when->has_period, &when->period);
    put_span(out, "of data", when->has_data_period, &when->data_period);
}

static void put_rules(struct buf *out, const struct policy_rule *rules, size_t n,
                      struct str above)
{
    for (size_t i = 0; i < n; i++) {
        char memory[NUMBER_MAX];
        struct buf number = buf_fixed(memory, sizeof(memory));
        buf_str_put(&number, above);
        buf_fmt(&number, "%s%zu", above.n ? "." : "", i + 1);
        buf_str_put(out, buf_str(&number));
        buf_fmt(out, " %s", rules[i].effect == POLICY_PERMIT ? "Permitted" : "Refused");
        put_criteria(out, &rules[i].when);
        buf_z(out, rules[i].n_rules ? "; but:\n" : ".\n");
        put_rules(out, rules[i].rules, rules[i].n_rules, buf_str(&number));
    }
}

/* A sentence of its own. */
static void put_line(struct buf *out, const char *word, const struct policy_texts *texts)
{
    for (size_t i = 0; i < texts->n; i++) {
        buf_fmt(out, "%s ", i ? " or" : word);
        put_value(out, texts->at[i]);
    }
    buf_z(out, texts->n ? ".\n" : "");
}

void words_write(struct buf *out, const struct policy *policy)
{
    static const char *const bases[] = {
        [POLICY_SILENT] = "Nothing is said",
        [POLICY_DENY] = "Refused",
        [POLICY_PERMIT] = "Permitted",
    };
    buf_fmt(out, "%s", bases[policy->base]);
    put_criteria(out, &policy->scope);
    buf_z(out, policy->n_rules ? "; but:\n" : ".\n");
    put_rules(out, policy->rules, policy->n_rules, STR(""));
    put_line(out, "Agreed to", &policy->uris);
    put_line(out, "Source", &policy->sources);
}
