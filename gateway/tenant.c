/*
 * The tenant's policy: FILE, signed by Ed25519 in FILE.sig, as
 *
 *     openssl pkeyutl -sign -rawin -inkey key.pem -in FILE -out FILE.sig
 *
 * writes it. Who may sign is said by the configuration, so that whoever may write the policy's
 * file can't by that alone override what patients said.
 */
#include "gateway/tenant.h"

#include "crypto/base/base64.h"
#include "crypto/sign.h"
#include "gateway/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARENA_FIRST = 1 << 16,
    KEY_FILE_MAX = 4096,
    PATH_SIZE = 4096,
    KEY_DER_SIZE = 44, /* SubjectPublicKeyInfo of an Ed25519 key */
};

/* Spec: RFC 8410 section 4 */
static const uint8_t key_head[KEY_DER_SIZE - SIGN_PUBLIC_SIZE] = {
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
};

struct tenant {
    struct arena *arena; /* owned; all is in it */
    struct consent_tenant policy;
};

void tenant_free(struct tenant *tenant)
{
    if (tenant) {
        arena_free(tenant->arena);
        free(tenant);
    }
}

const struct consent_tenant *tenant_policy(const struct tenant *tenant)
{
    return tenant ? &tenant->policy : NULL;
}

static int say(struct buf *report, const char *path, const char *what)
{
    buf_fmt(report, "%s: %s\n", path, what);
    return -EINVAL;
}

static int take_file(struct tenant *tenant, const char *path, size_t most, struct buf *report,
                     struct str *out)
{
    int r = file_read(tenant->arena, AT_FDCWD, path, most, out);
    if (r < 0 && r != -ENOMEM) {
        buf_fmt(report, "%s: can't be read: %s\n", path, strerror(-r));
        return -EINVAL;
    }
    return r;
}

/* The key of a "PUBLIC KEY" in PEM. */
static int read_key(struct str pem, uint8_t out[SIGN_PUBLIC_SIZE])
{
    uint8_t der[KEY_DER_SIZE + 3];
    size_t n = 0;
    if (!str_eq(str_cut(&pem, '\n'), STR("-----BEGIN PUBLIC KEY-----")) ||
        base64_decode(BASE64_USUAL, str_cut(&pem, '\n'), der, sizeof(der), &n) != 0 ||
        n != KEY_DER_SIZE || memcmp(der, key_head, sizeof(key_head)) != 0) {
        return -EINVAL;
    }
    memcpy(out, der + sizeof(key_head), SIGN_PUBLIC_SIZE);
    return 0;
}

static int check_signature(struct tenant *tenant, const struct config_consent *config,
                           struct str text, struct buf *report)
{
    char path[PATH_SIZE];
    uint8_t key[SIGN_PUBLIC_SIZE];
    struct str pem;
    struct str signature;
    struct buf name = buf_fixed(path, sizeof(path) - 1);
    buf_fmt(&name, "%s.sig", config->policy);
    if (buf_failed(&name)) {
        return say(report, config->policy, "too long a name");
    }
    path[name.n] = '\0';
    if (!config->policy_key) {
        return say(report, config->policy,
                   "consent.policy_key has to say whose signature counts");
    }
    int r = take_file(tenant, config->policy_key, KEY_FILE_MAX, report, &pem);
    r = r ? r : take_file(tenant, path, SIGN_SIZE + 1, report, &signature);
    if (r) {
        return r;
    }
    if (read_key(pem, key) < 0) {
        return say(report, config->policy_key, "not an Ed25519 public key in PEM");
    }
    return sign_verify(key, text, signature)
               ? say(report, path, "not this key's signature of the policy")
               : 0;
}

/* @config: whose policy it is, signed; NULL: a draft */
static int take(struct tenant *tenant, const char *path, const struct config_consent *config,
                struct buf *report)
{
    struct issues issues;
    struct str text;
    issues_init(&issues, tenant->arena);
    int r = take_file(tenant, path, CONSENT_TENANT_TEXT_MAX, report, &text);
    r = r || !config ? r : check_signature(tenant, config, text, report);
    r = r ? r : consent_tenant_read(tenant->arena, text, &issues, &tenant->policy);
    for (const struct issue *issue = issues.first; issue; issue = issue->next) {
        buf_fmt(report, "%s: %.*s: %.*s\n", path, (int)issue->place.n, issue->place.p,
                (int)issue->text.n, issue->text.p);
    }
    return r > 0 ? -EINVAL : r;
}

static int open_policy(const char *path, const struct config_consent *config,
                       struct buf *report, struct tenant **out)
{
    struct tenant *tenant = calloc(1, sizeof(*tenant));
    int r = -ENOMEM;
    if (tenant) {
        tenant->arena = arena_new(ARENA_FIRST);
    }
    if (tenant && tenant->arena) {
        r = take(tenant, path, config, report);
    }
    if (r < 0) {
        tenant_free(tenant);
        return r;
    }
    *out = tenant;
    return 0;
}

int tenant_load(const struct config *config, struct buf *report, struct tenant **out)
{
    if (!config->consent || !config->consent->policy) {
        *out = NULL;
        return 0;
    }
    return open_policy(config->consent->policy, config->consent, report, out);
}

int tenant_draft(const char *path, struct buf *report, struct tenant **out)
{
    return open_policy(path, NULL, report, out);
}
