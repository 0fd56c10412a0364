# SPDX-License-Identifier: BSD-2-Clause
# Probes of the compiler, and libraries that are found by pkg-config.

# PPROC_COMPILER_FLAG(FLAG, IF-TAKEN, IF-NOT): does the compiler take FLAG without a word?
AC_DEFUN([PPROC_COMPILER_FLAG], [
    AC_MSG_CHECKING([whether $CC takes $1])
    pproc_saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $1 -Werror"
    AC_COMPILE_IFELSE([AC_LANG_SOURCE([[typedef int nothing;]])],
        [pproc_taken=yes], [pproc_taken=no])
    CFLAGS=$pproc_saved_CFLAGS
    AC_MSG_RESULT([$pproc_taken])
    AS_IF([test $pproc_taken = yes], [$2], [$3])
])

# PPROC_WARNINGS(FLAG...): collect in WARNING_CFLAGS those that the compiler takes, each alone,
# so that an older or another compiler does without the rest.
AC_DEFUN([PPROC_WARNINGS], [
    WARNING_CFLAGS=
    m4_foreach_w([pproc_flag], [$1],
        [PPROC_COMPILER_FLAG(pproc_flag, [WARNING_CFLAGS="$WARNING_CFLAGS pproc_flag"], [:])])
    AC_ARG_ENABLE([werror],
        [AS_HELP_STRING([--enable-werror], [treat warnings of the compiler as errors])],
        [], [enable_werror=no])
    AS_IF([test "x$enable_werror" = xyes], [WARNING_CFLAGS="$WARNING_CFLAGS -Werror"])
    AC_SUBST([WARNING_CFLAGS])
])

# PPROC_SANITIZER: --enable-sanitizer=LIST sets SANITIZER (the list, or nothing) and
# SANITIZER_CFLAGS, for compiling and linking.
AC_DEFUN([PPROC_SANITIZER], [
    AC_ARG_ENABLE([sanitizer],
        [AS_HELP_STRING([--enable-sanitizer=LIST],
            [build with sanitizers: address,undefined or thread])],
        [], [enable_sanitizer=no])
    SANITIZER= SANITIZER_CFLAGS=
    AS_CASE([$enable_sanitizer],
        [no], [],
        [yes|''], [AC_MSG_ERROR([--enable-sanitizer needs a list, as in address,undefined])],
        [SANITIZER=$enable_sanitizer
         SANITIZER_CFLAGS="-fsanitize=$SANITIZER -fno-sanitize-recover=all -fno-omit-frame-pointer"
         AC_MSG_CHECKING([whether $CC can sanitize $SANITIZER])
         pproc_saved_CFLAGS=$CFLAGS
         CFLAGS="$CFLAGS $SANITIZER_CFLAGS"
         AC_LINK_IFELSE([AC_LANG_PROGRAM()], [AC_MSG_RESULT([yes])],
            [AC_MSG_RESULT([no])
             AC_MSG_ERROR([$CC cannot build with -fsanitize=$SANITIZER dnl
(clang needs the Debian package libclang-rt-14-dev)])])
         CFLAGS=$pproc_saved_CFLAGS])
    AC_SUBST([SANITIZER])
    AC_SUBST([SANITIZER_CFLAGS])
])

# PPROC_LIBRARY(PREFIX, MODULE, DEBIAN-PACKAGE): a library that the program cannot do without.
AC_DEFUN([PPROC_LIBRARY], [
    PKG_CHECK_MODULES([$1], [$2], [],
        [AC_MSG_ERROR([the library $2 was not found: install the Debian package $3, dnl
or set PKG_CONFIG_PATH])])
])
