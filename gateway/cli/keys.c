/* chartseal keys init: make the secrets that a configuration names, once. */
#include "gateway/cli/cli.h"

#include "crypto/base/buf.h"
#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* 32 random bytes as digits into a new file that only its owner reads. */
static int make(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return errno == EEXIST ? EX_CANTCREAT : EX_IOERR;
    }
    uint8_t key[SECRET_SIZE];
    char text[2 * SECRET_SIZE + 1];
    struct buf digits = buf_fixed(text, sizeof(text));
    randombytes_buf(key, sizeof(key));
    buf_hex(&digits, key, sizeof(key));
    buf_c(&digits, '\n');
    bool good = write(fd, text, digits.n) == (ssize_t)digits.n && fsync(fd) == 0;
    secret_wipe(key, sizeof(key));
    secret_wipe(text, sizeof(text));
    if (close(fd) < 0 || !good) {
        (void)fprintf(stderr, "%s: can't be written\n", path);
        return EX_IOERR;
    }
    (void)printf("%s made; keep a copy where the database's backups are not\n", path);
    return EX_OK;
}

int cli_keys_init(int argc, char **argv)
{
    if (argc < 2) {
        return cli_usage("keys init FILE...");
    }
    for (int i = 1; i < argc; i++) {
        int code = make(argv[i]);
        if (code != EX_OK) {
            return code;
        }
    }
    return EX_OK;
}
