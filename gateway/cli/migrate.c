/* chartseal migrate: bring the database to this version. */
#include "gateway/cli/cli.h"

#include "gateway/store/migrate.h"

#include <stdio.h>
#include <sysexits.h>

enum {
    URL_MAX = 4096,
};

int cli_migrate(int argc, char **argv)
{
    struct config *config = cli_config(argc, argv);
    char url[URL_MAX];
    if (!config) {
        return EX_CONFIG;
    }
    struct migrate_result result = { 0 };
    int r = config_database_url(config, url, sizeof(url));
    if (r == 0) {
        r = migrate_apply(url, config->tenant, &result);
    }
    if (r != 0) {
        (void)fprintf(stderr, "chartseal: %s%s%s\n", r > 0 ? migrate_text(r) : "",
                      r > 0 && *result.why ? ": " : "", result.why);
    } else {
        (void)printf("schema %d, %d migrations applied\n", result.number, result.applied);
    }
    config_free(config);
    return r == 0 ? EX_OK : r > 0 ? EX_CONFIG : EX_UNAVAILABLE;
}
