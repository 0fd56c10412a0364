#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# COMMAND with the programs that people run: the result is that of the program alone.

load common

setup()
{
    cd "$BATS_TEST_TMPDIR"
    server=
}

teardown()
{
    [[ -z $server ]] || kill "$server" 2>/dev/null || :
}

# objects COUNT: lines of JSON.
objects()
{
    seq "$1" | awk '{ printf "{\"id\": %d, \"name\": \"n %d\", \"total\": %d.5}\n", $1, $1, $1 * 3 }'
}

# same_as_alone COMMAND...: as a filter of the sample it gives what it gives alone. 1 is a success of
# grep.
same_as_alone()
{
    "$@" <"$SAMPLE" >expected
    [[ -s expected ]]
    "$PPROC" -j3 --ok-exit=0,1 --block=64K "$SAMPLE" -- "$@" >actual
    cmp expected actual
    "$PPROC" -j3 --ok-exit=0,1 -S 1M "$SAMPLE" -- "$@" >actual
    cmp expected actual
    "$PPROC" -j3 --ok-exit=0,1 -u --block=64K "$SAMPLE" -- "$@" | sort >actual
    sort expected | cmp - actual
}

@test "jq gives what it gives alone" {
    objects 20000 >in
    jq -c '{id, total}' in >expected
    "$PPROC" in -- jq -c '{id, total}' >actual
    cmp expected actual
    "$PPROC" -j3 --batch-lines=1000 in -- jq -c '{id, total}' >actual
    cmp expected actual
}

@test "broken lines are dead letters, all others are out; mended, they are run again" {
    objects 3000 >good
    sed '1000s/}$//; 1001s/{/[/; 2222s/:/=/' good >in
    run -1 --separate-stderr "$PPROC" --dead-letter=letters in -- jq -c '{id, total}'
    sed '1000d; 1001d; 2222d' good | jq -c '{id, total}' | diff - <(echo "$output")
    [[ $(jq .nr letters | xargs) == "1000 1001 2222" ]]
    [[ $(jq -s 'all(.error == "exit" and .attempts == 1 and (.stderr | test("error")))' letters) == true ]]
    [[ $(jq -r .record letters) == "$(sed -n '1000p; 1001p; 2222p' in)" ]]

    "$PPROC" --replay --retries=1 --backoff=1ms --dead-letter=again letters -- \
        jq -c '{id, total}' && false
    [[ $(jq -c '[.nr, .attempts]' again | xargs) == "[1000,2] [1001,2] [2222,2]" ]]
    jq -c --rawfile good good '.record = ($good | split("\n"))[.nr - 1]' again >mended
    "$PPROC" --replay mended -- jq -c '{id, total}' >actual
    sed -n '1000p; 1001p; 2222p' good | jq -c '{id, total}' | cmp - actual
}

@test "filters of lines give what they give alone" {
    same_as_alone sed -E 's/([0-9]+)\.([0-9]+)/\2-\1/; s/a{2}/b/'
    same_as_alone awk '{ print $1, length($0) }'
    same_as_alone grep -v ' 200 '
    same_as_alone tr a-z A-Z
}

@test "a program that takes long to start gives what it gives alone" {
    reverse='import sys; [print(line.strip()[::-1]) for line in sys.stdin]'
    python3 -c "$reverse" <"$SAMPLE" >expected
    "$PPROC" -j2 --block=256K "$SAMPLE" -- python3 -c "$reverse" >actual
    cmp expected actual
}

@test "grep that finds nothing in a batch is a success if its status is said to be" {
    seq 100 >in
    run -1 --separate-stderr "$PPROC" --batch-lines=10 in -- grep 55
    [[ $stderr == *"--ok-exit=0,1"* ]]
    [[ $("$PPROC" --batch-lines=10 --ok-exit=0,1 in -- grep 55) == 55 ]]
}

@test "gzip compresses in parallel, and what it gives is one stream" {
    "$PPROC" -j3 --binary --block=64K "$SAMPLE" -- gzip -c >out.gz
    gzip -t out.gz
    gzip -dc out.gz | cmp "$SAMPLE" -
    [[ $("$PPROC" out.gz | cksum) == "$(cksum <"$SAMPLE")" ]]
}

@test "sha256sum of files: one process for each, or for many" {
    mkdir d
    for i in $(seq 50); do
        echo "$i" >"d/a file $i"
    done
    find d -type f | sort >names
    xargs -d '\n' sha256sum <names >expected
    "$PPROC" -j3 names -- sha256sum {} >actual
    cmp expected actual
    "$PPROC" -j3 -n 7 names -- sha256sum >actual
    cmp expected actual
    find d -type f -print0 | sort -z | "$PPROC" -0 -j3 -- sha256sum {} >actual
    cmp expected actual
    rm 'd/a file 7'
    run -1 --separate-stderr "$PPROC" -j3 --dead-letter=letters names -- sha256sum {}
    grep -v ' file 7$' expected | diff - <(echo "$output")
    [[ $(jq -r .record letters) == "d/a file 7" ]]
    [[ $(jq -r .stderr letters) == *"No such file"* ]]
}

# serve: answer at a port of this machine, in `port`, with the files of this directory; /hang has no
# answer, and /busy has one only when it is asked for a second time.
serve()
{
    cat >server.py <<'PY'
import http.server, threading

asked = threading.Lock()
busy = set()

class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/hang":
            self.rfile.read()
        elif self.path.startswith("/busy"):
            with asked:
                first = self.path not in busy
                busy.add(self.path)
            self.send_response(503 if first else 200)
            self.send_header("Content-Length", "7")
            self.end_headers()
            self.wfile.write(b"at last")
        else:
            super().do_GET()

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open("port.new", "w") as file:
    file.write(str(server.server_port))
import os
os.rename("port.new", "port")
server.serve_forever()
PY
    python3 server.py >server.log 2>&1 3>&- &
    server=$!
    eventually test -e port
    port=$(<port)
}

@test "curl: what is busy is tried again, what hangs or is missing is a dead letter" {
    serve
    for i in $(seq 20); do
        echo "page $i" >"$i.html"
    done
    {
        printf "http://127.0.0.1:$port/%s\n" {1..10}.html busy1 missing {11..20}.html busy2
    } >urls
    run -1 --separate-stderr "$PPROC" -j4 --retries=1 --retry-on=22 --backoff=1ms \
        --dead-letter=letters --stats=json urls -- curl -fsS {}
    {
        printf 'page %s\n' {1..10}
        echo at last
        printf 'page %s\n' {11..20}
        echo at last
    } | diff - <(echo "$output")
    [[ $(jq -c '[.nr, .error, .status, .attempts]' letters) == '[12,"exit",22,2]' ]]
    [[ $(jq -r .stderr letters) == *404* ]]
    [[ $(tail -n 1 <<<"$stderr" | jq -c '[.emitted, .failed, .retried]') == "[22,1,3]" ]]
    # On its own: on a busy machine the others might take as long.
    rm letters
    run -1 "$PPROC" --retries=1 --retry-on=22 --timeout=100ms --dead-letter=letters --args \
        "http://127.0.0.1:$port/hang" -- curl -fsS {}
    [[ $(jq -c '[.error, .status, .attempts]' letters) == '["timeout",null,1]' ]]
}

@test "any number of workers, and little memory, give the same" {
    "$PPROC" -j1 "$SAMPLE" -- sed 's/^/> /' >expected
    sed 's/^/> /' "$SAMPLE" | cmp - expected
    head -n 400 "$SAMPLE" >begin
    for options in -j2 -j7 -j40 "-j3 -S 4K" "-j2 --queue-size=1"; do
        # shellcheck disable=SC2086 # words
        "$PPROC" $options --batch-lines=200 "$SAMPLE" -- sed 's/^/> /' >actual
        cmp expected actual
        # shellcheck disable=SC2086
        "$PPROC" $options --each begin -- printf '> %s\n' >actual
        sed 's/^/> /' begin | cmp - actual
    done
}

# measured COMMAND...: run it; its peak of memory, in KiB, is in `peak`.
measured()
{
    "$builddir/bench/measure" measurement "$@"
    read -r _ _ peak <measurement
}

@test "an output of 300 MB of one child stays out of memory, and the others go on" {
    skip_if_sanitized
    seq 20 >in
    measured "$PPROC" -j2 -S 1M --batch-lines=1 --binary in -- \
        sh -c 'read n; if [ $n = 3 ]; then head -c 300M /dev/zero; else echo $n; fi' >out
    {
        seq 2
        head -c 300M /dev/zero
        seq 4 20
    } | cmp - out
    rm out
    [[ $peak -lt 17536 ]] # KiB: 16 MiB, -S, 64 KiB a worker
}

@test "an attempt that fails after much output emits nothing of it" {
    seq 3 >in
    run -1 --separate-stderr "$PPROC" -j2 -S 1M --batch-lines=1 in -- \
        sh -c 'read n; [ $n != 2 ] || { head -c 30M /dev/zero; exit 3; }; echo $n'
    [[ $output == $'1\n3' ]]
}

# stuck_at COUNT: the first batch has been started, and so many others are done.
stuck_at()
{
    [[ -e started && $(wc -l <runs) == "$1" ]]
}

@test "behind a first batch that is stuck others are run, in bounded memory and descriptors" {
    skip_if_sanitized
    seq 400 >in
    mkfifo gate
    touch runs
    # Each of the others prints 100 KB: far more than -S, were it all kept.
    "$builddir/bench/measure" measurement "$PPROC" -j3 -S 4M --batch-lines=2 in -- sh -c '
        read n
        if [ $n = 1 ]; then touch started; read line <gate; fi
        printf "%0100000d\n" $n
        echo $n >>runs' >out 2>err 3>&- &
    eventually stuck_at 199
    fds=("/proc/$(pgrep -P $! -x pproc)"/fd/*)
    echo go >gate
    wait $!
    seq 1 2 400 | xargs printf '%0100000d\n' | cmp - out
    read -r _ _ peak <measurement
    [[ $peak -lt 20672 ]] # KiB: 16 MiB, -S, 64 KiB a worker
    [[ ${#fds[@]} -gt 3 && ${#fds[@]} -lt 40 ]]
}
