"""schemas/map/COVERAGE.md: what of HL7 v2 and of the guide our rows have."""

from collections import Counter, defaultdict


KINDS = {"message": "messages", "segment": "segments", "datatype": "datatypes",
         "code": "code systems"}
COLUMNS = ("has", "other", "left out", "error", "no code", "open")


def counted(names, width=96):
    """Names in lines."""
    lines, line = [], ""
    for name in names:
        if len(line) + len(name) > width:
            lines.append(line.rstrip())
            line = ""
        line += name + " "
    return "\n".join(lines + [line.rstrip()])


def table(head, rows):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(out + ["| " + " | ".join(str(c) for c in row) + " |" for row in rows])


class Page:
    def __init__(self, account, names, dictionary):
        self.account, self.names = account, names
        self.maps = maps = account.maps
        self.events = sorted({m[0] for m in maps.messages})
        read = {s for row in maps.rows for s in row.sources + row.tested if "-" in s}
        self.segments = sorted({row.name for row in maps.rows if row.section == "segment"} |
                               {s[:3] for s in read})
        self.datatypes = sorted({t for s in read for t in dictionary.types_at(s)})
        made = {row.resource for row in maps.rows if row.resource}
        for row in maps.rows:
            made |= {piece.split(")")[0] for piece in row.path.split("(")[1:]}
        self.resources = sorted(made)

    def figures(self):
        return table(("", "", ""), (
            ("events", len(self.events), "message types, each with its trigger event"),
            ("segments", len(self.segments), "with rows of their own, or read by others"),
            ("datatypes", len(self.datatypes), "of the fields and parts that are read"),
            ("resources", len(self.resources), "types of R4"),
            ("rows", sum(r.section != "datatype" for r in self.maps.rows),
             "with those of datatypes at each place where they are used"),
            ("tables", len(self.maps.tables),
             f"with {sum(len(t.codes) for t in self.maps.tables.values())} codes")))

    def counts(self, rows):
        by = Counter(self.account.by.get(row, "open") for row, _ in rows)
        return [len(rows)] + [by[column] or "" for column in COLUMNS]

    def sums(self):
        lines = []
        for kind, title in KINDS.items():
            rows = [(r, w) for r, w in self.account.rows if r.kind == kind]
            lines.append([title, len(self.names[kind])] + self.counts(rows))
        lines.append(["all", sum(line[1] for line in lines)] + self.counts(self.account.rows))
        return table(("", "maps", "rows") + COLUMNS, lines)

    def by_map(self, kind):
        rows = defaultdict(list)
        for row, why in self.account.rows:
            if row.kind == kind:
                rows[row.map].append((row, why))
        return table(("map", "rows") + COLUMNS,
                     [[name] + self.counts(rows[name]) for name in self.names[kind] if rows[name]])

    def beyond(self):
        guide_events = {name.replace("_", "^") for name in self.names["message"]}
        guide_segments = {name.split("[")[0] for name in self.names["segment"]}
        types = {name.split("[")[1].split("]")[0].split("-")[0] for name in self.names["segment"]}
        return (
            "Events of other messages than those with a map of their own:\n\n" +
            counted(e for e in self.events if e not in guide_events) +
            "\n\nSegments that no map of the guide is about:\n\n" +
            counted(s for s in self.segments if s not in guide_segments) +
            "\n\nResources that none leads to:\n\n" +
            counted(r for r in self.resources if r not in types))

    def text(self):
        parts = [
            "# What is translated",
            "Made by `tests/fhir/translate/check_guide.py`, which `tests/run check` compares it "
            "with: figures\nof the compiled rows, and what became of each row of the HL7 "
            "\"V2-to-FHIR\" mapping (STU1) that has\na FHIR target.",
            self.figures(),
            "## The guide, row by row",
            "*has*: in our rows, from the same field to the same element, through a table where "
            "the guide has\none, and with its constant. *other*, *left out*, *error*: in "
            "`exceptions.md`, with the reason.\n*no code*: the row lists a code of FHIR's that "
            "no code of v2 stands for. *open*: the rows aren't\nthere yet.",
            self.sums(),
            "## Beyond the guide", self.beyond()]
        for kind, title in KINDS.items():
            parts += [f"## {title.capitalize()}", self.by_map(kind)]
        parts += ["## Segments that are read", counted(self.segments),
                  "## Datatypes that are read", counted(self.datatypes),
                  "## Resources that are made", counted(self.resources)]
        return "\n\n".join(parts) + "\n"
