// SPDX-License-Identifier: BSD-2-Clause
// Plugin: finding and checking the shared object.

#include "plan/op_plugin.h"

#include "base/diag.h"

#include <ctype.h>
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOL "pproc_plugin"

static int refuse(const struct op_plugin *op, const char *why)
{
    diag_error("--plugin: %s: %s", op->file, why);
    return -1;
}

// The file and its argument.
static int split_value(struct op_plugin *op, const char *value)
{
    size_t len = strcspn(value, ",");
    if (len == 0) {
        diag_error("bad value '%s' for --plugin: allowed is FILE.so or FILE.so,ARG", value);
        return -1;
    }
    if (*value == '-') {
        diag_error("bad value '%s' for --plugin: it begins with '-'; if it is meant, write './%s'",
                   value, value);
        return -1;
    }
    op->file = strndup(value, len);
    op->arg = value[len] == ',' ? value + len + 1 : NULL;
    if (op->file == NULL) {
        diag_error("no memory for the operations");
        return -1;
    }
    return 0;
}

// FILE is a path, as everywhere: a name without a slash is not looked for in the directories of
// libraries.
static void *load(const char *file)
{
    char *path = NULL;
    if (strchr(file, '/') == NULL && asprintf(&path, "./%s", file) < 0) {
        return NULL;
    }
    void *object = dlopen(path != NULL ? path : file, RTLD_NOW | RTLD_LOCAL);
    free(path);
    return object;
}

// Why the last load() failed; the linker begins with the path, if it is that which it complains of.
static const char *load_error(const struct op_plugin *op)
{
    const char *error = dlerror();
    if (error == NULL) {
        return "there is no memory to load it";
    }
    const char *rest = strstr(error, op->file);
    if (rest != NULL && (rest == error || rest == error + 2)) {
        rest += strlen(op->file);
        return strncmp(rest, ": ", 2) == 0 ? rest + 2 : error;
    }
    return error;
}

int op_plugin_init(struct op_plugin *op, const char *value)
{
    *op = (struct op_plugin){0};
    if (split_value(op, value) != 0) {
        return -1;
    }
    op->object = load(op->file);
    if (op->object == NULL) {
        return refuse(op, load_error(op));
    }
    op->plugin = dlsym(op->object, SYMBOL);
    if (op->plugin == NULL) {
        return refuse(op, "it is no plugin: it has no symbol '" SYMBOL "' (see pproc-plugin.h)");
    }
    if (op->plugin->abi != PPROC_PLUGIN_ABI) {
        diag_error("--plugin: %s: it was built for version %" PRIu32
                   " of the plugin interface, and this pproc has version %d: build it again with "
                   "the pproc-plugin.h of this pproc",
                   op->file, op->plugin->abi, PPROC_PLUGIN_ABI);
        return -1;
    }
    if (op->plugin->name == NULL || op->plugin->version == NULL || op->plugin->record == NULL) {
        return refuse(op, "its '" SYMBOL "' lacks a name, a version or the function record()");
    }
    return 0;
}

void op_plugin_destroy(struct op_plugin *op)
{
    if (op->object != NULL) {
        dlclose(op->object);
    }
    free(op->file);
}

void op_plugin_reason(char error[static PPROC_PLUGIN_ERROR_SIZE])
{
    error[PPROC_PLUGIN_ERROR_SIZE - 1] = '\0';
    size_t len = strlen(error);
    for (size_t i = 0; i < len; i++) {
        if (iscntrl((unsigned char)error[i])) {
            error[i] = ' ';
        }
    }
    while (len > 0 && error[len - 1] == ' ') {
        error[--len] = '\0';
    }
}

int op_plugin_open(const struct op_plugin *op, unsigned worker, void **state)
{
    char error[PPROC_PLUGIN_ERROR_SIZE] = "";
    *state = NULL;
    if (op->plugin->open == NULL || op->plugin->open(op->arg, worker, state, error) == PPROC_DONE) {
        return 0;
    }
    op_plugin_reason(error);
    diag_error("--plugin: %s: %s cannot be opened: %s", op->file, op->plugin->name,
               error[0] != '\0' ? error : "it does not say why");
    return -1;
}

void op_plugin_close(const struct op_plugin *op, void *state)
{
    if (op->plugin->close != NULL) {
        op->plugin->close(state);
    }
}
