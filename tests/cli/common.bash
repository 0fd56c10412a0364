# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2059
# What every test of the command line needs: `load common` at the top of the file.
#
# `make check` sets builddir and SANITIZER. By hand, `bats tests/cli/match.bats` takes the program
# that was built in the source tree. PPROC_DRIVE, if set, reaches the program as it is.
# Standard input of a test is empty. What a test starts in the background must close descriptor 3
# (`"$PPROC" ... 3>&- &`), or bats waits for it.

bats_require_minimum_version 1.5.0 # run --separate-stderr, run -STATUS

srcdir=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
builddir=${builddir:-$srcdir}
PPROC=${PPROC:-$builddir/src/pproc}
SANITIZER=${SANITIZER:-}                 # the program's, as in "address,undefined"
FAULTS=$builddir/tests/faults/preload.so # makes calls of the system fail; see its source
SAMPLE=$srcdir/bench/sample.log          # a megabyte of an access log
export LC_ALL=C
unset MAKEFLAGS MFLAGS MAKELEVEL # a make that a test runs is no part of the one that runs it

# Run COMMAND until it succeeds; fails after two minutes, for a busy machine may take one. For what
# another process is about to do.
eventually()
{
    local deadline=$((SECONDS + 120))
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.01
    done
}

# For COMMAND's script, to hold the record `first` until all that follows waits: that the input `end`
# is missing is told, in `err`, only when what comes before it was read.
until_all_wait=': >started; until grep -q "^pproc: end: " err; do sleep 0.01; done'

# Standard input, once a record `first` is run.
after_first()
{
    echo first
    eventually test -e started
    cat
}

# Nothing that was started with MARK="$BATS_TEST_TMPDIR" in its environment is there any more, but
# for what init has not reaped yet.
nothing_lives()
{
    ! grep -qsz "^MARK=$BATS_TEST_TMPDIR$" /proc/[0-9]*/environ
}

# is_beginning FILE OF: are its bytes some of the first lines of the other?
is_beginning()
{
    [[ -z $(tail -c 1 "$1") ]]
    cmp "$1" <(head -c "$(wc -c <"$1")" "$2")
}

# A sanitizer's runtime needs the address space and the allocator for itself.
skip_if_sanitized()
{
    [[ -z $SANITIZER ]] || skip "not with the sanitizer $SANITIZER"
}

# What appears at a terminal cannot be tested where there are no pseudo-terminals.
skip_without_terminal()
{
    script -qec true /dev/null </dev/null >/dev/null 2>&1 || skip "no pseudo-terminal to be had"
}

# damaged FILE [TEXT]: exit status 3, and one message, about FILE, that has the text; what was
# written is in `actual`.
damaged()
{
    local status=0
    "$PPROC" -j2 "$1" >actual 2>err || status=$?
    [[ $status == 3 ]]
    [[ $(wc -l <err) == 1 ]]
    [[ $(<err) == "pproc: $1: "*"${2-}"* ]]
}

# flip FILE PLACE: invert a bit of the byte at PLACE, from 0.
flip()
{
    local byte
    byte=$(od -An -tx1 -j "$2" -N 1 "$1")
    printf "\\x$(printf %02x $((0x${byte# } ^ 16)))" |
        dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# account KEY FILE: a number of the account that --stats=json left as the last line of FILE.
account()
{
    tail -n 1 "$2" | jq -er --arg key "$1" '.[$key]'
}

# account_balances FILE: does every record read appear once in the account?
account_balances()
{
    tail -n 1 "$1" | jq -e '.read == .emitted + .dropped + .failed + .unprocessed' >/dev/null
}

# session_is_true FILE: run the commands of a session at a terminal, as documents show it (`$ ` and
# `> ` before commands), and see that they print what it says.
session_is_true()
{
    sed -n 's/^[$>] //p' "$1" >"$1.commands"
    sed 's/^[$>] //' "$1" >"$1.expected"
    [[ -s $1.commands ]] || return 1
    # -v prints each command before it runs. Functions that bats exports are not to be printed.
    (unset -f bats_readlinkf && exec bash -v "$1.commands") >"$1.actual" 2>&1 || :
    diff -u "$1.expected" "$1.actual"
}
