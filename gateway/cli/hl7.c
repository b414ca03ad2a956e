/* Frames of messages, TLS of connections. */
#include "gateway/cli/hl7.h"

#include "gateway/net/mllp.h"

struct str hl7_unframed(struct str text)
{
    if (text.n && text.p[0] == MLLP_START) {
        text = str_slice(text, 1, text.n);
    }
    const char *end = text.n ? memrchr(text.p, MLLP_END, text.n) : NULL;
    return end && text.n - (size_t)(end - text.p) <= 3 ? str_of(text.p, (size_t)(end - text.p))
                                                       : text;
}

bool hl7_tls_wanted(const struct hl7_tls *tls)
{
    return tls->on || tls->trusted || tls->certificate || tls->key;
}
