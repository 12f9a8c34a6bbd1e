#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Lists what was skipped in the last test run and why: skips.py BUILD-FOLDER. Reads pytest's results/*.xml, node's
results/*.tap, and the words of the C programs in ctest's log."""
import collections
import pathlib
import re
import sys
import xml.etree.ElementTree


def of_pytest(folder):
    for path in sorted(folder.glob("results/*.xml")):
        try:
            cases = xml.etree.ElementTree.parse(path).iter("testcase")
        except xml.etree.ElementTree.ParseError:
            continue  # the program was killed: ctest says so
        for case in cases:
            for skipped in case.findall("skipped"):
                yield path.stem.replace("-", "/", 1), case.get("name"), skipped.get("message") or "no reason given"


def of_node(folder):
    for path in sorted(folder.glob("results/*.tap")):
        for name, reason in re.findall(r"^\s*(?:not )?ok \d+ - (.*?) # SKIP ?(.*)$", path.read_text(errors="replace"), re.M):
            yield path.stem.replace("-", "/", 1), name, reason or "no reason given"


def of_programs(folder):
    """cmocka's "[  SKIPPED ] name" in the part of each test; the reason is the line before, where that is none of cmocka's."""
    log = folder / "Testing" / "Temporary" / "LastTest.log"
    if not log.exists():
        return
    parts = re.split(r"^\d+/\d+ Testing: ", log.read_text(errors="replace"), flags=re.M)
    for lines in (part.splitlines() for part in parts[1:]):
        seen = set()
        for before, line in zip(lines, lines[1:]):
            match = re.match(r"\[  SKIPPED \] (?!\d+ test)(\S+?)[,.]?$", line)
            if match and match[1] not in seen:
                seen.add(match[1])
                yield lines[0], match[1], "no reason given" if before.startswith("[ ") else before.strip()
        if "Test Skipped." in lines and not seen:
            words = [line.strip() for line in lines if "skip" in line.lower() and line != "Test Skipped."]
            yield lines[0], "all of it", words[0] if words else "no reason given"


def main():
    folder = pathlib.Path(sys.argv[1])
    reasons = collections.defaultdict(list)
    for test, name, reason in [*of_pytest(folder), *of_node(folder), *of_programs(folder)]:
        reasons[reason].append(f"{test}: {name}")
    total = sum(map(len, reasons.values()))
    print(f"\nSkipped: {total} test{'' if total == 1 else 's'}{':' if total else ''}")
    for reason, names in sorted(reasons.items()):
        print(f"  {len(names)} because: {reason}")
        for name in names:
            print(f"      {name}")
    print()


if __name__ == "__main__":
    main()
