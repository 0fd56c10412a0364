/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interface of plugins: operations on records in C or C++, for pproc --plugin=FILE.so[,ARG].
 *
 * A plugin is a shared object that defines one symbol, a constant named pproc_plugin:
 *
 *     static int record(void *state, const struct pproc_record *in, struct pproc_output *out,
 *                       char *error)
 *     {
 *         return in->len < 80 ? pproc_emit(out, in->bytes, in->len) : PPROC_DONE;
 *     }
 *
 *     const struct pproc_plugin pproc_plugin = {
 *         PPROC_PLUGIN_ABI, "short-lines", "1.0", NULL, record, NULL,
 *     };
 *
 *     cc -shared -fPIC $(pkg-config --cflags pproc-plugin) -o short-lines.so short-lines.c
 *     pproc --plugin=./short-lines.so FILE
 *
 * States. Each worker has a state of its own: it calls open() once, before its first record, and
 * close() once, after its last one. If the same plugin is given twice on a command line, each has
 * states of its own.
 *
 * Threads. Calls with the same state never overlap, but may come from different threads. Calls with
 * different states come at the same time from different threads, or with --pool=process from
 * different processes: what states share is to be guarded by the plugin. A plugin must leave
 * signals, standard input, output and error, the locale and the working directory alone, and must
 * not call exit(). A call may block; it holds one worker then.
 *
 * Memory. What pproc passes is valid until the call returns, unless something else is said, and
 * must not be changed. What a plugin passes to pproc_emit() has to be valid until that returns.
 * There are no terminating NULs: a record may have any bytes, and none at all.
 *
 * Failures. A function that has an argument `error` may write there why it fails, as a text with a
 * terminating NUL, of at most PPROC_PLUGIN_ERROR_SIZE bytes in all: snprintf(error,
 * PPROC_PLUGIN_ERROR_SIZE, ...). It is empty when the function is called. C++ exceptions must not
 * leave a function.
 *
 * A crash in a plugin ends pproc; with --pool=process it costs one record.
 */

#ifndef PPROC_PLUGIN_H
#define PPROC_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

/* The version of this interface, raised by every change that an existing plugin could notice. pproc
 * refuses plugins of versions that it does not know. */
#define PPROC_PLUGIN_ABI 1

/* Bytes of room for the text of an error, its NUL included. */
#define PPROC_PLUGIN_ERROR_SIZE 256

#ifdef __cplusplus
extern "C" {
#endif

/* A record as the operations before the plugin left it. */
struct pproc_record {
    const char *bytes; /* never NULL */
    size_t len;        /* bytes, without the delimiter that ended it */
    unsigned attempt;  /* 1, and one more each time it is tried again, with --retries */
};

/* Where a plugin puts records; used by pproc_emit() alone. */
struct pproc_output {
    int (*emit)(struct pproc_output *out, const char *bytes, size_t len);
};

/* Put out a record of `len` bytes, without a delimiter. It goes through the operations behind the
 * plugin at once. `bytes` may be NULL if `len` is 0. Passing on in->bytes and in->len as they are
 * copies nothing. A record that contains the delimiter looks like several to who reads the output.
 *
 * To be called within record(), any number of times, with the `out` of that call. Nothing reaches
 * the output before record() has returned PPROC_DONE, so all of it is held in memory.
 *
 * Returns PPROC_DONE, or PPROC_FAILED if the record has failed in what stands behind, or for lack
 * of memory: record() should return that at once, and need not write an error. */
static inline int pproc_emit(struct pproc_output *out, const char *bytes, size_t len)
{
    return out->emit(out, bytes, len);
}

/* What a function returns. */
enum {
    PPROC_DONE = 0,
    PPROC_FAILED = 1,
    PPROC_FAILED_RETRY = 2 /* and another attempt may help, as after a lost connection */
};

struct pproc_plugin {
    /* PPROC_PLUGIN_ABI. In every version of the interface this is what comes first. */
    uint32_t abi;

    /* The plugin's name and version, for messages and --explain. Neither may be NULL. */
    const char *name;
    const char *version;

    /* Make the state of a worker. `arg` is ARG of --plugin=FILE.so,ARG, valid until close(), or
     * NULL if there is no comma; `worker` is the worker's number, from 1 (a worker that died may
     * have a successor of the same number). What is put into *state, which is NULL at first, is
     * passed to the other functions. Returns PPROC_DONE; anything else ends the run, and close() is
     * not called. NULL: there is nothing to be opened. */
    int (*open)(const char *arg, unsigned worker, void **state, char *error);

    /* Process a record: put out what becomes of it, by pproc_emit(); nothing, if it is to be
     * dropped. Returns PPROC_DONE, or PPROC_FAILED or PPROC_FAILED_RETRY: the record fails, and
     * what was put out for it is forgotten. With --retries a record that fails with
     * PPROC_FAILED_RETRY is tried again later, perhaps by another worker. All operations of a
     * record are also run again when COMMAND behind them is: so the same record may come more than
     * once. Never NULL. */
    int (*record)(void *state, const struct pproc_record *in, struct pproc_output *out,
                  char *error);

    /* Free the state. NULL: there is nothing to be closed. Not called if the process dies. */
    void (*close)(void *state);
};

/* What a plugin defines. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
extern const struct pproc_plugin pproc_plugin;

#ifdef __cplusplus
}
#endif

#endif
