#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# --retries, --retry-on, --backoff: what fails is run again.

# shellcheck disable=SC2016,SC2154,SC2164
load common

setup()
{
    cd "$BATS_TEST_TMPDIR"
    # tried N STATUS RECORD: succeeds at attempt N, fails with STATUS before.
    cat >tried <<'EOF'
#!/bin/sh
[ "$PPROC_ATTEMPT" -ge "$1" ] || exit "$2"
echo "$3"
EOF
    chmod +x tried
}

@test "what fails is run again, and stands in its place" {
    run -0 "$PPROC" -j2 --retries=2 --backoff=1ms -- ./tried 3 7 {} < <(seq 5)
    [[ $output == $'1\n2\n3\n4\n5' ]]
}

@test "until its attempts are used up" {
    run -1 --separate-stderr "$PPROC" --retries=2 --backoff=1ms --dead-letter=letters \
        --stats=json -- ./tried 4 7 {} <<<a
    [[ -z $output ]]
    jq -e '.attempts == 3 and .status == 7' letters
    [[ $(account retried <(echo "$stderr")) == 1 ]]
    [[ $(account attempts <(echo "$stderr")) == 3 ]]
    [[ $(account failed <(echo "$stderr")) == 1 ]]
}

@test "without --retries nothing is" {
    run -1 "$PPROC" --dead-letter=letters -- ./tried 2 7 {} <<<a
    jq -e '.attempts == 1' letters
}

@test "only for the reasons that the option lists" {
    run -0 "$PPROC" --retries=1 --backoff=1ms --retry-on=3,6-8 -- ./tried 2 7 {} <<<a
    [[ $output == a ]]
    run -1 "$PPROC" --retries=1 --backoff=1ms --retry-on=3,8 -- ./tried 2 7 {} <<<a
    run -1 "$PPROC" --retries=1 --backoff=1ms --retry-on=signal -- ./tried 2 7 {} <<<a
    run -0 "$PPROC" --retries=1 --backoff=1ms --retry-on=signal -- \
        sh -c '[ "$PPROC_ATTEMPT" = 2 ] || kill -9 $$; echo "$1"' sh {} <<<a
    [[ $output == a ]]
}

@test "no worker is held while a record waits" {
    # It fails until the others have run.
    run -0 "$PPROC" -j1 -u --retries=20 --backoff=10ms,1s -- sh -c \
        '[ "$1" != bad ] || [ -e ran.2 ] || exit 1; touch "ran.$1"; echo "$1"' sh {} \
        < <(printf 'bad\n1\n2\n')
    [[ $output == $'1\n2\nbad' ]]
}

@test "the wait is at least half of what the option says, and grows" {
    local start=${EPOCHREALTIME/./}
    run -0 "$PPROC" --retries=2 --backoff=200ms,10s,2 -- ./tried 3 7 {} <<<a
    ((${EPOCHREALTIME/./} - start >= 300000))
}

@test "an argument that cannot be passed is not tried again" {
    run -1 "$PPROC" --retries=3 --backoff=1ms --dead-letter=letters -- true {} \
        < <(printf 'a\0b\n')
    jq -e '.attempts == 1 and .error == "spawn"' letters
}

@test "--explain tells of it" {
    run -0 "$PPROC" --retries=3 --backoff=100ms,1m,1.5 --explain
    grep -qx 'retries: 3, after 0.1s and 1.5 times as long each time, up to 60s' <<<"$output"
}
