/*
 * settings.h - what stead.conf says: one schema, read by the master once; each role gets the small
 * struct role_settings, and nothing below this floor knows a key.
 */
#ifndef ROLE_SETTINGS_H
#define ROLE_SETTINGS_H

#include "base/conf.h"
#include "talk/talk.h"

/* What a listening socket is for; sockets travel to their role with this number. */
enum service {
	SERVICE_SMTP = 1,
	SERVICE_SUBMISSION,
	SERVICE_SUBMISSIONS,
	SERVICE_POP3,
	SERVICE_POP3S,
	SERVICE_IMAP,
	SERVICE_IMAPS,
	SERVICE_FTP,
	SERVICE_FTP_DATA, /* a port of the passive range */
	SERVICE_DNS,      /* UDP and TCP, told apart by the socket */
	SERVICE_RESOLVER, /* the same */
	SERVICE_CONTROL,
	SERVICE_COUNT
};

struct service_row {
	const char *name;
	uint16_t port; /* the standard's */
	enum role role;
	bool udp; /* also */
};
const struct service_row *service_row(enum service);

/* A folder that a role is given, open. */
enum folder { FOLDER_EMPTY = 1, FOLDER_OWN, FOLDER_FILES };

struct service_settings {
	struct conf_addrs listen; /* after settings_read(): what to bind, shifted */
	uint64_t instances;
};

struct zone_settings {
	struct bytes file;
};

struct settings {
	struct bytes host_name, domain;
	struct conf_texts addresses;
	uint64_t port_offset;
	struct {
		uint32_t to, format, level; /* enum log_target, enum log_format, enum log_level */
	} log;
	struct {
		struct service_settings service;
		uint64_t message_size, recipients;
		struct conf_nets relay;
	} smtp;
	struct {
		struct conf_addrs listen, tls_listen;
	} submission;
	struct {
		struct service_settings service;
		struct conf_addrs tls_listen;
	} pop3, imap;
	struct {
		struct conf_addrs listen;
		uint64_t passive_port, passive_ports;
		struct bytes passive_address;
		bool data_resumes;
		struct conf_addrs passive; /* after settings_read(): what to bind */
	} ftp;
	struct {
		uint64_t port;
		struct bytes relay;
		bool loopback;
	} out;
	struct {
		struct conf_addrs listen;
		struct conf_nets clients;
		struct bytes root_hints, hosts;
		uint64_t upstream_port;
	} resolver;
	struct {
		struct service_settings service;
		uint64_t rate_limit;
		struct conf_named zones; /* struct zone_settings each */
	} dns;
	struct {
		uint64_t hash_cost;
		struct conf_nets plaintext_login;
	} auth;
	struct {
		struct bytes certificate,
		    key; /* files; empty: DIR/tls/cert.pem, DIR/keys/tls.pem */
	} tls;
};

enum log_target { LOG_TO_STDERR, LOG_TO_FILE, LOG_TO_JOURNAL };
enum log_format { LOG_AS_TEXT, LOG_AS_JSON };

/*
 * Reads the text of stead.conf; texts and lists live in the arena.  ERR_SYNTAX with the complaints
 * in faults; ERR_MEMORY.
 */
MUST_CHECK struct err settings_read(struct bytes text, const char *file, struct settings *,
                                    struct arena *, struct conf_faults *);
/* Where a service listens; of POP3S the tls_listen. */
const struct conf_addrs *settings_listen(const struct settings *, enum service);
/* How many processes a role has. */
uint8_t settings_instances(const struct settings *, enum role);
/* The list of all keys for the manual. */
void settings_describe(struct wr *);

enum { NETS_MAX = 64, INSTANCES_MAX = 16, PASSIVE_MAX = 1024 };

/* What a role is told of it. */
struct role_settings {
	struct bytes host_name, domain, tls_key; /* borrowed from what it was unpacked from */
	uint64_t message_size;
	uint32_t owner_uid; /* who started the server: may use the control socket, as root may */
	uint32_t recipients, rate_limit;
	uint8_t hash_cost, log_to, log_format, log_level;
	struct bytes out_relay;       /* HOST or HOST:PORT, empty: mail goes where MX tells */
	struct bytes passive_address; /* an IPv4 address that PASV announces, empty: our own */
	uint16_t out_port, upstream_port;
	uint16_t ftp_data_port; /* where active FTP data comes from */
	bool out_loopback, data_resumes;
	struct role_nets {
		size_t n;
		struct net list[NETS_MAX];
	} plaintext_login, relay, clients;
};

void settings_pack(const struct settings *, uint32_t owner_uid, struct wr *);
/* False: not what settings_pack() wrote. */
bool role_settings_unpack(struct bytes, struct role_settings *);

#endif
