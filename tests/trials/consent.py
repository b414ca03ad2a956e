#!/usr/bin/env python3
"""Consents by chance: properties of the engine, and a second evaluator that must agree.

    tests/trials/consent.py [--short] [CASES]     1,000,000 cases, --short: 20,000

`consent_cases` makes each case, checks that it has the properties (adding a deny never widens; the
order of rules and consents doesn't matter; removing a consent never widens beyond the default;
R4, IHE PCF and R5 decide alike; what is decided early holds) and prints it with what was decided;
consent_oracle.py decides it again from the FHIR resources.
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

import consent_oracle

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "build/tests/trials/consent_cases"
CHUNK = 10000
SHORT, LONG = 20000, 1000000


def run(seed):
    """One seed's cases: how many, how many permits, and the first that fails."""
    command = [str(PROGRAM), str(seed), str(CHUNK)]
    count = permits = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as program:
        for line in program.stdout:
            case = json.loads(line)
            count += 1
            permits += case["want"] == "permit"
            got = consent_oracle.decide(case)
            if got != case["want"]:
                program.kill()
                return count, permits, f"seed {seed}: the other evaluator says {got}: {line}"
        said = program.stderr.read()
    if program.returncode != 0 or count != CHUNK:
        return count, permits, f"seed {seed}: {said or 'ended early'}"
    return count, permits, None


def main():
    words = sys.argv[1:]
    cases = SHORT if "--short" in words else LONG
    cases = next((int(w) for w in words if w.isdigit()), cases)
    seeds = range(1, (cases + CHUNK - 1) // CHUNK + 1)
    count = permits = 0
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for one, permitted, failure in pool.map(run, seeds):
            count, permits = count + one, permits + permitted
            if failure:
                pool.shutdown(cancel_futures=True)
                sys.exit(failure)
    print(f"{count:,} cases, {permits:,} of them permits: all properties hold, both agree")


if __name__ == "__main__":
    main()
