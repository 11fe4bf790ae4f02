/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An allocation that fails leaves the solver by a jump. The solver's blocks are kept in a list, for it forgets them then. */
#include "bounds/sdp_memory_private.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* In front of each block; neighbours in a ring. */
typedef union header {
    struct {
        union header *next, *last;
    };
    max_align_t aligned;
} header;

static header ring = {.next = &ring, .last = &ring};
static jmp_buf way_out;

bool hsgd_sdp_try(void (*work)(void *context), void *context)
{
    bool enough = !setjmp(way_out);
    if (enough)
        work(context);
    while (ring.next != &ring)
        hsgd_sdp_release(ring.next + 1);
    return enough;
}

void *hsgd_sdp_malloc(size_t size)
{
    header *block = size <= SIZE_MAX - sizeof *block ? malloc(sizeof *block + size) : NULL;
    if (!block)
        longjmp(way_out, 1);
    block->next = ring.next;
    block->last = &ring;
    ring.next = block->next->last = block;
    return block + 1;
}

void *hsgd_sdp_calloc(size_t count, size_t size)
{
    size_t bytes = size && count > SIZE_MAX / size ? SIZE_MAX : count * size;
    return memset(hsgd_sdp_malloc(bytes), 0, bytes);
}

void hsgd_sdp_release(void *memory)
{
    if (memory) {
        header *block = (header *)memory - 1;
        block->last->next = block->next;
        block->next->last = block->last;
        free(block);
    }
}
