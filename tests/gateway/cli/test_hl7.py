#!/usr/bin/env python3
"""chartseal hl7: messages validated, sent and received; what is said of them, and the exit codes.

    test_hl7.py CHARTSEAL
"""

import subprocess
import sys

EX_OK, EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_TEMPFAIL = 0, 64, 65, 66, 75

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
    ("a message in two parts is one", [],
     GOOD.replace("PV1||I\r", "PV1|\rADD\rDSC|next|F\r")
     + "MSH|^~\\&|A|B|C|D|20260102||ADT^A01^ADT_A01|2|P|2.5||next\rADD||I\r", EX_OK,
     "message 1: valid\n"),
    ("a part without the rest", [], GOOD + "DSC|next|F\r", EX_DATAERR,
     "message 1: not valid\nerror: DSC-1: the continuation is missing (structure)\n"),
    ("no message at all", [], "", EX_DATAERR, ""),
    ("an unknown option", ["--loud"], GOOD, EX_USAGE, ""),
    ("a file that isn't there", ["/nonexistent/file"], GOOD, EX_NOINPUT, ""),
]


FAULTY = "MSH|^~\\&|A|B|C|D|20260102||ORU^R01|9|P|{}\rPID|1\r"

# what it shows, how the listener answers, options, input, exit code, what standard output says
SENDINGS = [
    ("each message and its answer", [], [], GOOD + NO_NAME, EX_OK,
     "message 1: AA\nmessage 2: AA\n"),
    ("the messages of a batch", [], [], "BHS|^~\\&\r" + GOOD + NO_NAME + "BTS|2\r", EX_OK,
     "message 1: AA\nmessage 2: AA\n"),
    ("a refusal with its ERR", ["--answer", "AE"], [], FAULTY.format("2.5.1"), EX_DATAERR,
     "message 1: AE: 207 Application internal error: answered as told\n"),
    ("the same of an old version", ["--answer", "AR"], [], FAULTY.format("2.3"), EX_TEMPFAIL,
     "message 1: AR: 207 Application internal error: answered as told\n"),
    ("nothing to send", [], [], "no message\r", EX_DATAERR, ""),
    ("a whole file in one frame", [], ["--batch"], GOOD, EX_OK, "message 1: AA\n"),
]


class Listener:
    """chartseal hl7 listen on a port of its own."""

    def __init__(self, program, *options):
        self.process = subprocess.Popen([program, "hl7", "listen", "127.0.0.1:0", *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.where = self.process.stderr.readline().decode().split()[-1]

    def end(self):
        """What it wrote."""
        self.process.terminate()
        out, _ = self.process.communicate(timeout=20)
        return out


def send(program, where, options, text):
    return subprocess.run([program, "hl7", "send", where, *options], check=False, timeout=60,
                          input=text.encode(), capture_output=True)


def check_sending(program):
    failed = 0
    for what, answer, options, text, code, want in SENDINGS:
        listener = Listener(program, *answer)
        done = send(program, listener.where, options, text)
        listener.end()
        if done.returncode != code or done.stdout.decode() != want:
            failed += 1
            print(f"{what}: exit {done.returncode}, {done.stdout!r}, {done.stderr!r}")
    return failed


def check_listening(program):
    """What is heard is what was sent: as lines, or as bytes; and it ends when it should."""
    failed = 0
    wanted = {(): (GOOD + "\r" + NO_NAME + "\r").replace("\r", "\n"),
              ("--raw",): f"\x0b{GOOD}\x1c\r\x0b{NO_NAME}\x1c\r"}
    for options, want in wanted.items():
        listener = Listener(program, "--count", "2", *options)
        send(program, listener.where, [], GOOD + NO_NAME)
        code = listener.process.wait(timeout=20)
        got = listener.process.stdout.read().decode()
        if code != EX_OK or got != want:
            failed += 1
            print(f"listen {options}: exit {code}, {got!r}")
        listener.process.stderr.close()
        done = send(program, listener.where, [], GOOD)
        if done.returncode != EX_TEMPFAIL:
            failed += 1
            print(f"nobody listens: exit {done.returncode}")
    return failed


def check_validating(program):
    failed = 0
    for what, options, text, code, want in CASES:
        done = subprocess.run([program, "hl7", "validate", *options], check=False,
                              input=text.encode(), capture_output=True)
        got = done.stdout.decode()
        if done.returncode != code or got != want:
            failed += 1
            print(f"{what}: exit {done.returncode}, {got!r}, {done.stderr.decode()!r}")
    return failed


def main():
    program = sys.argv[1]
    failed = check_validating(program) + check_sending(program) + check_listening(program)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
