/*
 * Fees, nonces, keystore files, signing.
 *
 * Numbers of fees are wei per gas in 64 bits: 18 ether per gas is beyond any cap. A bump is
 * rounded up, so that nodes that compare exactly don't call it too small.
 */
#include "gateway/ledger/wallet.h"

#include "crypto/base/hex.h"
#include "crypto/digest.h"
#include "fhir/format/json.h"
#include "gateway/heap.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

enum {
    KEYSTORE_FILE_MAX = 16 << 10,
    PASSWORD_MAX = 1024,
    ARENA_FIRST = 16 << 10,
    KEYSTORE_VERSION = 3,
    DERIVED_LENGTH = 32,
    HUNDRED = 100,
};

const struct wallet_caps wallet_caps_usual = {
    .tip_least = WALLET_GWEI / 10,
    .tip = 100 * WALLET_GWEI,
    .max_fee = 1000 * WALLET_GWEI,
    .gwei_each = WALLET_GWEI / 2, /* half an ether */
};

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

struct wallet_fees wallet_fees_of(uint64_t base, uint64_t median,
                                  const struct wallet_caps *caps)
{
    uint64_t tip = smaller(larger(caps->tip_least, median), caps->tip);
    uint64_t twice = base > caps->max_fee / 2 ? caps->max_fee : 2 * base;
    uint64_t max_fee = smaller(twice + tip, caps->max_fee);
    return (struct wallet_fees){ .tip = smaller(tip, max_fee), .max_fee = max_fee };
}

/* @fee and WALLET_BUMP_PERCENT more, rounded up, and at least 1 more. */
static uint64_t raise_fee(uint64_t fee)
{
    uint64_t more = fee / HUNDRED * WALLET_BUMP_PERCENT +
                    (fee % HUNDRED * WALLET_BUMP_PERCENT + HUNDRED - 1) / HUNDRED;
    more = larger(more, 1);
    return fee > UINT64_MAX - more ? UINT64_MAX : fee + more;
}

int wallet_fees_bump(const struct wallet_fees *old, const struct wallet_fees *fresh,
                     const struct wallet_caps *caps, struct wallet_fees *out)
{
    struct wallet_fees got = {
        .tip = larger(raise_fee(old->tip), fresh->tip),
        .max_fee = larger(raise_fee(old->max_fee), fresh->max_fee),
    };
    if (got.tip > caps->tip || got.max_fee > caps->max_fee) {
        return -ERANGE;
    }
    got.max_fee = larger(got.max_fee, got.tip);
    *out = got;
    return 0;
}

bool wallet_too_dear(uint64_t gas, const struct wallet_fees *fees,
                     const struct wallet_caps *caps)
{
    return fees->max_fee && gas > caps->gwei_each * WALLET_GWEI / fees->max_fee;
}

enum wallet_nonce wallet_nonce_judge(uint64_t ours, uint64_t chain)
{
    if (chain > ours) {
        return WALLET_NONCE_AHEAD;
    }
    return chain == ours ? WALLET_NONCE_OURS : WALLET_NONCE_GAP;
}

static bool number_of(const struct node *node, const char *name, uint64_t *out)
{
    int64_t value;
    if (!node_integer(node_get(node, name), &value) || value < 0) {
        return false;
    }
    *out = (uint64_t)value;
    return true;
}

static bool bytes_of(const struct node *node, const char *name, uint8_t *out, size_t n)
{
    return hex_decode(node_text(node, name), out, n) == 0;
}

static bool read_kdf(const struct node *crypto, struct keystore *out)
{
    const struct node *params = node_get(crypto, "kdfparams");
    struct str kdf = node_text(crypto, "kdf");
    struct str salt = node_text(params, "salt");
    uint64_t length;
    out->salt_n = salt.n / 2;
    if (out->salt_n > KEYSTORE_SALT_MAX || hex_decode(salt, out->salt, out->salt_n) < 0 ||
        !number_of(params, "dklen", &length) || length != DERIVED_LENGTH) {
        return false;
    }
    if (str_eq(kdf, STR("scrypt"))) {
        out->kdf = KEYSTORE_SCRYPT;
        return number_of(params, "n", &out->n) && number_of(params, "r", &out->r) &&
               number_of(params, "p", &out->p);
    }
    out->kdf = KEYSTORE_PBKDF2;
    return str_eq(kdf, STR("pbkdf2")) && number_of(params, "c", &out->c) &&
           str_eq(node_text(params, "prf"), STR("hmac-sha256"));
}

int wallet_keystore_read(struct arena *arena, struct str text, struct keystore *out)
{
    struct issues issues;
    const struct node *root;
    uint64_t version;
    struct keystore got = { 0 };
    issues_init(&issues, arena);
    if (json_parse(arena, text, &issues, &root) != 0) {
        return WALLET_E_KEYSTORE;
    }
    const struct node *crypto = node_get(root, "crypto");
    crypto = crypto ? crypto : node_get(root, "Crypto"); /* as old writers spell it */
    if (!number_of(root, "version", &version) || version != KEYSTORE_VERSION ||
        !str_eq(node_text(crypto, "cipher"), STR("aes-128-ctr")) ||
        !bytes_of(crypto, "ciphertext", got.ciphertext, sizeof(got.ciphertext)) ||
        !bytes_of(crypto, "mac", got.mac, sizeof(got.mac)) ||
        !bytes_of(node_get(crypto, "cipherparams"), "iv", got.iv, sizeof(got.iv)) ||
        !read_kdf(crypto, &got)) {
        return WALLET_E_KEYSTORE;
    }
    *out = got;
    return 0;
}

/* A small file into @out; returns its length or -errno. */
static ssize_t slurp(const char *path, char *out, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    ssize_t n = read(fd, out, room);
    int r = n < 0 ? -errno : 0;
    (void)close(fd);
    return r ? r : n;
}

static int open_with(struct wallet *wallet, struct str text, struct str password)
{
    struct keystore store;
    uint8_t blind[SECRET_SIZE];
    uint8_t secret[SECRET_SIZE];
    struct arena *arena = arena_new(ARENA_FIRST);
    if (!arena) {
        return -ENOMEM;
    }
    int r = wallet_keystore_read(arena, text, &store);
    arena_free(arena);
    if (r) {
        return r;
    }
    r = keystore_open(&store, password, secret);
    if (r == 0) {
        randombytes_buf(blind, sizeof(blind));
        r = secp_signer_init(wallet->signer, secret, blind);
        r = r == -EINVAL ? WALLET_E_KEYSTORE : r;
    } else if (r > 0) {
        r = r == KEYSTORE_E_PASSWORD ? WALLET_E_PASSWORD : WALLET_E_KEYSTORE;
    }
    secret_wipe(secret, sizeof(secret));
    secret_wipe(blind, sizeof(blind));
    return r;
}

static int open_files(struct wallet *wallet, const struct config_account *account)
{
    char file[KEYSTORE_FILE_MAX];
    char password[PASSWORD_MAX];
    ssize_t file_n = slurp(account->keystore, file, sizeof(file));
    ssize_t password_n = slurp(account->password, password, sizeof(password));
    if (file_n < 0 || password_n < 0) {
        return (int)(file_n < 0 ? file_n : password_n);
    }
    while (password_n &&
           (password[password_n - 1] == '\n' || password[password_n - 1] == '\r')) {
        password_n--;
    }
    int r = secret_slab_init(&wallet->slab, sizeof(*wallet->signer));
    if (r == 0) {
        wallet->signer = (struct secp_signer *)(void *)wallet->slab.p;
        r = open_with(wallet, str_of(file, (size_t)file_n),
                      str_of(password, (size_t)password_n));
    }
    secret_wipe(password, sizeof(password));
    if (r) {
        wallet->signer = NULL;
        secret_slab_deinit(&wallet->slab);
        return r;
    }
    memcpy(wallet->address, wallet->signer->address, sizeof(wallet->address));
    return 0;
}

int wallet_open(struct wallet *wallet, const struct config_account *account,
                struct event_base *base)
{
    memset(wallet, 0, sizeof(*wallet));
    if (!account->signer) {
        return open_files(wallet, account);
    }
    if (secp_address_parse(str_z(account->address ? account->address : ""), wallet->address) <
        0) {
        return -EINVAL;
    }
    wallet->remote = remote_signer_new(base, account->signer, wallet->address);
    return wallet->remote ? 0 : -EINVAL;
}

void wallet_close(struct wallet *wallet)
{
    remote_signer_free(wallet->remote);
    wallet->remote = NULL;
    if (wallet->signer) {
        secp_signer_deinit(wallet->signer);
        wallet->signer = NULL;
    }
    secret_slab_deinit(&wallet->slab);
}

bool wallet_take(struct wallet *wallet, const void *who)
{
    if (wallet->stopped || wallet->unknown || (wallet->holder && wallet->holder != who)) {
        return false;
    }
    wallet->holder = who;
    return true;
}

void wallet_give(struct wallet *wallet, const void *who)
{
    if (wallet->holder == who) {
        wallet->holder = NULL;
    }
}

int wallet_sign(const struct wallet *wallet, const struct eth_tx *tx, struct buf *raw,
                uint8_t hash[32])
{
    uint8_t digest[DIGEST_SIZE];
    struct secp_signature signature;
    struct buf scratch = heap_buf(tx->data.n + ETH_TX_ROOM);
    size_t start = raw->n;
    int r = eth_tx_digest(tx, &scratch, digest);
    if (r == 0) {
        secp_sign(wallet->signer, digest, &signature);
        eth_tx_put(tx, &signature, raw);
        r = buf_failed(raw) ? -ENOMEM : 0;
    }
    if (r == 0) {
        digest_keccak256(str_slice(buf_str(raw), start, raw->n), hash);
    }
    heap_buf_free(&scratch);
    return r;
}
