#!/usr/bin/env python3
"""Compile the mapping tables in schemas/map/ to C (fhir/translate/rules.h).

Wrong input is refused with file and line: an unknown table, datatype, resource or segment, a
path that is none, a row in the wrong place. schemas/map/README.md has the language.

usage: map.py OUT.c FILE.map...
"""

import hashlib
import re
import sys

TYPES = {
    "string": "STRING", "code": "CODE", "uri": "URI", "boolean": "BOOLEAN",
    "integer": "INTEGER", "positive": "POSITIVE", "decimal": "DECIMAL", "date": "DATE",
    "dateTime": "DATETIME", "instant": "INSTANT", "time": "TIME", "base64": "BASE64",
    "coding": "CODING", "concept": "CONCEPT", "assigner": "ASSIGNER", "issuer": "ISSUER",
    "codesystem": "CODESYSTEM", "reference": "REFERENCE",
}
KNOWN = {
    "$recorded": "RECORDED", "$gateway": "GATEWAY", "$digest": "DIGEST", "$sender": "SENDER",
    "$table": "TABLE", "$it": "IT",
}
WHICH = {"each": "EACH", "rest": "REST", "lines": "LINES"}
CODING_SYSTEMS = "CodingSystems"

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|->|~>|[{}]|[^\s{}"]+')
ADDRESS = re.compile(r"(?:([A-Z][A-Z0-9]{2})-(\d+))?((?:\.\d+)*)(\+?)$")
PATH = re.compile(r"[a-zA-Z_]\w*(\[\])?(\.[a-zA-Z_]\w*(\[\])?)*$")
TYPE = re.compile(r"(\w+)(?:\((\w+)\))?$")
RESOURCE = re.compile(r"(\^?)([A-Z][a-z]\w*)(\*?)$")


class Wrong(Exception):
    """A mistake in a map file, with its place."""


def quote(text):
    out = ""
    for byte in text.encode("utf-8"):
        c = chr(byte)
        if c in '"\\':
            out += "\\" + c
        else:
            out += c if 32 <= byte < 127 else f"\\{byte:03o}"
    return f'"{out}"'


def span(text):
    return f"{{ {quote(text)}, {len(text.encode('utf-8'))} }}" if text else "{ 0 }"


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


class Compiler:
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

    # --- writing -------------------------------------------------------------------------

    def c_address(self, at):
        name, field, component, sub, onwards = at
        segment = self.segment_list.index(name) if name else -1
        return f"{{ {segment}, {field}, {component}, {sub}, {str(onwards).lower()} }}"

    def resource_index(self, line, name):
        if name not in self.resource_list:
            raise line.wrong(f"unknown resource '{name}'")
        return self.resource_list.index(name)

    def c_tests(self, line, tests):
        out = []
        for op, at, values, number in tests:
            if op in ("RESOURCE", "NO_RESOURCE"):
                number = self.resource_index(line, number)
            spans = "NULL"
            if values:
                spans = f"(const struct str[]){{ {', '.join(span(v) for v in values)} }}"
            out.append(f"{{ OP_{op}, {self.c_address(at)}, {spans}, {len(values)}, {number} }}")
        return f"(const struct rule_test[]){{ {', '.join(out)} }}" if out else "NULL"

    def c_type(self, row):
        line, name = row["line"], row["type"]
        if name == "{":
            return "TYPE_MAP", f"&{row['block'].c_name}", 0
        found = TYPE.match(name)
        if not found:
            raise line.wrong(f"'{name}' is no type")
        base, inner = found.groups()
        if inner:
            if inner not in self.datatypes:
                raise line.wrong(f"unknown datatype '{inner}'")
            return ("TYPE_RESOURCE", f"&{self.datatypes[inner].c_name}",
                    self.resource_index(line, base))
        if base in TYPES:
            return f"TYPE_{TYPES[base]}", "NULL", 0
        if base in self.datatypes:
            return "TYPE_MAP", f"&{self.datatypes[base].c_name}", 0
        raise line.wrong(f"unknown type '{name}'")

    def c_table(self, row):
        name = row["table"]
        if name is None or name == "given":
            return "NULL"
        if name not in self.tables:
            raise row["line"].wrong(f"unknown table '{name}'")
        return f"&table_{name}"

    def c_row(self, row):
        line = row["line"]
        c_type, c_map, resource = self.c_type(row)
        if c_type == "TYPE_CODE" and row["table"] == "given":
            raise line.wrong("code wants a table of its own or none")
        if row["refers"]:
            resource = self.resource_index(line, row["refers"])
        pieces = ", ".join(f"{{ {span(t)}, {self.c_address(a)} }}" for t, a in row["pieces"])
        steps = ", ".join(f"{{ {quote(n)}, {str(a).lower()} }}" for n, a in row["path"])
        other = "NULL"
        if row["otherwise"]:
            other = f"&(const struct rule){self.c_row(row['otherwise'])}"
        fields = [
            f".source = SOURCE_{row['source']}", f".which = WHICH_{row['which']}",
            f".near = NEAR_{row['near']}", f".known = KNOWN_{row['known']}",
            f".from = {self.c_address(row['from'])}", f".text = {span(row['text'])}",
            f".pieces = (const struct rule_piece[]){{ {pieces} }}" if pieces
            else ".pieces = NULL",
            f".piece_count = {len(row['pieces'])}",
            f".tests = {self.c_tests(line, row['tests'])}",
            f".test_count = {len(row['tests'])}",
            f".path = (const struct rule_step[]){{ {steps} }}" if steps else ".path = NULL",
            f".path_count = {len(row['path'])}", f".type = {c_type}", f".map = {c_map}",
            f".resource = {resource}", f".table = {self.c_table(row)}",
            f".table_given = {str(row['table'] == 'given').lower()}",
            f".weak = {str(row['weak']).lower()}", f".otherwise = {other}",
        ]
        return "{ " + ", ".join(fields) + " }"

    def write_map(self, out, the_map):
        rows = ",\n    ".join(self.c_row(row) for row in the_map.rows)
        if the_map.rows:
            out(f"static const struct rule rules_{the_map.c_name}[] = {{\n    {rows}\n}};\n")
        out(f"static const struct rule_map {the_map.c_name} = {{\n"
            f"    .name = {quote(the_map.name)},\n"
            f"    .rules = {'rules_' + the_map.c_name if the_map.rows else 'NULL'},\n"
            f"    .required = {self.c_tests(the_map.line, the_map.required)},\n"
            f"    .read = 0x{self.parts_read(the_map):x}u,\n"
            f"    .count = {len(the_map.rows)},\n"
            f"    .required_count = {len(the_map.required)},\n}};\n")

    def write_table(self, out, name, table, public=False):
        def code(source, entry):
            return f"{{ {span(source)}, {span(entry[0])}, {span(entry[1])}, {span(entry[2])} }}"
        codes = sorted(table["codes"].items(), key=lambda item: item[0].encode())
        rows = ", ".join(code(s, e) for s, e in codes)
        other = f"&(const struct rule_code){code('', table['other'])}" if table["other"] else "NULL"
        c_name = "rule_coding_systems" if public else f"table_{name}"
        out(f"{'' if public else 'static '}const struct rule_table {c_name} = {{\n"
            f"    .name = {quote(name)}, .system = {span(table['system'])}, "
            f".source = {span(table['source'])},\n"
            f"    .codes = {'(const struct rule_code[]){ ' + rows + ' }' if rows else 'NULL'},\n"
            f"    .count = {len(codes)}, .other = {other},\n}};\n")

    @staticmethod
    def parts_read(the_map):
        """Parts of the value at hand that some row looks at, as bits."""
        bits = 0

        def look(at):
            nonlocal bits
            if at[0] is None:
                whole = at[2] == 0 or at[4]
                bits |= ((1 << 64) - (1 << at[2])) if whole else 1 << min(at[2], 63)

        def rows(a_map):
            for row in a_map.rows:
                if row["source"] == "VALUE":
                    look(row["from"])
                for _, at in row["pieces"]:
                    look(at)
                for op, at, _, _ in row["tests"]:
                    if op not in ("SET", "UNSET", "RESOURCE", "NO_RESOURCE"):
                        look(at)
                if row["block"] and row["source"] == "NONE":
                    rows(row["block"])
        rows(the_map)
        return bits

    def fields_read(self, segment):
        """Fields that rows of any map of this segment, or of the groups' keys, look at."""
        fields = set()

        def look(at):
            if at[0] == segment:
                fields.add(at[1])

        def rows(the_map):
            for row in the_map.rows:
                look(row["from"])
                for _, at in row["pieces"]:
                    look(at)
                if row["block"]:
                    rows(row["block"])
                if row["otherwise"] and row["otherwise"]["block"]:
                    rows(row["otherwise"]["block"])
                for _, at, _, _ in row["tests"]:
                    look(at)
        for _, _, _, the_map in self.segment_maps:
            rows(the_map)
        for the_map in self.datatypes.values():
            rows(the_map)
        for _, _, finish in self.resources.values():
            rows(finish)
        return fields

    @staticmethod
    def bits(fields):
        words = [sum(1 << (f % 64) for f in fields if f // 64 == w) for w in (0, 1)]
        return f"{{ 0x{words[0]:x}u, 0x{words[1]:x}u }}"

    def write_group(self, out, group, prefix):
        line = group["line"]
        name = f"{prefix}_{group['name']}"
        names = [self.write_group(out, child, name) for child in group["children"]]
        members = ", ".join(f"{{ {self.segment_list.index(m)}, {str(many).lower()} }}"
                            for m, many in group["members"])
        resources = ", ".join(str(self.resource_index(line, r)) for r in group["resources"])
        keys = ", ".join(
            f"{{ (const struct rule_address[]){{ {', '.join(self.c_address(a) for a in any_)} }}, "
            f"{len(any_)} }}" for any_ in group["keys"])
        if len(group["members"]) > 24 or len(group["resources"]) > 8:
            raise line.wrong("too many segments or resources in a group")
        children = "(const struct rule_group *const[]){ " + \
            ", ".join(f"&{n}" for n in names) + " }" if names else "NULL"
        out(f"static const struct rule_group {name} = {{\n"
            f"    .name = {quote(group['name'])},\n"
            f"    .members = (const struct rule_member[]){{ {members} }},\n"
            f"    .member_count = {len(group['members'])},\n"
            + (f"    .resources = (const uint16_t[]){{ {resources} }},\n" if resources else "") +
            f"    .resource_count = {len(group['resources'])},\n"
            f"    .children = {children},\n    .child_count = {len(names)},\n"
            + (f"    .keys = (const struct rule_key[]){{ {keys} }},\n" if keys else "") +
            f"    .key_count = {len(group['keys'])},\n"
            f"    .own_count = {group['own']},\n"
            f"    .parent_key = {str(group['parent_key']).lower()},\n}};\n")
        return name

    def check_owned(self):
        owned = set()

        def walk(group):
            owned.update(group.get("resources", []))
            for child in group["children"]:
                walk(child)
        for root in self.structures.values():
            walk(root)
        for _, resource, _, the_map in self.segment_maps:
            if resource not in owned:
                raise the_map.line.wrong(f"no group has a {resource}")

    def write(self, out, version):
        self.segment_list = sorted(self.segments)
        self.resource_list = list(self.resources)
        self.check_owned()
        out("/* Generated by schemas/gen/map.py from schemas/map/. */\n"
            "#include \"fhir/translate/rules.h\"\n"
            "#include \"fhir/translate/to_fhir.h\"\n\n#include <stddef.h>\n\n")
        maps = list(self.datatypes.values()) + self.blocks + \
            [m for _, _, _, m in self.segment_maps] + [f for _, _, f in self.resources.values()]
        for the_map in maps:
            out(f"static const struct rule_map {the_map.c_name};\n")
        if CODING_SYSTEMS not in self.tables:
            raise Wrong(f"no table {CODING_SYSTEMS}")
        self.write_table(out, CODING_SYSTEMS, self.tables.pop(CODING_SYSTEMS), public=True)
        for name, table in self.tables.items():
            self.write_table(out, name, table)
        for the_map in maps:
            self.write_map(out, the_map)
        self.write_lists(out)
        out(f"\nconst char translate_map_version[] = {quote(version)};\n")

    def write_lists(self, out):
        names = ", ".join(quote(s) for s in self.segment_list)
        out(f"\nconst char rule_segments[][4] = {{ {names} }};\n"
            f"const uint16_t rule_segment_count = {len(self.segment_list)};\n")
        out("\nconst struct rule_segment_map rule_segment_maps[] = {\n")
        first, count = [], 0
        for index, segment in enumerate(self.segment_list):
            first.append(count)
            for name, resource, above, the_map in self.segment_maps:
                if name == segment:
                    out(f"    {{ {index}, {self.resource_index(the_map.line, resource)}, "
                        f"{str(above).lower()}, &{the_map.c_name} }},\n")
                    count += 1
        out("};\n")
        first.append(count)
        out(f"const uint16_t rule_segment_first[] = {{ {', '.join(map(str, first))} }};\n")
        ignored = ", ".join(self.bits(self.ignored.get(s, set())) for s in self.segment_list)
        out(f"const uint64_t rule_ignored[][2] = {{ {ignored} }};\n")
        read = ", ".join(self.bits(self.fields_read(s)) for s in self.segment_list)
        out(f"const uint64_t rule_read[][2] = {{ {read} }};\n")
        out("\nconst struct rule_resource rule_resources[] = {\n")
        for name, (kind, unite, finish) in self.resources.items():
            out(f"    {{ {quote(name)}, KIND_{kind.upper()}, {str(unite).lower()}, "
                f"&{finish.c_name} }},\n")
        out(f"}};\nconst uint16_t rule_resource_count = {len(self.resources)};\n\n")
        roots = {}
        for name, root in self.structures.items():
            if len(root["children"]) != 1:
                raise root["line"].wrong("a structure has one outermost group")
            roots[name] = self.write_group(out, root["children"][0], f"group_{name}")
        out("\nconst struct rule_message rule_messages[] = {\n")
        for line, kind, event, structure in self.messages:
            if structure not in roots:
                raise line.wrong(f"unknown structure '{structure}'")
            out(f"    {{ {span(kind)}, {span(event)}, &{roots[structure]} }},\n")
        out(f"}};\nconst uint16_t rule_message_count = {len(self.messages)};\n")


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
