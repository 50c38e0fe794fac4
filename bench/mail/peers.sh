# peers.sh - launchers. A peer NAME is two functions, start_NAME and stop_NAME ('-' and '+' in the name become '_').
# start_NAME finds in the environment:
#   DIR       its private directory (create anything below it; leave the pids of the top processes in $DIR/*.pid)
#   SMTP IMAP IMAPS POP3   ports on 127.0.0.1 to listen on       RELAY  port of the smarthost for *@relay.test
#   NUSERS    mailboxes u1@bench.test ... uN@bench.test, all with the password "pw"
#   $WORK/cert.pem, $WORK/key.pem   certificate for IMAPS (after tls_cert)
# and returns once the ports answer (it runs in a subshell: pass nothing back in variables). It must accept mail from 127.0.0.1 for bench.test (deliver) and relay.test (relay).
# Passwords are stored in clear, or as cheap as a peer can: the benchmarks measure servers, not password hashing.

NUSERS=${NUSERS:-200}

# ---------- Dovecot ----------
# dovecot_run DIR MAIL_LOCATION [EXTRA]: tuned as its manual says for speed: login processes that are kept and shared
# (service_count=0), mail processes that are reused, auth cache, no fsync tricks (mail_fsync=optimized is the default).
dovecot_run() {
	local d=$1/dovecot i
	mkdir -p "$d" "$1/home"
	chown mail:mail "$1/home"
	tls_cert
	for ((i = 1; i <= NUSERS; i++)); do echo "u$i@bench.test:{PLAIN}pw"; done >"$d/users"
	cat >"$d/dovecot.conf" <<-C
	protocols = imap pop3 lmtp
	listen = 127.0.0.1
	base_dir = $d/run
	state_dir = $d/state
	log_path = $d/log
	ssl = yes
	ssl_cert = <$WORK/cert.pem
	ssl_key = <$WORK/key.pem
	disable_plaintext_auth = no
	auth_cache_size = 10M
	passdb {
	  driver = passwd-file
	  args = scheme=PLAIN username_format=%u $d/users
	}
	userdb {
	  driver = static
	  args = uid=mail gid=mail home=$1/home/%u allow_all_users=yes
	}
	first_valid_uid = 1
	first_valid_gid = 1
	mail_location = $2
	mail_fsync = ${MAIL_FSYNC:-optimized}
	maildir_very_dirty_syncs = yes
	mail_max_userip_connections = 5000
	default_process_limit = 1000
	default_client_limit = 20000
	default_vsz_limit = 1G
	service imap-login {
	  service_count = 0
	  process_min_avail = 2
	  client_limit = 4000
	  inet_listener imap {
	    port = $IMAP
	  }
	  inet_listener imaps {
	    port = $IMAPS
	    ssl = yes
	  }
	}
	service imap {
	  service_count = 200
	  process_min_avail = 4
	  process_limit = 4000
	}
	service pop3-login {
	  service_count = 0
	  process_min_avail = 2
	  client_limit = 4000
	  inet_listener pop3 {
	    port = $POP3
	  }
	  inet_listener pop3s {
	    port = 0
	  }
	}
	service pop3 {
	  service_count = 200
	  process_min_avail = 4
	}
	service lmtp {
	  process_min_avail = 4
	  unix_listener $1/lmtp {
	    mode = 0666
	  }
	}
	${3:-}
	C
	# LEAN: the shipped process model instead of the fast one (for the footprint)
	[ -z "${LEAN:-}" ] || sed -i '/service_count\|process_min_avail/d' "$d/dovecot.conf"
	/usr/sbin/dovecot -c "$d/dovecot.conf" && wait_port "$IMAP" && wait_port "$POP3" || return
	for ((i = 0; i < 50; i++)); do [ -s "$d/run/master.pid" ] && break; sleep 0.02; done
	cp "$d/run/master.pid" "$1/dovecot.pid"
}
dovecot_end() { kill_wait "$(cat "$1/dovecot.pid" 2>/dev/null)"; rm -f "$1/dovecot.pid"; }

start_dovecot_maildir() { dovecot_run "$DIR" maildir:~/Maildir; }
start_dovecot_sdbox() { dovecot_run "$DIR" sdbox:~/sdbox; }
start_dovecot_mdbox() { dovecot_run "$DIR" mdbox:~/mdbox; }
# IDLE sessions moved out of their processes after a second (which must then end, not wait for reuse)
start_dovecot_hib() {
	dovecot_run "$DIR" maildir:~/Maildir "imap_hibernate_timeout = 1s
	service imap {
	  service_count = 1
	  unix_listener imap-master {
	    mode = 0666
	  }
	}
	service imap-hibernate {
	  unix_listener imap-hibernate {
	    mode = 0666
	  }
	}"
}
stop_dovecot_hib() { dovecot_end "$DIR"; }
stop_dovecot_maildir() { dovecot_end "$DIR"; }
stop_dovecot_sdbox() { dovecot_end "$DIR"; }
stop_dovecot_mdbox() { dovecot_end "$DIR"; }

# ---------- Postfix in front of Dovecot LMTP ----------
# Tuned: no DNS (there is none here), no 1 s in_flow_delay brake, 20 parallel LMTP deliveries, its own log daemon.
postfix_run() {
	local p=$1/postfix
	mkdir -p "$p/etc" "$p/spool" "$p/data"
	chown postfix "$p/data"
	cat >"$p/etc/main.cf" <<-C
	compatibility_level = 3.6
	queue_directory = $p/spool
	data_directory = $p/data
	maillog_file = $p/log
	maillog_file_prefixes = $p
	inet_interfaces = 127.0.0.1
	inet_protocols = ipv4
	myhostname = mx.bench.test
	mydestination =
	mynetworks = 127.0.0.0/8
	alias_maps =
	alias_database =
	virtual_mailbox_domains = bench.test
	virtual_mailbox_maps = texthash:$p/etc/users
	virtual_transport = lmtp:unix:$1/lmtp
	transport_maps = inline:{relay.test=smtp:[127.0.0.1]:$RELAY}
	relay_domains = relay.test
	smtpd_peername_lookup = no
	disable_dns_lookups = yes
	in_flow_delay = 0
	default_process_limit = 100
	lmtp_destination_concurrency_limit = 20
	default_destination_concurrency_limit = 20
	lmtp_connection_cache_on_demand = yes
	C
	local i
	for ((i = 1; i <= NUSERS; i++)); do echo "u$i@bench.test x"; done >"$p/etc/users"
	cat >"$p/etc/master.cf" <<-C
	127.0.0.1:$SMTP inet n - n - - smtpd
	cleanup unix n - n - 0 cleanup
	qmgr unix n - n 300 1 qmgr
	rewrite unix - - n - - trivial-rewrite
	bounce unix - - n - 0 bounce
	defer unix - - n - 0 bounce
	trace unix - - n - 0 bounce
	verify unix - - n - 1 verify
	flush unix n - n 1000? 0 flush
	proxymap unix - - n - - proxymap
	smtp unix - - n - - smtp
	showq unix n - n - - showq
	error unix - - n - - error
	retry unix - - n - - error
	lmtp unix - - n - - lmtp
	anvil unix - - n - 1 anvil
	scache unix - - n - 1 scache
	postlog unix-dgram n - n - 1 postlogd
	C
	postfix -c "$p/etc" start >"$p/start.out" 2>&1 || { cat "$p/start.out"; return 1; }
	wait_port "$SMTP" && cp "$p/spool/pid/master.pid" "$1/postfix.pid"
}
postfix_end() { postfix -c "$1/postfix/etc" stop >/dev/null 2>&1; rm -f "$1/postfix.pid"; }

start_postfix_maildir() { dovecot_run "$DIR" maildir:~/Maildir && postfix_run "$DIR"; }
start_postfix_sdbox() { dovecot_run "$DIR" sdbox:~/sdbox && postfix_run "$DIR"; }
start_postfix_mdbox() { dovecot_run "$DIR" mdbox:~/mdbox && postfix_run "$DIR"; }
stop_postfix_maildir() { postfix_end "$DIR"; dovecot_end "$DIR"; }
stop_postfix_sdbox() { postfix_end "$DIR"; dovecot_end "$DIR"; }
stop_postfix_mdbox() { postfix_end "$DIR"; dovecot_end "$DIR"; }

# ---------- OpenSMTPD in front of Dovecot LMTP (one instance per machine: its spool path is compiled in) ----------
start_opensmtpd_maildir() {
	dovecot_run "$DIR" maildir:~/Maildir || return
	mkdir -p /var/spool/smtpd && chmod 711 /var/spool/smtpd
	cat >"$DIR/smtpd.conf" <<-C
	table boxes { "@" = "mail" }
	listen on 127.0.0.1 port $SMTP hostname mx.bench.test
	action "box" lmtp "$DIR/lmtp" rcpt-to virtual <boxes>
	action "out" relay host smtp://127.0.0.1:$RELAY
	match from any for domain "bench.test" action "box"
	match from any for domain "relay.test" action "out"
	C
	# It asks the DNS about every client; a resolv.conf of its own keeps it to the hosts file (there is no DNS here).
	echo "lookup file" >"$DIR/resolv.conf"
	unshare -m sh -c 'mount --bind "$1" /etc/resolv.conf && exec /usr/sbin/smtpd -d -f "$2"' - \
		"$DIR/resolv.conf" "$DIR/smtpd.conf" >"$DIR/smtpd.log" 2>&1 &
	echo $! >"$DIR/smtpd.pid"
	wait_port "$SMTP"
}
stop_opensmtpd_maildir() {
	kill_wait "$(cat "$DIR/smtpd.pid" 2>/dev/null)"
	rm -f "$DIR/smtpd.pid"
	rm -rf /var/spool/smtpd/*
	dovecot_end "$DIR"
}

# ---------- stead ($STEAD: path of the program) ----------
# The cheapest hash of a password, since the others compare it in clear.  FTP and names only where the footprint wants them.
stead_run() { # DIR [EXTRA LINES]
	local i
	"${STEAD:?path of the program}" init "$1/d" --domain bench.test >/dev/null || return
	cat >"$1/d/stead.conf" <<-C
	host_name mx.bench.test;
	smtp { listen [127.0.0.1:$SMTP]; relay [127.0.0.0/8]; }
	submission { listen []; tls_listen []; }
	imap { listen [127.0.0.1:$IMAP]; tls_listen [127.0.0.1:$IMAPS]; }
	pop3 { listen [127.0.0.1:$POP3]; tls_listen []; }
	out { relay "127.0.0.1:$RELAY"; }
	auth { hash_cost 1; }
	${2:-}
	C
	for ((i = 1; i <= NUSERS; i++)); do echo "u$i@bench.test:pw"; done >"$1/users"
	"$STEAD" -C "$1/d" user import "$1/users" >/dev/null || return
	"$STEAD" -C "$1/d" serve >"$1/log" 2>&1 &
	echo $! >"$1/stead.pid"
	wait_port "$SMTP" && wait_port "$POP3" && wait_port "$IMAP"
}
stead_end() { kill_wait "$(cat "$1/stead.pid" 2>/dev/null)"; rm -f "$1/stead.pid"; }
start_stead() { stead_run "$DIR" "dns { listen []; } resolver { listen []; } ftp { listen []; }"; }
stop_stead() { stead_end "$DIR"; }
