#include "gateway/cli/consents.h"

#include "gateway/consents_load.h"
#include "gateway/heap.h"

#include <errno.h>
#include <sysexits.h>

static void on_loaded(void *arg, int r, struct consent_index *index)
{
    (void)index;
    cli_on_end(arg, r);
}

int cli_consents(struct cli_session *s, const uint8_t *patient, struct consent_index **out)
{
    struct cli_answer loaded = { 0 };
    struct consents_load *load = NULL;
    *out = consent_index_new(heap_resize, NULL);
    if (*out && patient) {
        load = consents_load_patient(s->db, s->vault, *out, patient, on_loaded, &loaded);
    } else if (*out) {
        load = consents_load_all(s->db, s->vault, *out, on_loaded, &loaded);
    }
    int r = load ? cli_wait_for(s, &loaded) : -ENOMEM;
    if (r == -ETIMEDOUT) {
        consents_load_cancel(load);
    }
    return r < 0 ? cli_failed(s, "consents", r) : EX_OK;
}
