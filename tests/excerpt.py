"""What of a test's output says why it failed: a few lines, for the end of a run.

A failure is a name and such lines. The whole output stands further up; who sees only the last
lines of a run, as with a CI, finds here what to mend.
"""

import re
import textwrap

LINES, COLUMNS, TOTAL = 12, 200, 60

NODE_FAILED = re.compile(r"^( *)not ok \d+ - (.*)$")
NODE_FIELD = re.compile(r"^(\w+): ?(.*)$")
SANITIZER = re.compile(r"ERROR: \w*Sanitizer|runtime error:|ERROR: libFuzzer")
FOREIGN_FRAME = re.compile(
    r"^ *#\d+ .*(/lib/|sysdeps/|nptl/|stdlib/|fuzzer::|__sanitizer|/lib\w+\.so)")
SUMMED_UP = re.compile(r"^SUMMARY:|^Base64:|Test unit written to")
ASSERTED = "[   LINE   ]"


def tail(text, count=LINES):
    """The last lines that aren't empty."""
    return [line.rstrip() for line in text.splitlines() if line.strip()][-count:]


def crash(text):
    """From the first line of a sanitizer's or the fuzzer's complaint, without the frames of
    libraries; with what sums it up and the input. Or the last lines."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    first = next((i for i, line in enumerate(lines) if SANITIZER.search(line)), None)
    if first is None:
        return lines[-LINES:]
    told = [line for line in lines[first:] if not FOREIGN_FRAME.match(line)]
    end = [line for line in told if SUMMED_UP.search(line)]
    return [line for line in told if line not in end][:LINES - len(end)] + end


def node_fields(block):
    """The fields of a TAP diagnostic: name, then its lines."""
    fields, name = {}, None
    for line in block:
        field = NODE_FIELD.match(line)
        if field:
            name, first = field.groups()
            fields[name] = [] if first in ("", "|-") else [first]
        elif name:
            fields[name].append(line)
    return fields


def node_error(lines):
    """An assertion's text; of a long one its first line and the lines that differ."""
    text = textwrap.dedent("\n".join(lines))
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    differing = [line for line in lines[1:] if line.lstrip()[:2] in ("+ ", "- ")]
    return (lines[:1] + (differing or lines[1:]))[:6]


def node_excerpt(fields, said):
    """@said: what the file printed since its last test, which tells why it couldn't start. A
    test that failed by its subtests has its name alone."""
    kind = fields.get("failureType", [""])[0].strip("'")
    if kind == "subtestsFailed":
        return []
    error = node_error(fields.get("error", []))
    if error == ["'test failed'"] and said:
        first = next((i for i, line in enumerate(said) if "Error" in line), -LINES)
        return said[first:][:LINES]
    out = [f"error: {error[0]}", *error[1:]] if error else []
    if kind not in ("", "testCodeFailure"):
        out[:1] = [f"{kind}: {error[0]}" if error else kind]
    places = [line.strip() for line in fields.get("stack", []) if "/tests/" in line]
    out += [f"at: {line}" for line in (places[:1] or fields.get("location", []))]
    for name in ("expected", "actual"):
        value = " ".join(" ".join(fields.get(name, [])).split())
        out += [f"{name}: {value}"] if value else []
    return out


def node(text):
    """Failures of one file, from TAP."""
    lines, found, said = text.splitlines(), [], []
    for i, line in enumerate(lines):
        if line.startswith("# ") and not line.startswith("# Subtest:"):
            said.append(line[2:])
        failed = NODE_FAILED.match(line)
        if failed:
            indent, name = failed.groups()
            block, end = [], indent + "  ..."
            for late in lines[i + 2:]:
                if late == end:
                    break
                block.append(late[len(indent) + 2:])
            name = "(file)" if name.endswith(".test.mjs") else name
            found.append((name, node_excerpt(node_fields(block), said)))
        if failed or line.lstrip().startswith("ok "):
            said = []
    return found


def unit(test, cases):
    """Failures of the @cases of one test program: the assertions of each, in their order."""
    printed, reports = test.get("stderr", "") or "", []
    block = []
    for line in printed.split("[  PASSED  ]")[0].splitlines():
        block.append(line)
        if line.startswith(ASSERTED):
            reports.append(block)
            block = []
    if len(reports) != len(cases):
        said = (test.get("stdout", "") or "") + "\n" + printed
        whole = [f"{test['result']}, exit {test.get('returncode')}", *crash(said)[:LINES - 1]]
        reports = [whole] + [[]] * (len(cases) - 1)
    return [(case, lines[-LINES:]) for case, lines in zip(cases, reports)]


def listing(failures):
    """Lines for the end: each failure's name, and as much of its excerpt as there is room for."""
    shown = failures[:TOTAL if len(failures) <= TOTAL else TOTAL - 1]
    each = LINES
    while each and len(shown) + sum(min(each, len(lines)) for _, lines in shown) > TOTAL:
        each -= 1
    out = []
    for name, lines in shown:
        out += [f"failed: {name}", *("    " + line for line in lines[:each])]
    if len(shown) < len(failures):
        out.append(f"failed: {len(failures) - len(shown)} more")
    return [line[:COLUMNS] for line in out]
