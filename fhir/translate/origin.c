/*
 * The element that shares most of the path tells where to look: itself, one above it, or one
 * below. If it is only a neighbour of what is wrong or missing, the field as a whole is named.
 */
#include "fhir/translate/origin.h"

/* Whether component @b of an element that was made is @a of an issue: an issue calls value[x]
 * "value", and leaves out the index where it means all. */
static bool same_part(struct str a, struct str b)
{
    struct str name = str_cut(&a, '[');
    struct str made = str_cut(&b, '[');
    bool choice = str_starts(made, name) && made.n > name.n && made.p[name.n] >= 'A' &&
                  made.p[name.n] <= 'Z';
    return (str_eq(made, name) || choice) && (a.n == 0 || b.n == 0 || str_eq(a, b));
}

/* How many components @issue and @made begin with alike; @apart: then each goes its own way. */
static size_t alike(struct str issue, struct str made, bool *apart)
{
    size_t n = 0;
    while (issue.n && made.n) {
        struct str a = str_cut(&issue, '.');
        struct str b = str_cut(&made, '.');
        if (!same_part(a, b)) {
            *apart = true;
            return n;
        }
        n++;
    }
    *apart = false;
    return n;
}

/* "PID[1]-5[1].1" without its component; without its field too if @segment. */
static struct str widened(struct str from, bool segment)
{
    struct str rest = from;
    return str_cut(&rest, segment ? '-' : '.');
}

struct str translate_origin_of(const struct translate_result *result, size_t entry,
                               struct str path)
{
    struct str best = STR("");
    size_t most = 0;
    for (const struct translate_origin *o = result->origins; o; o = o->next) {
        if (o->entry != entry || o->from.n == 0) {
            continue;
        }
        bool apart = false;
        size_t n = alike(path, o->path, &apart);
        if (best.n == 0 || n > most) {
            best = n == 0 || apart ? widened(o->from, n == 0) : o->from;
            most = n;
        }
    }
    return best;
}
