#!/usr/bin/env python3
"""chartseal-verify as a person uses it: options, exit codes, what it prints.
usage: test_verify.py PROGRAM VECTORS"""

import json
import pathlib
import subprocess
import sys
import tempfile

PROGRAM, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2]) / "evidence"
PACKAGE, KEY, BLOCKS = (str(FOLDER / f"search.{end}") for end in ("json", "key", "blocks"))
TEXT = pathlib.Path(PACKAGE).read_bytes()
BLOCK = pathlib.Path(BLOCKS).read_text().strip()
ANCHOR = json.loads(TEXT)["anchor"]["contract"]
REGISTRY = json.loads(TEXT)["record"]["consents"][0]["contract"]
OTHER = "0x" + "12" * 20
failures = 0


def run(want, says, *args, data=None):
    global failures
    result = subprocess.run([PROGRAM, *args], input=data, capture_output=True, check=False)
    output = (result.stdout + result.stderr).decode()
    good = result.returncode == want and says in output
    failures += not good
    print("ok    " if good else "FAILED", " ".join(a[:60] for a in args))
    if not good:
        print(f"exit {result.returncode}, want {want} and '{says}':\n{output}")
    return output


with tempfile.TemporaryDirectory() as folder:
    key_text = pathlib.Path(KEY).read_text().strip()
    full = ["--key", KEY, "--headers", BLOCKS]
    run(0, "\nPROVEN\n", PACKAGE, *full)
    run(0, "Not proven: that the gateway recorded truly", PACKAGE, *full)
    run(0, "\nPROVEN\n", PACKAGE, "--key", key_text, "--block", BLOCK)
    run(0, "\nPROVEN\n", "-", *full, data=TEXT)
    run(0, "\nPROVEN\n", PACKAGE, *full, "--contract", ANCHOR, "--contract", REGISTRY)
    run(2, "anchor.contract", PACKAGE, *full, "--contract", REGISTRY)
    run(2, "consents[0]: contract", PACKAGE, *full, "--contract", ANCHOR)
    run(2, "anchor.contract", PACKAGE, *full, "--contract", OTHER)

    run(1, "consistency only", PACKAGE, "--headers", BLOCKS)
    run(1, "in a block that you did not confirm", PACKAGE, "--key", KEY)
    number, digest = BLOCK.split(":")
    run(2, "anchor.header", PACKAGE, "--key", KEY, "--block", f"{number}:0x{'0' * 64}")
    run(1, "did not confirm", PACKAGE, "--key", KEY, "--block", f"{int(number) + 1}:{digest}")

    run(2, "empty file", "-", *full, data=b"")
    run(2, "package", "-", *full, data=TEXT[:-1])
    run(2, "package", "-", *full, data=TEXT + b"\n")
    run(2, "package", "-", *full, data=b"{}")
    run(2, "too large", "-", *full, data=b" " * (1 << 22) + b"1")
    run(2, "opening.actor", "-", *full, data=TEXT.replace(b"Practitioner/17", b"Practitioner/71"))

    lines = [json.loads(line) for line in run(0, "proven", PACKAGE, *full, "--json").splitlines()]
    failures += lines[-1] != {"proven": True} or any(line["verdict"] != "ok" for line in lines[:-1])
    lines = run(2, "proven", "-", *full, "--json", data=TEXT[:-1]).splitlines()
    failures += json.loads(lines[-1]) != {"proven": False}

    run(0, "Usage", "--help")
    run(0, "chartseal-verify", "--version")
    run(2, "Usage")
    run(2, "Usage", PACKAGE, PACKAGE)
    run(2, "Usage", PACKAGE, "--unknown")
    run(2, "No such file", folder + "/none", *full)
    run(2, "No such file", PACKAGE, "--key", folder + "/none")
    run(2, "not a verifier key", PACKAGE, "--key", BLOCKS)
    run(2, "NUMBER:HASH", PACKAGE, "--block", "12")
    run(2, "NUMBER:HASH", PACKAGE, "--block", "x:" + "0" * 64)
    run(2, "NUMBER:HASH", PACKAGE, "--headers", KEY)
    run(2, "not an address", PACKAGE, "--contract", "0x12")

sys.exit(1 if failures else 0)
