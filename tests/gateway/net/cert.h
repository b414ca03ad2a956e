/* Certificates made for one test run, as PEM files in a folder of their own. */
#pragma once

#include "tests/check.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

struct certs {
    char folder[64];
    char ca[96];
    char server[96]; /* for localhost and 127.0.0.1; key and certificate in one file */
    char client[96];
    char stranger[96]; /* for localhost, signed by itself */
};

/* Of a group of tests, by certs_setup() and certs_teardown(). */
static struct certs certs;

static inline void cert_add(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* A certificate for @name, signed with @issuer_key, or by itself if that is NULL. */
static inline X509 *cert_make(const char *name, EVP_PKEY *key, X509 *issuer,
                              EVP_PKEY *issuer_key)
{
    static long serial = 1;
    X509 *cert = X509_new();
    assert_non_null(cert);
    (void)X509_set_version(cert, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    (void)X509_set_pubkey(cert, key);
    X509_NAME *subject = X509_get_subject_name(cert);
    (void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name,
                                     -1, -1, 0);
    (void)X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : subject);
    X509 *by = issuer ? issuer : cert;
    if (strcmp(name, "ca") == 0) {
        cert_add(cert, by, NID_basic_constraints, "critical,CA:TRUE");
    } else {
        cert_add(cert, by, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    }
    assert_true(X509_sign(cert, issuer_key ? issuer_key : key, EVP_sha256()) > 0);
    return cert;
}

static inline void cert_write(const char *path, X509 *cert, EVP_PKEY *key)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, cert), 1);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    (void)fclose(file);
}

static inline int certs_setup(void **state)
{
    (void)state;
    (void)snprintf(certs.folder, sizeof(certs.folder), "/tmp/chartseal-cert-XXXXXX");
    assert_non_null(mkdtemp(certs.folder));
    struct {
        const char *name;
        char *path;
        bool by_itself;
    } const all[] = {
        { "server", certs.server, false },
        { "client", certs.client, false },
        { "stranger", certs.stranger, true },
    };
    EVP_PKEY *ca_key = EVP_EC_gen("P-256");
    X509 *ca = cert_make("ca", ca_key, NULL, NULL);
    (void)snprintf(certs.ca, sizeof(certs.ca), "%s/ca.pem", certs.folder);
    cert_write(certs.ca, ca, ca_key);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509 *cert = all[i].by_itself ? cert_make(all[i].name, key, NULL, NULL)
                                      : cert_make(all[i].name, key, ca, ca_key);
        (void)snprintf(all[i].path, sizeof(certs.ca), "%s/%s.pem", certs.folder, all[i].name);
        cert_write(all[i].path, cert, key);
        X509_free(cert);
        EVP_PKEY_free(key);
    }
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    return 0;
}

static inline int certs_teardown(void **state)
{
    (void)state;
    (void)unlink(certs.ca);
    (void)unlink(certs.server);
    (void)unlink(certs.client);
    (void)unlink(certs.stranger);
    (void)rmdir(certs.folder);
    return 0;
}
