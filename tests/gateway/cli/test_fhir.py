#!/usr/bin/env python3
"""chartseal fhir convert, path and validate on files: what they write, say, and their exit codes.

    test_fhir.py CHARTSEAL VECTORS
"""

import json
import pathlib
import subprocess
import sys
import tempfile

EX_OK, EX_USAGE, EX_DATAERR, EX_NOINPUT = 0, 64, 65, 66

NS = 'xmlns="http://hl7.org/fhir"'
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
JSON = '{"resourceType":"Patient","id":"a","active":true}'
XML = f'<Patient {NS}><id value="a"/><active value="true"/></Patient>'
BASIC = '{"resourceType":"Basic","id":"b"}'
BUNDLE = ('{"resourceType":"Bundle","type":"collection","entry":['
          f'{{"resource":{JSON}}},\n{{"resource":{BASIC}}}]}}')
BUNDLE_XML = (f'<Bundle {NS}><type value="collection"/><entry><resource>{XML}</resource></entry>\n'
              f'<entry><resource><Basic {NS}><id value="b"/></Basic></resource></entry></Bundle>')

# what it shows, words, input, exit code, standard output, what standard error holds
CASES = [
    ("XML becomes JSON", ["--to", "json"], HEAD + XML, EX_OK, JSON + "\n", ""),
    ("JSON becomes XML", ["--to", "xml", "-"], JSON, EX_OK, HEAD + XML + "\n", ""),
    ("JSON over several lines is one document", ["--to", "xml"],
     JSON.replace(",", ",\n").replace("{", "\n {\n"), EX_OK, HEAD + XML + "\n", ""),
    ("JSON becomes JSON on one line", ["--to", "json"], JSON.replace(",", " ,\n"), EX_OK,
     JSON + "\n", ""),
    ("XML after a byte order mark", ["--to", "json"], "\ufeff" + XML, EX_OK, JSON + "\n", ""),
    ("one line is a document", ["--to", "json"], JSON + "\n\n", EX_OK, JSON + "\n", ""),
    ("a Bundle becomes lines", ["--to", "ndjson"], BUNDLE, EX_OK, f"{JSON}\n{BASIC}\n", ""),
    ("a Bundle in XML becomes lines", ["--to", "ndjson"], BUNDLE_XML, EX_OK,
     f"{JSON}\n{BASIC}\n", ""),
    ("a resource becomes a line", ["--to", "ndjson"], XML, EX_OK, JSON + "\n", ""),
    ("lines become a Bundle", ["--to", "json"], f"{JSON}\n\n{BASIC}", EX_OK, BUNDLE + "\n", ""),
    ("lines become a Bundle in XML", ["--to", "xml"], f"{JSON}\n{BASIC}\n", EX_OK,
     HEAD + BUNDLE_XML + "\n", ""),
    ("lines stay lines", ["--to", "ndjson"], f" {JSON}\r\n{BASIC}\n", EX_OK,
     f"{JSON}\n{BASIC}\n", ""),
    ("comments are reported", ["--to", "json"], XML.replace("<active", "\n<!-- c --><active"),
     EX_OK, JSON + "\n", "information: line 2: comment left out"),
    ("a mistake in XML by line and path", ["--to", "json"], XML.replace("<active", "\n<activ"),
     EX_DATAERR, "", "fatal: line 2, Patient.activ: unknown element"),
    ("a mistake in JSON by path", ["--to", "xml"], JSON.replace("true", '"true"'), EX_DATAERR,
     "", "fatal: Patient.active: the value must be true or false"),
    ("what is no JSON by its byte", ["--to", "xml"], JSON[:-1], EX_DATAERR, "", "fatal: byte "),
    ("a mistake in a line by its number", ["--to", "ndjson"], f"{JSON}\n\n{BASIC}}}\n",
     EX_DATAERR, JSON + "\n", "in line 3\nfatal: byte "),
    ("R5 if it is said to be", ["--to", "json", "--fhir", "r5"],
     f'<Transport {NS}><id value="a"/></Transport>', EX_OK,
     '{"resourceType":"Transport","id":"a"}\n', ""),
    ("R4 otherwise", ["--to", "json"], f'<Transport {NS}><id value="a"/></Transport>', EX_DATAERR,
     "", "fatal: line 1: unknown resource type"),
    ("an unknown version", ["--to", "json", "--fhir", "r6"], JSON, EX_USAGE, "", "usage"),
    ("nothing", ["--to", "json"], "", EX_DATAERR, "", "fatal: byte "),
    ("no format", [], JSON, EX_USAGE, "", "usage"),
    ("an unknown format", ["--to", "yaml"], JSON, EX_USAGE, "", "usage"),
    ("two files", ["--to", "json", "a", "b"], JSON, EX_USAGE, "", "usage"),
    ("a file that isn't there", ["--to", "json", "/nonexistent/file"], JSON, EX_NOINPUT, "",
     "/nonexistent/file: No such file"),
]


PERSON = '{"resourceType":"Patient","name":[{"given":["A","B"]}],"birthDate":"1974-12-25"}'

# what it shows, words, input, exit code, standard output, what standard error holds
PATHS = [
    ("items, each on a line", ["name.given | 1.50 | (birthDate < @1980-01-01)"], PERSON, EX_OK,
     '"A"\n"B"\n1.50\ntrue\n', ""),
    ("elements as they stand", ["name"], PERSON, EX_OK, '{"given":["A","B"]}\n', ""),
    ("dates and quantities as strings", ["@2012-01 | 4 'mg' | 2 days"], PERSON, EX_OK,
     '"2012-01"\n"4 \'mg\'"\n"2 days"\n', ""),
    ("nothing", ["{}"], PERSON, EX_OK, "", ""),
    ("XML", ["active.not()", "-"], XML, EX_OK, "false\n", ""),
    ("lines one after the other", ["id"], f"{JSON}\n{BASIC}\n", EX_OK, '"a"\n"b"\n', ""),
    ("what is traced", ["name.given.trace('t').count()"], PERSON, EX_OK, "2\n",
     't: 2\n  "A"\n  "B"\n'),
    ("R5", ["--fhir", "r5", "$this is Transport"], '{"resourceType":"Transport"}', EX_OK, "true\n",
     ""),
    ("a mistake by its place", ["name.("], PERSON, EX_USAGE, "", "error: character 6: after"),
    ("what can't be evaluated", ["name.given + 'a'"], PERSON, EX_DATAERR, "",
     "error: character 12: several items"),
    ("a path that isn't there", ["nome"], PERSON, EX_OK, "", ""),
    ("the same, strictly", ["--strict", "nome"], PERSON, EX_USAGE, "",
     "error: character 1: the type before this has no such element"),
    ("no expression", [], PERSON, EX_USAGE, "", "usage"),
]

RESULT = "http://lab.example/StructureDefinition/result"
VALID = '{"resourceType":"Patient","gender":"other"}'
INVALID = '{"resourceType":"Patient","gender":"others"}'
STRANGE = ('{"resourceType":"Patient","extension":[{"url":"http://other.example/a",'
           '"valueString":"a"}]}')
GENDER = "Patient.gender: has no code of the value set administrative-gender, which is required"
OBSERVATION = '{"resourceType":"Observation","status":"preliminary","code":{"text":"a"}}'

# what it shows, words, input, exit code, what standard output holds, what standard error holds
VALIDATIONS = [
    ("a valid resource", [], VALID, EX_OK, "valid\n", ""),
    ("a resource in XML", [], XML, EX_OK, "valid\n", ""),
    ("what is wrong, by its place", [], INVALID, EX_DATAERR, f"not valid\nerror: {GENDER}", ""),
    ("lines by their numbers", [], f"{VALID}\n{INVALID}\n", EX_DATAERR,
     f"warning: Patient: breaks dom-6 (invariant)\nline 2: not valid\nerror: {GENDER}", ""),
    ("an OperationOutcome", ["--json"], INVALID, EX_DATAERR, '"expression":["Patient.gender"]', ""),
    ("what can't be read", [], "{", EX_DATAERR, "", "fatal: byte "),
    ("an extension nobody knows", [], STRANGE, EX_OK, "information: Patient.extension[0]: ", ""),
    ("the same, not allowed", ["--strict-extensions"], STRANGE, EX_DATAERR,
     "error: Patient.extension[0]: ", ""),
    ("notes left out", ["--quiet"], STRANGE, EX_OK, "valid\n", ""),
    ("a profile of a package", ["--package", "PACKAGE", "--profile", RESULT], OBSERVATION,
     EX_DATAERR, "error: Observation.status: has no code of the value set", ""),
    ("a profile without its package", ["--profile", RESULT], OBSERVATION, EX_DATAERR,
     "error: Observation: can't be compared with a profile that isn't here", ""),
    ("a package with a mistake", ["--package", "BROKEN"], VALID, EX_NOINPUT, "",
     "b.json: http://a: is no StructureDefinition with a snapshot"),
    ("a package that isn't there", ["--package", "/nonexistent"], VALID, EX_NOINPUT, "",
     "/nonexistent: No such file"),
]


def lay_packages(folder, vectors):
    """A package as npm's are when unpacked, and one with a definition that can't be used."""
    lab = json.loads((pathlib.Path(vectors) / "fhir/profile_lab.json").read_text())
    package = folder / "PACKAGE/package"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"name":"lab.example"}')
    for i, entry in enumerate(lab["entry"]):
        (package / f"{i}.json").write_text(json.dumps(entry["resource"]))
    (folder / "BROKEN").mkdir()
    (folder / "BROKEN/b.json").write_text(
        '{"resourceType":"StructureDefinition","url":"http://a","type":"Patient"}')


def validations(program, vectors):
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        lay_packages(pathlib.Path(name), vectors)
        for what, words, text, code, want, said in VALIDATIONS:
            done = subprocess.run([program, "fhir", "validate", *words], check=False, cwd=name,
                                  input=text.encode(), capture_output=True)
            got, errors = done.stdout.decode(), done.stderr.decode()
            if (done.returncode != code or want not in got or said not in errors
                    or bool(said) != bool(errors)):
                failed += 1
                print(f"{what}: exit {done.returncode}, {got!r}, {errors!r}")
    return failed


def many_lines(program):
    """More lines than a document may have bytes, in the memory of a few."""
    line = (JSON.replace('"a"', '"' + "a" * 50000 + '"') + "\n").encode()
    count = 1500
    done = subprocess.run(["bash", "-c", 'ulimit -v "$1"; shift; exec "$@"', "bash", "300000",
                           program, "fhir", "convert", "--to", "ndjson"],
                          check=False, input=line * count, capture_output=True)
    return done.returncode == EX_OK and done.stdout == line * count


def main():
    failed = validations(str(pathlib.Path(sys.argv[1]).resolve()), sys.argv[2])
    cases = [("convert", *case) for case in CASES] + [("path", *case) for case in PATHS]
    for command, what, words, text, code, want, said in cases:
        done = subprocess.run([sys.argv[1], "fhir", command, *words], check=False,
                              input=text.encode(), capture_output=True)
        got, errors = done.stdout.decode(), done.stderr.decode()
        if done.returncode != code or got != want or said not in errors or bool(said) != bool(errors):
            failed += 1
            print(f"{what}: exit {done.returncode}, {got!r}, {errors!r}")
    if not sanitized(sys.argv[1]) and not many_lines(sys.argv[1]):
        failed += 1
        print("many lines: not the same, or too much memory")
    return 1 if failed else 0


def sanitized(program):
    """A sanitizer's shadow memory passes any limit."""
    with open(program, "rb") as file:
        return b"__asan_init" in file.read()


if __name__ == "__main__":
    sys.exit(main())
