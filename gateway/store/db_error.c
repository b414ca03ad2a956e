/* The first row that a SQLSTATE begins with says what it is. */
#include "gateway/store/db_error.h"

#include <errno.h>
#include <libpq-fe.h>
#include <string.h>

static const struct {
    const char *begin;
    int error;
} states[] = {
    { "CS001", -ESTALE },     { "CS002", -EOWNERDEAD }, { "CS003", -ENOLCK },
    { "CS004", -EALREADY },   { "CS005", -EPERM },      { "CS006", -EACCES },
    { "23505", -EEXIST },     { "57014", -ETIMEDOUT },  { "55P03", -EAGAIN },
    { "40", -EAGAIN },        { "53", -EAGAIN },        { "57P", -ECONNRESET },
    { "25P03", -ECONNRESET }, { "08", -ECONNRESET },    { "22", -EINVAL },
    { "23", -EINVAL },        { "54", -EINVAL },
};

int db_error(const struct pg_result *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (!state) { /* libpq's own: the connection broke */
        return -ECONNRESET;
    }
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strncmp(state, states[i].begin, strlen(states[i].begin)) == 0) {
            return states[i].error;
        }
    }
    return -EIO;
}
