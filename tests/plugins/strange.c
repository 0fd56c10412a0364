/* SPDX-License-Identifier: BSD-2-Clause */
/* What is no plugin for this pproc: of another version of the interface, or without a function. */

#include "pproc-plugin.h"

#ifndef NO_PLUGIN
const struct pproc_plugin pproc_plugin = {
#ifdef ABI
    ABI, (const char *)1, (const char *)1, NULL, NULL, NULL,
#else
    PPROC_PLUGIN_ABI, "strange", "1.0", NULL, NULL, NULL,
#endif
};
#endif
