/* The file has the same form as a root key's, with the same refusal of placeholders. */
#include "gateway/log_key.h"

#include "crypto/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
    KEY_FILE_MAX = 512,
};

int log_key_read(const struct config *config, struct sign_key *key, struct note_key *name)
{
    char text[KEY_FILE_MAX];
    uint8_t seed[SECRET_SIZE];
    uint8_t public[NOTE_KEY_SIZE];
    struct sign_key own;
    int fd = open(config->keys->checkpoint, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    if (fd >= 0) {
        (void)close(fd);
    }
    int r = n < 0 ? -EINVAL : keyring_root_parse(str_of(text, (size_t)n), seed);
    if (r == 0) {
        struct sign_key *made = key ? key : &own;
        sign_key_from_seed(made, seed);
        sign_public(made, public);
        r = note_key_init(name, str_z(config->log->origin), public);
    }
    secret_wipe(&own, sizeof(own));
    secret_wipe(seed, sizeof(seed));
    secret_wipe(text, sizeof(text));
    return r;
}
