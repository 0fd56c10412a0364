#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Write gzip files that are damaged in every kind of place into a directory.

usage: corrupt-gzip.py DIRECTORY

KIND-NUMBER.gz is the file. KIND-NUMBER.out is what `gzip -dc` makes of it, there only if gzip
exits 0 without a warning: to be read without complaint is right for these files and no others.
KIND-NUMBER.part is all that can be decoded before the damage. `text` is what the files were made
of. The same files each time.
"""

import os
import random
import subprocess
import sys
import zlib

FHCRC, FEXTRA, FNAME, FCOMMENT = 2, 4, 8, 16


def lines(count, seed):
    """Lines that compress about as a log does."""
    numbers = random.Random(seed)
    return b"".join(
        b"%06d GET /item/%d %d\n" % (number, numbers.randrange(10**6), numbers.choice((200, 404)))
        for number in range(count)
    )


def member(text, level=9, flags=0):
    """One member of a gzip file, with the optional fields of the header that are asked for."""
    header = bytes((0x1F, 0x8B, 8, flags, 1, 2, 3, 4, 0, 3))
    if flags & FEXTRA:
        header += b"\x06\0ab\x02\0cd"
    if flags & FNAME:
        header += b"a name\0"
    if flags & FCOMMENT:
        header += b"a comment\0"
    if flags & FHCRC:
        header += (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little")
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
    trailer = zlib.crc32(text).to_bytes(4, "little") + len(text).to_bytes(4, "little")
    return header + deflate.compress(text) + deflate.flush() + trailer


def decodable(data):
    """All that can be decoded, byte by byte, up to the first thing that is wrong."""
    text = []
    while data[:3] == b"\x1f\x8b\x08":
        inflate = zlib.decompressobj(31)
        used = 0
        try:
            while used < len(data) and not inflate.eof:
                text.append(inflate.decompress(data[used : used + 1]))
                used += 1
        except zlib.error:
            break
        data = data[used:]
    return b"".join(text)


def flipped(data, bit):
    """The data with one bit inverted."""
    data = bytearray(data)
    data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


def cases(first, second):
    """Pairs of a kind and a file's bytes."""
    both = first + second
    seam = len(first)
    for place in sorted(
        {*range(40), *range(seam - 12, seam + 30), *range(len(both) - 12, len(both))}
        | {*range(40, len(both), 23)}
    ):
        yield "cut", both[:place]
    for number in range(200):
        yield "flip", flipped(both, number * len(both) * 8 // 200 + number % 8)
    for tail in (b"x", b"garbage\n", b"\x1f", b"\x1f\x8b", b"\x1f\x8b\x07\0", b"\x1f\x8b\x08\xe0"):
        yield "garbage", first + tail
        yield "garbage", first + b"\0" * 5 + tail
    yield "garbage", first + b"\0" + second
    for count in (1, 2, 3, 4, 511, 512, 100000):
        yield "padded", first + b"\0" * count
    yield "second", first + second[:10] + flipped(second[10:], 400)
    yield "second", first + second[:-8] + b"\0" * 8
    yield "whole", both
    yield "whole", member(b"")
    yield "whole", member(b"") + first + member(b"") + member(b"")
    yield "header", b"\x1f\x8b\x08\xff" + first[4:]
    whole = member(lines(9, 1), 9, FHCRC | FEXTRA | FNAME | FCOMMENT)
    yield "whole", whole
    for place in range(0, 60):
        yield "header", whole[:place]
        yield "header", flipped(whole, place * 8 + 5)
    for bit in range(0, 8 * 20, 3):  # without a checksum of the header
        yield "header", flipped(first, bit)
    # More than the decoders' windows hold.
    large = member(lines(20000, 3), 6) + member(lines(10000, 4), 1)
    yield "whole", large
    for number in range(7):
        place = len(large) * number // 7 + number
        yield "large", large[:place]
        yield "large", flipped(large, place * 8)


def main():
    """Write the files."""
    directory = sys.argv[1]
    os.makedirs(directory, exist_ok=True)
    text = lines(300, 2)
    with open(os.path.join(directory, "text"), "wb") as file:
        file.write(text)
    half = text.index(b"\n", len(text) // 2) - 5  # a record goes on in the second member
    made = set()
    for number, (kind, data) in enumerate(
        cases(member(text[:half], 9, FNAME), member(text[half:], 0))
    ):
        if (kind, data) in made:
            continue
        made.add((kind, data))
        path = os.path.join(directory, f"{kind}-{number:03d}")
        with open(path + ".gz", "wb") as file:
            file.write(data)
        with open(path + ".part", "wb") as file:
            file.write(decodable(data))
        result = subprocess.run(
            ["gzip", "-dc"], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        if result.returncode == 0:
            with open(path + ".out", "wb") as file:
                file.write(result.stdout)


main()
