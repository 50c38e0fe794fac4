/* smtp_params.c - a table row a parameter. */
#include "proto/smtp_params.h"

#include "base/text.h"

static const char wrong[] = "501 5.5.4 wrong parameter";
static const char twice[] = "501 5.5.4 parameter given twice";
static const char unknown[] = "555 5.5.4 parameter not offered";
static const char too_large[] = "552 5.3.4 message larger than our limit";

struct parsing {
	struct smtp_params *params;
	uint64_t size_max;
};

typedef const char *param_fn(struct parsing *, struct bytes value);

/* RFC 1870 6: up to 20 digits, so it may exceed every size that there is. */
static const char *
size_param(struct parsing *p, struct bytes value)
{
	enum { DIGITS_MAX = 20 };

	if (!value.n || value.n > DIGITS_MAX)
		return wrong;
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] < '0' || value.p[i] > '9')
			return wrong;
	if (!text_u64(value, p->size_max ? p->size_max : UINT64_MAX, &p->params->size))
		return too_large;
	return NULL;
}

/* RFC 6152: both kinds are taken as they come, octets beyond ASCII too. */
static const char *
body_param(struct parsing *p, struct bytes value)
{
	(void)p;
	if (bytes_eq_nocase(value, BYTES("7BIT")) || bytes_eq_nocase(value, BYTES("8BITMIME")))
		return NULL;
	return wrong;
}

static const struct param {
	const char *name;
	param_fn *run;
} mail_params[] = {
    {"SIZE", size_param},
    {"BODY", body_param},
};

/* The next word; the blanks around it are eaten. */
static struct bytes
take_word(struct rd *in)
{
	struct bytes rest = text_trim(rd_rest(in)), word = rest;

	word.n = 0;
	while (word.n < rest.n && rest.p[word.n] != ' ' && rest.p[word.n] != '\t')
		word.n++;
	*in = rd_of((struct bytes){rest.p + word.n, rest.n - word.n});
	return word;
}

const char *
smtp_params_mail(struct rd *in, uint64_t size_max, struct smtp_params *params)
{
	struct parsing p = {params, size_max};
	struct bytes name, value;
	const char *refused = NULL;
	unsigned seen = 0;
	size_t i;

	*params = (struct smtp_params){0};
	while (!refused && rd_left(in)) {
		value = take_word(in);
		if (!value.n)
			break;
		name = text_cut(&value, '=');
		for (i = 0; i < COUNT(mail_params); i++)
			if (bytes_eq_nocase(name, bytes_of(mail_params[i].name)))
				break;
		if (i == COUNT(mail_params))
			refused = unknown;
		else if (seen & 1u << i)
			refused = twice;
		else
			refused = mail_params[i].run(&p, value);
		seen |= 1u << i;
	}
	return refused;
}

const char *
smtp_params_rcpt(struct rd *in)
{
	return take_word(in).n ? unknown : NULL;
}
