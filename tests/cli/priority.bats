#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# --priority, --priority-by, --aging: what is started first.

# shellcheck disable=SC2016,SC2154,SC2164
load common

setup()
{
    cd "$BATS_TEST_TMPDIR"
    cat >run <<EOF
#!/bin/sh
echo "\$1" >>ran
if [ "\$1" = first ]; then $until_all_wait; fi
echo "\$1"
EOF
    chmod +x run
}

# one_by_one OPTION...: run the records of standard input one by one, in the order in which they
# are started once all of them wait.
one_by_one()
{
    local status=0
    after_first | "$PPROC" -j1 "$@" - end -- ./run {} 2>err || status=$?
    [[ $status == 3 && $(wc -l <err) == 1 ]]
}

@test "what is urgent is started before what was read before it" {
    run -0 one_by_one -u --priority 'URGENT=-5' < <(seq 9; echo URGENT)
    [[ $(xargs <<<"$output") == 'first URGENT 1 2 3 4 5 6 7 8 9' ]]
}

@test "ordered output is in the order of the input, whatever is started first" {
    run -0 one_by_one --priority 'URGENT=-5' < <(seq 3; echo URGENT; echo 4)
    [[ $(xargs <<<"$output") == 'first 1 2 3 URGENT 4' ]]
    [[ $(xargs <ran) == 'first URGENT 1 2 3 4' ]]
}

@test "the smallest priority goes first; in one it is first come, first served" {
    run -0 one_by_one -u --priority 'a=-100' --priority 'b=+100' --priority 'c=99' \
        < <(printf '%s\n' b1 c1 1 a1 b2 a2 2 c2)
    [[ $(xargs <<<"$output") == 'first a1 a2 1 2 c1 c2 b1 b2' ]]
}

@test "of several --priority the first that matches counts" {
    run -0 one_by_one -u --priority 'a=0' --priority '[ab]=-1' --priority '.=1' --priority 'c=-9' \
        < <(printf '%s\n' c a b)
    [[ $(xargs <<<"$output") == 'first b a c' ]]
}

@test "the last = of a --priority counts" {
    run -0 one_by_one -u --priority 'x=1=-1' < <(printf '%s\n' x x=2 x=1)
    [[ $(xargs <<<"$output") == 'first x=1 x x=2' ]]
}

@test "--priority-by takes the number in the first group, within the limits" {
    run -0 one_by_one -u --priority-by '^p(\S*)' \
        < <(printf '%s\n' p300 p99 none p p2x p-101 p-99999999999 p-99 p+1 p-0.9 p1)
    [[ $(xargs <<<"$output") == 'first p-101 p-99999999999 p-99 none p p-0.9 p+1 p1 p2x p99 p300' ]]
}

@test "a group that takes no part gives no number" {
    run -0 one_by_one -u --priority-by 'p(\d)?' < <(printf '%s\n' p1 p)
    [[ $(xargs <<<"$output") == 'first p p1' ]]
}

@test "--priority goes before --priority-by" {
    run -0 one_by_one -u --priority-by 'p(\d+)' --priority 'p1=5' < <(printf '%s\n' p1 p3 p6)
    [[ $(xargs <<<"$output") == 'first p3 p1 p6' ]]
}

@test "patterns see the record as it was read, and -i and -F do not hold for them" {
    run -0 one_by_one -u -i -F -s 's/b/a/' -v xyz --priority '^B.$=-1' \
        < <(printf '%s\n' a1 b2 B3)
    [[ $(xargs <<<"$output") == 'first a3 a1 a2' ]]
}

@test "--utf holds for them" {
    run -0 "$PPROC" -j1 -u --utf --priority '^.$=-1' < <(printf '%s\n' ab ö)
    [[ $output == $'ö\nab' ]]
    run -0 "$PPROC" -j1 -u --priority '^.$=-1' < <(printf '%s\n' ab ö)
    [[ $output == $'ab\nö' ]]
}

@test "with --aging what has waited for long is not overtaken" {
    printf 'first\nold\n' >early
    late()
    {
        eventually grep -q '^pproc: middle: ' err
        sleep 0.1 # much more than 5 times 1 ms
        echo URGENT
    }
    for aging in --aging=1ms --aging=1h; do
        : >err
        late | "$PPROC" -j1 -u --priority 'URGENT=-5' --priority 'first=-100' $aging \
            early middle - end -- ./run {} >out 2>>err || [[ $? == 3 ]]
        xargs <out >>orders
    done
    [[ $(<orders) == $'first old URGENT\nfirst URGENT old' ]]
}

@test "operations alone have priorities where the order of the output shows them" {
    run -0 "$PPROC" -j1 -u --priority '5=-1' --priority '^1=1' < <(seq 16)
    [[ $(xargs <<<"$output") == '5 15 2 3 4 6 7 8 9 1 10 11 12 13 14 16' ]]
    run -0 "$PPROC" -j1 -k --priority '5=-1' < <(seq 6)
    [[ $(xargs <<<"$output") == '1 2 3 4 5 6' ]]
}

@test "records of several lines have one priority" {
    run -0 "$PPROC" -j1 -u -L 2 --priority 'x=-1' < <(printf '%s\n' a 1 b x c 3)
    [[ $(xargs <<<"$output") == 'b x a 1 c 3' ]]
    run -0 "$PPROC" -j1 -u --record-start '^\d' --priority '(?s)^2.*y=-1' \
        < <(printf '%s\n' 1 y 2 x y 3 x)
    [[ $(xargs <<<"$output") == '2 x y 1 y 3 x' ]]
}

@test "so have operands, and records with any delimiter" {
    run -0 "$PPROC" -j1 -u --args --priority 'b$=-1' a b $'c\nb'
    [[ $(xargs <<<"$output") == 'b c b a' ]]
    run -0 "$PPROC" -j1 -u -d, --priority '^b=-1' < <(printf 'a,b\nb,c\nb')
    [[ $output == $'b\nb,a,c\nb,' ]]
}

@test "numbers of records stay right" {
    seq 1000 | "$PPROC" -j3 -u --priority '7=-1' --priority '3$=4' -- echo '{#}' '{nr}' {} >out
    [[ $(wc -l <out) == 1000 ]]
    awk '$1 != $2 || $1 != $3 { exit 1 }' out
}

@test "the records that one process gets have one priority, and stand together" {
    run -0 "$PPROC" -j1 -u -n 9 --priority 'x=-1' -- echo < <(printf '%s\n' 1 2 x1 x2 3 x3 4)
    [[ $output == $'x1 x2\nx3\n1 2\n3\n4' ]]
    run -0 "$PPROC" -j1 -u --priority 'x=-1' -- sh -c 'tr -d 0-9 | sort -u | xargs' \
        < <(printf '%s\n' n1 x1 x2 n2 x3 n3 n4 n5)
    [[ $(uniq <<<"$output") == $'x\nn' ]]
}

@test "a filter gets much at a time while nothing else waits, of what is urgent first" {
    cat >filter <<EOF
#!/bin/sh
cat >"in.\$PPROC_SEQ"
if grep -q first "in.\$PPROC_SEQ"; then $until_all_wait; fi
xargs <"in.\$PPROC_SEQ"
EOF
    chmod +x filter
    slowly()
    {
        for i in 1 2 3 4 5; do
            echo "$i"
            sleep 0.05
        done
    }
    status=0
    slowly | after_first | "$PPROC" -j1 --priority 'x=-1' - end -- ./filter >out 2>err || status=$?
    [[ $status == 3 && $(<out) == $'first\n1 2 3 4 5' ]]
    status=0
    rm started
    : >err
    slowly | after_first |
        "$PPROC" -j1 -u --priority '3=-1' - end -- ./filter >out 2>>err || status=$?
    [[ $status == 3 && $(xargs <out) == 'first 3 1 2 4 5' ]]
}

@test "an exact batch stays whole, and is as urgent as its most urgent record" {
    run -1 --separate-stderr "$PPROC" -j1 -u --batch-lines=2 --no-split --keep-failed \
        --dead-letter=letters --priority '4=-1' --priority '5=2' --priority '6=1' -- \
        sh -c 'xargs; exit 1' < <(seq 8)
    [[ $(sort <<<"$output") == $'1 2\n3 4\n5 6\n7 8' ]]
    [[ $(jq .priority letters | xargs) == '0 0 -1 -1 1 1 0 0' ]]
}

@test "dead letters tell the priority, and --replay gives a new one" {
    run -1 "$PPROC" --priority 'a=-7' --priority-by '(\d+)' --dead-letter=letters -- false {} \
        < <(printf '%s\n' a1 12 b)
    [[ $(jq -r '[.record, .priority] | join(" ")' letters | xargs) == 'a1 -7 12 12 b 0' ]]
    run -1 "$PPROC" --replay --priority 'b=3' --dead-letter=again letters -- false {}
    [[ $(jq -r '[.record, .priority] | join(" ")' again | xargs) == 'a1 0 12 0 b 3' ]]
}

@test "a record that is run along with more urgent ones has its own priority" {
    b=$(printf 'b%.0s' {1..50})
    run -1 "$PPROC" -j1 --plugin="$builddir/tests/plugins/player.so,fail=$b" --dead-letter=letters \
        --priority 'a=-1' --priority 'b=4' < <(yes a$'\n'"$b" | head -n 2000)
    [[ $(jq .priority letters | uniq -c | xargs) == '1000 4' ]]
}

@test "where there is little, each record is in its order, however often priorities change" {
    run -0 "$PPROC" -j1 -u --priority '[02468]$=1' < <(seq 2000)
    [[ $output == "$(seq 1 2 2000; seq 2 2 2000)" ]]
    run -0 "$PPROC" -j1 -u --priority '0$=-1' -- cat < <(seq 200)
    [[ $output == "$(seq 200 | grep '0$'; seq 200 | grep -v '0$')" ]]
}

@test "priorities that nothing but dead letters can show are told by these" {
    run -1 "$PPROC" -k --priority 'a=5' --max-record=2 --dead-letter=long < <(printf 'bab\nb\n')
    [[ $(jq -r '[.error, .priority] | join(" ")' long) == 'too-long 5' ]]
}

@test "with attempts that fail, and little memory or a short queue, nothing is lost" {
    cat >once <<'EOF'
#!/bin/sh
case $PPROC_ATTEMPT$1 in 1*7*) exit 1 ;; esac
echo "$1"
EOF
    chmod +x once
    for options in -k -u '-k -S 1' '-u -S 1 --aging=1ms' '-k --queue-size=3' '-u --queue-size=1'; do
        # shellcheck disable=SC2086
        seq 100 | "$PPROC" -j4 $options --retries=1 --backoff=1ms --priority '7=-1' \
            --priority '3=1' --stats=json -- ./once {} >out 2>err
        account_balances err
        sort -n out | cmp - <(seq 100)
        [[ $options == -u* ]] || cmp out <(seq 100)
    done
}

@test "batches with priorities give what they give without, in some order" {
    for options in -k -u '-k -S 1' '-u --queue-size=50' '-k --block=10K' '-u --aging=1ms'; do
        # shellcheck disable=SC2086
        "$PPROC" -j3 $options --priority '"DELETE =-1' --priority '^1.*"PUT =3' "$SAMPLE" -- cat >out
        sort out | cmp - <(sort "$SAMPLE")
        [[ $options == -u* ]] || cmp out "$SAMPLE"
    done
}

@test "so do operations" {
    "$PPROC" -j2 -u --priority '" 500 =-1' --priority '"(GET|PUT) =3' "$SAMPLE" -s 's/ /_/g' |
        sort | cmp - <(sed 's/ /_/g' "$SAMPLE" | sort)
}

@test "a pattern that gives up does not match, which is told once" {
    a=$(printf 'a%.0s' {1..40})
    run -0 --separate-stderr "$PPROC" -j1 -u --priority '^(a+)+$=9' --priority 'b=-1' \
        < <(printf '%s\n' "$a!" "$a!!" ab)
    [[ ${lines[0]} == ab ]]
    [[ $stderr == "pproc: a record of 41 bytes is taken not to match: "*" in --priority '^(a+)+\$'" ]]
    [[ $(wc -l <<<"$stderr") == 1 ]]
}
