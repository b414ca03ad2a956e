/*
 * Typed data of ConsentRegistry, and the commitment to a consent.
 *
 * Spec: EIP-712; types ConsentGrant, ConsentRevoke, ConsentRotate, ConsentStatement
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "crypto/digest.h"

#include <stdint.h>

/* Which contract on which chain. */
struct eip712_domain {
    uint64_t chain;
    uint8_t contract[20];
};

/* Times in seconds since 1970. */
struct consent_grant {
    uint8_t id[32];
    uint8_t commitment[32];
    uint8_t controller[20];
    uint16_t version;
    uint64_t valid_from;
    uint64_t valid_until;
    uint64_t deadline;
};

struct consent_revoke {
    uint8_t id[32];
    uint16_t version;
};

struct consent_rotate {
    uint8_t id[32];
    uint16_t version;
    uint8_t to[20];
    uint64_t deadline;
};

/* What a consent says in words. It is signed by who holds the consent, and never goes on chain:
 * the grant's commitment covers the digest of it. @text: UTF-8 */
struct consent_statement {
    uint8_t id[32];
    uint16_t version;
    struct str text;
};

/* Separator of domain {name "ConsentRegistry", version "1"}. */
void eip712_separator(const struct eip712_domain *domain, uint8_t out[DIGEST_SIZE]);

/* What the controller signs: keccak256(0x1901 ‖ separator ‖ hash of the struct). */
void eip712_grant(const struct eip712_domain *domain, const struct consent_grant *grant,
                  uint8_t out[DIGEST_SIZE]);
void eip712_revoke(const struct eip712_domain *domain, const struct consent_revoke *revoke,
                   uint8_t out[DIGEST_SIZE]);
void eip712_rotate(const struct eip712_domain *domain, const struct consent_rotate *rotate,
                   uint8_t out[DIGEST_SIZE]);

/* The same of @statement: consent_opening.statement. */
void eip712_statement(const struct eip712_domain *domain,
                      const struct consent_statement *statement, uint8_t out[DIGEST_SIZE]);

/* What a consent on chain commits to. */
struct consent_opening {
    uint8_t schema; /* version of the policy's encoding */
    uint8_t salt[32];
    uint8_t policy[32];    /* SHA-256 of the normalised policy */
    uint8_t statement[32]; /* digest of the readable statement that was signed; zeros: none */
};

/*
 * keccak256(abi.encode(DOMAIN, schema, salt, policy, statement)), where DOMAIN is
 * keccak256("chartseal/consent/v1").
 */
void consent_commitment(const struct consent_opening *opening, uint8_t out[DIGEST_SIZE]);
