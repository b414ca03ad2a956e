/* Offsets of IANA time zones, from the system's zone files. */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

#include <time.h>

/**
 * zone_offset() - offset of local time from UTC; a translate_zone_fn
 * @owner:   unused
 * @zone:    IANA name, "Europe/Berlin"
 * @local:   tm_year to tm_sec set
 * @minutes: east of UTC
 *
 * Of a time that occurs twice the earlier is taken; one that doesn't occur is refused.
 *
 * Return: 0, or -EINVAL if the zone isn't known here or the time doesn't exist there
 */
MUST_USE int zone_offset(void *owner, struct str zone, const struct tm *local, int *minutes);
