/* Typed data: each struct is the hash of its type's text and one word for each member. */
#include "anchor/eip712.h"

#include "anchor/abi.h"

#include <assert.h>

enum {
    WORDS_SIZE = 8 * ABI_WORD, /* the type's hash and at most seven members */
};

#define DOMAIN_TYPE                                                                            \
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
#define GRANT_TYPE                                                                             \
    "ConsentGrant(bytes32 consentId,bytes32 commitment,address controller,uint16 version,"     \
    "uint40 validFrom,uint40 validUntil,uint40 deadline)"
#define REVOKE_TYPE "ConsentRevoke(bytes32 consentId,uint16 version)"
#define ROTATE_TYPE "ConsentRotate(bytes32 consentId,uint16 version,address to,uint40 deadline)"
#define STATEMENT_TYPE "ConsentStatement(bytes32 consentId,uint16 version,string text)"
#define COMMITMENT_DOMAIN "chartseal/consent/v1"

/* Words in @memory, the first of them the hash of @text. */
static struct buf begin(char memory[WORDS_SIZE], const char *text)
{
    uint8_t digest[DIGEST_SIZE];
    struct buf b = buf_fixed(memory, WORDS_SIZE);
    digest_keccak256(str_z(text), digest);
    abi_put(&b, digest, sizeof(digest));
    return b;
}

static void finish(const struct buf *b, uint8_t out[DIGEST_SIZE])
{
    assert(!buf_failed(b));
    digest_keccak256(buf_str(b), out);
}

void eip712_separator(const struct eip712_domain *domain, uint8_t out[DIGEST_SIZE])
{
    char memory[WORDS_SIZE];
    uint8_t digest[DIGEST_SIZE];
    struct buf b = begin(memory, DOMAIN_TYPE);
    digest_keccak256(STR("ConsentRegistry"), digest);
    abi_put(&b, digest, sizeof(digest));
    digest_keccak256(STR("1"), digest);
    abi_put(&b, digest, sizeof(digest));
    abi_put_u64(&b, domain->chain);
    abi_put(&b, domain->contract, sizeof(domain->contract));
    finish(&b, out);
}

/* What is signed for the struct whose words are in @b. */
static void sign_of(const struct eip712_domain *domain, const struct buf *b,
                    uint8_t out[DIGEST_SIZE])
{
    uint8_t separator[DIGEST_SIZE];
    uint8_t hash[DIGEST_SIZE];
    eip712_separator(domain, separator);
    finish(b, hash);
    const struct str parts[] = {
        STR("\x19\x01"),
        str_of(separator, sizeof(separator)),
        str_of(hash, sizeof(hash)),
    };
    digest_keccak256_parts(parts, ARRAY_LEN(parts), out);
}

void eip712_grant(const struct eip712_domain *domain, const struct consent_grant *grant,
                  uint8_t out[DIGEST_SIZE])
{
    char memory[WORDS_SIZE];
    struct buf b = begin(memory, GRANT_TYPE);
    abi_put(&b, grant->id, sizeof(grant->id));
    abi_put(&b, grant->commitment, sizeof(grant->commitment));
    abi_put(&b, grant->controller, sizeof(grant->controller));
    abi_put_u64(&b, grant->version);
    abi_put_u64(&b, grant->valid_from);
    abi_put_u64(&b, grant->valid_until);
    abi_put_u64(&b, grant->deadline);
    sign_of(domain, &b, out);
}

void eip712_revoke(const struct eip712_domain *domain, const struct consent_revoke *revoke,
                   uint8_t out[DIGEST_SIZE])
{
    char memory[WORDS_SIZE];
    struct buf b = begin(memory, REVOKE_TYPE);
    abi_put(&b, revoke->id, sizeof(revoke->id));
    abi_put_u64(&b, revoke->version);
    sign_of(domain, &b, out);
}

void eip712_rotate(const struct eip712_domain *domain, const struct consent_rotate *rotate,
                   uint8_t out[DIGEST_SIZE])
{
    char memory[WORDS_SIZE];
    struct buf b = begin(memory, ROTATE_TYPE);
    abi_put(&b, rotate->id, sizeof(rotate->id));
    abi_put_u64(&b, rotate->version);
    abi_put(&b, rotate->to, sizeof(rotate->to));
    abi_put_u64(&b, rotate->deadline);
    sign_of(domain, &b, out);
}

void eip712_statement(const struct eip712_domain *domain,
                      const struct consent_statement *statement, uint8_t out[DIGEST_SIZE])
{
    char memory[WORDS_SIZE];
    uint8_t text[DIGEST_SIZE];
    struct buf b = begin(memory, STATEMENT_TYPE);
    digest_keccak256(statement->text, text);
    abi_put(&b, statement->id, sizeof(statement->id));
    abi_put_u64(&b, statement->version);
    abi_put(&b, text, sizeof(text));
    sign_of(domain, &b, out);
}

void consent_commitment(const struct consent_opening *opening, uint8_t out[DIGEST_SIZE])
{
    char memory[WORDS_SIZE];
    struct buf b = begin(memory, COMMITMENT_DOMAIN);
    abi_put_u64(&b, opening->schema);
    abi_put(&b, opening->salt, sizeof(opening->salt));
    abi_put(&b, opening->policy, sizeof(opening->policy));
    abi_put(&b, opening->statement, sizeof(opening->statement));
    finish(&b, out);
}
