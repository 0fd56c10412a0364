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

# The console blocks of the README, one after another.
recipes()
{
    sed -n '/^```console$/,/^```$/{/^```/d;p}' "$srcdir/README.md"
}

@test "each recipe of the README prints what the README says" {
    {
        echo 'set -v' # each command is printed before it runs
        recipes | sed -n 's/^\$ //p'
    } >commands
    recipes | sed 's/^\$ //' >expected
    [ -s commands ]
    bash commands >actual 2>&1 || true # some recipes show failures
    diff -u expected actual
}

@test "the README's first command builds and runs the main job on the sample log" {
    command=$(grep -m 1 -o '^ *\./bootstrap && .*' "$srcdir/README.md")
    ln -s bin src
    [ "$(bash -c "${command#*&& }" | wc -l)" -eq "$(grep -c '" 500 ' "$SAMPLE")" ]
}
