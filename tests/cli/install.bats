#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# make install.

load common

build()
{
    make -C "$builddir" "$@" DESTDIR="$BATS_TEST_TMPDIR/root"
}

installed()
{
    (cd "$BATS_TEST_TMPDIR/root" && find . -type f -path "*/$1")
}

@test "make install puts program, manual, completions and the interface of plugins in place, and nothing else" {
    build install
    [ "$(installed bin/pproc | wc -l)" -eq 1 ]
    [ "$(installed share/man/man1/pproc.1 | wc -l)" -eq 1 ]
    [ "$(installed share/bash-completion/completions/pproc | wc -l)" -eq 1 ]
    [ "$(installed share/fish/vendor_completions.d/pproc.fish | wc -l)" -eq 1 ]
    [ "$(installed share/zsh/site-functions/_pproc | wc -l)" -eq 1 ]
    [ "$(installed include/pproc-plugin.h | wc -l)" -eq 1 ]
    [ "$(installed lib/pkgconfig/pproc-plugin.pc | wc -l)" -eq 1 ]
    [ "$(installed '*' | wc -l)" -eq 7 ]
}

@test "the installed program runs" {
    build install
    program=$BATS_TEST_TMPDIR/root/$(installed bin/pproc)
    [ "$(echo record | "$program")" = record ]
}

@test "make uninstall leaves no file" {
    build install
    build uninstall
    [ -z "$(installed '*')" ]
}
