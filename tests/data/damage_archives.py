#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Damage an archive in every kind of place and see what the program makes of it.

usage: damage_archives.py FORMAT PROGRAM

FORMAT is tar, zip, zip-streamed (sizes behind the data), zip-stored or 7z. The rules: with exit
status 0 the output is what the format's own tool gives, or what the archive was made of; all else
is exit status 3, whole records and a message. What is cut or has something behind it is never read
without a complaint, and a whole archive always is. Prints each case that breaks a rule; exit status
1 if there is one.
"""

import concurrent.futures
import io
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import zipfile

NAMES = ("one.log", "a directory/two.log", "three.log")


def lines(count, seed):
    """Lines that compress about as a log does."""
    numbers = random.Random(seed)
    return b"".join(
        b"%06d GET /item/%d %d\n" % (number, numbers.randrange(10**6), numbers.choice((200, 404)))
        for number in range(count)
    )


TEXTS = (lines(60, 1), lines(150, 2), lines(50, 3))


class Unseekable(io.RawIOBase):
    """Memory that can only be written on, which makes zipfile put sizes behind the data."""

    def __init__(self):
        self.bytes = b""

    def writable(self):
        return True

    def write(self, data):
        self.bytes += bytes(data)
        return len(data)


def make_tar():
    """In one file, with the owner and times of nobody."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, text in zip(NAMES, TEXTS):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return out.getvalue()


def make_zip(out, method):
    """Write one on `out`."""
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, text in zip(NAMES, TEXTS):
            archive.writestr(zipfile.ZipInfo(name), text, method)
    return out


def make_7z():
    """By its own tool."""
    with tempfile.TemporaryDirectory() as directory:
        for name, text in zip(NAMES, TEXTS):
            path = os.path.join(directory, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(text)
        subprocess.run(
            ["7zz", "a", "-bso0", "-bsp0", "-mtm-", "-mqs", "x.7z", *NAMES], cwd=directory, check=True
        )
        with open(os.path.join(directory, "x.7z"), "rb") as file:
            return file.read()


FORMATS = {
    "tar": (make_tar, ["tar", "-xOf"]),
    "zip": (lambda: make_zip(io.BytesIO(), zipfile.ZIP_DEFLATED).getvalue(), ["7zz", "x", "-so"]),
    "zip-streamed": (
        lambda: make_zip(Unseekable(), zipfile.ZIP_DEFLATED).bytes,
        ["7zz", "x", "-so"],
    ),
    "zip-stored": (
        lambda: make_zip(io.BytesIO(), zipfile.ZIP_STORED).getvalue(),
        ["7zz", "x", "-so"],
    ),
    "7z": (make_7z, ["7zz", "x", "-so"]),
}


def flipped(data, bit):
    """The data with one bit inverted."""
    data = bytearray(data)
    data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


def cases(name, whole):
    """Triples of a kind, a place and a file's bytes."""
    size = len(whole)
    nuls = size - len(whole.rstrip(b"\0")) if name == "tar" else 0
    cuts = {*range(512, size - nuls, 97), *range(size - nuls - 600, size - nuls, 7)}
    for place in sorted(cuts | {*range(size - 30, size)} if nuls == 0 else cuts):
        if place > 512:  # shorter ones may be text
            yield "cut", place, whole[:place]
    step = 1 if len(sys.argv) > 3 else size * 8 // 200
    for number in range(200 if step > 1 else size * 8):
        bit = number * step + number % 8 if step > 1 else number
        yield "flip", bit, flipped(whole, bit)
    for tail in (b"x", b"garbage\n", b"\0" * 5 + b"x", b"\0" * 1024 + whole, whole):
        yield "garbage", len(tail), whole + tail
    for count in (0, 1, 511, 512, 100000):
        yield "padded", count, whole + b"\0" * count


def tool_output(tool, path):
    """What the tool makes of the file, None if it complains."""
    result = subprocess.run([*tool, path], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return result.stdout if result.returncode == 0 else None


def run(program, way, path):
    """By name, as standard input, or on a pipe."""
    with open(path, "rb") as file:
        if way == "name":
            return subprocess.run([program, path], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if way == "stdin":
            return subprocess.run([program], stdin=file, capture_output=True, check=False)
        return subprocess.run([program], input=file.read(), capture_output=True, check=False)


def is_right(output, *outputs):
    """A line feed that is missing at the end of a member is added."""
    output = output.replace(b"\n", b"")
    return any(each is not None and each.replace(b"\n", b"") == output for each in outputs)


def judge(kind, result, tool, path, text, data):
    """What is wrong, or None."""
    if result.returncode not in (0, 3):
        return f"exit status {result.returncode}"
    if result.returncode == 3 and not result.stderr.startswith(b"pproc: "):
        return "no message"
    if result.returncode == 3 and result.stdout and not result.stdout.endswith(b"\n"):
        return "a torn record"
    if kind in ("cut", "garbage") and result.returncode == 0:
        return "no complaint"
    if kind == "garbage" and result.stdout != text:
        return "records are missing"
    if kind == "cut" and not text.startswith(result.stdout):
        return "other bytes"
    if kind == "padded" and (result.returncode != 0 or result.stdout != text):
        return "is refused, and must be read"
    # With a wrong bit in its first bytes it is no archive.
    if result.returncode == 0 and not (
        is_right(result.stdout, text, data) or is_right(result.stdout, tool_output(tool, path))
    ):
        return "other bytes"
    return None


def check(case, directory, tool, text, program, way):
    """Print what is wrong with this case. Returns whether anything is."""
    kind, place, data = case
    path = os.path.join(directory, f"{kind}-{place}-{way}.{sys.argv[1][:3].rstrip('-')}")
    with open(path, "wb") as file:
        file.write(data)
    result = run(program, way, path)
    wrong = judge(kind, result, tool, path, text, None if way == "name" else data)
    os.remove(path)
    if wrong is not None:
        print(f"{way}: {kind} at {place}: {wrong}: {result.stderr.decode(errors='replace').strip()}")
    return wrong is not None


def main():
    """Check all cases."""
    make, tool = FORMATS[sys.argv[1]]
    whole = make()
    step = 8 if os.environ.get("SANITIZER") == "thread" else 1  # slow, and threads do the same in all
    ways = ["name", "pipe"] if sys.argv[1] != "7z" else ["name", "stdin"]
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "whole")
        with open(path, "wb") as file:
            file.write(whole)
        text = tool_output(tool, path)  # members of 7z may be sorted
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            done = [
                pool.submit(check, case, directory, tool, text, os.path.abspath(sys.argv[2]), way)
                for way in ways
                for case in [*cases(sys.argv[1], whole)][::step]
            ]
            wrong = sum(each.result() for each in done)
    print(f"{len(done)} cases, {wrong} wrong")
    return 1 if wrong else 0


sys.exit(main())
