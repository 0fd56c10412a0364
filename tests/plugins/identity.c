/* SPDX-License-Identifier: BSD-2-Clause */
/* A plugin that does nothing. */

#include <pproc-plugin.h>

static int record(void *state, const struct pproc_record *in, struct pproc_output *out, char *error)
{
    (void)state;
    (void)error;
    return pproc_emit(out, in->bytes, in->len);
}

const struct pproc_plugin pproc_plugin = {
    PPROC_PLUGIN_ABI, "identity", "1.0", NULL, record, NULL,
};
