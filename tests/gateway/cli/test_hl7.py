#!/usr/bin/env python3
"""chartseal hl7 on files: what is said of messages, and the exit codes. test_hl7.py CHARTSEAL"""

import subprocess
import sys

EX_OK, EX_USAGE, EX_DATAERR, EX_NOINPUT = 0, 64, 65, 66

GOOD = ("MSH|^~\\&|A|B|C|D|20260102||ADT^A01^ADT_A01|1|P|2.5\rEVN||20260102\r"
        "PID|||7^^^^MR||Doe^Jo\rPV1||I\r")
NO_NAME = GOOD.replace("Doe^Jo", "").replace("|1|P", "|2|P")
ODD_CODE = GOOD.replace("Doe^Jo", "Doe^Jo|||Q")

# what it shows, options, input, exit code, what standard output says
CASES = [
    ("a message without a fault", [], GOOD, EX_OK, "message 1: valid\n"),
    ("a required field by its place", [], NO_NAME, EX_DATAERR,
     "message 1: not valid\nerror: PID-5: Patient Name is required (required)\n"),
    ("codes are information", [], ODD_CODE, EX_OK,
     "message 1: valid\n"
     "information: PID-8: not in table 1, Administrative Sex (code-invalid)\n"),
    ("which --quiet leaves out", ["--quiet"], ODD_CODE, EX_OK, "message 1: valid\n"),
    ("each message of a batch", [], "BHS|^~\\&\r" + GOOD + NO_NAME + "BTS|3\r", EX_DATAERR,
     "message 1: valid\nmessage 2: not valid\n"
     "error: PID-5: Patient Name is required (required)\n"
     "error: BTS-1: says 3, but there were 2 messages (value)\n"),
    ("messages in their frames", [], f"\x0b{GOOD}\x1c\r\x0b{GOOD}\x1c\r", EX_OK,
     "message 1: valid\nmessage 2: valid\n"),
    ("no message at all", [], "", EX_DATAERR, ""),
    ("an unknown option", ["--loud"], GOOD, EX_USAGE, ""),
    ("a file that isn't there", ["/nonexistent/file"], GOOD, EX_NOINPUT, ""),
]


def main():
    failed = 0
    for what, options, text, code, want in CASES:
        done = subprocess.run([sys.argv[1], "hl7", "validate", *options], check=False,
                              input=text.encode(), capture_output=True)
        got = done.stdout.decode()
        if done.returncode != code or got != want:
            failed += 1
            print(f"{what}: exit {done.returncode}, {got!r}, {done.stderr.decode()!r}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
