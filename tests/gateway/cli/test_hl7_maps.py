#!/usr/bin/env python3
"""chartseal hl7 with maps of a site: check-map, translate --map, diff, from-fhir.

usage: test_hl7_maps.py CHARTSEAL README
"""

import json
import os
import subprocess
import sys
import tempfile

EX_OK, EX_DIFFERS, EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_CONFIG = 0, 1, 64, 65, 66, 78


def example(readme):
    """The message and the map of README's first example: what it teaches must work."""
    with open(readme, encoding="utf-8") as f:
        text = f.read().split("## A first map")[1].split("Work on it")[0]
    blocks, lines = [], []
    for line in text.splitlines() + ["end"]:
        if line.startswith("    ") or (lines and not line):
            lines.append(line[4:])
        elif lines:
            blocks.append("\n".join(lines).strip("\n") + "\n")
            lines = []
    return blocks[0].replace("\n", "\r"), blocks[1]


MESSAGE, LAB = example(sys.argv[2])
OTHER = MESSAGE.replace("F1|", "F2|").replace("|F\r", "|M\r", 1)

WRONG = """segment ZLB Observation
    ZLB-2 -> method : nothing
    ZLB-3 device.display : string
    ZLB-4 -> note[].text : string Unknown
"""
GENDER = """table AdministrativeGender
    F -> other
"""


class Site:
    def __init__(self, chartseal, folder):
        self.chartseal, self.folder, self.failed = chartseal, folder, 0

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="") as f:
            f.write(text)
        return path

    def hl7(self, *words, text=""):
        done = subprocess.run([self.chartseal, "hl7", *words], check=False,
                              input=text.encode(), capture_output=True)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def same(self, what, got, want):
        if got != want:
            self.failed += 1
            print(f"{what}: got {got!r}, want {want!r}")


def observation(bundle):
    return next(e["resource"] for e in json.loads(bundle)["entry"]
                if e["resource"]["resourceType"] == "Observation")


def check_map(site):
    """All mistakes, by file and line; nothing is said of good maps but what they are."""
    lab, wrong = site.file("lab.map", LAB), site.file("wrong.map", WRONG)
    code, out, err = site.hl7("check-map")
    site.same("shipped maps", (code, out.startswith("map "), err), (EX_OK, True, ""))
    code, out, err = site.hl7("check-map", lab)
    site.same("a good map", (code, err), (EX_OK, ""))
    code, out, err = site.hl7("check-map", lab, wrong)
    site.same("a wrong map", (code, out, err), (EX_CONFIG, "", (
        f"{wrong}:2: unknown type 'nothing'\n"
        f"{wrong}:3: a row wants '->' or '~>'\n"
        f"{wrong}:4: unknown table 'Unknown'\n")))
    code, out, err = site.hl7("check-map", "/nonexistent.map")
    site.same("no such map", (code, err), (
        EX_CONFIG, "/nonexistent.map: can't be read: No such file or directory\n"))


def translate(site):
    lab = site.file("lab.map", LAB)
    code, out, err = site.hl7("translate", "--map", lab, "--explain", text=MESSAGE)
    site.same("translated", code, EX_OK)
    got = observation(out)
    site.same("method", got["method"], {"text": "analyser"})
    site.same("device", got["device"], {"display": "A17"})
    site.same("code", got["code"]["coding"][0], {
        "system": "http://loinc.org", "code": "15074-8",
        "display": "Glucose [Moles/volume] in Blood"})
    site.same("the local code too", got["code"]["coding"][1]["code"], "GLU")
    patient = json.loads(out)["entry"][0]["resource"]
    site.same("assigner", patient["identifier"][0]["system"], "urn:oid:1.2.3.4")
    lines = [line.split() for line in err.splitlines()]
    site.same("the row that made the device",
              [line for line in lines if line[:1] == ["device.display"]],
              [["device.display", "ZLB[1]-3[1]", f"{lab}:{1 + LAB[:LAB.index('ZLB-3')].count(chr(10))}"]])
    site.same("a field left alone on purpose", "ZLB[1]-1" in err, False)
    less = site.file("less.map", LAB.replace("        ignore ZLB-1\n", "").replace(
        "    ignore ZLB-1\n", ""))
    err = site.hl7("translate", "--map", less, "--explain", text=MESSAGE)[2]
    site.same("nobody read ZLB-1", [line for line in err.splitlines() if "ZLB[1]-1" in line],
              ["information: ZLB[1]-1: kept in the source message, not translated (not-supported)"])
    code, out, err = site.hl7("translate", "--map", site.file("wrong.map", WRONG), text=MESSAGE)
    site.same("nothing by a wrong map", (code, out), (EX_CONFIG, ""))


def options(site):
    """What maps ask for, on request; a name that none of them knows is a mistake."""
    own = site.file("own.map", 'segment PID Patient\n    "x" if option Own -> own : string\n')
    for words, types in (([], 0), (["--option", "MessageHeader"], 1),
                         (["--map", own, "--option", "Own", "--option", "MessageHeader"], 1)):
        code, out, _ = site.hl7("translate", *words, text=MESSAGE)
        found = [e["resource"]["resourceType"] for e in json.loads(out)["entry"]]
        site.same("headers", (code, found.count("MessageHeader")), (EX_OK, types))
        site.same("own", '"own":"x"' in out, "Own" in words)
    unknown = (EX_USAGE, "", "chartseal hl7 translate: no map knows the option Own\n")
    site.same("unknown", site.hl7("translate", "--option", "Own", text=MESSAGE), unknown)
    message = site.file("options/a.hl7", MESSAGE)
    code, _, err = site.hl7("diff", "--option", "Own", message)
    site.same("unknown", (code, err), (EX_USAGE,
                                       "chartseal hl7 diff: no map knows the option Own\n"))
    code, out, _ = site.hl7("diff", "--after", own, "--option", "Own", message)
    site.same("known afterwards", code, EX_DIFFERS)


def diff(site):
    messages = os.path.dirname(site.file("messages/a.hl7", MESSAGE))
    other = site.file("messages/deeper/b.hl7", f"\x0b{OTHER}\x1c\r\x0b{MESSAGE}\x1c\r")
    site.file("messages/.hidden", "not a message")
    gender = site.file("gender.map", GENDER)
    code, out, _ = site.hl7("diff", messages)
    site.same("the same maps", (code, out), (EX_OK, (
        "3 messages: 0 differ, 0 are not translated by either; "
        "0 elements added, 0 removed, 0 changed\n")))
    code, out, _ = site.hl7("diff", "--after", gender, "--values", messages)
    site.same("a code changed", (code, out), (EX_DIFFERS, (
        f"{messages}/a.hl7\n  ~ Patient[1].gender : female -> other\n"
        f"{other} message 2\n  ~ Patient[1].gender : female -> other\n"
        "3 messages: 2 differ, 0 are not translated by either; "
        "0 elements added, 0 removed, 2 changed\n")))
    method = site.file("method.map", LAB[LAB.index("structure"):LAB.index("    ZLB-3")] +
                       "table LabMethod\n    AUTO -> x\n")
    code, out, _ = site.hl7("diff", "--before", method, f"{messages}/a.hl7")
    site.same("elements gone", (code, out), (EX_DIFFERS, (
        f"{messages}/a.hl7\n"
        "  - Observation[1].method.text\n"
        "  ~ Provenance[1].target[3].display\n"
        "1 messages: 1 differ, 0 are not translated by either; "
        "0 elements added, 1 removed, 1 changed\n")))
    site.same("a message type more", site.hl7(
        "diff", "--before", site.file("none.map", "remove message ORU^R01\n"),
        f"{messages}/a.hl7")[1].splitlines()[0],
        f"{messages}/a.hl7: translated only after")
    site.same("a folder that isn't there", site.hl7("diff", "/nonexistent")[0], EX_NOINPUT)
    site.same("nothing to compare", site.hl7("diff")[0], EX_USAGE)


def from_fhir(site):
    """What a message became goes back, as the receiver and the site's map have it."""
    lab = site.file("lab.map", LAB)
    bundle = site.file("bundle.json", site.hl7("translate", "--map", lab, text=MESSAGE)[1])
    back = site.file("back.map", "segment OBX from Observation\n"
                                 "    OBX-19 <- method.text : string\n")
    code, out, err = site.hl7("from-fhir", "--map", back, "--control", "9", bundle)
    lines = out.split("\r")
    site.same("a message", (code, [line[:3] for line in lines], err),
              (EX_OK, ["MSH", "PID", "ORC", "OBR", "OBX", ""], ""))
    site.same("its id and type", lines[0].split("|")[8:12], ["ORU^R01^ORU_R01", "9", "P", "2.5.1"])
    site.same("its patient", lines[1].split("|")[3], "7^^^LAB&1.2.3.4&ISO^MR")
    site.same("a row of the site's", lines[4].split("|")[19], "analyser")
    code, out, _ = site.hl7("from-fhir", "--version", "2.3", "--delimiters", "#^~\\&",
                            "--assigner", "LAB=urn:oid:1.2.3.4", bundle)
    site.same("another receiver", (code, out.split("\r")[0].split("#")[11],
                                   out.split("\r")[1].split("#")[3]),
              (EX_OK, "2.3", "7^^^LAB^MR"))
    code, out, err = site.hl7("from-fhir", "--event", "ADT^A01",
                              text='{"resourceType":"Observation","status":"final"}')
    site.same("without a patient", (code, out, err.splitlines()[0]), (
        EX_DATAERR, "", "fatal: Bundle.entry: ADT^A01 needs a Patient: there is none (required)"))
    site.same("no message of it", site.hl7("from-fhir", text='{"resourceType":"Slot"}')[0],
              EX_DATAERR)
    ids = {site.hl7("from-fhir", text=f'{{"resourceType":"Patient","id":"{i}","gender":"male"}}')[1]
           .split("\r")[0].split("|")[9] for i in "112"}
    site.same("an id of its own, the same for the same", len(ids), 2)
    for words in (["--version", "9"], ["--delimiters", "abc"], ["--charset", "x"],
                  ["--assigner", "x"], ["--nothing"]):
        site.same(f"{words}", site.hl7("from-fhir", *words, bundle)[0], EX_USAGE)


def main():
    with tempfile.TemporaryDirectory() as folder:
        site = Site(sys.argv[1], folder)
        for test in (check_map, translate, options, diff, from_fhir):
            test(site)
    return 1 if site.failed else 0


if __name__ == "__main__":
    sys.exit(main())
