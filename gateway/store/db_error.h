/* What SQLSTATE means for the program. */
#pragma once

struct pg_result;
struct db_rows;

/* The -errno of a failed statement; the table is in gateway/store/db.h. */
int db_error(const struct pg_result *result);
