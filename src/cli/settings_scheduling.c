// SPDX-License-Identifier: BSD-2-Clause
// When records are started: priorities, keys and rates.

#include "base/diag.h"
#include "base/units.h"
#include "cli/options.h"
#include "cli/policy.h"
#include "cli/settings.h"
#include "cli/settings_parts.h"
#include "core/levels.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static bool set_rate(struct settings *settings, const struct options *options)
{
    const char *text = options->values[OPTION_RATE];
    return text == NULL || policy_parse_rate(text, &settings->rate) == 0 ||
           refuse(OPTION_RATE, text, RATE_ALLOWED);
}

// A pattern may hold '=', a priority does not.
static bool set_priority(struct priority *priority, const char *text)
{
    const char *sign = strrchr(text, '=');
    if (sign == NULL || policy_parse_level(sign + 1, &priority->level) != 0) {
        return refuse(OPTION_PRIORITY, text, PRIORITY_ALLOWED);
    }
    priority->pattern = strndup(text, (size_t)(sign - text));
    if (priority->pattern == NULL) {
        diag_error("no memory for the priorities");
        return false;
    }
    return true;
}

static bool set_priorities(struct settings *settings, const struct options *options)
{
    settings->priority_by = options->values[OPTION_PRIORITY_BY];
    settings->priorities = calloc(options->priority_count + 1, sizeof(*settings->priorities));
    if (settings->priorities == NULL) {
        diag_error("no memory for the priorities");
        return false;
    }
    for (size_t i = 0; i < options->priority_count; i++) {
        if (!set_priority(&settings->priorities[settings->priority_count++],
                          options->priorities[i])) {
            return false;
        }
    }
    return true;
}

static bool has_priorities(const struct settings *settings)
{
    return settings->priority_count > 0 || settings->priority_by != NULL;
}

// It is multiplied by levels. Nothing waits for years.
#define AGING_MAX (INT64_MAX / LEVEL_COUNT)

static bool set_aging(struct settings *settings, const struct options *options)
{
    const char *text = options->values[OPTION_AGING];
    if (text != NULL && !has_priorities(settings)) {
        diag_error("--aging has nothing to do without --priority or --priority-by");
        return false;
    }
    if (!set_duration(&settings->aging, options, OPTION_AGING, 0)) {
        return false;
    }
    if (settings->aging > AGING_MAX) {
        settings->aging = AGING_MAX;
    }
    return true;
}

// Of our own operations ordered output or a number is the same whatever runs first. Plugins may do
// more, and dead letters tell priorities.
static bool shows_priorities(const struct settings *settings)
{
    return settings->mode != MODE_NONE || (!settings->ordered && !settings->count) ||
           settings->dead_letter != NULL || settings->plugins;
}

static bool set_key(struct settings *settings, const struct options *options)
{
    const char *text = options->values[OPTION_KEY_JOBS];
    uint64_t jobs = 1;
    settings->key = options->values[OPTION_KEY];
    if (text != NULL && settings->key == NULL) {
        diag_error("--key-jobs has nothing to do without --key");
        return false;
    }
    if (text != NULL && units_parse_count(text, 1, UINT_MAX, &jobs) != 0) {
        return refuse(OPTION_KEY_JOBS, text, "a number of records, at least 1");
    }
    settings->key_jobs = (unsigned)jobs;
    return true;
}

// What operations alone do is the same in whatever order. Only the output shows one: so with a key
// it is that of the input.
static void apply_key(struct settings *settings)
{
    settings->keyed = settings->key != NULL && (settings->mode != MODE_NONE || settings->plugins);
    settings->ordered = settings->ordered || (settings->key != NULL && !settings->keyed);
}

bool set_scheduling(struct settings *settings, const struct options *options)
{
    if (!set_rate(settings, options) || !set_priorities(settings, options) ||
        !set_aging(settings, options) || !set_key(settings, options)) {
        return false;
    }
    apply_key(settings);
    settings->classified = has_priorities(settings) && shows_priorities(settings);
    return true;
}
