#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# --plugin: operations in shared objects. Those of the tests are in tests/plugins.

# shellcheck disable=SC2016,SC2154,SC2164
load common

setup()
{
    cd "$BATS_TEST_TMPDIR"
    plugins=$builddir/tests/plugins
    player=$plugins/player.so
}

# refused TEXT ARGUMENT...: exit status 2 and one message, before anything is read.
refused()
{
    local text=$1
    shift
    run -2 "$PPROC" "$@" </dev/zero
    [[ $(wc -l <<<"$output") == 1 && $output == "pproc: "*"$text"* ]]
}

@test "a plugin that does nothing changes nothing" {
    "$PPROC" -j2 --plugin="$plugins/identity.so" "$SAMPLE" | cmp - "$SAMPLE"
    printf 'a\0\n\n\xff' >bytes
    "$PPROC" --plugin="$plugins/identity.so" bytes | cmp - bytes
}

@test "a name without a slash is that of a file in this directory" {
    cp "$player" here.so
    run -0 "$PPROC" --plugin=here.so,upper <<<a
    [[ $output == A ]]
    mkdir lib && mv here.so lib
    LD_LIBRARY_PATH=$PWD/lib refused 'here.so: cannot open shared object file' --plugin=here.so
}

@test "of each record there can be several, in their place, or none" {
    run -0 "$PPROC" -j4 --plugin="$player,words= " --stats=json <<<$'a b\n\nc\n d  e '
    [[ $output == $'a\nb\nc\nd\ne\n'* ]]
    account_balances <(echo "$output")
    [[ $(account emitted <(echo "$output")) == 3 && $(account dropped <(echo "$output")) == 1 ]]
    run -0 "$PPROC" --plugin="$player,drop=empty" <<<$'a\nb'
    [[ $output == '' ]]
    [[ $(seq 3 | "$PPROC" --plugin="$player,drop=empty" | wc -l) == 3 ]]
}

@test "of several the last one lacks its delimiter if the record does" {
    printf 'a\nb' | "$PPROC" --plugin="$player,again=1" | cmp - <(printf 'a\na\nb\nb')
    printf 'a\0b' | "$PPROC" -0 --plugin="$player,again=1" | cmp - <(printf 'a\0a\0b\0b')
    printf 'a\nb' | "$PPROC" -u -j1 --plugin="$player,again=1" | cmp - <(printf 'a\na\nb\nb\n')
}

@test "what is put out goes through the operations behind, and only those" {
    run -0 "$PPROC" -m '[a-f]' --plugin="$player,words= " -v b -s 's/d/x/' \
        --plugin="$player,upper" -v C <<<$'a b\ng h\nc d\nb'
    [[ $output == $'A\nX' ]]
}

@test "plugins behind plugins, and changes between them" {
    run -0 "$PPROC" -s 's/^/0 /' --plugin="$player,words= " -s 's/$/ x/' \
        --plugin="$player,words= " -v '^2$' --plugin="$player,again=1" -s 's/x/&y/g' <<<$'1\n2'
    [[ $(tr '\n' ' ' <<<"$output") == '0 0 &y &y 1 1 &y &y 0 0 &y &y &y &y ' ]]
}

@test "a match before a plugin gives -p its captures for each record" {
    run -0 "$PPROC" -m '^(\w)' --plugin="$player,words= " -p '$1' --plugin="$player,again=1" \
        -m '(.)$' -p '$1$1' <<<'abc def'
    [[ $output == $'aa\naa\naa\naa' ]]
}

@test "-c counts what would be written" {
    [[ $(seq 100 | "$PPROC" -c --plugin="$player,again=2") == 300 ]]
    [[ $(seq 100 | "$PPROC" -c --plugin="$player,again=2" -v 7) == 243 ]]
    [[ $(seq 100 | "$PPROC" -c --plugin="$plugins/identity.so") == 100 ]]
}

@test "each line of what is put out has a tag" {
    run -0 "$PPROC" --tag --plugin="$player,words= " <<<$'a b\nc'
    [[ $output == $'a b\ta\na b\tb\nc\tc' ]]
}

@test "a record that fails is put out not at all, and told with the plugin's reason" {
    run -1 --separate-stderr "$PPROC" --plugin="$player,words= " --plugin="$player,fail=b" \
        --dead-letter=letters <<<$'x y\na b c\nz'
    [[ $output == $'x\ny\nz' ]]
    jq -e '.error == "plugin" and .message == "I do not like '\''b'\''" and .record == "a b c" and
        .nr == 2 and .attempts == 1' letters
    run -1 --separate-stderr "$PPROC" --plugin="$player,fail=b" <<<b
    [[ ${stderr_lines[0]} == "pproc: -:1: plugin: I do not like 'b'" ]]
    run -1 --separate-stderr "$PPROC" --plugin="$player,silent=b" <<<b
    [[ ${stderr_lines[0]} == "pproc: -:1: plugin: player does not say why" ]]
    run -1 --separate-stderr "$PPROC" -0 --plugin="$player,fail="$'a\nb' < <(printf 'a\nb')
    [[ ${stderr_lines[0]} == "pproc: -:1: plugin: I do not like 'a b'" ]]
}

@test "a plugin that does not notice that what is behind it failed does no harm" {
    run -1 --separate-stderr "$PPROC" --plugin="$player,heedless" --plugin="$player,fail=b" \
        <<<$'a\nb\nc'
    [[ $output == $'a\na\nc\nc' ]]
    [[ ${stderr_lines[0]} == "pproc: -:2: plugin: I do not like 'b'" ]]
}

@test "a plugin that asks for another attempt of a record gets it, for this record alone" {
    run -0 --separate-stderr "$PPROC" -j2 --retries=3 --backoff=1ms --plugin="$player,flaky=3" \
        --stats=json < <(seq 1000)
    diff <(seq 1000 | sed 's/^7.*/& at 3/') <(echo "$output")
    [[ $(account retried <(echo "$stderr")) == 111 && $(account emitted <(echo "$stderr")) == 1000 ]]
    run -0 "$PPROC" -u -j2 --retries=3 --backoff=1ms --plugin="$player,flaky=3" < <(seq 1000)
    diff <(seq 1000 | sed 's/^7.*/& at 3/' | sort) <(sort <<<"$output")
}

@test "until its attempts are used up, whatever --retry-on says" {
    run -1 "$PPROC" --retries=2 --backoff=1ms --retry-on=28 --plugin="$player,flaky=4" \
        --dead-letter=letters < <(seq 5 9)
    [[ $output == $'5\n6\n8\n9\n'* ]]
    jq -e '.attempts == 3 and .nr == 3 and .record == "7" and
        .message == "attempt 3 was too early"' letters
    run -1 "$PPROC" --plugin="$player,flaky=2" --dead-letter=once <<<7
    jq -e '.attempts == 1' once
}

@test "a plugin that does not ask gets none" {
    run -1 "$PPROC" --retries=5 --backoff=1ms --plugin="$player,fail=b" --dead-letter=letters <<<b
    jq -e '.attempts == 1' letters
}

@test "COMMAND gets what plugins put out" {
    run -0 "$PPROC" --plugin="$player,words= " -- sed 's/^/+/' <<<$'a b\n\nc'
    [[ $output == $'+a\n+b\n+c' ]]
    run -0 "$PPROC" --plugin="$player,upper" -- echo {} <<<$'a b\nc'
    [[ $output == $'A B\nC' ]]
    run -0 "$PPROC" --plugin="$player,words= " -n 3 -- echo <<<$'a b\n\nc'
    [[ $output == 'a b c' ]]
}

@test "COMMAND for single records does not take several" {
    run -1 "$PPROC" --plugin="$player,words= " --dead-letter=letters -- echo {} <<<$'a\nb c\nd'
    [[ $output == $'a\nd\n'* ]]
    jq -e '.error == "plugin" and .record == "b c" and (.message | contains("2 records"))' letters
}

@test "COMMAND waits for a record that is retried, and takes the others" {
    run -0 "$PPROC" --retries=3 --backoff=1ms --plugin="$player,flaky=2" -- cat < <(seq 1000)
    diff <(seq 1000 | sed 's/^7.*/& at 2/') <(echo "$output")
    run -0 "$PPROC" --retries=3 --backoff=1ms --plugin="$player,flaky=2" -- echo {} < <(seq 5 9)
    diff <(seq 5 9 | sed 's/^7.*/& at 2/') <(echo "$output")
}

@test "each worker opens a plugin with its number, and closes it" {
    run -0 --separate-stderr "$PPROC" -j3 --plugin="$player,worker" "$SAMPLE"
    [[ -z $(sort -u <<<"$output" | tr -d '123\n') ]]
    run -0 --separate-stderr "$PPROC" -j1 --plugin="$player,closed=tell" <<<a
    [[ $stderr == 'player: worker 1 is closed' ]]
}

@test "there are as many workers as asked for" {
    "$PPROC" --explain -j99 --plugin="$player" | grep -qx 'threads: 99'
}

@test "a plugin that cannot be opened ends the run before anything is read" {
    for command in '' '-- cat' '-- echo {}'; do
        # shellcheck disable=SC2086 # words
        refused "player.so: player cannot be opened: no part 'sulk' to play" \
            --plugin="$player,sulk" $command
    done
}

@test "so does one that cannot be opened once more" {
    run -2 --separate-stderr "$PPROC" -j2 --plugin="$player,sulk=2" -- cat < <(yes)
    [[ $stderr == *"no part 'sulk=2' to play" ]]
}

@test "a plugin that calls exit() ends the run, and not with 0" {
    run -4 "$PPROC" -j2 --plugin="$player,exit=42" < <(seq 100)
    [[ $output == *'a plugin has ended the run by exit(): not all was processed' ]]
}

@test "a plugin that crashes ends the run by the signal" {
    run -139 env ASAN_OPTIONS="${ASAN_OPTIONS-}:handle_segv=0" \
        TSAN_OPTIONS="${TSAN_OPTIONS-}:handle_segv=0" \
        "$PPROC" -j2 --plugin="$player,crash=42" < <(seq 100)
}

@test "a plugin that hangs does not keep a signal from ending the run" {
    "$PPROC" -j2 --plugin="$player,hang=2" < <(seq 2) 2>err 3>&- &
    eventually grep -q hanging err
    kill -TERM $!
    status=0
    wait $! || status=$?
    [[ $status == 143 ]]
    grep 'ended by SIGTERM' err
}

@test "--explain tells name and version of a plugin" {
    run -0 "$PPROC" --explain -v x --plugin="$player,upper"
    [[ $output == *"plugin: $player,upper"$'\n'"plugin-name: player"$'\n'"plugin-version: 1.0"* ]]
}

# Plugins are built for the interface as it is installed.
install_header()
{
    make -C "$builddir" install DESTDIR="$PWD/root" >/dev/null
    PKG_CONFIG_SYSROOT_DIR=$PWD/root
    PKG_CONFIG_PATH=$(dirname "$(find "$PWD/root" -name pproc-plugin.pc)")
    export PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_PATH
}

@test "the example is built for the interface that is installed, and works" {
    install_header
    mkdir example
    cp "$srcdir"/docs/examples/plugin/* example
    chmod -R u+w example
    make -C example CFLAGS='-O2 -Wall -Wextra -Werror'
    run -0 "$PPROC" --plugin=example/pseudonym.so,2:secret <<<$'1 ada x\n2 bob\n3 ada'
    [[ $(cut -d ' ' -f 1,3 <<<"$output") == $'1 x\n2\n3' ]]
    [[ $(cut -d ' ' -f 2 <<<"$output" | sort | uniq -c | awk '{ print $1 }' | sort) == $'1\n2' ]]
    run -1 --separate-stderr "$PPROC" --plugin=example/pseudonym.so,2:secret <<<one
    [[ ${stderr_lines[0]} == *'plugin: there is no column 2' ]]
    refused 'pseudonym cannot be opened: its argument is COLUMN:KEY' \
        --plugin=example/pseudonym.so,two
    [[ $(pkg-config --variable=abi pproc-plugin) == 1 ]]
}

@test "the header is that of C and of C++, old and pedantic" {
    install_header
    flags="-Wall -Wextra -pedantic -Werror -shared -fPIC $(pkg-config --cflags pproc-plugin)"
    cat >limit.cc <<'EOF'
#include <pproc-plugin.h>

#include <stdio.h>

static int record(void *, const pproc_record *in, pproc_output *out, char *error)
{
    if (in->len == 0) {
        snprintf(error, PPROC_PLUGIN_ERROR_SIZE, "it is empty");
        return PPROC_FAILED;
    }
    return in->len <= 3 ? pproc_emit(out, in->bytes, in->len) : PPROC_DONE;
}

const struct pproc_plugin pproc_plugin = {
    PPROC_PLUGIN_ABI, "limit", "1.0", nullptr, record, nullptr,
};
EOF
    # shellcheck disable=SC2086 # words
    clang++ -std=c++11 -fvisibility=hidden $flags -o limit.so limit.cc
    run -1 --separate-stderr "$PPROC" --plugin=limit.so <<<$'abc\nabcd\n'
    [[ $output == abc && ${stderr_lines[0]} == 'pproc: -:3: plugin: it is empty' ]]
    for compiler in cc clang; do
        # shellcheck disable=SC2086
        "$compiler" -std=c99 $flags -o identity.so "$srcdir/tests/plugins/identity.c"
        [[ $("$PPROC" --plugin=identity.so <<<a) == a ]]
    done
}

@test "what is no plugin is refused" {
    echo text >text.so
    refused 'missing.so: cannot open shared object file' --plugin=./missing.so
    refused "bad value '-m' for --plugin: it begins with '-'" --plugin -m x
    refused 'text.so: ' --plugin=./text.so
    refused "it has no symbol 'pproc_plugin'" --plugin="$plugins/no-plugin.so"
    refused 'lacks a name, a version or the function record()' --plugin="$plugins/no-record.so"
    refused "bad value ',arg' for --plugin" --plugin=,arg
}

@test "a plugin of another version of the interface is refused, and both are told" {
    refused 'for version 7 of the plugin interface, and this pproc has version 1' \
        --plugin="$plugins/version-7.so"
}

@test "-j1 and -jN, both drives and single bytes of memory give the same" {
    operations=(-m '[0-9]' --plugin="$player,words= " -s 's/\d+/<$0>/' -v '^"' --plugin="$player,again=1")
    "$PPROC" -j1 "${operations[@]}" "$SAMPLE" >expected
    [[ -s expected ]]
    "$PPROC" -j4 -S1 "${operations[@]}" "$SAMPLE" | cmp - expected
    PPROC_DRIVE=threaded "$PPROC" -j3 "${operations[@]}" "$SAMPLE" | cmp - expected
    "$PPROC" -j3 -u "${operations[@]}" <"$SAMPLE" | sort | cmp - <(sort expected)
}
