/* smtp_params.c - a table row a parameter. */
#include "proto/smtp_params.h"

#include "base/text.h"
#include "mail/address.h"

static const char wrong[] = "501 5.5.4 wrong parameter";
static const char twice[] = "501 5.5.4 parameter given twice";
static const char unknown[] = "555 5.5.4 parameter not offered";
static const char too_large[] = "552 5.3.4 message larger than our limit";

struct parsing {
	struct smtp_params *params;
	const struct smtp_offer *offer;
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
	if (!text_u64(value, p->offer->size_max ? p->offer->size_max : UINT64_MAX,
	              &p->params->size))
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

/* "+" and two digits in capitals, or a character that stands for itself (RFC 3461 4). */
static bool
is_xtext(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] < 0x21 || b.p[i] > 0x7e || b.p[i] == '=')
			return false;
		if (b.p[i] != '+')
			continue;
		for (size_t end = i + 2; i < end; i++)
			if (i + 1 >= b.n || text_hex_digit(b.p[i + 1]) < 0 ||
			    (b.p[i + 1] >= 'a' && b.p[i + 1] <= 'f'))
				return false;
	}
	return b.n > 0;
}

/* Who submitted it first, as this client says: no reason to believe it, so it is <> for us. */
static const char *
auth_param(struct parsing *p, struct bytes value)
{
	(void)p;
	return is_xtext(value) && value.n <= 3 * ADDRESS_MAX ? NULL : wrong;
}

static const struct param {
	const char *name;
	param_fn *run;
	bool needs_auth; /* offered where AUTH is */
} mail_params[] = {
    {"SIZE", size_param, false},
    {"BODY", body_param, false},
    {"AUTH", auth_param, true},
};

static bool
is_offered(const struct param *row, const struct smtp_offer *offer, struct bytes name)
{
	return bytes_eq_nocase(name, bytes_of(row->name)) && (offer->auth || !row->needs_auth);
}

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
smtp_params_mail(struct rd *in, const struct smtp_offer *offer, struct smtp_params *params)
{
	struct parsing p = {params, offer};
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
			if (is_offered(&mail_params[i], offer, name))
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
