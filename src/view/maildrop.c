/* maildrop.c - rows of 8 octets grow with the answers; the listing is made of them at the end. */
#include "view/maildrop.h"

#include "talk/rows.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* A unique id is UIDVALIDITY and UID in hexadecimal: never the same for two messages. */
enum { UID_TEXT = 16 };

struct row {
	uint64_t size;
	uint32_t uid;
};

struct maildrop {
	uint32_t uidvalidity;
	struct row *rows;
	size_t n, cap;
	struct pop3_message *listing;
	uint8_t *texts;
};

struct maildrop *
maildrop_new(uint32_t uidvalidity, uint32_t expected)
{
	struct maildrop *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->uidvalidity = uidvalidity;
	m->cap = expected < POP3_MESSAGES_MAX ? expected : POP3_MESSAGES_MAX;
	m->rows = calloc(m->cap + 1, sizeof(*m->rows));
	if (!m->rows) {
		free(m);
		return NULL;
	}
	return m;
}

void
maildrop_free(struct maildrop *m)
{
	if (!m)
		return;
	free(m->rows);
	free(m->listing);
	free(m->texts);
	free(m);
}

static struct err
grow(struct maildrop *m)
{
	size_t cap = m->cap * 2 + 64;
	struct row *rows;

	if (m->n >= POP3_MESSAGES_MAX)
		return ERR(ERR_FULL, 0, "maildrop");
	if (m->n < m->cap)
		return OK;
	rows = realloc(m->rows, cap * sizeof(*rows));
	if (!rows)
		return ERR(ERR_MEMORY, 0, "maildrop");
	m->rows = rows;
	m->cap = cap;
	return OK;
}

struct err
maildrop_add(struct maildrop *m, struct bytes rows)
{
	struct rd r = rd_of(rows);
	struct message_row row;
	struct err e = OK;

	assert(!m->listing);
	while (is_ok(e) && message_row_get(&r, &row)) {
		if (row.uid < maildrop_next(m))
			return ERR(ERR_SYNTAX, 0, "rows out of order");
		e = grow(m);
		if (is_ok(e))
			m->rows[m->n++] = (struct row){row.size, row.uid};
	}
	return r.bad ? ERR(ERR_SYNTAX, 0, "rows") : e;
}

uint32_t
maildrop_next(const struct maildrop *m)
{
	return m->n ? m->rows[m->n - 1].uid + 1 : 1;
}

const struct pop3_message *
maildrop_listing(struct maildrop *m, size_t *n)
{
	m->listing = calloc(m->n + 1, sizeof(*m->listing));
	m->texts = malloc(m->n * UID_TEXT + 1);
	*n = m->n;
	if (!m->listing || !m->texts)
		return NULL;
	for (size_t i = 0; i < m->n; i++) {
		char *text = (char *)m->texts + i * UID_TEXT;

		snprintf(text, UID_TEXT + 1, "%08x%08x", m->uidvalidity, m->rows[i].uid);
		m->listing[i] = (struct pop3_message){.size = m->rows[i].size,
		                                      .uid = {(const uint8_t *)text, UID_TEXT}};
	}
	return m->listing;
}

uint32_t
maildrop_uid(const struct maildrop *m, uint32_t number)
{
	assert(number >= 1 && number <= m->n);
	return m->rows[number - 1].uid;
}

size_t
maildrop_memory(const struct maildrop *m)
{
	return sizeof(*m) + m->cap * sizeof(*m->rows) +
	       (m->listing ? m->n * (sizeof(*m->listing) + UID_TEXT) : 0);
}
