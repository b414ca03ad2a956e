/* chartseal serve: start the children, keep them, replace them, end them. */
#pragma once

#include "crypto/base/attr.h"

/**
 * supervisor_run() - run until SIGTERM or SIGINT
 * @file: the configuration file
 *
 * Return: a sysexits code: EX_OK after a drained end, EX_CONFIG if the configuration is bad,
 *         EX_OSERR if a socket can't be opened or a process not started
 */
MUST_USE int supervisor_run(const char *file);
