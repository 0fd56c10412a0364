#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every mode of COMMAND x every way in which a child goes wrong x order x retries, held against a
model of what comes of it: output, dead letters, account, exit status. A line of TAP for each cell.

`make check` runs it. By hand: tests/cli/matrix.py [WORD...] runs the cells whose names have all of
the words, with the program that was built in the source tree.
"""

import json
import math
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("builddir", TOP)
PPROC = os.environ.get("PPROC", BUILD + "/src/pproc")
ACTOR = BUILD + "/tests/helper/actor"
SANITIZED = bool(os.environ.get("SANITIZER"))

MODES = ("each", "batch", "coproc")
RECORDS = 24
BATCH = 8  # records
TAIL = 4096  # bytes of an output that a dead letter keeps
SAMPLES = 16  # records of a batch that run before the rest of them is given up
TIMEOUT = 5 if SANITIZED else 2  # seconds
WORKERS = 3
SIDE_BY_SIDE = 4 * len(os.sched_getaffinity(0))  # cells; most of them wait


@dataclass
class Failure:
    """What a dead letter says, but for what says itself."""

    error: str
    status: int = None
    signal: int = None
    out: str = ""
    err: str = ""
    retriable: bool = True


@dataclass
class Record:
    """A record, and what the process that gets it does."""

    line: bytes
    output: bytes = b""
    failure: Failure = None
    ends: bool = False  # the process ends there, though what follows was not read
    once: bool = False  # it goes well when it is run again

    def stops(self):
        return self.ends or self.failure is not None


@dataclass
class Case:
    """A way to go wrong, in one mode."""

    records: list
    options: list = field(default_factory=list)
    command: list = None
    orphans: str = None  # the file of their process ids
    orphans_live: bool = False


def plain(number):
    line = b"record %d, as it is" % number
    return Record(line, line + b"\n")


def acts(actions, **effects):
    return Record(b"!" + actions.encode(), **effects)


def spread(make, places=(0, 6, 7, 13, RECORDS - 1)):
    """Plain records, but for some: the first, neighbours, the last."""
    return [make(i) if i in places else plain(i) for i in range(RECORDS)]


FEW = (6, RECORDS - 1)  # places of what takes its time


# --- the ways to go wrong. Each gives a Case, or None where there is no such thing.


def part_of_output(mode):
    """What a process writes before it fails. A whole line would answer the record."""
    return ("raw=part", "part") if mode == "coproc" else ("out=part", "part\n")


def exits(mode, where, status=7):
    part, out = part_of_output(mode)
    failure = Failure("exit", status=status, out=out, err="why\n")
    return Case(spread(lambda i: acts(f"{part} err=why exit={status}", failure=failure)))


def exits_255(mode, where):
    return exits(mode, where, 255)


def dies_of_signal(mode, where):
    def make(i):
        number = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)[i % 4]
        return acts(f"kill={number:d}", failure=Failure("signal", signal=int(number)))

    return Case(spread(make))


def times_out(mode, where):
    part, out = part_of_output(mode)
    failure = Failure("timeout", out=out)
    return Case(
        spread(lambda i: acts(f"{part} hang", failure=failure), FEW), [f"--timeout={TIMEOUT}"]
    )


def times_out_deaf(mode, where):
    """SIGTERM does nothing to it."""
    failure = Failure("timeout")
    return Case(
        spread(lambda i: acts("ignore=15 hang", failure=failure), FEW[:1]),
        [f"--timeout={TIMEOUT}", "--kill-after=100ms"],
    )


def bad_script(where):
    path = where + "/script"
    with open(path, "w") as script:
        script.write("#!/nonexistent/interpreter\n")
    os.chmod(path, 0o755)
    return path


def cannot_exec(mode, where):
    script = bad_script(where)
    failure = Failure("spawn")
    if mode != "each":
        return Case(
            [Record(plain(i).line, failure=failure) for i in range(RECORDS)], [], [script, "lines"]
        )

    def make(i):
        program = script if i % 2 else "/nonexistent/program"
        return Record(f"{program}\t{i}".encode(), failure=failure)

    records = [
        record if record.failure else Record(f"{ACTOR}\t{i}".encode(), f"{i}\n".encode())
        for i, record in enumerate(spread(make))
    ]
    return Case(records, ["-C", r"\t"], ["{1}", "line={2}"])


def in_an_argument(mode, line):
    """It does not fit into an argument; on standard input it is like any other."""
    if mode == "each":
        return Record(line, failure=Failure("spawn", retriable=False))
    return Record(line, line + b"\n")


def too_long(mode, where):
    return Case(spread(lambda i: in_an_argument(mode, b"%0131072d" % i)))


def nul(mode, where):
    return Case(spread(lambda i: in_an_argument(mode, b"%d\0%d" % (i, i))))


def no_answer(mode, where):
    if mode != "coproc":
        return None
    return Case(spread(lambda i: acts("exit=0", failure=Failure("protocol"))))


def too_many_answers(mode, where):
    """Only behind the last record is it known which reply is one too many."""
    if mode != "coproc":
        return None
    failure = Failure("protocol", out="a\nb\n")
    return Case(spread(lambda i: acts("raw=a\\nb\\n exit=0", failure=failure), (RECORDS - 1,)))


def closes_early(mode, where):
    """It has what it wants, and what it does not read is more than a pipe holds."""
    if mode == "coproc":
        return None
    records = spread(lambda i: acts("out=enough close=0 close=1 close=2 exit=0",
                                    output=b"enough\n", ends=True))
    if mode == "batch":
        for i in (1, 14):
            records[i] = in_an_argument(mode, b"%0200000d" % i)
    return Case(records)


def closes_early_and_fails(mode, where):
    failure = Failure("exit", status=3)
    return Case(spread(lambda i: acts("close=0 close=1 close=2 exit=3", failure=failure)))


def flood_of(amount):
    return b"".join(b"%063d\n" % i for i in range(math.ceil(amount / 64)))


def floods(mode, where):
    if mode == "coproc":
        return None
    return Case(spread(lambda i: acts("flood=1000000", output=flood_of(1000000))))


def floods_and_fails(mode, where):
    if mode == "coproc":
        return None
    tail = flood_of(300000)[-TAIL:].decode()
    failure = Failure("exit", status=3, out=tail, err=tail)
    return Case(spread(lambda i: acts("flood=300000 flood-err=300000 exit=3", failure=failure)))


def no_newline(mode, where):
    return Case(spread(lambda i: acts("raw=end exit=0", output=b"end\n", ends=mode != "coproc")))


def leaves_one(mode, where):
    """Success, and something left behind holds the output open."""
    if mode == "coproc":
        return None
    pids = where + "/pids"
    record = acts(f"out=done pids={pids} orphan=600 exit=0", output=b"done\n", ends=True)
    return Case(spread(lambda i: record, FEW), orphans=pids, orphans_live=True)


def leaves_one_and_fails(mode, where):
    pids = where + "/pids"
    failure = Failure("exit", status=3)
    record = acts(f"pids={pids} orphan=600 exit=3", failure=failure)
    return Case(spread(lambda i: record, FEW), orphans=pids)


def fails_once(mode, where):
    if mode == "coproc":
        return None

    # One in each batch, where it fails in the run of the whole batch.
    def make(i):
        return acts(f"once={where}/{i} out=again", output=b"again\n", once=True,
                    failure=Failure("exit", status=1))

    return Case(spread(make, (0, 13, RECORDS - 1)))


def fails_always(mode, where):
    """A command that does nothing well: of a batch only some records are tried."""
    failure = Failure("exit", status=7)
    records = [acts("exit=7", failure=failure) for _ in range(RECORDS)]
    return Case(records, [f"--batch-lines={RECORDS}"] if mode == "batch" else [])


WAYS = {
    "exits with 7": exits,
    "exits with 255": exits_255,
    "dies of a signal": dies_of_signal,
    "times out": times_out,
    "times out and ignores SIGTERM": times_out_deaf,
    "cannot be executed": cannot_exec,
    "gets an argument that is too long": too_long,
    "gets a NUL": nul,
    "gives no answer": no_answer,
    "gives too many answers": too_many_answers,
    "closes everything early": closes_early,
    "closes everything early and fails": closes_early_and_fails,
    "floods": floods,
    "floods and fails": floods_and_fails,
    "gives no last newline": no_newline,
    "leaves a process that holds its output": leaves_one,
    "leaves a process that holds its output and fails": leaves_one_and_fails,
    "fails once": fails_once,
    "fails always": fails_always,
}


# --- the model


@dataclass
class Letter:
    nr: int
    record: Record
    attempts: int


@dataclass
class Outcome:
    pieces: list = field(default_factory=list)  # outputs, each of one process
    letters: list = field(default_factory=list)
    retried: int = 0


def run_alone(outcome, nr, record, retries, fresh):
    """All attempts of one record. `fresh`: it was not run before."""
    if record.failure is None or (record.once and not fresh):
        outcome.pieces.append(record.output)
        return
    more = retries if record.failure.retriable else 0
    outcome.retried += more > 0
    if record.once and more > 0:
        outcome.pieces.append(record.output)
    else:
        outcome.letters.append(Letter(nr, record, 1 + more))


def run_batch(outcome, first_nr, records, retries):
    """It comes to each record alone, if that of any fails; or to what the process wrote."""
    if any(record.failure for record in records):
        before = len(outcome.letters)
        tried = before + (SAMPLES if all(record.failure for record in records) else len(records))
        for i, record in enumerate(records):
            run_alone(outcome, first_nr + i, record, retries, False)
        for letter in outcome.letters[tried:]:
            letter.attempts = 0
            outcome.retried -= retries > 0
        return
    output = b""
    for record in records:
        output += record.output
        if record.ends:
            break
    outcome.pieces.append(output)


def model(mode, case, retries):
    outcome = Outcome()
    if mode == "batch":
        sizes = [int(o.split("=")[1]) for o in case.options if o.startswith("--batch-lines=")]
        size = sizes[0] if sizes else BATCH
        for i in range(0, len(case.records), size):
            run_batch(outcome, i + 1, case.records[i : i + size], retries)
    else:
        for i, record in enumerate(case.records):
            run_alone(outcome, i + 1, record, retries, True)
    return outcome


# --- what is, against what should be


class Wrong(Exception):
    pass


def expect(what, actual, expected):
    if actual != expected:
        raise Wrong(f"{what}: {str(actual)[:600]!s}\n  instead of {str(expected)[:600]!s}")


def check_output(output, pieces, order):
    if order == "-k":
        expect("output", output, b"".join(pieces))
        return
    expect("output", sorted(output.split(b"\n")), sorted(b"".join(pieces).split(b"\n")))
    torn = [piece for piece in pieces if piece not in output]
    expect("outputs that are torn", torn, [])


def text_of(letter):
    expect("encoding", letter["encoding"], "utf-8")
    return letter["record"].encode()


def check_letters(path, letters, offsets, order):
    with open(path) as file:
        actual = [json.loads(line) for line in file]
    if order == "-u":
        actual.sort(key=lambda letter: letter["nr"])
    expect("mode of the dead letters", os.stat(path).st_mode & 0o777, 0o600)
    expect("dead letters", [a["nr"] for a in actual], [letter.nr for letter in letters])
    # Which records are the samples is not for the model to know.
    expect("attempts", sorted(a["attempts"] for a in actual), sorted(x.attempts for x in letters))
    for is_, letter in zip(actual, letters):
        failure = letter.record.failure
        about = f"of dead letter {letter.nr}: "
        expect(about + "record", text_of(is_), letter.record.line)
        expect(about + "offset", is_["offset"], offsets[letter.nr - 1])
        expect(
            about + "reason",
            [is_[key] for key in ("error", "status", "signal", "stdout", "stderr")],
            [failure.error, failure.status, failure.signal, failure.out, failure.err],
        )
        expect(about + "message", bool(is_["message"]), True)
        expect(about + "time", bool(re.fullmatch(r"[-\d]{10}T[:\d]{8}\.\d+Z", is_["time"])), True)
        if failure.error == "timeout":
            expect(about + "seconds", is_["seconds"] >= TIMEOUT, True)


def check_account(account, mode, case, outcome, retries, output):
    failed = len(outcome.letters)
    read = len(case.records)
    expected = {
        "read": read,
        "emitted": read - failed,
        "dropped": 0,
        "failed": failed,
        "unprocessed": 0,
        "retried": outcome.retried,
        "bytes_in": sum(len(record.line) + 1 for record in case.records),
        "bytes_out": len(output),
        "workers": WORKERS,
    }
    expect("account", {key: account.get(key) for key in expected}, expected)
    if mode == "each":
        expect("attempts", account["attempts"], read + outcome.retried * retries
               - sum(retries - 1 for r in case.records if r.once and retries > 0))
    else:
        bad = sum(record.failure is not None for record in case.records)
        tasks = read if mode == "coproc" else read / BATCH  # one record at first
        most = tasks + bad * (2 * math.ceil(math.log2(RECORDS)) + retries)
        expect("attempts in bounds", account["attempts"] <= most, True)


def check_stderr(lines, case, dead):
    """What children say, whole, and what the program says about them."""
    known = rb"why|0\d{62}|pproc: .*" if case.orphans_live or dead else rb""
    strange = [line for line in lines if not re.fullmatch(known, line)]
    expect("standard error", strange, [])


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def check_orphans(case):
    if case.orphans is None:
        return
    with open(case.orphans) as file:
        pids = [int(line) for line in file]
    # What was killed may take a moment to die.
    deadline = time.monotonic() + (0 if case.orphans_live else 10)
    live = [pid for pid in pids if is_alive(pid)]
    while live and time.monotonic() < deadline:
        time.sleep(0.01)
        live = [pid for pid in pids if is_alive(pid)]
    for pid in live:
        os.kill(pid, signal.SIGKILL)
    expect("processes left", live, pids if case.orphans_live else [])


def run_cell(mode, way, order, retries):
    with tempfile.TemporaryDirectory() as where:
        case = WAYS[way](mode, where)
        offsets, data = [], b""
        for record in case.records:
            offsets.append(len(data))
            data += record.line + b"\n"
        with open(where + "/in", "wb") as file:
            file.write(data)
        words = {"each": ["line={}"], "batch": ["lines"], "coproc": ["lines"]}[mode]
        options = {"each": [], "batch": [f"--batch-lines={BATCH}"], "coproc": ["--coproc"]}[mode]
        run = subprocess.run(
            [PPROC, f"-j{WORKERS}", order, f"--retries={retries}", "--backoff=1ms", "--stats=json"]
            + options + case.options
            + [f"--dead-letter={where}/letters", where + "/in", "--"]
            + (case.command or [ACTOR] + words),
            stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        outcome = model(mode, case, retries)
        *lines, account = run.stderr.splitlines()
        expect("exit status", run.returncode, 1 if outcome.letters else 0)
        check_output(run.stdout, outcome.pieces, order)
        check_letters(where + "/letters", outcome.letters, offsets, order)
        check_account(json.loads(account), mode, case, outcome, retries, run.stdout)
        check_stderr(lines, case, outcome.letters or any(r.once for r in case.records))
        check_orphans(case)


def judge(cell):
    try:
        run_cell(*cell)
        return ""
    except Exception as wrong:
        return f"{type(wrong).__name__}: {wrong}"


def cells(words):
    usage = subprocess.run([PPROC, "--help"], capture_output=True, check=True).stdout
    for way, make in WAYS.items():
        for mode in MODES:
            if mode == "coproc" and b"--coproc" not in usage:
                continue
            with tempfile.TemporaryDirectory() as where:
                if make(mode, where) is None:
                    continue
            for order in ("-k", "-u"):
                for retries in (0, 2):
                    name = f"{mode} {order} --retries={retries}: a child {way}"
                    if all(word in name for word in words):
                        yield name, (mode, way, order, retries)


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    names, all_cells = zip(*cells(sys.argv[1:]))
    print(f"1..{len(names)}", flush=True)
    failed = 0
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for number, (name, wrong) in enumerate(zip(names, pool.map(judge, all_cells)), 1):
            print(f"{'not ok' if wrong else 'ok'} {number} {name}", flush=True)
            for line in wrong.splitlines():
                print(f"# {line}", flush=True)
            failed += bool(wrong)
    sys.exit(failed > 0)


main()
