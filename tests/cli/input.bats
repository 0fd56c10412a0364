#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Inputs: where records come from, where they end, and what is said of an input that cannot be read.

# shellcheck disable=SC2002,SC2059,SC2094,SC2154,SC2164
load common

setup()
{
    set -o pipefail
    cd "$BATS_TEST_TMPDIR"
    printf '1\n2\n' >one
    printf '3\n4\n' >two
}

# left_out NAME TEXT COMMAND...: exit status 3, and one message, about NAME, that has the text;
# what was written is in `actual`.
left_out()
{
    local status=0
    "${@:3}" >actual 2>err || status=$?
    [[ $status == 3 ]]
    [[ $(wc -l <err) == 1 ]]
    [[ $(<err) == "pproc: $1: "*"$2"* ]]
}

@test "without a name, and with -, standard input is read" {
    printf 'a\nb\n' | "$PPROC" | cmp <(printf 'a\nb\n') -
    printf 'a\nb\n' | "$PPROC" one - two | cmp <(printf '1\n2\na\nb\n3\n4\n') -
}

@test "standard input may be named twice, the second time it is at its end" {
    printf 'a\n' | "$PPROC" - one - | cmp <(printf 'a\n1\n2\n') -
}

@test "a file on standard input is read from where it stands" {
    { read -r _ && "$PPROC"; } <one | cmp <(printf '2\n') -
}

@test "an input may be named twice" {
    "$PPROC" one one | cmp <(cat one one) -
}

@test "an empty input is no fault" {
    "$PPROC" </dev/null >actual
    [[ ! -s actual ]]
    : >empty
    "$PPROC" one empty two | cmp <(cat one two) -
}

@test "the end of an input ends its last record" {
    printf 'a' >a
    printf 'b' >b
    "$PPROC" -m '^.$' a b | cmp <(printf 'a\nb') -
}

@test "a file of the kernel, which says that it is empty, is read" {
    "$PPROC" /proc/self/mounts >actual
    [[ -s actual ]]
}

@test "a FIFO is read when its writer comes" {
    mkfifo fifo
    "$PPROC" fifo >actual 3>&- &
    cat one >fifo
    wait $!
    cmp one actual
}

@test "a record that has arrived is out while the pipe stays open" {
    local drive
    : >actual
    for drive in self-serve threaded; do
        {
            echo "$drive"
            eventually grep -q "$drive" actual
            echo end
        } | PPROC_DRIVE=$drive "$PPROC" -j4 >actual
        cmp <(printf '%s\nend\n' "$drive") actual
    done
}

@test "bytes of every kind pass as they are" {
    local i
    for ((i = 0; i < 256; i++)); do
        printf "\\x$(printf %x $i)\\n\\x$(printf %x $i)\\r\\n"
    done >bytes
    "$PPROC" bytes | cmp bytes -
    "$PPROC" -0 bytes | cmp bytes -
    head -c 100000 /dev/urandom >bytes
    "$PPROC" -j8 <bytes | cmp bytes -
}

@test "NULs are text" {
    head -c 1024 /dev/zero >nuls
    echo text >>nuls
    "$PPROC" nuls | cmp nuls -
    cat nuls | "$PPROC" | cmp nuls -
}

@test "with -0 records end in NUL, with -d in any byte" {
    printf 'a\nb\0c\0' | "$PPROC" -0 -m '\n' | cmp <(printf 'a\nb\0') -
    printf 'a;b\n;c' | "$PPROC" -d ';' -v a | cmp <(printf 'b\n;c') -
}

@test "a record of many blocks is one record" {
    { echo first && head -c 5000000 /dev/zero | tr '\0' x && printf '\nlast\n'; } >long
    "$PPROC" -j4 long | cmp long -
    "$PPROC" -m '^x{60000}' long | cmp <(sed -n 2p long) -
}

@test "a record that is too long fails, the others go on" {
    printf '12345\n123456\n\n1234567890\n12' >in
    run -1 --separate-stderr "$PPROC" --max-record=5 in
    [[ $output == $'12345\n\n12' ]]
    [[ $stderr == *"in:2: too-long"* && $stderr == *"in:4: too-long"* ]]
}

@test "a record that is too long for memory fails without being held" {
    skip_if_sanitized
    { echo first && head -c 300000000 /dev/zero && printf '\nlast\n'; } >huge
    status=0
    (ulimit -v 250000 && exec "$PPROC" --max-record=1M huge) >actual 2>err || status=$?
    [[ $status == 1 ]]
    cmp <(printf 'first\nlast\n') actual
    grep -q 'huge:2: too-long' err
}

@test "a missing file is named, the others are read" {
    left_out missing 'No such file' "$PPROC" one missing two
    cmp <(cat one two) actual
    left_out "''" 'No such file' "$PPROC" one '' two
    cmp <(cat one two) actual
}

@test "a file that may not be read is named" {
    [[ $(id -u) != 0 ]] || skip "root may read everything"
    chmod 0 one
    left_out one 'Permission denied' "$PPROC" one two
    cmp two actual
}

@test "a directory is named" {
    mkdir dir
    left_out dir directory "$PPROC" one dir
    cmp one actual
    left_out - directory "$PPROC" <dir
}

@test "a closed standard input is told" {
    left_out - closed "$PPROC" - one <&-
    cmp one actual
}

@test "a name with control characters is shown without them" {
    left_out 'a?b' 'No such file' "$PPROC" $'a\eb'
}

@test "a file that shrinks while it is read is told" {
    local i
    head -c 40000000 /dev/zero | tr '\0' '\n' >file
    mkfifo out
    "$PPROC" -j1 -S1M file >out 2>err 3>&- & # held up by the reader of the FIFO
    {
        head -c 1 >/dev/null
        truncate -s 1000 file
        cat >/dev/null
    } <out
    i=0
    wait $! || i=$?
    [[ $i == 3 ]]
    [[ $(wc -l <err) == 1 ]]
    [[ $(<err) == "pproc: file: "*shorter* ]]
}

@test "a name that promises another format is an error, its content is not read" {
    local name
    for name in x.gz x.tgz x.bz2 x.xz x.zst x.lz4 x.lz x.Z x.zip x.7z x.tar; do
        echo text >"$name"
        left_out "$name" 'though its name says so' "$PPROC" "$name"
        [[ ! -s actual ]]
        : >"$name"
        left_out "$name" 'empty' "$PPROC" "$name"
        "$PPROC" <"$name"
    done
}
