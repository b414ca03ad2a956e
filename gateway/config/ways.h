/* What destinations and routes need, and what they may not say together. */
#pragma once

#include "gateway/config/config.h"

void config_check_destination(const struct config_destination *to,
                              struct config_errors *errors);
void config_check_route(const struct config *config, const struct config_route *route,
                        struct config_errors *errors);
