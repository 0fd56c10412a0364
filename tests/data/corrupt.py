#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Write compressed files that are damaged in every kind of place into a directory.

usage: corrupt.py FORMAT DIRECTORY

KIND-NUMBER.SUFFIX is the file. KIND-NUMBER.out is what it holds, there only if the format's own
tool reads the file without a complaint, or if nothing but NULs follows its end: to be read without
complaint is right for these files and no others. KIND-NUMBER.part is all that can be decoded before
the damage. `text` is what the files were made of. The same files each time.
"""

import bz2
import concurrent.futures
import ctypes
import lzma
import os
import random
import subprocess
import sys
import zlib

def lines(count, seed):
    """Lines that compress about as a log does."""
    numbers = random.Random(seed)
    return b"".join(
        b"%06d GET /item/%d %d\n" % (number, numbers.randrange(10**6), numbers.choice((200, 404)))
        for number in range(count)
    )


def flipped(data, bit):
    """The data with one bit inverted."""
    data = bytearray(data)
    data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


def filtered(command, data):
    """What the command makes of the data."""
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def read_by_tool(tool, data):
    """What a format's own tool makes of the data, None if it complains."""
    result = subprocess.run(tool, input=data, capture_output=True, check=False)
    return result.stdout if result.returncode == 0 and not result.stderr else None


def pieces(decompressor, byte):
    """What comes out for one byte more, in pieces: when it raises all of a piece is lost."""
    if not isinstance(decompressor, lzma.LZMADecompressor):
        yield decompressor.decompress(byte)  # of bzip2, a block whose checksum is right, or nothing
        return
    yield decompressor.decompress(byte, 1)
    while not decompressor.eof and not decompressor.needs_input:
        yield decompressor.decompress(b"", 1)


def fed(decompressor, data, text):
    """Feed the data byte by byte; what comes out goes to `text`. Bytes used at the end, or None."""
    try:
        for used in range(len(data)):
            for piece in pieces(decompressor, data[used : used + 1]):
                text.append(piece)
            if decompressor.eof:
                return used + 1
    except (OSError, lzma.LZMAError, zlib.error):
        pass
    return None


class Format:
    """What the formats have in common. A member is what may be followed by another one."""

    magic = b""
    new = None  # makes a decompressor of one member

    def decodable(self, data):
        """All that can be decoded, up to the first thing that is wrong."""
        text, used = [], 0
        while used is not None and data.startswith(self.magic):
            used = fed(self.new(), data, text)
            data = data[used or 0 :]
        return b"".join(text)

    def readable(self, kind, data):
        """All that it holds, None if it must be refused."""
        if kind == "padded":
            return self.decodable(data)
        # To be cut, or to have something behind it, is damage, whatever the tool says.
        return None if kind in ("cut", "garbage") else read_by_tool(self.tool, data)

    def special(self):
        """Pairs of a kind and a file's bytes that only this format has."""
        return []

    def cases(self, text):
        """Pairs of a kind and a file's bytes."""
        half = text.index(b"\n", len(text) // 2) - 5  # a record goes on in the second member
        first, second = self.first(text[:half]), self.second(text[half:])
        both = first + second
        seam = len(first)
        yield "seam", first
        for place in sorted(
            {*range(1, 30), *range(seam - 12, seam + 30), *range(len(both) - 12, len(both))}
            | {*range(30, len(both), 53)}
        ):
            if place != seam:
                yield "cut", both[:place]
        for number in range(200):
            yield "flip", flipped(both, number * len(both) * 8 // 200 + number % 8)
        for tail in (b"x", b"garbage\n", *self.tails):
            yield "garbage", first + tail
            yield "garbage", first + b"\0" * 5 + tail
        for count in (1, 2, 3, 4, 511, 512, 100000):
            yield "padded", first + b"\0" * count
        yield "second", first + second[:20] + flipped(second[20:], 400)
        yield "second", first + second[:-8] + b"\0" * 8
        nothing = self.first(b"")
        yield "whole", both
        yield "whole", nothing
        yield "whole", nothing + first + nothing + nothing
        yield from self.special()
        # More than the decoders' windows hold.
        large = self.large(lines(12000, 3)) + self.large(lines(6000, 4))
        yield "whole", large
        for number in range(1, 7):
            place = len(large) * number // 7 + number
            yield "large", large[:place]
            yield "large", flipped(large, place * 8)

class Gzip(Format):
    suffix, tool, magic = "gz", ["gzip", "-dc"], b"\x1f\x8b\x08"
    tails = (b"\x1f", b"\x1f\x8b", b"\x1f\x8b\x07\0", b"\x1f\x8b\x08\xe0")

    fhcrc, fextra, fname, fcomment = 2, 4, 8, 16

    def new(self):
        return zlib.decompressobj(31)

    def member(self, text, level=9, flags=0):
        """With the optional fields of the header that are asked for."""
        header = bytes((0x1F, 0x8B, 8, flags, 1, 2, 3, 4, 0, 3))
        if flags & self.fextra:
            header += b"\x06\0ab\x02\0cd"
        if flags & self.fname:
            header += b"a name\0"
        if flags & self.fcomment:
            header += b"a comment\0"
        if flags & self.fhcrc:
            header += (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little")
        deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
        trailer = zlib.crc32(text).to_bytes(4, "little") + len(text).to_bytes(4, "little")
        return header + deflate.compress(text) + deflate.flush() + trailer

    def first(self, text):
        return self.member(text, 9, self.fname)

    def second(self, text):
        return self.member(text, 0)

    def large(self, text):
        return self.member(text, 6)

    def special(self):
        first = self.first(lines(150, 2))
        yield "garbage", first + b"\0" + first
        yield "header", b"\x1f\x8b\x08\xff" + first[4:]
        flags = self.fhcrc | self.fextra | self.fname | self.fcomment
        whole = self.member(lines(9, 1), 9, flags)
        yield "whole", whole
        for place in range(1, 60):
            yield "header", whole[:place]
            yield "header", flipped(whole, place * 8 + 5)
        for bit in range(0, 8 * 20, 3):  # without a checksum of the header
            yield "header", flipped(first, bit)


class Bzip2(Format):
    suffix, tool, magic = "bz2", ["bzip2", "-dc"], b"BZh"
    tails = (b"B", b"BZ", b"BZh", b"BZh0")

    def new(self):
        return bz2.BZ2Decompressor()

    def first(self, text):
        return bz2.compress(text, 1)

    second = first
    large = first  # in many blocks

    def special(self):
        first = self.first(lines(150, 2))
        yield "garbage", first + b"\0" + first


class Xz(Format):
    suffix, tool, magic = "xz", ["xz", "-dc"], b"\xfd7zXZ\0"
    tails = (b"\xfd", b"\xfd7zXZ", b"\xfd7zXZ\1")

    def new(self):
        return lzma.LZMADecompressor(lzma.FORMAT_XZ)

    def decodable(self, data):
        text, used = [], 0
        while used is not None and data.startswith(self.magic):
            used = fed(self.new(), data, text)
            data = data[used or 0 :]
            padding = len(data) - len(data.lstrip(b"\0"))
            data = data[padding // 4 * 4 :]
        return b"".join(text)

    def first(self, text):
        return lzma.compress(text, check=lzma.CHECK_CRC32)

    def second(self, text):
        return filtered(["xz", "-c", "-0", "-T2", "--block-size=2000"], text)

    def large(self, text):
        return filtered(["xz", "-c", "-T2", "--block-size=200000"], text)

    def special(self):
        text = lines(100, 2)
        first, second = self.first(text), self.second(text)
        yield "whole", first + b"\0" * 4 + second
        yield "whole", first + b"\0" * 512 + second
        yield "garbage", first + b"\0" + second
        yield "garbage", first + b"\0" * 6 + second
        yield "whole", lzma.compress(text, check=lzma.CHECK_NONE)
        yield "whole", lzma.compress(text, check=lzma.CHECK_SHA256)
        # A checksum of another kind and the same size.
        flags = b"\0\2"
        header = self.magic + flags + zlib.crc32(flags).to_bytes(4, "little")
        footer = first[-8:-4] + flags
        footer = zlib.crc32(footer).to_bytes(4, "little") + footer + b"YZ"
        yield "unverified", header + first[len(header) : -len(footer)] + footer


class Lzip(Format):
    suffix, tool, magic = "lz", ["lzip", "-dc", "--trailing-error"], b"LZIP"
    tails = (b"L", b"LZI", b"LZIp")

    def decodable(self, data):
        text = []
        while data[:5] == b"LZIP\1" and len(data) > 6:
            bits, fraction = data[5] & 31, data[5] >> 5
            if not 12 <= bits <= 29:
                break
            size = (1 << bits) - (1 << bits >> 4) * fraction
            options = {"id": lzma.FILTER_LZMA1, "dict_size": max(size, 4096)}
            member = []
            used = fed(lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[options]), data[6:], member)
            text += member
            plain = b"".join(member)
            if used is None or data[6 + used :][:20] != (
                zlib.crc32(plain).to_bytes(4, "little")
                + len(plain).to_bytes(8, "little")
                + (used + 26).to_bytes(8, "little")
            ):
                break
            data = data[used + 26 :]
        return b"".join(text)

    def first(self, text):
        return filtered(["lzip", "-c"], text)

    def second(self, text):
        return filtered(["lzip", "-c", "-0"], text)

    large = first

    def special(self):
        first = self.first(lines(150, 2))
        yield "garbage", first + b"\0" + first


class Compress(Format):
    """gzip is its tool, which complains of more than compress does."""

    suffix, tool = "Z", ["gzip", "-dc"]

    def decodable(self, data):
        """The tool writes all that comes before the damage."""
        return subprocess.run(self.tool, input=data, capture_output=True, check=False).stdout

    def readable(self, kind, data):
        """No tool looks at the bits behind the last code, where a cut may show."""
        out = read_by_tool(self.tool, data)
        return None if out is not None and self.rest(data) != 0 else out

    def rest(self, data):
        """What is behind the last whole code, as a number."""
        width_max, block_mode, data = data[2] & 31, data[2] & 128, data[3:]
        first = 257 if block_mode else 256
        place, width, codes, entries = 0, 9, 0, first - 1  # the first code makes no entry
        while True:
            if entries >> width and width < max(width_max, 10):
                place, codes, width = place + -codes % 8 * width, 0, width + 1
            bits = int.from_bytes(data[place // 8 : place // 8 + 4], "little") >> place % 8
            if place + width > len(data) * 8:
                return bits
            code = bits & (1 << width) - 1
            place, codes = place + width, codes + 1
            if block_mode and code == 256:
                place, codes, width, entries = place + -codes % 8 * width, 0, 9, first - 1
            elif entries < 1 << width_max:
                entries += 1

    def cases(self, text):
        def pack(data, bits=16):
            return filtered(["compress", "-fc", "-b", str(bits)], data)

        packed = pack(text, 12)
        for place in sorted({*range(3, 40), *range(40, len(packed), 23)}):
            yield "cut", packed[:place]
        for number in range(200):
            yield "flip", flipped(packed, number * len(packed) * 8 // 200 + number % 8)
        for count in (1, 2, 3, 512, 1000):
            yield "padded", packed + b"\0" * count
        mixed = lines(2000, 5) + random.Random(6).randbytes(60000) + bytes(200000)
        for bits in range(9, 17):  # what compress makes with 9 bits nobody reads
            yield "whole", pack(mixed, bits)
            plain = pack(random.Random(7).randbytes(200), bits)
            yield "whole", plain[:2] + bytes((bits,)) + plain[3:]  # CLEAR is a code like others
        for size in (*range(300), 511, 512, 513, 1023, 1024, 1025, 65536):
            yield "whole", pack(mixed[:size])
        large = pack(mixed)
        for number in range(1, 20):
            place = len(large) * number // 20 + number
            yield "large", large[:place]
            yield "large", flipped(large, place * 8)


class Frames(Format):
    """zstd and lz4: their libraries are called, so that the sizes of blocks are known."""

    skipped = b"\x53\x2a\x4d\x18" + b"\x05\0\0\0" + b"aside"

    def decodable(self, data):
        text = []
        while data and self.begins(data):
            decode, used, wanted = self.new(), 0, 1
            while used < len(data):
                # Bytewise where a block ends; all the way it would take seconds.
                step = 64 if wanted > 80 else 1
                out, taken, wanted = decode(data[used : used + step])
                text.append(out)
                if wanted is None:  # it is wrong
                    return b"".join(text)
                used += taken
                if wanted == 0:
                    break
            data = data[used:]
        return b"".join(text)

    def begins(self, data):
        return data.startswith(self.magic) or (data[0] & 0xF0 == 0x50 and data[1:4] == b"\x2aM\x18")

    def special(self):
        first, second = self.first(lines(100, 2)), self.second(lines(100, 3))
        yield "garbage", first + b"\0" + second
        yield "whole", first + self.skipped + second
        yield "whole", first + self.skipped + self.skipped
        for place in range(1, len(self.skipped)):
            yield "cut", first + self.skipped[:place]


class Buffer(ctypes.Structure):
    """ZSTD_inBuffer and ZSTD_outBuffer."""

    _fields_ = [("at", ctypes.c_void_p), ("size", ctypes.c_size_t), ("used", ctypes.c_size_t)]


class Zstd(Frames):
    suffix, tool, magic = "zst", ["zstd", "-dc"], b"\x28\xb5\x2f\xfd"
    tails = (b"\x28", b"\x28\xb5\x2f", b"\x28\xb5\x2f\xfe", b"\x50\x2a\x4d\x17")
    room = 1 << 18

    def __init__(self):
        self.lib = ctypes.CDLL("libzstd.so.1")
        self.lib.ZSTD_createDCtx.restype = ctypes.c_void_p
        self.lib.ZSTD_createCCtx.restype = ctypes.c_void_p
        self.lib.ZSTD_decompressStream.restype = ctypes.c_size_t
        self.lib.ZSTD_compressStream2.restype = ctypes.c_size_t

    def new(self):
        context = ctypes.c_void_p(self.lib.ZSTD_createDCtx())
        room = ctypes.create_string_buffer(self.room)

        def decode(piece):
            source = ctypes.create_string_buffer(piece, len(piece))
            data = Buffer(ctypes.addressof(source), len(piece), 0)
            out = Buffer(ctypes.addressof(room), self.room, 0)
            wanted = self.lib.ZSTD_decompressStream(
                context, ctypes.byref(out), ctypes.byref(data)
            )
            wrong = self.lib.ZSTD_isError(ctypes.c_size_t(wanted))
            if wrong or wanted == 0:
                self.lib.ZSTD_freeDCtx(context)
            return room[: out.used], data.used, None if wrong else wanted

        return decode

    def first(self, text, block=1500):
        """In blocks of this size, with a checksum."""
        checksum, flush, end = 201, 1, 2
        context = ctypes.c_void_p(self.lib.ZSTD_createCCtx())
        self.lib.ZSTD_CCtx_setParameter(context, checksum, 1)
        room = ctypes.create_string_buffer(len(text) + 4096)
        out = Buffer(ctypes.addressof(room), len(room), 0)
        for place in range(0, max(1, len(text)), block):
            source = ctypes.create_string_buffer(text[place : place + block])
            data = Buffer(ctypes.addressof(source), len(source) - 1, 0)
            what = flush if place + block < len(text) else end
            self.lib.ZSTD_compressStream2(context, ctypes.byref(out), ctypes.byref(data), what)
        self.lib.ZSTD_freeCCtx(context)
        return room.raw[: out.used]

    def second(self, text):
        return filtered(["zstd", "-qc", "--no-check"], text)

    def large(self, text):
        return filtered(["zstd", "-qc"], text)

    def special(self):
        yield from super().special()
        text = lines(10, 1)
        block = (len(text) << 3 | 1).to_bytes(3, "little") + text  # raw, the last one
        yield "whole", self.magic + b"\0\x88" + block  # a window of 128 MiB
        yield "window", self.magic + b"\0\x89" + block  # of more


class Lz4(Frames):
    suffix, tool, magic = "lz4", ["lz4", "-dc"], b"\x04\x22\x4d\x18"
    tails = (b"\x04", b"\x04\x22\x4d", b"\x04\x22\x4d\x17", b"\x50\x2a\x4d\x17")
    room = 1 << 18

    def __init__(self):
        self.lib = ctypes.CDLL("liblz4.so.1")
        self.lib.LZ4F_decompress.restype = ctypes.c_size_t

    def new(self):
        context = ctypes.c_void_p()
        self.lib.LZ4F_createDecompressionContext(ctypes.byref(context), 100)
        room = ctypes.create_string_buffer(self.room)

        def decode(piece):
            used, out = ctypes.c_size_t(len(piece)), ctypes.c_size_t(self.room)
            wanted = self.lib.LZ4F_decompress(
                context, room, ctypes.byref(out), piece, ctypes.byref(used), None
            )
            wrong = self.lib.LZ4F_isError(ctypes.c_size_t(wanted))
            if wrong or wanted == 0:
                self.lib.LZ4F_freeDecompressionContext(context)
            return room[: out.value], used.value, None if wrong else wanted

        return decode

    def first(self, text):
        return filtered(["lz4", "-qc", "-B1500", "-BD"], text)

    def second(self, text):
        return filtered(["lz4", "-qc", "-B4", "-BX", "--content-size", "--no-frame-crc"], text)

    def large(self, text):
        return filtered(["lz4", "-qc", "-B4"], text)


def write(form, stem, kind, data):
    """Write the files of one case."""
    contents = (form.suffix, data), ("part", form.decodable(data)), ("out", form.readable(kind, data))
    for suffix, content in contents:
        if content is not None:
            with open(f"{stem}.{suffix}", "wb") as file:
                file.write(content)


def main():
    """Write the files."""
    formats = {
        "bzip2": Bzip2,
        "compress": Compress,
        "gzip": Gzip,
        "lz4": Lz4,
        "lzip": Lzip,
        "xz": Xz,
        "zstd": Zstd,
    }
    form, directory = formats[sys.argv[1]](), sys.argv[2]
    os.makedirs(directory, exist_ok=True)
    text = lines(300, 2)
    with open(os.path.join(directory, "text"), "wb") as file:
        file.write(text)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        done = [
            pool.submit(write, form, os.path.join(directory, f"{kind}-{number:03d}"), kind, data)
            for number, (kind, data) in enumerate(dict.fromkeys(form.cases(text)))
        ]
        for each in done:
            each.result()


main()
