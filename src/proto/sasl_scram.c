/*
 * sasl_scram.c - the messages of SCRAM-SHA-256 (RFC 5802 5, 7; RFC 7677).
 *
 *	C: n,,n=user,r=CNONCE            client-first: gs2-header, then the bare message
 *	S: r=CNONCE SNONCE,s=SALT,i=N    server-first
 *	C: c=biws,r=CNONCE SNONCE,p=...  client-final; c= is the gs2-header again, in base64
 *	S: v=...                         server-final
 *	C:                               nothing: SMTP's and IMAP's success carries no data
 *
 * Who stands between can change nothing of this: both sides sign all of it, the gs2-header too, so
 * what is wrong fails here or in the proof (attack 97).
 */
#include "proto/sasl_exchange.h"

#include "base/base64.h"
#include "base/text.h"

enum { FIRST, FINAL, EMPTY };

/* The value of an attribute that must come next, up to the comma behind it, which is eaten. */
static bool
take_attribute(struct bytes *rest, uint8_t name, struct bytes *value)
{
	struct bytes a = text_cut(rest, ',');

	if (a.n < 2 || a.p[0] != name || a.p[1] != '=')
		return false;
	*value = (struct bytes){a.p + 2, a.n - 2};
	return true;
}

/* "=2C" is a comma, "=3D" an equals sign, and no other "=" may stand in a name. */
static bool
unescape(struct bytes from, struct wr *w)
{
	for (size_t i = 0; i < from.n; i++) {
		struct bytes three = {from.p + i, 3};

		if (from.p[i] == '\0')
			return false;
		if (from.p[i] != '=') {
			wr_u8(w, from.p[i]);
			continue;
		}
		if (from.n - i < 3)
			return false;
		if (bytes_eq(three, BYTES("=2C")))
			wr_u8(w, ',');
		else if (bytes_eq(three, BYTES("=3D")))
			wr_u8(w, '=');
		else
			return false;
		i += 2;
	}
	return true;
}

/* Printable ASCII but the comma (RFC 5802 7: printable). */
static bool
is_nonce(struct bytes b)
{
	if (!b.n || b.n > SASL_CLIENT_NONCE_MAX)
		return false;
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < 0x21 || b.p[i] > 0x7e || b.p[i] == ',')
			return false;
	return true;
}

/* "n" and "y" alone: we offer no channel binding, so "p=" has nothing to bind to. */
static bool
is_unbound(struct bytes flag)
{
	return bytes_eq(flag, BYTES("n")) || bytes_eq(flag, BYTES("y"));
}

/* The gs2-header's authzid: nobody, or who logs in.  False: another. */
static bool
acts_for_himself(const struct sasl *x, struct bytes authzid)
{
	uint8_t room[SASL_NAME_MAX];
	struct wr w = wr_of(room, sizeof(room));

	return unescape(authzid, &w) && !w.full && bytes_eq(wr_since(&w, room), sasl_name(x));
}

static enum sasl_want
first(struct sasl *x, struct bytes message)
{
	struct bytes rest = message, flag = text_cut(&rest, ','), gs2 = text_cut(&rest, ',');
	struct bytes bare = rest, name, nonce, authzid = NO_BYTES;
	struct wr w = wr_of(x->name, sizeof(x->name));

	if (message.n > SASL_FIRST_MAX || !is_unbound(flag) || !bare.n)
		return sasl_fail(x, SASL_BY_SYNTAX);
	if (gs2.n && !take_attribute(&gs2, 'a', &authzid))
		return sasl_fail(x, SASL_BY_SYNTAX);
	/* an "m=" in the first place is an extension that we must know, and know not */
	if (!take_attribute(&rest, 'n', &name) || !name.n || !unescape(name, &w) ||
	    !take_attribute(&rest, 'r', &nonce) || !is_nonce(nonce))
		return sasl_fail(x, SASL_BY_SYNTAX);
	x->name_n = (uint16_t)(w.p - x->name);
	if (w.full || (authzid.p && !acts_for_himself(x, authzid)))
		return sasl_fail(x, SASL_BY_PASSWORD);
	x->bare = (size_t)(bare.p - x->text);
	x->kept = message.n;
	/* where server-first will stand, which begins with the client's nonce */
	x->server = x->kept + 1;
	w = wr_of(x->text + x->kept, sizeof(x->text) - x->kept);
	wr_text(&w, ",r=");
	wr_bytes(&w, nonce);
	base64_encode(&w, (struct bytes){x->nonce, sizeof(x->nonce)});
	x->kept = (size_t)(w.p - x->text);
	x->nonce_n = x->kept - x->server - 2;
	return x->open = SASL_SALT;
}

void
sasl_scram_salt(struct sasl *x, struct bytes salt, uint32_t iterations)
{
	struct wr w = wr_of(x->text + x->kept, sizeof(x->text) - x->kept);

	wr_text(&w, ",s=");
	base64_encode(&w, (struct bytes){salt.p, salt.n < SASL_SALT_MAX ? salt.n : SASL_SALT_MAX});
	wr_printf(&w, ",i=%u", (unsigned)iterations);
	x->kept = (size_t)(w.p - x->text);
	x->challenge = (struct bytes){x->text + x->server, x->kept - x->server};
	wr_u8(&w, ','); /* what the client says next comes right behind */
	x->kept++;
	x->open = SASL_CHALLENGE;
}

/* c= must be the gs2-header that the exchange began with. */
static bool
is_same_header(const struct sasl *x, struct bytes c)
{
	uint8_t room[SASL_FIRST_MAX];
	struct wr w = wr_of(room, sizeof(room));

	return c.n <= SASL_LINE_MAX && base64_size(x->bare) == c.n && base64_decode(&w, c) &&
	       !w.full && bytes_eq(wr_since(&w, room), (struct bytes){x->text, x->bare});
}

/* Where ",p=" begins, which is the last attribute; the message's end where there is none. */
static size_t
proof_at(struct bytes message)
{
	size_t n = message.n;

	while (n && message.p[n - 1] != ',')
		n--;
	return n ? n - 1 : message.n;
}

static enum sasl_want
final(struct sasl *x, struct bytes message)
{
	struct bytes nonce = {x->text + x->server + 2, x->nonce_n}, c, r, p;
	size_t at = proof_at(message);
	struct bytes rest = {message.p, at}, last = {message.p + at, message.n - at};
	struct wr w = wr_of(x->proof, sizeof(x->proof));

	if (!take_attribute(&rest, 'c', &c) || !take_attribute(&rest, 'r', &r) || !last.n)
		return sasl_fail(x, SASL_BY_SYNTAX);
	last = (struct bytes){last.p + 1, last.n - 1};
	if (!take_attribute(&last, 'p', &p) || !base64_decode(&w, p))
		return sasl_fail(x, SASL_BY_SYNTAX);
	if (w.full || wr_room(&w) || !is_same_header(x, c) || !bytes_eq(r, nonce))
		return sasl_fail(x, SASL_BY_PASSWORD);
	x->message = (size_t)(message.p - x->text) + at;
	return x->open = SASL_PROOF;
}

void
sasl_scram_signature(struct sasl *x, struct bytes signature)
{
	struct wr w = wr_of(x->text, sizeof(x->text));

	wr_text(&w, "v=");
	base64_encode(&w, (struct bytes){signature.p, signature.n < SASL_SALT_MAX ? signature.n
	                                                                          : SASL_SALT_MAX});
	x->challenge = wr_since(&w, x->text);
	x->kept = x->challenge.n;
	x->open = SASL_CHALLENGE;
}

enum sasl_want
sasl_scram_message(struct sasl *x, struct bytes message)
{
	switch (x->step++) {
	case FIRST:
		return first(x, message);
	case FINAL:
		return final(x, message);
	case EMPTY:
		break;
	}
	if (message.n)
		return sasl_fail(x, SASL_BY_SYNTAX);
	return x->open = SASL_DONE;
}
