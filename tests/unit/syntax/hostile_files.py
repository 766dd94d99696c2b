"""Files that want to hurt: each text with the rule that must refuse it. Run as a program, it measures all of them.

The measuring child is forked for each file, so that its peak of memory is its own, libyaml's included.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time

MIB = 1 << 20
HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: a}\n"


def fill(piece: str, size: int = MIB) -> str:
    return piece * (size // len(piece.encode()))


def laughs() -> str:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    return "\n".join(lines)


def merges() -> str:
    lines = ["m0: &m0 {" + ", ".join(f"k{i}: 1" for i in range(2000)) + "}"]
    lines += [f"m{i}: &m{i} {{<<: *m{i - 1}, x{i}: 1}}" for i in range(1, 20)]
    return "\n".join(lines)


def aliased_depth() -> str:
    lines = ["a0: &a0 [[[[[[[[[[x]]]]]]]]]]"]
    lines += [f"a{i}: &a{i} [[[[[[[[[[*a{i - 1}]]]]]]]]]]" for i in range(1, 60)]
    return "\n".join(lines)


def indented() -> str:
    return "\n".join(" " * i + "a:" for i in range(1200))


def duplicates() -> str:
    return fill("a: 1\n")


def unknown_fields() -> str:
    return HEAD + "".join(f"workflowSpeck{i}: 1\n" for i in range(10_000)) + "spec: {}\n"


def many_anchors() -> str:
    return "".join(f"- &an{i} x\n" for i in range(15_000)) + "- *nothere\n"


# name -> (text or bytes, rule)
BOMBS: dict[str, tuple[str | bytes, str]] = {
    "billion laughs": (laughs(), "file-limit"),
    "quadratic aliases": ("a: &a [" + "x," * 9000 + "]\nb: [" + "*a," * 5000 + "]", "file-limit"),
    "long text aliased": ("a: &a '" + "x" * 400_000 + "'\nb: [" + "*a," * 1000 + "]", "file-limit"),
    "depth through aliases": (aliased_depth(), "file-limit"),
    "deep flow lists": ("[" * MIB, "file-limit"),
    "deep flow mappings": (fill("{a: "), "file-limit"),
    "deep flow of both": (fill("[{a: "), "file-limit"),
    "deep block lists": (fill("- "), "file-limit"),
    "deep block mappings": (indented(), "file-limit"),
    "deep explicit keys": (fill("? "), "yaml-key"),
    "deep json lists": (fill('{"a":['), "file-limit"),
    "deep json objects": (fill('{"a":'), "file-limit"),
    "too many blanks": (" " * 2 * MIB, "file-limit"),
    "too many comments": (fill("# comment\n", 20 * MIB), "file-limit"),
    "too many bytes": (b"a" * 20 * MIB, "file-limit"),
    "too many bytes in few characters": ("a: '" + "😀" * (MIB // 3) + "'", "file-limit"),
    "dense ones": ("a: [" + fill("1,", MIB - 10) + "1]", "file-limit"),
    "dense empties": ("a: [" + fill("[],", MIB - 10) + "[]]", "file-limit"),
    "dense mappings": ("a: [" + fill("{},", MIB - 10) + "{}]", "file-limit"),
    "dense json": ("[" + fill("0,", MIB - 10) + "0]", "file-limit"),
    "dense json empties": ("[" + fill("[],", MIB - 10) + "[]]", "file-limit"),
    "alias within its list": ("a: &a [*a]", "yaml-alias"),
    "alias within its mapping": ("a: &a {b: *a}", "yaml-alias"),
    "alias within its merge": ("a: &a {<<: *a}", "yaml-alias"),
    "unknown alias": ("a: *b", "yaml-alias"),
    "unknown alias beside many": (many_anchors(), "yaml-alias"),
    "merged merges": (merges(), "file-limit"),
    "merge of text": ("a: {<<: text}", "yaml-merge"),
    "merge of a list of text": ("a: {<<: [text]}", "yaml-merge"),
    "python object": ("a: !!python/object/apply:os.system ['true']", "yaml-tag"),
    "python name": ("a: !!python/name:os.system", "yaml-tag"),
    "python tuple": ("a: !!python/tuple [1]", "yaml-tag"),
    "local tag": ("a: !Ref b", "yaml-tag"),
    "local tag on a mapping": ("a: !Sub {b: c}", "yaml-tag"),
    "binary": ("a: !!binary aGVsbG8=", "yaml-tag"),
    "set": ("a: !!set {b, c}", "yaml-tag"),
    "ordered mapping": ("a: !!omap [b: c]", "yaml-tag"),
    "tag that lies": ("a: !!int text", "yaml-tag"),
    "tag handle": ("%TAG !e! tag:example.com,2000:\n---\na: !e!x b", "yaml-tag"),
    "undefined tag handle": ("a: !e!x b", "yaml-syntax"),
    "many tag handles": ("".join(f"%TAG !e{i}! tag:x\n" for i in range(40_000)) + "---\na: b", "file-limit"),
    "number of 5,000 digits": ("a: " + "9" * 5000, "file-limit"),
    "number of 100,000 hexadecimal digits": ("a: 0x" + "f" * 100_000, "file-limit"),
    "number of 500,000 underscores": ("a: 1" + "_" * 500_000, "file-limit"),
    "json number of 5,000 digits": ('{"a": ' + "9" * 5000 + "}", "file-limit"),
    "json number beyond a float": ('{"a": 1e999}', "yaml-number"),
    "infinity": ("a: .inf", "yaml-number"),
    "not a number": ("a: .NaN", "yaml-number"),
    "long plain text": ("a: " + "x" * (MIB - 10), "file-limit"),
    "long block text": ("a: |\n" + fill("  text text\n", MIB - 10), "file-limit"),
    "long empty block": ("a: |\n  x\n" + "\n" * (MIB - 20) + "  x\n", "file-limit"),
    "long quoted text": ('a: "' + fill("\\x41", MIB * 4 // 5) + fill("xxxxxxxx", MIB // 8) + '\n"', "kind-missing"),
    "long json text": ('{"a": "' + fill("\\n", MIB - 20) + '"}', "file-limit"),
    "long key": ("? " + "x" * 10_000 + "\n: 1", "file-limit"),
    "long json key": ('{"' + "x" * 10_000 + '": 1}', "file-limit"),
    "duplicate keys": (duplicates(), "yaml-duplicate-key"),
    "duplicate keys after resolving": ("y: 1\ntrue: 2", "yaml-duplicate-key"),
    "duplicate json keys": ("{" + fill('"a":1,', MIB - 100) + '"a":1}', "yaml-duplicate-key"),
    "unknown fields": (unknown_fields(), "field-unknown"),
    "many documents": (fill("---\n"), "file-limit"),
    "many documents of text": (fill("--- a\n"), "file-limit"),
    "no key": ("? \n: a", "yaml-key"),
    "list as a key": ("[a]: b", "yaml-key"),
    "tag of Argo without quotes": ("a: {{inputs.parameters.b}}", "yaml-key"),
    "NUL": ("a: b\0c", "file-encoding"),
    "bell": ("a: b\nc: \a", "file-encoding"),
    "byte order mark in the middle": ("a: b\ufeff", "file-encoding"),
    "half a character": ("a: \ud800", "file-encoding"),
    "not UTF-8": (b"a: b\nc: \xff\xfe", "file-encoding"),
    "cut UTF-8": ("a: ä".encode()[:-1], "file-encoding"),
    "UTF-16": ("a: b".encode("utf-16"), "file-encoding"),
    "UTF-32": ("a: b".encode("utf-32"), "file-encoding"),
    "binary file": (bytes(range(256)) * 100, "file-encoding"),
    "half a json character": ('{"a": "\\ud800"}', "json-syntax"),
    "open json": ('{"a": 1', "json-syntax"),
    "open json string": ('{"a": "' + "x" * (MIB - 100), "json-syntax"),
    "json with a tail": ('{"a": 1} {"b": 2}', "json-syntax"),
    "json with a comma too much": ('{"a": [1,]}', "json-syntax"),
    "tab as indentation": ("a:\n\tb: 1", "yaml-syntax"),
    "open quote": ("a: 'b\n" + fill("c: d\n", MIB // 2), "yaml-syntax"),
    "open double quote": ('a: "' + fill("c: d\n", MIB - 100), "yaml-syntax"),
    "open flow list": ("a: [b,\n", "yaml-syntax"),
    "colon too much": ("a: b: c", "yaml-syntax"),
    "unknown escape": ('a: "\\q"', "yaml-syntax"),
    "second version line": ("%YAML 1.1\n%YAML 1.1\n---\na: b", "yaml-syntax"),
    "future version": ("%YAML 3.0\n---\na: b", "yaml-syntax"),
}


def file_of(name: str) -> str:
    return "bomb.json" if "json" in name else "bomb.yaml"


def measure(name: str) -> dict[str, object]:
    """Read a bomb three times in this process: what was found, seconds of processor time, bytes that memory grew by."""
    from argosy.dialects import argo

    text = BOMBS[name][0]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds: list[float] = []
    loaded = None
    for _ in range(3):
        start = time.process_time()
        loaded = argo.load(text, file_of(name))
        seconds.append(time.process_time() - start)
    assert loaded is not None
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    found = [
        {"rule": one.rule, "message": one.message, "span": one.span and [one.span.line, one.span.column]}
        for one in loaded.diagnostics
        if one.severity == "error"
    ]
    return {"name": name, "seconds": min(seconds), "bytes": grown, "found": found}


def main() -> None:
    from argosy.dialects import argo

    argo.load(HEAD + "spec: {}\n", "warm.yaml")
    argo.load('{"a": 1}', "warm.json")
    for name in BOMBS:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            print(json.dumps(measure(name)), flush=True)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
