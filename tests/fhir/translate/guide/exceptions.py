"""schemas/map/exceptions.md: what of the guide our rows do in another way, or not at all.

Its tables are for people; the words in them are exact. Two kinds are read:

    | guide | ours |                                 names of ours that stand for a map of the guide
    | map | field | target | what | ours | why |     exceptions

In map, field and target `*` stands for anything, `?` for any character; blanks part several. The
heading above says what kind of maps the lines are about.
"""

import re
from dataclasses import dataclass, field

KINDS = ("other", "left out", "error", "no code", "open")


@dataclass
class Exception_:
    line: int
    of: str
    map: re.Pattern
    field: re.Pattern
    target: re.Pattern
    kind: str
    ours: list
    why: str
    rows: list = field(default_factory=list)

    def covers(self, row):
        return bool(self.of == row.kind and self.map.fullmatch(row.map) and
                    self.field.fullmatch(row.field) and self.target.fullmatch(row.path))


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


class Exceptions:
    def __init__(self, path):
        self.names, self.list, self.wrong = {}, [], []
        header, of = None, ""
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.startswith("|"):
                header = None
                of = line[3:].lower().rstrip("s") if line.startswith("## ") else of
            elif header is None:
                header = cells(line)
            elif not line.startswith("|---"):
                self.read(number, of, header, cells(line))

    def read(self, number, of, header, row):
        if header == ["guide", "ours"]:
            for guide in quoted(row[0]):
                self.names.setdefault(guide, []).extend(quoted(row[1]))
        elif header == ["map", "field", "target", "what", "ours", "why"]:
            if len(row) != 6 or row[3] not in KINDS or not row[5]:
                self.wrong.append(f"exceptions.md:{number}: six cells, what is one of {KINDS}, "
                                  "and a reason are wanted")
                return
            self.list.append(Exception_(number, of, *(self.compiled(cell) for cell in row[:3]),
                                        row[3], quoted(row[4]), row[5]))

    def compiled(self, cell):
        text = " ".join(quoted(cell)) if "`" in cell else cell
        parts = [re.escape(part).replace(r"\*", ".*").replace(r"\?", ".") for part in text.split()]
        return re.compile("|".join(parts) if parts else "")
