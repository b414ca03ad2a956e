#!/usr/bin/env python3
"""Put the lines of a file into the program, each a struct str.

    lines.py OUT.c FILE NAME
"""

import sys

from schema import quote


def main():
    out, path, name = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file]
    with open(out, "w", encoding="utf-8") as file:
        file.write(f"/* Generated from {path.rpartition('/')[2]} by schemas/gen/lines.py. */\n"
                   '#include "crypto/base/str.h"\n\n'
                   f"extern const struct str {name}[];\n"
                   f"extern const size_t {name}_count;\n\n"
                   f"const struct str {name}[] = {{\n")
        for line in lines:
            text = quote(line).replace('\\0"', '"')
            file.write(f"    STR_INIT({text}),\n")
        file.write(f"}};\n\nconst size_t {name}_count = {len(lines)};\n")


if __name__ == "__main__":
    main()
