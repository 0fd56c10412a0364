#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# COMMAND as a process for each record, and how it is found.

# shellcheck disable=SC2016,SC2154,SC2164
load common

setup()
{
    cd "$BATS_TEST_TMPDIR"
}

@test "outputs stand in the order of the input, or as they are finished" {
    run -0 "$PPROC" -j4 -- sh -c 'sleep 0.0$((5 - $1)); echo "$1"' sh {} < <(seq 4)
    [[ $output == $'1\n2\n3\n4' ]]
    # The first one waits until the second one is written.
    "$PPROC" -j4 -u -- sh -c '[ "$1" = 2 ] || until [ -s out ]; do sleep 0.01; done; echo "$1"' \
        sh {} < <(seq 2) >out
    [[ $(<out) == $'2\n1' ]]
}

@test "standard input of a process is empty" {
    run -0 "$PPROC" -- sh -c 'wc -c; echo "$1"' sh {} < <(seq 2)
    [[ $output == $'0\n1\n0\n2' ]]
}

@test "a record that is dropped reaches no process" {
    run -0 "$PPROC" -m '[13]' -s 's/3/three/' -- echo run {} < <(seq 4)
    [[ $output == $'run 1\nrun three' ]]
}

@test "a process has what it may want to know in its environment" {
    seq 2 >a
    seq 2 >b
    run -0 env PPROC_NR=9 "$PPROC" -j1 a b -- \
        sh -c 'echo $PPROC_SEQ $PPROC_FILE $PPROC_NR $PPROC_SLOT $PPROC_ATTEMPT' sh {}
    [[ $output == $'1 a 1 1 1\n2 a 2 1 1\n3 b 1 1 1\n4 b 2 1 1' ]]
}

@test "numbers of records are right in every way that tasks are cut" {
    "$PPROC" -j4 -n 7 -- sh -c 'echo $PPROC_SEQ $PPROC_NR "$1"' sh {} < <(seq 1000) >out
    awk '$1 != $2 || $1 != $3 { exit 1 }' out
    "$PPROC" -j4 -- echo '{#}' '{nr}' {} < <(seq 500) >out
    awk '$1 != $2 || $1 != $3 { exit 1 }' out
    [[ $(wc -l <out) == 500 ]]
}

@test "the numbers of a process are those of the first record that operations left it" {
    seq 9 >in
    run -0 "$PPROC" in -j1 -n 10 -m '[4-6]' -- sh -c 'echo $0 $PPROC_NR "$@"' '{#}' {}
    [[ $output == '4 4 4 5 6' ]]
}

@test "COMMAND is looked for before anything is read" {
    run -127 "$PPROC" missing -- no-such-program {}
    [[ $output == 'pproc: no-such-program: COMMAND was not found' ]]
    echo >data
    run -126 "$PPROC" -- ./data {}
    [[ $output == *'COMMAND cannot be run'*'(FILE goes before --)' ]]
    mkdir folder
    run -126 "$PPROC" -- ./folder {}
    [[ $output == 'pproc: ./folder: COMMAND cannot be run: Is a directory' ]]
    run -127 "$PPROC" -- data {}
    [[ $output == *'(FILE goes before --)' ]]
    run -127 "$PPROC" --explain missing -- no-such-program
    [[ $output == 'pproc: no-such-program: COMMAND was not found' ]]
    run -127 "$PPROC" missing -- ''
    [[ $output == "pproc: '': COMMAND was not found" ]]
}

@test "a COMMAND that is one text gets a hint, and so does one without its interpreter" {
    run -127 "$PPROC" -- 'cat -n'
    [[ $output == *'COMMAND was not found (a text of several words needs --shell)' ]]
    run -1 "$PPROC" --args 1 -- 'echo {}'
    [[ $output == *'spawn: '*'(its name has a placeholder; a text of several words needs --shell)'* ]]
    printf '#!/no/such/interpreter\n' >script
    chmod +x script
    run -1 "$PPROC" --args 1 -- ./script {}
    [[ $output == *'spawn: '*'(perhaps the interpreter that its first line names)'* ]]
}

@test "a missing FILE that is a command gets a hint" {
    run -3 "$PPROC" grep
    [[ $output == *'grep: cannot be opened: No such file or directory (COMMAND goes after --)' ]]
    run -3 "$PPROC" no-such-file
    [[ $output != *'COMMAND'* ]]
}

@test "a missing FILE that may be the value of an option gets a hint" {
    run -3 --separate-stderr "$PPROC" --stats json
    [[ ${stderr_lines[0]} == 'pproc: json: cannot be opened: No such file or directory'\
' (a value is given as --stats=json)' ]]
    run -3 --separate-stderr "$PPROC" --stats=json json
    [[ ${stderr_lines[0]} == 'pproc: json: cannot be opened: No such file or directory' ]]
}

@test "outputs are never torn, whatever a process writes and when" {
    "$PPROC" -j4 -u -- sh -c 'printf "%s" "$1"; sleep 0.01; echo " $1"' sh {} < <(seq 50) >out
    awk '$1 != $2 { exit 1 }' out
    [[ $(wc -l <out) == 50 ]]
}

@test "a last line without its newline gets one, but not with --binary" {
    run -0 "$PPROC" -- printf %s {} < <(seq 3)
    [[ $output == $'1\n2\n3' ]]
    run -0 "$PPROC" --binary -- printf %s {} < <(seq 3)
    [[ $output == 123 ]]
}

@test "what an attempt that failed printed is not written, but with --keep-failed" {
    run -1 --separate-stderr "$PPROC" -- sh -c 'echo "$1"; [ "$1" != 2 ]' sh {} < <(seq 3)
    [[ $output == $'1\n3' ]]
    run -1 --separate-stderr "$PPROC" --keep-failed -- \
        sh -c 'echo "$1"; [ "$1" != 2 ]' sh {} < <(seq 3)
    [[ $output == $'1\n2\n3' ]]
}

@test "--ok-exit says what success is" {
    run -1 --separate-stderr "$PPROC" --ok-exit=1,3-4 -- sh -c 'exit "$1"' sh {} < <(seq 0 5)
    [[ $stderr == *'-:1: exit: exit status 0'*'-:3: exit: exit status 2'*'-:6: exit: exit status 5'*'3 records failed' ]]
}

@test "a process that takes too long is ended, and all that it started" {
    run -1 --separate-stderr "$PPROC" --timeout=100ms --dead-letter=letters -- \
        sh -c 'sleep 1000 & echo $! >pid; wait' sh {} <<<x
    jq -e '.error == "timeout"' letters
    eventually eval '! kill -0 $(<pid) 2>/dev/null'
}

@test "--dry-run prints what would be run" {
    run -0 "$PPROC" --dry-run -- touch 'a b' {} < <(printf "it's\nx\n")
    # shellcheck disable=SC2317
    touch() { printf '%s|' "$@"; }
    [[ $(eval "${lines[0]}") == "a b|it's|" ]]
    unset -f touch
    [[ ${lines[1]} == "touch 'a b' x" ]]
    [[ -z $(ls) ]]
    run -0 "$PPROC" --dry-run --block=1M -- sort -n < <(seq 10)
    [[ $output == 'sort -n # 10 records' ]]
}

@test "standard error of a process passes in whole lines" {
    "$PPROC" -j4 -- sh -c 'printf "%s" "$1" >&2; sleep 0.01; echo " $1" >&2' sh {} \
        < <(seq 30) 2>err
    awk '$1 != $2 { exit 1 }' err
    [[ $(wc -l <err) == 30 ]]
}
