#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Archives as inputs: their regular members one after another, read whole and verified, or told.
# (tests/data/damage_archives.py damages them in every kind of place.)

# shellcheck disable=SC2002,SC2094,SC2154,SC2164
load common

setup_file()
{
    cd "$BATS_FILE_TMPDIR"
    mkdir logs
    head -n 100 "$SAMPLE" >logs/one.log
    head -n 5000 "$SAMPLE" | tail -n 4000 >logs/three.log
    tail -n 200 "$SAMPLE" >logs/two.log
    cat logs/one.log logs/three.log logs/two.log >all
    cd logs
    tar -cf ../x.tar one.log three.log two.log
    zip -q ../x.zip one.log three.log two.log
    7zz a -bd -mqs- ../x.7z one.log three.log two.log >/dev/null
}

setup()
{
    set -o pipefail
    cd "$BATS_TEST_TMPDIR"
    data=$BATS_FILE_TMPDIR # x.tar, x.zip and x.7z hold three logs; `all` is what these are together
    all=$data/all
}

# damage ARGUMENTS...: exit status 3; what was written is in `actual`, what was told in `err`.
damage()
{
    local status=0
    "$PPROC" -j2 "$@" >actual 2>err || status=$?
    [[ $status == 3 ]]
}

# place FILE TEXT: where in the file the text is first.
place()
{
    grep -abom1 -F "$2" "$1" | head -n 1 | cut -d: -f1
}

@test "the members of an archive are inputs, one after another" {
    for format in tar zip 7z; do
        "$PPROC" -j4 "$data/x.$format" | cmp "$all" -
        "$PPROC" -j4 <"$data/x.$format" | cmp "$all" -
        cp "$data/x.$format" renamed
        "$PPROC" -j4 renamed | cmp "$all" -
    done
    "$PPROC" "$data/x.tar" "$data/x.zip" "$data/x.7z" | cmp <(cat "$all" "$all" "$all") -
}

@test "a tar or zip archive can come from a pipe" {
    for format in tar zip; do
        cat "$data/x.$format" | "$PPROC" -j4 | cmp "$all" -
    done
    (cd "$data/logs" && zip -qr - . -i '*.log') | "$PPROC" -c | cmp <(wc -l <"$all") -
    (cd "$data/logs" && zip -q0 - one.log three.log two.log) | "$PPROC" | cmp "$all" -
    cat "$data/logs/one.log" | zip -q | "$PPROC" | cmp "$data/logs/one.log" -
}

@test "a 7z archive on a pipe or in compressed data is refused, with the way out" {
    local status=0
    cat "$data/x.7z" | "$PPROC" >actual 2>err || status=$?
    [[ $status == 3 && ! -s actual ]]
    [[ $(<err) == 'pproc: -: is a 7z archive'*'give the name of a file, or < FILE' ]]
    gzip -c "$data/x.7z" >x.gz
    damaged x.gz 'a 7z archive in gzip data'
    grep -q 'decompress it to a file first' err
    [[ ! -s actual ]]
}

@test "a tar or zip archive may be compressed, in any format" {
    for tool in bzip2 compress gzip lz4 lzip xz zstd; do
        for format in tar zip; do
            "$tool" -fc <"$data/x.$format" >x
            "$PPROC" -j4 x | cmp "$all" -
            cat x | "$PPROC" -j4 | cmp "$all" -
        done
    done
    gzip -c "$data/x.tar" >x.tgz
    "$PPROC" x.tgz | cmp "$all" -
}

@test "one archive is unpacked, and nothing in a member" {
    gzip -c "$all" >all.gz
    tar -cf inner.tar -C "$data" all
    tar -cf x.tar inner.tar all.gz
    "$PPROC" x.tar | cmp <(cat inner.tar && echo && cat all.gz) -
    zip -q0 x.zip inner.tar
    "$PPROC" x.zip | cmp inner.tar -
}

@test "records are numbered in their member, and named ARCHIVE:MEMBER" {
    mkdir sub
    printf '1\n22\n333\n' >a
    printf '1\n2\n4444\n' >sub/b
    tar -cf x.tar a sub/b
    zip -q x.zip a sub/b
    7zz a -bd x.7z a sub/b >/dev/null
    for format in tar zip 7z; do
        run -1 --separate-stderr "$PPROC" --max-record=2 "x.$format"
        [[ $output == $'1\n22\n1\n2' ]]
        [[ $stderr == "pproc: x.$format:a:3: too-long"*"pproc: x.$format:sub/b:3: too-long"* ]]
        status=0
        "$PPROC" --max-record=2 <"x.$format" >actual 2>err || status=$?
        [[ $status == 1 ]]
        grep -q '^pproc: -:sub/b:3: too-long' err
    done
}

@test "only regular members are inputs" {
    mkdir -p sub
    echo file >sub/file
    ln -s file sub/link
    ln sub/file sub/second-name
    mkfifo sub/fifo
    tar -cf x.tar sub
    "$PPROC" x.tar | cmp <(echo file) -
    rm sub/fifo sub/second-name
    zip -qry x.zip sub
    "$PPROC" x.zip | cmp <(echo file) -
    7zz a -bd -snl x.7z sub >/dev/null
    "$PPROC" x.7z | cmp <(echo file) -
}

@test "the end of a member ends a record, and nothing is glued" {
    printf 'one\ncut' >a
    printf 'two\nlast' >b
    : >empty
    tar -cf x.tar a empty b
    zip -q x.zip a empty b
    7zz a -bd -mqs- x.7z a empty b >/dev/null
    for format in tar zip 7z; do
        "$PPROC" "x.$format" | cmp <(printf 'one\ncut\ntwo\nlast') -
        "$PPROC" -c "x.$format" | cmp <(echo 4) -
    done
    "$PPROC" x.tar x.zip | cmp <(printf 'one\ncut\ntwo\nlast\none\ncut\ntwo\nlast') -
}

@test "an archive without members is no input at all" {
    python3 -c 'import zipfile; zipfile.ZipFile("x.zip", "w").close()'
    printf "7z\xbc\xaf\x27\x1c\0\4\x8d\x9b\xd5\x0f%b" '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' >x.7z
    tar -cf x.tar -T /dev/null
    gzip -c x.tar >x.tgz
    zstd -q x.tar -o x.tar.zst
    head -c 512 /dev/zero >one-block.tar
    for file in x.zip x.7z x.tar x.tgz x.tar.zst one-block.tar; do
        "$PPROC" "$file" >actual
        [[ ! -s actual ]]
    done
    cat x.zip | "$PPROC" >actual
    [[ ! -s actual ]]
}

@test "holes of a sparse member are NULs" {
    truncate -s 300000 sparse
    echo text >>sparse
    truncate -s 700000 sparse
    tar -Scf x.tar sparse
    (($(stat -c %s x.tar) < 100000))
    "$PPROC" x.tar | cmp sparse -
    cat x.tar | "$PPROC" | cmp sparse -
}

@test "names of members are taken as they are, in any locale" {
    name=$'na\xc3\xafve \xe2\x82\xac'
    echo long >"$name"
    tar --format=gnu -cf gnu.tar "$name"
    tar --format=pax -cf pax.tar "$name"
    zip -q x.zip "$name"
    7zz a -bd x.7z "$name" >/dev/null
    for file in gnu.tar pax.tar x.zip x.7z; do
        run -1 --separate-stderr "$PPROC" --max-record=2 "$file"
        [[ $stderr == "pproc: $file:$name:1: too-long"* ]]
    done
    mv "$name" $'latin\xef'
    tar -cf x.tar latin*
    run -1 --separate-stderr "$PPROC" --max-record=2 x.tar
    [[ $stderr == "pproc: x.tar:"$'latin\xef'":1: too-long"* ]]
}

@test "many members are read in order" {
    mkdir many
    seq 3000 | split -l 1 -a 4 - many/
    tar -cf x.tar --sort=name many
    "$PPROC" -j4 x.tar | cmp <(seq 3000) -
    tar -cf - --sort=name many | "$PPROC" -j4 | cmp <(seq 3000) -
}

@test "a record that has arrived is out while the archive's pipe stays open" {
    printf 'one\ntwo\n' >a
    echo last >b
    tar -cf x.tar a b
    zip -q0 x.zip a b
    for format in tar zip; do
        # Up to the end of the first member's data, and in the middle of the padding behind it.
        for more in 0 20; do
            cut=$(($(place "x.$format" two) + 4 + more))
            : >actual
            {
                head -c "$cut" "x.$format"
                eventually grep -q two actual
                tail -c +$((cut + 1)) "x.$format"
            } | "$PPROC" -j4 >actual
            cmp <(printf 'one\ntwo\nlast\n') actual
        done
    done
}

@test "a signal ends the wait for more of an archive" {
    mkfifo pipe
    "$PPROC" -j2 <pipe >actual 2>err 3>&- &
    pid=$!
    exec 4>pipe
    head -c 900 "$data/x.tar" >&4
    eventually test -s actual
    kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    exec 4>&-
    [[ $status == 143 ]]
    grep -q 'up to record .* of -:one.log' err
}

@test "an archive that is cut gives its whole records, and is told" {
    for format in tar zip; do
        size=$(stat -c %s "$data/x.$format")
        for cut in 600 $((size / 3)) $((size * 2 / 3)); do
            head -c "$cut" "$data/x.$format" >x
            damage x
            [[ $(<err) == "pproc: x:"*.log:* ]]
            cmp -n "$(stat -c %s actual)" "$all" actual
            [[ -z $(tail -c 1 actual) ]]
        done
        (($(stat -c %s actual) > $(stat -c %s "$all") / 2))
    done
    head -c 600 "$data/x.7z" >x
    damaged x 'the 7z archive is damaged or cut'
}

@test "a tar archive without a block of NULs at its end is cut, with one it is whole" {
    end=$(($(place "$data/x.tar" two.log) + 512 + ($(stat -c %s "$data/logs/two.log") + 511) / 512 * 512))
    for cut in 0 100 511; do
        head -c $((end + cut)) "$data/x.tar" >x.tar
        damaged x.tar
        cmp "$all" actual
    done
    for more in 512 513 1024; do
        head -c $((end + more)) "$data/x.tar" >x.tar
        "$PPROC" x.tar | cmp "$all" -
    done
}

@test "a zip archive whose directory is cut or damaged keeps all records, and is told" {
    size=$(stat -c %s "$data/x.zip")
    for cut in 1 21 22 50 150; do
        head -c $((size - cut)) "$data/x.zip" >x.zip
        damaged x.zip 'directory'
        cmp "$all" actual
        status=0
        cat x.zip | "$PPROC" >actual 2>err || status=$?
        [[ $status == 3 ]]
        cmp "$all" actual
    done
    # A member of which the mark is gone, in the directory and ahead of the data.
    directory=$(grep -abo $'PK\1\2' "$data/x.zip" | sed -n '2s/:.*//p')
    cp "$data/x.zip" x.zip
    flip x.zip "$directory"
    damage x.zip
    cp "$data/x.zip" x.zip
    flip x.zip $(($(place x.zip three.log) - 30))
    cat x.zip | damage
    grep -q '3 members, and 2 were found' err
    damage x.zip
}

@test "compressed archives that are cut by 4 bytes keep all records, and are told" {
    for tool in bzip2 gzip lz4 lzip xz zstd; do
        "$tool" -c <"$data/x.tar" | head -c -4 >x
        damaged x 'ends early'
        [[ $tool == bzip2 ]] || cmp "$all" actual
        "$tool" -c <"$data/x.zip" | head -c -4 >x
        damage x
    done
}

@test "of an archive with garbage behind all records are kept, and it is told" {
    for format in tar zip 7z; do
        for garbage in x 'garbage behind the end'; do
            { cat "$data/x.$format" && head -c 700 /dev/zero && echo "$garbage"; } >x
            damaged x "something follows the end of the $format archive"
            cmp "$all" actual
        done
        { cat "$data/x.$format" && head -c 100000 /dev/zero; } >x
        "$PPROC" x | cmp "$all" -
    done
    { gzip -c "$data/x.tar" && echo garbage; } >x
    damaged x 'not gzip data follows'
    cmp "$all" actual
    cat "$data/x.tar" "$data/x.tar" >x
    damaged x 'something follows the end'
    cmp "$all" actual
}

@test "a damaged member is named; what can be read of the others is" {
    cp "$data/x.zip" x.zip
    flip x.zip $(($(place x.zip three.log) + 3000))
    damage x.zip
    [[ $(<err) == 'pproc: x.zip:three.log: the zip data is damaged'* ]]
    head -n 100 actual | cmp "$data/logs/one.log" -
    tail -n 200 actual | cmp "$data/logs/two.log" - # the directory tells where it is
    cat x.zip | damage
    [[ $(<err) == *'what follows it in the archive is not read'* ]]

    (cd "$data/logs" && zip -q0 "$BATS_TEST_TMPDIR/stored.zip" one.log three.log two.log)
    flip stored.zip $(($(place stored.zip three.log) + 1000))
    damage stored.zip
    [[ $(<err) == 'pproc: stored.zip:three.log: '*CRC* ]]
    tail -n 200 actual | cmp "$data/logs/two.log" -
    cat stored.zip | damage
    tail -n 200 actual | cmp "$data/logs/two.log" -

    cp "$data/x.tar" x.tar
    flip x.tar "$(place x.tar two.log)"
    damage x.tar
    [[ $(<err) == 'pproc: x.tar: the tar archive is damaged'*'the rest of it is not read' ]]
    cmp <(cat "$data/logs/one.log" "$data/logs/three.log") actual

    cp "$data/x.7z" x.7z
    flip x.7z 5000
    damage x.7z
    [[ $(<err) == 'pproc: x.7z:'*'.log: the 7z data is damaged'* ]]
}

@test "an encrypted member is an error with its name, and never a question" {
    echo secret >secret
    echo plain >plain
    zip -q -P password x.zip secret
    zip -q x.zip plain
    damage x.zip
    [[ $(<err) == 'pproc: x.zip:secret: is encrypted'* ]]
    cmp plain actual
    cat x.zip | damage
    [[ $(<err) == 'pproc: -:secret: is encrypted'* ]]
    cmp plain actual

    7zz a -bd -ppassword x.7z secret >/dev/null
    7zz a -bd x.7z plain >/dev/null
    damage x.7z plain
    [[ $(<err) == 'pproc: x.7z:secret: is encrypted'* ]]
    [[ $(tail -n 1 actual) == plain ]]

    7zz a -bd -ppassword -mhe=on hidden.7z secret >/dev/null
    damaged hidden.7z 'encrypted'
}

@test "the other inputs go on after a damaged archive" {
    head -c 700 "$data/x.tar" >x.tar
    echo next >next
    damage x.tar next x.tar next
    [[ $(tail -n 1 actual) == next ]]
    [[ $(grep -c '^next$' actual) == 2 && $(wc -l <err) == 2 ]]
}

@test "what only looks like an archive is text" {
    {
        head -c 1024 /dev/zero
        echo text
    } >nuls
    "$PPROC" nuls | cmp nuls -
    cat nuls | "$PPROC" | cmp nuls -
    printf '#mtree\n./file type=file\n' >mtree
    printf '!<arch>\nfile/           0           0     0     644     5         `\ntext\n\n' >library
    printf 'WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n' >warc
    echo file >file
    printf '070707000000000000100644000000000000000001000000000000000000000000500000000005file\0text\n' >cpio
    head -c 10240 /dev/zero >no-name
    for text in mtree library warc cpio no-name; do
        "$PPROC" "$text" | cmp "$text" -
        cat "$text" | "$PPROC" | cmp "$text" -
    done
}

@test "a name that promises an archive is kept, or it is an error" {
    for suffix in tar zip 7z; do
        echo text >"x.$suffix"
        damaged "x.$suffix" "is not a $suffix archive, though its name says so"
        : >"x.$suffix"
        damaged "x.$suffix" 'is empty'
        other=zip
        [[ $suffix != zip ]] || other=tar
        cp "$data/x.$other" "x.$suffix"
        damaged "x.$suffix" "is not a $suffix archive"
        [[ ! -s actual ]]
        "$PPROC" --no-decompress "x.$suffix" | cmp "$data/x.$other" -
    done
    { head -c 1024 /dev/zero && echo text; } >x.tar
    damaged x.tar
}

# damaged_in_every_place FORMAT
damaged_in_every_place()
{
    run -0 python3 "$srcdir/tests/data/damage_archives.py" "$1" "$PPROC"
}

@test "no damaged tar archive is taken for a whole one" {
    damaged_in_every_place tar
}

@test "no damaged zip archive is taken for a whole one" {
    damaged_in_every_place zip
    damaged_in_every_place zip-streamed
    damaged_in_every_place zip-stored
}

@test "no damaged 7z archive is taken for a whole one" {
    damaged_in_every_place 7z
}
