/* One after the other: what is named is looked for only if the configuration is good. */
#include "gateway/setup.h"

int setup_load(const char *file, struct buf *report, struct setup *out)
{
    struct setup setup = { 0 };
    int r = config_load(file, report, &setup.config);
    if (r == 0) {
        config_warnings(setup.config, report);
        r = maps_load(setup.config, report, &setup.maps);
    }
    if (r == 0) {
        r = validation_load(setup.config, report, &setup.validation);
    }
    if (r == 0) {
        r = labelling_load(setup.config, report, &setup.labelling);
    }
    if (r == 0) {
        r = tenant_load(setup.config, report, &setup.tenant);
    }
    if (r < 0) {
        setup_free(&setup);
        return r;
    }
    *out = setup;
    return 0;
}

void setup_free(struct setup *setup)
{
    tenant_free(setup->tenant);
    labelling_free(setup->labelling);
    validation_free(setup->validation);
    maps_free(setup->maps);
    config_free(setup->config);
    *setup = (struct setup){ 0 };
}
