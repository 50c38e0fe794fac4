/*
 * heap.c - the classic binary heap in an array.
 *
 * 1. nodes[i]->at == i + 1 for every i < n.
 * 2. No node's key is smaller than its parent's: nodes[(i - 1) / 2]->key <= nodes[i]->key.
 */
#include "base/heap.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST = 16 };

static void
set(struct heap *h, size_t i, struct heap_node *node)
{
	h->nodes[i] = node;
	node->at = i + 1;
}

static void
up(struct heap *h, size_t i)
{
	struct heap_node *node = h->nodes[i];

	for (; i > 0 && h->nodes[(i - 1) / 2]->key > node->key; i = (i - 1) / 2)
		set(h, i, h->nodes[(i - 1) / 2]);
	set(h, i, node);
}

static void
down(struct heap *h, size_t i)
{
	struct heap_node *node = h->nodes[i];
	size_t child;

	while ((child = 2 * i + 1) < h->n) {
		if (child + 1 < h->n && h->nodes[child + 1]->key < h->nodes[child]->key)
			child++;
		if (h->nodes[child]->key >= node->key)
			break;
		set(h, i, h->nodes[child]);
		i = child;
	}
	set(h, i, node);
}

static void
settle(struct heap *h, size_t i)
{
	if (i > 0 && h->nodes[(i - 1) / 2]->key > h->nodes[i]->key)
		up(h, i);
	else
		down(h, i);
}

bool
heap_push(struct heap *h, struct heap_node *node, uint64_t key)
{
	struct heap_node **nodes;
	size_t cap = h->cap ? h->cap * 2 : FIRST;

	assert(!node->at);
	if (h->n == h->cap) {
		if (cap > SIZE_MAX / sizeof(*nodes))
			return false;
		nodes = realloc(h->nodes, cap * sizeof(struct heap_node *));
		if (!nodes)
			return false;
		h->nodes = nodes;
		h->cap = cap;
	}
	node->key = key;
	set(h, h->n++, node);
	up(h, h->n - 1);
	return true;
}

void
heap_remove(struct heap *h, struct heap_node *node)
{
	size_t i = node->at;

	if (!i--)
		return;
	assert(i < h->n && h->nodes[i] == node);
	node->at = 0;
	h->n--;
	if (i == h->n)
		return;
	set(h, i, h->nodes[h->n]);
	settle(h, i);
}

struct heap_node *
heap_pop(struct heap *h)
{
	struct heap_node *node = heap_first(h);

	if (node)
		heap_remove(h, node);
	return node;
}

void
heap_move(struct heap *h, struct heap_node *node, uint64_t key)
{
	assert(node->at && node->at <= h->n && h->nodes[node->at - 1] == node);
	node->key = key;
	settle(h, node->at - 1);
}

void
heap_fini(struct heap *h)
{
	for (size_t i = 0; i < h->n; i++)
		h->nodes[i]->at = 0;
	free(h->nodes);
	*h = (struct heap){NULL, 0, 0};
}
