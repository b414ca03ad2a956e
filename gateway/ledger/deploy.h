/*
 * Putting the contracts on a chain, once, before there is a configuration. Blocks: for the
 * command line and for tests.
 */
#pragma once

#include "anchor/eth_call.h"
#include "crypto/base/attr.h"
#include "gateway/config/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DEPLOY_WHY_MAX = 200,
    DEPLOY_WAIT_MS = 180000, /* for each transaction to be mined */
    DEPLOY_STEPS_MAX = 5,
    DEPLOY_CHAIN_LOCAL = 31337,
};

/*
 * A transaction to be sent. The cost is what it takes at most.
 * @what:    static
 * @to:      the contract that it creates or calls
 * @creates: it creates that one
 * @size:    bytes of code or call
 * @gas:     limit
 * @cost:    @gas at the largest fee, in wei
 */
struct deploy_step {
    const char *what;
    uint8_t to[20];
    bool creates;
    size_t size;
    uint64_t gas;
    uint64_t cost;
};

/*
 * @account:     pays, becomes the admin of both contracts
 * @relayer:     may relay grants and revoke by attestation; NULL: the account itself
 * @operator_:   anchors the log; NULL: the account itself
 * @origin:      of the log to register, strict; NULL: none
 * @admin_delay: seconds between naming another admin and its taking over
 * @chain:       that the endpoint must be of
 * @dry_run:     only say what would be sent
 */
struct deploy {
    const char *endpoint;
    const struct config_account *account;
    const uint8_t *relayer;
    const uint8_t *operator_;
    const char *origin;
    uint64_t admin_delay;
    uint64_t chain;
    bool dry_run;
};

struct deploy_result {
    uint64_t chain;
    uint64_t block; /* before the first transaction: where to follow from */
    uint8_t account[20];
    uint8_t registry[20];
    uint8_t anchor[20];
    uint8_t log_id[32];
    struct deploy_step steps[DEPLOY_STEPS_MAX];
    size_t count;
    uint64_t gas; /* of all steps, at most */
    uint64_t cost;
    uint64_t max_fee; /* in wei, of one gas */
    uint64_t balance; /* of the account, in wei; UINT64_MAX: that or more */
};

/**
 * deploy_run() - create both contracts, give the roles, register the log
 *
 * Nothing is sent to another chain than the one named, nor unless the account can pay it all.
 *
 * @why: DEPLOY_WHY_MAX bytes; the reason of a failure for a person
 *
 * Return: 0, or -EIO and @why
 */
MUST_USE int deploy_run(const struct deploy *deploy, struct deploy_result *out, char *why);

/* What a contract's head() says of the log @origin. */
struct deploy_status {
    uint64_t chain;
    struct eth_head at;
};

MUST_USE int deploy_look(const char *endpoint, const uint8_t anchor[20], const char *origin,
                         struct deploy_status *out, char *why);
