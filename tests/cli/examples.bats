#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What the README shows happens.

load common

setup()
{
    cd "$BATS_TEST_TMPDIR"
    mkdir bin bench
    ln -s "$PPROC" bin/pproc
    ln -s "$SAMPLE" bench/sample.log
    export PATH=$PWD/bin:$PATH
}

@test "each recipe of the README prints what the README says" {
    sed -n '/^```console/,/^```/{/^```/d;p}' "$srcdir/README.md" >session
    session_is_true session
}

@test "the README's first command builds and runs the main job on the sample log" {
    command=$(grep -m 1 -o '^ *\./bootstrap && .*' "$srcdir/README.md")
    ln -s bin src
    [ "$(bash -c "${command#*&& }" | wc -l)" -eq "$(grep -c '" 500 ' "$SAMPLE")" ]
}
