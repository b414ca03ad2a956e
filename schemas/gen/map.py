#!/usr/bin/env python3
"""Compile the mapping tables in schemas/map/ to C (fhir/translate/rules.h).

Wrong input is refused with file and line: an unknown table, datatype, resource or segment, a
path that is none, a row in the wrong place. schemas/map/README.md has the language.

usage: map.py OUT.c FILE.map...
"""

import hashlib
import re
import sys

from map_c import Writer, Wrong

KNOWN = {
    "$recorded": "RECORDED", "$gateway": "GATEWAY", "$digest": "DIGEST", "$sender": "SENDER",
    "$table": "TABLE", "$it": "IT",
}
WHICH = {"each": "EACH", "rest": "REST", "lines": "LINES"}

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|->|~>|[{}]|[^\s{}"]+')
ADDRESS = re.compile(r"(?:([A-Z][A-Z0-9]{2})-(\d+))?((?:\.\d+)*)(\+?)$")
PATH = re.compile(r"[a-zA-Z_]\w*(\[\])?(\.[a-zA-Z_]\w*(\[\])?)*$")
RESOURCE = re.compile(r"(\^?)([A-Z][a-z]\w*)(\*?)$")


def unquote(token):
    return token[1:-1].replace('\\"', '"').replace("\\\\", "\\")


class Line:
    def __init__(self, file, number, text):
        self.file, self.number = file, number
        self.indent = len(text) - len(text.lstrip())
        self.tokens = TOKEN.findall(text)

    def wrong(self, text):
        return Wrong(f"{self.file}:{self.number}: {text}")


def read_lines(files):
    for file in files:
        with open(file, encoding="utf-8") as f:
            for number, text in enumerate(f, 1):
                text = re.sub(r'^((?:[^"#]|"(?:[^"\\]|\\.)*")*)#.*$', r"\1", text.rstrip("\n"))
                if text.strip():
                    yield Line(file, number, text)


class Map:
    """Rows in order; blocks are maps of their own."""

    def __init__(self, name, line, segment=None):
        self.name, self.line, self.segment = name, line, segment
        self.rows, self.required = [], []
        self.c_name = "map_" + re.sub(r"\W", "_", name)


class Compiler(Writer):
    def __init__(self):
        self.datatypes, self.tables, self.resources = {}, {}, {}
        self.segment_maps, self.ignored = [], {}
        self.structures, self.messages = {}, []
        self.segments = set()
        self.blocks = []

    # --- reading -------------------------------------------------------------------------

    def read(self, lines):
        section = None
        for line in lines:
            if line.indent == 0:
                section = self.section(line)
            elif section is None:
                raise line.wrong("a row outside of any section")
            else:
                section(line)

    def section(self, line):
        word, rest = line.tokens[0], line.tokens[1:]
        if word == "ignore":
            self.ignore(line, rest)
            return None
        start = {
            "datatype": self.start_datatype, "segment": self.start_segment,
            "resource": self.start_resource, "table": self.start_table,
            "structure": self.start_structure, "message": self.start_message,
        }.get(word)
        if not start:
            raise line.wrong(f"unknown section '{word}'")
        return start(line, rest)

    def rows_of(self, the_map):
        stack = [the_map]

        def row(line):
            tokens = line.tokens
            if tokens == ["}"]:
                if len(stack) == 1:
                    raise line.wrong("'}' without '{'")
                stack.pop()
                return
            if tokens[0] == "require":
                stack[-1].required += self.tests(line, tokens[1:], the_map.segment)
                return
            if tokens[0] == "ignore":
                self.ignore(line, tokens[1:])
                return
            if tokens[0] == "if" and tokens[-1] == "{":
                made = self.condition(line, tokens[1:-1], the_map)
            else:
                made = self.row(line, tokens, the_map)
            stack[-1].rows.append(made)
            if made["block"]:
                stack.append(made["block"])
        return row

    def ignore(self, line, tokens):
        for token in tokens:
            segment, field = self.address(line, token, None)[:2]
            if not segment:
                raise line.wrong("ignore wants fields of segments")
            self.ignored.setdefault(segment, set()).add(field)

    def start_datatype(self, line, rest):
        if len(rest) != 1 or rest[0] in self.datatypes:
            raise line.wrong("datatype wants one new name")
        self.datatypes[rest[0]] = Map(f"type {rest[0]}", line)
        return self.rows_of(self.datatypes[rest[0]])

    def start_segment(self, line, rest):
        if len(rest) not in (2, 3) or (len(rest) == 3 and rest[2] != "above"):
            raise line.wrong("segment wants: NAME RESOURCE [above]")
        name, resource = rest[:2]
        self.segments.add(name)
        the_map = Map(f"{name} {resource}", line, name)
        self.segment_maps.append((name, resource, len(rest) == 3, the_map))
        return self.rows_of(the_map)

    def start_resource(self, line, rest):
        if len(rest) < 2 or rest[1] not in ("event", "identity", "trusted", "source") or \
                rest[2:] not in ([], ["unite"]) or rest[0] in self.resources:
            raise line.wrong("resource wants: NAME event|identity|trusted|source [unite]")
        finish = Map(f"resource {rest[0]}", line)
        self.resources[rest[0]] = (rest[1], bool(rest[2:]), finish)
        return self.rows_of(finish)

    def start_table(self, line, rest):
        if not rest or rest[0] in self.tables:
            raise line.wrong("table wants: NEW-NAME [SYSTEM [from SYSTEM]]")
        table = {"system": "", "source": "", "codes": {}, "other": None}
        if len(rest) > 1 and rest[1] != "from":
            table["system"] = rest[1]
        if "from" in rest[:-1]:
            table["source"] = rest[rest.index("from") + 1]
        self.tables[rest[0]] = table

        def row(line):
            tokens = line.tokens
            if len(tokens) < 3 or tokens[1] != "->":
                raise line.wrong('a code wants: CODE -> CODE ["display"] [SYSTEM]')
            code = [unquote(tokens[2]) if tokens[2][0] == '"' else tokens[2], "", ""]
            for token in tokens[3:]:
                code[1 if token[0] == '"' else 2] = unquote(token) if token[0] == '"' else token
            source = unquote(tokens[0]) if tokens[0][0] == '"' else tokens[0]
            if source == "*":
                table["other"] = code
            elif source in table["codes"]:
                raise line.wrong(f"code {source} twice")
            else:
                table["codes"][source] = code
        return row

    def start_structure(self, line, rest):
        if len(rest) != 1 or rest[0] in self.structures:
            raise line.wrong("structure wants one new name")
        root = {"indent": 0, "children": [], "line": line}
        stack = [root]
        self.structures[rest[0]] = root

        def row(line):
            if line.tokens[0] == "key":
                self.keys(line, line.tokens[1:], stack[-1])
                return
            while line.indent <= stack[-1]["indent"]:
                stack.pop()
            group = self.group(line)
            stack[-1]["children"].append(group)
            stack.append(group)
        return row

    def group(self, line):
        tokens = line.tokens
        if not tokens[0].endswith(":"):
            raise line.wrong("a group wants: NAME: SEGMENT... [=> RESOURCE...]")
        at = tokens.index("=>") if "=>" in tokens else len(tokens)
        members = [(t.rstrip("*"), t.endswith("*")) for t in tokens[1:at]]
        for name, _ in members:
            if not re.fullmatch(r"[A-Z][A-Z0-9]{2}", name):
                raise line.wrong(f"'{name}' is no segment")
            self.segments.add(name)
        return {"name": tokens[0][:-1], "members": members, "resources": tokens[at + 1:],
                "indent": line.indent, "children": [], "keys": [], "own": 0, "parent_key": False,
                "line": line}

    def keys(self, line, tokens, group):
        group["parent_key"] = tokens[:2] == ["with", "above"]
        tokens = tokens[2:] if group["parent_key"] else tokens
        own = tokens.index("else") if "else" in tokens else len(tokens)
        group["own"] = own
        group["keys"] = [[self.address(line, a, None) for a in part.split("/")]
                         for part in tokens[:own] + tokens[own + 1:]]

    def start_message(self, line, rest):
        if len(rest) != 2 or "^" not in rest[0]:
            raise line.wrong("message wants: TYPE^EVENT STRUCTURE")
        self.messages.append((line, *rest[0].split("^"), rest[1]))

        def row(line):
            raise line.wrong("a message has no rows")
        return row

    # --- rows ----------------------------------------------------------------------------

    def address(self, line, token, segment):
        found = ADDRESS.match("" if token == "@" else token or "nothing")
        if not found:
            raise line.wrong(f"'{token}' is no address")
        name, field, parts, onwards = found.groups()
        parts = [int(p) for p in parts.split(".")[1:]]
        if len(parts) > 2:
            raise line.wrong(f"'{token}' goes too deep")
        if name:
            self.segments.add(name)
            field = int(field)
            if not 0 < field < 128:
                raise line.wrong(f"'{token}': no such field")
        parts += [0] * (2 - len(parts))
        return (name, field or 0, parts[0], parts[1], bool(onwards))

    def tests(self, line, tokens, segment):
        found, at = [], 0
        while at < len(tokens):
            end = at
            while end < len(tokens) and tokens[end] != "and":
                end += 1
            found.append(self.test(line, tokens[at:end], segment))
            at = end + 1
        return found

    def test(self, line, words, segment):
        none = (None, 0, 0, 0, False)
        if not words:
            raise line.wrong("an empty condition")
        if words[0] in ("set", "unset") and len(words) == 2:
            return (words[0].upper(), none, [words[1]], 0)
        if words[0] == "no" and len(words) == 2:
            if RESOURCE.match(words[1]) and "-" not in words[1]:
                return ("NO_RESOURCE", none, [], words[1])
            return ("MISSING", self.address(line, words[1], segment), [], 0)
        if len(words) == 1:
            if RESOURCE.match(words[0]) and "-" not in words[0]:
                return ("RESOURCE", none, [], words[0])
            return ("VALUED", self.address(line, words[0], segment), [], 0)
        at = self.address(line, words[0], segment)
        if words[1:] == ["number"]:
            return ("NUMBER", at, [], 0)
        values = [unquote(w) if w[0] == '"' else w for w in words[2:]]
        op = {"=": "IN", "!=": "NOT_IN", "~": "PREFIX"}.get(words[1])
        if op and values:
            return (op, at, values, 0)
        if words[1] == "longer" and len(words) == 3:
            return ("LONGER", at, [], int(words[2]))
        raise line.wrong(f"'{' '.join(words)}' is no condition")

    def condition(self, line, tokens, the_map):
        """Rows that share a condition: a block without a path."""
        row = self.source(line, [], the_map.segment)
        row["tests"], row["line"], row["weak"] = \
            self.tests(line, tokens, the_map.segment), line, False
        row["otherwise"] = row["table"] = None
        row["path"], row["type"] = [], "{"
        row["block"] = self.new_block(line, the_map)
        return row

    def new_block(self, line, the_map):
        block = Map(f"block {line.file.split('/')[-1]} {line.number}", line, the_map.segment)
        self.blocks.append(block)
        return block

    def row(self, line, tokens, the_map):
        weak = "~>" in tokens
        if not weak and "->" not in tokens:
            raise line.wrong("a row wants '->' or '~>'")
        arrow = tokens.index("~>" if weak else "->")
        left, right = tokens[:arrow], tokens[arrow + 1:]
        tests = []
        if "if" in left:
            tests = self.tests(line, left[left.index("if") + 1:], the_map.segment)
            left = left[:left.index("if")]
        row = self.source(line, left, the_map.segment)
        row["tests"], row["line"], row["weak"] = tests, line, weak
        refers = row["source"] == "RESOURCE" or any("RESOURCE" in t[0] for t in tests)
        if refers and not the_map.name.startswith("resource "):
            raise line.wrong("other resources are in reach only in a resource section")
        self.target(line, right, row, the_map)
        return row

    def source(self, line, words, segment):
        row = {"source": "NONE", "which": "FIRST", "near": "HERE", "known": "RECORDED",
               "from": (None, 0, 0, 0, False), "text": "", "pieces": [], "refers": None}
        if not words:
            return row
        word = words[0]
        found = RESOURCE.match(word)
        if word == "format" and len(words) == 2:
            row["source"] = "FORMAT"
            row["pieces"], row["text"] = self.pieces(line, unquote(words[1]), segment)
        elif word[0] == '"':
            row["source"], row["text"] = "TEXT", unquote(word)
        elif word in KNOWN:
            row["source"], row["known"] = "KNOWN", KNOWN[word]
        elif word == "every":
            row["source"], row["near"] = "RESOURCE", "EVERY"
        elif found and "-" not in word:
            row["source"], row["refers"] = "RESOURCE", found.group(2)
            row["near"] = "ABOVE" if found.group(1) else "BELOW" if found.group(3) else "HERE"
        else:
            row["source"], row["from"] = "VALUE", self.address(line, word, segment)
            if len(words) == 2 and words[1] in WHICH:
                row["which"] = WHICH[words[1]]
            elif len(words) != 1:
                raise line.wrong(f"'{' '.join(words)}' is no source")
        return row

    def pieces(self, line, text, segment):
        parts = re.split(r"\{([^}]*)\}", text)
        pieces = [(parts[i], self.address(line, parts[i + 1], segment))
                  for i in range(0, len(parts) - 1, 2)]
        return pieces, parts[-1]

    def target(self, line, words, row, the_map):
        row["block"] = row["otherwise"] = None
        row["table"], row["path"] = None, []
        if not words:
            raise line.wrong("a row wants a target")
        if words[0] != "$display" and not PATH.match(words[0]):
            raise line.wrong(f"'{words[0]}' is no path")
        row["path"] = [(s.removesuffix("[]"), s.endswith("[]")) for s in words[0].split(".")]
        words = words[1:]
        if "or" in words:
            at = words.index("or")
            other = {**row, "tests": []}
            self.target(line, words[at + 1:], other, the_map)
            row["otherwise"] = other
            words = words[:at]
        if words == ["{"]:
            row["type"] = "{"
            row["block"] = self.new_block(line, the_map)
            return
        if words[:1] != [":"] or len(words) not in (2, 3):
            raise line.wrong("a target wants ': TYPE [TABLE]' or '{'")
        row["type"] = words[1]
        row["table"] = words[2] if len(words) == 3 else None


def main():
    out_file, files = sys.argv[1], sorted(sys.argv[2:])
    digest = hashlib.sha256()
    for file in files:
        with open(file, "rb") as f:
            digest.update(f.read())
    compiler = Compiler()
    text = []
    try:
        compiler.read(read_lines(files))
        compiler.write(text.append, digest.hexdigest()[:16])
    except Wrong as wrong:
        print(wrong, file=sys.stderr)
        return 1
    with open(out_file, "w", encoding="ascii") as f:
        f.write("".join(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
