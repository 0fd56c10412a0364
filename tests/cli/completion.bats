#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What bash offers after "pproc". The option table is the truth.
# shellcheck disable=SC2154 # common sets srcdir

load common

setup()
{
    # shellcheck source=/dev/null
    source "$srcdir/completions/pproc"
}

# The names in the option table, one a line, sorted.
table()
{
    local file=$srcdir/src/cli/options.def
    {
        sed -n 's/^OPTION([A-Z0-9_]*, "\([^"]*\)".*/\1/p' "$file" | fold -w1 | sed -n 's/./-&/p'
        sed -n 's/^OPTION([A-Z0-9_]*, "[^"]*", "\([^"]*\)".*/--\1/p' "$file"
    } | sort
}

# What is offered for the last of WORDS, one a line, sorted.
offered()
{
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _pproc
    printf '%s\n' "${COMPREPLY[@]}" | sort
}

@test "every option of the table is offered, and no other" {
    (($(table | wc -l) > 20))
    diff <(table) <(offered pproc -)
}

@test "only what begins with what was typed is offered" {
    [[ $(offered pproc a.log --ex) == $'--exclude\n--explain' ]]
}

@test "the values of --stats are offered after '=' alone" {
    [[ $(offered pproc --stats =) == $'json\ntext' ]]
    [[ $(offered pproc --stats = j) == json ]]
    [[ -z $(offered pproc --stats j) ]]
}

@test "names of files are left to readline" {
    touch "$BATS_TEST_TMPDIR/some.log"
    [[ -z $(offered pproc "$BATS_TEST_TMPDIR/so") ]]
    [[ -z $(offered pproc --files0-from = "$BATS_TEST_TMPDIR/so") ]]
    complete -p pproc | grep -q -e '-o default'
}

@test "a pattern that begins with '-' is no option" {
    [[ -z $(offered pproc -m -) ]]
}
