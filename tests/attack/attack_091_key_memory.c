/*
 * Attack 91: after 1,000 handshakes a front's whole memory is searched for its server's private key.
 * The key is made after the front's process was; it asks for signatures over a socket, as a role
 * does.
 */
#include "../unit/tls_client.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define HANDSHAKES 1000
#define LARGEST    ((size_t)256 << 20) /* a sanitizer's shadow is larger, and not searched */

static int channel[2];

/* In the front: a word to the keys role and back. */
static struct err
ask(void *owner, uint32_t key, uint16_t scheme, struct bytes message, struct wr *signature)
{
	uint8_t room[1024];
	struct wr w = wr_of(room, sizeof(room));
	ssize_t n;

	(void)owner;
	wr_u32(&w, key);
	wr_u16(&w, scheme);
	wr_bytes(&w, message);
	if (w.full || send(channel[1], room, (size_t)(w.p - room), 0) < 0)
		return ERR(ERR_GONE, 0, "send");
	n = recv(channel[1], room, sizeof(room), 0);
	if (n <= 0)
		return ERR(ERR_GONE, 0, "recv");
	wr_bytes(signature, (struct bytes){room, (size_t)n});
	return OK;
}

/* Half of the sessions stay open, as they would. */
static void
front(void)
{
	static uint8_t pem[CERTIFICATE_MAX];
	static struct client clients[HANDSHAKES];
	static struct tls *all[HANDSHAKES];
	const struct tls_server_conf conf = {.protocol = BYTES("imaps"), .sign = ask};
	struct tls_server *s;
	ssize_t n = recv(channel[1], pem, sizeof(pem), 0);

	if (n <= 0 || !is_ok(tls_server_new(&s, &conf)) ||
	    !is_ok(tls_server_add(s, (struct bytes){pem, (size_t)n}, P256)))
		_exit(1);
	for (size_t i = 0; i < HANDSHAKES; i++) {
		clients[i].version = i & 1 ? TLS1_2_VERSION : TLS1_3_VERSION;
		client_begin(&clients[i]);
		if (!is_ok(tls_new(&all[i], s)) || shake(&clients[i], all[i]) != TLS_INPUT)
			_exit(1);
		client_end(&clients[i]);
		if (i & 1)
			tls_free(all[i]);
	}
	send(channel[1], "!", 1, 0);
	for (;;)
		pause();
}

/* The keys role, until the front is done. */
static unsigned
serve(void)
{
	unsigned signed_n = 0;
	uint8_t room[1024], made[SIGN_MAX];
	ssize_t n;

	while ((n = recv(channel[0], room, sizeof(room), 0)) > 1) {
		struct rd r = rd_of((struct bytes){room, (size_t)n});
		struct wr w = wr_of(made, sizeof(made));
		uint32_t key = rd_u32(&r);
		uint16_t scheme = rd_u16(&r);

		assert_true(is_ok(sign_message(keys[key], SIGN_TLS, scheme, rd_rest(&r), &w)));
		assert_true(send(channel[0], made, (size_t)(w.p - made), 0) > 0);
		signed_n++;
	}
	assert_int_equal(n, 1);
	return signed_n;
}

/* How often the bytes stand in the writable memory of the process. */
static unsigned
search(pid_t pid, struct bytes what)
{
	unsigned long long from, to;
	char name[64], line[512], mode[8];
	unsigned found = 0;
	FILE *maps;
	FILE *memory;

	snprintf(name, sizeof(name), "/proc/%d/maps", (int)pid);
	maps = fopen(name, "r");
	snprintf(name, sizeof(name), "/proc/%d/mem", (int)pid);
	memory = fopen(name, "r");
	assert_non_null(maps);
	assert_non_null(memory);
	while (fgets(line, sizeof(line), maps)) {
		uint8_t *copy, *p;
		size_t n;

		assert_int_equal(sscanf(line, "%llx-%llx %7s", &from, &to, mode), 3);
		if (mode[0] != 'r' || mode[1] != 'w' || to - from > LARGEST)
			continue;
		copy = malloc(to - from);
		assert_non_null(copy);
		assert_int_equal(fseeko(memory, (off_t)from, SEEK_SET), 0);
		n = fread(copy, 1, to - from, memory);
		for (p = copy; (p = memmem(p, n - (size_t)(p - copy), what.p, what.n)); p++)
			found++;
		free(copy);
	}
	fclose(maps);
	fclose(memory);
	return found;
}

static void
attack_091_key_memory(void **state)
{
	uint8_t big[32], little[32], point[65];
	size_t n;
	BIGNUM *secret = NULL;
	pid_t pid;

	(void)state;
	assert_true(is_ok(tls_start()));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, channel), 0);
	pid = fork();
	if (pid == 0)
		front();
	close(channel[1]); /* so that its death is seen */
	make_key(P256, EVP_EC_gen("P-256"));
	assert_true(
	    EVP_PKEY_get_bn_param(sign_key_native(keys[P256]), OSSL_PKEY_PARAM_PRIV_KEY, &secret));
	assert_int_equal(BN_bn2binpad(secret, big, sizeof(big)), sizeof(big));
	assert_int_equal(BN_bn2lebinpad(secret, little, sizeof(little)), sizeof(little));
	BN_clear_free(secret);
	assert_true(EVP_PKEY_get_octet_string_param(
	    sign_key_native(keys[P256]), OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &n));
	assert_true(send(channel[0], chains[P256].p, chains[P256].n, 0) > 0);
	assert_int_equal(serve(), HANDSHAKES);
	assert_true(search(pid, (struct bytes){point, n}) > 0); /* so the search does find */
	/* Halves too: a number that is kept in words may be cut. */
	for (size_t half = 0; half < 32; half += 16) {
		assert_int_equal(search(pid, (struct bytes){big + half, 16}), 0);
		assert_int_equal(search(pid, (struct bytes){little + half, 16}), 0);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(channel[0]);
	sign_key_free(keys[P256]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(attack_091_key_memory)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
