/* conf.c - any text is a tree or has complaints, and never more memory than its size allows. */
#include "base/conf.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct zone {
	struct bytes file;
};

struct settings {
	struct bytes text;
	uint64_t number, size, time;
	bool flag;
	uint32_t choice;
	struct conf_texts texts;
	struct conf_addrs listen;
	struct conf_nets nets;
	struct {
		uint64_t n;
	} block;
	struct conf_named zones;
};

#define AT(m) .offset = offsetof(struct settings, m)

static const struct conf_key zone_keys[] = {
    {.name = "file", .type = CONF_TEXT, .offset = offsetof(struct zone, file), .required = true},
    {.name = NULL},
};
static const struct conf_key block_keys[] = {
    {.name = "n", .type = CONF_NUMBER, .fallback = "1", .max = 9},
    {.name = NULL},
};
static const struct conf_key keys[] = {
    {.name = "text", .type = CONF_TEXT, AT(text), .fallback = "\"\""},
    {.name = "number", .type = CONF_NUMBER, AT(number)},
    {.name = "size", .type = CONF_SIZE, AT(size), .max = 1u << 30},
    {.name = "time", .type = CONF_DURATION, AT(time), .min = 1000, .fallback = "5m"},
    {.name = "flag", .type = CONF_FLAG, AT(flag)},
    {.name = "choice", .type = CONF_CHOICE, AT(choice), .choices = "a b c"},
    {.name = "texts", .type = CONF_TEXTS, AT(texts)},
    {.name = "listen", .type = CONF_ADDRS, AT(listen), .port = 25},
    {.name = "nets", .type = CONF_NETS, AT(nets), .fallback = "[127.0.0.0/8 ::1]"},
    {.name = "block", .type = CONF_BLOCK, AT(block), .keys = block_keys},
    {.name = "zones",
     .type = CONF_NAMED,
     AT(zones),
     .keys = zone_keys,
     .size = sizeof(struct zone)},
    {.name = NULL},
};

/* Each complaint is one line of printable ASCII that begins with its place. */
static void
check_faults(const struct conf_faults *f)
{
	for (size_t i = 0; i < f->n && i < CONF_FAULTS_MAX; i++) {
		const char *text = f->list[i].text;

		assert(f->list[i].line && f->list[i].col && *text == 'f');
		for (; *text; text++)
			assert(*text >= ' ' && *text <= '~');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena arena = arena_init(4096 + 512 * n);
	struct conf_faults faults = {0};
	struct settings s;
	struct err e =
	    conf_read((struct bytes){data, n}, "f", keys, &s, sizeof(s), &arena, &faults);

	assert(e.code != ERR_MEMORY);
	assert(is_ok(e) == (faults.n == 0));
	check_faults(&faults);
	arena_free(&arena);
	return 0;
}
