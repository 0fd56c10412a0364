// SPDX-License-Identifier: BSD-2-Clause
// Plugin: an operation in a shared object. pproc-plugin.h is what it knows of us.

#ifndef PPROC_PLAN_OP_PLUGIN_H
#define PPROC_PLAN_OP_PLUGIN_H

#include "pproc-plugin.h"

// Immutable, shared by all threads.
struct op_plugin {
    void *object;    // of dlopen()
    char *file;      // as typed, but for the argument
    const char *arg; // NULL: there is none
    const struct pproc_plugin *plugin;
};

// Load FILE.so[,ARG]. Returns 0, or -1 after a message on standard error; it can be destroyed in
// both cases.
int op_plugin_init(struct op_plugin *op, const char *value);
// All states are closed.
void op_plugin_destroy(struct op_plugin *op);

// Make the state of a worker. Returns 0, or -1 after a message on standard error.
int op_plugin_open(const struct op_plugin *op, unsigned worker, void **state);
void op_plugin_close(const struct op_plugin *op, void *state);

// What a plugin wrote to say why it fails becomes the end of a message, of one line.
void op_plugin_reason(char error[static PPROC_PLUGIN_ERROR_SIZE]);

#endif
