// SPDX-License-Identifier: BSD-2-Clause
// The heap of tasks.

#include "core/retry.h"

#include <stddef.h>

// Two heaps become one. Either may be NULL; neither has siblings.
static struct result *meld(struct result *a, struct result *b)
{
    if (a == NULL || b == NULL) {
        return a != NULL ? a : b;
    }
    if (b->task.due < a->task.due) {
        struct result *swap = a;
        a = b;
        b = swap;
    }
    b->next = a->heap_child;
    a->heap_child = b;
    return a;
}

void retry_push(struct retry_heap *heap, struct result *result)
{
    result->next = result->heap_child = NULL;
    heap->root = meld(heap->root, result);
}

struct result *retry_pop(struct retry_heap *heap)
{
    struct result *top = heap->root;

    // Meld the children in pairs, left to right, then the pairs, right to left.
    struct result *pairs = NULL;
    for (struct result *child = top->heap_child; child != NULL;) {
        struct result *a = child, *b = child->next;
        child = b != NULL ? b->next : NULL;
        a->next = NULL;
        if (b != NULL) {
            b->next = NULL;
        }
        struct result *pair = meld(a, b);
        pair->next = pairs;
        pairs = pair;
    }
    heap->root = NULL;
    while (pairs != NULL) {
        struct result *pair = pairs;
        pairs = pair->next;
        pair->next = NULL;
        heap->root = meld(heap->root, pair);
    }
    top->next = top->heap_child = NULL;
    return top;
}
