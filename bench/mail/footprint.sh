#!/bin/bash
# footprint.sh [PEER...] - what a small server costs at rest: PSS and processes of every part, and the time to start them all.
# Peer "classic" is nsd + unbound + postfix + dovecot + vsftpd with one small zone and NUSERS mailboxes. Rows: one part for each
# NAME.pid the launcher leaves. "started" is right after the start, "used" after one mail in, one IMAP, POP3 and FTP login.
. "$(dirname "$0")/../ftp/lib.sh"
. "$LIBDIR/peers.sh"
PEERS=("${@:-classic}")
ROUNDS=${ROUNDS:-3} NUSERS=${NUSERS_FOOTPRINT:-10}
MPEER=$BIN/peer

start_classic() {
	local dns=$((SMTP + 6)) res=$((SMTP + 7))
	cat >"$DIR/bench.zone" <<-C
	\$ORIGIN bench.test.
	\$TTL 3600
	@ SOA ns hostmaster 1 7200 3600 1209600 3600
	@ NS ns
	@ MX 10 mx
	@ TXT "v=spf1 mx -all"
	@ A 192.0.2.1
	ns A 192.0.2.1
	mx A 192.0.2.1
	www A 192.0.2.1
	C
	cat >"$DIR/nsd.conf" <<-C
	server:
	  ip-address: 127.0.0.1@$dns
	  username: ""
	  chroot: ""
	  server-count: 1
	  database: ""
	  zonesdir: "$DIR"
	  zonelistfile: "$DIR/zone.list"
	  xfrdfile: "$DIR/xfrd.state"
	  xfrdir: "$DIR"
	  pidfile: "$DIR/nsd.own"
	  logfile: "$DIR/nsd.log"
	remote-control:
	  control-enable: no
	zone:
	  name: bench.test
	  zonefile: bench.zone
	C
	"$MPEER/nsd/usr/sbin/nsd" -d -c "$DIR/nsd.conf" &
	echo $! >"$DIR/nsd.pid"
	cat >"$DIR/unbound.conf" <<-C
	server:
	  interface: 127.0.0.1@$res
	  username: ""
	  chroot: ""
	  directory: "$DIR"
	  pidfile: "$DIR/unbound.own"
	  use-syslog: no
	  logfile: "$DIR/unbound.log"
	  do-daemonize: no
	remote-control:
	  control-enable: no
	C
	"$MPEER/unbound/usr/sbin/unbound" -d -c "$DIR/unbound.conf" &
	echo $! >"$DIR/unbound.pid"
	vsftpd_run "$DIR" &&
		LEAN=1 dovecot_run "$DIR" maildir:~/Maildir && postfix_run "$DIR" && wait_port $dns && wait_port $res
}
stop_classic() {
	postfix_end "$DIR"
	dovecot_end "$DIR"
	vsftpd_end "$DIR"
	kill_wait "$(cat "$DIR/nsd.pid")"
	kill_wait "$(cat "$DIR/unbound.pid")"
}

# stead, with names, a resolver and files as well; in the place of the launcher in peers.sh
start_stead() {
	stead_run "$DIR" "dns { listen [127.0.0.1:$((SMTP + 6))]; } resolver { listen [127.0.0.1:$((SMTP + 7))]; }
	ftp { listen [127.0.0.1:$FTP]; passive_port $PASVLO; }" && echo "$USERNAME@bench.test:pw" >"$DIR/ftpuser" &&
		"$STEAD" -C "$DIR/d" user import "$DIR/ftpuser" >/dev/null && wait_port "$FTP"
}

weigh() { # PEER ROUND WHEN
	local f n=0 sum=0 k c
	peer_env "$1"
	for f in "$DIR"/*.pid; do
		k=$(pss_kib "$(cat "$f")") c=$(nproc_tree "$(cat "$f")")
		sum=$((sum + k)) n=$((n + c))
		rec "footprint" "$(basename "$f" .pid), $3" "$1" "$2" "MiB PSS" "$(calc "$k / 1024")"
		rec "footprint" "$(basename "$f" .pid), $3" "$1" "$2" "processes" "$c"
	done
	rec "footprint" "all, $3" "$1" "$2" "MiB PSS" "$(calc "$sum / 1024")"
	rec "footprint" "all, $3" "$1" "$2" "processes" "$n"
}
make_root
for ((r = 1; r <= ROUNDS; r++)); do
	for p in "${PEERS[@]}"; do
		lock
		peer_start "$p" || exit 1
		rec footprint "start until every port answers" "$p" "$r" "s" "$START_S"
		sleep 1
		weigh "$p" "$r" started
		timeout 60 smtp-source -s 1 -m 1 -l 4096 -f s@example.test -t u1@bench.test "127.0.0.1:$SMTP"
		sleep 1
		timeout 100 "$BIN/imapload" -p "$IMAP" -M select >"$DIR/sel"
		[ "$(val exists "$DIR/sel")" = 1 ] || say "$p: the message did not arrive"
		timeout 60 "$BIN/pop3load" -p "$POP3" -c 1 -d 0 -r 1 >/dev/null
		(exec 3<>"/dev/tcp/127.0.0.1/$FTP") 2>/dev/null && timeout 60 "$FBIN/ftpload" -p "$FTP" -M logins -c 1 -d 0 >/dev/null
		sleep 1
		weigh "$p" "$r" used
		peer_stop "$p"
		rm -rf "${DIRS[$p]}"
	done
done
unlock
report
