/*
 * Consents in memory: how fast a decision is, what a consent costs.
 *
 *     consent_bench [consents]      1,000,000 if not given
 *
 * One consent for each patient; 1,000 policies shared by most, 10,000 held by one each. Times
 * are of one core; memory is all that the index asked for.
 */
#include "crypto/digest.h"
#include "fhir/consent/compiled.h"
#include "fhir/consent/purpose.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    CONSENTS = 1000000,
    SHARED = 1000,
    OWN = 10000,
    DECISIONS = 2000000,
    WARM = 1000, /* patients asked about again and again */
    BYTES_GOAL = 200,
    TEXT_ROOM = 2048,
};

static void *heap(void *owner, void *old, size_t old_size, size_t size)
{
    (void)owner;
    (void)old_size;
    if (size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, size);
}

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Policy @number: a scope, an exception for some data, one for an organization. */
static struct str policy_of(unsigned number, char text[TEXT_ROOM])
{
    struct buf out = buf_fixed(text, TEXT_ROOM);
    buf_fmt(&out,
            "{\"base\":\"permit\",\"rules\":[{\"dataPeriod\":{\"until\":%u},"
            "\"effect\":\"deny\"},{\"confidentiality\":[\"R\"],\"effect\":\"deny\"},"
            "{\"actors\":[\"urn:oid:1.2.3.%u\"],\"effect\":\"deny\","
            "\"rules\":[{\"effect\":\"permit\",\"purposes\":[\"ETREAT\"]}]}],\"schema\":1,"
            "\"scope\":{\"purposes\":[\"HOPERAT\",\"HPAYMT\",\"TREAT\"]},"
            "\"uris\":[\"http://policies.example/%u\"]}",
            number + 1, number, number);
    return buf_str(&out);
}

static void number_of(uint8_t *out, size_t n, unsigned number, const char *kind)
{
    uint8_t digest[DIGEST_SIZE];
    const struct str parts[] = { str_z(kind), str_of(&number, sizeof(number)) };
    digest_sha256_parts(parts, ARRAY_LEN(parts), digest);
    for (size_t i = 0; i < n; i++) {
        out[i] = digest[i];
    }
}

/* Which policy consent @number of @consents has: the first ones their own. */
static unsigned policy_number(unsigned number)
{
    return number < OWN ? SHARED + number : number % SHARED;
}

static struct consent_index *load(unsigned consents, double *took)
{
    static uint8_t hashes[SHARED + OWN][DIGEST_SIZE];
    char text[TEXT_ROOM];
    struct consent_index *index = consent_index_new(heap, NULL);
    if (!index) {
        return NULL;
    }
    for (unsigned i = 0; i < SHARED + OWN; i++) {
        digest_sha256(policy_of(i, text), hashes[i]);
    }
    *took = 0;
    for (unsigned i = 0; i < consents; i++) {
        struct consent_entry entry = {
            .version = 1,
            .opened = true,
            .chain = { .state = CONSENT_CHAIN_SAFE,
                       .version = 1,
                       .valid_until = CONSENT_DAY_OPEN,
                       .block = i },
        };
        unsigned policy = policy_number(i);
        number_of(entry.id, sizeof(entry.id), i, "id");
        number_of(entry.patient, sizeof(entry.patient), i, "patient");
        memcpy(entry.policy_hash, hashes[policy], DIGEST_SIZE);
        struct str full = policy_of(policy, text);
        double start = seconds();
        int r = consent_index_put(index, &entry, full);
        *took += seconds() - start;
        if (r) {
            consent_index_free(index);
            return NULL;
        }
    }
    return index;
}

static struct consent_request request_of(const struct str *actors, size_t n)
{
    return (struct consent_request){ .actors = actors,
                                     .n_actors = n,
                                     .purposes = purpose_bit(STR("TREAT")),
                                     .action = ACTION_ACCESS,
                                     .now = INT64_C(1700000000000) };
}

/* Nanoseconds for each of DECISIONS decisions about @patients patients. */
static double decide(const struct consent_index *index, unsigned patients, unsigned *permits)
{
    static const struct str actors[] = { { "Practitioner/12", 15 },
                                         { "urn:oid:9.8.7.6", 15 },
                                         { "urn:oid:9.8.7", 13 } };
    struct consent_request request = request_of(actors, ARRAY_LEN(actors));
    struct consent_facts facts = {
        .type = STR("Observation"),
        .id = STR("4711"),
        .level = CONFIDENTIALITY_N,
        .labelled = true,
        .time = { INT64_C(1600000000000), INT64_C(1600000000001) },
    };
    unsigned consents = (unsigned)consent_index_size(index).consents;
    uint8_t(*numbers)[CONSENT_PATIENT_SIZE] = calloc(patients, sizeof(*numbers));
    if (!numbers) {
        return -1;
    }
    for (unsigned i = 0; i < patients; i++) {
        number_of(numbers[i], sizeof(numbers[i]), i * 7919 % consents, "patient");
    }
    *permits = 0;
    double start = seconds();
    for (unsigned i = 0; i < DECISIONS; i++) {
        struct consent_evidence evidence;
        consent_decide(index, numbers[i % patients], &request, &facts, &evidence);
        *permits += evidence.verdict.decision == CONSENT_PERMIT;
    }
    double took = seconds() - start;
    free(numbers);
    return took / DECISIONS * 1e9;
}

int main(int argc, char **argv)
{
    unsigned consents = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : CONSENTS;
    unsigned permits = 0;
    double took = 0;
    struct consent_index *index = load(consents, &took);
    if (!index) {
        (void)fprintf(stderr, "consent_bench: no memory\n");
        return 1;
    }
    struct consent_index_size size = consent_index_size(index);
    double each = (double)size.bytes / (double)size.consents;
    printf("consents             %zu\n", size.consents);
    printf("policies             %zu\n", size.policies);
    printf("load                 %.2f s\n", took);
    printf("memory               %.1f MB, %.1f bytes per consent (goal %d)\n",
           (double)size.bytes / 1e6, each, BYTES_GOAL);
    double ns = decide(index, WARM, &permits);
    printf("decision, warm       %.0f ns (%u of %d permit)\n", ns, permits, DECISIONS);
    ns = decide(index, consents / 10 + 1, &permits);
    printf("decision, scattered  %.0f ns (%u of %d permit)\n", ns, permits, DECISIONS);
    consent_index_free(index);
    return permits != DECISIONS || (consents >= CONSENTS && each > BYTES_GOAL);
}
