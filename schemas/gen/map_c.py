"""Writing compiled mapping tables as C: the second half of map.py."""

import re

TYPES = {
    "string": "STRING", "code": "CODE", "uri": "URI", "boolean": "BOOLEAN",
    "integer": "INTEGER", "positive": "POSITIVE", "decimal": "DECIMAL", "date": "DATE",
    "dateTime": "DATETIME", "instant": "INSTANT", "time": "TIME", "base64": "BASE64",
    "coding": "CODING", "concept": "CONCEPT", "assigner": "ASSIGNER", "issuer": "ISSUER",
    "codesystem": "CODESYSTEM", "reference": "REFERENCE",
}
CODING_SYSTEMS = "CodingSystems"

TYPE = re.compile(r"(\w+)(?:\((\w+)\))?$")


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


class Writer:
    """What Compiler has read, as tables of fhir/translate/rules.h."""

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
