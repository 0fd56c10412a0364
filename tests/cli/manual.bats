#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The manual page is true.
# shellcheck disable=SC2154 # common sets srcdir

load common

setup()
{
    cd "$BATS_TEST_TMPDIR" || return
}

@test "each example of the manual prints what the manual says" {
    mkdir bin
    ln -s "$PPROC" bin/pproc
    ln -s "$SAMPLE" sample.log
    sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE ALSO/p' "$srcdir/man/pproc.1" |
        sed -n '/^\.Bd/,/^\.Ed/{/^\.[BE]d/d;s/\\e/\\/g;p}' >session
    PATH=$PWD/bin:$PATH session_is_true session
}

@test "the manual describes every option of the table, and no other" {
    table=$srcdir/src/cli/options.def
    {
        sed -n 's/^OPTION([A-Z0-9_]*, "\([^"]*\)".*/\1/p' "$table" | fold -w1 | sed -n 's/./-&/p'
        sed -n 's/^OPTION([A-Z0-9_]*, "[^"]*", "\([^"]*\)".*/--\1/p' "$table"
    } | sort >expected
    grep '^\.It Fl' "$srcdir/man/pproc.1" | grep -o 'Fl [^ ]*' | sed 's/^Fl /-/' | sort >actual
    (($(wc -l <expected) > 20))
    diff -u expected actual
}
