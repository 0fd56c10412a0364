#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What bash, zsh and fish offer after "pproc". --help, which the program makes from the table of
# options, is what they are compared with.

load common

completions=$builddir/completions

setup()
{
    cd "$BATS_TEST_TMPDIR"
    # shellcheck source=/dev/null
    source "$completions/pproc"
    touch some.log
    mkdir somewhere
}

# A line for each name of each option: the name, a tab, the explanation; sorted.
options()
{
    "$PPROC" --help | python3 -c '
import re, sys
for found in re.finditer(r"^  ((?:-., )*) *(--[\w-]+)\S*\s+(\S.*)", sys.stdin.read(), re.M):
    for name in found[1].split(", ")[:-1] + [found[2]]:
        print(name, found[3], sep="\t")' | sort
}

names()
{
    options | cut -f 1
}

# bash_offers WORD...: for the last of them, sorted.
bash_offers()
{
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _pproc
    printf '%s\n' "${COMPREPLY[@]}" | sort
}

# fish_offers LINE: at its end, with explanations, sorted.
fish_offers()
{
    HOME=$PWD fish --no-config -c 'source $argv[1]; complete -C $argv[2]' \
        "$completions/pproc.fish" "$1" | sort
}

# zsh_offers LINE: at its end, sorted.
zsh_offers()
{
    rm -f offered
    zsh -f "$BATS_TEST_DIRNAME/complete.zsh" "$completions" "$1" offered
    sed -n 's/^match \(.\)/\1/p' offered | sort -u
}

@test "--help is read as it is meant here" {
    (($(options | wc -l) > 30))
    [[ $(options | grep '^-j') == "-j"$'\t'"workers: N, N%, +N, -N, 0 for the most (processors)" ]]
    grep -qx -e --stats <(names)
}

@test "bash offers every option, and nothing else" {
    diff <(names) <(bash_offers pproc -)
}

@test "fish offers every option with its explanation, and nothing else" {
    diff <(options) <(fish_offers 'pproc -' | grep -v '^--[a-z-]*=')
}

@test "zsh offers every option with its explanation, and nothing else" {
    skip_without_terminal
    diff <(names) <(zsh_offers 'pproc -')
    diff <(options | cut -f 2 | sort -u) <(sed -n 's/^display -- \(.*[^ ]\) *$/\1/p' offered | sort -u)
}

@test "only what begins with what was typed is offered" {
    [[ $(bash_offers pproc a.log --ex) == $'--exclude\n--explain' ]]
    [[ $(fish_offers 'pproc a.log --ex' | cut -f 1) == $'--exclude\n--explain' ]]
    skip_without_terminal
    [[ $(zsh_offers 'pproc a.log --ex') == $'--exclude\n--explain' ]]
}

@test "the values of --stats are offered after '=' alone" {
    [[ $(bash_offers pproc --stats =) == $'json\ntext' ]]
    [[ $(bash_offers pproc --stats = j) == json ]]
    [[ -z $(bash_offers pproc --stats j) ]]
    [[ $(fish_offers 'pproc --stats=' | cut -f 1) == $'--stats=json\n--stats=text' ]]
    [[ -z $(fish_offers 'pproc --stats j') ]]
    skip_without_terminal
    [[ $(zsh_offers 'pproc --stats=') == $'json\ntext' ]]
    [[ -z $(zsh_offers 'pproc --stats j') ]]
}

@test "names of files are offered for inputs and where an option takes one" {
    complete -p pproc | grep -q -e '-o default'
    local lines=('pproc som' 'pproc -o som' 'pproc --files0-from=som') line
    for line in "${lines[@]}"; do
        # shellcheck disable=SC2086 # words
        [[ -z $(bash_offers ${line/=/ = }) ]] # it leaves them to readline
        [[ $(fish_offers "$line" | sed 's/.*=//' | cut -f 1) == $'some.log\nsomewhere/' ]]
    done
    skip_without_terminal
    for line in "${lines[@]}"; do
        [[ $(zsh_offers "$line") == $'some.log\nsomewhere' ]]
    done
}

@test "names of directories alone are offered for --tmpdir" {
    [[ $(fish_offers 'pproc -T som' | cut -f 1) == somewhere/ ]]
    skip_without_terminal
    [[ $(zsh_offers 'pproc --tmpdir som') == somewhere ]]
}

@test "nothing is offered for a pattern, which may begin with '-'" {
    [[ -z $(bash_offers pproc -m -) ]]
    [[ -z $(fish_offers 'pproc -m som') ]]
    skip_without_terminal
    [[ -z $(zsh_offers 'pproc -m som') ]]
    [[ -z $(zsh_offers 'pproc --match=som') ]]
}
