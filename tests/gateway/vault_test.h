/* What tests that seal share: a vault with a root key of its own. */
#pragma once

#include "crypto/digest.h"
#include "gateway/vault.h"
#include "tests/check.h"

#include <unistd.h>

/* Of the tenant "st-elsewhere", not started. */
static inline struct vault *vault_open(void)
{
    char path[] = "/tmp/chartseal-root.XXXXXX";
    struct vault *vault = NULL;
    uint8_t root[SECRET_SIZE];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    digest_sha256(STR("a root key"), root);
    for (size_t i = 0; i < sizeof(root); i++) {
        assert_int_equal(dprintf(fd, "%02x", root[i]), 2);
    }
    (void)close(fd);
    assert_int_equal(secret_start(), 0);
    assert_int_equal(vault_new(path, "st-elsewhere", &vault), 0);
    (void)unlink(path);
    return vault;
}
