#!/usr/bin/env python3
"""Check that includes go down only: gateway -> anchor, fhir, crypto; anchor -> crypto;
fhir -> crypto's digests and base types; that no header cycle exists; and that no two files define
the same external name, of which the linker would take either."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("crypto", "anchor", "fhir", "gateway")
ALLOWED = {
    "crypto": ("crypto/",),
    "anchor": ("anchor/", "crypto/"),
    "fhir": ("fhir/", "crypto/base/", "crypto/digest.h", "schemas/"),
    "gateway": ("gateway/", "anchor/", "fhir/", "crypto/", "schemas/"),
}
# Only gateway/ does I/O, reads the clock or logs; the verifier is a program of its own.
FORBIDDEN = re.compile(
    r"\b(printf|fopen|open|read|write|socket|connect|time|clock_gettime|gettimeofday|getenv)\s*\(")
ALLOCATES = re.compile(r"\b(malloc|calloc|realloc|strdup)\s*\(")
PROGRAMS = {"anchor/verify_main.c"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
# At the start of a line: a function's name before its parentheses, a variable's before its value.
EXTERNAL = re.compile(
    r"^(?!.*\b(?:static|typedef|extern)\b)[A-Za-z_][\w ]*[ *]\n?(\w+)(?:\([^;{]*\{|(?:\[\w*\])* = )",
    re.M)
COMMENT = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", re.S)


def sources():
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.[ch]"))


def externals(text):
    """Names that a .c file defines for all others."""
    return {found.group(1) for found in EXTERNAL.finditer(COMMENT.sub("", text))}


def doubles(definers):
    return [f"{name} is defined in {' and '.join(files)}"
            for name, files in sorted(definers.items()) if len(files) > 1]


def check_file(path, errors, graph, definers):
    name = path.relative_to(ROOT).as_posix()
    folder = name.split("/")[0]
    text = path.read_text()
    graph[name] = INCLUDE.findall(text)
    if path.suffix == ".c":
        for external in externals(text) - {"main"}:
            definers.setdefault(external, []).append(name)
    for include in graph[name]:
        if "/" in include and not include.startswith(ALLOWED[folder]):
            errors.append(f"{name}: includes {include}, which is not below {folder}")
        elif "/" not in include and not include.startswith(("v2_", "fhir_", "map_", "sql_")):
            errors.append(f"{name}: include \"{include}\" must start at the root")
    if folder != "gateway" and name not in PROGRAMS:
        code = COMMENT.sub("", text)
        for call in FORBIDDEN.finditer(code):
            errors.append(f"{name}: calls {call.group(1)}(), which belongs in gateway/")
        if folder in ("crypto", "anchor"):
            for call in ALLOCATES.finditer(code):
                errors.append(f"{name}: calls {call.group(1)}(); {folder}/ doesn't allocate")


def cycles(graph):
    done, stack, found = set(), [], []

    def visit(name):
        if name in stack:
            found.append(" -> ".join(stack[stack.index(name):] + [name]))
            return
        if name in done or name not in graph:
            return
        stack.append(name)
        for include in graph[name]:
            visit(include)
        stack.pop()
        done.add(name)

    for name in graph:
        visit(name)
    return found


def main():
    errors, graph, definers = [], {}, {}
    for path in sources():
        check_file(path, errors, graph, definers)
    errors += doubles(definers)
    errors += [f"header cycle: {cycle}" for cycle in cycles(graph)]
    for error in errors:
        print(error)
    print(f"layers: {len(graph)} files, {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
