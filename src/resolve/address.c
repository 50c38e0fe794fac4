/* address.c - the special-purpose registries of RFC 6890, as far as they matter to who asks. */
#include "resolve/address.h"

#include "dns/rdata.h"

static const uint8_t v4_prefix[12] = {[10] = 0xff, 0xff};

bool
address_may_serve(const uint8_t ip[16], bool loopback)
{
	static const uint8_t zeros[12];

	if (addr_ip_is_loopback(ip))
		return loopback;
	if (addr_ip_is_v4(ip)) /* "this network" (RFC 1122), link-local, multicast, reserved */
		return ip[12] != 0 && !(ip[12] == 169 && ip[13] == 254) && ip[12] < 224;
	/* ::/96, link-local, multicast */
	return memcmp(ip, zeros, 12) != 0 && !(ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) &&
	       ip[0] != 0xff;
}

bool
address_from_rdata(uint16_t type, struct bytes rdata, uint8_t ip[16])
{
	if (type == DNS_TYPE_A && rdata.n == 4) {
		memcpy(ip, v4_prefix, sizeof(v4_prefix));
		memcpy(ip + 12, rdata.p, 4);
		return true;
	}
	if (type != DNS_TYPE_AAAA || rdata.n != 16 || addr_ip_is_v4(rdata.p))
		return false;
	memcpy(ip, rdata.p, 16);
	return true;
}
