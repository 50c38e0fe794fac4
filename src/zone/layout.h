/*
 * layout.h - the octets of an image, for its one writer (builder.c) and its one reader (image.c).
 *
 * Integers are in network order.  A place is counted in units of four octets from the image's
 * start, so that 32 bits reach 16 GiB; 0, where the header is, stands for "none".
 *
 *	header     magic[8] format:u32 zones:u32 version:u64 size:u64 (octets) key[16] depths[16]
 *	           apexes: at:u32 n:u32 probes:u32   rows:u32
 *	row        apex:u32 serial:u32 nodes:u32 records:u32   names: at:u32 n:u32 probes:u32
 *	           (a zone; the rows stand one behind the other)
 *	slots      n times tag:u32 (upper half of the hash) value:u32; the lower half says where the
 *	           search begins, which goes on to the next slot until one is empty
 *	node       next:u32 cut:u32 wild:u32 flags:u8 labels:u8 sets:u16 owner:bytes8, to a whole
 *	           unit; then its sets
 *	set        type:u16 records:u16 ttl:u32 data:u32 (its place) length:u32
 *	data       bytes16 each
 *
 * Invariants, which the builder keeps and no reader relies on:
 *  1. A node has all its ancestors up to the apex as nodes, empty ones where there is no data.
 *  2. The nodes of a zone are in canonical order, the apex first; `next` goes through them.
 *  3. `cut` is set exactly for occluded nodes; it is the highest delegation or DNAME above.
 *  4. A set fits into one message of 65,535 octets.
 *  5. At least half of all slots are empty.
 */
#ifndef ZONE_LAYOUT_H
#define ZONE_LAYOUT_H

enum {
	LAYOUT_FORMAT = 1,
	LAYOUT_UNIT = 4,
	LAYOUT_HEADER = 80,
	LAYOUT_ROW = 28,
	LAYOUT_SLOT = 8,
	LAYOUT_NODE = 16, /* without the owner */
	LAYOUT_SET = 16,
	LAYOUT_PROBES_MAX = 4096, /* what a reader searches at most, whatever an image says */
};
#define LAYOUT_MAGIC "steadzon"

#endif
