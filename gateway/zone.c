/*
 * The C library's zone tables, by switching TZ: everything else in the program uses UTC
 * (gmtime_r), so nothing depends on which zone was asked for last.
 */
#include "gateway/zone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    NAME_MAX_BYTES = 64,
};

static bool name_ok(struct str zone)
{
    for (size_t i = 0; i < zone.n; i++) {
        char c = zone.p[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '/' || c == '_' || c == '-' || c == '+')) {
            return false;
        }
    }
    return zone.n > 0 && zone.n < NAME_MAX_BYTES && zone.p[0] != '/';
}

/* Make @zone the one in force; the C library takes an unknown name for UTC without a word. */
static int enter(struct str zone)
{
    static char current[NAME_MAX_BYTES];
    if (str_eq(str_z(current), zone)) {
        return 0;
    }
    char path[128];
    (void)snprintf(path, sizeof(path), "/usr/share/zoneinfo/%.*s", (int)zone.n, zone.p);
    if (!name_ok(zone) || access(path, R_OK) < 0) {
        return -EINVAL;
    }
    memcpy(current, zone.p, zone.n);
    current[zone.n] = '\0';
    (void)setenv("TZ", current, 1);
    tzset();
    return 0;
}

int zone_offset(void *owner, struct str zone, const struct tm *local, int *minutes)
{
    (void)owner;
    if (enter(zone) < 0) {
        return -EINVAL;
    }
    for (int summer = 1; summer >= 0; summer--) {
        struct tm tm = *local;
        tm.tm_isdst = summer;
        time_t at = mktime(&tm);
        /* mktime() shifts a time that isn't there under this rule; then it isn't this one. */
        if (at != (time_t)-1 && tm.tm_hour == local->tm_hour && tm.tm_min == local->tm_min &&
            tm.tm_mday == local->tm_mday) {
            *minutes = (int)(tm.tm_gmtoff / 60);
            return 0;
        }
    }
    return -EINVAL;
}
