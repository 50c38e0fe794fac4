/*
 * heap.h - a binary heap with the smallest key first, for timers: the nodes live inside what they
 * time, so that one is found and removed without a search.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: in no heap.  It must stay where it is while it is in one. */
struct heap_node {
	uint64_t key;
	size_t at; /* its place in the heap, from 1; 0: in none */
};

/* Zeroed: empty.  Of equal keys the order is not stated, but the same in every run. */
struct heap {
	struct heap_node **nodes;
	size_t n, cap;
};

static inline bool
heap_holds(const struct heap_node *node)
{
	return node->at != 0;
}

/* The node with the smallest key, which stays in; NULL when empty. */
static inline struct heap_node *
heap_first(const struct heap *h)
{
	return h->n ? h->nodes[0] : NULL;
}

/* Puts a node in that is in no heap.  False, and nothing done, when memory is used up. */
bool heap_push(struct heap *, struct heap_node *, uint64_t key) __attribute__((warn_unused_result));
/* Takes the node with the smallest key out; NULL when empty. */
struct heap_node *heap_pop(struct heap *);
/* Takes this node out; one that is in no heap is left as it is. */
void heap_remove(struct heap *, struct heap_node *);
/* Gives a node that is in this heap another key; cannot fail. */
void heap_move(struct heap *, struct heap_node *, uint64_t key);
/* Frees the heap's own memory; the nodes that were in it are in none then. */
void heap_fini(struct heap *);

#endif
