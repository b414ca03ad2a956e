/* Upper and lower case of single characters, wherever it doesn't depend on language. */
#pragma once

#include <stdint.h>

/* Latin, Greek, Cyrillic and Armenian; other characters are their own upper and lower case. */
uint32_t fold_lower(uint32_t point);
uint32_t fold_upper(uint32_t point);
