/*
 * chartseal hl7 check-map: whether map files are good, over the shipped ones.
 *
 * Without files the shipped maps are looked at, which the build does.
 */
#include "gateway/cli/hl7_bundle.h"

#include <stdio.h>
#include <sysexits.h>

int cli_hl7_check_map(int argc, char **argv)
{
    struct cli_words files = { .n = 0 };
    struct maps *maps = NULL;
    if (cli_args(argc, argv, NULL, 0, &files) < 0) {
        return cli_usage("hl7 check-map [FILE]...");
    }
    int code = hl7_maps(&files, &maps);
    if (code == EX_OK) {
        const struct rules *rules = maps_rules(maps);
        (void)printf("map %s: good; %u messages, %u resources, %u segments\n", rules->version,
                     (unsigned)rules->message_count, (unsigned)rules->resource_count,
                     (unsigned)rules->segment_count);
        code = fflush(stdout) == 0 ? EX_OK : EX_IOERR;
    }
    maps_free(maps);
    return code;
}
